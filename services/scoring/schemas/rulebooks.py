"""HTTP bodies of rulebooks: versions, drafts, checks, differences, what-ifs."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.rules.law import Text


class RulebookOut(BaseModel):
    """A version of a rulebook. `state`: in_force, future, over, or example (of a plan that is not run here)."""

    rulebook: str
    edition: str
    ledger_name: str
    title: Text
    plans: list[str]
    valid_from: date
    until: date | None
    state: str
    clause: str | None
    lines: int
    assumed: int
    origin: str
    published_at: datetime | None
    drafted_by: str | None
    published_by: str | None
    sha256: str | None


class RulebooksOut(BaseModel):
    """Versions a caller may read."""

    items: list[RulebookOut]


class RulebookFullOut(RulebookOut):
    """With its whole content as data."""

    content: dict[str, Any]


class RulebookFindingOut(BaseModel):
    """A mistake or doubt in a rulebook's text, at its line."""

    severity: str
    line: int
    code: str
    zh: str
    en: str


class RulebookCheckOut(BaseModel):
    """Whether a text can be published as it is, and everything wrong or doubtful in it."""

    ok: bool
    rulebook: str | None
    edition: str | None
    findings: list[RulebookFindingOut]


class RulebookTextIn(BaseModel):
    """A rulebook's YAML."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(min_length=1, max_length=400_000)


class DraftReasonIn(BaseModel):
    """Why a draft is given back."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=2000)


class DraftOut(BaseModel):
    """A draft and where it stands. `can`: what the caller can do with it now."""

    id: UUID
    plan: str
    rulebook: str
    edition: str
    valid_from: date
    state: str
    drafted_by: str
    drafted_at: datetime
    submitted_by: str | None
    submitted_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None
    version: int
    can: list[str]


class DraftsOut(BaseModel):
    """Drafts of a plan."""

    items: list[DraftOut]


class DraftFullOut(DraftOut):
    """With its text, what the check finds in it, and what was done with it."""

    source: str
    findings: list[RulebookFindingOut]
    history: list[dict[str, Any]]


class RulebookChangeOut(BaseModel):
    """One thing that differs between two versions."""

    where: str
    kind: str
    before: Any
    after: Any


class RulebookDifferenceOut(BaseModel):
    """What differs between two versions."""

    before: str
    after: str
    changes: list[RulebookChangeOut]


class TrialIn(BaseModel):
    """Which facts under which version: a published one (`rulebook`, `edition`), a draft's, or a text.

    `against` is the version to compare with (`id@version`); by default the one of the same rulebook that was in force at
    the end of the period, else the one of the plan that entries call `v1`.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    plan: str | None = Field(default=None, max_length=48)
    rulebook: str | None = Field(default=None, max_length=66, description="id@version")
    draft: UUID | None = None
    source: str | None = Field(default=None, max_length=400_000)
    against: str | None = Field(default=None, max_length=66)
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    causes: int = Field(default=50, ge=0, le=1000, description="Entries shown for each unit at most")


class CauseOut(BaseModel):
    """One obligation, finding or decision that is worth something else."""

    basis: str
    basis_id: UUID
    entry_id: UUID
    occurred_on: date
    line_before: str | None
    points_before: Decimal
    line_after: str | None
    points_after: Decimal
    difference: Decimal


class ComparedOut(BaseModel):
    """A subject before and after."""

    subject_kind: str
    subject: str
    agency: str
    unit: str | None
    score_before: Decimal
    score_after: Decimal
    difference: Decimal
    band_before: str | None
    band_after: str | None
    vetoed_before: list[str]
    vetoed_after: list[str]
    causes: list[CauseOut]
    causes_count: int


class TrialOut(BaseModel):
    """A what-if: the same facts under two versions, the greatest change first. Nothing is kept."""

    plan: str
    before: str
    after: str
    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    obligations: int
    decisions: int
    changed: int
    units: list[ComparedOut]
