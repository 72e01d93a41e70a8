"""The home of prevention, a community's own page, and survey rounds on one page (D-B3, X-D1a, X-D9)."""

from datetime import date
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import Field

from services.intake.commands.registers import surveys as commands
from services.intake.queries.registers import patrols, places, surveys
from services.intake.schemas.registers import PartReport, SurveyIn
from services.intake.tables import kit
from shared.kit import clock, db, idempotency
from shared.kit.access import Caller, Requires
from shared.kit.ids import new_id
from shared.kit.problem import NotFound
from shared.kit.service import Service
from shared.rules.calendar import local_day
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter()


@router.get("/prevention")
async def home(request: Request, caller: Caller = Depends(Requires("rental.read"))) -> HTMLResponse:
    """Per community: units, rate, tiers, patrols open and overdue; each figure opens its list."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        areas = await places.picture(conn, caller)
        tasks = {(row["plan"], row["area"]): row for row in await patrols.by_area(conn, caller)}
    return page(
        request,
        "registers/prevention.html",
        {
            "areas": areas,
            "tasks": tasks,
            "plans": service.plans,
            "units": sum(row["units"] for row in areas),
            "registered": sum(row["registered"] for row in areas),
            "open": sum(row["open"] for row in tasks.values()),
            "overdue": sum(row["overdue"] for row in tasks.values()),
        },
        service="intake",
        caller=caller,
    )


@router.get("/communities/{area}")
async def community(request: Request, area: str, caller: Caller = Depends(Requires("rental.read"))) -> HTMLResponse:
    """A community's own page: its rentals, rounds, revisits of cleared dens and patrols (X-D9)."""
    service: Service = request.app.state.service
    plan = service.plans.get(caller.plan or "")
    if plan is None or area not in {one.id for one in plan.areas}:
        raise NotFound("没有这个社区，或不在您的权限内。 No such community within your reach.")
    async with db.begin(service.engine) as conn:
        figures = next((row for row in await places.picture(conn, caller, plan.id) if row["area"] == area), None)
        routes = await patrols.routes(conn, caller, area)
        revisits = await patrols.tasks(conn, caller, area=area, cause="den", limit=20)
        rounds = await surveys.rounds(conn, caller, area, limit=5) if caller.reach("survey.read") else []
    return page(
        request,
        "registers/community.html",
        {"area": area, "plan": plan, "figures": figures, "routes": routes, "revisits": revisits, "rounds": rounds},
        service="intake",
        caller=caller,
    )


@router.get("/surveys")
async def rounds(request: Request, caller: Caller = Depends(Requires("survey.read"))) -> HTMLResponse:
    """Rounds with their progress; whoever manages surveys opens one here."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        found = await surveys.rounds(conn, caller)
    return page(
        request,
        "registers/surveys.html",
        {"rounds": found, "plan": service.plans.get(caller.plan or ""), "today": local_day(clock.now())},
        service="intake",
        caller=caller,
    )


class OpenForm(Form):
    """A new round."""

    title: str = Field(max_length=120)
    first: date
    due: date
    areas: list[str] = Field(default_factory=list)


@router.post("/surveys")
async def open_round(request: Request, caller: Caller = Depends(Requires("survey.manage"))) -> Response:
    """Open a round."""
    service: Service = request.app.state.service
    sent, now, fresh = await read_form(request, OpenForm), clock.now(), new_id()
    plan = service.plans.get(caller.plan or "")
    if plan is None:
        raise NotFound("没有这个方案。 There is no such plan.")
    body = SurveyIn(
        plan=plan.id, title=sent.title, first=sent.first.isoformat(), due=sent.due.isoformat(), areas=sent.areas
    )
    claim = idempotency.claim(
        service.settings.keys, caller, "survey.open", str(sent.idempotency_key), body.model_dump_json().encode(), fresh
    )
    async with db.begin(service.engine) as conn:
        known = await idempotency.take(conn, kit.idempotency, claim, now)
        if known is None:
            await commands.open_round(conn, service, caller, plan, body, now, round_id=fresh)
        elif not isinstance(known, UUID):
            raise known
    return see_other(request, f"/surveys/{known or fresh}", done="saved")


@router.get("/surveys/{round_id}")
async def one(request: Request, round_id: UUID, caller: Caller = Depends(Requires("survey.read"))) -> HTMLResponse:
    """Progress on one page: communities, and in each its estates."""
    async with db.begin(request.app.state.service.engine) as conn:
        found = await surveys.one(conn, caller, round_id)
    reports = caller.reach("survey.manage") or caller.reach("patrol.do")
    return page(
        request,
        "registers/survey.html",
        {"round": found, "may_report": bool(reports) and found["state"] == "open"},
        service="intake",
        caller=caller,
    )


class ReportForm(VersionedForm):
    """What a team did by hand."""

    part_id: UUID
    counted: int = 0
    found: int = 0
    target: int | None = None
    done: bool | None = None


@router.post("/surveys/{round_id}/reports")
async def report(request: Request, round_id: UUID, caller: Caller = Depends(Requires("survey.read"))) -> Response:
    """Add to one part."""
    service: Service = request.app.state.service
    sent, now = await read_form(request, ReportForm), clock.now()
    body = PartReport(counted=sent.counted, found=sent.found, target=sent.target, done=sent.done)
    claim = idempotency.claim(
        service.settings.keys, caller, "survey.report", str(sent.idempotency_key),
        f"{sent.part_id}\n{body.model_dump_json()}".encode(), sent.part_id,
    )  # fmt: skip
    async with db.begin(service.engine) as conn:
        known = await idempotency.take(conn, kit.idempotency, claim, now)
        if known is None:
            await commands.report_part(conn, service, caller, sent.part_id, body, sent.version, now)
        elif not isinstance(known, UUID):
            raise known
    return see_other(request, f"/surveys/{round_id}", done="saved")


@router.post("/surveys/{round_id}/closure")
async def close(request: Request, round_id: UUID, caller: Caller = Depends(Requires("survey.manage"))) -> Response:
    """End a round."""
    service: Service = request.app.state.service
    sent, now = await read_form(request, VersionedForm), clock.now()
    claim = idempotency.claim(
        service.settings.keys, caller, "survey.close", str(sent.idempotency_key), str(round_id).encode(), round_id
    )
    async with db.begin(service.engine) as conn:
        known = await idempotency.take(conn, kit.idempotency, claim, now)
        if known is None:
            await commands.close_round(conn, service, caller, round_id, sent.version, now)
        elif not isinstance(known, UUID):
            raise known
    return see_other(request, f"/surveys/{round_id}", done="saved")
