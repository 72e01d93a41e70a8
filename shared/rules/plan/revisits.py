"""What a plan says of looking at cleared dens again (回访): on which days after the clearing."""

from __future__ import annotations

from pydantic import field_validator

from shared.rules.plan.parts import Part


class Revisits(Part):
    """The days after a den was cleared on which its community looks again (X-D9); none: no revisits are planned."""

    clause: str | None = None
    assumed: bool = False
    after_days: tuple[int, ...] = ()

    @field_validator("after_days")
    @classmethod
    def _in_order(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if list(days) != sorted(set(days)) or any(day < 1 or day > 3650 for day in days):
            raise ValueError("天数从小到大、不重复，1 到 3650 / days go up, each once, 1 to 3650")
        return days
