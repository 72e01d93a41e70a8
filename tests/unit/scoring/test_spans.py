"""Spans of days that sums are kept for."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from services.scoring.domain.spans import DAY, MONTH, TEN_DAYS, YEAR, Run, cover, until

_ONE = timedelta(days=1)


def days(runs: tuple[Run, ...]) -> list[date]:
    """All days of all spans of these runs, in order."""
    found = []
    for level, first, last in runs:
        at = first
        while at <= last:
            end = until(level, at)
            while at <= end:
                found.append(at)
                at += _ONE
    return found


def test_spans_cover_each_day_once_and_no_other() -> None:
    chance = random.Random(3)
    for _ in range(200):
        first = date(2023, 1, 1) + timedelta(days=chance.randrange(1200))
        last = first + timedelta(days=chance.choice((0, 1, 9, 30, 365, 800)))
        runs = cover(first, last)
        assert days(runs) == [first + timedelta(days=n) for n in range((last - first).days + 1)]
        assert len(runs) <= 7


@pytest.mark.parametrize(
    ("first", "last", "runs"),
    [
        (date(2026, 1, 1), date(2026, 12, 31), ((YEAR, date(2026, 1, 1), date(2026, 1, 1)),)),
        (date(2026, 4, 1), date(2026, 6, 30), ((MONTH, date(2026, 4, 1), date(2026, 6, 1)),)),
        (date(2028, 2, 21), date(2028, 2, 29), ((TEN_DAYS, date(2028, 2, 21), date(2028, 2, 21)),)),
        (date(2026, 2, 21), date(2026, 2, 27), ((DAY, date(2026, 2, 21), date(2026, 2, 27)),)),
        (date(2026, 2, 2), date(2026, 2, 1), ()),
        (None, date(2026, 1, 2), ((YEAR, date.min, date(2025, 1, 1)), (DAY, date(2026, 1, 1), date(2026, 1, 2)))),
        (date(2026, 12, 31), None, ((DAY, date(2026, 12, 31), date(2026, 12, 31)), (YEAR, date(2027, 1, 1), date(9999, 1, 1)))),
        (None, None, ((YEAR, date.min, date(9999, 1, 1)),)),
    ],
)  # fmt: skip
def test_the_longest_spans_are_taken(first: date | None, last: date | None, runs: tuple[Run, ...]) -> None:
    assert cover(first, last) == runs
