"""The outbox: events are rows of the same transaction as the facts they tell of."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events import EventData
from shared.kit import tracing
from shared.kit.db import put_many
from shared.kit.ids import new_id


async def put(
    conn: AsyncConnection,
    outbox: Table,
    events: Sequence[EventData],
    now: datetime,
    *,
    times: Sequence[datetime] | None = None,
    traceparents: Sequence[str | None] | None = None,
) -> None:
    """Record events; the relay sends them after the commit, in this order for equal keys.

    `times` is when each fact happened (default: `now`); `traceparents` continues the trace of each cause
    (default: the current one).
    """
    if not events:
        return
    trace = tracing.current()
    await put_many(
        conn,
        outbox,
        [
            {
                "id": new_id(),
                "lane": event.lane,
                "topic": event.topic,
                "key": event.key,
                "type": event.TYPE,
                "time": times[i] if times else now,
                "recordedat": now,
                "traceparent": traceparents[i] if traceparents else trace,
                "data": event.model_dump_json().encode(),
            }
            for i, event in enumerate(events)
        ],
    )
