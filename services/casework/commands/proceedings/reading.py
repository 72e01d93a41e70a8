"""Reading one proceeding: what it holds is protected, so that it was read is recorded with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.queries.measures import beside
from services.casework.queries.papers import issued_documents
from services.casework.queries.parties import parties_of
from services.casework.queries.proceedings import get_proceeding
from services.casework.queries.proceedings_present import ProceedingPresenter
from services.casework.tables import kit
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.problem import NotFound


async def read_proceeding(
    conn: AsyncConnection, present: ProceedingPresenter, caller: Caller, proceeding_id: UUID, now: datetime
) -> dict[str, Any]:
    """One proceeding as the caller is shown it. Raises `NotFound` beyond reach."""
    full = await get_proceeding(conn, caller, proceeding_id)
    if full is None:
        raise NotFound(
            "没有这件程序，或不在您的权限内。 No such proceeding within your reach.", code="proceeding-not-found"
        )
    documents = await issued_documents(conn, proceeding_id)
    parties = await parties_of(conn, full.row)
    await audit.record(conn, kit, caller, "proceeding.read", "proceeding", [proceeding_id], now, open=full.open)
    shown = present.full(caller, full, documents, parties, now)
    return shown | {"beside": await beside(conn, present.keys, full.row, open=full.open, now=now)}
