"""HTTP bodies of verifying leads."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class VerificationIn(BaseModel):
    """What the verification found; `note` is kept sealed."""

    model_config = ConfigDict(extra="forbid")

    outcome: Literal["founded", "unfounded", "inconclusive"]
    note: str = Field(default="", max_length=2000)


class VerificationOut(BaseModel):
    """Where the verification of a lead stands. `major`: the plan's rule asks for it, with a clock.

    `late`: it is or was past due. `version` is 0 for a lead that nobody has to verify and nobody has verified.
    """

    lead_id: UUID
    major: bool
    causes: list[str]
    state: Literal["none", "waiting", "missed", "verified"]
    rule: str | None
    article: str | None
    certainty: str | None
    start: datetime | None
    due: datetime | None
    provisional: bool
    late: bool
    outcome: str | None
    in_time: bool | None
    verified_at: datetime | None
    verified_agency: str | None
    version: int


class VerificationItem(VerificationOut):
    """A line of the list: with its lead's place and agency."""

    plan: str
    area: str | None
    agency: str
    unit: str | None
    urgent: bool
