"""Consequences within a caller's reach: tools, measures, funds, and what stands in the way of a subject."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.consequences.funds import Move
from services.scoring.domain.consequences.tools import OPEN, STANDS
from services.scoring.domain.findings import COUNTS
from services.scoring.tables import findings, fund_moves, measures, tools
from shared.kit.access import Caller, scope

t, m = tools.c, measures.c


def visible_tools(caller: Caller, right: str) -> ColumnElement[bool]:
    """Tools on which a caller holds a right."""
    return scope(
        caller,
        right,
        plan=t.plan,
        agency=lambda agency: t.agency == agency,
        unit=lambda agency, unit: and_(t.agency == agency, or_(t.unit.is_(None), t.unit == unit)),
        area=t.area,
    )


def visible_measures(caller: Caller, right: str) -> ColumnElement[bool]:
    """Measures on which a caller holds a right; an agency to which a proposal was sent sees it, too."""
    return scope(
        caller,
        right,
        plan=m.plan,
        agency=lambda agency: or_(
            and_(m.agency == agency, m.state != "proposed"),
            and_(m.sent_to.contains([agency]), m.state.in_(("sent", "answered"))),
        ),
        area=m.area,
    )


async def list_tools(
    conn: AsyncConnection,
    caller: Caller,
    *,
    state: str | None = None,
    agency: str | None = None,
    subject: str | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> Sequence[Any]:
    """Up to `limit + 1` tools, the newest first. `state` may be `open` or `standing` (with all that stand)."""
    query = select(tools).where(visible_tools(caller, "consequence.read"))
    if state == "open":
        query = query.where(t.state.in_([one.value for one in OPEN]))
    elif state == "stands":
        query = query.where(t.state.in_([one.value for one in STANDS]))
    elif state is not None:
        query = query.where(t.state == state)
    if agency is not None:
        query = query.where(t.agency == agency)
    if subject is not None:
        query = query.where(t.subject == subject)
    if after is not None:
        query = query.where(tuple_(t.opened_at, t.id) < after)
    return (await conn.execute(query.order_by(t.opened_at.desc(), t.id.desc()).limit(limit + 1))).all()


async def one_tool(conn: AsyncConnection, caller: Caller, tool_id: UUID) -> Any | None:
    """One tool."""
    query = select(tools).where(t.id == tool_id, visible_tools(caller, "consequence.read"))
    return (await conn.execute(query)).one_or_none()


async def list_measures(
    conn: AsyncConnection,
    caller: Caller,
    *,
    kind: str | None = None,
    state: str | None = None,
    agency: str | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> Sequence[Any]:
    """Up to `limit + 1` measures, the newest first."""
    query = select(measures).where(visible_measures(caller, "consequence.read"))
    for column, value in ((m.kind, kind), (m.state, state), (m.agency, agency)):
        if value is not None:
            query = query.where(column == value)
    if after is not None:
        query = query.where(tuple_(m.proposed_at, m.id) < after)
    return (await conn.execute(query.order_by(m.proposed_at.desc(), m.id.desc()).limit(limit + 1))).all()


async def one_measure(conn: AsyncConnection, caller: Caller, measure_id: UUID) -> Any | None:
    """One measure."""
    query = select(measures).where(m.id == measure_id, visible_measures(caller, "consequence.read"))
    return (await conn.execute(query)).one_or_none()


async def blocking(
    conn: AsyncConnection, plan: str, what: str, subject_kind: str, subject: str, agency: str | None = None
) -> Sequence[Any]:
    """The tools that keep something (`certificate`, `reward`, …) from a subject now; of a unit also its agency's."""
    whom = and_(t.subject_kind == subject_kind, t.subject == subject)
    if agency is not None and subject_kind in ("unit", "post"):
        whom = or_(whom, and_(t.subject_kind.in_(("agency", "community")), t.subject == agency))
    query = select(tools).where(
        t.plan == plan, whom, t.state.in_([one.value for one in STANDS]), t.blocks.contains([what])
    )
    return (await conn.execute(query.order_by(t.rung.desc(), t.id))).all()


async def findings_of(conn: AsyncConnection, ids: Sequence[UUID | str]) -> Sequence[Any]:
    """The findings a consequence rests on."""
    wanted = [UUID(str(one)) for one in ids]
    if not wanted:
        return []
    query = select(findings).where(findings.c.finding_id.in_(wanted))
    return (await conn.execute(query.order_by(findings.c.occurred_at, findings.c.finding_id))).all()


async def moves_of(conn: AsyncConnection, plan: str, fund: str) -> Sequence[Any]:
    """All moves of a fund, in order."""
    query = select(fund_moves).where(fund_moves.c.plan == plan, fund_moves.c.fund == fund)
    return (await conn.execute(query.order_by(fund_moves.c.seq))).all()


def as_moves(rows: Sequence[Any]) -> list[Move]:
    """Rows as the domain reckons with them."""
    return [Move(row.id, row.kind, row.yuan, row.commitment) for row in rows]


async def confirmed_of(conn: AsyncConnection, plan: str, agency: str, limit: int = 100) -> Sequence[Any]:
    """The findings that stand against an agency, the newest first."""
    f = findings.c
    query = (
        select(findings)
        .where(f.plan == plan, f.agency == agency, f.state.in_([one.value for one in COUNTS]))
        .order_by(f.occurred_at.desc(), f.finding_id)
        .limit(limit)
    )
    return (await conn.execute(query)).all()
