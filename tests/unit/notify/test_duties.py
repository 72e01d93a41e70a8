"""Duties and meetings: their lives step by step, the turns of a calendar, what a plan asks of whom and by when."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain import duties, meetings
from services.notify.domain.duties import DutyState, DutyStep
from services.notify.domain.meetings import MeetingState, MeetingStep
from shared.rules.calendar import end_of_day
from shared.rules.plan import Plan
from shared.rules.plan.load import load_plans
from shared.rules.plan.parts import Activity, Interval
from shared.rules.plan.turns import run_of, turns_of

PLANS = Path(__file__).parents[3] / "deploy" / "plans"


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    return load_plans(PLANS)


def test_every_step_of_a_duty_is_allowed_or_refused() -> None:
    allowed = {
        ("open", "finish"): "done", ("missed", "finish"): "done", ("open", "miss"): "missed",
        ("done", "give-back"): "open", ("open", "drop"): "dropped", ("missed", "drop"): "dropped",
    }  # fmt: skip
    for state in DutyState:
        for step in DutyStep:
            assert duties.STEPS.get((state, step)) == allowed.get((state.value, step.value)), (state, step)


def test_every_step_of_a_meeting_is_allowed_or_refused() -> None:
    allowed = {
        ("called", "move"): "called", ("called", "cancel"): "cancelled", ("called", "hold"): "held",
        ("held", "write"): "held", ("held", "decide"): "held", ("held", "close"): "closed",
    }  # fmt: skip
    for state in MeetingState:
        for step in MeetingStep:
            assert meetings.STEPS.get((state, step)) == allowed.get((state.value, step.value)), (state, step)


def test_a_plan_asks_each_agency_its_duties_phase_by_phase(plans: dict[str, Plan]) -> None:
    asked = list(duties.asked_by(plans["dayong"]))
    assert len({one.id for one in asked}) == len(asked)
    tv = [one for one in asked if one.duty == "k1"]
    assert [(one.agency, one.phase, one.starts, one.due) for one in tv] == [
        ("propaganda", "mobilise", date(2015, 10, 1), end_of_day(date(2015, 10, 10))),
        ("propaganda", "implement", date(2015, 10, 11), end_of_day(date(2015, 11, 20))),
        ("propaganda", "recognition", date(2015, 11, 21), end_of_day(date(2015, 12, 10))),
    ]
    letting = next(one for one in asked if one.duty == "a1")
    assert (letting.agency, letting.unit, letting.phase) == ("commerce", "market", None)
    assert (letting.starts, letting.due) == (date(2015, 10, 1), end_of_day(date(2015, 12, 10)))
    shared = [one for one in asked if one.duty == "m6"]
    communities = {agency.id: agency.area for agency in plans["dayong"].agencies_of_kind("community")}
    assert {one.agency: one.area for one in shared if one.agency in communities} == communities
    assert {"police", "rental_mgmt"} < {one.agency for one in shared}


def test_a_scheduled_conference_is_a_duty_of_each_month(plans: dict[str, Plan]) -> None:
    monthly = [one for one in duties.asked_by(plans["dayong"]) if one.origin == "activity"]
    assert [(one.agency, one.starts, one.due) for one in monthly] == [
        ("commerce", date(2015, 10, 1), end_of_day(date(2015, 10, 31))),
        ("commerce", date(2015, 11, 1), end_of_day(date(2015, 11, 30))),
        ("commerce", date(2015, 12, 1), end_of_day(date(2015, 12, 10))),
    ]


@pytest.mark.parametrize(
    ("every", "first", "ends"),
    [
        (Interval(months=1), date(2026, 1, 20), [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]),
        (Interval(half_months=1), date(2026, 1, 20), [date(2026, 1, 31), date(2026, 2, 15), date(2026, 2, 28)]),
        (Interval(half_months=1), date(2026, 1, 1), [date(2026, 1, 15), date(2026, 1, 31), date(2026, 2, 15)]),
        (Interval(months=2), date(2025, 12, 1), [date(2026, 1, 31), date(2026, 3, 31), date(2026, 5, 31)]),
        (Interval(weeks=1), date(2026, 1, 20), [date(2026, 1, 26), date(2026, 2, 2), date(2026, 2, 9)]),
        (Interval(days=1), date(2026, 1, 20), [date(2026, 1, 20), date(2026, 1, 21), date(2026, 1, 22)]),
    ],
)
def test_the_turns_of_a_calendar(plans: dict[str, Plan], every: Interval, first: date, ends: list[date]) -> None:
    turns = turns_of(_activity(every, first, date(2026, 12, 31)), plans["dayong"])
    assert [turn.last for turn in turns[:3]] == ends


def _activity(every: Interval, first: date, last: date) -> Activity:
    return Activity.model_validate(
        {"id": "x", "name": {"zh": "样", "en": "x"}, "kind": "meeting", "by": "commerce", "every": every,
         "from": first, "to": last}
    )  # fmt: skip


intervals = st.one_of(
    st.builds(Interval, days=st.integers(1, 40)),
    st.builds(Interval, weeks=st.integers(1, 6)),
    st.builds(Interval, half_months=st.integers(1, 5)),
    st.builds(Interval, months=st.integers(1, 5)),
)


@given(intervals, st.dates(date(2015, 1, 1), date(2027, 1, 1)), st.integers(0, 700))
def test_turns_cover_every_day_once(every: Interval, first: date, days: int) -> None:
    last = date.fromordinal(first.toordinal() + days)
    turns = turns_of(_activity(every, first, last), _PLAN)
    assert turns[0].first == first and turns[-1].last == last
    assert all(turn.first <= turn.last for turn in turns)
    assert all(earlier.last.toordinal() + 1 == later.first.toordinal() for earlier, later in pairwise(turns))


_PLAN = load_plans(PLANS)["dayong"]


def test_the_run_of_a_plan_is_its_phases(plans: dict[str, Plan]) -> None:
    assert (run_of(plans["xiyuan"]).first.month, run_of(plans["xiyuan"]).last.month) == (5, 8)


def test_what_does_not_count_is_never_late() -> None:
    due = end_of_day(date(2026, 1, 5))
    after = end_of_day(date(2026, 1, 6))
    assert duties.in_time(due, True, due) and not duties.in_time(due, True, after)
    assert duties.in_time(due, False, after)
