"""Figures over time by community and kind."""

from datetime import date
from typing import Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake.queries.trends import told
from services.intake.schemas.trends import TrendsOut
from shared.kit.access import Caller, Requires
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["leads"])


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
    service = request.app.state.service
    return ORJSONResponse(
        await told(service, caller, by=by, span=span, since=since, until=until, area=area, kind=kind)
    )
