"""Bodies of major cases."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Count = Field(0, ge=0, le=10_000_000)


class MajorFactsIn(BaseModel):
    """What became known of a case. `declared`: the agency holds it to be major, whatever the figures."""

    model_config = ConfigDict(extra="forbid")

    persons: int = Count
    levels: int = Field(0, ge=0, le=1000)
    amount: int = Field(0, ge=0, le=10_000_000_000_000, description="Yuan")
    deaths: int = Count
    injured: int = Count
    minors: int = Count
    confined: int = Count
    media: int = Field(0, ge=0, le=1, description="1: shown by media")
    declared: bool = False
    known_at: AwareDatetime


class BoundOut(BaseModel):
    """A bound of the plan, what is known, and whether it is reached."""

    fact: str
    at_least: int
    known: int
    reached: bool
    assumed: bool
    clause: str | None


class NoteOut(BaseModel):
    """Who said what when; `source`: officer, incident, downline, …"""

    source: str
    facts: dict[str, int]
    known_at: datetime
    at: datetime
    agency: str | None


class MajorOut(BaseModel):
    """Whether a case is major, by which bounds, since when, and the report that is due."""

    case_id: UUID
    major: bool
    because: list[str]
    major_since: datetime | None
    report_id: UUID | None
    report_state: str | None
    report_late: bool
    rule: Literal["plan.major_report"] = "plan.major_report"
    bounds: list[BoundOut]
    notes: list[NoteOut]
