"""The states of a finding: one table, tried over every pair."""

import itertools

import pytest

from services.scoring.domain.findings import (
    COUNTS,
    OPEN,
    TRANSITIONS,
    WAITING,
    FindingRefused,
    FindingState,
    FindingStep,
    after,
)

S, T = FindingState, FindingStep
ALLOWED = {
    (S.PROPOSED, T.ANSWER): S.PROPOSED,
    (S.PROPOSED, T.CONFIRM): S.CONFIRMED,
    (S.PROPOSED, T.REJECT): S.REJECTED,
    (S.PROPOSED, T.LEAVE): S.LEFT,
    (S.PROPOSED, T.LAPSE): S.LAPSED,
    (S.LEFT, T.ANSWER): S.LEFT,
    (S.LEFT, T.CONFIRM): S.CONFIRMED,
    (S.LEFT, T.REJECT): S.REJECTED,
    (S.LEFT, T.LAPSE): S.LAPSED,
    (S.LAPSED, T.REVIVE): S.PROPOSED,
    (S.CONFIRMED, T.APPEAL): S.APPEALED,
    (S.APPEALED, T.UPHOLD): S.UPHELD,
    (S.APPEALED, T.OVERTURN): S.OVERTURNED,
}


@pytest.mark.parametrize(("state", "step"), list(itertools.product(FindingState, FindingStep)))
def test_every_pair_of_state_and_step(state: FindingState, step: FindingStep) -> None:
    """D-Q1: confirmed by a person, open to one appeal; what is decided is decided."""
    if (state, step) in ALLOWED:
        assert after(state, step) is ALLOWED[state, step]
    else:
        with pytest.raises(FindingRefused):
            after(state, step)


def test_the_table_has_no_other_pairs_and_every_state_is_reached() -> None:
    assert ALLOWED == TRANSITIONS
    reached = {S.PROPOSED}
    while more := {to for (state, _), to in TRANSITIONS.items() if state in reached} - reached:
        reached |= more
    assert reached == set(FindingState)


def test_what_counts_has_been_confirmed_and_not_taken_back() -> None:
    assert not set(COUNTS) & {*OPEN, S.REJECTED, S.OVERTURNED, S.LAPSED}
    assert set(WAITING) == {*OPEN, S.APPEALED}
