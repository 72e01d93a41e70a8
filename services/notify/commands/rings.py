"""A held person's notice rings again until someone of the agency that leads the case signs or accepts (point 2).

The notice keeps its id at every ring; each attempt is a row that is never changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify import metrics
from services.notify.commands import deliveries
from services.notify.domain import notices as domain
from services.notify.domain import rings as rules
from services.notify.domain.notices import State
from services.notify.tables import acceptances, kit, notices, ring_attempts, rings
from shared.events.casework import CaseOpened
from shared.kit import audit
from shared.kit.access import service_caller
from shared.kit.service import Service

_ACTOR = service_caller("notify")


async def start(conn: AsyncConnection, svc: Service, opened: Sequence[CaseOpened], now: datetime) -> None:
    """Begin to ring for urgent cases; the notice itself was the first ring."""
    for case in opened:
        lead = next((party.agency for party in case.parties if party.role == "lead"), None)
        if not case.urgent or lead is None:
            continue
        own = rules.rules_of(svc.plans.get(case.plan))
        await conn.execute(
            insert(rings)
            .values(
                case_id=case.case_id, plan=case.plan, agency=lead, state="ringing", attempts=0, started_at=now,
                next_at=rules.next_ring(own, now),
            )
            .on_conflict_do_nothing()
        )  # fmt: skip
    # an acceptance may have come before the case, over another topic
    await answer_accepted(conn, [case.case_id for case in opened if case.urgent], now)


async def answer_accepted(conn: AsyncConnection, case_ids: Sequence[UUID], now: datetime) -> None:
    """Stop ringing where the agency that leads the case has accepted it."""
    if case_ids:
        await conn.execute(
            update(rings)
            .where(
                rings.c.case_id == func.any(bindparam("cases")),
                rings.c.state == "ringing",
                rings.c.case_id == acceptances.c.case_id,
                rings.c.agency == acceptances.c.agency,
            )
            .values(state="answered", answered_at=now, answered_by=rings.c.agency),
            {"cases": list(case_ids)},
        )


async def answer_signed(conn: AsyncConnection, notice: Any, actor: str, now: datetime) -> None:
    """Stop ringing: a desk of the agency that leads the case has signed."""
    if notice.urgent and notice.case_id is not None:
        await conn.execute(
            update(rings)
            .where(
                rings.c.case_id == notice.case_id, rings.c.agency == notice.agency, rings.c.state == "ringing"
            )
            .values(state="answered", answered_at=now, answered_by=actor)
        )  # fmt: skip


async def lead_changed(conn: AsyncConnection, case_id: UUID, agency: str, now: datetime) -> None:
    """Another agency leads an urgent case now: it rings there, until that one signs."""
    await conn.execute(
        update(rings)
        .where(rings.c.case_id == case_id, rings.c.agency != agency)
        .values(agency=agency, state="ringing", answered_at=None, answered_by=None, started_at=now, next_at=now)
    )


async def ring(conn: AsyncConnection, svc: Service, now: datetime, *, limit: int = 100) -> int:
    """Ring once for every case that is due: desks of its lead agency, and after the plan's time everybody in it.

    Returns how many cases rang. Safe to run at the same time elsewhere.
    """
    due = (
        await conn.execute(
            select(rings)
            .where(rings.c.state == "ringing", rings.c.next_at <= now)
            .order_by(rings.c.next_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    ).all()
    for one in due:
        own = rules.rules_of(svc.plans.get(one.plan))
        wide = rules.rings_wide(own, one.started_at, now)
        rung = (
            await conn.execute(
                update(notices)
                .where(
                    notices.c.case_id == one.case_id,
                    notices.c.template == domain.Template.CASE_OPENED.value,
                    notices.c.state == State.WAITING.value,
                    (notices.c.agency == one.agency) | wide,
                )
                .values(rung=one.attempts + 1)
                .returning(notices.c.id)
            )
        ).scalars()
        ids = list(rung)
        await deliveries.put(conn, ids, now, ringing=True)
        await conn.execute(
            insert(ring_attempts).values(
                case_id=one.case_id, attempt=one.attempts + 1, at=now, notices=[str(i) for i in ids], wide=wide
            )
        )
        await conn.execute(
            update(rings)
            .where(rings.c.case_id == one.case_id)
            .values(attempts=one.attempts + 1, next_at=rules.next_ring(own, now))
        )
        await audit.record(
            conn, kit, _ACTOR, "notice.rung", "notice", ids, now, attempt=one.attempts + 1, wide=wide
        )
    metrics.RINGS.inc(len(due))
    return len(due)


async def measure(conn: AsyncConnection, now: datetime) -> None:
    """Set the gauges of what rings now and since when."""
    count, oldest = (
        await conn.execute(
            select(func.count(), func.min(rings.c.started_at)).where(rings.c.state == "ringing")
        )
    ).one()
    metrics.RINGING.set(count)
    metrics.RINGING_SECONDS.set(max(timedelta(0), now - oldest).total_seconds() if oldest else 0)
