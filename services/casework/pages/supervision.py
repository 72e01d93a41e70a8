"""The office's page of what it supervises and what is reported: orders, listed ones, inspections, major cases, incidents."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from services.casework.queries.proceedings import Narrowed, list_proceedings
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.rules.law import Text
from shared.web.render import page

router = APIRouter()

A_PAGE = 30
KINDS = (
    "supervision", "listed_supervision", "inspection", "concealment", "major_report", "incident", "higher_case",
)  # fmt: skip
Show = Literal["open", "late", "ended"]


@router.get("/supervision")
async def supervision(
    request: Request,
    caller: Caller = Depends(Requires("supervision.open")),
    kind: str | None = Query(None, max_length=48),
    show: Show = "open",
    cursor: str | None = Query(None, max_length=300),
) -> HTMLResponse:
    """Orders and reports by kind: what is open, what is past its time, what has ended."""
    now = clock.now()
    chosen = kind if kind in KINDS else KINDS[0]
    narrowed = Narrowed(kind=chosen, late=show == "late", ended=None if show == "late" else show == "ended")
    async with db.begin(request.app.state.service.engine) as conn:
        found = await list_proceedings(conn, caller, narrowed, after=pagination.decode(cursor, (UUID,)), limit=A_PAGE)
    rows, following = pagination.page(found, A_PAGE, lambda full: (full.row.id,))
    present, procedures = request.app.state.proceedings, request.app.state.basis.procedures
    return page(
        request,
        "supervision.html",
        {
            "rows": [present.out(full, now) for full in rows],
            "next": following,
            "show": show,
            "kind": chosen,
            "kinds": [procedures.get(one) for one in KINDS],
            "text": Text.model_validate,
        },
        service="casework",
        caller=caller,
    )
