"""Proceedings as their readers may see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.queries.secrecy import known_to, named
from services.casework.queries.visibility import within_reach
from services.casework.tables import cases, deadlines, proceeding_steps, proceedings
from shared.kit.access import Caller, scope

p = proceedings.c

READ = "proceeding.read"


def seen_by(caller: Caller) -> ColumnElement[bool]:
    """The proceedings a caller may know of: a side's own, those of cases within reach, and those that name the caller.

    Of an operation before its hour only those named in it know.
    """
    if caller.reach(READ) is None:
        return false()
    side = scope(caller, READ, plan=p.plan, agency=_side, unit=_side_unit, area=p.area)
    # the outer query may join cases as well: this one has its own
    own = select(cases.c.id).where(cases.c.id == p.case_id, within_reach(caller, READ)).correlate(proceedings)
    case = own.limit(1).scalar_subquery().is_not(None)
    return and_(or_(side, case, named(caller, p.id)), known_to(caller))


def _side(agency: str) -> ColumnElement[bool]:
    return or_(p.agency == agency, p.to_agency == agency)


def _side_unit(agency: str, unit: str) -> ColumnElement[bool]:
    return or_(
        and_(p.agency == agency, or_(p.unit.is_(None), p.unit == unit)),
        and_(p.to_agency == agency, or_(p.to_unit.is_(None), p.to_unit == unit)),
    )


def opened_to(caller: Caller, row: Any) -> bool:
    """Whether the caller may read what stands in it: a confidential one is a matter of its sides and a further right."""
    if row.confidential is None:
        return True
    if getattr(row, "named", False):
        return True
    if row.confidential == "sides":
        return caller.agency in (row.agency, row.to_agency) or caller.reach("proceeding.coordinate") in ("plan", "all")
    reach = caller.reach(f"{row.confidential}.read")
    if reach in ("plan", "all"):
        return True
    return reach is not None and caller.agency in (row.agency, row.to_agency)


@dataclass(frozen=True, slots=True)
class Full:
    """A proceeding with its clocks and steps; `open` when the caller may read what stands in it."""

    row: Any
    clocks: Sequence[Any]
    steps: Sequence[Any]
    open: bool
    case_number: str | None = None


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a list is narrowed to. `waiting`: for the caller's agency; `late`: a clock is past due, its act open."""

    kind: str | None = None
    category: str | None = None
    state: str | None = None
    case_id: UUID | None = None
    waiting: bool = False
    late: bool = False
    ended: bool | None = None


def _list(caller: Caller, narrowed: Narrowed) -> Select[Any]:
    query = select(proceedings, cases.c.number.label("case_number"), named(caller, p.id).label("named"))
    query = query.outerjoin(cases, cases.c.id == p.case_id)
    query = query.where(seen_by(caller))
    if caller.reach(READ) != "all":
        query = query.where(p.plan == caller.plan)
    for column, value in (
        (p.kind, narrowed.kind), (p.category, narrowed.category), (p.state, narrowed.state), (p.case_id, narrowed.case_id),
    ):  # fmt: skip
        if value is not None:
            query = query.where(column == value)
    if narrowed.waiting:
        query = query.where(p.awaits_agency == (caller.agency or ""), p.final.is_(False))
    if narrowed.late:
        query = query.where(p.missed > 0)
    if narrowed.ended is not None:
        query = query.where(p.final.is_(narrowed.ended))
    return query


async def list_proceedings(
    conn: AsyncConnection, caller: Caller, narrowed: Narrowed, *, after: tuple[Any, ...] | None = None, limit: int = 50
) -> list[Full]:
    """`limit + 1` proceedings after a cursor, newest first, with their clocks."""
    query = _list(caller, narrowed)
    if after is not None:
        query = query.where(p.id < after[0])
    rows = (await conn.execute(query.order_by(p.id.desc()).limit(limit + 1))).all()
    return await _with_clocks(conn, caller, rows)


async def waiting_proceedings(conn: AsyncConnection, caller: Caller, *, most: int = 300) -> tuple[int, int]:
    """How many proceedings wait for the caller's agency, and how many of them are late; counted up to `most`."""
    found = _list(caller, Narrowed(waiting=True)).limit(most).subquery()
    row = (await conn.execute(select(func.count(), func.count().filter(found.c.missed > 0)).select_from(found))).one()
    return row[0], row[1]


async def get_proceeding(conn: AsyncConnection, caller: Caller, proceeding_id: UUID) -> Full | None:
    """One proceeding within reach, with all its clocks and steps; None without."""
    rows = (await conn.execute(_list(caller, Narrowed()).where(p.id == proceeding_id))).all()
    if not rows:
        return None
    [full] = await _with_clocks(conn, caller, rows)
    s = proceeding_steps.c
    steps = (
        await conn.execute(select(proceeding_steps).where(s.proceeding_id == proceeding_id).order_by(s.seq))
    ).all()
    return Full(full.row, full.clocks, steps, full.open, full.case_number)


async def _with_clocks(conn: AsyncConnection, caller: Caller, rows: Sequence[Any]) -> list[Full]:
    if not rows:
        return []
    d = deadlines.c
    of: dict[UUID, list[Any]] = {row.id: [] for row in rows}
    for clock in await conn.execute(
        select(deadlines).where(d.proceeding_id.in_(list(of))).order_by(d.start, d.id)
    ):
        of[clock.proceeding_id].append(clock)
    return [Full(row, of[row.id], (), opened_to(caller, row), row.case_number) for row in rows]
