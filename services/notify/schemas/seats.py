"""Bodies of seats, leave and contacts."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.notify.schemas.base import Body, Code


class HolderOut(BaseModel):
    """Who holds a post, and who stands in while they are away."""

    account_id: UUID
    display: str
    away_from: date | None
    away_to: date | None
    instead: str | None


class SeatOut(BaseModel):
    """A post in an agency or unit."""

    agency: str
    unit: str | None
    post: str
    holders: list[HolderOut]
    deputy_id: UUID | None
    deputy: str | None
    manned: bool = Field(description="Whether somebody reads by now what is sent to the post")
    version: int = Field(description="0: it has never had a deputy")


class SeatIn(Body):
    """The standing deputy of a seat; none: nobody stands in."""

    agency: Code
    unit: Code | None = None
    post: Code
    deputy_id: UUID | None = None


class SeatSet(BaseModel):
    agency: str
    unit: str | None
    post: str
    deputy_id: UUID | None
    version: int


class LeaveIn(Body):
    """An officer is away, both days included; without a deputy, the standing deputies of their seats stand in."""

    account_id: UUID
    deputy_id: UUID | None = None
    first_day: date
    last_day: date


class LeaveOut(BaseModel):
    id: UUID
    account_id: UUID
    deputy_id: UUID | None
    first_day: date
    last_day: date
    cancelled_at: datetime | None
    version: int


class ContactIn(Body):
    """A number or address; none takes it off the list."""

    address: str | None = Field(default=None, max_length=254)


class ContactOut(BaseModel):
    kind: Literal["mobile", "phone", "email"]
    address: str | None
    version: int


class OfficerOut(BaseModel):
    """An officer's card: posts, leave, and how they are reached."""

    account_id: UUID
    display: str
    agency: str
    unit: str | None
    posts: list[str]
    leaves: list[LeaveOut]
    contacts: list[ContactOut]
