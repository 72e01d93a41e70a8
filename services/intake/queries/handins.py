"""What became of what an outside system handed in; to that system's agency alone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.tables import tips
from services.intake.tables.handins import handin_exchanges, handins
from shared.kit.access import Caller


def _own(caller: Caller, table: Any) -> ColumnElement[bool]:
    return (table.c.plan == caller.plan) & (table.c.agency == caller.agency)


async def exchanges(
    conn: AsyncConnection, caller: Caller, *, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Row[Any]]:
    """The agency's exchanges, oldest first."""
    e = handin_exchanges
    query = select(e).where(_own(caller, e))
    if after:
        query = query.where(tuple_(e.c.at, e.c.id) > tuple_(*after))
    return (await conn.execute(query.order_by(e.c.at, e.c.id).limit(limit + 1))).all()


async def handed_in(
    conn: AsyncConnection, caller: Caller, *, form: str | None, after: int | None, limit: int
) -> Sequence[Row[Any]]:
    """The agency's items with their tips, in the order they came in."""
    h = handins
    query = (
        select(
            tips, h.c.seq, h.c.format, h.c.external_ref.label("number"), h.c.dispatched_by, h.c.dispatch_no
        )
        .join(tips, tips.c.id == h.c.tip_id)
        .where(_own(caller, h))
    )
    if form:
        query = query.where(h.c.format == form)
    if after is not None:
        query = query.where(h.c.seq > after)
    return (await conn.execute(query.order_by(h.c.seq).limit(limit + 1))).all()
