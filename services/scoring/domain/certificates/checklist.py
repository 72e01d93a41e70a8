"""The checklist of a standard: what each indicator needs, what the figures say, what a person has shown with proof.

A figure that the events give cannot be talked away: a person shows only what no figure tells.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from services.scoring.domain.certificates.figures import FIGURES, Figure, Tally
from services.scoring.domain.rulebooks.parts import Indicator, Needed, Standard

CHINA = ZoneInfo("Asia/Shanghai")

_SOURCE_OF = {
    "survey": "survey", "rentals": "rentals", "patrols": "patrols", "revisits": "revisits", "dens": "dens",
    "relapses": "relapses", "publicity": "publicity", "duties": "duties", "reports": "reports", "meetings": "duties",
    "findings": "findings", "venues": "venues", "cases": "cases",
}  # fmt: skip
"""Word of a rulebook for where evidence comes from → the source whose events are shown."""


class Verdict(StrEnum):
    """What a checklist says of an item. `silent`: no event tells, nor has anyone shown it."""

    MET = "met"
    UNMET = "unmet"
    SHOWN = "shown"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Item:
    """One indicator as it stands now. `value` is its figure, where events give one."""

    id: str
    verdict: Verdict
    veto: bool
    points: Decimal
    value: Decimal | None
    at_least: Decimal | None
    at_most: Decimal | None
    figure: str | None
    sources: tuple[str, ...]

    @property
    def good(self) -> bool:
        return self.verdict in (Verdict.MET, Verdict.SHOWN)

    @property
    def reached(self) -> Decimal:
        """The points it gives now."""
        return self.points if self.good else Decimal(0)


@dataclass(frozen=True, slots=True)
class Checklist:
    """All items of a standard, and whether they add up to it."""

    items: tuple[Item, ...]
    score: Decimal
    pass_mark: Decimal | None

    @property
    def vetoed(self) -> tuple[Item, ...]:
        """Items without which nothing passes, and that are not there."""
        return tuple(item for item in self.items if item.veto and not item.good)

    @property
    def missing(self) -> tuple[Item, ...]:
        """Items that are not there."""
        return tuple(item for item in self.items if not item.good)

    @property
    def passes(self) -> bool:
        if self.vetoed:
            return False
        return not self.missing if self.pass_mark is None else self.score >= self.pass_mark

    def frozen(self) -> list[dict[str, Any]]:
        """As it is kept with an application or a decision."""
        return [
            {
                "id": item.id, "verdict": item.verdict.value, "veto": item.veto, "points": _text(item.points),
                "value": _text(item.value), "at_least": _text(item.at_least), "at_most": _text(item.at_most),
                "figure": item.figure,
            }
            for item in self.items
        ]  # fmt: skip


def figure_of(indicator: Indicator) -> Figure | None:
    """The figure an indicator asks for, where scoring has it."""
    return FIGURES.get(indicator.needs.figure) if indicator.needs is not None else None


def sources_of(indicator: Indicator) -> tuple[str, ...]:
    """Where the events behind an indicator come from: its figure's source first."""
    figure = figure_of(indicator)
    named = [_SOURCE_OF[word] for word in indicator.evidence if word in _SOURCE_OF]
    return tuple(dict.fromkeys(([figure.source] if figure else []) + named))


def since(indicator: Indicator, now: datetime) -> datetime | None:
    """From when on its facts count; None: all."""
    months = indicator.needs.months if indicator.needs is not None else None
    return back(now, months) if months else None


def back(now: datetime, months: int) -> datetime:
    """The same time so many months earlier, in China; the month's last day where it has no such day."""
    local = now.astimezone(CHINA)
    return datetime.combine(shift(local.date(), -months), local.timetz())


def shift(day: date, months: int) -> date:
    """The same day so many months on (or back); the month's last day where it has no such day."""
    whole = day.year * 12 + day.month - 1 + months
    year, month = divmod(whole, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - timedelta(days=1)).day))


def check(
    standard: Standard,
    tallies: Mapping[str, Tally],
    shown: Collection[str],
    more: Mapping[str, Decimal | None] | None = None,
) -> Checklist:
    """The checklist. `tallies` has what the events tell for each indicator; `shown` names items shown by a person;
    `more` has figures that no single event tells (`OTHERS`)."""
    items = tuple(
        _item(indicator, tallies.get(indicator.id, {}), indicator.id in shown, more or {})
        for indicator in standard.indicators
    )
    return Checklist(items, sum((item.reached for item in items), Decimal(0)), standard.pass_mark)


def _item(indicator: Indicator, tally: Tally, shown: bool, more: Mapping[str, Decimal | None]) -> Item:
    needs, figure = indicator.needs, figure_of(indicator)
    value: Decimal | None = None
    if figure is not None:
        value = figure.of(tally)
    elif needs is not None:
        value = more.get(needs.figure)
    if value is not None and needs is not None:
        verdict = Verdict.MET if holds(needs, value) else Verdict.UNMET
    else:
        verdict = Verdict.SHOWN if shown else Verdict.SILENT
    return Item(
        indicator.id, verdict, indicator.veto, indicator.points, value, needs.at_least if needs else None,
        needs.at_most if needs else None, needs.figure if needs else None, sources_of(indicator),
    )  # fmt: skip


def holds(needs: Needed, value: Decimal) -> bool:
    """Whether a figure reaches what is needed."""
    return (needs.at_least is None or value >= needs.at_least) and (needs.at_most is None or value <= needs.at_most)


def watched(standard: Standard, source: str, what: str) -> tuple[Indicator, ...]:
    """The veto indicators that a fact of this source can spoil: it is weighed as soon as it comes."""
    return tuple(
        one
        for one in standard.indicators
        if one.veto and (figure := figure_of(one)) is not None and figure.source == source and what in figure.spoilt_by
    )


def end_of(day: date) -> datetime:
    """The last moment of a China day."""
    return datetime.combine(day, time(23, 59, 59), CHINA)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def next_due(month_day: str, today: date) -> date:
    """The next day (today counts) that is this month and day; 29 February stands for the last of February."""
    month, day = (int(part) for part in month_day.split("-"))
    for year in range(today.year, today.year + 9):
        try:
            due = date(year, month, day)
        except ValueError:
            due = date(year, 3, 1) - timedelta(days=1)
        if due >= today:
            return due
    raise AssertionError(month_day)


def verdicts(frozen: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Item → verdict of a kept checklist."""
    return {one["id"]: one["verdict"] for one in frozen}
