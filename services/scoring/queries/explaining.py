"""What a figure is made of: its lines, its entries, and what each entry rests on, as far as the reader may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, and_, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.queries.ledger import LATE, LedgerFilter, visible
from services.scoring.tables import ledger, obligations
from shared.kit.access import Caller, scope


@dataclass(frozen=True, slots=True)
class Explained:
    """A figure: `total` over all entries, `lines` by rulebook line, `entries` a page of them, newest first."""

    total: Any
    lines: Sequence[Any]
    entries: Sequence[Any]
    corrected_by: Mapping[UUID, UUID]


def _may(caller: Caller, right: str) -> ColumnElement[bool]:
    """Whether the reader may open what an entry of this agency and area rests on."""
    return scope(
        caller,
        right,
        plan=ledger.c.plan,
        agency=lambda agency: ledger.c.agency == agency,
        unit=lambda agency, unit: and_(ledger.c.agency == agency, ledger.c.unit == unit),
        area=ledger.c.area,
    )


def _entry(caller: Caller) -> Any:
    return select(
        ledger,
        obligations.c.number,
        obligations.c.due,
        obligations.c.provisional,
        obligations.c.kind.label("owed"),
        obligations.c.rule,
        obligations.c.state,
        _may(caller, "case.read").label("case_open"),
        _may(caller, "finding.read").label("finding_open"),
    ).outerjoin(obligations, obligations.c.deadline_id == ledger.c.deadline_id)


async def explain(
    conn: AsyncConnection, caller: Caller, right: str, wanted: LedgerFilter, *, after: int | None, limit: int
) -> Explained:
    """The lines of a figure and up to `limit + 1` of its entries."""
    sign = case((ledger.c.corrects.is_(None), 1), else_=-1)
    where = (visible(caller, right), *wanted.conditions())

    def counted(condition: Any) -> Any:
        return cast(func.coalesce(func.sum(sign).filter(condition), 0), Integer)

    lines = (
        await conn.execute(
            select(
                ledger.c.plan,
                ledger.c.rulebook,
                ledger.c.line,
                func.max(ledger.c.clause).label("clause"),
                func.sum(ledger.c.points).label("points"),
                func.count().label("entries"),
                func.count().filter(ledger.c.corrects.is_not(None)).label("corrections"),
                func.bool_or(ledger.c.assumed).label("assumed"),
                counted(ledger.c.outcome == "met").label("in_time"),
                counted(ledger.c.outcome.in_(LATE)).label("late"),
                func.max(ledger.c.occurred_on).label("newest"),
            )
            .where(*where)
            .group_by(ledger.c.plan, ledger.c.rulebook, ledger.c.line)
            .order_by(ledger.c.rulebook, func.sum(ledger.c.points), ledger.c.line)
        )
    ).all()
    query = _entry(caller).where(*where).order_by(ledger.c.seq.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(ledger.c.seq < after)
    entries = (await conn.execute(query)).all()
    return Explained(sum(one.points for one in lines), lines, entries, await _corrections(conn, entries))


async def entry(conn: AsyncConnection, caller: Caller, right: str, entry_id: UUID) -> Explained | None:
    """One entry; None out of reach."""
    rows = (await conn.execute(_entry(caller).where(ledger.c.entry_id == entry_id, visible(caller, right)))).all()
    if not rows:
        return None
    return Explained(rows[0].points, (), rows, await _corrections(conn, rows))


async def _corrections(conn: AsyncConnection, entries: Sequence[Any]) -> Mapping[UUID, UUID]:
    ids = [one.entry_id for one in entries]
    if not ids:
        return {}
    rows = await conn.execute(select(ledger.c.corrects, ledger.c.entry_id).where(ledger.c.corrects.in_(ids)))
    return {row.corrects: row.entry_id for row in rows}
