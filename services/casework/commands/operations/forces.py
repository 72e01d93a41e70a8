"""Who takes part in an operation, with how many and with what task (参加力量)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.commands.operations.common import BEFORE_ITS_END, held, planner, sealed
from services.casework.commands.operations.naming import Named, add_member, check_named
from services.casework.commands.reach import repeated, same_version
from services.casework.tables import kit, operation_forces
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.problem import NotFound

_f = operation_forces.c


@dataclass(frozen=True, slots=True)
class Force:
    """A force: agency (and unit), people, vehicles; its task and meeting point in words."""

    agency: str
    unit: str | None
    people: int
    vehicles: int = 0
    task: str | None = None
    meeting_point: str | None = None


async def add_force(
    conn: AsyncConnection, basis: Basis, caller: Caller, operation_id: UUID, wanted: Force, *, claim: Claim, now: datetime
) -> UUID:  # fmt: skip
    """Add a force; its unit is thereby let into the operation. Raises `NotFound`, `Forbidden`, `Conflict`, `Invalid`."""
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    row = await held(conn, caller, operation_id)
    planner(caller, row, BEFORE_ITS_END)
    named = Named(wanted.agency, wanted.unit)
    check_named(basis.plan(row.plan), named)
    await insert_many(
        conn,
        operation_forces,
        [
            {
                "id": claim.object_id, "proceeding_id": operation_id, "agency": wanted.agency, "unit": wanted.unit,
                "people": wanted.people, "vehicles": wanted.vehicles, "words": _words(basis, operation_id, wanted),
                "withdrawn_at": None, "version": 1,
            }
        ],
    )  # fmt: skip
    await add_member(conn, operation_id, named, caller.actor, now)
    await audit.record(
        conn, kit, caller, "operation.force", "proceeding", [operation_id], now, agency=wanted.agency, unit=wanted.unit,
        people=wanted.people, force=str(claim.object_id),
    )  # fmt: skip
    return claim.object_id


async def change_force(
    conn: AsyncConnection, basis: Basis, caller: Caller, operation_id: UUID, force_id: UUID, wanted: Force, *,
    version: int, claim: Claim, now: datetime,
) -> None:  # fmt: skip
    """Change how many, the task or the meeting point of a force; its agency stays. Raises also `Outdated`."""
    if await repeated(conn, claim, now) is not None:
        return
    force = await _to_change(conn, caller, operation_id, force_id, version)
    await conn.execute(
        update(operation_forces)
        .where(_f.id == force_id)
        .values(
            people=wanted.people, vehicles=wanted.vehicles, words=_words(basis, operation_id, wanted),
            version=force.version + 1,
        )
    )  # fmt: skip
    await audit.record(
        conn, kit, caller, "operation.force.change", "proceeding", [operation_id], now, force=str(force_id),
        people=wanted.people,
    )  # fmt: skip


async def withdraw_force(
    conn: AsyncConnection, caller: Caller, operation_id: UUID, force_id: UUID, *, version: int, claim: Claim, now: datetime
) -> None:  # fmt: skip
    """Take a force out of the operation; that its unit was named stays on record. Raises also `Outdated`."""
    if await repeated(conn, claim, now) is not None:
        return
    force = await _to_change(conn, caller, operation_id, force_id, version)
    await conn.execute(
        update(operation_forces).where(_f.id == force_id).values(withdrawn_at=now, version=force.version + 1)
    )
    await audit.record(
        conn, kit, caller, "operation.force.withdraw", "proceeding", [operation_id], now, force=str(force_id)
    )


async def _to_change(conn: AsyncConnection, caller: Caller, operation_id: UUID, force_id: UUID, version: int) -> Any:
    row = await held(conn, caller, operation_id)
    planner(caller, row, BEFORE_ITS_END)
    query = select(operation_forces).where(
        _f.id == force_id, _f.proceeding_id == operation_id, _f.withdrawn_at.is_(None)
    )
    force = (await conn.execute(query.with_for_update())).one_or_none()
    if force is None:
        raise NotFound("没有这支力量。 There is no such force.", code="force-not-found")
    same_version(force, version)
    return force


def _words(basis: Basis, operation_id: UUID, wanted: Force) -> bytes | None:
    return sealed(basis, operation_id, {"task": wanted.task, "meeting_point": wanted.meeting_point})
