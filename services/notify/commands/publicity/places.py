"""Places that campaigns go to, registered beside those of the plan: schools, factories, markets."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands.publicity import scheduling
from services.notify.commands.publicity.parts import PublicityRoom, check_version, refuse_personal, repeated, wrong
from services.notify.tables import kit, publicity_places
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, NotFound

p = publicity_places.c


async def register(
    conn: AsyncConnection, room: PublicityRoom, caller: Caller, place_id: UUID, kind: str, name: str, area: str,
    claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """Register a place; what its kind is asked for appears in the schedule at once. Raises `Invalid`, `Conflict`."""
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    plan = room.plan_of(caller)
    if area not in {one.id for one in plan.areas}:
        raise wrong([("area", "unknown-area", "方案里没有这个地区", "the plan has no such area")])
    refuse_personal(plan, name=name)
    row = {
        "id": place_id, "plan": plan.id, "kind": kind, "name": name, "area": area, "active": True, "created_at": now,
        "created_by": caller.actor, "changed_at": now, "version": 1,
    }  # fmt: skip
    try:
        async with conn.begin_nested():
            await conn.execute(insert(publicity_places).values(row))
    except IntegrityError as error:
        raise Conflict("这个场所已登记；未重复保存。 That place is there already; nothing was kept twice.", code="place-known") from error
    await audit.record(conn, kit, caller, "publicity.place", "publicity_place", [place_id], now, kind=kind, area=area)
    await scheduling.make(conn, plan, now)
    return place_id


async def switch(
    conn: AsyncConnection, room: PublicityRoom, caller: Caller, place_id: UUID, version: int, active: bool, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """Take a place out of the schedule, or in again. Raises `NotFound`, `Outdated`."""
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    query = select(publicity_places).where(p.id == place_id, p.plan == caller.plan).with_for_update()
    row: Any = (await conn.execute(query)).one_or_none()
    if row is None:
        raise NotFound("没有这个场所。 There is no such place.", code="place-not-found")
    check_version(row, version)
    change = update(publicity_places).where(p.id == place_id)
    await conn.execute(change.values(active=active, changed_at=now, version=row.version + 1))
    await audit.record(conn, kit, caller, "publicity.place", "publicity_place", [place_id], now, active=active)
    await scheduling.make(conn, room.plan(row.plan), now)
    return place_id
