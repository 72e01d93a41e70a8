"""Figures of cases within the caller's reach: by area, kind, stage or month, and how long from lead to action (D-M5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Float, Row, cast, extract, func, select, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.queries.visibility import within_reach
from services.casework.tables import cases
from shared.kit import clock
from shared.kit.access import Caller
from shared.kit.clock import CHINA
from shared.kit.problem import Invalid
from shared.rules.calendar import local_day

By = Literal["area", "kind", "stage", "month"]
MOST = 500
USUAL = timedelta(days=365)
LONGEST = timedelta(days=5 * 366)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Cases whose lead came in from a China day to another one (both inclusive), by one side."""

    since: date
    until: date
    by: By

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The first and the last moment of the period."""
        return (
            datetime.combine(self.since, time.min, CHINA),
            datetime.combine(self.until, time.max, CHINA),
        )


def period(by: By, since: date | None, until: date | None) -> Wanted:
    """The period asked for; a year to today where nothing is said. Raises `Invalid` for one that is none or too long."""
    last = until or local_day(clock.now())
    first = since or last - USUAL
    if first > last or last - first > LONGEST:
        raise Invalid(
            "起止日期不对：起不能晚于止，且不超过五年。 The period is none, or longer than five years.", code="bad-period"
        )
    return Wanted(first, last, by)


def _side(by: By) -> ColumnElement[Any]:
    if by == "area":
        return func.coalesce(cases.c.area, "")
    if by == "stage":
        return cases.c.state
    return func.to_char(func.timezone("Asia/Shanghai", cases.c.received_at), "YYYY-MM")


async def figures(conn: AsyncConnection, caller: Caller, wanted: Wanted) -> Sequence[Row[Any]]:
    """Per code: cases, urgent, late, closed; hours to the first acceptance and to the first action (median, worst
    tenth). A case of two kinds counts with each. What counts as action (查处): a track, a measure or an operation
    opened, or a den found in the field; the database keeps the first of each with the case."""
    first, last = wanted.bounds
    seen = within_reach(caller, "case.read") & cases.c.received_at.between(first, last)
    chosen = (
        select(
            cases.c.received_at, cases.c.urgent, cases.c.missed, cases.c.closed_at, cases.c.accepted_at, cases.c.acted_at,
            (func.jsonb_array_elements_text(cases.c.kinds) if wanted.by == "kind" else _side(wanted.by)).label("code"),
        )
        .where(seen)
        .cte("chosen")
    )  # fmt: skip

    def hours(at: ColumnElement[Any]) -> ColumnElement[Any]:
        length = cast(func.greatest(extract("epoch", at - chosen.c.received_at), 0) / 3600, Float)
        shares = func.percentile_cont(cast([0.5, 0.9], ARRAY(Float))).within_group(length).filter(at.is_not(None))
        return type_coerce(shares, ARRAY(Float))

    accepted, acted = hours(chosen.c.accepted_at), hours(chosen.c.acted_at)
    query = (
        select(
            chosen.c.code,
            func.count().label("cases"),
            func.count().filter(chosen.c.urgent).label("urgent"),
            func.count().filter(chosen.c.missed > 0).label("late"),
            func.count().filter(chosen.c.closed_at.is_not(None)).label("closed"),
            func.count(chosen.c.acted_at).label("acted"),
            # both shares of one sorting
            accepted.label("accepted"),
            acted.label("acting"),
        )
        .group_by(chosen.c.code)
        .order_by(func.count().desc(), chosen.c.code)
        .limit(MOST)
    )
    grouped = query.subquery("grouped")
    g = grouped.c
    shown = select(
        g.code, g.cases, g.urgent, g.late, g.closed, g.acted, g.accepted[1].label("accepted_median"),
        g.accepted[2].label("accepted_slow"), g.acting[1].label("acted_median"), g.acting[2].label("acted_slow"),
    )  # fmt: skip
    return (await conn.execute(shown.order_by(g.cases.desc(), g.code))).all()
