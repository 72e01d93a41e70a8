"""A patroller's phone: routes, tasks of one route, check-ins that wait for a net; the overdue board (D-E2)."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import Field

from services.intake.commands.registers.patrols import check_in
from services.intake.domain.registers.patrols import Result
from services.intake.domain.registers.signs import signs_at
from services.intake.queries.registers import patrols
from services.intake.queries.told import told_of
from services.intake.schemas.registers import CheckIn
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.service import Service
from shared.web.forms import Form, read_form, see_other
from shared.web.render import page

router = APIRouter()
_ROWS = 40


@router.get("/patrol")
async def routes(request: Request, caller: Caller = Depends(Requires("patrol.do"))) -> HTMLResponse:
    """Where something is to be patrolled: by community and estate."""
    async with db.begin(request.app.state.service.engine) as conn:
        found = await patrols.routes(conn, caller)
    found.sort(key=lambda one: (-one["overdue"], one["area"], one["estate"]))
    return page(
        request, "registers/routes.html", {"routes": found, "who": _who(request, caller)}, service="intake", caller=caller
    )


@router.get("/patrol/route")
async def route(
    request: Request,
    area: Annotated[str, Query(max_length=48)],
    estate: UUID,
    task: UUID | None = None,
    caller: Caller = Depends(Requires("patrol.do")),
) -> HTMLResponse:
    """The tasks of one estate in walking order, and one form for all of them (`task`: for which, without a script)."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        tasks = await patrols.route(conn, caller, area, estate)
    return page(
        request,
        "registers/route.html",
        {
            "tasks": tasks,
            "area": area,
            "estate_id": estate,
            "estate": tasks[0]["estate"] if tasks else "",
            "chosen": next((one for one in tasks if one["id"] == task), None),
            "plan": service.plans.get(caller.plan or ""),
            "signs": signs_at("patrol"),
            "who": _who(request, caller),
        },
        service="intake",
        caller=caller,
    )


def _who(request: Request, caller: Caller) -> str:
    """Whose check-ins wait in this browser, so that nobody sends another's: a keyed token, no account."""
    return request.app.state.service.settings.keys.token("target", "patroller", caller.actor).hex()[:16]


class CheckInForm(Form):
    """A check-in from a page without a script."""

    task_id: UUID
    area: str
    estate: UUID
    result: Result
    signs: list[str] = Field(default_factory=list)
    occupants: str | None = None


@router.post("/patrol/check-ins")
async def check(request: Request, caller: Caller = Depends(Requires("patrol.do"))) -> Response:
    """What the script sends to the API, for a browser without one."""
    sent = await read_form(request, CheckInForm)
    body = CheckIn.model_validate({"result": sent.result.value, "signs": sent.signs, "occupants": sent.occupants})
    await check_in(request.app.state.service, caller, sent.task_id, body, str(sent.idempotency_key), clock.now())
    return see_other(request, f"/patrol/route?area={sent.area}&estate={sent.estate}", done="saved")


@router.get("/patrol/overdue")
async def overdue(
    request: Request,
    caller: Caller = Depends(Requires("rental.read")),
    area: Annotated[str, Query(max_length=48)] = "",
    state: Annotated[str, Query(pattern="^(open|overdue|den)$")] = "overdue",
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> HTMLResponse:
    """The overdue board: communities, and the tasks themselves, the longest due first."""
    service: Service = request.app.state.service
    after = pagination.decode(cursor, (date.fromisoformat, UUID))
    async with db.begin(service.engine) as conn:
        areas = await patrols.by_area(conn, caller)
        found = await patrols.tasks(
            conn, caller, area=area or None, state=None if state == "den" else state,
            cause="den" if state == "den" else None, after=after, limit=_ROWS,  # type: ignore[arg-type]
        )  # fmt: skip
    rows, following = pagination.page(found, _ROWS, lambda row: (row["due"], row["id"]))
    return page(
        request,
        "registers/overdue.html",
        {
            "areas": areas, "rows": rows, "next": following, "area": area, "state": state,
            "plan": service.plans.get(caller.plan or ""),
        },
        service="intake",
        caller=caller,
    )  # fmt: skip


@router.get("/patrol/findings")
async def findings(request: Request, caller: Caller = Depends(Requires("patrol.do"))) -> HTMLResponse:
    """What became of what I brought (D-E4)."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        rows = await patrols.findings(conn, caller)
        told = await told_of(conn, service, [row["tip_id"] for row in rows])
    shown = [dict(row) | told[row["tip_id"]] for row in rows]
    return page(request, "registers/findings.html", {"rows": shown}, service="intake", caller=caller)
