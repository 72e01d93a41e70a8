"""Working days in mainland China (Asia/Shanghai), with holidays and make-up working days.

The base is the `chinesecalendar` package (State Council notices, 2004 to the year it covers); a dated override
table, which an administrator edits, wins over it and can publish a further year. A year without a published
calendar counts Monday to Friday and marks the result provisional: never an exception, never silently wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from importlib.metadata import version as package_version
from pathlib import Path
from zoneinfo import ZoneInfo

from chinese_calendar import constants

from shared.rules.yaml_source import Where, YamlProblem, read_yaml

SHANGHAI = ZoneInfo("Asia/Shanghai")
ONE_DAY = timedelta(days=1)
_REACH_LIMIT = 4000

_BASE_YEARS = frozenset(day.year for day in constants.holidays)


@dataclass(frozen=True, slots=True)
class DayResult:
    """A day that was computed, and whether it rests on a year whose calendar is not yet published."""

    day: date
    provisional: bool


def local_day(moment: datetime) -> date:
    """The calendar day of an aware moment in Asia/Shanghai. Raises `ValueError` for a naive moment."""
    if moment.tzinfo is None:
        raise ValueError("a moment without time zone has no day")
    return moment.astimezone(SHANGHAI).date()


def end_of_day(day: date) -> datetime:
    """The last second of a day in Asia/Shanghai: a period in days runs to the end of its last day."""
    return datetime.combine(day, time(23, 59, 59), SHANGHAI)


class WorkingCalendar:
    """Which days are working days; results are cached, the object never changes after it is made."""

    def __init__(
        self,
        overrides: Mapping[date, bool] | None = None,
        published_years: Iterable[int] = (),
        label: str = "0",
    ) -> None:
        """``overrides``: day → is it a working day; ``published_years``: further years whose notice is loaded."""
        self._overrides = dict(overrides or {})
        self._published = _BASE_YEARS | frozenset(published_years)
        listing = ";".join(f"{d}={int(w)}" for d, w in sorted(self._overrides.items()))
        listing += "|" + ",".join(map(str, sorted(self._published)))
        digest = sha256(listing.encode()).hexdigest()[:8]
        self.version = f"chinesecalendar-{package_version('chinesecalendar')}+{label}.{digest}"
        self._working: dict[date, bool] = {}
        self._added: dict[tuple[date, int], DayResult] = {}

    @classmethod
    def load(cls, path: Path) -> WorkingCalendar:
        """Read an override table (`deploy/law/calendar.yaml`). A missing file means no overrides.

        Raises `YamlProblem` with ``file:line`` for a wrong date or entry.
        """
        if not path.exists():
            return cls()
        source = read_yaml(path, path.name)
        data = source.value if isinstance(source.value, dict) else {}
        days: dict[date, bool] = {}
        for index, entry in enumerate(data.get("days") or []):
            where = source.places.get(("days", index), Where(path.name, 1))
            try:
                day, working = date.fromisoformat(str(entry["day"])), entry["working"]
            except (KeyError, TypeError, ValueError) as error:
                raise YamlProblem(
                    where,
                    "calendar-day",
                    "每一条要有 day（如 2027-02-08）和 working（true 或 false）。",
                    "each entry needs day (2027-02-08) and working (true or false)",
                ) from error
            if not isinstance(working, bool) or day in days:
                raise YamlProblem(
                    where,
                    "calendar-day",
                    "working 只能是 true 或 false，且同一天只写一次。",
                    "working is true or false, and a day is given once",
                )
            days[day] = working
        years = data.get("published_years") or []
        if not all(isinstance(year, int) for year in years):
            raise YamlProblem(
                source.places.get(("published_years",), Where(path.name, 1)),
                "calendar-year",
                "published_years 要写年份，例如 [2027]。",
                "published_years lists years, e.g. [2027]",
            )
        return cls(days, years, str(data.get("version", "0")))

    def published(self, year: int) -> bool:
        """Whether the year's holiday notice is known."""
        return year in self._published

    def is_working(self, day: date) -> bool:
        """Whether a day is worked: override, else published calendar, else Monday to Friday."""
        known = self._working.get(day)
        if known is None:
            known = self._working[day] = self._compute(day)
        return known

    def _compute(self, day: date) -> bool:
        if day in self._overrides:
            return self._overrides[day]
        if day in constants.workdays:
            return True
        if day in constants.holidays or day in constants.in_lieu_days:
            return False
        return day.weekday() < 5

    def add_working_days(self, start: date, n: int) -> DayResult:
        """The n-th working day after ``start``; the start day itself is not counted. ``n`` ≥ 0.

        With ``n`` = 0 the start day comes back unchanged. Raises `ValueError` for a negative or absurd ``n``.
        """
        cached = self._added.get((start, n))
        if cached is not None:
            return cached
        if not 0 <= n <= _REACH_LIMIT:
            raise ValueError(f"working days must be between 0 and {_REACH_LIMIT}")
        day, left = start, n
        while left:
            day += ONE_DAY
            if self.is_working(day):
                left -= 1
        if len(self._added) > 50_000:
            self._added.clear()
        result = self._added[(start, n)] = DayResult(day, self.provisional_between(start, day))
        return result

    def roll_forward(self, day: date) -> DayResult:
        """The day itself when worked, else the next working day (a last day that is a holiday rolls on)."""
        last = day
        while not self.is_working(last):
            last += ONE_DAY
        return DayResult(last, self.provisional_between(day, last))

    def provisional_between(self, first: date, last: date) -> bool:
        """Whether any year touched from ``first`` to ``last`` lacks a published calendar."""
        return any(year not in self._published for year in range(first.year, last.year + 1))
