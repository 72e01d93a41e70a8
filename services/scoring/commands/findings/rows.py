"""Findings as rows, as what the domain knows, as what events tell, as what the ledger is asked to book."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from services.scoring.commands.findings.basis import Basis
from services.scoring.domain.decisions import Decided, entries_of
from services.scoring.domain.detectors import Proposal
from services.scoring.domain.findings import Finding, FindingState
from services.scoring.domain.ledger import Entry

_SHAPE = (
    "condition", "clause", "matter", "plan", "subject_kind", "agency", "unit", "area", "case_id", "origin",
    "occurred_at", "events", "measure",
)  # fmt: skip
"""What the facts say of a finding."""


def shape_of(proposal: Proposal) -> dict[str, Any]:
    """The columns that follow the facts, as long as nobody has decided."""
    found = {name: getattr(proposal, name) for name in _SHAPE}
    return found | {
        "origin": proposal.origin.value,
        "events": [str(one) for one in proposal.events],
        "measure": dict(proposal.measure),
    }


def differs(row: Any, shape: Mapping[str, Any]) -> bool:
    """Whether a row says otherwise than the facts do."""
    return any(getattr(row, name) != value for name, value in shape.items())


def finding_of(row: Any) -> Finding:
    """A row as the domain knows it."""
    return Finding(
        **{name: getattr(row, name) for name in ("finding_id", *_SHAPE) if name != "events"},
        events=tuple(UUID(one) for one in row.events),
        state=FindingState(row.state),
        version=row.version,
    )


def told(basis: Basis, finding: Finding) -> dict[str, Any]:
    """The fields that every event of a finding carries."""
    kept = asdict(finding)
    kept["scored_kind"] = kept.pop("subject_kind")
    for name in ("events", "measure", "state"):
        del kept[name]
    return kept | {"dataref": basis.dataref(finding.finding_id)}


def decided_of(
    finding: Finding, *, event: UUID | None, type_: str, at: datetime, taken_back: bool = False
) -> Decided:
    """What the ledger is asked to book for a decision told by `event`, recorded `at`; `taken_back`: it was overturned."""
    return Decided(
        basis="finding",
        basis_id=finding.finding_id,
        plan=finding.plan,
        condition_or_line=finding.condition,
        subject_kind=finding.subject_kind,
        agency=finding.agency,
        unit=finding.unit,
        area=finding.area,
        occurred_at=finding.occurred_at,
        recorded_at=at,
        fact_events=(*finding.events, *((event,) if event else ())),
        confirmed=not taken_back,
        taken_back=taken_back,
        case_id=finding.case_id,
        fact_type=type_,
        known={**finding.measure, "origin": finding.origin},
    )


def worth(basis: Basis, finding: Finding) -> tuple[Entry, ...]:
    """What it is worth if it is confirmed, under each rulebook in force when it happened."""
    books = basis.books.get(finding.plan)
    if books is None:
        return ()
    return entries_of(decided_of(finding, event=None, type_="", at=finding.occurred_at), books)


def said(finding: Finding, entries: tuple[Entry, ...] = ()) -> dict[str, Any]:
    """What a finding says, as its steps keep it before and after."""
    return {
        "state": finding.state.value,
        "origin": finding.origin,
        "agency": finding.agency,
        "unit": finding.unit,
        "measure": dict(finding.measure),
        "events": [str(one) for one in finding.events],
        "worth": [{"rulebook": one.rulebook, "line": one.line, "points": str(one.points)} for one in entries],
    }
