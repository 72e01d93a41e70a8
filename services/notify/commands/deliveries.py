"""Putting notices on their way out: a row for each target that wants one, in the transaction that makes the notice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_PUT = text(
    """
    INSERT INTO deliveries (id, endpoint_id, notice_id, state, attempts, next_at, created_at, urgent, ring)
    SELECT md5(n.id::text || e.id::text || CASE WHEN :ringing THEN n.rung::text ELSE '' END)::uuid, e.id, n.id,
        'retrying', 0, :now, :now, n.urgent, CASE WHEN :ringing THEN n.rung END
    FROM notices n JOIN endpoints e ON e.plan = n.plan AND e.agency = n.agency AND e.active
    WHERE n.id = ANY(CAST(:ids AS uuid[])) AND n.needs IS NULL
      AND (e.unit IS NULL OR n.unit IS NULL OR e.unit = n.unit) AND (e.post IS NULL OR e.post = n.post)
      AND (n.urgent OR NOT e.urgent_only)
    ORDER BY n.urgent DESC, n.seq
    ON CONFLICT DO NOTHING
    """
)


async def put(conn: AsyncConnection, notice_ids: Sequence[UUID], now: datetime, *, ringing: bool = False) -> None:
    """Send notices to the targets of their agency, unit and post. A message's id follows from notice and target.

    `ringing` sends the notice once more, as the ring that it counts now. What needs a right of its reader goes to no
    target: a target stands for all officers behind it.
    """
    if notice_ids:
        await conn.execute(_PUT, {"ids": list(notice_ids), "now": now, "ringing": ringing})


async def wake(conn: AsyncConnection) -> None:
    """Tell whoever delivers that rows became due without being new."""
    await conn.execute(text("SELECT pg_notify('deliveries', '')"))
