"""What a plan says of major cases (重特大案件): from which facts on a case is reported upward within hours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from shared.rules.plan.parts import Part

MAJOR_FACTS = ("persons", "levels", "amount", "deaths", "injured", "minors", "confined", "media")
"""Facts that can make a case major: 人数, 层级, 涉案金额（元）, 死亡, 受伤, 未成年人和学生, 被限制人身自由, 媒体曝光."""

Fact = Literal["persons", "levels", "amount", "deaths", "injured", "minors", "confined", "media"]


class Bound(Part):
    """A case is major from so many on (inclusive), on days from `effective_from` to `effective_to` (inclusive)."""

    fact: Fact
    at_least: int = Field(ge=1, le=10_000_000_000)
    clause: str | None = None
    assumed: bool = False
    effective_from: date | None = Field(default=None, alias="from")
    effective_to: date | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.effective_from and self.effective_to and self.effective_to < self.effective_from:
            raise ValueError("to 不能早于 from / to cannot lie before from")
        return self

    def governs(self, day: date) -> bool:
        """Whether the bound is in force on a day."""
        after = self.effective_from is None or self.effective_from <= day
        return after and (self.effective_to is None or day <= self.effective_to)


class MajorRules(Part):
    """The bounds; any one is enough. Without bounds no case is major by itself, only where an agency holds it so."""

    clause: str | None = None
    assumed: bool = False
    note: str | None = None
    bounds: tuple[Bound, ...] = ()

    def reached(self, facts: Mapping[str, int], day: date) -> tuple[str, ...]:
        """The facts whose bound of that day is reached, in the order of `MAJOR_FACTS`."""
        held = {one.fact for one in self.bounds if one.governs(day) and facts.get(one.fact, 0) >= one.at_least}
        return tuple(fact for fact in MAJOR_FACTS if fact in held)
