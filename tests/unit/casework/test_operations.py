"""Joint operations without a database: the hour, the roll-call, results and sums; a machine over every order of steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.casework.domain import operations as ops
from services.casework.domain.guards import GUARDS
from services.casework.domain.procedures import Procedures
from services.casework.domain.proceedings import (
    Actor,
    Asked,
    Ground,
    Incomplete,
    Proceeding,
    Refused,
    Side,
    Taken,
    decide_opening,
    decide_step,
)
from shared.rules.calendar import WorkingCalendar
from shared.rules.law import LawBook
from shared.rules.plan.load import load_plan

ROOT = Path(__file__).parents[3] / "deploy"
NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LAW = LawBook.load(ROOT / "law")
PLAN = load_plan(ROOT / "plans" / "dayong", LAW)
PROCEDURES = Procedures.load(ROOT / "procedures", LAW, GUARDS, {limit.id for limit in PLAN.deadlines.limits})
CALENDAR = WorkingCalendar.load(ROOT / "law" / "calendar.yaml")
OPERATION = PROCEDURES.get("operation")
VERSION = OPERATION.versions[-1]

PLANNER = Actor("officer:planner", "police", posts=("investigator",))
LEADER = Actor("officer:leader", "politics_law", posts=("leader",))
BOTH = Actor("officer:planner", "police", posts=("investigator", "deputy-leader"))
OTHER = Actor("officer:other", "commerce", posts=("investigator",))


def ground(now: datetime = NOW) -> Ground:
    return Ground(PLAN, LAW, CALENDAR, uuid4, now)


def values(now: datetime, step: str) -> dict[str, Any]:
    """What a step asks for, filled in rightly."""
    hours = {"starts_at": (now + 2 * HOUR).isoformat(), "meets_at": (now + HOUR).isoformat()}
    return {
        "open": hours | {"aim": "raid", "plan": "方案", "commander": "police"},
        "emergency_plan": {"emergency": "预案", "medical": "true", "reserve": 3},
        "reschedule": hours,
        "postpone": hours | {"reason": "x"},
        "send_back": {"reason": "x"},
        "cancel": {"reason": "x"},
        "report": {"to": "city_command", "reported_at": now.isoformat()},
        "receipt": {"received_at": now.isoformat(), "receipt": "1"},
    }.get(step, {})


class OperationMachine(RuleBasedStateMachine):
    """Any order of steps by anyone: no start without emergency plan and a second person's approval; what is known stays."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        new = Proceeding(UUID(int=1), VERSION.initial, Side("police"), None, {})
        decided = decide_opening(OPERATION, VERSION, new, values(self.now, "open"), PLANNER, ground(self.now), GUARDS)
        self.it = replace(new, facts=decided.facts, history=(Taken("open", PLANNER.id),))
        self.known: datetime | None = None
        self.was_known = False
        self.approver: str | None = None

    @rule(hours=st.sampled_from((0, 1, 3, 30)))
    def time_passes(self, hours: int) -> None:
        self.now += hours * HOUR

    @rule(step=st.sampled_from(sorted(VERSION.steps)), actor=st.sampled_from((PLANNER, LEADER, BOTH, OTHER)))
    def somebody_tries(self, step: str, actor: Actor) -> None:
        before, source = self.it, self.it.state
        try:
            decided = decide_step(
                OPERATION, VERSION, before, step, values(self.now, step), actor, ground(self.now), GUARDS
            )
        except Refused as error:
            assert self.it == before
            if source not in VERSION.steps[step].sources:
                assert error.code == "not-possible-now"
            return
        assert source in VERSION.steps[step].sources
        assert actor is not OTHER, "nobody else's step is theirs"
        if step == "approve":
            self.approver = actor.id
        clocks = dict(before.clocks) | {one.name: one.deadline for one in decided.clocks}
        self.it = replace(
            before, state=decided.state, facts=decided.facts, clocks=clocks, history=(*before.history, Taken(step, actor.id))
        )
        self.known = ops.known_from(self.it.state, self.it.facts, self.known, self.now)

    @rule()
    def it_goes_on(self) -> None:
        """The step that a well-run operation takes next, so that every state is come to."""
        if self.it.state == "planning" and not any(one.step == "emergency_plan" for one in self.it.history):
            return self.somebody_tries("emergency_plan", PLANNER)
        if self.it.state in ("planning", "submitted") and self.it.facts["starts_at"] <= self.now.isoformat():
            return self.somebody_tries("reschedule", PLANNER)
        step = {
            "planning": "submit", "submitted": "approve", "approved": "start", "running": "end", "ended": "report",
            "reported": "receipt",
        }.get(self.it.state)  # fmt: skip
        return self.somebody_tries(step, LEADER if step == "approve" else PLANNER) if step else None

    @invariant()
    def no_start_without_a_plan_and_a_second_person(self) -> None:
        if self.it.state in ("approved", "running", "ended", "reported", "done"):
            assert any(one.step == "emergency_plan" for one in self.it.history)
            assert self.approver == LEADER.id

    @invariant()
    def known_once_is_known(self) -> None:
        known = self.known is not None and self.known <= self.now
        assert known or not self.was_known
        self.was_known = known
        if self.it.state in ("planning", "submitted"):
            assert not known
        if self.it.state in ("running", "ended", "reported", "done"):
            assert known

    @precondition(lambda self: self.it.state in ("ended", "reported", "done"))
    @invariant()
    def the_end_starts_the_report(self) -> None:
        assert "report" in self.it.clocks


