"""Deadlines as those see them whose they are, and the office."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.clocks import Standing
from services.notify.schemas.clocks import DeadlineOut
from services.notify.tables import clocks
from shared.kit import pagination
from shared.kit.access import Caller, scope
from shared.kit.service import Service
from shared.rules.calendar import local_day
from shared.rules.law import LimitInForce, UnknownRule

c = clocks.c
COUNT_UP_TO = 1000


def visible(caller: Caller) -> ColumnElement[bool]:
    """The deadlines within a caller's reach, as with their notices."""
    return scope(
        caller,
        "notice.read",
        plan=c.plan,
        agency=lambda agency: c.agency == agency,
        unit=lambda agency, unit: (c.agency == agency) & or_(c.unit == unit, c.unit.is_(None)),
        area=c.area,
    )


async def running(
    conn: AsyncConnection, caller: Caller, cursor: str | None, limit: int, *, agency: str | None = None
) -> tuple[list[Any], str | None]:
    """What is not yet done, the most overdue first; what stands still among them, by its old due moment."""
    shown = select(clocks).where(visible(caller), ~c.closed).order_by(c.due, c.id).limit(limit + 1)
    if agency:
        shown = shown.where(c.agency == agency)
    after = pagination.decode(cursor, [datetime.fromisoformat, UUID])
    if after:
        shown = shown.where(tuple_(c.due, c.id) > tuple_(*after))
    rows, following = pagination.page(
        (await conn.execute(shown)).all(), limit, lambda row: [row.due.isoformat(), str(row.id)]
    )
    return list(rows), following


@dataclass(frozen=True, slots=True)
class Counts:
    """How many deadlines run and how many are over, counted up to 1,000."""

    running: int
    late: int


async def counts(conn: AsyncConnection, caller: Caller, now: datetime) -> Counts:
    """The numbers at the head of the list."""
    some = select(literal_column("1")).where(visible(caller), ~c.closed).limit(COUNT_UP_TO).subquery()
    late = (
        select(literal_column("1"))
        .where(visible(caller), ~c.closed, c.due < now, c.standing != Standing.SUSPENDED.value)
        .limit(COUNT_UP_TO)
        .subquery()
    )
    return Counts(
        (await conn.execute(select(func.count()).select_from(some))).scalar_one(),
        (await conn.execute(select(func.count()).select_from(late))).scalar_one(),
    )


async def behind(conn: AsyncConnection, now: datetime) -> float:
    """How many seconds the reminder that waits longest is past its moment."""
    first = (await conn.execute(select(func.min(c.next_at)))).scalar_one()
    return max(0.0, (now - first).total_seconds()) if first else 0.0


def rule_in_words(svc: Service, plan_id: str, rule: str | None, at: datetime) -> LimitInForce | None:
    """The rule a clock runs by, as it stood then; None for one that neither the plan nor the law has."""
    plan = svc.plans.get(plan_id)
    if plan is None or not rule:
        return None
    try:
        return plan.limit(rule, local_day(at), svc.law)
    except UnknownRule:
        return None


def deadline_out(row: Any, now: datetime) -> DeadlineOut:
    """A deadline for an agency's system."""
    fields = {name: getattr(row, name) for name in DeadlineOut.model_fields if hasattr(row, name)}
    return DeadlineOut(**fields, late=is_late(row, now))


def is_late(row: Any, now: datetime) -> bool:
    """Whether it is over without its act; not while it stands still."""
    return not row.closed and row.standing != Standing.SUSPENDED and row.due < now
