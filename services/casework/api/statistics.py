"""JSON of the figures of cases."""

from datetime import date

from fastapi import APIRouter, Depends, Request, Response

from services.casework.queries.statistics import By, figures, period
from services.casework.schemas.statistics import FigureOut, FiguresOut
from shared.kit import db
from shared.kit.access import Caller, Requires
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["statistics"])

@router.get("/statistics/cases", response_model=FiguresOut, summary="Cases by area, kind, stage or month")
async def cases_figures(
    request: Request,
    caller: Caller = Depends(Requires("case.read")),
    by: By = "area",
    since: date | None = None,
    until: date | None = None,
) -> Response:
    """How many, how many late and closed, and how long from the tip to acceptance and to action."""
    asked = period(by, since, until)
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await figures(conn, caller, asked)
    items = [FigureOut.model_validate(row, from_attributes=True) for row in rows]
    out = FiguresOut(by=by, since=asked.since, until=asked.until, items=items)
    return ORJSONResponse(out.model_dump(mode="json"))
