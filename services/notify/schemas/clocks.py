"""Bodies of deadlines."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field


class DeadlineOut(BaseModel):
    """A deadline of any service, as its owner last told of it."""

    id: UUID
    plan: str
    agency: str
    unit: str | None
    kind: str
    rule: str
    number: str = Field(description="Of the case, proceeding or document; empty where it has none to be shown")
    matter: str
    matter_id: UUID
    dataref: str
    area: str | None
    urgent: bool
    start: datetime
    due: datetime
    provisional: bool
    standing: Literal["running", "suspended", "missed", "met", "met_late", "cancelled"]
    at: datetime = Field(description="When what holds now happened, by its owner's clock")
    reminded: Literal["none", "soon", "due", "overdue"]
    next_at: datetime | None = Field(description="When the next reminder is due")
    late: bool
