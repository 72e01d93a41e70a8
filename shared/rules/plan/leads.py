"""What a plan says of leads: when messages about one target meet, and when signals about one place are a gathering."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, model_validator

from shared.rules.plan.parts import Part


class GatheringRule(Part):
    """So many signals (tips) about one building or one estate within so many days are a gathering (聚集, D-M6)."""

    clause: str | None = None
    assumed: bool = False
    building: int = Field(ge=2, le=8)
    estate: int = Field(ge=2, le=8)
    days: int = Field(ge=1, le=365)

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.days)


class MajorRule(Part):
    """Which leads are major (重大线索) and must be verified in the plan's `verification` time (D-Q1.4).

    Any of them is enough: somebody in danger, a gathering, so many tips.
    """

    clause: str | None = None
    assumed: bool = False
    urgent: bool = True
    gathering: bool = True
    tips: int | None = Field(default=None, ge=2, le=1000)

    def causes(self, *, urgent: bool, gathering: bool, tips: int) -> tuple[str, ...]:
        """Why a lead is major: codes in this order, none when it is not."""
        held = (
            ("urgent", self.urgent and urgent),
            ("gathering", self.gathering and gathering),
            ("tips", self.tips is not None and tips >= self.tips),
        )
        return tuple(cause for cause, holds in held if holds)


class LeadRules(Part):
    """Bounds of the score (in percent) that two reports speak of one target, and how long they may lie apart.

    From ``join`` a tip joins a lead by itself, from ``suggest`` an officer is asked; further apart than ``window_days``,
    or after the lead was closed, the target is shown as seen before. ``ring_again_minutes``: so long after the last
    alarm a further urgent tip about the same target rings again instead of only joining.
    """

    clause: str | None = None
    assumed: bool = False
    join: int = Field(default=75, ge=50, le=100)
    suggest: int = Field(default=40, ge=10, le=100)
    window_days: int = Field(default=180, ge=1, le=3650)
    ring_again_minutes: int = Field(default=30, ge=0, le=1440)
    gathering: GatheringRule = GatheringRule(building=3, estate=5, days=30)
    major: MajorRule | None = None

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.window_days)

    @property
    def ring_again(self) -> timedelta:
        return timedelta(minutes=self.ring_again_minutes)

    @model_validator(mode="after")
    def _in_order(self) -> LeadRules:
        if self.suggest >= self.join:
            raise ValueError("suggest 要小于 join / suggest must be below join")
        return self
