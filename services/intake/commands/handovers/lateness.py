"""Handovers whose answer or decision is past due: told, and an unanswered one comes before the office."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.handovers.answers import to_office
from services.intake.commands.handovers.rooms import Rules, count_matter, facts
from services.intake.domain.handovers import HandoverState
from services.intake.tables import kit
from services.intake.tables.handovers import handover_matters, handovers
from shared.events import EventData
from shared.events.handovers import HandoverLate
from shared.kit import audit, outbox
from shared.kit.access import service_caller


async def mark_late(conn: AsyncConnection, rules: Rules, now: datetime, *, limit: int = 200) -> int:
    """Mark what is past due and bring unanswered handovers before the office; how many, at most `limit`.

    Safe to run at the same time elsewhere: rows that somebody answers right now are skipped.
    """
    h = handovers.c
    rows = (
        await conn.execute(
            select(handovers)
            .where(
                h.due < now,
                or_(h.state == "proposed", (h.state == "escalated") & h.decision_late_at.is_(None)),
                h.plan.in_([plan.id for plan in rules.service.plans.values() if plan.handover]),
            )
            .order_by(h.due)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    ).all()
    if not rows:
        return 0
    told: list[EventData] = []
    for row in rows:
        plan, _ = rules.plan(row.plan)
        answer = row.state == HandoverState.PROPOSED
        counted = await count_matter(conn, row.matter_id, now, late=handover_matters.c.late + int(answer))
        owes = (row.to_agency or row.from_agency, row.to_unit) if answer else (plan.office, None)
        told.append(
            HandoverLate(
                **facts(rules, row, counted.bounces), stage="answer" if answer else "decision",
                late_agency=owes[0], late_unit=owes[1], rule=row.rule, due=row.due, late_at=now,
            )
        )  # fmt: skip
        if answer:
            await conn.execute(update(handovers).where(h.id == row.id).values(answer_late_at=now))
            _, event = await to_office(conn, rules, row, "late", counted.bounces, now)
            told.append(event)
        else:
            await conn.execute(update(handovers).where(h.id == row.id).values(decision_late_at=now))
    await outbox.put(conn, kit.outbox, told, now)
    ids = [row.id for row in rows]
    await audit.record(conn, kit, service_caller("intake"), "handover.late", "handover", ids, now, count=len(ids))
    return len(rows)
