"""What a plan says of messages outside: quiet hours, limits, when a dead target is switched off, and the words."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from string import Formatter
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints, field_validator, model_validator

from shared.rules.plan.parts import Part

CHANNELS_OUT = ("webhook", "email", "dingtalk", "wecom", "feishu", "sms")
_SLOTS = frozenset({"number", "urgency", "link"})
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class Words(Part):
    """The words of a message outside, with the slots {number}, {urgency} and {link} and no others."""

    subject: Sentence = "【打传】{urgency} {number}"
    text: Sentence = "【打传】{urgency}：{number}，请登录签收 {link}"
    urgent: Sentence = "紧急通知"
    normal: Sentence = "通知"
    unnumbered: Sentence = "新事项"

    @field_validator("subject", "text")
    @classmethod
    def _slots(cls, text: str) -> str:
        wrong = "只可用 {number} {urgency} {link} / only the slots {number}, {urgency} and {link}"
        try:
            parts = list(Formatter().parse(text))
        except ValueError as error:
            raise ValueError(wrong) from error
        if any(name is not None and (name not in _SLOTS or spec or way) for _, name, spec, way in parts):
            raise ValueError(wrong)
        return text

    @field_validator("text")
    @classmethod
    def _link(cls, text: str) -> str:
        if "{link}" not in text:
            raise ValueError("正文要含 {link} / the text needs {link}")
        return text


class Quiet(Part):
    """Hours in which nobody is disturbed but for what is urgent: from one time of the day to another, over midnight."""

    starts: str
    ends: str
    channels: tuple[str, ...] = ("dingtalk", "wecom", "feishu", "sms")

    @field_validator("starts", "ends")
    @classmethod
    def _time(cls, text: str) -> str:
        if not _TIME.fullmatch(text):
            raise ValueError("时刻写作 21:30 / a time is written 21:30")
        return text

    @field_validator("channels")
    @classmethod
    def _channels(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [name for name in names if name not in CHANNELS_OUT]
        if wrong:
            raise ValueError(f"没有这种渠道 / no such channel: {wrong[0]}")
        return names

    @model_validator(mode="after")
    def _some(self) -> Quiet:
        if self.starts == self.ends:
            raise ValueError("起止时刻不能相同 / it must not start when it ends")
        return self

    def until(self, channel: str, now: datetime, zone: str) -> datetime | None:
        """When the quiet hours that run now are over; None when none run on this channel."""
        if channel not in self.channels:
            return None
        local = now.astimezone(ZoneInfo(zone))
        first, last = time.fromisoformat(self.starts), time.fromisoformat(self.ends)
        at = local.time().replace(tzinfo=None)
        over_midnight = first > last
        if not (at >= first or at < last if over_midnight else first <= at < last):
            return None
        day = local.date() + timedelta(days=1 if over_midnight and at >= first else 0)
        return datetime.combine(day, last, ZoneInfo(zone)).astimezone(now.tzinfo)


class DeliveryRules(Part):
    """``switch_off_days``: a target that fails so long without a break is switched off and its owner told.

    ``per_minute``: messages a minute to one target of a channel.
    """

    clause: str | None = None
    assumed: bool = False
    quiet: Quiet | None = None
    switch_off_days: int = Field(default=5, ge=1, le=60)
    per_minute: dict[str, Annotated[int, Field(gt=0, le=6000)]] = Field(default_factory=dict)
    words: Words = Words()

    @field_validator("per_minute")
    @classmethod
    def _channels(cls, limits: dict[str, int]) -> dict[str, int]:
        wrong = [name for name in limits if name not in CHANNELS_OUT]
        if wrong:
            raise ValueError(f"没有这种渠道 / no such channel: {wrong[0]}")
        return limits
