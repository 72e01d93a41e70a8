"""Bulletins as their readers, editors and releasers see them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.bulletins import READ_BY_ALL
from services.notify.domain.figures import Figures
from services.notify.queries import figures as counted
from services.notify.tables import bulletins
from shared.kit import pagination
from shared.kit.access import Caller, scope
from shared.kit.problem import NotFound
from shared.rules.plan import Plan

b = bulletins.c


def reached(caller: Caller, right: str, plan: Plan | None) -> ColumnElement[bool]:
    """The bulletins within reach of a right; a plan's office makes them all."""
    office = plan.office if plan else ""
    return scope(caller, right, plan=b.plan, agency=lambda agency: b.plan == caller.plan if agency == office else b.id.is_(None))


def seen_by(caller: Caller, plan: Plan | None) -> ColumnElement[bool]:
    """Issued and recalled ones for who may read; drafts only for those who edit or release them."""
    return or_(
        reached(caller, "bulletin.read", plan) & b.state.in_(READ_BY_ALL),
        reached(caller, "bulletin.edit", plan),
        reached(caller, "bulletin.release", plan),
    )


async def one(conn: AsyncConnection, caller: Caller, plan: Plan | None, bulletin_id: UUID) -> Any:
    """A bulletin the caller may see. Raises `NotFound`."""
    row = (await conn.execute(select(bulletins).where(b.id == bulletin_id, seen_by(caller, plan)))).one_or_none()
    if row is None:
        raise NotFound("没有这份简报，或不归您查看。 No such bulletin, or not yours to see.")
    return row


async def listed(
    conn: AsyncConnection, caller: Caller, plan: Plan | None, *, state: str | None, kind: str | None, cursor: str | None,
    limit: int,
) -> tuple[list[Any], str | None]:  # fmt: skip
    """A page of bulletins, the newest first."""
    shown = select(bulletins).where(seen_by(caller, plan))
    if state:
        shown = shown.where(b.state == state)
    if kind:
        shown = shown.where(b.kind == kind)
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    if after:
        shown = shown.where(tuple_(b.created_at, b.id) < tuple_(*after))
    rows = (await conn.execute(shown.order_by(b.created_at.desc(), b.id.desc()).limit(limit + 1))).all()
    page, following = pagination.page(rows, limit, lambda row: (row.created_at.isoformat(), str(row.id)))
    return list(page), following


async def recounted(conn: AsyncConnection, row: Any) -> Figures:
    """The figures of a bulletin counted anew at the position they were taken at."""
    return await counted.of_period(conn, row.plan, row.first_day, row.last_day, row.position)
