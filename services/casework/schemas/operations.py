"""Bodies of joint operations."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.casework.schemas.cases import Words

EntryKind = Literal["place", "den", "persons", "items"]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class MemberIn(_In):
    """Who is let into an operation: all that is given must fit (an agency, its unit, a post, one account)."""

    agency: str | None = Field(None, max_length=48)
    unit: str | None = Field(None, max_length=48)
    post: str | None = Field(None, max_length=48)
    principal: str | None = Field(None, max_length=80, description="An account's id, never a name")


class ForceIn(_In):
    """A force: how many people and vehicles of which agency and unit, for what, and where they meet."""

    agency: str = Field(max_length=48)
    unit: str | None = Field(None, max_length=48)
    people: int = Field(ge=1, le=5000)
    vehicles: int = Field(0, ge=0, le=500)
    task: str | None = Field(None, max_length=2000)
    meeting_point: str | None = Field(None, max_length=300)


class PresenceIn(_In):
    """How many of a force are at the meeting point."""

    force_id: UUID
    people: int = Field(ge=0, le=5000)


class EntryIn(_In):
    """A result from the scene. `counts` by the names that the kind has; a den closed needs its force and its place."""

    kind: EntryKind
    at: AwareDatetime
    counts: dict[str, int] = Field(default_factory=dict, max_length=20)
    force_id: UUID | None = None
    area: str | None = Field(None, max_length=48)
    place: str | None = Field(None, max_length=300)
    note: str | None = Field(None, max_length=2000)
    den_id: UUID | None = None
    place_id: UUID | None = None
    person_ids: list[UUID] = Field(default_factory=list, max_length=500)


class OperationMemberOut(BaseModel):
    """A line of who is in the know."""

    member_id: UUID
    agency: str | None
    agency_name: Words | None
    unit: str | None
    post: str | None
    principal: str | None
    named_at: datetime


class ForceOut(BaseModel):
    """A force with its roll-call: `present` of `people`, `missing` the rest, `answered` once somebody said so."""

    force_id: UUID
    agency: str
    agency_name: Words
    unit: str | None
    people: int
    vehicles: int
    task: str | None
    meeting_point: str | None
    present: int
    missing: int
    answered: bool
    mine: bool
    version: int


class EntryOut(BaseModel):
    """A result from the scene; a withdrawn one counts no longer."""

    entry_id: UUID
    kind: EntryKind
    at: datetime
    counts: dict[str, int]
    force_id: UUID | None
    area: str | None
    place: str | None
    note: str | None
    den_id: UUID | None
    place_id: UUID | None
    person_ids: list[UUID]
    agency: str
    agency_name: Words
    recorded_at: datetime
    withdrawn: bool
    mine: bool


class OperationOut(BaseModel):
    """An operation in a list. `open`: the caller reads what stands in it; `secret`: its hour has not come."""

    operation_id: UUID
    number: str
    plan: str
    area: str | None
    case_id: UUID | None
    case_number: str | None
    agency: str
    agency_name: Words
    state: str
    state_name: Words
    final: bool
    secret: bool
    open: bool
    starts_at: datetime | None
    meets_at: datetime | None
    opened_at: datetime
    links: dict[str, str]


class OperationFullOut(OperationOut):
    """One operation: who knows, who takes part, who is missing, what was found and what it adds up to."""

    facts: dict[str, Any]
    words: dict[str, str]
    emergency_plan: dict[str, str] | None
    members: list[OperationMemberOut]
    forces: list[ForceOut]
    people: int
    present: int
    missing: int
    figures: dict[str, int]
    entries: list[EntryOut]
    started_at: datetime | None
    version: int


class EntriesOut(BaseModel):
    """Entries behind a figure, newest first."""

    items: list[EntryOut]
    next: str | None
