"""What a figure is made of: its lines, its entries, and what each entry rests on, as far as the reader may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.queries import sums
from services.scoring.queries.ledger import LedgerFilter, visible
from services.scoring.tables import ledger, obligations, standings
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
    part = sums.parts(wanted, lines=True)

    def counted(column: Any) -> Any:
        return cast(func.sum(column), Integer)

    lines = (
        await conn.execute(
            select(
                standings.c.plan,
                standings.c.rulebook,
                part.c.line,
                func.max(part.c.clause).label("clause"),
                func.sum(part.c.points).label("points"),
                counted(part.c.entries).label("entries"),
                counted(part.c.corrections).label("corrections"),
                func.bool_or(part.c.assumed).label("assumed"),
                counted(part.c.in_time).label("in_time"),
                counted(part.c.late).label("late"),
                func.max(part.c.newest).label("newest"),
            )
            .join(part, part.c.standing == standings.c.key)
            .where(visible(caller, right, standings, part.c.area), *sums.narrowed(wanted))
            .group_by(standings.c.plan, standings.c.rulebook, part.c.line)
            .order_by(standings.c.rulebook, func.sum(part.c.points), part.c.line)
        )
    ).all()
    where = (visible(caller, right), *wanted.conditions())
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
