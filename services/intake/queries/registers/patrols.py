"""Patrol tasks, routes by estate, the overdue board, and what became of what patrollers brought (D-E2, D-E4)."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, false, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain.registers.patrols import UNFINISHED
from services.intake.tables import check_ins, leads, patrol_tasks, rental_units, task_figures, tips
from shared.kit.access import Caller, scope

NO_ESTATE = UUID(int=0)
"""How a unit outside any estate stands in a route."""


def _visible(table: Table, caller: Caller) -> ColumnElement[bool]:
    """Tasks within reach: of those who read rentals, or who patrol there."""
    rights = [right for right in ("rental.read", "patrol.do") if caller.reach(right)]
    found: ColumnElement[bool] = false()
    for right in rights:
        found = found | scope(caller, right, plan=table.c.plan, agency=lambda agency: false(), area=table.c.area)
    return found


async def tasks(
    conn: AsyncConnection, caller: Caller, *, area: str | None = None, estate: UUID | None = None,
    state: str | None = None, cause: str | None = None, after: tuple[date, UUID] | None = None, limit: int = 50,
) -> Sequence[Any]:  # fmt: skip
    """Unfinished tasks, the longest due first; one more than `limit` when there is a next page."""
    t = patrol_tasks.c
    query = select(patrol_tasks).where(_visible(patrol_tasks, caller), t.state.in_(UNFINISHED))
    if area:
        query = query.where(t.area == area)
    if estate is not None:
        query = query.where(t.estate_id.is_(None) if estate == NO_ESTATE else t.estate_id == estate)
    if state:
        query = query.where(t.state == state)
    if cause:
        query = query.where(t.cause == cause)
    if after:
        query = query.where(tuple_(t.due, t.id) > tuple_(*after))
    return (await conn.execute(query.order_by(t.due, t.id).limit(limit + 1))).mappings().all()


async def route(conn: AsyncConnection, caller: Caller, area: str, estate: UUID, limit: int = 300) -> Sequence[Any]:
    """The unfinished tasks of one estate in walking order: by building, then by room."""
    t, u = patrol_tasks.c, rental_units.c
    query = (
        select(patrol_tasks, u.building, u.room)
        .join(rental_units, u.id == t.unit_id)
        .where(_visible(patrol_tasks, caller), t.state.in_(UNFINISHED), t.area == area)
        .where(t.estate_id.is_(None) if estate == NO_ESTATE else t.estate_id == estate)
        .order_by(func.length(u.building), u.building, func.length(u.room), u.room, t.id)
        .limit(limit)
    )
    return (await conn.execute(query)).mappings().all()


async def routes(conn: AsyncConnection, caller: Caller, area: str | None = None) -> list[dict[str, Any]]:
    """Unfinished tasks by community and estate: open and overdue."""
    f = task_figures.c
    query = select(task_figures).where(_visible(task_figures, caller), f.n > 0)
    if area:
        query = query.where(f.area == area)
    made: dict[tuple[str, str, UUID], dict[str, Any]] = {}
    for row in await conn.execute(query.order_by(f.area, f.estate, f.estate_id)):
        one = made.setdefault(
            (row.plan, row.area, row.estate_id),
            {
                "plan": row.plan, "area": row.area, "estate_id": row.estate_id, "estate": row.estate, "open": 0,
                "overdue": 0,
            },
        )  # fmt: skip
        one[row.state] += row.n
    return list(made.values())


async def by_area(conn: AsyncConnection, caller: Caller) -> list[dict[str, Any]]:
    """Unfinished tasks by community; the overdue board (D-E2)."""
    f = task_figures.c
    query = (
        select(f.plan, f.area, f.state, func.sum(f.n).label("n"))
        .where(_visible(task_figures, caller), f.n > 0)
        .group_by(f.plan, f.area, f.state)
        .order_by(f.area)
    )
    areas: dict[tuple[str, str], dict[str, Any]] = {}
    for row in await conn.execute(query):
        one = areas.setdefault((row.plan, row.area), {"plan": row.plan, "area": row.area, "open": 0, "overdue": 0})
        one[row.state] += int(row.n)
    return sorted(areas.values(), key=lambda one: -one["overdue"])


async def findings(conn: AsyncConnection, caller: Caller, limit: int = 50) -> Sequence[Any]:
    """What became of the suspicions a caller brought (D-E4): their leads' agency and unit, joined by tip.

    The tip's lead is read, not the check-in's: tips may meet in one lead later.
    """
    c = check_ins.c
    query = (
        select(
            c.id, c.at, c.unit_id, c.signs, c.tip_id, tips.c.state, tips.c.lead_id, leads.c.agency, leads.c.unit,
            leads.c.plan, leads.c.urgent, leads.c.received_at, patrol_tasks.c.place, patrol_tasks.c.estate,
        )
        .join(tips, tips.c.id == c.tip_id)
        .outerjoin(leads, leads.c.id == tips.c.lead_id)
        .join(patrol_tasks, patrol_tasks.c.id == c.task_id)
        .where(c.actor == caller.actor, c.tip_id.is_not(None))
        .order_by(c.at.desc())
        .limit(limit)
    )  # fmt: skip
    return (await conn.execute(query)).mappings().all()


async def counts(conn: AsyncConnection) -> Sequence[Any]:
    """Unfinished tasks by plan and state, for the gauges."""
    f = task_figures.c
    found = select(f.plan, f.state, func.sum(f.n).label("n")).group_by(f.plan, f.state)
    return (await conn.execute(found)).all()
