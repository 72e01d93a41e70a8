"""Bodies of the persons' part of casework's API."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.casework.domain.persons import IdKind, Role

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Number = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]
Phones = Annotated[list[Annotated[str, StringConstraints(strip_whitespace=True, max_length=30)]], Field(max_length=10)]
Area = Annotated[str, StringConstraints(strip_whitespace=True, max_length=6)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PersonBody(_Body):
    """A person met in a case. `home_area`: GB/T 2260, six digits; without it that of the resident's number.

    `place_id`: a place of this case where the person was found, or which the landlord let.
    """

    name: Name
    id_kind: IdKind = IdKind.NONE
    id_number: Number | None = None
    phones: Phones = []
    home_area: Area | None = None
    role: Role
    found_at: AwareDatetime
    place_id: UUID | None = None


class PersonChange(_Body):
    """What is corrected of a person; what is left out stays."""

    name: Name | None = None
    id_kind: IdKind | None = None
    id_number: Number | None = None
    phones: Phones | None = None
    home_area: Area | None = None


class RoleBody(_Body):
    """The role a person proved to have, since when."""

    role: Role
    since: date


Code = Annotated[str, StringConstraints(pattern=r"^[a-z_]{2,40}$")]


class StepBody(_Body):
    """What was done with a person. `code`: which identity outcome, sample, disposition or follow-up outcome.

    `officers` is the force, `basis` the legal basis as decided (a sample needs one). Dispositions: `follow_up` (the day
    to look again), `home_area` (where to), `to_agency`. An identity check that found a number gives it with its kind.
    """

    kind: Literal[
        "identity_check", "questioning", "questioning_longer", "questioning_ended", "sampling", "disposition",
        "follow_up",
    ]  # fmt: skip
    code: Code | None = None
    at: AwareDatetime
    officers: int | None = Field(None, ge=1, le=2000)
    basis: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=120)] | None = None
    follow_up: date | None = None
    home_area: Area | None = None
    to_agency: Annotated[str, StringConstraints(max_length=48)] | None = None
    id_kind: IdKind | None = None
    id_number: Number | None = None


class EntryBody(_Body):
    """The receipt of the information system: its number, and when it was given."""

    number: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9A-Za-z\-]{4,40}$")]
    at: AwareDatetime


class MergeBody(_Body):
    """Two records that are one person."""

    into: UUID
    reason: Literal["same_identity", "same_phone", "recognised", "admitted", "other"]


class PersonSearch(_Body):
    """One of the four; a search is recorded, what for is not."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=60)] | None = None
    id_kind: IdKind = IdKind.RESIDENT
    id_number: Number | None = None
    phone: Number | None = None


class SeenOut(BaseModel):
    """Another case with the same person, within reach."""

    case_id: UUID
    number: str
    role: Role
    found_at: datetime
    disposition: str | None
    disposition_words: dict[str, str] | None
    links: dict[str, str]


class SeenBeforeOut(BaseModel):
    """曾涉传: the other cases within reach, and how many there are beyond it (nothing more is told of those)."""

    seen: bool
    cases: list[SeenOut]
    elsewhere: int


class PersonStepOut(BaseModel):
    """One step on record, with the article it rests on and how sure that is."""

    step_id: UUID
    kind: str
    code: str
    words: dict[str, str]
    at: datetime
    recorded_at: datetime
    agency: str
    unit: str | None
    officers: int | None
    basis: str | None
    article: str | None
    certainty: str | None
    facts: dict[str, Any]
    due: datetime | None
    state: str | None


class CasePersonOut(BaseModel):
    """A person's part in one case. `late`: recorded later than the plan allows; `entry`: the police system's receipt."""

    case_person_id: UUID
    case_id: UUID
    case_number: str
    plan: str
    area: str | None
    person_id: UUID
    name: str
    role: Role
    role_since: date
    place_id: UUID | None
    agency: str
    unit: str | None
    found_at: datetime
    recorded_at: datetime
    late: bool
    seen_before: int
    disposition: str | None
    disposition_words: dict[str, str] | None
    disposed_at: datetime | None
    follow_up_due: date | None
    entry_due: datetime
    entered_at: datetime | None
    entry_number: str | None
    entry_late: bool
    version: int
    mine: bool
    may_enter: bool
    links: dict[str, str]


class CasePersonFullOut(CasePersonOut):
    """The same with everything done, and where the person was seen before."""

    steps: list[PersonStepOut]
    history: list[dict[str, Any]]
    seen_before_in: SeenBeforeOut


class PersonOut(BaseModel):
    """A person as far as the caller may see: the record, its parts in cases within reach, records merged into it."""

    person_id: UUID
    name: str
    aliases: list[str]
    id_kind: IdKind
    id_number: str | None
    phones: list[str]
    home_area: str | None
    version: int
    cases: list[CasePersonFullOut]
    elsewhere: int
    merges: list[dict[str, Any]]
    links: dict[str, str]


class FoundOut(BaseModel):
    """A person found by a search."""

    person_id: UUID
    name: str
    id_kind: IdKind
    id_end: str | None
    home_area: str | None
    cases: int
    last_found_at: datetime
    links: dict[str, str]


class FoundListOut(BaseModel):
    """What a search found; `elsewhere`: persons that fit exactly but stand only in cases beyond the caller's reach."""

    items: list[FoundOut]
    more: bool
    elsewhere: int
