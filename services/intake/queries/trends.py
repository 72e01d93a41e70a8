"""Figures over time, for the leads within the caller's reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.tables import trend_days
from shared.kit import clock, db
from shared.kit.access import Caller, scope
from shared.kit.problem import Invalid
from shared.kit.service import Service
from shared.rules.calendar import local_day

Span = Literal["week", "month"]
By = Literal["area", "kind"]
t = trend_days.c

COUNTED_EVERY_S = 60
LONGEST = timedelta(days=3 * 366)
USUAL = {"week": timedelta(weeks=26), "month": timedelta(days=365)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which figures: from a day on to another one, by community or kind, within one of either."""

    since: date
    until: date
    span: Span
    by: By
    area: str | None = None
    kind: str | None = None


def start_of(day: date, span: Span) -> date:
    """The first day of a day's week (Monday) or month."""
    return day - timedelta(days=day.weekday()) if span == "week" else day.replace(day=1)


def spans(since: date, until: date, span: Span) -> list[date]:
    """The first days of all weeks or months that a time touches."""
    found, day = [], start_of(since, span)
    while day <= until:
        found.append(day)
        day = start_of(day + timedelta(days=7 if span == "week" else 32), span)
    return found


def _seen(caller: Caller) -> ColumnElement[bool]:
    """As leads are seen: by agency, unit, area or plan."""
    return scope(
        caller,
        "lead.read",
        plan=t.plan,
        agency=lambda agency: t.agency == agency,
        unit=lambda agency, unit: (t.agency == agency) & t.unit.in_((unit, "")),
        area=t.area,
    )


async def figures(conn: AsyncConnection, caller: Caller, wanted: Wanted) -> Sequence[Row[Any]]:
    """Tips and urgent ones by week or month and community or kind; a tip of two kinds counts with each."""
    start = func.date_trunc(wanted.span, t.day).label("start")
    what = (t.area if wanted.by == "area" else t.kind).label("what")
    query = (
        select(start, what, func.sum(t.tips).label("tips"), func.sum(t.urgent).label("urgent"))
        .where(_seen(caller), t.day >= start_of(wanted.since, wanted.span), t.day <= wanted.until)
        .group_by(start, what)
        .order_by(start, what)
    )
    if caller.plan:
        # said once more for the index; a reach over all plans is shown its own plan's picture
        query = query.where(t.plan == caller.plan)
    if wanted.by == "kind":
        query = query.where(t.kind == wanted.kind) if wanted.kind else query.where(t.kind != "")
    else:
        query = query.where(t.kind == (wanted.kind or ""))
    if wanted.area is not None:
        query = query.where(t.area == wanted.area)
    return (await conn.execute(query)).all()


def series(rows: Sequence[Any], starts: Sequence[date]) -> list[dict[str, Any]]:
    """Rows as one line a community or kind, with a figure for every week or month, the largest first."""
    at = {day: number for number, day in enumerate(starts)}
    made: dict[str, dict[str, Any]] = {}
    for row in rows:
        one = made.setdefault(row.what, {"code": row.what or None, "tips": [0] * len(at), "urgent": [0] * len(at)})
        number = at[row.start.date()]
        one["tips"][number] += int(row.tips)
        one["urgent"][number] += int(row.urgent)
    return sorted(made.values(), key=lambda one: (-sum(one["tips"]), one["code"] or ""))


async def told(
    service: Service, caller: Caller, *, by: By, span: Span, since: date | None = None,
    until: date | None = None, area: str | None = None, kind: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The figures as `TrendsOut`. Raises Invalid for a time that is too long or runs backwards."""
    last = until or local_day(clock.now())
    first = since or max(date(2000, 1, 1), last - USUAL[span])
    if first > last or last - first > LONGEST:
        raise Invalid(
            "时间段无效：起始日不能晚于截止日，最长三年。 The time runs backwards or is longer than three years.",
            code="bad-period",
        )
    wanted = Wanted(first, last, span, by, area or None, kind or None)
    async with db.begin(service.engine) as conn:
        rows = await figures(conn, caller, wanted)
    starts = spans(first, last, span)
    return {
        "by": by, "span": span, "starts": starts, "series": series(rows, starts),
        "counted_every_s": COUNTED_EVERY_S,
    }  # fmt: skip
