"""The board's map sketch: where each area stands and how it is doing; drawn by the server, not to scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.rules.plan import Plan
from shared.rules.plan.sketch import HEIGHT, WIDTH, places

__all__ = ["HEIGHT", "WIDTH", "Doing", "Spot", "spots"]


class Doing(Protocol):
    """How an area is doing."""

    @property
    def missing(self) -> int: ...
    @property
    def done(self) -> int: ...
    @property
    def open(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Spot:
    """An area on the sketch, in the units of its view box. `tone`: late, good, or calm where nothing was due yet."""

    area: str
    x: int
    y: int
    missing: int
    done: int
    tone: str


def spots(plan: Plan, doing: Mapping[str, Doing]) -> list[Spot]:
    """Each community at its place of the plan's map; those without one in a circle."""
    placed = places(plan)
    found = []
    for area in plan.communities:
        x, y = placed[area.id]
        one = doing.get(area.id)
        missing, done = (one.missing, one.done) if one else (0, 0)
        tone = "late" if missing else "good" if done else "calm"
        found.append(Spot(area.id, x, y, missing, done, tone))
    return found
