"""Reports as those who owe them and the office see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.reports import OPEN, REGULAR, ReportState
from services.notify.tables import accounts, reporters, reports
from shared.kit import pagination
from shared.kit.access import Caller, scope
from shared.kit.problem import NotFound

r = reports.c


def within(caller: Caller, right: str) -> ColumnElement[bool]:
    """The reports within reach of a right: those of one's agency, or of the plan."""
    return scope(caller, right, plan=r.plan, agency=lambda agency: r.agency == agency)


async def one(conn: AsyncConnection, caller: Caller, report_id: UUID) -> Any:
    """A report the caller may see. Raises `NotFound`."""
    row = (await conn.execute(select(reports).where(r.id == report_id, within(caller, "report.read")))).one_or_none()
    if row is None:
        raise NotFound("没有这份报送，或不归您查看。 No such report, or not yours to see.")
    return row


def _late_first() -> ColumnElement[int]:
    """What counts and is overdue first, then what is to be done, then what is done or no longer asked."""
    return case(
        ((r.state == ReportState.MISSED.value) & r.counts, 0),
        (r.state == ReportState.RETURNED.value, 1),
        (r.state.in_((ReportState.OWED.value, ReportState.DRAFTED.value)) & r.counts, 2),
        (r.state.in_(OPEN), 3),
        else_=4,
    )


async def listed(
    conn: AsyncConnection, caller: Caller, *, states: Sequence[str] = (), agency: str | None = None,
    day: date | None = None, kind: str | None = None, mine: bool = False, cursor: str | None = None, limit: int = 50,
) -> tuple[list[Any], str | None]:  # fmt: skip
    """A page of reports, what is late first, the earliest due first; `mine`: those the caller's own agency owes."""
    rank = _late_first()
    shown = select(reports, rank.label("rank")).where(within(caller, "report.read"))
    if states:
        shown = shown.where(r.state.in_(states))
    if agency:
        shown = shown.where(r.agency == agency)
    if day:
        shown = shown.where(r.day == day)
    if kind:
        shown = shown.where(r.kind == kind)
    if mine:
        shown = shown.where(r.plan == caller.plan, r.agency == caller.agency)
    after = pagination.decode(cursor, (int, datetime.fromisoformat, UUID))
    if after:
        shown = shown.where(tuple_(rank, r.due, r.id) > tuple_(*after))
    rows = (await conn.execute(shown.order_by(rank, r.due, r.id).limit(limit + 1))).all()
    page, following = pagination.page(rows, limit, lambda row: (row.rank, row.due.isoformat(), str(row.id)))
    return list(page), following


@dataclass(frozen=True, slots=True)
class Round:
    """One day of reporting: how many are owed, came, came late, and who is missing."""

    plan: str
    kind: str
    first_day: date
    day: date
    due: datetime
    owed: int
    came: int
    late: int
    missing: tuple[str, ...]
    counts: bool


async def rounds(conn: AsyncConnection, caller: Caller, *, limit: int = 20) -> list[Round]:
    """The days of reporting the caller sees, the latest first, with who has not reported (缺报名单)."""
    came = r.state == ReportState.SUBMITTED.value
    shown = (
        select(
            r.plan, r.kind, func.min(r.first_day).label("first_day"), r.day, func.max(r.due).label("due"),
            func.count().label("owed"), func.count().filter(came).label("came"),
            func.count().filter(r.in_time.is_(False), r.counts).label("late"),
            func.coalesce(func.jsonb_agg(r.agency).filter(r.state.in_(OPEN)), func.jsonb_build_array()).label("missing"),
            func.bool_or(r.counts).label("counts"),
        )
        .where(within(caller, "report.read"), r.state != ReportState.WITHDRAWN.value)
        .group_by(r.plan, r.kind, r.day)
        .order_by(r.day.desc(), r.kind)
        .limit(limit)
    )  # fmt: skip
    return [
        Round(
            row.plan, row.kind, row.first_day, row.day, row.due, row.owed, row.came, row.late,
            tuple(sorted(row.missing)), row.counts,
        )
        for row in await conn.execute(shown)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReportCounts:
    """What waits for the caller's own agency, and how much of it is late and counts."""

    waiting: int
    late: int


async def counts(conn: AsyncConnection, caller: Caller) -> ReportCounts:
    """The numbers at the head of the reporting desk."""
    late = (r.state == ReportState.MISSED.value) & r.counts
    waits = (r.state.in_(OPEN) & r.counts) | (r.state == ReportState.RETURNED.value)
    found = select(func.count().filter(waits), func.count().filter(late)).where(
        within(caller, "report.read"), r.plan == caller.plan, r.agency == caller.agency
    )
    row = (await conn.execute(found)).one()
    return ReportCounts(row[0], row[1])


async def sources(conn: AsyncConnection, plan: str, first: date, last: date) -> tuple[list[Any], list[str]]:
    """The reports that came for the days of a period, by day and agency; and whose have not come."""
    rows = (
        await conn.execute(
            select(reports)
            .where(r.plan == plan, r.kind == REGULAR, r.day >= first, r.day <= last, r.state != ReportState.WITHDRAWN.value)
            .order_by(r.day, r.agency, r.id)
        )
    ).all()
    here = [row for row in rows if row.state == ReportState.SUBMITTED.value]
    return here, [row.agency for row in rows if row.state in OPEN]


async def named_reporter(conn: AsyncConnection, plan: str, agency: str) -> UUID | None:
    """The active account named to report for an agency."""
    found = (
        select(reporters.c.account_id)
        .join(accounts, accounts.c.id == reporters.c.account_id)
        .where(
            reporters.c.plan == plan, reporters.c.agency == agency, accounts.c.active, accounts.c.agency == agency,
            accounts.c.plan == plan,
        )
    )  # fmt: skip
    return (await conn.execute(found)).scalar_one_or_none()


async def named(conn: AsyncConnection, caller: Caller) -> dict[str, Any]:
    """Agency → its named reporter's row, within the caller's reach to see reports."""
    k = reporters.c
    seen = scope(caller, "report.read", plan=k.plan, agency=lambda agency: k.agency == agency)
    return {row.agency: row for row in await conn.execute(select(reporters).where(seen, k.plan == caller.plan))}


async def candidates(conn: AsyncConnection, plan: str, agencies: Sequence[str]) -> list[Any]:
    """Active accounts of some agencies: who can be named to report."""
    a = accounts.c
    found = select(accounts).where(a.plan == plan, a.agency == func.any(list(agencies)), a.active).order_by(a.agency, a.login)
    return list((await conn.execute(found.limit(500))).all())
