"""The state machines of cases and parties, over every allowed and every forbidden pair."""

from __future__ import annotations

from itertools import product

import pytest

from services.casework.domain.states import (
    CASE_TRANSITIONS,
    PARTY_TRANSITIONS,
    CaseAction,
    CaseState,
    PartyAction,
    PartyState,
    TransitionRefused,
    next_case_state,
    next_party_state,
)

ALLOWED_CASE = {
    ("opened", "accept_part"): "opened",
    ("opened", "accept_last"): "accepted",
    ("opened", "join"): "opened",
    ("accepted", "join"): "opened",
    ("opened", "leave_part"): "opened",
    ("opened", "leave_last"): "accepted",
    ("accepted", "leave_last"): "accepted",
    ("opened", "leave_all"): "closed",
    ("accepted", "leave_all"): "closed",
    ("opened", "reopen"): "opened",
    ("accepted", "reopen"): "opened",
    ("closed", "reopen"): "opened",
    ("accepted", "close"): "closed",
    ("closed", "take_up"): "accepted",
}
ALLOWED_PARTY = {
    ("pending", "accept"): "accepted",
    ("pending", "hand_over"): "handed_over",
    ("accepted", "hand_over"): "handed_over",
    ("pending", "decline"): "declined",
    ("handed_over", "join"): "pending",
    ("declined", "join"): "pending",
}


@pytest.mark.parametrize(("state", "action"), list(product(CaseState, CaseAction)))
def test_every_pair_of_case_state_and_action(state: CaseState, action: CaseAction) -> None:
    expected = ALLOWED_CASE.get((state.value, action.value))
    if expected is None:
        with pytest.raises(TransitionRefused, match=f"{state}.*{action}"):
            next_case_state(state, action)
    else:
        assert next_case_state(state, action) == expected


@pytest.mark.parametrize(("state", "action"), list(product(PartyState, PartyAction)))
def test_every_pair_of_party_state_and_action(state: PartyState, action: PartyAction) -> None:
    expected = ALLOWED_PARTY.get((state.value, action.value))
    if expected is None:
        with pytest.raises(TransitionRefused):
            next_party_state(state, action)
    else:
        assert next_party_state(state, action) == expected


def test_every_state_is_reached_and_a_closed_case_only_opens_again() -> None:
    reached = {CaseState.OPENED} | set(CASE_TRANSITIONS.values())
    assert reached == set(CaseState)
    assert [pair[1] for pair in CASE_TRANSITIONS if pair[0] is CaseState.CLOSED] == [
        CaseAction.REOPEN,
        CaseAction.TAKE_UP,
    ]
    assert {PartyState.PENDING} | set(PARTY_TRANSITIONS.values()) == set(PartyState)
