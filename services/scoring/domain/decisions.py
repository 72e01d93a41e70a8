"""Entries that rest on a person's decision: a confirmed finding, or another decision that gives or takes points.

A `Decided` is one act of a person. The confirming act gives the entry; the act that takes it back (an appeal upheld, say)
gives the entry's correction. Each act gives the same entries whenever it is told, so order and repetition do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from services.scoring.domain.ledger import NAMESPACE, Entry
from services.scoring.domain.rulebook import Line, Rulebook
from services.scoring.domain.subjects import SubjectKind, kind_of, subject_of

_CHINA = ZoneInfo("Asia/Shanghai")


class Judgement(StrEnum):
    """The outcome of entries that rest on a decision: a finding was confirmed, or something else was decided."""

    FOUND = "found"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class Decided:
    """One act of a person about a finding or another matter of score.

    `confirmed` alone books the line; with `taken_back` the booked entry is corrected. Neither books nothing (a proposal,
    a rejection). `occurred_at` is when the thing happened: it chooses the rulebook, and it must be the same in both acts;
    `recorded_at` is when this act was recorded. `fact_events` are the events behind it, the act's own event last.
    `points` stands in place of the line's where the decision sets them; `subject` is needed for a post only.
    """

    basis: Literal["finding", "decision"]
    basis_id: UUID
    plan: str
    condition_or_line: str
    subject_kind: SubjectKind
    agency: str
    unit: str | None
    area: str | None
    occurred_at: datetime
    recorded_at: datetime
    fact_events: tuple[UUID, ...]
    confirmed: bool
    taken_back: bool = False
    case_id: UUID | None = None
    fact_type: str = ""
    subject: str | None = None
    points: Decimal | None = None

    @property
    def judgement(self) -> Judgement:
        return Judgement.FOUND if self.basis == "finding" else Judgement.DECIDED


def decided_id(rulebook: str, decided: Decided, line: str, subject: str, *, taken_back: bool = False) -> UUID:
    """The id of the entry: the same act under the same line gives the same id, so no replay can double it."""
    name = f"{rulebook}:{decided.basis}:{decided.basis_id}:{line}:{subject}"
    return uuid5(NAMESPACE, f"{name}:taken-back" if taken_back else name)


def entries_of(decided: Decided, rulebook: Rulebook) -> tuple[Entry, ...]:
    """What an act gives under a rulebook: its entry, or the correction of it, or nothing."""
    line = rulebook.decided(decided.condition_or_line) if decided.confirmed or decided.taken_back else None
    if line is None:
        return ()
    entry = _entry(decided, rulebook, line)
    if not decided.taken_back:
        return (entry,)
    return (
        replace(
            entry,
            entry_id=decided_id(rulebook.id, decided, line.id, _whom(entry), taken_back=True),
            corrects=entry.entry_id,
            points=-entry.points,
            occurred_on=decided.recorded_at.astimezone(_CHINA).date(),
            fact_at=decided.recorded_at,
        ),
    )


def _whom(entry: Entry) -> str:
    return f"{entry.subject_kind}:{entry.subject}"


def _entry(decided: Decided, rulebook: Rulebook, line: Line) -> Entry:
    kind, unit = decided.subject_kind, decided.unit if decided.subject_kind in ("unit", "post") else None
    if kind in ("agency", "community", "unit"):
        # one agency has one standing, whoever names it how
        kind = kind_of(decided.agency, unit, rulebook.communities)
    subject = decided.subject or subject_of(kind, decided.plan, decided.agency, unit)
    return Entry(
        entry_id=decided_id(rulebook.id, decided, line.id, f"{kind}:{subject}"),
        deadline_id=None,
        plan=decided.plan,
        rulebook=rulebook.id,
        line=line.id,
        clause=line.clause,
        outcome=decided.judgement,
        corrects=None,
        agency=decided.agency,
        unit=unit,
        area=decided.area,
        points=line.points if decided.points is None else decided.points,
        assumed=line.assumed,
        occurred_on=decided.occurred_at.astimezone(_CHINA).date(),
        case_id=decided.case_id,
        fact_event=decided.fact_events[-1],
        fact_type=decided.fact_type or f"dachuan.{decided.basis}.decided.v1",
        fact_at=decided.occurred_at,
        recorded_at=decided.recorded_at,
        basis=decided.basis,
        basis_id=decided.basis_id,
        subject_kind=kind,
        subject=subject,
        facts=decided.fact_events,
    )
