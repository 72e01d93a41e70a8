"""The states of a verification, over every pair, and when its clock begins."""

from datetime import UTC, datetime, timedelta

import pytest

from services.intake.domain.verification import (
    TRANSITIONS,
    VerificationAct,
    VerificationRefused,
    VerificationState,
    after,
    clock_starts,
)
from shared.rules.plan.leads import MajorRule

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.mark.parametrize("state", VerificationState)
@pytest.mark.parametrize("act", VerificationAct)
def test_every_pair_is_allowed_or_refused_as_the_table_says(state: VerificationState, act: VerificationAct) -> None:
    if (state, act) in TRANSITIONS:
        assert after(state, act) is TRANSITIONS[state, act]
        assert state is not VerificationState.VERIFIED
    else:
        with pytest.raises(VerificationRefused):
            after(state, act)


def test_the_clock_begins_with_the_earliest_cause_and_never_before_receipt() -> None:
    day = timedelta(days=1)
    facts = {"received_at": NOW - 3 * day, "urgent_at": NOW - 2 * day, "gathering_at": NOW - day, "now": NOW}
    assert clock_starts(["tips"], **facts) == NOW
    assert clock_starts(["gathering", "tips"], **facts) == NOW - day
    assert clock_starts(["urgent", "gathering", "tips"], **facts) == NOW - 2 * day
    assert clock_starts(["urgent"], **(facts | {"urgent_at": NOW - 9 * day})) == NOW - 3 * day


def test_the_rule_names_its_causes() -> None:
    rule = MajorRule(tips=5, gathering=False)
    assert rule.causes(urgent=True, gathering=True, tips=5) == ("urgent", "tips")
    assert MajorRule(urgent=False).causes(urgent=True, gathering=False, tips=99) == ()
