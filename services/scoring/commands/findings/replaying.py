"""Decisions read back from their topic: the ledger gets what it lacks, and what it has stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.booking import book_decisions
from services.scoring.commands.findings.rows import decided_of
from services.scoring.domain.books import Books
from services.scoring.domain.decisions import Decided
from services.scoring.domain.findings import Finding, FindingState
from shared.events import Event
from shared.events.findings import AppealDecided, FindingDecided


async def book_again(
    conn: AsyncConnection, books: Books, events: Sequence[Event[FindingDecided | AppealDecided]], now: datetime
) -> int:
    """Book what decisions give that is not in the ledger yet; returns how many entries are new."""
    wanted = [decided for event in events if (decided := decided_by(event)) is not None]
    return await book_decisions(conn, books, wanted, now) if wanted else 0


def decided_by(event: Event[Any]) -> Decided | None:
    """What the ledger is asked to book for a decision; None for one that changes nothing in it."""
    data = event.data
    if data.decision not in ("confirmed", "overturned"):
        return None
    return decided_of(
        finding_told(data), event=event.id, type_=event.type, at=event.recordedat, taken_back=data.decision == "overturned"
    )


def finding_told(data: FindingDecided | AppealDecided) -> Finding:
    """The finding as its decision tells it."""
    return Finding(
        finding_id=data.finding_id,
        plan=data.plan,
        condition=data.condition,
        clause=data.clause,
        matter=data.matter,
        subject_kind=data.scored_kind,
        agency=data.agency,
        unit=data.unit,
        area=data.area,
        case_id=data.case_id,
        origin=data.origin,
        occurred_at=data.occurred_at,
        events=data.facts,
        measure=data.measure,
        state=FindingState(data.decision),
        version=data.version,
    )
