"""Spans of days that sums are kept for: years, months, thirds of a month (旬) and days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

DAY, TEN_DAYS, MONTH, YEAR = 0, 1, 2, 3
"""Levels, from the shortest."""

_ONE = timedelta(days=1)

Run = tuple[int, date, date]
"""A level, and the first days of its first and its last span: all spans between them are meant, too."""


def until(level: int, first: date) -> date:
    """The last day of a span that begins on `first`."""
    if level == DAY:
        return first
    if level == TEN_DAYS and first.day < 21:
        return first + timedelta(days=9)
    if level == YEAR:
        return date(first.year, 12, 31)
    if first.month == 12:
        return date(first.year, 12, 31)
    return date(first.year, first.month + 1, 1) - _ONE


def cover(first: date | None, last: date | None) -> tuple[Run, ...]:
    """The fewest spans that are just the days from `first` to `last`; None is without end. Empty for no day."""
    first, last = first or date.min, last or date.max
    runs: list[Run] = []
    for level, begins in _spans(first, last):
        if runs and runs[-1][0] == level:
            runs[-1] = (level, runs[-1][1], begins)
        else:
            runs.append((level, begins, begins))
    return tuple(runs)


def _spans(first: date, last: date) -> Iterator[tuple[int, date]]:
    at = first
    while at <= last:
        level = next(one for one in (YEAR, MONTH, TEN_DAYS, DAY) if _begins(one, at) and until(one, at) <= last)
        if level == YEAR:
            # centuries at once
            yield YEAR, at
            final = last.year if last == date(last.year, 12, 31) else last.year - 1
            yield YEAR, date(final, 1, 1)
            if final == date.max.year:
                return
            at = date(final + 1, 1, 1)
            continue
        yield level, at
        if until(level, at) == date.max:
            return
        at = until(level, at) + _ONE


def _begins(level: int, day: date) -> bool:
    if level == DAY:
        return True
    if level == TEN_DAYS:
        return day.day in (1, 11, 21)
    return day.day == 1 and (level == MONTH or day.month == 1)
