"""HTTP bodies of findings."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class FindingStepIn(BaseModel):
    """A step. `words` say why: an answer, a reason, the grounds of an appeal."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    words: str = Field("", max_length=4000)


class WorthOut(BaseModel):
    """What it gives or takes under one rulebook."""

    rulebook: str
    line: str
    words: dict[str, str] | None
    clause: str | None
    points: Decimal
    assumed: bool


class FactOut(BaseModel):
    """An event behind it, as its owner told it. `dataref` opens under the reader's own rights."""

    event_id: UUID
    type: str
    at: datetime
    recorded_at: datetime
    dataref: str | None
    data: dict[str, Any]


class FindingStepOut(BaseModel):
    """What was done with it, and what it said before and after."""

    version: int
    step: str
    from_state: str | None
    state: str
    at: datetime
    agency: str | None
    unit: str | None
    words: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class FindingOut(BaseModel):
    """A finding in a list. `condition` is what found it; `origin` tells what was found or reported by the area itself
    from what others exposed; `measure` holds counts and codes that say how grave it is."""

    finding_id: UUID
    plan: str
    condition: str
    title: dict[str, str]
    clause: str
    matter: str
    scored_kind: Literal["town", "community", "agency", "unit", "post"]
    agency: str
    unit: str | None
    area: str | None
    case_id: UUID | None
    origin: Literal["self_reported", "self_found", "exposed"]
    occurred_at: datetime
    measure: dict[str, int | str]
    state: str
    version: int
    proposed_at: datetime
    changed_at: datetime
    answer_by: datetime
    provisional: bool
    answered_at: datetime | None
    decided_at: datetime | None
    appeal_by: datetime | None
    appealed_at: datetime | None
    decide_by: datetime | None
    appeal_decided_at: datetime | None
    worth: list[WorthOut]


class FindingFullOut(FindingOut):
    """One finding with its facts and steps, and the steps the caller can take now."""

    facts: list[FactOut]
    other_facts: list[FactOut]
    steps: list[FindingStepOut]
    can: list[str]
