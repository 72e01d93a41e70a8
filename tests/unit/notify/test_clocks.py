"""Deadlines told of in any order, and when they are reminded of."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.clocks import ENDS, Fact, Standing, latest, merged
from services.notify.domain.reminders import Stage, digest_moment, moments, next_after, soon_end, stage_now
from shared.rules.calendar import SHANGHAI, WorkingCalendar
from shared.rules.plan.ladder import Reminders

CALENDAR = WorkingCalendar.load(Path("deploy/law/calendar.yaml"))
START = datetime(2026, 3, 2, 9, tzinfo=SHANGHAI)
ID = UUID(int=7)


def fact(standing: Standing, minutes: int, days: int = 7, matter: str = "case") -> Fact:
    """A fact so many minutes after the start; due so many days after it."""
    return Fact(
        id=ID, plan="dayong", agency="police", unit=None, kind="accept", rule="r", number=matter, matter=matter,
        matter_id=UUID(int=1), dataref=f"https://x/v1/{matter}", area=None, urgent=False, start=START,
        due=START + timedelta(days=days), provisional=False, standing=standing, at=START + timedelta(minutes=minutes),
    )  # fmt: skip


FACTS = st.lists(
    st.builds(
        fact,
        st.sampled_from(list(Standing)),
        st.integers(0, 5),
        st.integers(1, 3),
        st.sampled_from(["case", "document"]),
    ),
    min_size=1,
    max_size=8,
)


@given(FACTS, st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_gives_one_state(facts: list[Fact], chance: random.Random) -> None:
    """N: set, suspended, resumed, moved, missed and met, late or twice: what holds in the end is the same."""
    again = [*facts, *chance.choices(facts, k=3)]
    chance.shuffle(again)
    assert latest(facts) == latest(again)
    cut = chance.randrange(len(again) + 1)
    assert latest([*latest(again[:cut]), *latest(again[cut:])]) == latest(facts), "in batches too"


@given(FACTS)
def test_what_has_ended_stays_ended(facts: list[Fact]) -> None:
    """The earliest end counts, whatever else is told; without an end, the latest fact."""
    [held] = latest(facts)
    ends = [one for one in facts if one.standing in ENDS]
    if ends:
        assert held.standing in ENDS and held.at == min(one.at for one in ends)
    else:
        assert held.at == max(one.at for one in facts)
    near = [one for one in facts if one.matter == "document"]
    assert (held.matter == "document") == bool(near)


def test_a_clock_that_stood_still_runs_to_its_new_moment() -> None:
    """Point 8: suspended at minute 1, resumed at 3 with a later due moment; the old one is history."""
    told = [fact(Standing.RUNNING, 0), fact(Standing.SUSPENDED, 1), fact(Standing.RUNNING, 3, days=9)]
    assert merged(merged(told[2], told[0]), told[1]) == told[2]


RULES = Reminders(at="08:30", soon_days=1, short_hours=48, soon_percent=25, least_minutes=60, overdue_after_minutes=10)


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)


def test_a_clock_of_days_is_reminded_of_on_working_days_at_the_plans_hour() -> None:
    """Point 8: the last day is Monday 2 March 2026: soon on the Saturday that makes up for a holiday, never on a Sunday."""
    told = moments(RULES, CALENDAR, local(2026, 2, 25, 10), local(2026, 3, 2, 23, 59, 59))
    assert told == [
        (Stage.SOON, local(2026, 2, 28, 8, 30)),
        (Stage.DUE, local(2026, 3, 2, 8, 30)),
        (Stage.OVERDUE, local(2026, 3, 3, 8, 30)),
    ]


def test_what_falls_on_a_holiday_is_reminded_of_before() -> None:
    """Point 8: the last day lies in the holidays of October 2026: both reminders come on working days before them."""
    last = local(2026, 10, 5, 23, 59, 59)
    assert not CALENDAR.is_working(last.date())
    told = dict(moments(RULES, CALENDAR, local(2026, 9, 20, 10), last))
    assert told[Stage.SOON] < told[Stage.DUE] < local(2026, 10, 1) < told[Stage.OVERDUE]
    assert all(CALENDAR.is_working(at.date()) for at in told.values())


def test_short_clocks_are_reminded_of_by_what_is_left() -> None:
    """A day's clock with a quarter left; ten minutes are the ring's business, and only their end is told."""
    start = local(2026, 3, 2, 9)
    assert moments(RULES, CALENDAR, start, start + timedelta(hours=24)) == [
        (Stage.SOON, start + timedelta(hours=18)),
        (Stage.OVERDUE, start + timedelta(hours=24, minutes=10)),
    ]
    assert [stage for stage, _ in moments(RULES, CALENDAR, start, start + timedelta(minutes=10))] == [Stage.OVERDUE]


def test_reminders_that_were_passed_over_are_not_made_up_for() -> None:
    """Known late: only the furthest reminder is made, and the next after it."""
    start, due = local(2026, 2, 25, 10), local(2026, 3, 2, 23, 59, 59)
    now = local(2026, 3, 2, 12)
    assert stage_now(RULES, CALENDAR, start, due, "none", now) is Stage.DUE
    assert next_after(RULES, CALENDAR, start, due, "due") == local(2026, 3, 3, 8, 30)
    assert stage_now(RULES, CALENDAR, start, due, "due", now) is None
    assert next_after(RULES, CALENDAR, start, due, "overdue") is None


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC)),
    st.integers(1, 60 * 24 * 40),
)
def test_reminders_come_in_order_and_the_last_is_after_the_due_moment(start: datetime, minutes: int) -> None:
    """Whatever the clock: each reminder is later than the one before, `overdue` alone lies behind the due moment."""
    due = start + timedelta(minutes=minutes)
    told = moments(RULES, CALENDAR, start, due)
    assert [at for _, at in told] == sorted({at for _, at in told})
    assert [stage for stage, at in told if at > due] == [Stage.OVERDUE] == [told[-1][0]]
    assert all(at > start for _, at in told)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (local(2026, 3, 2, 8, 29), None),
        (local(2026, 3, 2, 8, 30), local(2026, 3, 2).date()),
        (local(2026, 3, 1, 12), None),
    ],
)
def test_the_digest_is_for_working_days_from_its_hour_on(now: datetime, day: object) -> None:
    """One a working day, not before the plan's hour, none on a Sunday."""
    assert digest_moment(RULES, CALENDAR, now) == day
    assert soon_end(RULES, CALENDAR, local(2026, 3, 6).date()) == local(2026, 3, 10), "Monday after a Friday"
