"""Ledger entries (台账): what the facts of an obligation are worth under a rulebook.

The ledger is append-only and yet does not depend on the order in which facts arrive, because every entry rests on
facts alone and more facts only add entries. A miss counts when it is told. When the act turns out to have happened
(late after the miss, or in time because the deadline had moved), the miss is taken back by a correcting entry and the
act counts: the lateness costs once, and both the entry and its correction stay visible. Where the act is given back
(the office did not find it done), it is taken back likewise, and a miss from before counts again by an entry of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from services.scoring.domain.obligations import Fact, Obligation
from services.scoring.domain.rulebook import InForce, Line, Outcome, Rulebook, Worth
from services.scoring.domain.subjects import SubjectKind, kind_of, subject_of

if TYPE_CHECKING:
    from services.scoring.domain.decisions import Judgement

NAMESPACE = UUID("6b1f0c52-6f0a-5c5e-9d6f-6d1c9f0a7e11")
_CHINA = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: points of a unit by a rulebook line, and the fact behind it.

    `corrects` names the entry that this one takes back. `occurred_on` is the China day of the fact; `recorded_at` is
    when the last fact it rests on was recorded by its owner, so the ledger can be read as known on any day.
    It rests (`basis`) on a deadline, or on a person's decision about a finding or another matter: `basis_id` names it,
    `facts` all events behind it where there are more than `fact_event`. `subject` is who the points are of.
    """

    entry_id: UUID
    deadline_id: UUID | None
    plan: str
    rulebook: str
    line: str
    clause: str | None
    outcome: Outcome | Judgement
    corrects: UUID | None
    agency: str
    unit: str | None
    area: str | None
    points: Decimal
    assumed: bool
    occurred_on: date
    case_id: UUID | None
    fact_event: UUID
    fact_type: str
    fact_at: datetime
    recorded_at: datetime
    basis: Literal["deadline", "finding", "decision"]
    basis_id: UUID
    subject_kind: SubjectKind
    subject: str
    facts: tuple[UUID, ...] = ()


def entry_id(
    rulebook: str, deadline_id: UUID, outcome: Outcome | Judgement, *, taken_back: bool = False, back: UUID | None = None
) -> UUID:
    """The id of an entry: the same facts give the same id (UUID version 5, RFC 9562), so no replay can double it.

    `back` is the event that gave the obligation back, for what counts since then.
    """
    since = f":{back}" if back else ""
    return uuid5(NAMESPACE, f"{rulebook}:{deadline_id}:{outcome.value}{since}{':taken-back' if taken_back else ''}")


def entries_for(obligation: Obligation, books: InForce) -> tuple[Entry, ...]:
    """All entries that the facts of an obligation give under the rulebooks in force when each happened.

    More facts never change or remove one.
    """
    return tuple(_entries(obligation, books))


def given_back(before: Obligation, back: Fact, books: InForce) -> tuple[Entry, ...]:
    """What takes back the act of an obligation (as it stood before) that `back` gave back; nothing where none counted."""
    done = (Outcome.MET, Outcome.MET_LATE)
    return tuple(take_back(one, back) for one in _entries(before, books) if one.corrects is None and one.outcome in done)


def _entries(obligation: Obligation, books: InForce) -> Iterator[Entry]:
    accepted, missed, back = obligation.accepted, obligation.missed, obligation.back
    if accepted is not None:
        outcome = Outcome.MET if obligation.in_time else Outcome.MET_LATE
        for rulebook in books.at(accepted.at):
            entry = _entry(obligation, rulebook, outcome, accepted)
            if entry is not None:
                yield entry
    if missed is not None:
        for rulebook in books.at(missed.at):
            booked = _entry(obligation, rulebook, Outcome.MISSED, missed)
            if booked is None:
                continue
            if back is not None and missed.at <= back.at:
                # it was taken back by the act that was given back since: it counts again
                booked = _because(booked, back, entry_id(rulebook.id, obligation.deadline_id, Outcome.MISSED, back=back.event))
            yield booked
            if accepted is not None:
                yield take_back(booked, accepted)


def _entry(obligation: Obligation, rulebook: Rulebook, outcome: Outcome, fact: Fact) -> Entry | None:
    asked = (obligation.plan, obligation.agency, obligation.unit, obligation.area, obligation.kind, outcome.value)
    if asked not in rulebook.memory:
        if len(rulebook.memory) > 20_000:
            rulebook.memory.clear()
        rulebook.memory[asked] = _worth(obligation, rulebook, outcome)
    worth = rulebook.memory[asked]
    if worth is None:
        return None
    line, agency, unit, scored, subject = worth
    return Entry(
        entry_id=entry_id(
            rulebook.id, obligation.deadline_id, outcome,
            back=obligation.back.event if obligation.back is not None and outcome is not Outcome.MISSED else None,
        ),
        deadline_id=obligation.deadline_id,
        plan=obligation.plan,
        rulebook=rulebook.id,
        line=line.id,
        clause=line.clause,
        outcome=outcome,
        corrects=None,
        agency=agency,
        unit=unit,
        area=obligation.area,
        points=line.points or Decimal(0),
        assumed=line.assumed,
        occurred_on=fact.at.astimezone(_CHINA).date(),
        case_id=obligation.case_id,
        fact_event=fact.event,
        fact_type=fact.type,
        fact_at=fact.at,
        recorded_at=fact.recorded_at,
        basis="deadline",
        basis_id=obligation.deadline_id,
        subject_kind=scored,
        subject=subject,
    )


def _worth(
    obligation: Obligation, rulebook: Rulebook, outcome: Outcome
) -> tuple[Worth | Line, str, str | None, SubjectKind, str] | None:
    """The line, and whose points they are; None where it is worth nothing."""
    kind = kind_of(obligation.agency, obligation.unit, rulebook.communities)
    scored = rulebook.scored(kind)
    if scored is None:
        return None
    line = rulebook.line(obligation.kind, outcome, {"subject_kind": scored, "area": obligation.area})
    if line is None:
        return None
    agency, unit = obligation.agency, obligation.unit
    if scored == "town":
        agency = rulebook.office or agency
    if scored != kind:
        unit = None
    return line, agency, unit, scored, subject_of(scored, obligation.plan, agency, unit)


def take_back(booked: Entry, fact: Fact) -> Entry:
    """The entry that takes another of an obligation back, to the point, because of a later fact."""
    first = entry_id(booked.rulebook, booked.basis_id, booked.outcome)
    if booked.entry_id == first:
        taken = entry_id(booked.rulebook, booked.basis_id, booked.outcome, taken_back=True)
    else:
        taken = uuid5(NAMESPACE, f"{booked.entry_id}:taken-back")
    return replace(_because(booked, fact, taken), corrects=booked.entry_id, points=-booked.points)


def _because(booked: Entry, fact: Fact, made: UUID) -> Entry:
    """An entry like another, because of a later fact."""
    return replace(
        booked,
        entry_id=made,
        occurred_on=fact.at.astimezone(_CHINA).date(),
        fact_event=fact.event,
        fact_type=fact.type,
        fact_at=fact.at,
        recorded_at=max(booked.recorded_at, fact.recorded_at),
    )
