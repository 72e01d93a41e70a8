"""Notices nobody signs for climb: deputy, head, office, leading group, each after the plan's time (D-N4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify import metrics
from services.notify.commands.clocks import calendar_of
from services.notify.domain import ladder as domain
from services.notify.domain.notices import State
from services.notify.queries.roster import roster
from services.notify.tables import climbs, kit, notices
from shared.kit import audit
from shared.kit.access import service_caller
from shared.kit.db import insert_many
from shared.kit.service import Service
from shared.rules.calendar import local_day
from shared.rules.deadlines import open_deadline
from shared.rules.law import UnknownRule
from shared.rules.plan import Plan

_ACTOR = service_caller("notify")
n = notices.c

_END_RUNGS = text(
    """
    UPDATE notices r SET state = 'done', done_at = :now, in_time = false, version = r.version + 1
    FROM notices o
    WHERE r.of_notice IS NOT NULL AND r.state <> 'done' AND o.id = r.of_notice AND o.state <> 'waiting'
    RETURNING r.id
    """
)


def _after(service: Service, plan: Plan, rule: str, start: datetime) -> datetime | None:
    """When a rung's time is over; None where neither plan nor law has its rule."""
    try:
        limit = plan.limit(rule, local_day(start), service.law)
    except UnknownRule:
        return None
    made, _ = open_deadline(
        id="", kind=domain.CLOCK, rule=limit, start=start, calendar=calendar_of(service.settings.law_dir)
    )
    return made.due


def begin(service: Service, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """Set on new notices when they climb first; a batch computes each moment once."""
    known: dict[tuple[str, bool], datetime | None] = {}
    for row in rows:
        row["climb_at"] = None
        plan = service.plans.get(row["plan"])
        if plan is None or not domain.climbs(row):
            continue
        key = (row["plan"], row["urgent"])
        if key not in known:
            rule = domain.rule_of(domain.rules_of(plan).rungs[0], row["urgent"])
            known[key] = _after(service, plan, rule, now)
        row["climb_at"] = known[key]


async def climb(conn: AsyncConnection, service: Service, now: datetime, *, limit: int = 200) -> int:
    """Take notices whose time to be signed is over one rung up; how many, at most `limit`. Safe to run beside itself.

    A notice made without a moment to climb begins when what it asks for is due.
    """
    # deferred: `make` lets new notices begin, and climbing makes notices
    from services.notify.commands.notices import make

    overdue = (n.matter_id.is_not(None) & n.raised_at.is_(None) & n.climb_at.is_(None) & n.reminds.is_(None)) & (n.due < now)
    rows = (
        await conn.execute(
            select(notices)
            .where(n.state == State.WAITING.value, or_(n.climb_at <= now, overdue))
            .order_by(n.due)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    ).mappings().all()  # fmt: skip
    if not rows:
        return 0
    plans = sorted({row["plan"] for row in rows if row["plan"] in service.plans})
    people = await roster(conn, plans, local_day(now))
    told: list[dict[str, Any]] = []
    history: list[dict[str, Any]] = []
    for row in rows:
        plan = service.plans.get(row["plan"])
        passed = domain.steps(row, plan, people) if plan is not None and domain.climbs(row) else []
        climbed, following = row["climbed"], None
        for step in passed:
            made = [domain.rung_row(row, step, to, now) for to in step.to]
            told += made
            climbed = step.number
            history.append(
                {
                    "notice_id": row["id"], "step": step.number, "rung": step.rung, "at": now, "rule": step.rule,
                    "made": made[0]["id"] if made else None, "skipped": step.skipped,
                }
            )  # fmt: skip
            metrics.CLIMBS.labels(step.rung).inc()
        if plan is not None and passed:
            rungs = domain.rules_of(plan).rungs
            if climbed < len(rungs):
                following = _after(service, plan, domain.rule_of(rungs[climbed], row["urgent"]), now)
        await conn.execute(
            update(notices)
            .where(n.id == row["id"])
            .values(climbed=climbed, climb_at=following, raised_at=func.coalesce(n.raised_at, now))
        )
    await insert_many(conn, climbs, history, conflict="ON CONFLICT DO NOTHING")
    await make(conn, told, now)
    await audit.record(conn, kit, _ACTOR, "notice.climbed", "notice", [row["id"] for row in rows], now)
    return len(rows)


async def end_rungs(conn: AsyncConnection, now: datetime) -> int:
    """End the rungs of notices that are signed for or done by now."""
    return len((await conn.execute(_END_RUNGS, {"now": now})).all())


async def signed(conn: AsyncConnection, row: Any, actor: str, now: datetime) -> None:
    """A notice was signed: its rungs are over; a rung signed stops the climb, and a deputy signs for whom they stand in."""
    if row.of_notice is None:
        await conn.execute(
            update(notices)
            .where(n.of_notice == row.id, n.state != State.DONE.value)
            .values(state=State.DONE.value, done_at=now, in_time=False, version=n.version + 1)
        )
        return
    values: dict[str, Any] = {"climb_at": None}
    if row.ladder == "deputy":
        values |= {"state": State.SIGNED.value, "signed_at": now, "signed_by": actor, "version": n.version + 1}
    await conn.execute(
        update(notices).where(n.id == row.of_notice, n.state == State.WAITING.value).values(**values)
    )
