"""Joint operations as those who may know of them see them: who takes part, who is missing, what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.domain.operations import Muster, behind, figures, roll_call
from services.casework.queries.proceedings import seen_by
from services.casework.queries.secrecy import OPERATION, named, secret
from services.casework.tables import (
    cases,
    operation_entries,
    operation_forces,
    operation_members,
    operation_presence,
    operations,
    proceeding_steps,
    proceedings,
)
from shared.kit.access import Caller, scope

p = proceedings.c
_e, _f, _m = operation_entries.c, operation_forces.c, operation_members.c

READ = "operation.read"


def known(caller: Caller) -> ColumnElement[bool]:
    """The operations whose content the caller reads: those that name the caller, and after their hour one's own."""
    own = scope(caller, READ, plan=p.plan, agency=lambda agency: p.agency == agency, area=p.area)
    return and_(p.kind == OPERATION, or_(named(caller, p.id), and_(own, ~secret(p.id))))


def heard_of(caller: Caller) -> ColumnElement[bool]:
    """The operations that the caller may see in a list: also those that stand in a case of theirs, after their hour."""
    return and_(p.kind == OPERATION, or_(known(caller), seen_by(caller)))


@dataclass(frozen=True, slots=True)
class Line:
    """An operation in a list; `open` when the caller reads what stands in it."""

    row: Any
    open: bool


@dataclass(frozen=True, slots=True)
class OperationFull:
    """An operation: who is named, the forces with their roll-call, the sums of what was found, the latest entries."""

    row: Any
    members: Sequence[Any]
    forces: Sequence[Any]
    musters: Sequence[Muster]
    figures: dict[str, int]
    entries: Sequence[Any]
    first_words: bytes | None
    words: Sequence[Any]
    started_at: Any


def _select(caller: Caller) -> Select[Any]:
    query = select(
        proceedings, cases.c.number.label("case_number"), operations.c.known_from, known(caller).label("open")
    )
    query = query.join(operations, operations.c.proceeding_id == p.id)
    return query.outerjoin(cases, cases.c.id == p.case_id)


async def list_operations(
    conn: AsyncConnection, caller: Caller, *, ended: bool | None = None, after: UUID | None = None, limit: int = 50
) -> list[Line]:
    """`limit + 1` operations after an id, newest first."""
    query = _select(caller).where(heard_of(caller))
    if ended is not None:
        query = query.where(p.final.is_(ended))
    if after is not None:
        query = query.where(p.id < after)
    found = await conn.execute(query.order_by(p.id.desc()).limit(limit + 1))
    return [Line(row, row.open) for row in found]


async def get_operation(conn: AsyncConnection, caller: Caller, operation_id: UUID) -> OperationFull | None:
    """One operation whose content the caller reads, or None."""
    row = (await conn.execute(_select(caller).where(known(caller), p.id == operation_id))).one_or_none()
    if row is None:
        return None
    members = select(operation_members).where(_m.proceeding_id == operation_id, _m.struck_at.is_(None)).order_by(_m.id)
    forces = select(operation_forces).where(_f.proceeding_id == operation_id, _f.withdrawn_at.is_(None)).order_by(_f.id)
    found = (await conn.execute(forces)).all()
    said = operation_presence.c
    presence = await conn.execute(select(said.force_id, said.people).where(said.proceeding_id == operation_id))
    standing = select(_e.kind, _e.counts).where(_e.proceeding_id == operation_id, _e.withdrawn_at.is_(None))
    s = proceeding_steps.c
    steps = (
        await conn.execute(
            select(s.step, s.words, s.at)
            .where(s.proceeding_id == operation_id, s.step.in_(("open", "emergency_plan", "start")))
            .order_by(s.seq)
        )
    ).all()
    return OperationFull(
        row,
        (await conn.execute(members)).all(),
        found,
        roll_call([(one.id, one.people) for one in found], [(one.force_id, one.people) for one in presence]),
        figures((one.kind, one.counts) for one in await conn.execute(standing)),
        await entries_of(conn, operation_id, limit=30),
        next((one.words for one in steps if one.step == "open"), None),
        [one for one in steps if one.step == "emergency_plan"],
        max((one.at for one in steps if one.step == "start"), default=None),
    )


async def entries_of(
    conn: AsyncConnection, operation_id: UUID, *, figure: str | None = None, after: UUID | None = None, limit: int = 50
) -> Sequence[Any]:
    """Entries of an operation, newest first; with a figure, the standing ones that it is the sum of. `KeyError` for one
    that does not exist. That the operation may be read was asked before."""
    query = select(operation_entries).where(_e.proceeding_id == operation_id)
    if figure is not None:
        kind, names = behind(figure)
        query = query.where(_e.kind == kind, _e.withdrawn_at.is_(None))
        if names:
            query = query.where(or_(*(_e.counts.has_key(name) for name in names)))
    if after is not None:
        query = query.where(_e.id < after)
    return (await conn.execute(query.order_by(_e.id.desc()).limit(limit))).all()


async def running_for(conn: AsyncConnection, caller: Caller) -> int:
    """How many operations that are not over name the caller."""
    query = select(func.count()).select_from(proceedings).where(p.kind == OPERATION, p.final.is_(False), named(caller, p.id))
    return int((await conn.execute(query)).scalar_one())
