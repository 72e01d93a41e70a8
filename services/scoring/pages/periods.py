"""Pages of closed periods: closing one, and reading it beside what became known later."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from services.scoring import queries
from services.scoring.commands.periods import CLOSES, close_once
from services.scoring.domain.periods import CHINA, PATTERN, period_of
from services.scoring.pages.standings import line_texts
from services.scoring.queries import LedgerFilter
from services.scoring.queries import periods as reading
from shared.kit import clock, db
from shared.kit.access import Caller, Requires
from shared.kit.problem import NotFound
from shared.web.forms import Form, read_form, see_other
from shared.web.render import page

router = APIRouter(include_in_schema=False, tags=["pages"])

RIGHT = "score.read"
_MOST = 500


class CloseForm(Form):
    """The period to close."""

    period: str = Field(pattern=PATTERN)


def closable(now: datetime, closed: set[str]) -> list[tuple[str, str]]:
    """The periods of this year and the last that are over and not closed, newest first."""
    today: date = now.astimezone(CHINA).date()
    labels = [
        label
        for year in (today.year, today.year - 1)
        for label in (str(year), *(f"{year}-Q{n}" for n in (4, 3, 2, 1)), *(f"{year}-{n:02d}" for n in range(12, 0, -1)))
    ]
    found = [period_of(label) for label in labels if label not in closed]
    over = sorted((one for one in found if one.over(now)), key=lambda one: (one.last, one.first), reverse=True)
    return [(one.label, one.label) for one in over]


@router.get("/periods")
async def list_(request: Request, caller: Caller = Depends(Requires(RIGHT))) -> HTMLResponse:
    """What is closed; and what may be, for who may."""
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await reading.closed(conn, caller, RIGHT)
    own = {row.label for row in rows if row.plan == caller.plan}
    open_ = closable(clock.now(), own) if reading.whole(caller, CLOSES, caller.plan) else []
    return page(request, "periods.html", {"rows": rows, "open": open_}, service="scoring", caller=caller)


@router.post("/periods")
async def close(request: Request, caller: Caller = Depends(Requires(CLOSES))) -> RedirectResponse:
    """Close one, and show it."""
    sent, state = await read_form(request, CloseForm), request.app.state
    async with db.begin(state.service.engine) as conn:
        taken = await close_once(
            conn, state.service, state.sealing, caller, caller.plan, sent.period, str(sent.idempotency_key), clock.now()
        )
    state.sealing.outside = taken or state.sealing.outside
    return see_other(request, f"/periods/{caller.plan}/{sent.period}", done="saved")


@router.get("/periods/{plan}/{label}")
async def one(
    request: Request, plan: str, label: Annotated[str, Path(pattern=PATTERN)], caller: Caller = Depends(Requires(RIGHT))
) -> HTMLResponse:
    """Frozen figures, the same days now, and the corrections between."""
    async with db.begin(request.app.state.service.engine) as conn:
        period = await reading.one(conn, caller, RIGHT, plan, label)
        if period is None:
            raise NotFound("没有这个已结账期间，或不在您的权限内。 No such closed period within your reach.")
        frozen = await reading.as_closed(conn, caller, RIGHT, period)
        wanted = LedgerFilter(plan=plan, first=period.first, last=period.last)
        known = await queries.standings_as_of(conn, caller, RIGHT, wanted)
        corrections = await reading.corrections(conn, caller, RIGHT, period, _MOST)
    now = {(row.rulebook, row.agency, row.unit, row.subject): row.points for row in known}
    return page(
        request,
        "period.html",
        {
            "period": period,
            "digest": bytes(period.digest).hex(),
            "whole": reading.whole(caller, RIGHT, plan),
            "rows": [
                (row, now.get((row.rulebook, row.agency, row.unit, row.subject), Decimal(0))) for row in frozen
            ],
            "corrections": corrections,
            "line_text": line_texts(request.app.state.books.shelf, plan),
        },
        service="scoring",
        caller=caller,
    )
