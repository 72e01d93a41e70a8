"""A document's files through the API: what was frozen, with the template it was issued by; edited templates; the register."""

from __future__ import annotations

import io
from typing import Any

import pytest
from docx import Document
from pypdf import PdfReader

from services.casework.adapters.documents.defaults import default_template
from shared.kit import clock
from shared.kit.documents import typesetting
from tests.conftest import missing
from tests.integration.casework.conftest import Desk, lead
from tests.integration.casework.documents import DIRECTOR, HEAD, INVESTIGATOR, OFFICE, POLICE, Papers
from tests.unit.casework.documents.samples import sample
from tests.unit.casework.documents.test_files import edited, flat, word_text


@pytest.fixture
def papers(desk: Desk) -> Papers:
    return Papers(desk)


def kind_of(desk: Desk, name: str) -> Any:
    return desk.client._transport.app.state.documents.desk.catalogue.kinds[name]  # type: ignore[attr-defined]


async def test_word_and_pdf_say_what_was_frozen_and_the_reading_is_recorded__x_d8b(desk: Desk, papers: Papers) -> None:
    """X-D8b: the seal order on paper: number, party, place, both dates, remedies; once issued it never changes."""
    [case_id] = await desk.open(lead())
    values = sample(kind_of(desk, "seal_decision")) | {"from_on": "2026-11-01", "until_on": "2026-12-01", "party": "王五 {{ 7*7 }}"}
    made = (await papers.draft(case_id, "seal_decision", values, INVESTIGATOR)).json()
    draft = await papers.get(f"/v1/documents/{made['document_id']}.docx", INVESTIGATOR)
    assert ("（编号待定）" in word_text(draft.content) and "草稿" in draft.headers["content-disposition"]) or draft.status_code == 200
    told = await papers.issued(case_id, "seal_decision", values, INVESTIGATOR, HEAD)
    at = told["document_id"]
    word = await papers.get(f"/v1/documents/{at}.docx", INVESTIGATOR)
    text = word_text(word.content)
    for must in (told["number"], "王五 {{ 7*7 }}", "2026年11月1日", "2026年12月1日", "工商分局（印章）", told["digest"][:16], "审批：单位主要负责人"):
        assert must in text
    try:
        typesetting.fonts_of([])
    except typesetting.FontsMissing:
        missing("no Chinese font on this machine: PDF is not tried")
    pdf = await papers.get(f"/v1/documents/{at}.pdf", INVESTIGATOR)
    assert pdf.headers["content-type"] == "application/pdf"
    shown = flat("".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf.content)).pages))
    assert flat(told["number"]) in shown and "王五{{7*7}}" in shown
    reads = await desk.rows("SELECT action, actor FROM audit WHERE action IN ('document.docx', 'document.pdf') ORDER BY seq")
    assert [tuple(row) for row in reads] == [
        ("document.docx", "officer:writer"), ("document.docx", "officer:writer"), ("document.pdf", "officer:writer"),
    ]  # fmt: skip


async def test_an_edited_template_serves_from_now_on_and_old_documents_keep_theirs(desk: Desk, papers: Papers) -> None:
    [case_id] = await desk.open(lead())
    kind = kind_of(desk, "inquiry_notice")
    values = sample(kind)
    before = await papers.issued(case_id, "inquiry_notice", values, INVESTIGATOR, HEAD)
    first = word_text((await papers.get(f"/v1/documents/{before['document_id']}.docx", INVESTIGATOR)).content)
    current = await papers.get("/v1/document-templates/inquiry_notice", HEAD)
    assert current.headers["x-template-version"] == "0" and current.content == default_template(kind)
    head = desk.bearer(**HEAD) | {"content-type": "application/octet-stream"}
    address = "/v1/document-templates/inquiry_notice"
    bad = await desk.client.put(f"{address}?version=0", headers=head, content=edited(kind, {"{{ contact }}": "{{ contakt }}"}))
    assert bad.status_code == 422
    assert {(one["field"], one["code"]) for one in bad.json()["errors"]} == {("contakt", "unknown"), ("contact", "absent")}
    mine = edited(kind, {"你（单位）有权申请执法人员回避": "您有权申请回避"})
    taken = await desk.client.put(f"{address}?version=0", headers=head, content=mine)
    assert taken.status_code == 200 and taken.json()["version"] == 1
    stale = await desk.client.put(f"{address}?version=0", headers=head, content=mine)
    assert stale.status_code == 412
    after = await papers.issued(case_id, "inquiry_notice", values, INVESTIGATOR, HEAD)
    assert "您有权申请回避" in word_text((await papers.get(f"/v1/documents/{after['document_id']}.docx", INVESTIGATOR)).content)
    old = word_text((await papers.get(f"/v1/documents/{before['document_id']}.docx", INVESTIGATOR)).content)
    assert old == first and "您有权申请回避" not in old
    dropped = await desk.client.delete(f"{address}?version=1", headers=desk.bearer(**HEAD))
    assert dropped.json()["own"] is False
    assert (await papers.get(address, HEAD)).content == default_template(kind)
    assert (await papers.get(address, INVESTIGATOR)).status_code == 403, "templates are for who keeps the register"
    assert (await papers.get(address, POLICE)).status_code == 403, "another agency's kind"


