"""Evidence from the database, within what the caller may see: one condition for lists, items, files and packages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.queries.secrecy import no_secret
from services.casework.queries.visibility import reaches, within_reach
from services.casework.tables import (
    cases,
    evidence_copies,
    evidence_custody,
    evidence_exports,
    evidence_files,
    evidence_handovers,
    evidence_items,
)
from shared.kit.access import Caller

_I, _H, _F = evidence_items.c, evidence_handovers.c, evidence_files.c

CASE_COLUMNS = (
    cases.c.plan.label("case_plan"), cases.c.area.label("case_area"), cases.c.urgent.label("case_urgent"),
    cases.c.number.label("case_number"),
)  # fmt: skip


def criminal_side(caller: Caller) -> ColumnElement[bool]:
    """Cases whose criminal track the caller may see."""
    return reaches(caller, "criminal.read")


def _mine(caller: Caller, right: str, agency: ColumnElement[Any], unit: ColumnElement[Any]) -> ColumnElement[bool]:
    """Something concerns the caller's agency (and unit, where the right reaches no further)."""
    reach = caller.reach(right)
    if reach is None or caller.agency is None:
        return false()
    own = (cases.c.plan == caller.plan) & (agency == caller.agency)
    if reach == "own_unit" and caller.unit:
        own &= or_(unit.is_(None), unit == caller.unit)
    return own


def seen(caller: Caller, right: str) -> ColumnElement[bool]:
    """Items on which the caller holds a right: those of cases in reach (of the criminal track with the right to it), and
    those that the caller's agency holds, wherever the case is; to read, also those offered to it."""
    shown = or_(
        and_(reaches(caller, right), or_(_I.track != "criminal", criminal_side(caller))),
        _mine(caller, right, _I.holder_agency, _I.holder_unit),
    )
    if right in ("evidence.read", "evidence.receive"):
        shown = or_(shown, _mine(caller, right, _I.offered_agency, _I.offered_unit))
    return and_(shown, no_secret(caller, _I.proceeding_id))


def held(caller: Caller, right: str) -> ColumnElement[bool]:
    """Items that the caller's agency (and unit) holds: only its holder does something with an item.

    For what is with an agency that is not on this system (a court, say), those who collected it keep the record.
    """
    return or_(
        _mine(caller, right, _I.holder_agency, _I.holder_unit),
        _I.holder_external & _mine(caller, right, _I.agency, _I.unit),
    )


def items() -> Select[Any]:
    """Items with what their case adds."""
    return select(evidence_items, *CASE_COLUMNS).join(cases, cases.c.id == _I.case_id)


async def list_items(
    conn: AsyncConnection, caller: Caller, case_id: UUID, *,
    kind: str | None = None, state: str | None = None, proceeding_id: UUID | None = None,
    only: Sequence[UUID] = (), after: int = 0, limit: int = 50,
) -> Sequence[Row[Any]]:  # fmt: skip
    """`limit + 1` items of a case after a number."""
    query = items().where(_I.case_id == case_id, seen(caller, "evidence.read"), _I.number > after)
    if kind is not None:
        query = query.where(_I.kind == kind)
    if state is not None:
        query = query.where(_I.state == state)
    if proceeding_id is not None:
        query = query.where(_I.proceeding_id == proceeding_id)
    if only:
        query = query.where(_I.id.in_(only))
    return (await conn.execute(query.order_by(_I.number).limit(limit + 1))).all()


async def item(conn: AsyncConnection, caller: Caller, item_id: UUID, right: str = "evidence.read") -> Row[Any] | None:
    """One item on which the caller holds a right; `may_hold` says whether the caller's agency keeps it."""
    query = items().add_columns(held(caller, "evidence.manage").label("may_hold"))
    return (await conn.execute(query.where(_I.id == item_id, seen(caller, right)))).one_or_none()


async def files_of(conn: AsyncConnection, item_ids: Sequence[UUID]) -> Sequence[Row[Any]]:
    """The files of items, in order of their numbers; whether the items may be seen was asked before."""
    query = select(evidence_files).where(_F.item_id.in_(item_ids)).order_by(_F.item_id, _F.number)
    return (await conn.execute(query)).all()


async def copies_of(conn: AsyncConnection, item_id: UUID) -> Sequence[Row[Any]]:
    """The working copies made from an item's files, newest last."""
    query = select(evidence_copies, _F.number.label("file_number")).join(evidence_files, _F.id == evidence_copies.c.file_id)
    return (await conn.execute(query.where(evidence_copies.c.item_id == item_id).order_by(evidence_copies.c.id))).all()


