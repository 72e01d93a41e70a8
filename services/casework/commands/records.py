"""Deadlines between their rows, the rules' objects and the published facts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.casework.domain.cases import Clock
from shared.events.common import DeadlineFact
from shared.rules.deadlines import Deadline, as_record, from_record


def deadline_row(case_id: UUID, clock: Clock) -> dict[str, Any]:
    """A new deadline as a row of the `deadlines` table."""
    d = clock.deadline
    return {
        "id": d.id,
        "case_id": case_id,
        "agency": clock.agency,
        "unit": clock.unit,
        "kind": d.kind,
        "rule": d.rule_id,
        "article": d.article,
        "certainty": d.certainty,
        "clock_unit": d.unit,
        "amount": d.amount,
        "rolls": d.rolls,
        "calendar": d.calendar_version,
        "start": d.start,
        "due": d.due,
        "provisional": d.provisional,
        "basis_reason": d.basis_reason,
        "state": d.state,
        "met_at": None,
        "missed_at": None,
        "suspensions": [],
        "extensions": [],
        "history": [{"at": h.at, "action": h.action, "due": h.due, "detail": h.detail} for h in d.history],
        "version": 1,
    }


def deadline_of(row: Any) -> Deadline:
    """The deadline a row keeps."""
    return from_record(
        {
            "id": str(row.id),
            "kind": row.kind,
            "rule_id": row.rule,
            "article": row.article,
            "certainty": row.certainty,
            "unit": row.clock_unit,
            "amount": row.amount,
            "rolls": row.rolls,
            "calendar_version": row.calendar,
            "start": row.start.isoformat(),
            "due": row.due.isoformat(),
            "provisional": row.provisional,
            "state": row.state,
            "basis_reason": row.basis_reason,
            "suspensions": row.suspensions,
            "extensions": row.extensions,
            "met_at": row.met_at and row.met_at.isoformat(),
            "missed_at": row.missed_at and row.missed_at.isoformat(),
            "history": row.history,
        }
    )


def deadline_changes(deadline: Deadline) -> dict[str, Any]:
    """What may have changed of a deadline, as columns."""
    record = as_record(deadline)
    return {
        "state": deadline.state.value,
        "due": deadline.due,
        "provisional": deadline.provisional,
        "calendar": deadline.calendar_version,
        "met_at": deadline.met_at,
        "missed_at": deadline.missed_at,
        "suspensions": record["suspensions"],
        "extensions": record["extensions"],
        "history": record["history"],
    }


def published(clock: Clock) -> DeadlineFact:
    """A deadline as events carry it."""
    d = clock.deadline
    return DeadlineFact(
        deadline_id=d.id,  # type: ignore[arg-type]
        kind=d.kind,
        agency=clock.agency,
        unit=clock.unit,
        rule=d.rule_id,
        calendar=d.calendar_version,
        start=d.start,
        due=d.due,
        provisional=d.provisional,
    )