async def test_what_was_altered_in_the_database_is_not_given_out(desk: Desk, papers: Papers) -> None:
    [case_id] = await desk.open(lead())
    told = await papers.issued(case_id, "inquiry_notice", sample(kind_of(desk, "inquiry_notice")), INVESTIGATOR, HEAD)
    await desk.rows("UPDATE documents SET digest = repeat('0', 64) RETURNING id")
    answer = await papers.get(f"/v1/documents/{told['document_id']}.docx", INVESTIGATOR)
    assert answer.status_code == 503 and "校验值" in answer.json()["detail"]


async def test_the_register_counts_by_series_and_its_style_and_start_can_be_set(desk: Desk, papers: Papers) -> None:
    [case_id] = await desk.open(lead())
    year = clock.now().astimezone().year
    begun = await desk.client.put("/v1/document-numbers/notice/first", headers=desk.bearer(**HEAD), json={"first": 58})
    assert begun.status_code == 204
    values = sample(kind_of(desk, "inquiry_notice"))
    told = await papers.issued(case_id, "inquiry_notice", values, INVESTIGATOR, HEAD)
    assert told["number"] == f"大涌市监传通〔{year}〕58号"
    late = await desk.client.put("/v1/document-numbers/notice/first", headers=desk.bearer(**HEAD), json={"first": 90})
    assert (late.status_code, late.json()["type"]) == (409, "urn:dachuan:problem:register-in-use")
    style = {"style": "涌工商询字〔{year}〕第{n}号", "version": 0}
    assert (await desk.client.put("/v1/document-numbers/notice/style", headers=desk.bearer(**HEAD), json=style)).status_code == 204
    stale = await desk.client.put("/v1/document-numbers/notice/style", headers=desk.bearer(**HEAD), json=style)
    assert stale.status_code == 412
    bad = await desk.client.put(
        "/v1/document-numbers/notice/style", headers=desk.bearer(**HEAD), json={"style": "{year.__class__}{n}", "version": 1}
    )
    assert (bad.status_code, bad.json()["type"]) == (422, "urn:dachuan:problem:bad-style")
    told = await papers.issued(case_id, "inquiry_notice", values, INVESTIGATOR, HEAD)
    assert told["number"] == f"涌工商询字〔{year}〕第59号"
    same = {"style": "涌工商询字〔{year}〕第{n}号", "version": 0}
    await desk.client.put("/v1/document-numbers/record/style", headers=desk.bearer(**HEAD), json=same)
    await desk.client.put("/v1/document-numbers/record/first", headers=desk.bearer(**HEAD), json={"first": 59})
    made = (await papers.draft(case_id, "seal_list", sample(kind_of(desk, "seal_list")), INVESTIGATOR)).json()
    taken = await papers.act("issue", made["document_id"], 1, INVESTIGATOR)
    assert (taken.status_code, taken.json()["type"]) == (409, "urn:dachuan:problem:number-taken")
    register = (await papers.get("/v1/document-numbers?issuer=commerce", HEAD)).json()
    notice = next(one for one in register["series"] if one["id"] == "notice")
    assert (notice["last"], notice["first"], notice["next"], notice["assumed"]) == (59, 58, f"涌工商询字〔{year}〕第60号", False)
    assert next(one for one in register["series"] if one["id"] == "penalty")["assumed"] is True
    assert [one["number"] for one in register["items"]] == [f"涌工商询字〔{year}〕第59号", f"大涌市监传通〔{year}〕58号"]
    refused = await papers.get("/v1/document-numbers?issuer=police", HEAD)
    assert refused.status_code == 403


async def test_the_office_has_a_register_of_its_own(desk: Desk, papers: Papers) -> None:
    [case_id] = await desk.open(lead())
    told = await papers.issued(case_id, "supervision_notice", sample(kind_of(desk, "supervision_notice")), OFFICE, DIRECTOR)
    register = (await papers.get("/v1/document-numbers", DIRECTOR)).json()
    assert register["issuer"] == "office" and [one["number"] for one in register["items"]] == [told["number"]]
    assert {one["id"] for one in register["series"]} >= {"supervision", "letter", "report"}
    file = Document(io.BytesIO((await papers.get(f"/v1/documents/{told['document_id']}.docx", OFFICE)).content))
    assert any("联席会议办公室" in paragraph.text for paragraph in file.paragraphs)


async def test_the_kinds_tell_fields_basis_and_what_is_unverified(desk: Desk, papers: Papers) -> None:
    kinds = {one["id"]: one for one in (await papers.get("/v1/document-kinds", INVESTIGATOR)).json()}
    assert len(kinds) >= 30 and kinds["penalty_decision"]["mine"] and not kinds["criminal_filing_decision"]["mine"]
    marks = {one["cited"]: one["unverified"] for one in kinds["hearing_rights_notice"]["basis"]}
    assert marks == {"《行政处罚法》第六十三条、第六十四条": False, "《市场监督管理行政处罚听证办法》第五条": True}
    assert kinds["seal_decision"]["approval"] == "seal.order" and kinds["penalty_decision"]["serve"] == "penalty.serve"