async def chain_of(conn: AsyncConnection, item_ids: Sequence[UUID]) -> Sequence[Row[Any]]:
    """The custody lines of items, in order."""
    c = evidence_custody.c
    query = select(evidence_custody).where(c.item_id.in_(item_ids)).order_by(c.item_id, c.seq)
    return (await conn.execute(query)).all()


def _to_me(caller: Caller) -> ColumnElement[bool]:
    return or_(
        _mine(caller, "evidence.receive", _H.to_agency, _H.to_unit),
        _H.external & _mine(caller, "evidence.receive", _H.from_agency, _H.from_unit),
    )


def _from_me(caller: Caller) -> ColumnElement[bool]:
    return _mine(caller, "evidence.manage", _H.from_agency, _H.from_unit)


def handovers(caller: Caller) -> Select[Any]:
    """Handings over that the caller may see, with `to_me` and `from_me`: whether they may answer or withdraw."""
    read = or_(
        _mine(caller, "evidence.read", _H.to_agency, _H.to_unit), _mine(caller, "evidence.read", _H.from_agency, _H.from_unit)
    )
    return (
        select(evidence_handovers, *CASE_COLUMNS, _to_me(caller).label("to_me"), _from_me(caller).label("from_me"))
        .join(cases, cases.c.id == _H.case_id)
        .where(or_(_to_me(caller), _from_me(caller), read))
    )


async def handovers_of(conn: AsyncConnection, caller: Caller, case_id: UUID, limit: int = 200) -> Sequence[Row[Any]]:
    """The newest handings over of a case, newest first."""
    return (await conn.execute(handovers(caller).where(_H.case_id == case_id).order_by(_H.id.desc()).limit(limit))).all()


async def waiting(conn: AsyncConnection, caller: Caller, limit: int = 100) -> Sequence[Row[Any]]:
    """Handings over that wait for the caller's agency, longest first."""
    query = handovers(caller).where(_H.state == "offered", _to_me(caller)).order_by(_H.offered_at, _H.id).limit(limit)
    return (await conn.execute(query)).all()


async def handover(conn: AsyncConnection, caller: Caller, handover_id: UUID) -> Row[Any] | None:
    """One handing over the caller may see."""
    return (await conn.execute(handovers(caller).where(_H.id == handover_id))).one_or_none()


async def export(conn: AsyncConnection, caller: Caller, export_id: UUID) -> Row[Any] | None:
    """One package within the reach of the right to make it."""
    e = evidence_exports.c
    query = (
        select(evidence_exports, *CASE_COLUMNS)
        .join(cases, cases.c.id == e.case_id)
        .where(
            e.id == export_id, within_reach(caller, "evidence.export"), or_(~e.criminal, criminal_side(caller))
        )
    )
    return (await conn.execute(query)).one_or_none()


async def exports_of(conn: AsyncConnection, caller: Caller, case_id: UUID) -> Sequence[Row[Any]]:
    """The packages made of a case, newest first, within the same reach."""
    e = evidence_exports.c
    query = (
        select(e.id, e["items"], e.reason, e.agency, e.made_by, e.made_at, e.files, e.bytes, e.manifest_sha256, e.key_id)
        .join(cases, cases.c.id == e.case_id)
        .where(e.case_id == case_id, within_reach(caller, "evidence.export"), or_(~e.criminal, criminal_side(caller)))
        .order_by(e.id.desc())
        .limit(100)
    )
    return (await conn.execute(query)).all()


async def counts(conn: AsyncConnection, caller: Caller, case_id: UUID) -> Sequence[Row[Any]]:
    """How many items and files of each kind a case has within the caller's reach; nothing without the right."""
    if caller.reach("evidence.read") is None:
        return []
    query = (
        select(_I.kind, func.count().label("n"), func.sum(_I.files).label("files"))
        .join(cases, cases.c.id == _I.case_id)
        .where(_I.case_id == case_id, seen(caller, "evidence.read"))
        .group_by(_I.kind)
        .order_by(func.min(_I.number))
    )
    return (await conn.execute(query)).all()


async def file_counts(conn: AsyncConnection) -> Sequence[Row[Any]]:
    """How many files of evidence stand in which state, by kind and scan."""
    columns = (_F.kind, _F.state, _F.scan)
    return (await conn.execute(select(*columns, func.count().label("n")).group_by(*columns))).all()


async def oldest_check(conn: AsyncConnection) -> datetime | None:
    """When the whole file that was not read for the longest time was read last."""
    return (await conn.execute(select(func.min(_F.checked_at)).where(_F.state == "whole"))).scalar()
