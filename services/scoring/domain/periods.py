"""Periods of assessment: a year, a quarter or a month of China days, and what is frozen when one is closed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

CHINA = ZoneInfo("Asia/Shanghai")
_LABEL = re.compile(r"(?P<year>20\d\d)(?:-Q(?P<quarter>[1-4])|-(?P<month>0[1-9]|1[0-2]))?")
PATTERN = r"^20\d\d(-Q[1-4]|-(0[1-9]|1[0-2]))?$"


class NoPeriod(ValueError):
    """A text that names no period."""


@dataclass(frozen=True, slots=True)
class Period:
    """A span of China days, both ends inclusive."""

    label: str
    first: date
    last: date

    def over(self, now: datetime) -> bool:
        """Whether its last day has passed in China."""
        return now.astimezone(CHINA).date() > self.last


def period_of(label: str) -> Period:
    """The period a label names: `2026`, `2026-Q4` or `2026-11`. Raises `NoPeriod`."""
    found = _LABEL.fullmatch(label)
    if found is None:
        raise NoPeriod(label)
    year = int(found["year"])
    if found["month"]:
        month, length = int(found["month"]), 1
    elif found["quarter"]:
        month, length = int(found["quarter"]) * 3 - 2, 3
    else:
        month, length = 1, 12
    after = month + length
    following = date(year + (after > 12), after - 12 if after > 12 else after, 1)
    return Period(label, date(year, month, 1), following - timedelta(days=1))


def frozen(plan: str, period: Period, closed_at: datetime, seq: int, entries: int, standings: Iterable[Any]) -> bytes:
    """The document of a closed period: the same standings give the same bytes."""
    rows = [
        {
            "rulebook": one.rulebook,
            "agency": one.agency,
            "unit": one.unit,
            "scored_kind": one.subject_kind,
            "scored": one.subject,
            "points": str(one.points),
            "entries": one.entries,
            "in_time": one.in_time,
            "late": one.late,
            "as_of": one.as_of,
        }
        for one in standings
    ]
    rows.sort(key=lambda row: (row["rulebook"], row["agency"], row["unit"] or "", row["scored_kind"], row["scored"]))
    return orjson.dumps(
        {
            "format": "dachuan-period/1",
            "plan": plan,
            "period": period.label,
            "first": period.first,
            "last": period.last,
            "closed_at": closed_at,
            "seq": seq,
            "entries": entries,
            "standings": rows,
        },
        option=orjson.OPT_UTC_Z | orjson.OPT_SORT_KEYS,
    )
