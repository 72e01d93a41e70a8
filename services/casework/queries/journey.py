"""The steps of a case for a journey: found by lead, case, deadline or number."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.queries.cases import CaseFull, with_parts
from services.casework.queries.visibility import within_reach
from services.casework.tables import cases, deadlines
from shared.kit.access import Caller


async def journey(
    conn: AsyncConnection, caller: Caller, ids: Sequence[UUID], numbers: Sequence[str], *, most: int = 50
) -> list[CaseFull]:
    """Cases that any of the ids or numbers leads to, within the caller's reach of `trace.read`, oldest first."""
    # looked up before, so that each side of the OR below is served by an index
    of_deadlines = (await conn.execute(select(deadlines.c.case_id).where(deadlines.c.id.in_(ids)))).scalars()
    case_ids = [*ids, *of_deadlines]
    rows = (
        await conn.execute(
            select(cases, within_reach(caller, "case.accept").label("mine"))
            .where(
                within_reach(caller, "trace.read"),
                or_(
                    cases.c.id.in_(case_ids),
                    cases.c.lead_id.in_(ids),
                    cases.c.number.in_(numbers),
                ),
            )
            .order_by(cases.c.id)
            .limit(most)
        )
    ).all()
    return await with_parts(conn, caller, rows)
