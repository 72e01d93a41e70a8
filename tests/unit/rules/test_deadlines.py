"""Deadlines: every allowed and forbidden step, dates by law and calendar, suspensions, extensions, history."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.rules import deadlines as d
from shared.rules.calendar import SHANGHAI, WorkingCalendar, end_of_day, local_day
from shared.rules.law import LawBook, Limit, LimitInForce, Text

LAW = LawBook.load(Path(__file__).parents[3] / "deploy" / "law")
CALENDAR = WorkingCalendar()
START = datetime(2026, 11, 2, 9, 0, tzinfo=SHANGHAI)


def limit(amount: int, unit: str, *, rolls: bool = False, reason: str = "") -> LimitInForce:
    line = Limit(
        id="test.limit", what=Text(zh="试", en="test"), unit=unit, amount=amount, article="第一条", certainty="T",
        instrument="《试》", rolls=rolls,
    )
    return LimitInForce(line, START.date(), bool(reason), reason)


def opened(amount: int = 10, unit: str = "working_days", *, rolls: bool = False, start: datetime = START) -> d.Deadline:
    return d.open_deadline(id="x", kind="acceptance", rule=limit(amount, unit, rolls=rolls), start=start,
                           calendar=CALENDAR)[0]


def in_state(state: d.State) -> d.Deadline:
    deadline = opened()
    past = deadline.due + timedelta(seconds=1)
    return {
        d.State.RUNNING: lambda: deadline,
        d.State.SUSPENDED: lambda: d.suspend(deadline, reason="检测", now=START)[0],
        d.State.MISSED: lambda: d.miss(deadline, now=past)[0],
        d.State.MET: lambda: d.meet(deadline, now=START)[0],
        d.State.MET_LATE: lambda: d.meet(deadline, now=past)[0],
        d.State.CANCELLED: lambda: d.cancel(deadline, reason="并案", now=START)[0],
    }[state]()


OTHER = WorkingCalendar({date(2026, 11, 3): False}, label="other")
STEPS: dict[d.Action, Callable[[d.Deadline, datetime], d.Outcome]] = {
    d.Action.SUSPEND: lambda one, now: d.suspend(one, reason="听证", now=now),
    d.Action.RESUME: lambda one, now: d.resume(one, now=now, calendar=CALENDAR),
    d.Action.EXTEND: lambda one, now: d.extend(
        one, amount=5, approver="head", reason="复杂", now=now, calendar=CALENDAR
    ),
    d.Action.MEET: lambda one, now: d.meet(one, now=now),
    d.Action.MISS: lambda one, now: d.miss(one, now=now),
    d.Action.CANCEL: lambda one, now: d.cancel(one, reason="并案", now=now),
    d.Action.RECOMPUTE: lambda one, now: d.recompute(one, calendar=OTHER, now=now),
}


@pytest.mark.parametrize("state", d.State)
@pytest.mark.parametrize("action", d.Action)
def test_every_pair_of_state_and_action(state: d.State, action: d.Action) -> None:
    deadline = in_state(state)
    now = deadline.history[-1].at
    if action is d.Action.MISS and state is d.State.RUNNING:
        now = deadline.due + timedelta(seconds=1)
    allowed = d.TRANSITIONS.get((state, action))
    if allowed is None:
        with pytest.raises(d.DeadlineRefused):
            STEPS[action](deadline, now)
        return
    after, _ = STEPS[action](deadline, now)
    assert after.state in allowed
    assert after.history[: len(deadline.history)] == deadline.history
    assert len(after.history) == len(deadline.history) + 1


def test_the_table_ends_where_it_should() -> None:
    ends = {state for state in d.State if not any(key[0] is state for key in d.TRANSITIONS)}
    assert ends == {d.State.MET, d.State.MET_LATE, d.State.CANCELLED}
    reached = {target for targets in d.TRANSITIONS.values() for target in targets}
    assert reached == set(d.State)


@pytest.mark.parametrize(
    ("amount", "unit", "rolls", "start", "due"),
    [
        (10, "minutes", False, "2026-11-22T23:55+08:00", "2026-11-23T00:05+08:00"),
        (24, "hours", False, "2026-10-01T10:00+08:00", "2026-10-02T10:00+08:00"),
        (0, "at_once", False, "2026-10-01T10:00+08:00", "2026-10-01T10:00+08:00"),
        (7, "working_days", True, "2015-09-28T09:00+08:00", "2015-10-13T23:59:59+08:00"),
        # three calendar days over the national holiday do not roll where the rule is silent …
        (3, "calendar_days", False, "2026-09-30T09:00+08:00", "2026-10-03T23:59:59+08:00"),
        # … and roll to the first working day where it says so
        (3, "calendar_days", True, "2026-09-30T09:00+08:00", "2026-10-08T23:59:59+08:00"),
        (30, "calendar_days", False, "2026-11-02T09:00+08:00", "2026-12-02T23:59:59+08:00"),
        (3, "months", False, "2026-11-30T09:00+08:00", "2027-02-28T23:59:59+08:00"),
        (2, "years", False, "2024-02-29T09:00+08:00", "2026-02-28T23:59:59+08:00"),
        # late evening in UTC is the next day in Shanghai, and the start day is not counted
        (1, "working_days", False, "2026-11-02T17:00+00:00", "2026-11-04T23:59:59+08:00"),
    ],
)
def test_due_moments(amount: int, unit: str, rolls: bool, start: str, due: str) -> None:
    one = opened(amount, unit, rolls=rolls, start=datetime.fromisoformat(start))
    assert one.due == datetime.fromisoformat(due)


def test_a_deadline_carries_rule_article_certainty_and_calendar() -> None:
    day = date(2026, 11, 2)
    one, facts = d.open_deadline(
        id="1", kind="acceptance", rule=LAW.in_force("complaint.accept", day), start=START, calendar=CALENDAR
    )
    assert (one.rule_id, one.certainty, one.calendar_version) == ("complaint.accept", "T", CALENDAR.version)
    assert one.article == "《市场监督管理投诉举报处理办法》第十五条"
    assert one.due == end_of_day(date(2026, 11, 11)) and not one.provisional
    assert [(fact.name, fact.due) for fact in facts] == [("opened", one.due)]


def test_into_an_unpublished_year_it_is_provisional_and_recomputed_when_the_notice_is_loaded() -> None:
    start = datetime(2026, 12, 28, 9, 0, tzinfo=SHANGHAI)
    one = opened(7, "working_days", start=start)
    assert one.provisional and one.due == end_of_day(date(2027, 1, 6))
    loaded = WorkingCalendar({date(2027, 1, 1): False}, [2027], "2027")
    after, facts = d.recompute(one, calendar=loaded, now=start + timedelta(days=1))
    assert (after.due, after.provisional) == (end_of_day(date(2027, 1, 7)), False)
    assert after.calendar_version == loaded.version and [fact.name for fact in facts] == ["moved"]
    assert d.recompute(after, calendar=loaded, now=start + timedelta(days=2)) == (after, ())


def test_a_missed_provisional_deadline_runs_again_when_the_published_calendar_gives_more_time() -> None:
    start = datetime(2026, 12, 30, 9, 0, tzinfo=SHANGHAI)
    one = opened(2, "working_days", start=start)
    late = one.due + timedelta(hours=1)
    missed, _ = d.miss(one, now=late)
    loaded = WorkingCalendar({date(2027, 1, 1): False}, [2027], "2027")
    again, facts = d.recompute(missed, calendar=loaded, now=late)
    assert again.state is d.State.RUNNING and again.missed_at is None and facts


def test_a_rule_without_text_for_the_day_makes_the_deadline_provisional_for_good() -> None:
    one, _ = d.open_deadline(
        id="1", kind="k", rule=limit(3, "calendar_days", reason="当日无条文"), start=START, calendar=CALENDAR
    )
    assert one.provisional and one.basis_reason == "当日无条文"
    assert d.recompute(one, calendar=OTHER, now=START)[0].provisional


def test_suspended_days_do_not_count() -> None:
    one = opened(5, "working_days")  # Monday 2 November → Monday 9 November
    assert one.due == end_of_day(date(2026, 11, 9))
    paused, facts = d.suspend(one, reason="检测", now=START + timedelta(days=2))
    assert [fact.detail for fact in facts] == ["suspended"]
    resumed, _ = d.resume(paused, now=START + timedelta(days=16), calendar=CALENDAR)
    # Tuesday and Wednesday counted, then two weeks out; three working days remain after 18 November
    assert resumed.due == end_of_day(date(2026, 11, 23)) and resumed.state is d.State.RUNNING


def test_a_pause_over_a_weekend_costs_no_working_day() -> None:
    one = opened(10, "working_days")
    friday, sunday = START + timedelta(days=4), START + timedelta(days=6)
    resumed, _ = d.resume(d.suspend(one, reason="r", now=friday)[0], now=sunday, calendar=CALENDAR)
    assert resumed.due == one.due
    monday = START + timedelta(days=7)
    resumed, _ = d.resume(d.suspend(one, reason="r", now=friday)[0], now=monday, calendar=CALENDAR)
    assert resumed.due == end_of_day(CALENDAR.add_working_days(local_day(one.due), 1).day)


def test_minutes_are_suspended_to_the_second() -> None:
    one = opened(10, "minutes")
    paused, _ = d.suspend(one, reason="r", now=START + timedelta(minutes=4))
    resumed, _ = d.resume(paused, now=START + timedelta(minutes=34), calendar=CALENDAR)
    assert resumed.due == START + timedelta(minutes=40)


def test_an_extension_keeps_its_approver_and_adds_the_rules_own_unit() -> None:
    one, _ = d.open_deadline(
        id="1", kind="seal", rule=LAW.in_force("prohibition.seal_period", START.date()), start=START, calendar=CALENDAR
    )
    after, facts = d.extend(one, amount=15, approver="head", reason="案件复杂", now=START, calendar=CALENDAR)
    assert after.due == end_of_day(date(2026, 12, 17)) and after.extensions[0].approver == "head"
    assert facts[0].name == "moved" and facts[0].due == after.due
    with pytest.raises(d.DeadlineRefused):
        d.extend(one, amount=15, approver="head", reason="r", now=one.due + timedelta(days=1), calendar=CALENDAR)
    with pytest.raises(d.DeadlineRefused):
        d.extend(one, amount=15, approver="", reason="r", now=START, calendar=CALENDAR)


def test_met_late_tells_missed_once() -> None:
    one = opened(1, "hours")
    after, facts = d.meet(one, now=one.due + timedelta(minutes=1))
    assert after.state is d.State.MET_LATE and [fact.name for fact in facts] == ["missed", "met"]
    assert facts[1].late
    missed, _ = d.miss(one, now=one.due + timedelta(minutes=1))
    after, facts = d.meet(missed, now=one.due + timedelta(minutes=2))
    assert [fact.name for fact in facts] == ["met"] and after.missed_at == missed.missed_at


def test_the_last_second_is_in_time_and_the_next_is_not() -> None:
    one = opened(1, "hours")
    assert d.meet(one, now=one.due)[0].state is d.State.MET
    with pytest.raises(d.DeadlineRefused):
        d.miss(one, now=one.due)


def test_time_never_runs_backwards_and_needs_a_zone() -> None:
    one = d.suspend(opened(), reason="r", now=START + timedelta(days=1))[0]
    with pytest.raises(d.DeadlineRefused):
        d.resume(one, now=START, calendar=CALENDAR)
    with pytest.raises(d.DeadlineRefused):
        d.meet(opened(), now=datetime(2026, 11, 2))
    with pytest.raises(d.DeadlineRefused):
        opened(start=datetime(2026, 11, 2))


def test_a_sum_of_money_is_no_deadline() -> None:
    fine = LAW.in_force("prohibition.fine_organise", START.date())
    with pytest.raises(d.DeadlineRefused):
        d.open_deadline(id="1", kind="k", rule=fine, start=START, calendar=CALENDAR)


def test_the_due_day_of_one_rule_and_day_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[date] = []
    calendar = WorkingCalendar({date(2031, 1, 1): False}, label="counted")
    add = calendar.add_working_days
    monkeypatch.setattr(calendar, "add_working_days", lambda day, n: calls.append(day) or add(day, n))
    for minute in range(50):
        d.open_deadline(id=str(minute), kind="k", rule=limit(7, "working_days"),
                        start=START + timedelta(minutes=minute), calendar=calendar)
    assert calls == [START.date()]


@pytest.mark.parametrize("state", d.State)
def test_a_record_reads_back_the_same(state: d.State) -> None:
    one = in_state(state)
    assert d.from_record(d.as_record(one)) == one
    longer = d.extend(opened(), amount=2, approver="head", reason="r", now=START, calendar=CALENDAR)[0]
    assert d.from_record(d.as_record(longer)) == longer


@given(
    st.datetimes(datetime(2010, 1, 1), datetime(2026, 1, 1)), st.integers(1, 90),
    st.sampled_from(["working_days", "calendar_days"]), st.booleans(),
)
def test_a_longer_limit_never_ends_earlier_and_never_on_the_start_day(
    start: datetime, amount: int, unit: str, rolls: bool
) -> None:
    moment = start.replace(tzinfo=UTC)
    one, longer = (opened(n, unit, rolls=rolls, start=moment) for n in (amount, amount + 1))
    assert longer.due >= one.due > end_of_day(local_day(moment))
    if unit == "working_days" or rolls:
        assert CALENDAR.is_working(local_day(one.due))


class DeadlineLife(RuleBasedStateMachine):
    """Any order of steps: refused ones change nothing, the rest keep history, facts and state in agreement."""

    @initialize(amount=st.integers(1, 30), unit=st.sampled_from(["minutes", "hours", "calendar_days", "working_days"]))
    def begin(self, amount: int, unit: str) -> None:
        self.one = opened(amount, unit)
        self.now = START
        self.facts = ["opened"]

    @rule(action=st.sampled_from(list(d.Action)), hours=st.integers(0, 400))
    @precondition(lambda self: hasattr(self, "one"))
    def step(self, action: d.Action, hours: int) -> None:
        self.now += timedelta(hours=hours)
        before = self.one
        try:
            self.one, facts = STEPS[action](before, self.now)
        except d.DeadlineRefused:
            assert self.one is before
            return
        assert self.one.state in d.TRANSITIONS[(before.state, action)]
        self.facts += [fact.name for fact in facts]

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "one"):
            return
        one = self.one
        assert (one.met_at is not None) == (one.state in {d.State.MET, d.State.MET_LATE})
        if one.state is not d.State.CANCELLED:
            # one that was missed before it was dropped stays missed on record
            assert (one.missed_at is not None) == (one.state in {d.State.MISSED, d.State.MET_LATE})
        assert (one.state is d.State.SUSPENDED) <= (one.suspensions[-1].end is None if one.suspensions else False)
        assert [entry.at for entry in one.history] == sorted(entry.at for entry in one.history)
        assert self.facts.count("met") <= 1 and one.due >= one.start
        assert d.from_record(d.as_record(one)) == one
        assert replace(one, history=()).history == ()


DeadlineLife.TestCase.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
TestDeadlineLife = DeadlineLife.TestCase
