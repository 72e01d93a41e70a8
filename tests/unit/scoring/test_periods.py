"""Periods: which China days a label means, and when one is over."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, date, datetime, timedelta

import pytest

from services.scoring.domain.periods import PATTERN, NoPeriod, period_of


@pytest.mark.parametrize(
    ("label", "first", "last"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
    ],
)
def test_a_label_names_days(label: str, first: date, last: date) -> None:
    found = period_of(label)
    assert (found.first, found.last) == (first, last)
    assert re.fullmatch(PATTERN, label)


@pytest.mark.parametrize("label", ["", "26", "2026-13", "2026-00", "2026-Q5", "2026-Q0", "2026-1", "1999", "2026-01-01", "２０２６"])
def test_other_labels_name_none(label: str) -> None:
    with pytest.raises(NoPeriod):
        period_of(label)


def test_a_period_is_over_at_midnight_in_china() -> None:
    march = period_of("2026-03")
    midnight = datetime(2026, 3, 31, 16, 0, tzinfo=UTC)
    assert not march.over(midnight - timedelta(microseconds=1))
    assert march.over(midnight)


def test_twelve_months_are_four_quarters_are_a_year() -> None:
    year = period_of("2027")
    for parts in ([f"2027-{n:02d}" for n in range(1, 13)], [f"2027-Q{n}" for n in range(1, 5)]):
        found = [period_of(one) for one in parts]
        assert found[0].first == year.first and found[-1].last == year.last
        assert all(a.last + timedelta(days=1) == b.first for a, b in itertools.pairwise(found))
