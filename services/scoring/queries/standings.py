"""Standings within a caller's reach: as they are now, what changed since, and as of any day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.queries import sums
from services.scoring.queries.ledger import LedgerFilter
from services.scoring.queries.ledger import visible as entry_visible
from services.scoring.tables import standings as table
from shared.kit.access import Caller, scope

MOST = 5000
"""Standings in one answer at the most."""


def visible(caller: Caller, right: str) -> ColumnElement[bool]:
    """Standings within a caller's reach; one who may see an area sees the units that have it as their own."""
    return scope(
        caller,
        right,
        plan=table.c.plan,
        agency=lambda agency: table.c.agency == agency,
        unit=lambda agency, unit: and_(table.c.agency == agency, table.c.unit == unit),
        area=table.c.area,
    )


def _narrowed(plan: str | None, rulebook: str | None, agency: str | None) -> list[ColumnElement[bool]]:
    wanted = {"plan": plan, "rulebook": rulebook, "agency": agency}
    return [table.c[name] == value for name, value in wanted.items() if value is not None]


async def standings(
    conn: AsyncConnection,
    caller: Caller,
    right: str,
    *,
    plan: str | None = None,
    rulebook: str | None = None,
    agency: str | None = None,
) -> Sequence[Any]:
    """Current standings, best first."""
    return (
        await conn.execute(
            select(table)
            .where(visible(caller, right), *_narrowed(plan, rulebook, agency))
            .order_by(table.c.plan, table.c.rulebook, table.c.points.desc(), table.c.late, table.c.agency, table.c.unit)
            .limit(MOST)
        )
    ).all()


async def standings_as_of(conn: AsyncConnection, caller: Caller, right: str, wanted: LedgerFilter) -> Sequence[Any]:
    """Standings summed up from the entries of a period, or as known at a moment, best first."""
    part = sums.parts(wanted)
    points, late = func.sum(part.c.points), cast(func.sum(part.c.late), Integer)
    entries = cast(func.sum(part.c.entries), Integer)
    summed = (
        select(
            part.c.standing,
            points.label("points"),
            entries.label("entries"),
            cast(func.sum(part.c.in_time), Integer).label("in_time"),
            late.label("late"),
            func.max(part.c.known).label("as_of"),
        )
        .group_by(part.c.standing)
        .subquery("summed")
    )
    return (
        await conn.execute(
            select(
                table.c.plan,
                table.c.rulebook,
                table.c.agency,
                table.c.unit,
                table.c.subject_kind,
                table.c.subject,
                summed.c.points,
                summed.c.entries,
                summed.c.in_time,
                summed.c.late,
                summed.c.entries.label("version"),
                summed.c.as_of,
            )
            .join(summed, summed.c.standing == table.c.key)
            .where(visible(caller, right), *sums.narrowed(wanted))
            .order_by(
                table.c.plan, table.c.rulebook, summed.c.points.desc(), summed.c.late, table.c.agency, table.c.unit
            )
            .limit(MOST)
        )
    ).all()


async def trend(conn: AsyncConnection, caller: Caller, right: str, since: date) -> dict[tuple[Any, ...], Any]:
    """The points that each subject's facts since a day come to, by plan, rulebook, agency, unit and subject."""
    keys = (table.c.plan, table.c.rulebook, table.c.agency, table.c.unit, table.c.subject_kind, table.c.subject)
    by_area = caller.reach(right) == "own_area"
    part = sums.parts(LedgerFilter(first=since), lines=by_area)
    rows = await conn.execute(
        select(*keys, func.sum(part.c.points).label("points"))
        .join(part, part.c.standing == table.c.key)
        .where(entry_visible(caller, right, table, part.c.area if by_area else table.c.area))
        .group_by(*keys)
    )
    return {tuple(row[:6]): row.points for row in rows}


async def changes(
    conn: AsyncConnection, caller: Caller, right: str, *, after: int, limit: int, plan: str | None = None
) -> Sequence[Any]:
    """Up to `limit + 1` standings that changed after a `changed_seq`, in the order they changed."""
    return (
        await conn.execute(
            select(table)
            .where(visible(caller, right), table.c.changed_seq > after, *_narrowed(plan, None, None))
            .order_by(table.c.changed_seq)
            .limit(limit + 1)
        )
    ).all()


async def newest_change(conn: AsyncConnection) -> int:
    """The number of the newest change of any standing; 0 before the first."""
    return (await conn.execute(select(func.coalesce(func.max(table.c.changed_seq), 0)))).scalar_one()
