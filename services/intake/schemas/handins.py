"""What an outside system is answered about the items it handed in."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from services.intake.schemas.tips import TipOut, Words


class HandinRow(BaseModel):
    """What became of one item of a request."""

    index: int
    external_ref: str | None
    status: Literal["created", "replayed", "rejected"]
    tip: TipOut | None = None
    problem: dict[str, object] | None = None


class HandinOut(BaseModel):
    """The receipt of an exchange: what was sent, and what became of each item."""

    exchange_id: UUID | None
    created: int
    replayed: int
    rejected: int
    body_sha256: str
    rows: list[HandinRow]


class ExchangeOut(BaseModel):
    """One earlier exchange."""

    exchange_id: UUID
    format: str
    items: int
    created: int
    replayed: int
    rejected: int
    at: datetime


class FeedbackOut(BaseModel):
    """How one item stands. `version` changes when anything of it does."""

    tip_id: UUID
    external_ref: str
    dispatched_by: str | None
    dispatch_no: str | None
    format: str
    received_at: datetime
    state: str
    agency: str | None
    unit: str | None
    closed: bool
    words: Words
    version: str