TestOperationMachine = OperationMachine.TestCase
TestOperationMachine.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_the_hour_is_known_from_its_approval_and_dropped_ones_never() -> None:
    starts = (NOW + HOUR).isoformat()
    facts = {"starts_at": starts}
    assert ops.known_from("planning", facts, None, NOW) is None
    assert ops.known_from("approved", facts, None, NOW) == NOW + HOUR
    assert ops.known_from("running", facts, NOW + HOUR, NOW) == NOW, "an early start is known at once"
    assert ops.known_from("cancelled", facts, NOW + HOUR, NOW) is None
    assert ops.known_from("cancelled", facts, NOW - HOUR, NOW) == NOW - HOUR, "what was known stays known"
    later = {"starts_at": (NOW + 5 * HOUR).isoformat()}
    assert ops.known_from("approved", later, NOW + HOUR, NOW) == NOW + 5 * HOUR


def test_wrong_hours_are_refused() -> None:
    for starts, meets, code in ((NOW, NOW, "hour-passed"), (NOW + HOUR, NOW + 2 * HOUR, "meeting-after-start")):
        with pytest.raises(Refused) as refused:
            ops.check_hours({"starts_at": starts.isoformat(), "meets_at": meets.isoformat()}, NOW)
        assert refused.value.code == code
    ops.check_hours({"starts_at": (NOW + HOUR).isoformat(), "meets_at": (NOW + HOUR).isoformat()}, NOW)
    with pytest.raises(Incomplete):
        new = Proceeding(UUID(int=1), VERSION.initial, Side("police"), None, {})
        decide_opening(OPERATION, VERSION, new, {}, PLANNER, ground(), GUARDS)


@pytest.mark.parametrize("state", list(VERSION.states))
def test_presence_and_results_only_in_their_states(state: str) -> None:
    facts = {"starts_at": (NOW + HOUR).isoformat(), "meets_at": (NOW + HOUR / 2).isoformat()}
    entry = ops.Entry("place", NOW, {})
    for check, states in (
        (lambda: ops.check_presence(state, facts, NOW), ops.GATHERING),
        (lambda: ops.check_entry(entry, state, NOW - HOUR, NOW), ops.ON_THE_SCENE),
    ):
        if state in states:
            check()
        else:
            with pytest.raises(Refused):
                check()


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (ops.Entry("den", NOW, {}, force=True), "den-needs-force-and-place"),
        (ops.Entry("den", NOW, {}, place=True), "den-needs-force-and-place"),
        (ops.Entry("place", NOW + HOUR, {}), "not-during"),
        (ops.Entry("place", NOW - 2 * HOUR, {}), "not-during"),
        (ops.Entry("persons", NOW, {}), "nothing-counted"),
        (ops.Entry("persons", NOW, {"phones": 1}), "unknown-count"),
        (ops.Entry("persons", NOW, {"organiser": -1}), "bad-count"),
        (ops.Entry("persons", NOW, {"participant": 1, "minors": 2}), "more-than-found"),
        (ops.Entry("items", NOW, {"organiser": 1}), "unknown-count"),
    ],
)
def test_an_entry_that_cannot_be_says_why(entry: ops.Entry, code: str) -> None:
    with pytest.raises(Refused) as refused:
        ops.check_entry(entry, "running", NOW - HOUR, NOW)
    assert refused.value.code == code


def test_every_figure_opens_to_the_entries_it_is_the_sum_of() -> None:
    entries = [("place", {}), ("den", {}), ("persons", {"organiser": 1, "minors": 1}), ("items", {"phones": 4})]
    sums = ops.figures(entries)
    for name, total in sums.items():
        kind, counts = ops.behind(name)
        behind = [given for one, given in entries if one == kind and (not counts or any(c in given for c in counts))]
        found = sum(sum(given.get(c, 0) for c in counts) if counts else 1 for given in behind)
        assert found == total, name
    assert sums["persons"] == 1
    with pytest.raises(KeyError):
        ops.behind("nothing")


def test_the_roll_call_adds_the_words_of_several_and_nobody_is_missing_below_zero() -> None:
    [first, second, third] = ops.roll_call([("a", 10), ("b", 2), ("c", 1)], [("a", 4), ("a", 3), ("b", 5)])
    assert (first.present, first.missing, second.missing) == (7, 3, 0)
    assert not third.answered and third.missing == 1


def test_who_submitted_does_not_approve_and_the_emergency_plan_is_asked_for() -> None:
    now = Proceeding(UUID(int=1), "submitted", Side("police"), None, {}, history=(Taken("open", "a"), Taken("submit", "b")))
    for actor, guard, code in (("a", "not_the_submitter", "four-eyes"), ("b", "not_the_submitter", "four-eyes"), ("c", "emergency_plan_made", "no-emergency-plan")):
        with pytest.raises(Refused) as refused:
            GUARDS[guard](Asked(OPERATION, VERSION, now, "approve", {}, {}, Actor(actor, "police"), ground()))
        assert refused.value.code == code
    GUARDS["not_the_submitter"](Asked(OPERATION, VERSION, now, "approve", {}, {}, Actor("c", "police"), ground()))
