"""Events that findings and certificates rest on, kept again by a rebuild: nothing is judged, proposed or suspended."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.certificates.watching import evidence_row
from services.scoring.commands.findings.detecting import fact_of, fact_row
from services.scoring.domain.certificates import evidence
from services.scoring.tables import evidence_facts, finding_facts
from shared.events import Event
from shared.kit.db import insert_many


async def remember(conn: AsyncConnection, plans: Container[str], events: Sequence[Event[Any]], now: datetime) -> None:
    """Keep what detectors and checklists read of these events, each once."""
    matters = [fact_row(fact) for one in events if (fact := fact_of(one)) is not None and fact.data["plan"] in plans]
    if matters:
        await insert_many(conn, finding_facts, matters, conflict="ON CONFLICT DO NOTHING")
    shown = [
        evidence_row(fact, now)
        for one in events
        if (fact := evidence.fact_of(one.type, one.data.model_dump(), one.id, one.recordedat)) is not None
        and fact.plan in plans
    ]
    if shown:
        await insert_many(conn, evidence_facts, shown, conflict="ON CONFLICT DO NOTHING")
