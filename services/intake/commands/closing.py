"""Leads end with their case, and begin again when it is taken up again."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.tables import case_closings, leads
from shared.events import Event
from shared.events.casework import CaseClosed, CaseTakenUp
from shared.kit.db import insert_many

_CLOSE = """
UPDATE leads SET closed_at = :now, version = version + 1
WHERE closed_at IS NULL AND merged_into IS NULL AND id IN (
    SELECT lead_id FROM lead_parties WHERE case_id = ANY(:cases) AND lead_id IS NOT NULL GROUP BY lead_id HAVING {ended}
)
"""
_NEWER = """
ON CONFLICT (case_id) DO UPDATE SET agency = excluded.agency, outcome = excluded.outcome, closed_at = excluded.closed_at,
    taken_up_at = NULL, seen_at = excluded.seen_at WHERE case_closings.seen_at <= excluded.seen_at
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


async def cases_closed(conn: AsyncConnection, events: Sequence[Event[CaseClosed]], now: datetime) -> None:
    """Keep how cases ended, for those who reported them (point 5), and close their leads."""
    newest = {event.data.case_id: event for event in sorted(events, key=lambda event: event.recordedat)}
    rows = [
        {
            "case_id": case_id,
            "lead_id": event.data.lead_id,
            "agency": event.data.agency,
            "outcome": event.data.outcome,
            "closed_at": event.data.closed_at,
            "taken_up_at": None,
            "seen_at": event.recordedat,
        }
        for case_id, event in newest.items()
    ]
    await insert_many(conn, case_closings, rows, conflict=_NEWER)
    await close_ended(conn, list(newest), now, cleared=True)


async def cases_taken_up(conn: AsyncConnection, events: Sequence[Event[CaseTakenUp]], now: datetime) -> None:
    """A closed case is open again: its lead is too, and its end no longer stands."""
    for event in events:
        taken = (
            update(case_closings)
            .where(case_closings.c.case_id == event.data.case_id, case_closings.c.seen_at <= event.recordedat)
            .values(taken_up_at=event.data.taken_up_at, seen_at=event.recordedat)
        )
        if (await conn.execute(taken)).rowcount:
            await reopen(conn, [event.data.lead_id])


async def reopen(conn: AsyncConnection, lead_ids: Sequence[UUID]) -> None:
    """A lead taken up again is open again."""
    await conn.execute(
        update(leads)
        .where(leads.c.id == func.any(list(lead_ids)), leads.c.closed_at.is_not(None))
        .values(closed_at=None, version=leads.c.version + 1)
    )
