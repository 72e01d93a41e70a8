"""Figures over time by community and kind."""

from datetime import date, timedelta
from typing import Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake.queries import trends as queries
from services.intake.queries.trends import Wanted
from services.intake.schemas.trends import TrendsOut
from shared.kit import clock, db
from shared.kit.access import Caller, Requires
from shared.kit.problem import Invalid
from shared.kit.web import ORJSONResponse
from shared.rules.calendar import local_day

router = APIRouter(tags=["leads"])

COUNTED_EVERY_S = 60
LONGEST = timedelta(days=3 * 366)
USUAL = {"week": timedelta(weeks=26), "month": timedelta(days=365)}


@router.get("/trends", response_model=TrendsOut, summary="Tips by week or month and community or kind")
async def trends(
    request: Request,
    caller: Caller = Depends(Requires("lead.read")),
    by: Literal["area", "kind"] = "kind",
    span: Literal["week", "month"] = "week",
    since: date | None = None,
    until: date | None = None,
    area: str | None = Query(None, max_length=48),
    kind: str | None = Query(None, max_length=40),
) -> Response:
    """Half a year by weeks, or a year by months, unless asked otherwise; three years at most."""
    return ORJSONResponse(await told(request, caller, by=by, span=span, since=since, until=until, area=area, kind=kind))


async def told(
    request: Request, caller: Caller, *, by: queries.By, span: queries.Span, since: date | None = None,
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
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await queries.figures(conn, caller, wanted)
    starts = queries.spans(first, last, span)
    return {
        "by": by, "span": span, "starts": starts, "series": queries.series(rows, starts),
        "counted_every_s": COUNTED_EVERY_S,
    }  # fmt: skip
