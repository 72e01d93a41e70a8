"""A joint case through any order of what happens to it: parties come, accept, leave, it is closed and taken up again."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.casework.domain.cases import AlreadyAccepted, NotAParty, NothingToAccept, decide_acceptance, decide_miss
from services.casework.domain.closing import Outcome, decide_closing
from services.casework.domain.proceedings import Refused, Sibling
from services.casework.domain.states import CaseAction, CaseState, PartyState, TransitionRefused, next_case_state
from shared.rules.deadlines import State
from tests.unit.casework.test_docket import BASIS, START, docket

AGENCIES = ("commerce", "police", "food_drug", "labour")
ENDS = ("penalised", "convicted", "returned")


def track(final: bool, outcome: str) -> Sibling:
    kind = "criminal_case" if outcome == "convicted" else "administrative_case"
    return Sibling(UUID(int=1), kind, "any", final, outcome if final else None, {}, "commerce")


class Cases(RuleBasedStateMachine):
    """What the law of a case allows happens; all else is refused and changes nothing."""

    @initialize(urgent=st.booleans())
    def begin(self, urgent: bool) -> None:
        self.case, self.at = docket(urgent), START
        self.ended_with: Outcome | None = None

    def later(self, hours: int) -> None:
        self.at += timedelta(hours=hours)

    @rule(agency=st.sampled_from(AGENCIES), role=st.sampled_from(["lead", "co", "coordinator"]), hours=st.integers(0, 90))
    def join(self, agency: str, role: str, hours: int) -> None:
        self.later(hours)
        before = self.case.state, dict(self.case.parties)
        if role != "coordinator":
            self.case.join(BASIS, agency, None, role, "handed_over", None, self.at)
        if before[0] is CaseState.CLOSED:
            assert (self.case.state, self.case.parties) == before, "its end is final"

    @rule(agency=st.sampled_from(AGENCIES), cause=st.sampled_from(["handed_over", "declined"]), hours=st.integers(0, 90))
    def leave(self, agency: str, cause: str, hours: int) -> None:
        self.later(hours)
        had_accepted = agency in self.case.parties and self.case.parties[agency].state is PartyState.ACCEPTED
        self.case.leave(agency, cause, None, None, self.at)  # type: ignore[arg-type]
        if had_accepted and cause == "declined":
            assert self.case.parties[agency].state is PartyState.ACCEPTED, "who accepted cannot decline"

    @rule(agency=st.sampled_from(AGENCIES), stop=st.booleans(), hours=st.integers(0, 90))
    def supplement(self, agency: str, stop: bool, hours: int) -> None:
        self.later(hours)
        if stop:
            self.case.suspend(agency, ("complaint.accept",), self.at)
        else:
            self.case.resume(BASIS, agency, self.at)

    @rule(hours=st.integers(1, 24 * 30))
    def time_passes(self, hours: int) -> None:
        self.later(hours)
        for agency, clock in self.case.clocks.items():
            if clock.deadline.state is State.RUNNING and clock.deadline.due < self.at:
                self.case.clocks[agency] = type(clock)(clock.agency, clock.unit, decide_miss(clock.deadline, self.at))

    @rule(agency=st.sampled_from((*AGENCIES, "finance")))
    def accept(self, agency: str) -> None:
        party, clock = self.case.parties.get(agency), self.case.clocks.get(agency)
        deadline = (clock or docket().clocks["police"]).deadline
        parties = tuple(self.case.parties.values())
        refusal: type[Exception] | None = None
        if party is None:
            refusal = NotAParty
        elif not party.must_accept:
            refusal = NothingToAccept
        elif party.state is PartyState.ACCEPTED:
            refusal = AlreadyAccepted
        elif party.state is not PartyState.PENDING:
            refusal = TransitionRefused
        if refusal is not None:
            with pytest.raises(refusal):
                decide_acceptance(self.case.state, parties, agency, deadline, self.at)
            return
        late = self.at > deadline.due if deadline.state is not State.SUSPENDED else False
        done = decide_acceptance(self.case.state, parties, agency, deadline, self.at)
        assert done.in_time == (not late) and done.missed_now == (late and deadline.state is State.RUNNING)
        assert done.deadline.state is (State.MET_LATE if late else State.MET)
        self.case.parties[agency], self.case.state = done.party, done.case_state
        del self.case.clocks[agency]

    @rule(
        role=st.sampled_from(["lead", "lead", "co", None]), outcome=st.sampled_from(Outcome), open_ones=st.booleans(),
        end=st.sampled_from(ENDS), cleared=st.integers(0, 1),
    )  # fmt: skip
    def close(self, role: str | None, outcome: Outcome, open_ones: bool, end: str, cleared: int) -> None:
        proceedings = [track(True, end), *([track(False, "")] if open_ones else [])]
        borne_out = {
            Outcome.CONFIRMED: end == "penalised", Outcome.TRANSFERRED: end == "convicted",
            Outcome.DISPERSED: cleared > 0, Outcome.UNFOUNDED: end == "returned",
        }[outcome]  # fmt: skip
        may = role == "lead" and not open_ones and borne_out and self.case.state is CaseState.ACCEPTED
        if not may:
            with pytest.raises(Refused) as refused:
                decide_closing(self.case.state, role, outcome, proceedings, cleared)
            assert refused.value.zh and refused.value.en
            return
        self.case.state = decide_closing(self.case.state, role, outcome, proceedings, cleared)
        self.ended_with = outcome

    @rule()
    def contested_with_success(self) -> None:
        if self.case.state is not CaseState.CLOSED:
            with pytest.raises(TransitionRefused):
                next_case_state(self.case.state, CaseAction.TAKE_UP)
        elif self.ended_with is not None:
            self.case.state, self.ended_with = next_case_state(self.case.state, CaseAction.TAKE_UP), None

    @rule(agency=st.sampled_from(AGENCIES))
    def the_lead_is_taken_up_again(self, agency: str) -> None:
        party = self.case.parties.get(agency)
        if party is not None and party.state is PartyState.DECLINED:
            self.case.join(BASIS, agency, None, party.role, "reopened", None, self.at)
            assert self.case.state is CaseState.OPENED
            self.ended_with = None

    @invariant()
    def whoever_has_to_accept_has_a_clock_and_nobody_else(self) -> None:
        if not hasattr(self, "case"):
            return
        pending = {a for a, p in self.case.parties.items() if p.must_accept and p.state is PartyState.PENDING}
        assert pending == set(self.case.clocks)
        assert all(
            c.deadline.state in (State.RUNNING, State.SUSPENDED, State.MISSED) for c in self.case.clocks.values()
        )
        accepted = [p for p in self.case.parties.values() if p.must_accept and p.state is PartyState.ACCEPTED]
        expected = {CaseState.OPENED: bool(pending), CaseState.ACCEPTED: bool(accepted) and not pending,
                    CaseState.CLOSED: not pending}[self.case.state]  # fmt: skip
        assert expected, (self.case.state, self.case.parties)
        if self.ended_with is not None:
            assert self.case.state is CaseState.CLOSED


Cases.TestCase.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
TestCases = Cases.TestCase


@pytest.mark.parametrize(("outcome", "end"), list(product(Outcome, ENDS)))
def test_a_case_ends_only_as_something_in_it_bears_out(outcome: Outcome, end: str) -> None:
    fits = {(Outcome.CONFIRMED, "penalised"), (Outcome.TRANSFERRED, "convicted"), (Outcome.UNFOUNDED, "returned")}
    if (outcome, end) in fits:
        assert decide_closing(CaseState.ACCEPTED, "lead", outcome, [track(True, end)], 0) is CaseState.CLOSED
        return
    with pytest.raises(Refused) as refused:
        decide_closing(CaseState.ACCEPTED, "lead", outcome, [track(True, end)], 0)
    assert refused.value.code == "not-borne-out"
