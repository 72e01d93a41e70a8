"""Requests to see a reporter's contact: never the contact itself."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.tables import contact_reveals, reporter_contacts
from shared.kit.access import Caller, scope


def visible_reveals(caller: Caller) -> ColumnElement[bool]:
    """Requests that the caller made, or may decide on."""
    deciding = scope(
        caller,
        "reporter.reveal",
        plan=contact_reveals.c.plan,
        agency=lambda agency: contact_reveals.c.agency == agency,
        area=contact_reveals.c.area,
    )
    own = (contact_reveals.c.requested_by == caller.actor) & (contact_reveals.c.plan == caller.plan)
    return deciding | own


async def reveals(
    conn: AsyncConnection, caller: Caller, *, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Row[Any]]:
    """Requests in reach, newest first, one more than `limit` when there is a next page."""
    query = select(contact_reveals).where(visible_reveals(caller))
    if after:
        query = query.where(tuple_(contact_reveals.c.requested_at, contact_reveals.c.id) < tuple_(*after))
    query = query.order_by(contact_reveals.c.requested_at.desc(), contact_reveals.c.id.desc()).limit(limit + 1)
    return (await conn.execute(query)).all()


async def reveal(conn: AsyncConnection, caller: Caller, reveal_id: UUID) -> Row[Any] | None:
    """One request, if the caller may see it."""
    query = select(contact_reveals).where(contact_reveals.c.id == reveal_id, visible_reveals(caller))
    return (await conn.execute(query)).one_or_none()


async def named(conn: AsyncConnection, tip_id: UUID) -> bool:
    """Whether a tip's reporter left a contact."""
    query = select(reporter_contacts.c.tip_id).where(reporter_contacts.c.tip_id == tip_id)
    return (await conn.execute(query)).one_or_none() is not None
