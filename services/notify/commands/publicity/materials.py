"""Materials (标语、致居民一封信、短信、短片): drafted, issued as a version that never changes, revised, withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands.publicity.parts import (
    PublicityRoom,
    check_version,
    not_possible,
    refuse_personal,
    repeated,
    wrong,
)
from services.notify.domain.publicity.states import MATERIALS, Material, MaterialAct, NotPossible, after
from services.notify.queries.publicity.reach import within
from services.notify.tables import kit, publicity_material_versions, publicity_materials
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.problem import NotFound
from shared.rules.plan import Plan

m = publicity_materials.c


@dataclass(frozen=True, slots=True)
class Words:
    """What a material says and for which areas; none: for all."""

    title: str
    body: str
    areas: tuple[str, ...] = ()


def _check(plan: Plan, words: Words) -> None:
    known = {area.id for area in plan.areas}
    if any(area not in known for area in words.areas):
        raise wrong([("areas", "unknown-area", "方案里没有这个地区", "the plan has no such area")])
    refuse_personal(plan, title=words.title, body=words.body)


async def draft(
    conn: AsyncConnection, room: PublicityRoom, caller: Caller, material_id: UUID, kind: str, words: Words, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """Begin a material of the caller's agency. Raises `Invalid` for personal data or unknown areas."""
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    plan = room.plan_of(caller)
    _check(plan, words)
    row = {
        "id": material_id, "plan": plan.id, "agency": caller.agency or plan.office, "kind": kind, "title": words.title,
        "body": words.body, "areas": list(words.areas), "state": Material.DRAFT.value, "current": 0,
        "drafted_by": caller.actor, "created_at": now, "changed_at": now, "version": 1,
    }  # fmt: skip
    await insert_many(conn, publicity_materials, [row])
    await audit.record(conn, kit, caller, "material.drafted", "material", [material_id], now, kind=kind)
    return material_id


async def _locked(conn: AsyncConnection, caller: Caller, material_id: UUID, version: int) -> Any:
    mine = (m.id == material_id) & within(caller, "publicity.manage", publicity_materials)
    row = (await conn.execute(select(publicity_materials).where(mine).with_for_update())).one_or_none()
    if row is None:
        raise no_material()
    check_version(row, version)
    return row


def no_material() -> NotFound:
    """No such material for this caller."""
    return NotFound("没有这份材料，或不归您办。 No such material, or not yours.", code="material-not-found")


def _state(row: Any, action: MaterialAct) -> str:
    try:
        return after(MATERIALS, Material(row.state), action).value
    except NotPossible:
        raise not_possible(row.state, action.value) from None


async def save(
    conn: AsyncConnection, room: PublicityRoom, caller: Caller, material_id: UUID, version: int, words: Words, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """Change the draft; what is in use stays until the next is issued."""
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    row = await _locked(conn, caller, material_id, version)
    state = _state(row, MaterialAct.SAVE)
    _check(room.plan(row.plan), words)
    await _change(
        conn, row, now, state=state, title=words.title, body=words.body, areas=list(words.areas), drafted_by=caller.actor
    )
    await audit.record(conn, kit, caller, "material.saved", "material", [material_id], now)
    return material_id


async def issue(
    conn: AsyncConnection, caller: Caller, material_id: UUID, version: int, claim: Claim, now: datetime
) -> UUID:
    """Put the draft to use as the next version."""
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    row = await _locked(conn, caller, material_id, version)
    state, number = _state(row, MaterialAct.ISSUE), row.current + 1
    made = {
        "material_id": material_id, "number": number, "title": row.title, "body": row.body, "areas": row.areas,
        "drafted_by": row.drafted_by, "issued_by": caller.actor, "issued_at": now,
    }  # fmt: skip
    await conn.execute(insert(publicity_material_versions).values(made))
    await _change(conn, row, now, state=state, current=number)
    await audit.record(conn, kit, caller, "material.issued", "material", [material_id], now, number=number)
    return material_id


async def withdraw(
    conn: AsyncConnection, caller: Caller, material_id: UUID, version: int, claim: Claim, now: datetime
) -> UUID:
    """No longer to be spread; its versions stay on record."""
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    row = await _locked(conn, caller, material_id, version)
    await _change(conn, row, now, state=_state(row, MaterialAct.WITHDRAW))
    await audit.record(conn, kit, caller, "material.withdrawn", "material", [material_id], now)
    return material_id


async def _change(conn: AsyncConnection, row: Any, now: datetime, **values: Any) -> None:
    change = update(publicity_materials).where(m.id == row.id)
    await conn.execute(change.values(**values, changed_at=now, version=row.version + 1))


async def versions(conn: AsyncConnection, material_id: UUID) -> Sequence[Any]:
    """The versions of a material, the newest first."""
    v = publicity_material_versions.c
    query = select(publicity_material_versions).where(v.material_id == material_id).order_by(v.number.desc())
    return (await conn.execute(query)).all()
