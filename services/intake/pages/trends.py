"""Pictures over time by community and kind: bars that a script draws, and the same figures as a table without one."""

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from services.intake.queries.trends import told
from shared.kit.access import Caller, Requires
from shared.kit.service import Service
from shared.rules.plan.vocabulary import TIP_KINDS
from shared.web.render import page

router = APIRouter()

_MOST_LINES = 12
"""Communities drawn by themselves; a table has them all."""


@router.get("/trends")
async def trends(
    request: Request,
    caller: Caller = Depends(Requires("lead.read")),
    by: Literal["area", "kind"] = "kind",
    span: Literal["week", "month"] = "week",
    area: Annotated[str, Query(max_length=48)] = "",
    kind: Annotated[str, Query(max_length=40)] = "",
) -> HTMLResponse:
    """Tips about pyramid selling within reach, by week or month."""
    service: Service = request.app.state.service
    shown: dict[str, Any] = await told(service, caller, by=by, span=span, area=area, kind=kind)
    plan = service.plans.get(caller.plan or "")
    return page(
        request,
        "trends.html",
        {
            "trends": shown,
            "drawn": shown["series"][:_MOST_LINES],
            "by": by,
            "span": span,
            "area": area,
            "kind": kind,
            "kind_codes": TIP_KINDS,
            "areas": plan.areas if plan else (),
            "total": sum(sum(one["tips"]) for one in shown["series"]),
            "json": lambda value: orjson.dumps(value).decode(),
        },
        service="intake",
        caller=caller,
    )
