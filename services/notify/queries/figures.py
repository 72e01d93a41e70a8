"""Figures of a period at a position of the event log."""

from datetime import date
from typing import Any

from sqlalchemy import func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.figures import Figures, summed
from services.notify.tables import figures
from shared.rules.plan import Plan

f = figures.c


async def position_now(conn: AsyncConnection) -> int:
    """The latest position before which nothing can be added any more: every running transaction lies behind it."""
    settled = select(literal_column("(pg_snapshot_xmin(pg_current_snapshot())::text)::bigint"))
    return (await conn.execute(settled)).scalar_one()


async def of_period(
    conn: AsyncConnection, plan: str, first: date, last: date, position: int, areas: tuple[str, ...] | None = None,
    agency: str | None = None,
) -> Figures:  # fmt: skip
    """The figures of the days `first` to `last` (both counted), of one agency or of some areas alone where named.

    Equal position, equal figures: rows are only ever added, and those added later stand at a later position.
    """
    total: Any = func.sum(f.number).cast(f.number.type)
    mark: Any = func.sum(f.mark)
    shown = (
        select(f.area, f.agency, f.measure, total, mark)
        .where(f.plan == plan, f.day >= first, f.day <= last, f.xid < position)
        .group_by(f.area, f.agency, f.measure)
    )
    if areas is not None:
        shown = shown.where(f.area.in_(areas))
    if agency is not None:
        shown = shown.where(f.agency == agency)
    rows = (await conn.execute(shown)).all()
    return summed(first, last, position, ((r[0], r[1], r[2], int(r[3]), int(r[4])) for r in rows))


def areas_of(plan: Plan, agency: str) -> tuple[str, ...] | None:
    """The areas whose figures are a community's own; None for an agency that is of no area."""
    home = plan.agency(agency).area
    return tuple(area.id for area in plan.areas if plan.within(area.id, home)) if home else None


async def of_agency(conn: AsyncConnection, plan: Plan, agency: str, first: date, last: date, position: int) -> Figures:
    """An agency's own figures: what it did; for a community, what happened in its area."""
    areas = areas_of(plan, agency)
    return await of_period(conn, plan.id, first, last, position, areas, None if areas else agency)
