"""Entries that rest on a person's decision: a confirmed finding, or another decision that gives or takes points.

A `Decided` is one act of a person. The confirming act gives the entry; the act that takes it back (an appeal upheld, say)
gives the entry's correction. Each act gives the same entries whenever it is told, so order and repetition do not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from services.scoring.domain.ledger import NAMESPACE, Entry
from services.scoring.domain.rulebook import InForce, Rulebook
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
    `points` stands in place of the line's where the decision sets them; `subject` is needed for a post only. `known` are
    facts a line may ask for (`origin`, counts); they, too, must be the same in both acts.
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
    known: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def judgement(self) -> Judgement:
        return Judgement.FOUND if self.basis == "finding" else Judgement.DECIDED


def decided_id(rulebook: str, decided: Decided, line: str, subject: str, *, taken_back: bool = False) -> UUID:
    """The id of the entry: the same act under the same line gives the same id, so no replay can double it."""
    name = f"{rulebook}:{decided.basis}:{decided.basis_id}:{line}:{subject}"
    return uuid5(NAMESPACE, f"{name}:taken-back" if taken_back else name)


def entries_of(decided: Decided, books: InForce) -> tuple[Entry, ...]:
    """What an act gives under each rulebook in force when the thing happened: its entry, or the correction of it."""
    if not (decided.confirmed or decided.taken_back):
        return ()
    found = []
    for rulebook in books.at(decided.occurred_at):
        entry = _entry(decided, rulebook)
        if entry is not None:
            found.append(_taken_back(entry, decided, rulebook) if decided.taken_back else entry)
    return tuple(found)


def _taken_back(entry: Entry, decided: Decided, rulebook: Rulebook) -> Entry:
    return replace(
        entry,
        entry_id=decided_id(rulebook.id, decided, entry.line, _whom(entry), taken_back=True),
        corrects=entry.entry_id,
        points=-entry.points,
        occurred_on=decided.recorded_at.astimezone(_CHINA).date(),
        fact_at=decided.recorded_at,
    )


def _whom(entry: Entry) -> str:
    return f"{entry.subject_kind}:{entry.subject}"


def _entry(decided: Decided, rulebook: Rulebook) -> Entry | None:
    kind = decided.subject_kind
    if kind in ("agency", "community", "unit"):
        # one agency has one standing, whoever names it how
        kind = kind_of(decided.agency, decided.unit if kind == "unit" else None, rulebook.communities)
    scored = rulebook.scored(kind)
    if scored is None:
        return None
    if scored in ("agency", "community", "unit"):
        scored = kind_of(decided.agency, decided.unit if scored == "unit" else None, rulebook.communities)
    agency, unit = decided.agency, decided.unit if scored in ("unit", "post") else None
    if scored == "town" and rulebook.office is not None:
        agency = rulebook.office
    line = rulebook.decided(decided.condition_or_line, {**decided.known, "subject_kind": scored})
    if line is None:
        return None
    points = decided.points if decided.points is not None else line.points
    subject = subject_of(scored, decided.plan, agency, unit) if scored != kind or decided.subject is None else decided.subject
    return Entry(
        entry_id=decided_id(rulebook.id, decided, line.id, f"{scored}:{subject}"),
        deadline_id=None,
        plan=decided.plan,
        rulebook=rulebook.id,
        line=line.id,
        clause=line.clause,
        outcome=decided.judgement,
        corrects=None,
        agency=agency,
        unit=unit,
        area=decided.area,
        points=points if points is not None else Decimal(0),
        assumed=line.assumed,
        occurred_on=decided.occurred_at.astimezone(_CHINA).date(),
        case_id=decided.case_id,
        fact_event=decided.fact_events[-1],
        fact_type=decided.fact_type or f"dachuan.{decided.basis}.decided.v1",
        fact_at=decided.occurred_at,
        recorded_at=decided.recorded_at,
        basis=decided.basis,
        basis_id=decided.basis_id,
        subject_kind=scored,
        subject=subject,
        facts=decided.fact_events,
    )
