"""Which agencies are party to a case."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.queries.secrecy import OPERATION, named_agencies
from services.casework.tables import case_parties


async def party_agencies(conn: AsyncConnection, case_id: UUID | None) -> frozenset[str]:
    """The agencies of a case's parties; none without a case."""
    if case_id is None:
        return frozenset()
    found = await conn.execute(select(case_parties.c.agency).where(case_parties.c.case_id == case_id))
    return frozenset(row.agency for row in found)


async def parties_of(conn: AsyncConnection, row: Any) -> frozenset[str]:
    """The agencies that are party to a proceeding: those of its case, and those named in an operation."""
    found = await party_agencies(conn, row.case_id)
    return found | await named_agencies(conn, row.id) if row.confidential == OPERATION else found
