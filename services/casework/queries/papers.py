"""Which documents stand for a proceeding."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.tables import documents


async def issued_documents(conn: AsyncConnection, proceeding_id: UUID) -> frozenset[str]:
    """The kinds of documents issued for a proceeding and not withdrawn."""
    query = select(documents.c.kind).where(
        documents.c.proceeding_id == proceeding_id, documents.c.state.in_(("issued", "served"))
    )
    return frozenset((await conn.execute(query)).scalars())
