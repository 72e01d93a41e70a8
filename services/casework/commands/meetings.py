"""Leads that intake joined: their cases go together. Both keep number and clocks; nothing that was due is dropped.

News comes in any order and more than once: a meeting is keyed by intake's act, and once undone it stays so.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.tables import kit, lead_meetings, lead_signals
from shared.events.leads import LeadJoined, LeadMerged, LeadSplit
from shared.kit import audit
from shared.kit.access import service_caller
from shared.kit.db import insert_many

_ACTOR = service_caller("casework")
_COUNT = "ON CONFLICT (lead_id) DO UPDATE SET tips = {tips}"


async def count_signals(conn: AsyncConnection, joined: Sequence[LeadJoined]) -> None:
    """A further tip about a case's target joined its lead: no second case, and the case shows how many there are."""
    tips: dict[object, int] = {}
    for event in joined:
        tips[event.lead_id] = max(tips.get(event.lead_id, 0), event.tips)
    await insert_many(
        conn,
        lead_signals,
        [{"lead_id": lead, "tips": count} for lead, count in tips.items()],
        conflict=_COUNT.format(tips="greatest(lead_signals.tips, excluded.tips)"),
    )


async def note_merged(conn: AsyncConnection, merged: Sequence[LeadMerged], now: datetime) -> None:
    """One lead went into another: their cases go together from now on."""
    rows = {
        event.join_id: {
            "join_id": event.join_id,
            "lead_id": event.lead_id,
            "merged_lead_id": event.merged_lead_id,
            "merged_at": event.merged_at,
        }
        for event in merged
    }
    await insert_many(
        conn,
        lead_meetings,
        list(rows.values()),
        conflict="ON CONFLICT (join_id) DO UPDATE SET merged_at = coalesce(lead_meetings.merged_at, excluded.merged_at)",
    )
    await _signals(conn, {event.lead_id: event.tips for event in merged})
    await audit.record(conn, kit, _ACTOR, "case.go_together", "lead", list(rows), now)


async def note_split(conn: AsyncConnection, split: Sequence[LeadSplit], now: datetime) -> None:
    """A joining was undone, or tips left for a lead that opens a case of its own."""
    undone = {
        event.undoes: {
            "join_id": event.undoes,
            "lead_id": event.lead_id,
            "merged_lead_id": event.split_lead_id,
            "undone_at": event.split_at,
        }
        for event in split
        if event.undoes is not None
    }
    await insert_many(
        conn,
        lead_meetings,
        list(undone.values()),
        conflict="ON CONFLICT (join_id) DO UPDATE SET undone_at = coalesce(lead_meetings.undone_at, excluded.undone_at)",
    )
    await _signals(conn, {event.lead_id: event.tips_left for event in split})
    await audit.record(conn, kit, _ACTOR, "case.go_apart", "lead", [event.lead_id for event in split], now)


async def _signals(conn: AsyncConnection, tips: dict[object, int]) -> None:
    rows = [{"lead_id": lead, "tips": count} for lead, count in tips.items()]
    await insert_many(conn, lead_signals, rows, conflict=_COUNT.format(tips="excluded.tips"))
