"""Opening, acceptance and lateness as pure decisions; orders of events by Hypothesis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.casework.domain.cases import (
    AlreadyAccepted,
    Clock,
    NotAParty,
    NothingToAccept,
    decide_acceptance,
    decide_miss,
    open_parts,
)
from services.casework.domain.numbering import number, series_of, style
from services.casework.domain.parties import Party, UnknownParty, parties_of
from services.casework.domain.states import CaseState, PartyState, TransitionRefused
from shared.kit.ids import new_id
from shared.rules.calendar import WorkingCalendar
from shared.rules.deadlines import DeadlineRefused, State
from shared.rules.law import LawBook
from shared.rules.plan import load_plans

ROOT = Path(__file__).resolve().parents[3]
PLANS = load_plans(ROOT / "deploy" / "plans")
LAW = LawBook.load(ROOT / "deploy" / "law")
CALENDAR = WorkingCalendar.load(ROOT / "deploy" / "law" / "calendar.yaml")
DAYONG, XIYUAN = PLANS["dayong"], PLANS["xiyuan"]
START = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
INVOLVED = (("police", "economic_crime", "lead"), ("commerce", "enforcement", "co"))


def opened(involved=INVOLVED, urgent: bool = False) -> tuple[tuple[Party, ...], dict[str, Clock]]:  # type: ignore[no-untyped-def]
    parties, clocks = open_parts(
        DAYONG, LAW, CALENDAR, involved=involved, urgent=urgent, received_at=START, new_id=new_id
    )
    return parties, {clock.agency: clock for clock in clocks}


def test_police_and_commerce_are_always_parties_in_both_plans() -> None:
    assert {p.agency for p in parties_of(DAYONG, ())} == {"police", "commerce"}
    assert {p.agency for p in parties_of(XIYUAN, (("office", None, "coordinator"),))} == {
        "office", "police", "commerce",
    }  # fmt: skip


def test_one_party_an_agency_with_the_strongest_role() -> None:
    parties = parties_of(
        DAYONG, (("police", "station", "co"), ("police", "public_order", "lead"), ("commerce", None, "coordinator"))
    )
    assert parties == (
        Party("police", "public_order", "lead", ("station", "public_order")),
        Party("commerce", None, "coordinator", ()),
    )


@pytest.mark.parametrize("involved", [("nobody", None, "lead"), ("police", None, "boss"), ("court", None, "co")])
def test_an_unknown_or_outside_agency_or_role_is_refused(involved: tuple[str, str | None, str]) -> None:
    with pytest.raises(UnknownParty):
        parties_of(DAYONG, (involved,))


def test_each_party_that_must_accept_has_a_clock_by_the_plans_rule_from_the_receipt() -> None:
    _, clocks = opened()
    assert {a: (c.deadline.rule_id, c.deadline.start) for a, c in clocks.items()} == {
        "police": ("plan.police_acceptance", START),
        "commerce": ("complaint.accept", START),
    }
    _, urgent = opened(urgent=True)
    assert {a: c.deadline.rule_id for a, c in urgent.items()} == {
        "police": "plan.confinement_sign",
        "commerce": "plan.urgent_sign",
    }
    _, coordinated = opened((("police", "command_centre", "lead"), ("commerce", "office", "coordinator")))
    assert set(coordinated) == {"police"}


def test_who_may_not_accept() -> None:
    parties, clocks = opened((("politics_law", None, "coordinator"), *INVOLVED))
    deadline = clocks["police"].deadline
    with pytest.raises(NotAParty):
        decide_acceptance(CaseState.OPENED, parties, "education", deadline, START)
    with pytest.raises(NothingToAccept):
        decide_acceptance(CaseState.OPENED, parties, "politics_law", deadline, START)
    first = decide_acceptance(CaseState.OPENED, parties, "police", deadline, START)
    with pytest.raises(AlreadyAccepted):
        decide_acceptance(CaseState.OPENED, (first.party, *parties[1:]), "police", first.deadline, START)
    with pytest.raises(TransitionRefused):
        decide_acceptance(CaseState.CLOSED, parties, "police", deadline, START)


def test_a_clock_that_is_behind_ours_by_a_little_does_not_refuse_an_acceptance() -> None:
    parties, clocks = opened()
    early = decide_acceptance(
        CaseState.OPENED, parties, "police", clocks["police"].deadline, START - timedelta(seconds=2)
    )
    assert early.in_time and early.deadline.met_at == START


@given(
    accept_after=st.integers(0, 60 * 24 * 60),
    job_after=st.lists(st.integers(0, 60 * 24 * 60), max_size=6),
    agency=st.sampled_from(["police", "commerce"]),
)
def test_whatever_the_order_of_job_and_acceptance_the_outcome_is_that_of_the_time(
    accept_after: int, job_after: list[int], agency: str
) -> None:
    """In time exactly when accepted by `due`; a miss is told exactly once, and only when it was late."""
    parties, clocks = opened()
    deadline = clocks[agency].deadline
    moments = sorted([(minute, "job") for minute in job_after] + [(accept_after, "accept")])
    misses, outcome = 0, None
    for minute, what in moments:
        now = START + timedelta(minutes=minute)
        if what == "job":
            due_for_job = deadline.state is State.RUNNING and deadline.due < now
            if due_for_job:
                deadline, misses = decide_miss(deadline, now), misses + 1
            else:
                with pytest.raises(DeadlineRefused):
                    decide_miss(deadline, now)
        else:
            outcome = decide_acceptance(CaseState.OPENED, parties, agency, deadline, now)
            deadline, misses = outcome.deadline, misses + outcome.missed_now
    assert outcome is not None
    late = START + timedelta(minutes=accept_after) > clocks[agency].deadline.due
    assert outcome.in_time is not late
    assert deadline.state is (State.MET_LATE if late else State.MET)
    assert misses == late


@given(order=st.permutations(["police", "commerce", "food_drug"]))
def test_the_case_is_accepted_with_the_last_party_in_any_order(order: list[str]) -> None:
    parties, clocks = opened((("food_drug", None, "lead"), *INVOLVED, ("politics_law", None, "coordinator")))
    state = CaseState.OPENED
    for index, agency in enumerate(order):
        done = decide_acceptance(state, parties, agency, clocks[agency].deadline, START)
        parties = tuple(done.party if p.agency == agency else p for p in parties)
        state = done.case_state
        assert state is (CaseState.ACCEPTED if index == 2 else CaseState.OPENED)
    assert [p.state for p in parties if p.must_accept] == [PartyState.ACCEPTED] * 3


def test_numbers_are_written_as_the_data_says_and_urgent_ones_in_their_own_series() -> None:
    assert number(style(DAYONG, series_of(False), 2026), 1) == "大涌传联〔2026〕0001号"
    assert number(style(DAYONG, series_of(True), 2026), 12) == "大涌传急〔2026〕0012号"
    assert number(style(XIYUAN, series_of(False), 2027), 12345) == "西园传联〔2027〕12345号"
