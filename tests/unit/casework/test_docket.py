"""Parties that come and go: a case always has somebody who answers, and clocks agree with their parties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from services.casework.domain.cases import open_parts
from services.casework.domain.docket import Basis, Docket, Joined, Left, Missed, Moved
from services.casework.domain.states import CaseState, PartyState
from shared.rules.calendar import WorkingCalendar
from shared.rules.deadlines import State
from shared.rules.law import LawBook
from shared.rules.plan import load_plans

ROOT = Path(__file__).resolve().parents[3]
LAW = LawBook.load(ROOT / "deploy/law")
PLAN = load_plans(ROOT / "deploy/plans", ["dayong"], LAW)["dayong"]
CALENDAR = WorkingCalendar.load(ROOT / "deploy/law/calendar.yaml")
BASIS = Basis(PLAN, LAW, CALENDAR, uuid4)
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def docket(urgent: bool = False) -> Docket:
    """A fresh case: commerce leads, police are with it."""
    parties, clocks = open_parts(
        PLAN, LAW, CALENDAR,
        involved=(("commerce", "enforcement", "lead"), ("police", "economic_crime", "co")),
        urgent=urgent, received_at=START, new_id=uuid4,
    )  # fmt: skip
    return Docket(CaseState.OPENED, urgent, {p.agency: p for p in parties}, {c.agency: c for c in clocks})


def test_the_receiver_gets_a_clock_of_its_own_and_the_senders_is_dropped_only_then() -> None:
    """D-A5, point 7: both sides' clocks."""
    case, at = docket(), START + timedelta(hours=5)
    before = case.clocks["commerce"].deadline
    case.join(BASIS, "food_drug", None, "lead", "handed_over", None, at)
    assert before.state is State.RUNNING
    case.leave("commerce", "handed_over", None, ("food_drug", None), at)
    joined, left = case.facts
    assert isinstance(joined, Joined) and joined.clock and joined.clock.deadline.start == at
    assert joined.clock.deadline.rule_id == "complaint.accept" and joined.party.role == "lead"
    assert isinstance(left, Left) and left.clock and left.clock.deadline.state is State.CANCELLED
    assert left.clock.deadline.id == before.id and case.state is CaseState.OPENED
    assert case.parties["commerce"].state is PartyState.HANDED_OVER


def test_a_receiver_that_is_party_already_gains_no_time() -> None:
    """Point 1: the clock never stops while a lead travels."""
    case = docket()
    police = case.clocks["police"].deadline
    case.join(BASIS, "police", "cyber", "lead", "handed_over", None, START + timedelta(hours=20))
    assert case.clocks["police"].deadline == police and case.parties["police"].role == "lead"
    assert case.clocks["police"].unit == "cyber"


def test_leaving_late_is_told_as_missed_first() -> None:
    """Point 1: handing over after the clock has run out does not undo that it did."""
    case = docket()
    case.leave("police", "handed_over", None, ("food_drug", None), START + timedelta(hours=25))
    missed, left = case.facts
    assert isinstance(missed, Missed) and missed.clock.deadline.missed_at == START + timedelta(hours=25)
    assert isinstance(left, Left) and left.clock and left.clock.deadline.state is State.CANCELLED


def test_declining_is_a_decision_in_time_and_the_last_one_closes() -> None:
    """D-A5: a decision with reason within its time."""
    case = docket()
    case.leave("commerce", "declined", "not_pyramid", None, START + timedelta(hours=1))
    assert case.state is CaseState.OPENED
    case.leave("police", "declined", "not_pyramid", None, START + timedelta(hours=2))
    assert case.state is CaseState.CLOSED
    assert [f.clock.deadline.state for f in case.facts if isinstance(f, Left) and f.clock] == [State.MET, State.MET]
    case.join(BASIS, "commerce", None, "lead", "handed_over", None, START + timedelta(hours=3))
    assert case.state is CaseState.CLOSED and len(case.facts) == 2, "its end is final"
    case.join(BASIS, "commerce", None, "lead", "reopened", None, START + timedelta(days=3))
    assert case.state is CaseState.OPENED
    assert case.clocks["commerce"].deadline.start == START + timedelta(days=3), "the clock restarts (令121 art. 35)"


def test_a_supplement_stops_only_the_clocks_its_rule_names() -> None:
    """D-A5: supplement requests stop the clock as the rule says; a held person's never."""
    case = docket()
    due = case.clocks["commerce"].deadline.due
    for agency in ("commerce", "police"):
        case.suspend(agency, ("complaint.accept",), START + timedelta(days=1))
    assert [type(f) for f in case.facts] == [Moved]
    case.resume(BASIS, "commerce", START + timedelta(days=4))
    assert case.clocks["commerce"].deadline.due > due and case.clocks["police"].deadline.state is State.RUNNING
    held = docket(urgent=True)
    held.suspend("police", ("plan.confinement_sign",), START + timedelta(minutes=1))
    assert held.facts == []
