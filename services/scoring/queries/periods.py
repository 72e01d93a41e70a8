"""Closed periods within a caller's reach: as they were frozen, and what came to be known later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, cast, func, select, union
from sqlalchemy import Integer as Whole
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.periods import Period, frozen
from services.scoring.queries.ledger import LATE
from services.scoring.queries.ledger import visible as entry_visible
from services.scoring.tables import ledger, obligations, period_standings, periods
from shared.kit.access import Caller, scope


def _visible(caller: Caller, right: str) -> ColumnElement[bool]:
    table = period_standings
    return scope(
        caller,
        right,
        plan=table.c.plan,
        agency=lambda agency: table.c.agency == agency,
        unit=lambda agency, unit: and_(table.c.agency == agency, table.c.unit == unit),
        area=table.c.area,
    )


def whole(caller: Caller, right: str, plan: str) -> bool:
    """Whether a caller's reach takes in all of a plan, so that the frozen document may be handed over."""
    reach = caller.reach(right)
    return reach == "all" or (reach == "plan" and caller.plan == plan)


async def closed(conn: AsyncConnection, caller: Caller, right: str, *, plan: str | None = None) -> Sequence[Any]:
    """Closed periods, newest first."""
    query = select(periods).order_by(periods.c.last.desc(), periods.c.first.desc(), periods.c.plan)
    if caller.reach(right) != "all":
        query = query.where(periods.c.plan == caller.plan)
    if plan is not None:
        query = query.where(periods.c.plan == plan)
    return (await conn.execute(query)).all()


async def one(conn: AsyncConnection, caller: Caller, right: str, plan: str, label: str) -> Any | None:
    """One closed period."""
    if caller.reach(right) != "all" and caller.plan != plan:
        return None
    query = select(periods).where(periods.c.plan == plan, periods.c.label == label)
    return (await conn.execute(query)).one_or_none()


async def as_closed(conn: AsyncConnection, caller: Caller, right: str, period: Any) -> Sequence[Any]:
    """The frozen standings a caller may see, best first."""
    table = period_standings
    return (
        await conn.execute(
            select(table)
            .where(table.c.period_id == period.id, _visible(caller, right))
            .order_by(table.c.rulebook, table.c.points.desc(), table.c.late, table.c.agency, table.c.unit)
        )
    ).all()


async def corrections(conn: AsyncConnection, caller: Caller, right: str, period: Any, limit: int) -> Sequence[Any]:
    """Entries recorded after the close that are about the period's days, or take back what was counted in it."""
    taken = ledger.alias("taken")
    late = select(ledger.c.entry_id).where(
        ledger.c.plan == period.plan, ledger.c.occurred_on.between(period.first, period.last), ledger.c.seq > period.seq
    )
    back = (
        select(ledger.c.entry_id)
        .join(taken, taken.c.entry_id == ledger.c.corrects)
        .where(
            ledger.c.corrects.is_not(None),
            ledger.c.plan == period.plan,
            ledger.c.seq > period.seq,
            taken.c.occurred_on.between(period.first, period.last),
            taken.c.seq <= period.seq,
        )
    )
    query = (
        select(ledger, obligations.c.number, obligations.c.due, obligations.c.provisional)
        .outerjoin(obligations, obligations.c.deadline_id == ledger.c.deadline_id)
        .where(ledger.c.entry_id.in_(union(late, back)), entry_visible(caller, right))
        .order_by(ledger.c.seq)
        .limit(limit)
    )
    return (await conn.execute(query)).all()


async def summed(conn: AsyncConnection, plan: str, period: Period, seq: int) -> Sequence[Any]:
    """The standings of a period from the entries up to a seq."""
    sign = case((ledger.c.corrects.is_(None), 1), else_=-1)
    keys = (
        ledger.c.plan, ledger.c.rulebook, ledger.c.agency, ledger.c.unit, ledger.c.subject_kind, ledger.c.subject,
    )  # fmt: skip

    def counted(condition: Any) -> Any:
        return cast(func.coalesce(func.sum(sign).filter(condition), 0), Whole)

    return (
        await conn.execute(
            select(
                *keys,
                func.sum(ledger.c.points).label("points"),
                func.count().label("entries"),
                counted(ledger.c.outcome == "met").label("in_time"),
                counted(ledger.c.outcome.in_(LATE)).label("late"),
                func.max(ledger.c.recorded_at).label("as_of"),
            )
            .where(ledger.c.plan == plan, ledger.c.occurred_on.between(period.first, period.last), ledger.c.seq <= seq)
            .group_by(*keys)
        )
    ).all()


async def document_of(conn: AsyncConnection, row: Any) -> bytes:
    """The document that the rows of a closed period make."""
    table = period_standings
    rows = (await conn.execute(select(table).where(table.c.period_id == row.id))).all()
    period = Period(row.label, row.first, row.last)
    return frozen(row.plan, period, row.closed_at, row.seq, row.entries, rows)
