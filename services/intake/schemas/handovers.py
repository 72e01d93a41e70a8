"""Bodies of handovers, decisions not to accept, supplements."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.intake.schemas.tips import Words

Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=48)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
FileNumber = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
StateCode = Literal["proposed", "accepted", "refused", "returned", "withdrawn", "escalated", "decided"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HandoverIn(_Strict):
    """Where a matter is to go, and why. Either an agency of the plan, or back to the line that distributed it."""

    to_agency: Code | None = None
    to_unit: Code | None = None
    to_distributor: bool = Field(default=False, description="Back to the line it came through (12315, 12345, 110, 信访)")
    from_agency: Code | None = Field(default=None, description="The office may hand over for another party")
    reason: Code
    note: Note = Field(default="", description="For the receiver; kept sealed")

    @model_validator(mode="after")
    def _one(self) -> "HandoverIn":
        if (self.to_agency is None) != self.to_distributor:
            raise ValueError("give either to_agency or to_distributor")
        if self.to_unit and not self.to_agency:
            raise ValueError("to_unit needs to_agency")
        return self


class HandoverAcceptIn(_Strict):
    """The receiver takes it over under its own number."""

    number: FileNumber | None = Field(default=None, description="The receiver's own number; needed from another agency")
    note: Note = ""


class HandoverAnswerIn(_Strict):
    """Why it is refused or returned."""

    reason: Code
    note: Note = ""


class HandoverNoteIn(_Strict):
    """Words for the file; kept sealed."""

    note: Note = ""


class HandoverDecisionIn(_Strict):
    """Who takes it from now on; that binds."""

    agency: Code
    unit: Code | None = None
    note: Note = ""


class DeclineIn(_Strict):
    """Why a lead is not accepted, and where it belongs: an agency of the plan, its distributor, or a topic."""

    reason: Code
    note: Note = ""
    belongs_to: Code | None = Field(default=None, description="A referral topic of the plan: where the reporter should go")
    to_agency: Code | None = None
    to_unit: Code | None = None


class SupplementIn(_Strict):
    """What the reporter is asked for; kept sealed, shown to them by their receipt."""

    question: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=2000)]


class SupplementEndIn(_Strict):
    """How a supplement ended."""

    outcome: Literal["received", "withdrawn"]


class PlaceOut(BaseModel):
    """An agency with its unit, by code and name."""

    agency: str | None
    unit: str | None
    name: Words


class StepOut(BaseModel):
    """One line of a handover's history."""

    version: int
    at: datetime
    step: str
    agency: str | None = None
    unit: str | None = None
    reason: str | None = None


class HandoverOut(BaseModel):
    """A handover in a list. `source` answers for the matter until `state` is accepted or decided."""

    handover_id: UUID
    number: str
    their_number: str | None
    lead_id: UUID | None
    tip_id: UUID | None
    plan: str
    area: str | None
    kinds: list[str]
    urgent: bool
    source: PlaceOut
    to: PlaceOut
    distributor: str | None
    reason: str
    reason_words: Words
    answer_reason: str | None
    answer_reason_words: Words | None
    assigned: PlaceOut | None
    state: StateCode
    attempt: int
    rule: str
    article: str
    certainty: str
    due: datetime
    provisional: bool
    late: bool
    proposed_at: datetime
    answered_at: datetime | None
    escalated_at: datetime | None
    decided_at: datetime | None
    version: int
    may: list[str] = Field(description="What the caller may do now")
    links: dict[str, str]


class HandoverFull(HandoverOut):
    """One handover with its words and history; reading it is recorded."""

    note: str
    answer_note: str
    history: list[StepOut]


class DeclinedOut(BaseModel):
    """A lead not accepted: whether that ends the agency's obligation, and the handover it goes by if not."""

    lead_id: UUID
    agency: str
    reason: str
    ends: bool
    belongs_to: str | None
    handover: HandoverOut | None


class SupplementOut(BaseModel):
    """A supplement asked for, and until when it may come."""

    supplement_id: UUID
    lead_id: UUID
    agency: str
    unit: str | None
    state: Literal["asked", "received", "expired", "withdrawn"]
    asked_at: datetime
    due: datetime
    ended_at: datetime | None
    version: int


class FigureOut(BaseModel):
    """How one agency deals with what is handed to it. Times are seconds from the offer to the answer."""

    agency: str
    name: Words
    received: int
    accepted: int
    refused: int
    returned: int
    late: int
    open: int
    sent: int
    sent_back: int = Field(description="Of those it sent, refused or returned")
    answer_seconds_mean: float | None
    answer_seconds_most: float | None


class FiguresOut(BaseModel):
    """Bounces by agency in a period, and matters bounced more than once."""

    since: datetime
    until: datetime
    agencies: list[FigureOut]
    bounced: int
    bounced_more_than_once: int


class MatterOut(BaseModel):
    """A matter that was refused or returned, and who answers for it now."""

    lead_id: UUID | None
    tip_id: UUID | None
    plan: str
    area: str | None
    kinds: list[str]
    urgent: bool
    holder: PlaceOut
    handovers: int
    bounces: int
    late: int
    first_at: datetime
    last_at: datetime
