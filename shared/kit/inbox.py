"""The inbox: an event's id is recorded in the transaction of its effect, so a known event is skipped."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events import Event
from shared.kit.db import insert_many


async def take_new(
    conn: AsyncConnection, inbox: Table, consumer: str, events: Sequence[Event[Any]]
) -> list[Event[Any]]:
    """Record the events' ids and return those not applied before, in order, each once."""
    unique: dict[UUID, Event[Any]] = {}
    for event in events:
        unique.setdefault(event.id, event)
    rows = await insert_many(
        conn,
        inbox,
        [{"consumer": consumer, "event_id": event_id} for event_id in unique],
        conflict="ON CONFLICT DO NOTHING",
        returning="event_id",
    )
    new = {row.event_id for row in rows}
    return [event for event in unique.values() if event.id in new]
