"""What a joint operation brought, as its events tell it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.commands.proceedings import rows, secrecy
from services.casework.domain.operations import figures
from services.casework.tables import cases, operation_entries, operation_forces, proceeding_steps
from shared.events.operations import OperationResult

_e = operation_entries.c


async def sums_of(conn: AsyncConnection, operation_id: UUID) -> dict[str, int]:
    """What the standing entries of an operation add up to."""
    query = select(_e.kind, _e.counts).where(_e.proceeding_id == operation_id, _e.withdrawn_at.is_(None))
    return figures((one.kind, one.counts) for one in await conn.execute(query))


async def tell_result(conn: AsyncConnection, basis: Basis, row: Any, state: str, now: datetime) -> None:
    """Publish what an operation brought: at its end, and as it was reported."""
    number = await conn.scalar(select(cases.c.number).where(cases.c.id == row.case_id)) if row.case_id else None
    f = operation_forces.c
    forces = select(f.agency, func.sum(f.people).label("people")).where(
        f.proceeding_id == row.id, f.withdrawn_at.is_(None)
    )
    took_part = (await conn.execute(forces.group_by(f.agency).order_by(f.agency))).all()
    told = rows.told(basis, row._mapping, None) | {"case_number": number}
    event = OperationResult(
        **told,
        state=state,
        agencies=tuple(one.agency for one in took_part),
        officers=sum(one.people for one in took_part),
        figures=await sums_of(conn, row.id),
        started_at=await started(conn, row.id) or now,
        told_at=now,
    )
    await secrecy.tell(conn, row._mapping, [event], now)


async def started(conn: AsyncConnection, operation_id: UUID) -> datetime | None:
    """When an operation began, or None before."""
    s = proceeding_steps.c
    return await conn.scalar(select(func.max(s.at)).where(s.proceeding_id == operation_id, s.step == "start"))
