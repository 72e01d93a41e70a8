"""Who stands in for whom, who is away, how officers are reached: kept by the office and by heads of agencies."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.channels import Channel, checked
from services.notify.domain.standing import Standing, faults
from services.notify.domain.targets import BadTargetError
from services.notify.queries.seats import RIGHT, reached
from services.notify.tables import accounts, contacts, kit, leaves, seats
from shared.kit import audit, idempotency
from shared.kit.access import Caller
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound, Outdated
from shared.kit.service import Service

KINDS = ("mobile", "phone", "email")
_PHONE = re.compile(r"\+?[0-9][0-9() -]{4,23}")
LONGEST_DAYS = 366


async def _known(conn: AsyncConnection, claim: Claim, now: datetime) -> UUID | None:
    earlier = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(earlier, Conflict):
        raise earlier
    return earlier


def _wrong(field: str, zh: str, en: str) -> Invalid:
    return Invalid(
        f"{zh}未保存任何内容。 {en} Nothing was kept.", errors=[{"field": field, "code": "unknown", "message": f"{zh} {en}"}]
    )


async def _officer(conn: AsyncConnection, caller: Caller, account_id: UUID, field: str = "account_id") -> Any:
    """An active account within the caller's reach, locked against change."""
    row = (
        await conn.execute(
            select(accounts).where(accounts.c.id == account_id, accounts.c.active, reached(caller, accounts.c)).with_for_update(read=True)
        )
    ).one_or_none()
    if row is None:
        if field == "account_id":
            raise NotFound("没有这位工作人员，或不归您管理。 No such officer, or not yours to manage.")
        raise _wrong(field, "没有这位代理人，或其账号已停用。", "No such deputy, or the account is not active.")
    return row


def _current(row: Any | None, version: int) -> None:
    there = row.version if row is not None else 0
    if there != version:
        raise Outdated("已被他人更改，请重新打开后再改；未保存。 Changed meanwhile; read it again. Nothing was kept.", version=there)


async def set_deputy(
    conn: AsyncConnection, svc: Service, caller: Caller, agency: str, unit: str | None, post: str, deputy_id: UUID | None,
    version: int, claim: Claim, now: datetime,
) -> Any:  # fmt: skip
    """Name the standing deputy of a seat, or nobody; version 0 for a seat that has never had one.

    Raises:
        Invalid: agency, unit, post or deputy unknown. Forbidden: another agency's. Outdated: changed meanwhile.
    """
    plan = svc.plans.get(caller.plan or "")
    if plan is None:
        raise Forbidden("您不属于任何方案。 You belong to no plan.")
    wrong = faults(plan, Standing(plan.id, agency, unit, (post,), ()))
    if wrong:
        raise _wrong(wrong[0][0], "方案里没有所列单位、机构或岗位。", "The plan does not know that agency, unit or post.")
    if caller.reach(RIGHT) == "own_agency" and agency != caller.agency:
        raise Forbidden("只能安排本单位的岗位；未保存。 Only seats of your own agency; nothing was kept.")
    known = await _known(conn, claim, now)
    where = (
        (seats.c.plan == plan.id) & (seats.c.agency == agency) & (seats.c.post == post)
        & seats.c.unit.is_not_distinct_from(unit)
    )  # fmt: skip
    row = (await conn.execute(select(seats).where(where).with_for_update())).one_or_none()
    if known is not None and row is not None:
        return row
    _current(row, version)
    if deputy_id is not None:
        await _officer(conn, caller, deputy_id, "deputy_id")
    values = {"deputy_id": deputy_id, "set_at": now, "set_by": caller.actor, "version": version + 1}
    if row is None:
        made = insert(seats).values(id=claim.object_id, plan=plan.id, agency=agency, unit=unit, post=post, **values)
        saved = (await conn.execute(made.on_conflict_do_nothing().returning(seats))).one_or_none()
        if saved is None:
            raise Outdated("已被他人更改，请重新打开后再改；未保存。 Changed meanwhile; read it again. Nothing was kept.", version=1)
    else:
        saved = (await conn.execute(update(seats).where(seats.c.id == row.id).values(**values).returning(seats))).one()
    await audit.record(conn, kit, caller, "seat.set", "seat", [saved.id], now, agency=agency, unit=unit, post=post)
    return saved


