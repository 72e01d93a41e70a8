"""Bodies of public warnings: for officers, and what anybody may read."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.notify.schemas.publicity import CodeOf, Line, Note, Prose

WarningKind = Literal["warning", "reminder", "exposed_case"]
StepName = Literal["submit", "check", "refuse", "approve", "release", "hold", "take_back", "revise", "drop"]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WarningWordsIn(_In):
    """What it says; numbers and contacts of persons are refused with the line they stand in."""

    title: Line
    body: Prose
    areas: list[CodeOf] = Field(default=[], max_length=100)
    case_id: UUID | None = None


class WarningIn(WarningWordsIn):
    kind: WarningKind


class WarningStepIn(_In):
    """`checks` with `check`: each asserted point. `note` says why with `refuse`."""

    checks: list[CodeOf] = Field(default=[], max_length=10)
    note: Note = ""


class WarningRecallIn(_In):
    """`statement` is what the public reads instead."""

    reason: Literal["mistaken", "outdated", "privacy", "court", "superior"]
    statement: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class WarningStepOut(BaseModel):
    action: str
    state: str
    public_state: str
    agency: str | None
    note: str
    version: int
    at: datetime


class WarningOut(BaseModel):
    warning_id: UUID
    agency: str
    kind: WarningKind
    number: str | None
    title: str
    areas: list[str]
    case_id: UUID | None
    state: str
    public_state: str
    current: int
    refusal: str | None
    changed_at: datetime
    version: int
    href: str


class WarningFullOut(WarningOut):
    body: str
    checks: list[str]
    steps: list[WarningStepOut]


class PublicWarningVersionOut(BaseModel):
    """A version as it was public; a recalled one has lost its words, and says why."""

    number: int
    title: str
    body: str
    areas: list[str]
    published_at: datetime
    recalled_at: datetime | None
    recall_reason: str | None
    recall_statement: str


class PublicWarningOut(BaseModel):
    """A public warning; `versions` are all it had, the last first."""

    warning_id: UUID
    plan: str
    kind: WarningKind
    number: str
    issuer: str
    recalled: bool
    published_at: datetime
    updated_at: datetime
    href: str
    versions: list[PublicWarningVersionOut]
