"""The figures of cases as a page: each line opens to its cases."""

from datetime import date

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from services.casework.queries.statistics import By, figures, period
from shared.kit import db
from shared.kit.access import Caller, Requires
from shared.web.render import page

router = APIRouter()


@router.get("/statistics")
async def statistics(
    request: Request,
    caller: Caller = Depends(Requires("case.read")),
    by: By = "area",
    since: date | None = None,
    until: date | None = None,
) -> HTMLResponse:
    """Cases by area, kind, stage or month, with the hours from the tip to acceptance and to action."""
    asked = period(by, since, until)
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await figures(conn, caller, asked)
    return page(
        request,
        "statistics.html",
        {"rows": rows, "by": by, "since": asked.since, "until": asked.until, "total": sum(row.cases for row in rows)},
        service="casework",
        caller=caller,
    )
