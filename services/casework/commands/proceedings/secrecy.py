"""What is told of an operation (联合行动) before its hour: nothing leaves the service; from then on all of it, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.domain.operations import known_from
from services.casework.domain.proceedings import Actor
from services.casework.queries.secrecy import OPERATION
from services.casework.tables import kit, operation_members, operations, withheld_events
from shared.events import EVENT_TYPES, EventData
from shared.kit import outbox
from shared.kit.db import insert_many
from shared.kit.ids import new_id

_o, _w = operations.c, withheld_events.c


async def begun(conn: AsyncConnection, row: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    """Keep a new operation to those named in it: at first the one who plans it."""
    if row["confidential"] != OPERATION:
        return
    await insert_many(conn, operations, [{"proceeding_id": row["id"], "plan": row["plan"], "known_from": None}])
    first = {
        "id": new_id(), "proceeding_id": row["id"], "agency": row["agency"], "unit": None, "post": None,
        "principal": actor.id.partition(":")[2] or actor.id, "named_by": actor.id, "named_at": now, "struck_at": None,
    }  # fmt: skip
    await insert_many(conn, operation_members, [first])


async def moved(
    conn: AsyncConnection, row: Mapping[str, Any], state: str, facts: Mapping[str, Any], now: datetime
) -> None:
    """After a step: the hour from which the operation is known."""
    if row["confidential"] != OPERATION:
        return
    was = await conn.scalar(select(_o.known_from).where(_o.proceeding_id == row["id"]).with_for_update())
    hour = known_from(state, facts, was, now)
    if hour != was:
        await conn.execute(update(operations).where(_o.proceeding_id == row["id"]).values(known_from=hour))


async def tell(conn: AsyncConnection, row: Mapping[str, Any], events: Sequence[EventData], now: datetime) -> None:
    """Put a proceeding's events into the outbox; those of an operation before its hour are held back."""
    if row["confidential"] != OPERATION:
        await outbox.put(conn, kit.outbox, events, now)
        return
    hour = await conn.scalar(select(_o.known_from).where(_o.proceeding_id == row["id"]).with_for_update())
    if hour is not None and hour <= now:
        await _release(conn, row["id"], now)
        await outbox.put(conn, kit.outbox, events, now)
        return
    held = [
        {"proceeding_id": row["id"], "type": one.TYPE, "time": now, "data": one.model_dump_json().encode()}
        for one in events
    ]
    await insert_many(conn, withheld_events, held)


async def release_due(conn: AsyncConnection, now: datetime, *, limit: int = 50) -> int:
    """Tell what was held back of operations whose hour has come; returns of how many, at most `limit`."""
    due = (
        select(_o.proceeding_id)
        .where(_o.known_from <= now, _o.proceeding_id.in_(select(_w.proceeding_id)))
        .order_by(_o.proceeding_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = list((await conn.execute(due)).scalars())
    for one in found:
        await _release(conn, one, now)
    return len(found)


async def _release(conn: AsyncConnection, proceeding_id: UUID, now: datetime) -> None:
    gone = delete(withheld_events).where(_w.proceeding_id == proceeding_id).returning(_w.seq, _w.type, _w.time, _w.data)
    held = sorted((await conn.execute(gone)).all(), key=lambda one: one.seq)
    events = [EVENT_TYPES[one.type].model_validate_json(bytes(one.data)) for one in held]
    await outbox.put(conn, kit.outbox, events, now, times=[one.time for one in held])
