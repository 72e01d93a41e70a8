"""The reporting calendar as it runs: what is owed is set, reminded of, marked as missing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands.reports.room import Room, end_notices, entry
from services.notify.domain.matters import Matter, Own, Told
from services.notify.domain.notices import Template, office_of
from services.notify.domain.reports import RUNNING, Owed, ReportState, owed_on
from services.notify.tables import kit, reports
from shared.kit import audit, outbox
from shared.kit.access import service_caller
from shared.kit.db import insert_many
from shared.rules.calendar import local_day
from shared.rules.plan import Plan

_ACTOR = service_caller("notify")
r = reports.c
AT_ONCE = 200


async def set_owed(conn: AsyncConnection, room: Room, owed: list[Owed], now: datetime) -> list[Any]:
    """Write reports that are not there yet, and tell of them; the new ones."""
    rows = [
        {
            "id": one.id, "plan": one.plan, "kind": one.kind, "origin": one.origin, "clause": one.clause,
            "agency": one.agency, "to_agency": one.to_agency, "first_day": one.first_day, "day": one.day, "due": one.due,
            "counts": one.counts, "state": ReportState.OWED.value, "created_at": now, "version": 1, "history": [],
        }
        for one in owed
    ]  # fmt: skip
    names = ", ".join(rows[0]) if rows else ""
    new = await insert_many(conn, reports, rows, conflict="ON CONFLICT (id) DO NOTHING", returning=names)
    await outbox.put(conn, kit.outbox, [room.owed(row, now) for row in new], now)
    if new:
        await audit.record(conn, kit, _ACTOR, "report.owed", "report", [row.id for row in new], now)
    return new


async def follow_plan(conn: AsyncConnection, room: Room, plan: Plan, now: datetime) -> None:
    """Make the calendar what the plan says today: new days are owed, days it no longer lists are dropped."""
    owed = owed_on(plan, local_day(now), now)
    known = set((await conn.execute(select(r.id).where(r.id == func.any([one.id for one in owed])))).scalars())
    await set_owed(conn, room, [one for one in owed if one.id not in known], now)
    gone = (
        await conn.execute(
            update(reports)
            .where(
                r.plan == plan.id, r.origin == "plan", r.state.in_(RUNNING), r.due >= now,
                r.id.not_in([one.id for one in owed]),
            )
            .values(
                state=ReportState.WITHDRAWN.value, version=r.version + 1,
                history=r.history.op("||")([entry("dropped", None, now)]),
            )
            .returning(reports)
        )
    ).all()  # fmt: skip
    if gone:
        await outbox.put(conn, kit.outbox, [room.dropped(row, now) for row in gone], now)
        await end_notices(conn, [row.id for row in gone], [Template.REPORT_OWED], now)
        await audit.record(conn, kit, _ACTOR, "report.dropped", "report", [row.id for row in gone], now)


async def remind(conn: AsyncConnection, room: Room, now: datetime) -> int:
    """Tell agencies of what they owe, so many days ahead as their plan says; how many at once."""
    ahead = [
        (r.plan == plan.id) & (r.due <= now + timedelta(days=plan.reporting.remind_days if plan.reporting else 3))
        for plan in room.service.plans.values()
    ]
    if not ahead:
        return 0
    rows = (
        await conn.execute(
            select(reports)
            .where(r.state.in_(RUNNING), r.reminded_at.is_(None), r.due > now, or_(*ahead))
            .order_by(r.due, r.id)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
    ).all()
    for row in rows:
        await tell_owed(conn, room, row, now)
    if rows:
        await conn.execute(update(reports).where(r.id == func.any([row.id for row in rows])).values(reminded_at=now))
    return len(rows)


async def tell_owed(conn: AsyncConnection, room: Room, row: Any, now: datetime) -> None:
    """A notice of a report that an agency owes, done with when it comes."""
    one = Told(
        Template.REPORT_OWED, (row.agency, None), Matter.REPORT, row.id, room.dataref("reports", row.id), due=row.due
    )
    await room.tell(conn, Own(row.plan, due=row.day), [one], now)


async def mark_missed(conn: AsyncConnection, room: Room, now: datetime) -> int:
    """Mark reports whose time has passed; where lateness counts, tell the agency and the office. How many at once."""
    rows = (
        await conn.execute(
            select(reports)
            .where(r.state.in_(RUNNING), r.due < now)
            .order_by(r.due, r.id)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
    ).all()
    if not rows:
        return 0
    await conn.execute(
        update(reports)
        .where(r.id == func.any([row.id for row in rows]))
        .values(
            state=ReportState.MISSED.value, missed_at=now, version=r.version + 1,
            history=r.history.op("||")([entry("missed", None, now)]),
        )
    )  # fmt: skip
    counting = [row for row in rows if row.counts and row.plan in room.service.plans]
    await outbox.put(conn, kit.outbox, [room.missed(row, now) for row in counting], now)
    await end_notices(conn, [row.id for row in rows], [Template.REPORT_OWED], now, in_time=False)
    for row in counting:
        dataref = room.dataref("reports", row.id)
        office = office_of(room.plan(row.plan))
        told = [Told(Template.REPORT_MISSED, (row.agency, None), Matter.REPORT, row.id, dataref)]
        if row.agency != office[0]:
            told.append(Told(Template.REPORT_MISSED_OFFICE, office, Matter.REPORT, row.id, dataref))
        await room.tell(conn, Own(row.plan, due=row.day), told, now)
    await audit.record(conn, kit, _ACTOR, "report.missed", "report", [row.id for row in rows], now)
    return len(rows)
