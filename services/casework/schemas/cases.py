"""Bodies of casework's API."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

CaseStateCode = Literal["opened", "accepted", "closed"]


class Words(BaseModel):
    """One wording in Simplified Chinese and in English."""

    zh: str
    en: str


class PartyOut(BaseModel):
    """An agency's part: `unit` answers for the clock, `units` are all units concerned (none: the whole agency)."""

    agency: str
    name: Words
    unit: str | None
    units: list[str]
    role: Literal["lead", "co", "coordinator"]
    state: Literal["pending", "accepted"]
    part: Literal["pending", "accepted", "handed_over", "declined"] = Field(
        description="As `state`, and how the part ended; one that ended has nothing to accept"
    )
    must_accept: bool
    accepted_at: datetime | None


class DeadlineOut(BaseModel):
    """A deadline with the rule it rests on. `certainty`: T text read, S quoted, M recalled or assumed, to be checked.

    `provisional`: the calendar of a year it touches is not published, or no text of the rule is on file for its day
    (`provisional_reason`). `late` is true once `due` has passed without the act, and when the act came late.
    """

    deadline_id: UUID
    kind: str
    what: Words
    agency: str
    unit: str | None
    rule: str
    article: str
    certainty: Literal["T", "S", "M"]
    calendar: str
    start: datetime
    due: datetime
    provisional: bool
    provisional_reason: str | None
    state: str
    late: bool
    met_at: datetime | None
    missed_at: datetime | None


class CaseOut(BaseModel):
    """A case in a list: number, stage, clocks and parties; nothing of its contents."""

    case_id: UUID
    number: str
    plan: str
    area: str | None
    kinds: list[str]
    urgent: bool
    state: CaseStateCode
    received_at: datetime
    opened_at: datetime
    version: int
    parties: list[PartyOut]
    deadlines: list[DeadlineOut]
    may_accept: bool
    links: dict[str, str]


class StepOut(BaseModel):
    """A change of the case after its opening, and the version that it made."""

    version: int
    at: datetime
    step: str
    agency: str | None = None
    unit: str | None = None


class TogetherOut(BaseModel):
    """A case about the same target: both keep their numbers and clocks. `into`: this case's lead went into its lead."""

    case_id: UUID
    number: str
    into: bool
    since: datetime


class CaseFullOut(CaseOut):
    """One case, with what has changed since it was opened; `signals` counts the tips about its target."""

    lead_id: UUID
    outcome: str | None = None
    closed_at: datetime | None = None
    may_close: bool = False
    signals: int = 1
    together: list[TogetherOut] = []
    history: list[StepOut]


class ClosingBody(BaseModel):
    """How a case ended, as its reporters read it: found true and penalised, prosecuted, cleared, or no proof found."""

    model_config = ConfigDict(extra="forbid")

    outcome: Literal["confirmed", "transferred", "dispersed", "unfounded"]


class AcceptanceBody(BaseModel):
    """A party's acceptance says nothing but that it accepts; who and when is known from the caller and the clock."""

    model_config = ConfigDict(extra="forbid")
