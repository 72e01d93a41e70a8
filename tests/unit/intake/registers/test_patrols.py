"""A task's states over every pair; which moment of a check-in counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest

from services.intake.domain.registers.patrols import (
    TRANSITIONS,
    Act,
    Result,
    TaskState,
    act_of,
    counted,
    decide,
    in_time,
)

GRACE = timedelta(hours=72)
NOW = datetime(2026, 11, 30, 16, 30, tzinfo=UTC)
"""Half past midnight of 1 December in China."""


@pytest.mark.parametrize(("state", "act"), list(product(TaskState, Act)))
def test_every_pair_is_decided(state: TaskState, act: Act) -> None:
    after = decide(state, act)
    assert after == TRANSITIONS.get((state, act))
    if state in (TaskState.DONE, TaskState.DROPPED):
        assert after is None, "what is finished stays finished"
    elif act is Act.COMPLETE:
        assert after is TaskState.DONE
    elif act is Act.MISS_OUT:
        assert after is state, "nobody at home: the patrol is still owed"
    elif act is Act.GO_LATE:
        assert after is TaskState.OVERDUE


def test_only_nobody_at_home_leaves_the_patrol_owed() -> None:
    assert {result for result in Result if act_of(result) is Act.MISS_OUT} == {Result.NOT_HOME}


def test_the_phones_moment_counts_within_reason() -> None:
    earlier = NOW - timedelta(hours=5)
    assert counted(earlier, NOW, GRACE).at == earlier
    assert counted(None, NOW, GRACE).at == NOW
    late = counted(NOW - GRACE - timedelta(seconds=1), NOW, GRACE)
    assert late.at == NOW and not late.trusted
    ahead = counted(NOW + timedelta(hours=1), NOW, GRACE)
    assert ahead.at == NOW and not ahead.trusted
    assert counted(NOW + timedelta(minutes=1), NOW, GRACE).trusted, "a clock a minute ahead is a clock, not a lie"


def test_a_due_day_ends_at_midnight_in_china() -> None:
    assert not in_time(NOW, date(2026, 11, 30))
    assert in_time(NOW - timedelta(minutes=31), date(2026, 11, 30))
