"""The board over many towns and the sketch of one: sums of standings, made ready to be shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.rules.plan import Plan
from shared.rules.plan.sketch import places


@dataclass(slots=True)
class Town:
    """One plan: `item` is what the town itself was given under its rulebook, if towns are scored; `share` how much of
    what was owed was done in time (None: nothing fell due yet)."""

    plan: str
    place: int = 0
    item: Decimal | None = None
    rulebook: str | None = None
    units: int = 0
    in_time: int = 0
    late: int = 0
    lately: Decimal = Decimal(0)
    as_of: datetime | None = None
    counts: dict[str, int] = field(default_factory=dict)
    closed: str | None = None

    @property
    def share(self) -> int | None:
        owed = self.in_time + self.late
        return round(100 * self.in_time / owed) if owed else None

    @property
    def tone(self) -> str:
        """late, good or calm, as the page colours it."""
        if self.share is None and not self.item:
            return "calm"
        return "late" if (self.item or 0) < 0 or (self.share is not None and self.share < 80) else "good"


def towns_of(sums: Iterable[Any], lately: Mapping[tuple[Any, ...], Any]) -> list[Town]:
    """Towns from the sums of their standings by rulebook, best first. What was owed is counted once: where several
    rulebooks value the same acts, by the one that has most of them."""
    found: dict[str, Town] = {}
    most: dict[str, int] = {}
    for row in sums:
        town = found.setdefault(row.plan, Town(row.plan))
        owed = row.in_time + row.late
        if owed >= most.get(row.plan, 0):
            most[row.plan] = owed
            town.in_time, town.late, town.units = row.in_time, row.late, row.units
        if row.towns:
            town.item = (town.item or Decimal(0)) + row.item
            town.rulebook = row.rulebook
        town.as_of = max(one for one in (town.as_of, row.as_of) if one is not None)
    for (plan, _, _, _, kind, _), worth in lately.items():
        if plan in found and (kind == "town") == (found[plan].item is not None):
            found[plan].lately += worth
    return ranked(found.values())


def ranked(towns: Iterable[Town]) -> list[Town]:
    """Best first: by the town's own points, then by what was done in time; equals share a place."""

    def key(one: Town) -> tuple[Decimal, int]:
        return (one.item or Decimal(0), one.share if one.share is not None else 100)

    order = sorted(towns, key=lambda one: (-key(one)[0], -key(one)[1], one.plan))
    for number, town in enumerate(order, 1):
        before = order[number - 2] if number > 1 else None
        town.place = before.place if before and key(before) == key(town) else number
    return order


@dataclass(frozen=True, slots=True)
class Spot:
    """A community on the sketch, with what its own agency stands at."""

    area: str
    agency: str | None
    x: int
    y: int
    points: Decimal | None
    late: int
    tone: str


def spots(plan: Plan, rows: Iterable[Any]) -> list[Spot]:
    """Every community at its place, with the standing of the agency that has it as its own; of several rulebooks'
    standings, their sum."""
    home = {agency.area: agency.id for agency in plan.agencies if agency.kind == "community" and agency.area}
    points: dict[str, Decimal] = {}
    late: dict[str, int] = {}
    for row in rows:
        if row.plan == plan.id and row.subject_kind != "town":
            points[row.agency] = points.get(row.agency, Decimal(0)) + row.points
            late[row.agency] = max(late.get(row.agency, 0), row.late)
    found = []
    for area, (x, y) in places(plan).items():
        agency = home.get(area)
        known = points.get(agency) if agency else None
        tone = "calm" if known is None else "late" if known < 0 else "good"
        found.append(Spot(area, agency if known is not None else None, x, y, known, late.get(agency or "", 0), tone))
    return found
