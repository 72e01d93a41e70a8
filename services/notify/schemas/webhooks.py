"""Bodies of webhook targets and what was sent to them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.notify.schemas.base import Body


class EndpointIn(Body):
    """Where notices of the caller's agency are to be sent."""

    url: str = Field(min_length=8, max_length=1000)


class EndpointChange(Body):
    active: bool


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
