"""Kinds, values, amounts, numbers and the states of documents, without I/O but for the files of kinds."""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.state import REPOSITORY
from services.casework.domain.documents import amounts, numbers
from services.casework.domain.documents import values as v
from services.casework.domain.documents.catalogue import Catalogue, CatalogueError
from services.casework.domain.documents.kinds import OFFICE, SOURCES, check_style
from services.casework.domain.documents.states import (
    DOCUMENT_TRANSITIONS,
    ApprovalMissing,
    DocumentAction,
    DocumentState,
    SameEyes,
    check_four_eyes,
    next_document_state,
)
from services.casework.domain.states import TransitionRefused
from services.casework.queries.documents_fill import SOURCES as FILLERS
from shared.rules.law import LawBook
from shared.rules.plan import Plan, load_plan

FOLDER = REPOSITORY / "deploy" / "documents"
LAW = LawBook.load(REPOSITORY / "deploy" / "law")
CATALOGUE = Catalogue.load(FOLDER, LAW)
PLANS = {name: load_plan(REPOSITORY / "deploy" / "plans" / name, LAW) for name in ("dayong", "xiyuan")}

ALLOWED = {
    ("draft", "edit"): "draft",
    ("draft", "approve"): "approved",
    ("draft", "discard"): "discarded",
    ("approved", "edit"): "draft",
    ("approved", "issue"): "issued",
    ("approved", "discard"): "discarded",
    ("issued", "serve"): "served",
    ("issued", "withdraw"): "withdrawn",
    ("served", "serve"): "served",
    ("served", "withdraw"): "withdrawn",
}


@pytest.mark.parametrize(("state", "action"), list(product(DocumentState, DocumentAction)))
def test_every_pair_of_state_and_action_of_a_kind_that_is_approved(state: DocumentState, action: DocumentAction) -> None:
    expected = ALLOWED.get((state.value, action.value))
    if (state, action) == (DocumentState.DRAFT, DocumentAction.ISSUE):
        with pytest.raises(ApprovalMissing):
            next_document_state(state, action, needs_approval=True)
    elif expected is None:
        with pytest.raises(TransitionRefused):
            next_document_state(state, action, needs_approval=True)
    else:
        assert next_document_state(state, action, needs_approval=True) == expected


@pytest.mark.parametrize(("state", "action"), list(product(DocumentState, DocumentAction)))
def test_every_pair_where_no_approval_is_asked(state: DocumentState, action: DocumentAction) -> None:
    expected = (ALLOWED | {("draft", "issue"): "issued"}).get((state.value, action.value))
    if expected is None or action is DocumentAction.APPROVE:
        with pytest.raises(TransitionRefused):
            next_document_state(state, action)
    else:
        assert next_document_state(state, action) == expected


def test_every_state_is_reached_and_two_are_final() -> None:
    assert {DocumentState.DRAFT} | set(DOCUMENT_TRANSITIONS.values()) == set(DocumentState)
    assert set(DocumentState) - {state for state, _ in DOCUMENT_TRANSITIONS} == {
        DocumentState.WITHDRAWN, DocumentState.DISCARDED,
    }  # fmt: skip


def test_nobody_approves_their_own() -> None:
    check_four_eyes("officer:a", "officer:b")
    with pytest.raises(SameEyes):
        check_four_eyes("officer:a", "officer:a")


@pytest.mark.parametrize(
    ("yuan", "said"),
    [
        ("0", "零元整"), ("0.05", "伍分"), ("0.5", "伍角整"), ("3.05", "叁元零伍分"), ("10", "壹拾元整"), ("105", "壹佰零伍元整"),
        ("10005", "壹万零伍元整"), ("100050", "壹拾万零伍拾元整"), ("500000", "伍拾万元整"), ("2000000", "贰佰万元整"),
        ("100000005", "壹亿零伍元整"), ("100010000", "壹亿零壹万元整"), ("1234567.89", "壹佰贰拾叁万肆仟伍佰陆拾柒元捌角玖分"),
    ],
)  # fmt: skip
def test_amounts_in_words(yuan: str, said: str) -> None:
    assert amounts.in_words(Decimal(yuan)) == said


