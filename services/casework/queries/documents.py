"""Documents as their readers may see them: lists without contents, single ones, the register of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.queries.secrecy import no_secret
from services.casework.queries.visibility import within_reach
from services.casework.tables import (
    cases,
    document_numbers,
    document_services,
    document_styles,
    document_templates,
    documents,
)
from shared.kit.access import Caller

READ = "document.read"
UNISSUED = ("draft", "approved", "discarded")
_WIDE = ("plan", "all")
_d = documents.c

_CASE = (cases.c.number.label("case_number"), cases.c.area.label("area"), cases.c.urgent.label("urgent"))


def seen_by(caller: Caller, approvals: Sequence[str] = ()) -> ColumnElement[bool]:
    """The documents a caller may know of: those of cases within reach; unissued ones are their issuer's, and those of
    who approves them; those of an operation are hidden from who has no right to it."""
    own = and_(_d.plan == caller.plan, _d.agency == caller.agency)
    mine = or_(own, and_(_d.plan == caller.plan, _d.approval.in_(approvals))) if approvals else own
    issued = or_(_d.state.not_in(UNISSUED), mine)
    # most documents concern nobody's secret: that is asked first
    open_ones = or_(_d.confidential.is_distinct_from("operation"), mine)
    known = and_(within_reach(caller, READ), issued, no_secret(caller, _d.proceeding_id))
    return known if caller.reach("operation.read") in _WIDE else and_(known, open_ones)


def opened_to(caller: Caller, row: Any, approvals: Sequence[str] = ()) -> bool:
    """Whether the caller may read what a document says.

    Its issuer and who approves it may; of the others those who work the case (a reach over the whole plan is for
    numbers, stages and clocks, so what tells of persons stays closed to it), and of what is confidential those with
    that right.
    """
    if caller.plan == row.plan and caller.agency == row.agency:
        return True
    if row.state in UNISSUED:
        return caller.plan == row.plan and row.approval in approvals
    if row.confidential is not None and caller.reach(f"{row.confidential}.read") not in _WIDE:
        return False
    return caller.reach(READ) not in _WIDE or not row.personal


def _select(caller: Caller, approvals: Sequence[str]) -> Select[Any]:
    return select(documents, *_CASE).join(cases, cases.c.id == _d.case_id).where(seen_by(caller, approvals))


async def of_case(conn: AsyncConnection, caller: Caller, case_id: UUID, approvals: Sequence[str] = ()) -> Sequence[Any]:
    """A case's documents, newest first, at most 500; discarded drafts are left out."""
    query = _select(caller, approvals).where(_d.case_id == case_id, _d.state != "discarded")
    return (await conn.execute(query.order_by(_d.id.desc()).limit(500))).all()


async def waiting_for(
    conn: AsyncConnection, caller: Caller, words: Sequence[str], *, limit: int = 100
) -> Sequence[Any]:
    """Complete drafts that wait for an approval the caller's posts can give, oldest first."""
    if not words:
        return []
    query = _select(caller, words).where(_d.state == "draft", _d.lacking == 0, _d.approval.in_(words))
    query = query.where(_d.plan == caller.plan, _d.written_by != caller.actor)
    return (await conn.execute(query.order_by(_d.id).limit(limit))).all()


async def one(
    conn: AsyncConnection, caller: Caller, document_id: UUID, approvals: Sequence[str] = (), *, lock: bool = False
) -> Any:
    """One document the caller may know of, or None."""
    query = _select(caller, approvals).where(_d.id == document_id)
    if lock:
        query = query.with_for_update(of=documents)
    return (await conn.execute(query)).one_or_none()


async def services_of(conn: AsyncConnection, document_id: UUID) -> Sequence[Any]:
    """How a document was served, in order of time."""
    s = document_services.c
    query = select(document_services).where(s.document_id == document_id).order_by(s.served_at, s.id)
    return (await conn.execute(query)).all()


async def case_known(conn: AsyncConnection, caller: Caller, case_id: UUID) -> bool:
    """Whether a case is within the caller's reach for documents."""
    return bool(await conn.scalar(select(exists().where(cases.c.id == case_id, within_reach(caller, READ)))))


async def register(
    conn: AsyncConnection,
    caller: Caller,
    issuer: str,
    *,
    series: str | None = None,
    year: int | None = None,
    after: tuple[Any, ...] | None = None,
    limit: int = 50,
) -> Sequence[Any]:
    """`limit + 1` numbers that an issuer gave out, newest first, as far as the caller may know of the documents."""
    query = _select(caller, ()).where(_d.plan == caller.plan, _d.issuer == issuer, _d.serial.is_not(None))
    if series:
        query = query.where(_d.series == series)
    if year:
        query = query.where(_d.year == year)
    if after:
        query = query.where(or_(_d.issued_at < after[0], and_(_d.issued_at == after[0], _d.id < after[1])))
    return (await conn.execute(query.order_by(_d.issued_at.desc(), _d.id.desc()).limit(limit + 1))).all()


async def counters(conn: AsyncConnection, plan: str, issuer: str, year: int) -> dict[str, tuple[int, int]]:
    """By series: the last number given out in a year, and the first."""
    n = document_numbers.c
    query = select(n.series, n.last, n.first).where(n.plan == plan, n.issuer == issuer, n.year == year)
    return {row.series: (row.last, row.first) for row in await conn.execute(query)}


async def styles(conn: AsyncConnection, plan: str, issuer: str) -> dict[str, Any]:
    """The styles that an office set itself, by series."""
    s = document_styles.c
    rows = await conn.execute(select(document_styles).where(s.plan == plan, s.issuer == issuer))
    return {row.series: row for row in rows}


async def own_templates(conn: AsyncConnection, plan: str, issuer: str) -> dict[str, Any]:
    """The newest line of each kind's template that an office changed."""
    t = document_templates.c
    query = select(document_templates).where(t.plan == plan, t.issuer == issuer).order_by(t.kind, t.version)
    return {row.kind: row for row in await conn.execute(query)}
