"""Bodies of targets outside and what was sent to them."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from services.notify.domain.channels import Channel
from services.notify.domain.circuits import Circuit
from services.notify.schemas.base import Body

Label = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]


class EndpointIn(Body):
    """Where notices of the caller's agency are to be sent."""

    url: str = Field(
        min_length=8,
        max_length=1000,
        description="webhook: an https address; dingtalk, wecom, feishu: the robot's address; email: an e-mail address; "
        "sms: a mobile number",
    )
    channel: Channel = Channel.WEBHOOK
    robot_secret: str | None = Field(default=None, min_length=6, max_length=200, pattern=r"^[A-Za-z0-9_-]+$")
    name: Label | None = None
    unit: str | None = Field(default=None, max_length=48, description="Only what is for this unit or the whole agency")
    urgent_only: bool = False
    per_minute: int | None = Field(default=None, ge=1, le=6000)


class EndpointChange(Body):
    active: bool
    name: Label | None = None
    urgent_only: bool | None = None
    per_minute: int | None = Field(default=None, ge=1, le=6000)


class SecretChange(Body):
    """For so long messages bear the old secret's signature too."""

    overlap_hours: int = Field(default=24, ge=0, le=168)


class ReplayIn(Body):
    """`after`: a cursor of the feed (`/v1/notices`); without one, from the beginning."""

    after: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=200, ge=1, le=1000)
    failed_only: bool = Field(default=False, description="Only what did not arrive")


class ReplayOut(BaseModel):
    queued: int
    next: str | None
    """The cursor to go on from; null when there is no more."""


class EndpointOut(BaseModel):
    id: UUID
    agency: str
    url: str
    active: bool
    failures: int
    paused_until: datetime | None
    created_at: datetime
    version: int
    secret: str | None = None
    """`whsec_…`, only in the answer that made it."""
    channel: Channel = Channel.WEBHOOK
    name: str | None = None
    unit: str | None = None
    urgent_only: bool = False
    per_minute: int | None = None
    circuit: Circuit = Circuit.CLOSED
    not_before: datetime | None = None
    failing_since: datetime | None = None
    last_outcome: str | None = None
    last_delivered_at: datetime | None = None
    off_reason: str | None = Field(default=None, description="owner, gone (the target said so) or dead (failed for days)")
    off_at: datetime | None = None
    old_until: datetime | None = Field(default=None, description="Until when the old secret's signature is sent too")


class DeliveryOut(BaseModel):
    """One message to one target; `id` is its `webhook-id`."""

    id: str
    notice_id: UUID | None
    state: Literal["retrying", "delivered", "failed"]
    attempts: int
    last_outcome: str | None
    created_at: datetime
    next_at: datetime | None
    delivered_at: datetime | None
    urgent: bool = False
    endpoint_id: UUID | None = None


class ChannelFigures(BaseModel):
    """What went out by one channel in a period."""

    channel: Channel
    messages: int
    delivered: int
    waiting: int
    failed: int
    outcomes: dict[str, int]
    """Messages by their last outcome."""


class FiguresOut(BaseModel):
    first_day: date
    last_day: date
    channels: list[ChannelFigures]
