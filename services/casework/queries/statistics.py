"""Figures of cases within the caller's reach: by area, kind, stage or month, and how long from lead to action (D-M5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Float, Row, cast, extract, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.domain.cases import ACCEPTANCE
from services.casework.queries.visibility import within_reach
from services.casework.tables import cases, deadlines, dens, proceedings
from shared.kit import clock
from shared.kit.access import Caller
from shared.kit.clock import CHINA
from shared.kit.problem import Invalid
from shared.rules.calendar import local_day

By = Literal["area", "kind", "stage", "month"]
ACTING = ("track", "measure", "operation")
"""What counts as action (查处): a track, a measure or an operation opened; a den found in the field counts as well."""
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
    tenth). A case of two kinds counts with each."""
    first, last = wanted.bounds
    seen = within_reach(caller, "case.read") & cases.c.received_at.between(first, last)
    chosen = (
        select(
            cases.c.id, cases.c.received_at, cases.c.urgent, cases.c.missed, cases.c.closed_at,
            (func.jsonb_array_elements_text(cases.c.kinds) if wanted.by == "kind" else _side(wanted.by)).label("code"),
        )
        .where(seen)
        .cte("chosen")
    )  # fmt: skip
    ids = select(chosen.c.id)
    accepted = (
        select(deadlines.c.case_id, func.min(deadlines.c.met_at).label("at"))
        .where(deadlines.c.kind == ACCEPTANCE, deadlines.c.met_at.is_not(None), deadlines.c.case_id.in_(ids))
        .group_by(deadlines.c.case_id)
        .subquery()
    )
    acts = union_all(
        select(proceedings.c.case_id, proceedings.c.opened_at.label("at")).where(
            proceedings.c.category.in_(ACTING), proceedings.c.case_id.in_(ids)
        ),
        select(dens.c.case_id, dens.c.found_at.label("at")).where(dens.c.case_id.in_(ids)),
    ).subquery()
    acted = select(acts.c.case_id, func.min(acts.c.at).label("at")).group_by(acts.c.case_id).subquery()

    def hours(at: ColumnElement[Any], share: float) -> ColumnElement[Any]:
        length = cast(func.greatest(extract("epoch", at - chosen.c.received_at), 0) / 3600, Float)
        return func.percentile_cont(share).within_group(length).filter(at.is_not(None))

    query = (
        select(
            chosen.c.code,
            func.count().label("cases"),
            func.count().filter(chosen.c.urgent).label("urgent"),
            func.count().filter(chosen.c.missed > 0).label("late"),
            func.count().filter(chosen.c.closed_at.is_not(None)).label("closed"),
            func.count(acted.c.at).label("acted"),
            hours(accepted.c.at, 0.5).label("accepted_median"),
            hours(accepted.c.at, 0.9).label("accepted_slow"),
            hours(acted.c.at, 0.5).label("acted_median"),
            hours(acted.c.at, 0.9).label("acted_slow"),
        )
        .select_from(chosen)
        .outerjoin(accepted, accepted.c.case_id == chosen.c.id)
        .outerjoin(acted, acted.c.case_id == chosen.c.id)
        .group_by(chosen.c.code)
        .order_by(func.count().desc(), chosen.c.code)
        .limit(MOST)
    )
    return (await conn.execute(query)).all()
