"""Events that findings and certificates rest on, kept again by a rebuild: nothing is judged, proposed or suspended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.certificates.watching import decision_fact, evidence_row
from services.scoring.commands.findings.detecting import fact_of, fact_row
from services.scoring.commands.findings.replaying import finding_told
from services.scoring.domain.books import Books
from services.scoring.domain.certificates import evidence
from services.scoring.tables import evidence_facts, finding_facts
from shared.events import Event
from shared.events.findings import AppealDecided, FindingDecided
from shared.kit.db import insert_many


async def remember(conn: AsyncConnection, books: Books, events: Sequence[Event[Any]], now: datetime) -> None:
    """Keep what detectors and checklists read of these events, each once; decisions about findings are evidence, too."""
    matters = [fact_row(fact) for one in events if (fact := fact_of(one)) is not None and fact.data["plan"] in books]
    if matters:
        await insert_many(conn, finding_facts, matters, conflict="ON CONFLICT DO NOTHING")
    shown = [
        evidence_row(fact, now)
        for one in events
        if (fact := evidence.fact_of(one.type, one.data.model_dump(), one.id, one.recordedat)) is not None
        and fact.plan in books
    ]
    shown += [evidence_row(fact, now) for one in events if (fact := _decision(books, one)) is not None]
    if shown:
        await insert_many(conn, evidence_facts, shown, conflict="ON CONFLICT DO NOTHING")


def _decision(books: Books, event: Event[Any]) -> evidence.EvidenceFact | None:
    data = event.data
    if event.type not in (FindingDecided.TYPE, AppealDecided.TYPE) or data.decision == "rejected" or data.plan not in books:
        return None
    return decision_fact(
        books.shelf, books[data.plan].plan, finding_told(data), event=event.id, at=event.recordedat,
        taken_back=data.decision == "overturned", dataref=data.dataref,
    )  # fmt: skip
