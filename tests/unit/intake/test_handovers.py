"""Handovers: every pair of state and action, where a matter may go, and any order of steps by any side."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.intake.domain.handovers import (
    OPEN,
    HandoverAction,
    HandoverRefused,
    HandoverState,
    Matter,
    NoWay,
    Place,
    answer_rule,
    answers_now,
    check_way,
    decide_rule,
    goes_to_office,
    next_state,
    our_number,
)
from shared.rules.law import LawBook
from shared.rules.plan import Plan, load_plans

ROOT = Path(__file__).resolve().parents[3]

ALLOWED = {
    ("proposed", "accept"): "accepted",
    ("proposed", "refuse"): "refused",
    ("proposed", "withdraw"): "withdrawn",
    ("proposed", "escalate"): "escalated",
    ("refused", "escalate"): "escalated",
    ("accepted", "return"): "returned",
    ("escalated", "accept"): "accepted",
    ("escalated", "withdraw"): "withdrawn",
    ("escalated", "decide"): "decided",
}


@pytest.fixture(scope="module")
def plan() -> Plan:
    law = LawBook.load(ROOT / "deploy/law")
    return load_plans(ROOT / "deploy/plans", ["dayong"], law)["dayong"]


@pytest.mark.parametrize(("state", "action"), list(product(HandoverState, HandoverAction)))
def test_every_pair_of_state_and_action(state: HandoverState, action: HandoverAction) -> None:
    expected = ALLOWED.get((state.value, action.value))
    if expected is None:
        with pytest.raises(HandoverRefused, match=f"{state}.*{action}"):
            next_state(state, action)
    else:
        assert next_state(state, action) == expected


COMMERCE, POLICE = Place("commerce", "enforcement"), Place("police", "economic_crime")
LEAD = Matter(relevant=True, urgent=False, channel="web")


@pytest.mark.parametrize(
    ("matter", "to", "reason", "code"),
    [
        (LEAD, POLICE, "not_our_duty", None),
        (LEAD, POLICE, "because", "unknown-reason"),
        (LEAD, POLICE, "papers_missing", "unknown-reason"),
        (LEAD, Place("navy"), "not_our_duty", "unknown-agency"),
        (LEAD, Place("court"), "not_our_duty", "outside-agency"),
        (LEAD, Place("police", "navy"), "not_our_duty", "unknown-unit"),
        (LEAD, COMMERCE, "not_our_duty", "same-place"),
        (LEAD, Place("commerce", "market"), "other_unit", None),
        (LEAD, None, "not_our_duty", "no-distributor"),
        (replace(LEAD, channel="12315"), POLICE, "not_our_duty", "through-distributor"),
        (replace(LEAD, channel="12315"), POLICE, "crime_suspected", None),
        (replace(LEAD, channel="12315"), Place("commerce", "market"), "not_our_duty", None),
        (replace(LEAD, channel="12315"), None, "not_our_duty", None),
        (replace(LEAD, channel="12315", urgent=True), POLICE, "not_our_duty", None),
        (replace(LEAD, channel="12315", urgent=True), None, "not_our_duty", "urgent-goes-on"),
        # pyramid selling that 110 passed on may go to the agency whose duty it is …
        (replace(LEAD, channel="110"), POLICE, "not_our_duty", None),
        # … what is not pyramid selling goes back through the line that sent it
        (replace(LEAD, channel="110", relevant=False), POLICE, "not_pyramid", "through-distributor"),
        (replace(LEAD, channel="12345", relevant=False), POLICE, "not_pyramid", "through-distributor"),
        (replace(LEAD, channel="petition", relevant=False), POLICE, "not_pyramid", "through-distributor"),
        (replace(LEAD, channel="petition", relevant=False), None, "not_pyramid", None),
    ],
)
def test_where_a_matter_may_go(plan: Plan, matter: Matter, to: Place | None, reason: str, code: str | None) -> None:
    assert plan.handover is not None
    if code is None:
        check_way(plan, plan.handover, matter, COMMERCE, to, reason)
        return
    with pytest.raises(NoWay) as refused:
        check_way(plan, plan.handover, matter, COMMERCE, to, reason)
    assert refused.value.code == code


def test_clocks_and_numbers_are_the_plans(plan: Plan) -> None:
    rules = plan.handover
    assert rules is not None
    assert answer_rule(plan, rules, POLICE, False) == "plan.handover_answer_police"
    assert answer_rule(plan, rules, COMMERCE, False) == "plan.handover_answer"
    assert answer_rule(plan, rules, None, True) == "plan.handover_answer_urgent"
    assert decide_rule(rules, False) == "plan.handover_decide"
    assert our_number(rules, 2026, 7) == "大涌传交〔2026〕0007号"
    assert [goes_to_office(rules, n) for n in range(4)] == [False, False, True, True]


class Matters(RuleBasedStateMachine):
    """Any order of steps: some agency always answers, and only an acceptance or a decision changes which."""

    @initialize()
    def begin(self) -> None:
        self.holder = "a"
        self.state: HandoverState | None = None
        self.source, self.to = "a", "b"

    @rule(to=st.sampled_from("bcd"))
    @precondition(lambda self: getattr(self, "state", None) not in OPEN)
    def propose(self, to: str) -> None:
        if to != self.holder:
            self.source, self.to, self.state = self.holder, to, HandoverState.PROPOSED

    @rule(action=st.sampled_from(list(HandoverAction)), assigned=st.sampled_from("abcd"))
    @precondition(lambda self: getattr(self, "state", None) is not None)
    def step(self, action: HandoverAction, assigned: str) -> None:
        assert self.state is not None
        before, holder = self.state, self.holder
        turn = answers_now(before, Place(self.to), Place(self.source), "office")
        try:
            self.state = next_state(before, action)
        except HandoverRefused:
            assert (before.value, action.value) not in ALLOWED
            return
        if action is HandoverAction.ACCEPT:
            self.holder = self.to
        elif action is HandoverAction.DECIDE:
            assert turn == "office"
            self.holder = assigned
        elif action is HandoverAction.RETURN:
            # the receiver offers it back and stays responsible until that is accepted
            self.source, self.to, self.state = self.to, self.source, HandoverState.PROPOSED
            assert self.holder == holder
        if action not in (HandoverAction.ACCEPT, HandoverAction.DECIDE):
            assert self.holder == holder

    @invariant()
    def somebody_answers(self) -> None:
        if not hasattr(self, "holder"):
            return
        assert self.holder in "abcd"
        if self.state in OPEN:
            assert self.holder == self.source or self.state is HandoverState.ESCALATED


Matters.TestCase.settings = settings(max_examples=80, stateful_step_count=20, deadline=None)
TestMatters = Matters.TestCase
