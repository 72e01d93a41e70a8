"""Every kind's Word file and PDF, reopened: each value is in it as text, whatever it holds; templates that are no use are told."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from docx import Document
from pypdf import PdfReader

from deploy.local.state import REPOSITORY
from services.casework.adapters.documents.defaults import default_template
from services.casework.adapters.documents.templates import check, context_of, fill
from services.casework.domain.documents import values as v
from services.casework.domain.documents.catalogue import Catalogue
from services.casework.domain.documents.kinds import Kind
from shared.kit.documents import press, typesetting
from shared.rules.law import LawBook
from shared.rules.plan import load_plan
from tests.conftest import missing
from tests.unit.casework.documents.samples import sample

FOLDER = REPOSITORY / "deploy" / "documents"
LAW = LawBook.load(REPOSITORY / "deploy" / "law")
KINDS = Catalogue.load(FOLDER, LAW).kinds
PLAN = load_plan(REPOSITORY / "deploy" / "plans" / "dayong", LAW)
HEAD = {
    "number": "涌市监传罚〔2026〕7号", "title": "标题", "issuer": "大涌镇工商分局", "issued_on": "2026年11月23日",
    "check_code": "9f86d081884c7d65", "basis_text": "《禁止传销条例》第十四条", "approved_text": "单位主要负责人",
}  # fmt: skip
ODD = {
    "placeholder": "{{ 7 * 7 }} {% for x in y %} {_{ }_} {%p if 1 %}",
    "xml": "<w:p/>&amp;\"'</w:t><b>]]>",
    "marks": "\u200f\u0627\u0644\u0633\u0644\u0627\u0645\u200e 王五",
    "four-byte": "𠮷𡈽𠜎 一二",
    "formula": "=1+1 @SUM(A1) {\\rtf1}",
    "typst": "#read(\"/etc/passwd\") $x$ *粗* @ref <label> //注释 \\u{41}",
}


@pytest.fixture(scope="module")
def fonts() -> None:
    try:
        typesetting.fonts_of([])
    except typesetting.FontsMissing:
        missing("no Chinese font on this machine: PDF is not tried")


def made(kind: Kind, values: dict[str, Any], form: Literal["docx", "pdf"]) -> bytes:
    """A file as the press makes it, in this process."""
    kept, faults = v.clean(kind, values, PLAN)
    assert faults == [] and v.missing(kind, kept) == []
    job = press.Job(
        template=(FOLDER / "templates" / f"{kind.id}.docx").read_bytes(),
        layout=(FOLDER / "layout.typ").read_bytes(),
        context=context_of(kind, HEAD | {"title": kind.printed_title}, v.printed(kind, kept, PLAN)),
        form=form, title=kind.printed_title, issuer=HEAD["issuer"], draft=False,
        made=datetime(2026, 11, 23, tzinfo=UTC),
    )  # fmt: skip
    return press.make(job.sent())


def told(kind: Kind, values: dict[str, Any]) -> list[str]:
    """Everything the document has to say, line by line."""
    kept, _ = v.clean(kind, values, PLAN)
    said: list[str] = []
    for value in v.printed(kind, kept, PLAN).values():
        for text in [text for row in value for text in row.values()] if isinstance(value, list) else [value]:
            said += [line for line in text.split("\n") if line]
    return said


def word_text(docx: bytes) -> str:
    """What Word shows of a file, paragraph by paragraph."""
    body = Document(io.BytesIO(docx)).element.body
    w = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    return "\n".join(
        "".join({f"{w}t": one.text or "", f"{w}tab": "\t", f"{w}br": "\n"}.get(one.tag, "") for one in p.iter())
        for p in body.iter(f"{w}p")
    )


def flat(text: str) -> str:
    """Without the spaces that setting puts between scripts and at line ends."""
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_word_file_of_every_kind_holds_every_field(name: str) -> None:
    """D-A4, D-A5, X-D8b, D-N4: what a decision, a transfer, a seal order or a supervision notice must say is in the file."""
    kind = KINDS[name]
    text = word_text(made(kind, sample(kind), "docx"))
    for line in told(kind, sample(kind)):
        assert line in text
    for must in ("number", "issuer", "issued_on", "check_code", "basis_text"):
        assert HEAD[must] in text
    assert kind.printed_title in text and f"{HEAD['issuer']}（印章）" in text
    assert "{{" not in text and "{%" not in text
    assert kind.approval is None or f"审批：{HEAD['approved_text']}" in text


@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_pdf_of_every_kind_holds_every_field_and_page_numbers(name: str, fonts: None) -> None:
    kind = KINDS[name]
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(made(kind, sample(kind), "pdf"))).pages]
    text = flat("".join(re.sub(r"—\s*\d+\s*—\s*$", "", page.strip()) for page in pages))
    for line in told(kind, sample(kind)):
        assert flat(line) in text
    for must in ("number", "issuer", "issued_on", "check_code"):
        assert flat(HEAD[must]) in text
    assert flat(f"{HEAD['issuer']}（印章）") in text and flat(kind.printed_title) in text
    for number, page in enumerate(pages, 1):
        assert f"—{number}—" in flat(page)


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
@pytest.mark.parametrize("name", ["penalty_decision", "inquiry_record"])
def test_whatever_is_typed_stays_text(name: str, text: str, fonts: None) -> None:
    kind = KINDS[name]
    values = sample(kind) | {"party": text[:80], "refusal" if name == "inquiry_record" else "facts": text}
    if name == "inquiry_record":
        values["questions"] = [{"question": text, "answer": f"{text}\n第二行"}] * 2
    text_of_file = word_text(made(kind, values, "docx"))
    pdf = "".join(page.extract_text() for page in PdfReader(io.BytesIO(made(kind, values, "pdf"))).pages)
    for line in told(kind, values):
        assert line in text_of_file
        if "\u200f" not in line:  # the reader gives right-to-left runs back in the order they are set
            assert flat(line) in flat(pdf)


def test_ten_thousand_characters_in_many_paragraphs_are_all_there(fonts: None) -> None:
    kind = KINDS["penalty_decision"]
    long = "\n".join(f"第{number}段" + "传销组织者发展下线，" * 20 for number in range(52))
    assert len(long) > 10_000
    values = sample(kind) | {"facts": long}
    text = word_text(made(kind, values, "docx"))
    paragraphs = text.split("\n")
    assert all(any(line in paragraph for paragraph in paragraphs) for line in long.split("\n"))
    reader = PdfReader(io.BytesIO(made(kind, values, "pdf")))
    assert len(reader.pages) > 15
    printed = flat("".join(page.extract_text() for page in reader.pages))
    places = [printed.find(f"第{number}段") for number in range(52)]
    assert places == sorted(places) and places[0] >= 0, "every paragraph is printed, in its order"


def test_the_same_data_give_the_same_text_a_year_later(fonts: None) -> None:
    kind = KINDS["seal_decision"]
    values = sample(kind)
    assert word_text(made(kind, values, "docx")) == word_text(made(kind, values, "docx"))
    assert made(kind, values, "pdf") == made(kind, values, "pdf")


@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_committed_templates_pass_their_check(name: str) -> None:
    content = (FOLDER / "templates" / f"{name}.docx").read_bytes()
    assert [one for one in check(content, KINDS[name]) if not one.warning] == []
    assert check(default_template(KINDS[name]), KINDS[name]) == []


def edited(kind: Kind, change: dict[str, str]) -> bytes:
    """A template with texts replaced, as somebody would in Word."""
    document = Document(io.BytesIO(default_template(kind)))
    for paragraph in document.element.body.iter("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}t"):
        for old, new in change.items():
            paragraph.text = (paragraph.text or "").replace(old, new)
    kept = io.BytesIO()
    document.save(kept)
    return kept.getvalue()


@pytest.mark.parametrize(
    ("change", "placeholder", "code"),
    [
        ({"{{ facts }}": ""}, "facts", "absent"),
        ({"{{ number }}": ""}, "number", "absent"),
        ({"{{ row.name }}": ""}, "row.name", "absent"),
        ({"{{ facts }}": "{{ facts }}{{ fact }}"}, "fact", "unknown"),
        ({"{{ row.no }}": "{{ row.price }}"}, "row.price", "unknown"),
        ({"{{ facts }}": "{{ facts }}{{ facts.__class__.__mro__ }}"}, "….__mro__", "not-allowed"),
        ({"{{ facts }}": "{{ facts }}{{ row.__init__ }}"}, "row.__init__", "not-allowed"),
        ({"{{ facts }}": "{{ facts }}{{ cycler.__init__.__globals__ }}"}, "….__globals__", "not-allowed"),
        ({"{{ facts }}": "{{ facts }}{{ facts() }}"}, "call", "not-allowed"),
        ({"{{ facts }}": "{{ facts }}{{ facts|upper }}"}, "filter", "not-allowed"),
        ({"{{ facts }}": "{{ facts }}{{ facts * 1000000 }}"}, "mul", "not-allowed"),
        ({"{{ facts }}": "{{ facts }}{{ facts['x'] }}"}, "getitem", "not-allowed"),
        ({"{{ facts }}": "{{ facts }}{% set x = 1 %}"}, "assign", "not-allowed"),
        ({"{{ facts }}": "{{ facts }}{% include 'x' %}"}, "include", "not-allowed"),
        ({"{{ facts }}": "{{ facts }}{% for a in number %}{% endfor %}"}, "number", "bad-loop"),
        ({"{{ facts }}": "{{ facts }}{{ party"}, "", "syntax"),
    ],
)
def test_a_template_that_is_no_use_is_told_by_its_placeholder(change: dict, placeholder: str, code: str) -> None:
    found = [one for one in check(edited(KINDS["penalty_notice"], change), KINDS["penalty_notice"]) if not one.warning]
    assert (placeholder, code) in [(one.placeholder if code != "syntax" else "", one.code) for one in found]
    if code == "unknown":
        assert re.fullmatch(r"第 \d+ 段", found[0].where)


def test_words_around_the_placeholders_can_be_changed() -> None:
    kind = KINDS["penalty_notice"]
    content = edited(kind, {"本机关已调查终结。": "本局经过调查，{% if contact %}已经终结{% endif %}。"})
    assert [one for one in check(content, kind) if not one.warning] == []
    kept, _ = v.clean(kind, sample(kind), PLAN)
    text = word_text(fill(content, context_of(kind, HEAD, v.printed(kind, kept, PLAN))))
    assert "本局经过调查，已经终结。" in text


def test_what_is_no_word_document_or_reaches_outside_is_refused() -> None:
    kind = KINDS["penalty_notice"]
    good = default_template(kind)

    def with_part(name: str, data: bytes) -> bytes:
        made = io.BytesIO(good)
        with zipfile.ZipFile(made, "a") as package:
            package.writestr(name, data)
        return made.getvalue()

    link = b'<Relationships><Relationship Id="r" Type="t" Target="http://x.example/t.dotm" TargetMode="External"/></Relationships>'
    for content, code in (
        (b"", "not-docx"),
        (b"PK\x03\x04 not a zip", "not-docx"),
        (b"%PDF-1.7", "not-docx"),
        (good[: len(good) // 2], "not-docx"),
        (with_part("word/vbaProject.bin", b"x"), "active-content"),
        (with_part("word/embeddings/oleObject1.bin", b"x"), "active-content"),
        (with_part("word/_rels/settings.xml.rels", link), "external"),
        (with_part("word/x.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"), "active-content"),
        (with_part("word/big.xml", b" " * (21 * 1024 * 1024)), "too-large"),
        (b"0" * (3 * 1024 * 1024), "too-large"),
    ):
        assert [one.code for one in check(content, kind)] == [code]


async def test_without_a_chinese_font_the_refusal_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(typesetting, "CJK", ("No Such Font",))
    with pytest.raises(typesetting.FontsMissing, match="No Such Font"):
        typesetting.fonts_of([str(tmp_path)])


async def test_the_press_says_that_a_template_is_bad_and_keeps_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DACHUAN_DATABASE_URL", "postgresql://secret")
    kind = KINDS["inquiry_notice"]
    job = press.Job(
        edited(kind, {"{{ contact }}": "{{ nobody }}"}), context_of(kind, HEAD, {}), "docx", b"", "t", "i", False,
        datetime(2026, 11, 23, tzinfo=UTC),
    )  # fmt: skip
    with pytest.raises(press.PressError) as refused:
        await press.press(job)
    assert refused.value.code == "bad-template" and "nobody" in refused.value.detail