@given(st.integers(0, 10**14 - 1))
def test_amounts_in_words_can_be_read_back(fen: int) -> None:
    """Read by another rule than the one that writes: each character adds what it says."""
    text = amounts.in_words(Decimal(fen) / 100)
    assert "零零" not in text and not text.startswith("零" if fen >= 100 else "?")
    digits, units = "零壹贰叁肆伍陆柒捌玖", {"拾": 10, "佰": 100, "仟": 1000}
    whole = part = digit = 0
    yuan = text.partition("元")[0] if "元" in text else ""
    for char in yuan:
        if char in digits:
            digit = digits.index(char)
        elif char in units:
            part, digit = part + digit * units[char], 0
        else:
            scale = {"万": 10**4, "亿": 10**8}[char]
            whole, part, digit = whole + (part + digit) * scale, 0, 0
    whole += part + digit
    rest = text.partition("元")[2] if "元" in text else text
    jiao = digits.index(rest[rest.index("角") - 1]) if "角" in rest else 0
    low = digits.index(rest[rest.index("分") - 1]) if "分" in rest else 0
    assert whole * 100 + jiao * 10 + low == fen


@pytest.mark.parametrize("amount", ["-1", "1000000000000", "0.001"])
def test_amounts_that_cannot_be_said(amount: str) -> None:
    with pytest.raises(ValueError):
        amounts.in_words(Decimal(amount))


def test_every_source_of_a_field_has_what_fills_it() -> None:
    assert set(SOURCES) == set(FILLERS)


def test_every_kind_that_a_procedure_needs_exists() -> None:
    needed = set()
    for path in (REPOSITORY / "deploy" / "procedures").glob("*.yaml"):
        for version in yaml.safe_load(path.read_text(encoding="utf-8"))["versions"]:
            for step in version["steps"].values():
                needed |= set(step.get("needs", ()))
    assert needed and needed <= set(CATALOGUE.kinds)


def test_every_kind_can_be_issued_under_some_plan_and_approved_there() -> None:
    for kind in CATALOGUE.kinds.values():
        issuers = [
            plan for plan in PLANS.values()
            if OFFICE in kind.issuers or any(plan.agencies_of_kind(one) for one in kind.issuers)
        ]  # fmt: skip
        assert issuers, kind.id
        for plan in issuers:
            if kind.approval:
                assert any(kind.approval in post.approves for post in plan.posts), (kind.id, plan.id)
    for plan in PLANS.values():
        assert CATALOGUE.check_plan(plan) == []


def test_a_penalty_decision_asks_for_all_that_article_59_names() -> None:
    """行政处罚法 59: party's name and address, facts and evidence, kinds and basis, manner and term, review and suit,
    agency's name and date (the template's own)."""
    kind = CATALOGUE.kinds["penalty_decision"]
    required = {one.id for one in kind.fields if one.required}
    assert {"party", "party_address", "facts", "evidence", "penalty", "legal_articles", "manner", "review_body", "court"} <= required
    assert kind.approval and kind.serve == "penalty.serve"


def test_numbers_of_all_agencies_and_series_of_a_plan_differ() -> None:
    """The default styles give no two series of a plan the same numbers."""
    for plan in PLANS.values():
        made: dict[str, Any] = {}
        for issuer in [*(agency.id for agency in plan.members), OFFICE]:
            kind_of = OFFICE if issuer == OFFICE else plan.agency(issuer).kind
            for name in {kind.series for kind in CATALOGUE.kinds.values() if kind_of in kind.issuers}:
                series = CATALOGUE.series[name]
                mark, _ = numbers.mark_of(plan, issuer, CATALOGUE.marks)
                text = numbers.number(
                    numbers.style_of(plan, series, issuer), place=numbers.place_of(plan), mark=mark, word=series.word, year=2026, n=7
                )
                assert made.setdefault(text, (issuer, name)) == (issuer, name), f"{plan.id}: {text} twice"
                assert text.endswith("〔2026〕7号")


