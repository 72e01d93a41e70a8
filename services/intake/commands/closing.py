"""Leads end with their case, and begin again when it is taken up again."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.tables import leads

_CLOSE = """
UPDATE leads SET closed_at = :now, version = version + 1
WHERE closed_at IS NULL AND merged_into IS NULL AND id IN (
    SELECT lead_id FROM lead_parties WHERE case_id = ANY(:cases) AND lead_id IS NOT NULL GROUP BY lead_id HAVING {ended}
)
"""
_CLEARED = text(_CLOSE.format(ended="true"))
_DECLINED = text(
    _CLOSE.format(ended="bool_and(state NOT IN ('pending', 'accepted')) AND bool_or(state = 'declined')")
)


async def close_ended(conn: AsyncConnection, case_ids: Sequence[UUID], now: datetime, *, cleared: bool) -> None:
    """Close the leads of cases that ended: a den was found and cleared, or every party declined.

    Later reports of the same target open a new lead, shown as seen before (死灰复燃).
    """
    await conn.execute(_CLEARED if cleared else _DECLINED, {"now": now, "cases": list(case_ids)})


async def reopen(conn: AsyncConnection, lead_ids: Sequence[UUID]) -> None:
    """A lead taken up again is open again."""
    await conn.execute(
        update(leads)
        .where(leads.c.id == func.any(list(lead_ids)), leads.c.closed_at.is_not(None))
        .values(closed_at=None, version=leads.c.version + 1)
    )
