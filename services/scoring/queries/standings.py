"""Standings within a caller's reach: as they are now, what changed since, and as of any day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.queries.ledger import LATE, LedgerFilter
from services.scoring.queries.ledger import visible as entry_visible
from services.scoring.tables import ledger
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
    sign = case((ledger.c.corrects.is_(None), 1), else_=-1)
    late, points = ledger.c.outcome.in_(LATE), func.sum(ledger.c.points)
    summed_late = cast(func.coalesce(func.sum(sign).filter(late), 0), Integer)
    return (
        await conn.execute(
            select(
                ledger.c.plan,
                ledger.c.rulebook,
                ledger.c.agency,
                ledger.c.unit,
                ledger.c.subject_kind,
                ledger.c.subject,
                points.label("points"),
                func.count().label("entries"),
                cast(func.coalesce(func.sum(sign).filter(ledger.c.outcome == "met"), 0), Integer).label("in_time"),
                summed_late.label("late"),
                func.count().label("version"),
                func.max(ledger.c.recorded_at).label("as_of"),
            )
            .join(
                table,
                and_(
                    table.c.plan == ledger.c.plan,
                    table.c.rulebook == ledger.c.rulebook,
                    table.c.agency == ledger.c.agency,
                    table.c.unit.is_not_distinct_from(ledger.c.unit),
                    table.c.subject_kind == ledger.c.subject_kind,
                    table.c.subject == ledger.c.subject,
                ),
            )
            .where(visible(caller, right), *wanted.conditions())
            .group_by(
                ledger.c.plan,
                ledger.c.rulebook,
                ledger.c.agency,
                ledger.c.unit,
                ledger.c.subject_kind,
                ledger.c.subject,
            )
            .order_by(ledger.c.plan, ledger.c.rulebook, points.desc(), summed_late, ledger.c.agency, ledger.c.unit)
            .limit(MOST)
        )
    ).all()


async def trend(conn: AsyncConnection, caller: Caller, right: str, since: date) -> dict[tuple[Any, ...], Any]:
    """The points that each subject's facts since a day come to, by plan, rulebook, agency, unit and subject."""
    keys = (ledger.c.plan, ledger.c.rulebook, ledger.c.agency, ledger.c.unit, ledger.c.subject_kind, ledger.c.subject)
    rows = await conn.execute(
        select(*keys, func.sum(ledger.c.points).label("points"))
        .where(entry_visible(caller, right), ledger.c.occurred_on >= since)
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
