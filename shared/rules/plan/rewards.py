"""What a plan says of informant rewards (举报奖励): schemes as dated data, whose numbers stand in the law files or here."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from shared.rules.law import Limit, Text
from shared.rules.plan.dates import FromDate, ToDate
from shared.rules.plan.parts import Code, Id, Named, Part


class RewardLevel(Part):
    """One level of a scheme: which share of what was fined and confiscated, at least how much, and for what.

    ``percent`` and ``floor`` name lines of the law files or of `Rewards.limits`.
    """

    id: Id
    name: Text
    when: Text
    percent: Code
    floor: Code | None = None


class RewardScheme(Named):
    """A way to reckon a reward, in force from a day to a day (both inclusive; empty = open).

    ``percent`` takes a share of fines and confiscated money by level; ``per_den`` an amount for each den that was
    found. ``cap`` bounds the reward of one case; from ``settle_with_finance`` on, the sum is settled with the
    finance office of the same level first.
    """

    kind: Literal["percent", "per_den"]
    first: FromDate | None = Field(default=None, alias="from")
    last: ToDate | None = Field(default=None, alias="to")
    levels: tuple[RewardLevel, ...] = ()
    amount: Code | None = None
    cap: Code | None = None
    settle_with_finance: Code | None = None

    @model_validator(mode="after")
    def _reckonable(self) -> RewardScheme:
        if (self.kind == "percent") != bool(self.levels) or (self.kind == "per_den") != (self.amount is not None):
            raise ValueError(
                "percent 要写 levels，per_den 要写 amount，不能混写 / percent needs levels, per_den needs amount"
            )
        return self

    def covers(self, day: date) -> bool:
        """Whether the scheme is in force on a day."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def level(self, level_id: str | None) -> RewardLevel | None:
        """The level with this id, or None."""
        return next((level for level in self.levels if level.id == level_id), None)

    @property
    def rules(self) -> tuple[str, ...]:
        """Every number the scheme needs, by rule id."""
        named = [self.amount, self.cap, self.settle_with_finance]
        for level in self.levels:
            named += [level.percent, level.floor]
        return tuple(rule for rule in named if rule)


class Rewards(Part):
    """Schemes and what goes with them.

    ``channels``: the ways by which natural persons report; what patrols and offices bring is not rewarded.
    ``same_time_seconds``: reports so close to the earliest count as simultaneous. ``one_scheme``: a matter is
    rewarded under one scheme only. ``payout_days``: how long a payout token is good. ``warn_below_percent``: the
    shortfall warning comes when less than this share of the year's budget would be left.
    """

    clause: str | None = None
    channels: tuple[Code, ...] = ()
    same_time_seconds: int = Field(default=0, ge=0)
    one_scheme: bool = True
    payout_days: int = Field(default=30, gt=0)
    warn_below_percent: int = Field(default=20, ge=0, le=100)
    where_to_collect: Text | None = None
    assumed: bool = False
    schemes: tuple[RewardScheme, ...] = ()
    limits: tuple[Limit, ...] = ()

    def scheme(self, scheme_id: str) -> RewardScheme | None:
        """The scheme with this id, or None."""
        return next((scheme for scheme in self.schemes if scheme.id == scheme_id), None)

    def in_force(self, day: date) -> tuple[RewardScheme, ...]:
        """The schemes in force on a day."""
        return tuple(scheme for scheme in self.schemes if scheme.covers(day))