def test_a_plan_sets_marks_styles_and_approvals() -> None:
    raw = PLANS["dayong"].model_dump(by_alias=True)
    raw["documents"] = {"marks": {"commerce": "涌工商"}, "series": {"penalty": "{mark}罚字〔{year}〕{n}号"}, "approvals": {"inquiry_notice": "measure.order"}}
    plan = Plan.model_validate(raw)
    mark, own = numbers.mark_of(plan, "commerce", CATALOGUE.marks)
    style = numbers.style_of(plan, CATALOGUE.series["penalty"], "commerce")
    assert numbers.number(style, place="x", mark=mark, word="x", year=2026, n=12) == "涌工商罚字〔2026〕12号" and own
    raw["documents"] = {"marks": {"nobody": "x"}, "series": {"none": "{year}{n}"}, "approvals": {"none": "measure.order"}}
    assert len(CATALOGUE.check_plan(Plan.model_validate(raw))) == 3
    raw["documents"] = {"approvals": {"inquiry_notice": "no.such"}}
    with pytest.raises(ValueError, match=r"no\.such"):
        Plan.model_validate(raw)


@pytest.mark.parametrize("style", ["", "{n}", "{year}", "{year}{n}{n}", "{year}{n}{x}", "{year}{n}{", "{year.__class__}{n}", "{year}\n{n}"])
def test_styles_that_cannot_be(style: str) -> None:
    with pytest.raises(ValueError):
        check_style(style)


@given(st.dictionaries(st.sampled_from([one.id for one in CATALOGUE.kinds["penalty_decision"].fields]), st.none() | st.text() | st.integers() | st.floats() | st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=5)), max_size=3)))  # fmt: skip
def test_whatever_is_given_is_kept_clean_or_told(values: dict[str, Any]) -> None:
    kind = CATALOGUE.kinds["penalty_decision"]
    kept, faults = v.clean(kind, values, PLANS["dayong"])
    again, none = v.clean(kind, kept, PLANS["dayong"])
    assert (again, none) == (kept, []), "what is kept is clean"
    assert set(kept) | {one.field.split(".")[0] for one in faults} <= {one.id for one in kind.fields}
    printed = v.printed(kind, kept, PLANS["dayong"])
    assert all(isinstance(text, (str, list)) for text in printed.values())


def test_a_limit_in_days_of_the_law_is_the_last_day() -> None:
    day, article = v.limit_day("prohibition.seal_period", date(2026, 11, 1), PLANS["dayong"], LAW)
    assert day == date(2026, 12, 1) and "第十八条" in article
    assert v.limit_day("penalty.serve", date(2026, 11, 1), PLANS["dayong"], LAW) is None, "working days are a clock's"


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "said"),
    [
        ("kinds/penalty.yaml", "issuers: [commerce, food_drug]", "issuers: [comerce]", True, "comerce"),
        ("kinds/penalty.yaml", "type: money, required: false", "type: gold, required: false", True, "gold"),
        ("kinds/penalty.yaml", "{use: party_id}", "{use: party_idd}", True, "party_idd"),
        ("kinds/penalty.yaml", "series: penalty", "series: penal", True, "penal"),
        ("kinds/penalty.yaml", "rule: penalty.serve", "rule: penalty.served", True, "penalty.served"),
        ("kinds/penalty.yaml", "approval: measure.order", "approval: measure", True, "measure"),
        ("kinds/penalty.yaml", "{{ hearing_at }}", "{{ hearing_on }}", True, "hearing_on"),
        ("kinds/penalty.yaml", "kinds:\n", "kinds:\n  - : {\n", True, ""),
        ("series.yaml", "〔{year}〕{n}号", "〔{year}〕号", True, "{n}"),
        ("fields.yaml", "from: case.number", "from: case.secret", True, "case.secret"),
        ("fields.yaml", "fields:\n", "felds:\n", False, "fields"),
    ],
)
def test_a_mistake_in_the_files_is_told_at_its_line(tmp_path: Path, file: str, old: str, new: str, line: bool, said: str) -> None:
    folder = tmp_path / "documents"
    shutil.copytree(FOLDER, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    at = text[: text.index(old)].count("\n") + 1
    with pytest.raises(CatalogueError) as wrong:
        Catalogue.load(folder, LAW)
    first = wrong.value.findings[0]
    assert first.where.file.endswith(file.rpartition("/")[2]) and said in f"{first.text_zh}{first.text_en}"
    if line:
        assert abs(first.where.line - at) <= 22, "at the value, or at the kind that holds it"