async def record_leave(
    conn: AsyncConnection, caller: Caller, account_id: UUID, deputy_id: UUID | None, first: date, last: date, claim: Claim,
    now: datetime,
) -> Any:  # fmt: skip
    """Record that an officer is away; without a deputy, the standing deputies of their seats stand in.

    Raises:
        NotFound: no such officer. Invalid: days in the wrong order or too many, deputy unknown or the same person.
    """
    officer = await _officer(conn, caller, account_id)
    if not first <= last or (last - first).days > LONGEST_DAYS:
        raise _wrong("last_day", "结束日不能早于开始日，且不超过一年。", "The last day is not before the first, nor a year after it.")
    if deputy_id == account_id:
        raise _wrong("deputy_id", "代理人不能是本人。", "Nobody stands in for themselves.")
    if deputy_id is not None:
        deputy = await _officer(conn, caller, deputy_id, "deputy_id")
        if deputy.plan != officer.plan:
            raise _wrong("deputy_id", "代理人须属于同一方案。", "The deputy must belong to the same plan.")
    known = await _known(conn, claim, now)
    if known is None:
        await conn.execute(
            insert(leaves).values(
                id=claim.object_id, account_id=account_id, deputy_id=deputy_id, first_day=first, last_day=last,
                set_at=now, set_by=caller.actor, version=1,
            )
        )  # fmt: skip
        await audit.record(
            conn, kit, caller, "leave.recorded", "account", [account_id], now,
            leave=str(claim.object_id), first=first.isoformat(), last=last.isoformat(), deputy=str(deputy_id or ""),
        )  # fmt: skip
    return (await conn.execute(select(leaves).where(leaves.c.id == (known or claim.object_id)))).one()


async def cancel_leave(
    conn: AsyncConnection, caller: Caller, leave_id: UUID, version: int, claim: Claim, now: datetime
) -> Any:
    """End a leave at once, or take it back. NotFound when it is not the caller's to manage."""
    mine = (
        select(leaves)
        .join(accounts, accounts.c.id == leaves.c.account_id)
        .where(leaves.c.id == leave_id, reached(caller, accounts.c))
        .with_for_update(of=leaves)
    )
    row = (await conn.execute(mine)).one_or_none()
    if row is None:
        raise NotFound("没有这条休假记录，或不归您管理。 No such leave, or not yours to manage.")
    if await _known(conn, claim, now) is not None:
        return row
    if row.cancelled_at is not None:
        raise Conflict("这条休假已经取消。 That leave is ended already.", code="leave-ended")
    _current(row, version)
    saved = (
        await conn.execute(
            update(leaves)
            .where(leaves.c.id == leave_id)
            .values(cancelled_at=now, set_at=now, set_by=caller.actor, version=row.version + 1)
            .returning(leaves)
        )
    ).one()
    await audit.record(conn, kit, caller, "leave.cancelled", "account", [row.account_id], now, leave=str(leave_id))
    return saved


def usable(kind: str, address: str) -> str:
    """A contact in the form in which it is kept. Raises `Invalid` for one that cannot be used."""
    try:
        if kind == "email":
            return checked(Channel.EMAIL, address.strip(), local=False)
        if kind == "mobile":
            return checked(Channel.SMS, address.strip(), local=False)
    except BadTargetError:
        pass
    else:
        if _PHONE.fullmatch(address.strip()):
            return address.strip()
    raise _wrong("address", "号码或地址的写法不对。", "The number or address is not written as one.")


async def set_contact(
    conn: AsyncConnection, svc: Service, caller: Caller, account_id: UUID, kind: str, address: str | None, version: int,
    claim: Claim, now: datetime,
) -> Any:  # fmt: skip
    """Keep how an officer is reached, sealed; None takes it off the list. Version 0 where there was none."""
    await _officer(conn, caller, account_id)
    kept = usable(kind, address) if address else None
    known = await _known(conn, claim, now)
    mine = (contacts.c.account_id == account_id) & (contacts.c.kind == kind)
    row = (await conn.execute(select(contacts).where(mine).with_for_update())).one_or_none()
    if known is not None and row is not None:
        return row
    _current(row, version)
    row_id = row.id if row is not None else claim.object_id
    sealed = svc.settings.keys.seal("contact", row_id.bytes, kept.encode()) if kept else None
    values = {"address": sealed, "set_at": now, "set_by": caller.actor, "version": version + 1}
    if row is None:
        made = insert(contacts).values(id=row_id, account_id=account_id, kind=kind, **values)
        saved = (await conn.execute(made.on_conflict_do_nothing().returning(contacts))).one_or_none()
        if saved is None:
            raise Outdated("已被他人更改，请重新打开后再改；未保存。 Changed meanwhile; read it again. Nothing was kept.", version=1)
    else:
        saved = (await conn.execute(update(contacts).where(mine).values(**values).returning(contacts))).one()
    await audit.record(conn, kit, caller, "contact.set", "account", [account_id], now, kind=kind, cleared=kept is None)
    return saved
