"""HTTP bodies of scoring. Points are decimal numbers in text, so that no reader rounds them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel

_COLUMN = {"scored_kind": "subject_kind", "scored": "subject"}


class StandingOut(BaseModel):
    """What a unit's entries come to under a rulebook.

    `in_time` and `late` count obligations: done in time; done late or not done. `version` grows with every entry.
    """

    plan: str
    rulebook: str
    agency: str
    unit: str | None
    points: Decimal
    entries: int
    in_time: int
    late: int
    version: int
    as_of: datetime
    scored_kind: str
    scored: str

    @classmethod
    def of(cls, row: Any) -> "StandingOut":
        """From a row of `standings`."""
        return cls(**{name: getattr(row, _COLUMN.get(name, name)) for name in cls.model_fields})

    @staticmethod
    def told(row: Any) -> dict[str, Any]:
        """The same as JSON, for thousands of rows at once: rows of the database need no validation."""
        return {
            "plan": row.plan,
            "rulebook": row.rulebook,
            "agency": row.agency,
            "unit": row.unit,
            "points": str(row.points),
            "entries": row.entries,
            "in_time": row.in_time,
            "late": row.late,
            "version": row.version,
            "as_of": row.as_of.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "scored_kind": row.subject_kind,
            "scored": row.subject,
        }


class FeedOut(BaseModel):
    """Standings, and the `cursor` to ask with for what changes after them. `more`: ask again at once."""

    items: list[StandingOut]
    cursor: str
    more: bool


class StandingsOut(BaseModel):
    """Standings, best first."""

    items: list[StandingOut]


class EntryOut(BaseModel):
    """One entry of the ledger and what it rests on: a deadline, a finding or another decision.

    `basis_id` names what it rests on, and stands as `case_id` or `deadline_id`, too, where there is no case or deadline;
    `case_number` is empty then. `corrects`: the entry that this one takes back. `scored`: whose points they are.

    `occurred_on` is the China day of the fact, `recorded_at` when its owner recorded it; `assumed` marks points that
    the plan's text does not give.
    """

    entry_id: UUID
    plan: str
    rulebook: str
    line: str
    clause: str | None
    outcome: str
    corrects: UUID | None
    agency: str
    unit: str | None
    area: str | None
    points: Decimal
    assumed: bool
    occurred_on: date
    case_id: UUID
    case_number: str
    deadline_id: UUID
    fact_event: UUID
    fact_type: str
    recorded_at: datetime
    basis: str
    basis_id: UUID
    scored_kind: str
    scored: str
    facts: list[UUID]
    seq: int
    fact_at: datetime

    @classmethod
    def of(cls, row: Any) -> "EntryOut":
        """From a row of `ledger` with its case's `number`."""
        values = {name: getattr(row, _COLUMN.get(name, name)) for name in cls.model_fields if name != "case_number"}
        values["case_id"] = row.case_id or row.basis_id
        values["deadline_id"] = row.deadline_id or row.basis_id
        return cls(case_number=row.number or "", **values)
