"""HTTP bodies of consequences: tools of the ladder, measures, funds."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.rules.law import Text

Kind = Literal["town", "community", "agency", "unit", "post"]


class StepWordsIn(BaseModel):
    """Words of a step: a reason, a report, what was decided."""

    model_config = ConfigDict(extra="forbid")

    words: str = Field(default="", max_length=2000)
    outcome: str | None = Field(default=None, max_length=48, description="Of an accountability proposal, by its addressee")


class ToolIn(BaseModel):
    """A tool that a person proposes; it rests on confirmed findings."""

    model_config = ConfigDict(extra="forbid")

    rulebook: str = Field(max_length=48)
    tool: str = Field(max_length=48)
    subject_kind: Kind
    agency: str = Field(max_length=48)
    unit: str | None = Field(default=None, max_length=48)
    findings: list[UUID] = Field(min_length=1, max_length=200)
    words: str = Field(min_length=1, max_length=2000)


class ToolOut(BaseModel):
    """A tool of the ladder for a subject. `stands`: it has effect and blocks what `blocks` says. `can`: my steps now."""

    id: UUID
    plan: str
    rulebook: str
    edition: str
    tool: str
    title: Text | None
    rung: int
    clause: str | None
    subject_kind: str
    subject: str
    agency: str
    unit: str | None
    area: str | None
    state: str
    stands: bool
    cause: dict[str, Any]
    findings: list[UUID]
    blocks: list[str]
    public: bool
    lifting: str | None
    approval: str | None
    reason: str | None
    opened_at: datetime
    proposed_by: str | None
    decided_by: str | None
    decided_at: datetime | None
    starts_at: datetime | None
    ends_at: datetime | None
    rectify_by: datetime | None
    reported_at: datetime | None
    overdue_at: datetime | None
    closed_at: datetime | None
    version: int
    can: list[str]


class ToolFullOut(ToolOut):
    """With everything that was done."""

    history: list[dict[str, Any]]


class MeasureIn(BaseModel):
    """A reward, penalty or accountability proposal. A person is never named: `post` says which function."""

    model_config = ConfigDict(extra="forbid")

    rulebook: str = Field(max_length=48)
    measure: str = Field(max_length=48)
    subject_kind: Kind
    agency: str = Field(max_length=48)
    unit: str | None = Field(default=None, max_length=48)
    post: str | None = Field(default=None, max_length=48)
    yuan: int | None = Field(default=None, ge=0, le=10_000_000)
    findings: list[UUID] = Field(default=[], max_length=200)
    entries: list[UUID] = Field(default=[], max_length=200)
    reason: str = Field(min_length=1, max_length=2000)


class MeasureOut(BaseModel):
    """A reward, penalty or accountability proposal and where it stands."""

    id: UUID
    plan: str
    rulebook: str
    edition: str
    measure: str
    title: Text | None
    kind: str
    clause: str | None
    subject_kind: str
    subject: str
    agency: str
    unit: str | None
    area: str | None
    post: str | None
    state: str
    yuan: int | None
    fund: str | None
    sent_to: list[str]
    answers: dict[str, Any]
    findings: list[UUID]
    entries: list[UUID]
    reason: str
    score: Decimal | None
    decision: str | None
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    version: int
    can: list[str]


class MeasureFullOut(MeasureOut):
    """With everything that was done."""

    history: list[dict[str, Any]]


class FundLineOut(BaseModel):
    """A special fund: what the plan gives, what is budgeted, committed, paid and free, in yuan."""

    plan: str
    fund: str
    title: Text
    clause: str | None
    keeper: str
    given: int | None
    budget: int
    committed: int
    paid: int
    free: int


class FundLinesOut(BaseModel):
    """The funds of a plan."""

    items: list[FundLineOut]


class FundMoveIn(BaseModel):
    """A move of money. `commitment`: the commit that is released or paid."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["budget", "commit", "release", "pay"]
    yuan: int = Field(gt=0, le=100_000_000)
    purpose: str = Field(min_length=1, max_length=500)
    commitment: UUID | None = None


class FundMoveOut(BaseModel):
    """A move that was made. `left`: of a commitment, what is neither released nor paid."""

    id: UUID
    kind: str
    yuan: int
    purpose: str
    commitment: UUID | None
    measure_id: UUID | None
    at: datetime
    actor: str
    left: int | None


class FundMovesOut(BaseModel):
    """A fund with all its moves, in order."""

    line: FundLineOut
    items: list[FundMoveOut]


class BlockOut(BaseModel):
    """A tool that keeps something from a subject."""

    tool_id: UUID
    tool: str
    rung: int
    clause: str | None
    ends_at: datetime | None


class BlocksOut(BaseModel):
    """What stands in a subject's way: for each thing that can be kept from it, the tools that do."""

    subject_kind: str
    subject: str
    blocks: dict[str, list[BlockOut]]
