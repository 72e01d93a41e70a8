"""Clocks of proceedings that passed: marked, told, and followed by the step that the procedure names."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.commands.proceedings import rows, secrecy
from services.casework.commands.proceedings.stepping import apply_step
from services.casework.commands.records import deadline_changes, published
from services.casework.domain.cases import Clock
from services.casework.domain.proceedings import decide_miss
from services.casework.tables import cases, deadlines, kit, proceedings
from shared.events.proceedings import ProceedingDeadlineMissed
from shared.kit import audit
from shared.kit.access import service_caller
from shared.rules.deadlines import State


async def mark_proceedings_missed(conn: AsyncConnection, basis: Basis, now: datetime, *, limit: int = 100) -> int:
    """Mark running clocks of proceedings whose moment has passed; returns how many, at most `limit`.

    Where the procedure names a step for that (a deemed lifting, an expiry), the system takes it in the same
    transaction. Locked proceedings are skipped: a step that holds one decides for itself whether it is late.
    """
    due = (
        select(deadlines.c.id, deadlines.c.kind, deadlines.c.agency, deadlines.c.unit, deadlines.c.proceeding_id)
        .where(deadlines.c.state == "running", deadlines.c.due < now, deadlines.c.proceeding_id.is_not(None))
        .order_by(deadlines.c.due)
        .limit(limit)
    )
    marked = []
    for one in (await conn.execute(due)).all():
        held = await _held(conn, one.proceeding_id)
        if held is None:
            continue
        row, case = held
        proceeding = await rows.proceeding_of(conn, row)
        clock = proceeding.clocks.get(one.kind)
        if clock is None or clock.id != str(one.id) or clock.state is not State.RUNNING:
            continue
        _, version = rows.procedure_of(basis, row)
        after, step = decide_miss(version, proceeding, one.kind, now)
        await conn.execute(
            update(deadlines)
            .where(deadlines.c.id == one.id)
            .values(**deadline_changes(after), version=deadlines.c.version + 1)
        )
        if after.state is State.MISSED:  # a term that was given to a party is over, and nobody is late
            await conn.execute(
                update(proceedings).where(proceedings.c.id == row.id).values(missed=proceedings.c.missed + 1)
            )
            await rows.count_missed(conn, row.case_id, 1)
            told = rows.told(basis, row._mapping, case)
            fact = published(Clock(one.agency, one.unit, after))
            missed = ProceedingDeadlineMissed(**told, state=row.state, deadline=fact, missed_at=now)
            await secrecy.tell(conn, row._mapping, [missed], now)
        if step is not None:
            fresh = (await conn.execute(select(proceedings).where(proceedings.c.id == row.id))).one()
            await apply_step(conn, basis, fresh, step, {}, rows.SYSTEM, now)
        marked.append(one.id)
    if marked:
        who = service_caller("casework")
        await audit.record(conn, kit, who, "deadline.miss", "deadline", marked, now, count=len(marked))
    return len(marked)


async def _held(conn: AsyncConnection, proceeding_id: UUID) -> tuple[Any, Any | None] | None:
    """The proceeding and its case, locked in the order that steps lock them; None when another one holds them."""
    case = None
    case_id = await conn.scalar(select(proceedings.c.case_id).where(proceedings.c.id == proceeding_id))
    if case_id is not None:
        query = select(cases).where(cases.c.id == case_id).with_for_update(skip_locked=True)
        case = (await conn.execute(query)).one_or_none()
        if case is None:
            return None
    query = select(proceedings).where(proceedings.c.id == proceeding_id).with_for_update(skip_locked=True)
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else (row, case)
