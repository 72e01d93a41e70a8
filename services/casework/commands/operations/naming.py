"""Who may know of an operation before its hour (知情范围)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.commands.operations.common import BEFORE_ITS_END, held, planner
from services.casework.commands.reach import repeated
from services.casework.tables import kit, operation_members
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Invalid, NotFound
from shared.rules.plan import Plan

_m = operation_members.c


@dataclass(frozen=True, slots=True)
class Named:
    """Who is let into an operation: all that is given must fit a person (agency, unit of it, post, account id)."""

    agency: str | None = None
    unit: str | None = None
    post: str | None = None
    principal: str | None = None


async def name_member(
    conn: AsyncConnection, basis: Basis, caller: Caller, operation_id: UUID, wanted: Named, *, claim: Claim, now: datetime
) -> UUID:  # fmt: skip
    """Let somebody into an operation; returns the line's id. Raises `NotFound`, `Forbidden`, `Conflict` or `Invalid`."""
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    row = await held(conn, caller, operation_id)
    planner(caller, row, BEFORE_ITS_END)
    check_named(basis.plan(row.plan), wanted)
    made = await add_member(conn, operation_id, wanted, caller.actor, now, claim.object_id)
    await audit.record(
        conn, kit, caller, "operation.name", "proceeding", [operation_id], now, agency=wanted.agency, unit=wanted.unit,
        post=wanted.post, principal=wanted.principal,
    )  # fmt: skip
    return made


async def add_member(
    conn: AsyncConnection, operation_id: UUID, wanted: Named, by: str, now: datetime, made: UUID | None = None
) -> UUID:
    """Add a line, unless the same one stands already."""
    same = select(_m.id).where(
        _m.proceeding_id == operation_id, _m.struck_at.is_(None),
        *(_m[name].is_not_distinct_from(getattr(wanted, name)) for name in ("agency", "unit", "post", "principal")),
    )  # fmt: skip
    standing = (await conn.execute(same.limit(1))).scalar()
    if standing is not None:
        return standing
    line = {
        "id": made or new_id(), "proceeding_id": operation_id, "agency": wanted.agency, "unit": wanted.unit,
        "post": wanted.post, "principal": wanted.principal, "named_by": by, "named_at": now, "struck_at": None,
    }  # fmt: skip
    await insert_many(conn, operation_members, [line])
    return line["id"]


async def strike_member(
    conn: AsyncConnection, caller: Caller, operation_id: UUID, member_id: UUID, *, claim: Claim, now: datetime
) -> None:
    """Take somebody out again; the one who planned the operation stays. What was known cannot be made unknown, it is
    only shown no longer. Raises `NotFound`, `Forbidden` or `Conflict`."""
    if await repeated(conn, claim, now) is not None:
        return
    row = await held(conn, caller, operation_id)
    planner(caller, row, BEFORE_ITS_END)
    first = await conn.scalar(select(func.min(_m.named_at)).where(_m.proceeding_id == operation_id))
    line = (
        await conn.execute(
            select(operation_members).where(_m.id == member_id, _m.proceeding_id == operation_id, _m.struck_at.is_(None))
        )
    ).one_or_none()
    if line is None:
        raise NotFound("知情范围里没有这一项。 There is no such line.", code="member-not-found")
    if line.named_at == first and line.principal is not None:
        raise Conflict(
            "提出行动的人不能移出知情范围；未变动。 Who planned the operation stays in the know; nothing was changed.",
            code="planner-stays",
        )
    await conn.execute(update(operation_members).where(_m.id == member_id).values(struck_at=now))
    await audit.record(conn, kit, caller, "operation.strike", "proceeding", [operation_id], now, member=str(member_id))


def check_named(plan: Plan, wanted: Named) -> None:
    """Raises `Invalid` for agencies, units and posts that the plan does not have, or when nothing is named."""
    wrong: dict[str, str] = {}
    if not (wanted.agency or wanted.post or wanted.principal):
        wrong["agency"] = "请写明单位、岗位或账号 / name an agency, a post or an account"
    agency = next((one for one in plan.agencies if one.id == wanted.agency), None)
    if wanted.agency and agency is None:
        wrong["agency"] = "方案中没有这个单位 / no such agency in the plan"
    if wanted.unit and (agency is None or wanted.unit not in {unit.id for unit in agency.units}):
        wrong["unit"] = "该单位没有这个内设机构 / the agency has no such unit"
    if wanted.post and wanted.post not in {post.id for post in plan.posts}:
        wrong["post"] = "方案中没有这个岗位 / no such post in the plan"
    if wrong:
        raise Invalid("有的内容没有填对，未保存。 Some fields are wrong; nothing was kept.", code="fields", fields=wrong)
