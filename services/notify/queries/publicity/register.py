"""The publicity log and the exposures as those entitled see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.queries.publicity.reach import within
from services.notify.tables import exposures, publicity_log
from shared.kit import pagination
from shared.kit.access import Caller
from shared.kit.problem import NotFound

g, e = publicity_log.c, exposures.c


async def log(
    conn: AsyncConnection, caller: Caller, month: date | None, cursor: str | None, limit: int
) -> tuple[Sequence[Any], str | None]:
    """Entries of the log, the last published first; whoever may read publicity reads all of the plan's."""
    seen = g.plan == caller.plan if caller.reach("publicity.read") else within(caller, "publicity.log", publicity_log)
    query = select(publicity_log).where(seen)
    if month:
        query = query.where(func.to_char(g.published_on, "YYYY-MM") == f"{month:%Y-%m}")
    after = pagination.decode(cursor, [date.fromisoformat, UUID])
    if after:
        query = query.where(tuple_(g.published_on, g.id) < tuple_(*after))
    rows = (await conn.execute(query.order_by(g.published_on.desc(), g.id.desc()).limit(limit + 1))).all()
    return pagination.page(rows, limit, lambda row: [row.published_on.isoformat(), str(row.id)])


async def log_months(conn: AsyncConnection, caller: Caller) -> list[tuple[str, int]]:
    """How many standing entries each month has, the last twelve."""
    month = func.to_char(g.published_on, "YYYY-MM")
    query = (
        select(month, func.count())
        .where(g.plan == caller.plan, g.state == "standing")
        .group_by(month)
        .order_by(month.desc())
        .limit(12)
    )
    return [(row[0], row[1]) for row in await conn.execute(query)]


async def log_entry(conn: AsyncConnection, caller: Caller, entry_id: UUID) -> Any:
    """One entry of the log. Raises `NotFound`."""
    row = (
        await conn.execute(select(publicity_log).where(g.id == entry_id, g.plan == caller.plan))
    ).one_or_none()  # fmt: skip
    if row is None:
        raise _nothing()
    return row


async def exposed(
    conn: AsyncConnection, caller: Caller, cursor: str | None, limit: int
) -> tuple[Sequence[Any], str | None]:
    """Exposures the caller may see, the last first."""
    query = select(exposures).where(within(caller, "publicity.expose", exposures))
    after = pagination.decode(cursor, [datetime.fromisoformat, UUID])
    if after:
        query = query.where(tuple_(e.happened_at, e.id) < tuple_(*after))
    rows = (await conn.execute(query.order_by(e.happened_at.desc(), e.id.desc()).limit(limit + 1))).all()
    return pagination.page(rows, limit, lambda row: [row.happened_at.isoformat(), str(row.id)])


async def exposure(conn: AsyncConnection, caller: Caller, entry_id: UUID) -> Any:
    """One exposure. Raises `NotFound`."""
    query = select(exposures).where(e.id == entry_id, within(caller, "publicity.expose", exposures))
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise _nothing()
    return row


def _nothing() -> NotFound:
    return NotFound("没有这条登记，或不在您的权限内。 No such entry within your reach.", code="entry-not-found")
