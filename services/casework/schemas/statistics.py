"""Bodies of the figures."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field


class FigureOut(BaseModel):
    """One line: `late` has a clock past due with its act open; `acted` has a track, measure, operation or den."""

    code: str
    cases: int
    urgent: int
    late: int
    closed: int
    acted: int
    accepted_median: float | None = Field(description="Hours from the tip to the first acceptance, median")
    accepted_slow: float | None = Field(description="The same, of the slowest tenth")
    acted_median: float | None = Field(description="Hours from the tip to the first action, median (D-M5)")
    acted_slow: float | None = Field(description="The same, of the slowest tenth")


class FiguresOut(BaseModel):
    """Figures of the cases whose tip came in between two days, both inclusive, within the caller's reach."""

    by: Literal["area", "kind", "stage", "month"]
    since: date
    until: date
    items: list[FigureOut]
