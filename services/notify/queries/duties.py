"""Duties as those who have them, and the office, see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.duties import DutyState
from services.notify.tables import duties, duty_proofs
from shared.kit import pagination
from shared.kit.access import Caller, scope
from shared.kit.problem import NotFound

d = duties.c
_LATE = (DutyState.OPEN.value, DutyState.MISSED.value)


def visible(caller: Caller, right: str) -> ColumnElement[bool]:
    """The duties within a caller's reach; of a unit's own and of the whole agency where the reach is the unit."""
    return scope(
        caller,
        right,
        plan=d.plan,
        agency=lambda agency: d.agency == agency,
        unit=lambda agency, unit: (d.agency == agency) & or_(d.unit == unit, d.unit.is_(None)),
        area=d.area,
    )


def is_late(now: datetime) -> ColumnElement[bool]:
    """Not done, past its time, and the lateness counts."""
    return and_(d.state.in_(_LATE), d.counts, d.due < now)


async def listed(
    conn: AsyncConnection,
    caller: Caller,
    now: datetime,
    *,
    show: str | None = None,
    agency: str | None = None,
    area: str | None = None,
    phase: str | None = None,
    cursor: str | None = None,
    limit: int,
) -> tuple[Sequence[Any], str | None]:
    """Duties in the order in which they are due. `show`: late, open (not late), past (ended uncounted), done, dropped."""
    wanted = select(duties).where(visible(caller, "duty.read")).order_by(d.due, d.id).limit(limit + 1)
    if show == "late":
        wanted = wanted.where(is_late(now))
    elif show == "open":
        wanted = wanted.where(d.state == DutyState.OPEN.value, d.due >= now)
    elif show == "past":
        wanted = wanted.where(d.state == DutyState.OPEN.value, d.due < now, ~d.counts)
    elif show:
        wanted = wanted.where(d.state == show)
    for column, value in ((d.agency, agency), (d.area, area), (d.phase, phase)):
        if value:
            wanted = wanted.where(column == value)
    after = pagination.decode(cursor, [datetime.fromisoformat, UUID])
    if after:
        wanted = wanted.where(tuple_(d.due, d.id) > tuple_(*after))
    rows = (await conn.execute(wanted)).all()
    return pagination.page(rows, limit, lambda row: [row.due.isoformat(), str(row.id)])


async def counts(conn: AsyncConnection, caller: Caller, now: datetime, agency: str | None = None) -> list[Any]:
    """For each agency within reach: how many duties are late, run, are done, are past without counting."""
    wanted = (
        select(
            d.plan,
            d.agency,
            func.count().filter(is_late(now)).label("late"),
            func.count().filter(d.state == DutyState.OPEN.value, d.due >= now).label("open"),
            func.count().filter(d.state == DutyState.DONE.value).label("done"),
            func.count().filter(d.state == DutyState.DONE.value, d.late).label("done_late"),
            func.count().filter(d.state == DutyState.OPEN.value, d.due < now, ~d.counts).label("past"),
        )
        .where(visible(caller, "duty.read"))
        .group_by(d.plan, d.agency)
        .order_by(func.count().filter(is_late(now)).desc(), d.plan, d.agency)
    )
    if agency:
        wanted = wanted.where(d.agency == agency)
    return list((await conn.execute(wanted)).all())


async def one(conn: AsyncConnection, caller: Caller, duty_id: UUID, right: str = "duty.read", *, lock: bool = False) -> Any:
    """A duty within the caller's reach; NotFound otherwise."""
    wanted = select(duties).where(d.id == duty_id, visible(caller, right))
    row = (await conn.execute(wanted.with_for_update() if lock else wanted)).one_or_none()
    if row is None:
        raise NotFound("没有这项职责，或不归您办理。 No such duty, or not yours.", code="duty-not-found")
    return row


async def proofs_of(conn: AsyncConnection, ids: Sequence[UUID]) -> list[Any]:
    """The proofs of some duties, in the order in which they were given."""
    p = duty_proofs.c
    wanted = select(duty_proofs).where(p.duty_id == func.any(list(ids))).order_by(p.recorded_at, p.id)
    return list((await conn.execute(wanted)).all())


async def of_meeting(conn: AsyncConnection, meeting_id: UUID) -> list[Any]:
    """The duties that a meeting's decisions set."""
    return list((await conn.execute(select(duties).where(d.meeting_id == meeting_id).order_by(d.created_at, d.id))).all())
