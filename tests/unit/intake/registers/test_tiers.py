"""The patrol calendar: half months, months, two months, their ends, and which window is the first."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from services.intake.domain.registers.tiers import (
    Window,
    den_tier,
    first_window,
    passed,
    tier_of,
    usual_tier,
    window,
)
from shared.rules.law import LawBook
from shared.rules.plan import Plan, load_plans
from shared.rules.plan.parts import Interval

ROOT = Path(__file__).resolve().parents[4]
HALF, MONTH, TWO = Interval(half_months=1), Interval(months=1), Interval(months=2)


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    law = LawBook.load(ROOT / "deploy" / "law")
    return load_plans(ROOT / "deploy" / "plans", ["dayong", "xiyuan"], law)


@pytest.mark.parametrize(
    ("every", "day", "first", "last"),
    [
        (HALF, date(2026, 2, 1), date(2026, 2, 1), date(2026, 2, 15)),
        (HALF, date(2026, 2, 15), date(2026, 2, 1), date(2026, 2, 15)),
        (HALF, date(2026, 2, 16), date(2026, 2, 16), date(2026, 2, 28)),
        (HALF, date(2028, 2, 29), date(2028, 2, 16), date(2028, 2, 29)),
        (HALF, date(2026, 12, 31), date(2026, 12, 16), date(2026, 12, 31)),
        (MONTH, date(2026, 4, 30), date(2026, 4, 1), date(2026, 4, 30)),
        (MONTH, date(2026, 12, 1), date(2026, 12, 1), date(2026, 12, 31)),
        (TWO, date(2026, 1, 31), date(2026, 1, 1), date(2026, 2, 28)),
        (TWO, date(2026, 12, 31), date(2026, 11, 1), date(2026, 12, 31)),
        (Interval(half_months=3), date(2026, 2, 20), date(2026, 2, 16), date(2026, 3, 31)),
        (Interval(weeks=1), date(2026, 11, 22), date(2026, 11, 16), date(2026, 11, 22)),
        (Interval(weeks=1), date(2026, 11, 23), date(2026, 11, 23), date(2026, 11, 29)),
        (Interval(days=1), date(2026, 11, 23), date(2026, 11, 23), date(2026, 11, 23)),
    ],
)
def test_the_window_a_day_lies_in(every: Interval, day: date, first: date, last: date) -> None:
    assert window(every, day) == Window(first, last)


@pytest.mark.parametrize("every", [HALF, MONTH, TWO, Interval(weeks=2), Interval(days=10), Interval(half_months=5)])
def test_windows_leave_no_day_out_and_share_none(every: Interval) -> None:
    day, seen = date(2026, 1, 1), window(every, date(2026, 1, 1))
    for _ in range(1200):
        now = window(every, day)
        assert now.first <= day <= now.last
        if now != seen:
            assert now.first == seen.last + timedelta(days=1) == day
            seen = now
        day += timedelta(days=1)


def test_nobody_is_late_on_the_day_the_work_arises() -> None:
    assert first_window(HALF, date(2026, 11, 14)).last == date(2026, 11, 15)
    assert first_window(HALF, date(2026, 11, 15)).last == date(2026, 11, 30)
    assert first_window(MONTH, date(2026, 12, 31)).last == date(2027, 1, 31)


def test_windows_that_passed_are_counted_one_by_one() -> None:
    assert passed(HALF, date(2026, 1, 31), date(2026, 1, 31)) == (0, date(2026, 1, 31))
    assert passed(HALF, date(2026, 1, 31), date(2026, 2, 1)) == (1, date(2026, 2, 15))
    assert passed(HALF, date(2026, 1, 31), date(2026, 3, 1)) == (3, date(2026, 3, 15))
    assert passed(TWO, date(2026, 2, 28), date(2027, 1, 1)) == (6, date(2027, 2, 28))


def test_the_tiers_are_the_plans(plans: dict[str, Plan]) -> None:
    dayong = plans["dayong"]
    usual, den = usual_tier(dayong), den_tier(dayong)
    assert usual is not None and usual.name.zh == "一般户"
    assert den is not None and den.name.zh == "重点户" and den.every == HALF
    assert tier_of(dayong, "放心户") == tier_of(dayong, "trusted")
    assert tier_of(dayong, "甲等") is None and tier_of(dayong, None) is None
    assert usual_tier(plans["xiyuan"]) is None and den_tier(plans["xiyuan"]) is None
