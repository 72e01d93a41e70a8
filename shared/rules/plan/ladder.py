"""What a plan says of notices nobody signs (the ladder), and of reminders: when, how long before, the day's digest."""

from __future__ import annotations

import re
from datetime import time
from typing import Literal

from pydantic import Field, field_validator, model_validator

from shared.rules.plan.parts import Code, Id, Part

RUNGS = ("deputy", "head", "office", "leading_group")
"""From the addressee's own deputy to the leading group; a plan may leave rungs out, never change their order."""

_HELD_BY_POST = ("head", "leading_group")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


class Rung(Part):
    """One step up: how long the one below has to sign (``rule``, and ``urgent`` for a held person), and to which post."""

    to: Literal["deputy", "head", "office", "leading_group"]
    rule: Code
    urgent: Code | None = None
    post: Id | None = None

    @model_validator(mode="after")
    def _post(self) -> Rung:
        if (self.post is None) == (self.to in _HELD_BY_POST):
            raise ValueError(
                "head 和 leading_group 要写 post（哪个岗位），deputy 和 office 不写"
                " / head and leading_group name their post, deputy and office do not"
            )
        return self


class LadderRules(Part):
    """``desk``: the post that answers for what is sent to a unit or agency; its deputy is the first rung."""

    clause: str | None = None
    assumed: bool = False
    desk: Id
    rungs: tuple[Rung, ...] = Field(min_length=1)


class Reminders(Part):
    """When clocks of all services are reminded of, each time in China time and on working days.

    ``soon_days``: working days before the last day; a clock of at most ``short_hours`` is reminded of when
    ``soon_percent`` of its time is left, and one shorter than ``least_minutes`` not at all before it is over.
    ``at``: the hour of reminders that are bound to a day, and of the digest.
    """

    clause: str | None = None
    assumed: bool = False
    at: str = "08:30"
    soon_days: int = Field(default=1, ge=0, le=30)
    short_hours: int = Field(default=48, ge=0, le=240)
    soon_percent: int = Field(default=25, ge=1, le=90)
    least_minutes: int = Field(default=60, ge=0, le=1440)
    overdue_after_minutes: int = Field(default=10, ge=0, le=1440)
    digest: bool = True

    @field_validator("at")
    @classmethod
    def _time(cls, text: str) -> str:
        if not _TIME.fullmatch(text):
            raise ValueError("时刻写作 08:30 / a time is written 08:30")
        return text

    @property
    def hour(self) -> time:
        return time.fromisoformat(self.at)
