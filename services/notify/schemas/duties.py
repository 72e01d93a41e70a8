"""Bodies of duties and meetings."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from services.notify.schemas.base import Body, Code

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Link = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^https?://[^\s]+$", max_length=1000)]


class DutyProofOut(BaseModel):
    """What shows that a duty is done. `link` is the address given; `note` the officer's words."""

    proof_id: UUID
    kind: str
    note: str
    number: int | None
    link: str | None
    file_id: UUID | None
    recorded_at: datetime


class DutyOut(BaseModel):
    """A duty. `what` is the plan's text, or the decision in words; `late`: past its time, not done or done too late.

    `counts` is false where the time had passed before the duty was known here: then nothing is late.
    """

    duty_id: UUID
    plan: str
    agency: str
    unit: str | None
    area: str | None
    origin: Literal["plan", "activity", "meeting"]
    duty: str | None
    phase: str | None
    clause: str | None
    meeting_id: UUID | None
    what_zh: str
    what_en: str
    starts: date
    due: datetime
    counts: bool
    state: str
    late: bool
    done_at: datetime | None
    reason: str | None = Field(description="Why it was given back or dropped")
    version: int


class DutyFullOut(DutyOut):
    """A duty with its proofs."""

    proofs: list[DutyProofOut]


class DutyCountsOut(BaseModel):
    """How many duties of an agency are late, run, are done (of them late), or are past without counting."""

    plan: str
    agency: str
    late: int
    open: int
    done: int
    done_late: int
    past: int


class DutyProofIn(Body):
    """A proof: a count needs `number`, a link `link`."""

    kind: Literal["link", "count"]
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] = ""
    number: Annotated[int, Field(ge=0, le=10**12)] | None = None
    link: Link | None = None


class DutyStepIn(Body):
    """`reason` is needed to give a duty back or to drop it."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] | None = None


class MeetingIn(Body):
    """A meeting to be called; a case conference names its case. The agency that calls it takes part in any case."""

    kind: Literal["joint_conference", "case_conference"]
    title: Title
    place: Title
    agenda: Annotated[list[Title], Field(min_length=1, max_length=50)]
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    agencies: Annotated[list[Code], Field(max_length=100)]
    case_id: UUID | None = None


class MeetingMoveIn(Body):
    """Another time, place or agenda; what is left out stays."""

    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    place: Title | None = None
    agenda: Annotated[list[Title], Field(min_length=1, max_length=50)] | None = None


class MeetingHeldIn(Body):
    """Who came."""

    present: Annotated[list[Code], Field(max_length=100)]


class MinutesIn(Body):
    """The minutes (会议纪要), as a whole."""

    minutes: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50_000)]


class DecisionIn(Body):
    """Who shall do what by which day."""

    agency: Code
    unit: Code | None = None
    due: date
    what: Words


class MeetingOut(BaseModel):
    """A meeting; `minutes` are empty until they are written."""

    meeting_id: UUID
    plan: str
    kind: str
    title: str
    place: str
    agenda: list[str]
    minutes: str
    starts_at: datetime
    ends_at: datetime
    agency: str
    agencies: list[str]
    present: list[str]
    state: str
    case_id: UUID | None
    case_number: str | None
    version: int


class MeetingFullOut(MeetingOut):
    """A meeting with the duties that its decisions set."""

    decisions: list[DutyOut]
