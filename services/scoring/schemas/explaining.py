"""HTTP bodies of explanations."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel


class WordsOut(BaseModel):
    """Words in both languages."""

    zh: str
    en: str


class RuleLineOut(BaseModel):
    """A rulebook's line: `version` is the very text that was in force; `assumed`: the plan names no value."""

    rulebook: str
    version: str | None
    line: str
    clause: str | None
    assumed: bool
    text: WordsOut | None


class LineSumOut(RuleLineOut):
    """What a line gave: `corrections` of its `entries` took others back."""

    points: Decimal
    entries: int
    corrections: int
    in_time: int
    late: int


class RestsOnOut(BaseModel):
    """What an entry rests on: a deadline (what was owed, by when, under which rule), a finding or a decision.

    `case` and `finding` are there where the reader may open them; `events` always: their ids and the type of the last.
    """

    basis: str
    basis_id: UUID
    owed: str | None
    rule: str | None
    due: datetime | None
    provisional: bool | None
    state: str | None
    number: str | None
    case_id: UUID | None
    case: str | None
    finding: str | None
    event_type: str
    events: list[UUID]


class ExplainedEntryOut(BaseModel):
    """An entry with its line and what it rests on. `proof`: where the proof of its place in the ledger is."""

    entry_id: UUID
    seq: int
    plan: str
    agency: str
    unit: str | None
    area: str | None
    scored_kind: str
    scored: str
    points: Decimal
    outcome: str
    occurred_on: date
    fact_at: datetime
    recorded_at: datetime
    corrects: UUID | None
    corrected_by: UUID | None
    line: RuleLineOut
    rests_on: RestsOnOut
    proof: str


class ExplanationOut(BaseModel):
    """A figure (`points`) opened: the sums of its lines, and its entries, newest first; more by `next`."""

    plan: str
    agency: str
    unit: str | None
    points: Decimal
    lines: list[LineSumOut]
    entries: list[ExplainedEntryOut]
    next: str | None
