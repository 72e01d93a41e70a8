"""Bodies of proceedings."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.casework.schemas.cases import DeadlineOut, Words

Category = Literal["track", "transfer", "request", "measure", "penalty", "operation", "supervision", "report"]


class CounterpartIn(BaseModel):
    """The other side: an agency of the plan, or one of the `others` that the procedure lists (`family`, `school`, …)."""

    model_config = ConfigDict(extra="forbid")

    agency: str = Field(min_length=1, max_length=48)
    unit: str | None = Field(None, max_length=48)


class ProceedingIn(BaseModel):
    """A proceeding to open: `values` are the fields that `GET /v1/procedures` lists for its kind."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(min_length=1, max_length=48)
    counterpart: CounterpartIn | None = None
    parent_id: UUID | None = None
    area: str | None = Field(None, max_length=48)
    values: dict[str, Any] = Field(default_factory=dict, max_length=60)


class StepIn(BaseModel):
    """A step's fields, by name."""

    model_config = ConfigDict(extra="forbid")

    values: dict[str, Any] = Field(default_factory=dict, max_length=60)


class BasisOut(BaseModel):
    """The law beside a step. `certainty`: T text read, S quoted, M recalled or assumed; none: no limit of the files."""

    rule: str | None
    article: str
    what: Words | None
    certainty: Literal["T", "S", "M"] | None
    verified: bool
    provisional: bool
    value: float | int | None
    unit: str | None


class FieldOut(BaseModel):
    """A field of a step."""

    field: str
    name: Words
    type: str
    required: bool
    many: bool
    choices: dict[str, Words]
    at_least: int | None
    at_most: int | None
    limit: str | None
    help: Words | None


class NeedOut(BaseModel):
    """A document that a step needs, and whether it is issued."""

    kind: str
    name: Words | None
    issued: bool


class ProcedureStepOut(BaseModel):
    """A step of a procedure: from where to where, whose it is, with whose approval, by which article."""

    step: str
    name: Words
    source: list[str] = Field(alias="from")
    to: str | None
    by: list[str]
    approval: str | None
    fields: list[FieldOut]
    basis: list[BasisOut]
    needs: list[NeedOut]
    help: Words | None


class PossibleStepOut(ProcedureStepOut):
    """A step that can be taken now: `mine` for the caller's side, `approved` when the caller's post may approve it."""

    mine: bool
    approved: bool


class StateOut(BaseModel):
    """A state of a procedure."""

    name: Words
    final: bool
    awaits: str | None


class OpenOut(BaseModel):
    """What opening asks for."""

    fields: list[FieldOut]
    basis: list[BasisOut]
    approval: str | None


class ProcedureOut(BaseModel):
    """A kind of proceeding, as the table in force today has it."""

    kind: str
    name: Words
    category: Category
    clause: list[str]
    case: Literal["required", "optional"]
    confidential: str | None
    version: str
    opened_by: list[str]
    counterpart: dict[str, Any] | None
    states: dict[str, StateOut]
    open: OpenOut
    steps: list[ProcedureStepOut]


class ProceduresOut(BaseModel):
    """All kinds."""

    items: list[ProcedureOut]


class ProceedingOut(BaseModel):
    """A proceeding in a list: kind, state, sides, clocks; nothing of what stands in it."""

    proceeding_id: UUID
    number: str
    kind: str
    name: Words
    category: Category
    procedure_version: str
    plan: str
    area: str | None
    case_id: UUID | None
    case_number: str | None
    parent_id: UUID | None
    urgent: bool
    confidential: str | None
    agency: str
    agency_name: Words
    unit: str | None
    to_agency: str | None
    to_agency_name: Words | None
    to_unit: str | None
    to_outside: bool
    state: str
    state_name: Words
    awaits_agency: str | None
    awaits_unit: str | None
    final: bool
    outcome: str | None
    opened_at: datetime
    ended_at: datetime | None
    late: bool
    version: int
    clocks: list[DeadlineOut]
    links: dict[str, str]


class TakenOut(BaseModel):
    """A step that was taken, with what it gave; prose only for those who may read it."""

    seq: int
    step: str
    name: Words
    from_state: str | None
    to_state: str
    at: datetime
    agency: str | None
    unit: str | None
    by_system: bool
    facts: dict[str, Any]
    words: dict[str, str]


class ProceedingFullOut(ProceedingOut):
    """One proceeding; `open` is false where the caller may know of it but not read what stands in it."""

    open: bool
    facts: dict[str, Any]
    labels: dict[str, Any]
    history: list[TakenOut]
    steps: list[PossibleStepOut]
    beside: dict[str, Any] = Field(description="Rows of its own: `items` of a measure; `instalments`, `payments` of a penalty")
