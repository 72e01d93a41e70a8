"""Meetings as those asked to come, and the office, see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.meetings import MeetingState
from services.notify.tables import meetings
from shared.kit import pagination
from shared.kit.access import Caller, scope
from shared.kit.problem import NotFound

m = meetings.c


def visible(caller: Caller, right: str) -> ColumnElement[bool]:
    """The meetings that a caller's agency calls or is asked to; all of the plan where the right reaches so far."""
    return scope(caller, right, plan=m.plan, agency=lambda agency: m.agencies.contains([agency]))


def mine(caller: Caller, right: str) -> ColumnElement[bool]:
    """The meetings that a caller's agency calls; all of the plan where the right reaches so far."""
    return scope(caller, right, plan=m.plan, agency=lambda agency: m.agency == agency)


async def listed(
    conn: AsyncConnection, caller: Caller, now: datetime, *, show: str, cursor: str | None = None, limit: int
) -> tuple[Sequence[Any], str | None]:
    """`coming`: called and not over, the next first; `minutes`: held or past, minutes open; `past`: the latest first."""
    wanted = select(meetings).where(visible(caller, "meeting.read")).limit(limit + 1)
    after = pagination.decode(cursor, [datetime.fromisoformat, UUID])
    if show == "past":
        wanted = wanted.where(m.state.in_((MeetingState.CLOSED.value, MeetingState.CANCELLED.value)))
        wanted = wanted.order_by(m.starts_at.desc(), m.id.desc())
        if after:
            wanted = wanted.where(tuple_(m.starts_at, m.id) < tuple_(*after))
    else:
        waits = (m.state == MeetingState.HELD.value) | ((m.state == MeetingState.CALLED.value) & (m.ends_at < now))
        coming = (m.state == MeetingState.CALLED.value) & (m.ends_at >= now)
        wanted = wanted.where(waits if show == "minutes" else coming).order_by(m.starts_at, m.id)
        if after:
            wanted = wanted.where(tuple_(m.starts_at, m.id) > tuple_(*after))
    rows = (await conn.execute(wanted)).all()
    return pagination.page(rows, limit, lambda row: [row.starts_at.isoformat(), str(row.id)])


async def one(conn: AsyncConnection, caller: Caller, meeting_id: UUID) -> Any:
    """A meeting the caller may see; NotFound otherwise."""
    return _found((await conn.execute(select(meetings).where(m.id == meeting_id, visible(caller, "meeting.read")))).all())


async def to_change(conn: AsyncConnection, caller: Caller, meeting_id: UUID) -> Any:
    """A meeting the caller may lead, locked; NotFound otherwise."""
    wanted = select(meetings).where(m.id == meeting_id, mine(caller, "meeting.manage")).with_for_update()
    return _found((await conn.execute(wanted)).all())


def _found(rows: Sequence[Any]) -> Any:
    if not rows:
        raise NotFound("没有这次会议，或不归您办理。 No such meeting, or not yours.", code="meeting-not-found")
    return rows[0]
