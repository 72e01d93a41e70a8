"""What stands beside measures and penalties in rows of its own: items, instalments, payments; what lapses soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Date, cast, func, literal, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.domain.guards.measures import HOLDING
from services.casework.domain.measures import Part, next_due, overdue
from services.casework.queries.proceedings import seen_by
from services.casework.tables import (
    cases,
    deadlines,
    measure_items,
    penalty_instalments,
    penalty_payments,
    proceedings,
)
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.rules.calendar import local_day

SEALED_BY = "case"

i, p, n, m = measure_items.c, proceedings.c, penalty_instalments.c, penalty_payments.c


async def tallies_of(conn: AsyncConnection, proceeding_id: UUID, category: str, today: date) -> dict[str, int]:
    """What guards count: items of a measure by state and their value in fen; a penalty's instalments and payments in fen."""
    if category == "measure":
        found = select(i.state, func.count(), func.coalesce(func.sum(i.value), 0)).where(i.proceeding_id == proceeding_id)
        rows = (await conn.execute(found.group_by(i.state))).all()
        return {state: count for state, count, _ in rows} | {
            "items": sum(row[1] for row in rows), "value": int(sum(row[2] for row in rows)),
        }  # fmt: skip
    if category == "penalty":
        parts = await instalments_of(conn, proceeding_id)
        paid = int(await conn.scalar(select(func.coalesce(func.sum(m.amount), 0)).where(m.proceeding_id == proceeding_id)) or 0)
        upcoming = next_due(parts, paid, today)
        return {
            "paid": paid,
            "next_due": upcoming.toordinal() if upcoming else 0,
            "instalments": len(parts),
            "planned": sum(one.amount for one in parts),
            "last_due": parts[-1].due_on.toordinal() if parts else 0,
            "overdue": overdue(parts, paid, today),
        }
    return {}


async def instalments_of(conn: AsyncConnection, proceeding_id: UUID) -> list[Part]:
    """The instalments that stand, in order."""
    found = select(n.due_on, n.amount).where(n.proceeding_id == proceeding_id).order_by(n.seq)
    return [Part(row.due_on, row.amount) for row in await conn.execute(found)]


async def items_of(conn: AsyncConnection, proceeding_id: UUID) -> Sequence[Any]:
    """The list of a measure, in its order."""
    return (await conn.execute(select(measure_items).where(i.proceeding_id == proceeding_id).order_by(i.seq))).all()


async def payments_of(conn: AsyncConnection, proceeding_id: UUID) -> Sequence[Any]:
    """What was paid, in order."""
    found = select(penalty_payments).where(m.proceeding_id == proceeding_id).order_by(m.paid_on, m.id)
    return (await conn.execute(found)).all()


async def beside(conn: AsyncConnection, keys: KeyRing, row: Any, *, open: bool, now: datetime) -> dict[str, Any]:
    """The rows that belong to a proceeding, as its page and its JSON show them; nothing where it is not open."""
    if not open:
        return {}
    if row.category == "measure":
        items = await items_of(conn, row.id)
        return {"items": [item_out(keys, one) for one in items]} if row.kind in HOLDING else {}
    if row.category == "penalty":
        parts, today = await instalments_of(conn, row.id), local_day(now)
        payments = await payments_of(conn, row.id)
        paid = sum(one.amount for one in payments)
        return {
            "instalments": [{"due_on": one.due_on, "amount": yuan(one.amount)} for one in parts],
            "payments": [
                {
                    "payment_id": one.id,
                    "paid_on": one.paid_on,
                    "amount": yuan(one.amount),
                    "way": one.way,
                    "receipt": keys.open(SEALED_BY, one.id.bytes, bytes(one.receipt)).decode(),
                }
                for one in payments
            ],
            "paid": yuan(paid),
            "overdue": yuan(overdue(parts, paid, today)),
        }
    return {}


def item_out(keys: KeyRing, row: Any) -> dict[str, Any]:
    """An item with its words opened."""
    words = orjson.loads(keys.open(SEALED_BY, row.id.bytes, bytes(row.details)))
    return {
        "item_id": row.id,
        "seq": row.seq,
        "kind": row.kind,
        "quantity": row.quantity,
        "value": yuan(row.value) if row.value is not None else None,
        **{name: words.get(name) for name in ("name", "unit", "holder", "kept_at", "remarks")},
        "evidence_id": row.evidence_id,
        "state": row.state,
        "ended_on": row.ended_on,
        "receipt": keys.open(SEALED_BY, row.id.bytes, bytes(row.receipt)).decode() if row.receipt else None,
    }


def yuan(fen: int) -> str:
    """Fen as yuan with two decimals."""
    return f"{fen // 100}.{fen % 100:02d}"


@dataclass(frozen=True, slots=True)
class Lapsing:
    """A measure within reach that ends soon: `row` of the proceeding with its case's number, `due`, and its article."""

    row: Any
    due: datetime | None
    until: date
    article: str | None
    provisional: bool


async def lapsing(conn: AsyncConnection, caller: Caller, now: datetime, days: int, *, limit: int = 200) -> list[Lapsing]:
    """Measures in force whose period, or whose freeze, ends within so many days; the first to end first."""
    d = deadlines.c
    last = local_day(now) + timedelta(days=days)
    clocks = (
        select(p.id, d.due, cast(func.timezone("Asia/Shanghai", d.due), Date).label("until"), d.article, d.provisional)
        .join(proceedings, p.id == d.proceeding_id)
        .where(d.state == "running", d.kind == "period", p.category == "measure", p.final.is_(False))
        .where(d.due < now + timedelta(days=days + 1), seen_by(caller))
    )
    frozen = select(
        p.id, null().label("due"), cast(p.facts["frozen_until"].astext, Date).label("until"), null().label("article"),
        literal(False).label("provisional"),
    ).where(
        p.kind == "freeze_request", p.state.in_(("frozen", "release_asked")),
        p.facts["frozen_until"].astext <= last.isoformat(), seen_by(caller),
    )  # fmt: skip
    found = union_all(clocks, frozen).subquery()
    query = (
        select(proceedings, cases.c.number.label("case_number"), found.c.due, found.c.until, found.c.article, found.c.provisional)
        .join(found, found.c.id == p.id)
        .outerjoin(cases, cases.c.id == p.case_id)
        .where(found.c.until <= last)
        .order_by(found.c.until, p.id)
        .limit(limit)
    )
    return [Lapsing(row, row.due, row.until, row.article, row.provisional) for row in await conn.execute(query)]
