"""Clocks whose reminder is due: one notice each, in batches that run beside each other; one digest a day for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify import metrics
from services.notify.commands.clocks import calendar_of, reminders_of
from services.notify.commands.notices import make
from services.notify.domain import reminders as domain
from services.notify.domain.notices import State
from services.notify.tables import clocks, digests, notices
from shared.kit.service import Service

AT_ONCE = 1000
"""Reminders of one transaction: a tick of that many stays well below a second, however many clocks run."""

_MOVE = text(
    """
    UPDATE clocks c SET reminded = m.reminded, next_at = m.next_at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:reminded AS text[]), CAST(:next_at AS timestamptz[]))
        AS m (id, reminded, next_at)
    WHERE c.id = m.id
    """
)
_TAKEN_PLACE = (
    update(notices)
    .where(
        notices.c.reminds == func.any(bindparam("clocks")),
        notices.c.id != func.all(bindparam("fresh")),
        notices.c.state != State.DONE.value,
    )
    .values(state=State.DONE.value, done_at=bindparam("at"), in_time=True, version=notices.c.version + 1)
)
_COUNT = text(
    """
    SELECT agency, unit, count(*) FILTER (WHERE due < :now) AS overdue,
        count(*) FILTER (WHERE due >= :now AND due < :tonight) AS today,
        count(*) FILTER (WHERE due >= :tonight) AS soon
    FROM clocks
    WHERE plan = :plan AND NOT closed AND standing <> 'suspended' AND due < :until
    GROUP BY agency, unit
    """
)


@dataclass(frozen=True, slots=True)
class Ticked:
    """How many clocks a tick looked at, and how many reminders it made."""

    looked_at: int
    made: int


async def tick(conn: AsyncConnection, service: Service, now: datetime, *, limit: int = AT_ONCE) -> Ticked:
    """Remind of clocks whose moment has come, the longest due first, at most `limit`. Safe to run beside itself."""
    c = clocks.c
    due = (
        select(clocks)
        .where(c.next_at <= now)
        .order_by(c.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = (await conn.execute(due)).mappings().all()
    if not rows:
        return Ticked(0, 0)
    calendar = calendar_of(service.settings.law_dir)
    told: list[dict[str, Any]] = []
    moved: dict[str, list[Any]] = {"ids": [], "reminded": [], "next_at": []}
    for row in rows:
        rules = reminders_of(service, row["plan"])
        stage = domain.stage_now(rules, calendar, row["start"], row["due"], row["reminded"], now)
        reminded = stage.value if stage else row["reminded"]
        if stage is not None:
            told.append(domain.notice_of(row, stage, now))
        moved["ids"].append(row["id"])
        moved["reminded"].append(reminded)
        moved["next_at"].append(domain.next_after(rules, calendar, row["start"], row["due"], reminded))
    await conn.execute(_MOVE, moved)
    await _replace(conn, told, now)
    for row in told:
        metrics.REMINDERS.labels(row["template"]).inc()
    return Ticked(len(rows), len(told))


async def _replace(conn: AsyncConnection, rows: list[dict[str, Any]], now: datetime) -> None:
    """Make reminders; the earlier ones of the same clock or line have had their day."""
    if not rows:
        return
    await conn.execute(
        _TAKEN_PLACE, {"clocks": [row["reminds"] for row in rows], "fresh": [row["id"] for row in rows], "at": now}
    )
    await make(conn, rows, now)


async def digest(conn: AsyncConnection, service: Service, plan_id: str, now: datetime) -> int:
    """Make the day's digests of a plan, once its hour has come on a working day; how many, 0 when not or already."""
    plan = service.plans[plan_id]
    calendar = calendar_of(service.settings.law_dir)
    day = domain.digest_moment(plan.reminders, calendar, now) if plan.reminders.digest else None
    if day is None:
        return 0
    first = insert(digests).values(plan=plan_id, day=day, made_at=now, notices=0).on_conflict_do_nothing()
    if not (await conn.execute(first.returning(digests.c.day))).all():
        return 0
    bounds = {"plan": plan_id, "now": now, "tonight": domain.tonight(day), "until": domain.soon_end(plan.reminders, calendar, day)}
    bounds["until"] = max(bounds["until"], bounds["tonight"])
    found = (await conn.execute(_COUNT, bounds)).all()
    address = f"{service.settings.base_url('notify')}/v1/deadlines"
    rows = [
        domain.digest_of(plan_id, domain.Line(*one), day, address, now)
        for one in found
        if one.agency and one.overdue + one.today + one.soon
    ]
    places = [(a.id, unit) for a in plan.agencies for unit in (None, *(u.id for u in a.units))]
    lines = [domain.digest_line(plan_id, agency, unit) for agency, unit in places]
    await conn.execute(_TAKEN_PLACE, {"clocks": lines, "fresh": [row["id"] for row in rows], "at": now})
    await make(conn, rows, now)
    await conn.execute(
        update(digests).where(digests.c.plan == plan_id, digests.c.day == day).values(notices=len(rows))
    )
    return len(rows)
