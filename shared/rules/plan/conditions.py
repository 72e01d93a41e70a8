"""What a plan says of findings (认定): from which facts on a condition is proposed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.rules.plan.parts import Part


class GraveBounds(Part):
    """When an incident is one of confinement, injury or death with grave effect (D-Q1.2).

    Any of `what`, or as many `deaths`, `injured` or `confined`; and an `influence` of these.
    """

    what: tuple[str, ...] = ("confinement", "death", "injury")
    deaths: int = Field(default=1, ge=1)
    injured: int = Field(default=1, ge=1)
    confined: int = Field(default=1, ge=1)
    influence: tuple[Literal["local", "town", "media", "serious"], ...] = ("media", "serious")
    assumed: bool = True


class FindingRules(Part):
    """Bounds of the detectors, all assumed unless the plan says otherwise.

    How long a unit may answer and appeal stands in the rulebook (`procedure`). `refusals` None: as many as bring a
    handover before the office. `patrols` 0: none is proposed.
    """

    clause: str | None = None
    assumed: bool = True
    note: str | None = None
    rescue_clocks: tuple[str, ...] = ("accept", "answer", "again")
    order_clocks: tuple[str, ...] = ("reply", "period", "rectify")
    grave: GraveBounds = GraveBounds()
    refusals: int | None = Field(default=None, ge=1, le=20)
    patrols: int = Field(default=2, ge=0, le=100)
    late_records: int = Field(default=1, ge=1, le=10_000)
