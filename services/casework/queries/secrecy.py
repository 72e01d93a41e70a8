"""Need-to-know (知情范围): an operation before its hour exists for those named in it alone, for everybody else not at all."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.tables import operation_members, operations, proceedings
from shared.kit import clock
from shared.kit.access import Caller

OPERATION = "operation"
READ = "operation.read"

# names of their own: a query that itself reads these tables must not be taken for the outer one
_m = operation_members.alias("in_the_know").c
_o = operations.alias("kept").c
_p = proceedings.c


def named(caller: Caller, proceeding_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """The caller is named in an operation: by agency, unit, post or account, all of what a line says."""
    if caller.reach(READ) is None:
        return false()
    fits = (
        _m.proceeding_id == proceeding_id,
        _m.struck_at.is_(None),
        or_(_m.agency.is_(None), _m.agency == (caller.agency or "")),
        or_(_m.unit.is_(None), _m.unit == (caller.unit or "")),
        or_(_m.post.is_(None), _m.post.in_(caller.posts)),
        or_(_m.principal.is_(None), _m.principal == caller.id),
    )
    return and_(exists().where(*fits), exists().where(_o.proceeding_id == proceeding_id, _o.plan == caller.plan))


def secret(proceeding_id: ColumnElement[Any], now: datetime | None = None) -> ColumnElement[bool]:
    """A proceeding is an operation whose hour has not come."""
    moment = now or clock.now()
    return exists().where(_o.proceeding_id == proceeding_id, or_(_o.known_from.is_(None), _o.known_from > moment))


def known_to(caller: Caller) -> ColumnElement[bool]:
    """The proceedings that are no secret, or of which the caller is in the know."""
    return or_(_p.confidential.is_distinct_from(OPERATION), ~secret(_p.id), named(caller, _p.id))


def no_secret(caller: Caller, proceeding_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """What hangs on a proceeding (a document, a file) tells of no operation that the caller must not know of."""
    return or_(proceeding_id.is_(None), ~secret(proceeding_id), named(caller, proceeding_id))


async def is_secret(conn: AsyncConnection, proceeding_id: UUID, now: datetime) -> bool:
    """Whether a proceeding is an operation whose hour has not come."""
    found = select(_p.id).where(_p.id == proceeding_id, secret(_p.id, now))
    return (await conn.execute(found)).one_or_none() is not None


async def named_agencies(conn: AsyncConnection, proceeding_id: UUID) -> frozenset[str]:
    """The agencies that are named in an operation: its parties."""
    found = select(_m.agency).where(_m.proceeding_id == proceeding_id, _m.struck_at.is_(None), _m.agency.is_not(None))
    return frozenset((await conn.execute(found)).scalars())
