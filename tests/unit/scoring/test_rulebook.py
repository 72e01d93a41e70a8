"""Rulebooks made from the shipped plans, and entries under them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from services.scoring.domain.ledger import entries_for, entry_id
from services.scoring.domain.obligations import Fact, Obligation, State
from services.scoring.domain.rulebook import Outcome, rulebook_of
from shared.rules.plan import load_plan

PLANS = Path(__file__).resolve().parents[3] / "deploy" / "plans"
LATE_EVENING = Fact(
    UUID(int=1), "dachuan.case.accepted.v1", datetime(2026, 1, 1, 16, 30, tzinfo=UTC), datetime.now(UTC)
)


def accepted(plan: str, agency: str, in_time: bool) -> Obligation:
    return Obligation(
        UUID(int=7), UUID(int=8), plan, None, agency, "market", "acceptance", LATE_EVENING, in_time=in_time
    )


@pytest.mark.parametrize("plan", ["dayong", "xiyuan"])
def test_every_outcome_of_acceptance_has_a_line_with_its_clause__d_m2__x_d1c(plan: str) -> None:
    """D-M2, X-D1c: points are given by lines that name their clause; values the plan lacks are marked assumed."""
    book = rulebook_of(load_plan(PLANS / plan))
    for outcome in Outcome:
        found = book.line("acceptance", outcome)
        assert found is not None and found.clause and found.assumed
    assert book.line("acceptance", Outcome.MET).points > 0 > book.line("acceptance", Outcome.MISSED).points


def test_a_kind_without_a_line_is_worth_nothing() -> None:
    book = rulebook_of(load_plan(PLANS / "dayong"))
    assert entries_for(replace(accepted("dayong", "police", True), kind="notice_sign"), book) == ()


def test_the_day_of_an_entry_is_the_day_in_china() -> None:
    """16:30 UTC on 1 January is half past midnight of the 2nd in China."""
    book = rulebook_of(load_plan(PLANS / "dayong"))
    [entry] = entries_for(accepted("dayong", "commerce", True), book)
    assert entry.occurred_on == date(2026, 1, 2)
    assert (entry.agency, entry.unit, entry.points) == ("commerce", "market", Decimal(1))


def test_an_entry_has_the_id_of_its_facts() -> None:
    assert entry_id("v1", UUID(int=7), Outcome.MET) == entry_id("v1", UUID(int=7), Outcome.MET)
    others = {
        entry_id(book, UUID(int=n), outcome, taken_back=back)
        for book in ("v1", "v2")
        for n in (7, 8)
        for outcome in Outcome
        for back in (False, True)
    }
    assert len(others) == 24


def test_states_of_an_obligation() -> None:
    blank = replace(accepted("dayong", "police", True), accepted=None, in_time=None)
    missed = replace(blank, missed=LATE_EVENING)
    assert blank.state is State.OPEN and missed.state is State.MISSED
    for in_time, state in ((True, State.MET), (False, State.MET_LATE)):
        for before in (blank, missed):
            assert replace(before, accepted=LATE_EVENING, in_time=in_time).state is state


def test_a_community_has_its_own_area_as_home() -> None:
    book = rulebook_of(load_plan(PLANS / "dayong"))
    assert book.homes["c-antang"] == "dayong-antang" and book.homes["police"] is None
