"""The roll-call by phone (点名): each unit or officer says at the meeting point how many are there."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.operations.common import held
from services.casework.commands.proceedings.refusals import refusing
from services.casework.commands.reach import repeated
from services.casework.domain.operations import check_presence
from services.casework.tables import kit, operation_forces, operation_presence
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.idempotency import Claim
from shared.kit.problem import Forbidden, NotFound


async def confirm_presence(
    conn: AsyncConnection, caller: Caller, operation_id: UUID, force_id: UUID, people: int, *, claim: Claim, now: datetime
) -> None:  # fmt: skip
    """Say how many of a force are there; a later word of the same account replaces the earlier one.

    Raises `NotFound`, `Forbidden` (another unit's force) or `Conflict` (no roll-call now).
    """
    if await repeated(conn, claim, now) is not None:
        return
    row = await held(conn, caller, operation_id)
    f = operation_forces.c
    found = select(operation_forces).where(f.id == force_id, f.proceeding_id == operation_id, f.withdrawn_at.is_(None))
    force = (await conn.execute(found)).one_or_none()
    if force is None:
        raise NotFound("没有这支力量。 There is no such force.", code="force-not-found")
    if force.agency != caller.agency or (force.unit and caller.unit and force.unit != caller.unit):
        raise Forbidden(
            "只能为本单位的力量签到；未保存。 You can answer the roll-call for your own unit only; nothing was kept.",
            code="not-your-force",
        )
    with refusing():
        check_presence(row.state, row.facts, now)
    said = insert(operation_presence).values(
        force_id=force_id, principal=caller.id, proceeding_id=operation_id, people=people, first_at=now, at=now
    )
    await conn.execute(
        said.on_conflict_do_update(index_elements=["force_id", "principal"], set_={"people": people, "at": now})
    )
    await audit.record(
        conn, kit, caller, "operation.presence", "proceeding", [operation_id], now, force=str(force_id), people=people
    )
