"""Counts of open deadlines, for the gauges."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.tables import deadlines


async def open_deadlines(conn: AsyncConnection, now: datetime) -> list[tuple[str, int, int]]:
    """Per rule (`plan.confinement_sign`): how many open deadlines fall due within 24 hours, and how many are past due
    without their act."""
    d = deadlines.c
    overdue = or_(d.state == "missed", d.due < now)
    rows = await conn.execute(
        select(
            d.rule,
            func.count().filter(d.state == "running", d.due >= now, d.due < now + timedelta(hours=24)),
            func.count().filter(overdue),
        )
        .where(d.state.in_(("running", "missed")), d.due < now + timedelta(hours=24))
        .group_by(d.rule)
    )
    return [(rule, due, late) for rule, due, late in rows]
