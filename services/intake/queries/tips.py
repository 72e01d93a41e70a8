"""Tips and leads from the database, within what the caller may see."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Row, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain.receipts import MissLimit, clean_receipt
from services.intake.queries.handovers import lead_reach, offered_lead, offered_tip
from services.intake.tables import leads, tips
from shared.kit import db
from shared.kit.access import Caller, scope
from shared.kit.crypto import KeyRing
from shared.kit.problem import Invalid, NotFound, TooMany
from shared.kit.service import Service


def visible_tips(caller: Caller, right: str = "tip.read") -> ColumnElement[bool]:
    """Tips within a caller's reach: routed to their agency (or unit), or handed in by it."""
    within = scope(
        caller,
        right,
        plan=tips.c.plan,
        agency=lambda agency: or_(tips.c.agency == agency, tips.c.source_agency == agency),
        unit=lambda agency, unit: (tips.c.agency == agency) & (tips.c.unit == unit),
        area=tips.c.area,
    )
    if right in ("tip.read", "tip.triage") and caller.reach("tip.elsewhere"):
        # what was told to go elsewhere is nobody's: the office looks whether that was right
        others = scope(
            caller,
            "tip.elsewhere",
            plan=tips.c.plan,
            agency=lambda agency: tips.c.source_agency == agency,
            area=tips.c.area,
        )
        within = or_(within, others & (tips.c.state == "referred"))
    return within


def visible_leads(caller: Caller, right: str = "lead.read") -> ColumnElement[bool]:
    """Leads within a caller's reach."""
    return scope(
        caller,
        right,
        plan=leads.c.plan,
        agency=lambda agency: leads.c.agency == agency,
        unit=lambda agency, unit: (leads.c.agency == agency) & (leads.c.unit == unit),
        area=leads.c.area,
    )


def seen_lead(caller: Caller) -> ColumnElement[bool]:
    """One lead that a caller may open: beyond lists, as party to its case, or because a handover offers it to them."""
    return or_(visible_leads(caller), lead_reach(caller, "lead.read"), offered_lead(caller))


def seen_tip(caller: Caller) -> ColumnElement[bool]:
    """One tip that a caller may open: beyond lists, because a handover offers it to them."""
    return or_(visible_tips(caller), offered_tip(caller))


async def list_tips(
    conn: AsyncConnection,
    caller: Caller,
    *,
    state: str | None,
    channel: str | None,
    urgent: bool | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Tips, newest first, one more than `limit` when there is a next page."""
    query = select(tips).where(visible_tips(caller))
    if state:
        query = query.where(tips.c.state == state)
    if channel:
        query = query.where(tips.c.channel == channel)
    if urgent is not None:
        # written out, not as a parameter, so that the index of urgent ones serves every plan of the statement
        query = query.where(tips.c.urgent if urgent else ~tips.c.urgent)
    if after:
        query = query.where(tuple_(tips.c.received_at, tips.c.id) < tuple_(*after))
    query = query.order_by(tips.c.received_at.desc(), tips.c.id.desc()).limit(limit + 1)
    return (await conn.execute(query)).all()


async def tip(conn: AsyncConnection, caller: Caller, tip_id: UUID) -> Row[Any] | None:
    """One tip, if the caller may see it; a tip that is offered by a handover may be read before it is taken."""
    return (await conn.execute(select(tips).where(tips.c.id == tip_id, seen_tip(caller)))).one_or_none()


async def reviewable(conn: AsyncConnection, caller: Caller, tip_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these tips the caller may review."""
    query = select(tips.c.id).where(tips.c.id.in_(tip_ids), visible_tips(caller, "tip.triage"))
    return frozenset(row.id for row in await conn.execute(query))


async def lead(conn: AsyncConnection, caller: Caller, lead_id: UUID) -> tuple[Row[Any], Sequence[UUID]] | None:
    """One lead and its tips' ids, if the caller may see it."""
    row = (await conn.execute(select(leads).where(leads.c.id == lead_id, seen_lead(caller)))).one_or_none()
    if row is None:
        return None
    ids = (await conn.execute(select(tips.c.id).where(tips.c.lead_id == lead_id).order_by(tips.c.received_at))).all()
    return row, [i.id for i in ids]


async def by_receipt(conn: AsyncConnection, keys: KeyRing, receipt: str) -> Row[Any] | None:
    """The tip a receipt belongs to."""
    token = keys.token("receipt_lookup", receipt)
    return (await conn.execute(select(tips).where(tips.c.receipt_hash == token))).one_or_none()


async def for_trace(
    conn: AsyncConnection, caller: Caller, ids: Sequence[UUID], receipt_hashes: Sequence[bytes]
) -> Sequence[Row[Any]]:
    """Tips found by tip id, lead id or receipt, among those the caller may trace."""
    found = or_(tips.c.id.in_(ids), tips.c.lead_id.in_(ids), tips.c.receipt_hash.in_(receipt_hashes))
    query = select(tips).where(found, visible_tips(caller, "trace.read")).order_by(tips.c.received_at).limit(500)
    return (await conn.execute(query)).all()


async def counts(conn: AsyncConnection) -> Sequence[Row[Any]]:
    """How many tips stand in which state, by channel."""
    query = select(tips.c.channel, tips.c.state, func.count().label("n")).group_by(tips.c.channel, tips.c.state)
    return (await conn.execute(query)).all()


def narrative(keys: KeyRing, row: Any) -> dict[str, Any]:
    """A tip's own words, opened. Whoever calls this records the reading in the audit log."""
    return orjson.loads(keys.open("narrative", row.id.bytes, bytes(row.narrative)))


async def tip_by_receipt(service: Service, limit: MissLimit, typed: str) -> Row[Any]:
    """The tip of a typed receipt.

    Invalid for a slip of typing, NotFound for a receipt that does not exist, TooMany while receipts are being
    guessed.
    """
    receipt = clean_receipt(typed)
    if receipt is None:
        raise Invalid(
            "回执号应为16位数字，请核对是否抄错。 A receipt has 16 digits; please check for a slip.",
            code="bad-receipt",
            errors=[{"field": "receipt", "code": "checksum", "message": "not a receipt"}],
        )
    if limit.reached(time.monotonic()):
        raise TooMany(
            "查询过于频繁，请一分钟后再试；您的举报不受影响。 Too many look-ups; wait a minute. Your tip is safe.",
            headers={"retry-after": "60"},
        )
    async with db.begin(service.engine) as conn:
        row = await by_receipt(conn, service.settings.keys, receipt)
    if row is None:
        limit.miss(time.monotonic())
        raise NotFound("没有找到这个回执号，请核对后再试。 No tip has this receipt; please check it.")
    return row
