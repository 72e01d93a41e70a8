"""Pages of reporting: what waits for me and what is late first, a report's form, days with who is missing, reporters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from services.notify.commands.reports import writing
from services.notify.commands.reports.room import Room, claim
from services.notify.domain.figures import MEASURES
from services.notify.domain.reports import FIELDS, OPEN, REGULAR, ReportState, may_report
from services.notify.queries import directory
from services.notify.queries import report_present as present
from services.notify.queries import reports as queries
from services.notify.schemas.reports import Reason, ReportSays, Words
from services.notify.tables import kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Requires
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound, Outdated, Problem
from shared.rules.calendar import local_day
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter(tags=["pages"], include_in_schema=False)

Reader = Depends(Requires("report.read"))
Writer = Depends(Requires("report.write"))
Collector = Depends(Requires("report.collect"))
REFUSALS = (Conflict, Forbidden, Invalid, Outdated)
A_PAGE = 40
Show = Literal["mine", "days", "all"]


def room_of(request: Request) -> Room:
    room: Room = request.app.state.reports
    return room


@router.get("/reporting")
async def desk(
    request: Request,
    caller: Caller = Depends(Requires("bulletin.read")),
    show: Show | None = None,
    day: date | None = None,
    state: Annotated[str | None, Query(max_length=20)] = None,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> HTMLResponse:
    """The reporting desk: my own unit's, what is late first; for the office, day by day with the missing list."""
    room = room_of(request)
    wide = caller.reach("report.read") in ("plan", "all")
    shown: Show = show or ("days" if wide else "mine")
    rows: list[Any] = []
    following, days = None, []
    async with db.begin(room.service.engine) as conn:
        counts = await queries.counts(conn, caller)
        if shown == "days":
            days = [present.round_out(one) for one in await queries.rounds(conn, caller)]
        else:
            states = [state] if state in set(ReportState) else []
            rows, following = await queries.listed(
                conn, caller, mine=shown == "mine", states=states, day=day, cursor=cursor, limit=A_PAGE
            )
    context = {
        "counts": counts, "show": shown, "wide": wide, "rounds": days, "next": following, "state": state,
        "rows": [present.report_row(room.settings, row) for row in rows], "milestones": _milestones(room.plan(caller.plan)),
    }  # fmt: skip
    return page(request, "reporting.html", context, service="notify", caller=caller)


def _milestones(plan: Any) -> dict[str, Any]:
    return {one.id: one.name for one in plan.milestones}


class ReportForm(VersionedForm):
    """A report as typed; `step` is the button: save or submit."""

    step: Literal["save", "submit"] = "save"
    done: Words = ""
    results: Words = ""
    problems: Words = ""
    suggestions: Words = ""


class ReasonForm(VersionedForm):
    reason: Reason


class AskForm(Form):
    day: date
    first_day: date
    agencies: list[str] = Field(default_factory=list, max_length=200)


class ReporterForm(VersionedForm):
    agency: str = Field(max_length=48)
    account_id: UUID


@router.get("/reports/new")
async def ask_page(request: Request, caller: Caller = Collector) -> HTMLResponse:
    """Ask agencies for a report beside the calendar."""
    return _ask_page(request, caller)


def _ask_page(request: Request, caller: Caller, refused: Problem | None = None, tried: AskForm | None = None) -> HTMLResponse:
    plan, today = room_of(request).plan(caller.plan), local_day(clock.now())
    context = {
        "agencies": plan.reporters() or [one.id for one in plan.members], "refused": refused.detail if refused else None,
        "wrong": _wrong(refused), "due_day": tried.day if tried else today + timedelta(days=3),
        "first_day": tried.first_day if tried else today - timedelta(days=13), "chosen": tried.agencies if tried else [],
    }  # fmt: skip
    return page(request, "report_new.html", context, service="notify", caller=caller, status=refused.status if refused else 200)


def _wrong(refused: Problem | None) -> dict[str, str]:
    return {str(one["field"]): str(one["message"]) for one in (refused.extras.get("errors", []) if refused else [])}


@router.post("/reports/new")
async def ask(request: Request, caller: Caller = Collector) -> Response:
    """Send the request; each agency has a notice at once."""
    form, room = await read_form(request, AskForm), room_of(request)
    used = claim(room, caller, "report.ask", str(form.idempotency_key), form.model_dump(exclude={"idempotency_key"}), new_id())
    try:
        async with db.begin(room.service.engine) as conn:
            await writing.ask(
                conn, room, caller, room.plan(caller.plan), agencies=form.agencies, first_day=form.first_day, day=form.day,
                claim=used, now=clock.now(),
            )  # fmt: skip
    except REFUSALS as refused:
        return _ask_page(request, caller, refused, form)
    return see_other(request, "/reporting?show=days", done="sent")


@router.get("/reports/{report_id}")
async def one(request: Request, report_id: UUID, caller: Caller = Reader) -> HTMLResponse:
    """One report: a form for who reports, as it was sent for who reads; it prints as it stands."""
    return await _page(request, caller, report_id)


async def _page(
    request: Request, caller: Caller, report_id: UUID, refused: Problem | None = None, typed: Mapping[str, str] | None = None
) -> HTMLResponse:
    room = room_of(request)
    async with db.begin(room.service.engine) as conn:
        row = await queries.one(conn, caller, report_id)
        plan = room.service.plans.get(row.plan)
        shown = await present.report_out(conn, room.settings, plan, row, room.open(row.id, row.contents))
        named = await queries.named_reporter(conn, row.plan, row.agency)
        await audit.record(conn, kit, caller, "report.read", "report", [row.id], clock.now())
    mine = caller.reach("report.write") is not None and (caller.plan, caller.agency) == (row.plan, row.agency)
    may = plan is not None and may_report(plan, caller.id, caller.posts, str(named) if named else None)
    context = {
        "report": shown,
        "says": dict(typed) if typed is not None else shown.says.model_dump(),
        "writes": mine and may and row.state in OPEN and row.kind == REGULAR,
        "not_named": mine and not may and row.state in OPEN,
        "collects": caller.reach("report.collect") is not None,
        "compiles": row.kind != REGULAR and row.state in OPEN and caller.reach("bulletin.edit") is not None,
        "figures": measured(shown.figures.total),
        "fields": FIELDS,
        "milestones": _milestones(plan) if plan else {},
        "refused": refused.detail if refused else None,
        "wrong": _wrong(refused),
    }
    return page(request, "report.html", context, service="notify", caller=caller, status=refused.status if refused else 200)


def measured(total: Mapping[str, int]) -> list[tuple[str, int]]:
    """Counts to show, in the order of the measures; those that are nothing left out."""
    return [(measure, total[measure]) for measure in MEASURES if total.get(measure)]


@router.post("/reports/{report_id}")
async def write(request: Request, report_id: UUID, caller: Caller = Writer) -> Response:
    """Save or send; what was typed stays where it is refused."""
    form, room = await read_form(request, ReportForm), room_of(request)
    says = ReportSays(**{field: getattr(form, field) for field in FIELDS}).model_dump()
    change = writing.submit if form.step == "submit" else writing.save
    asked_for = (report_id, form.version, says)
    used = claim(room, caller, f"report.{form.step}", str(form.idempotency_key), asked_for, report_id)
    try:
        async with db.begin(room.service.engine) as conn:
            await change(conn, room, caller, report_id, version=form.version, says=says, claim=used, now=clock.now())
    except REFUSALS as refused:
        return await _page(request, caller, report_id, refused, says)
    return see_other(request, f"/reports/{report_id}", done="sent" if form.step == "submit" else "saved")


async def _decide(request: Request, caller: Caller, report_id: UUID, change: Any) -> Response:
    form, room = await read_form(request, ReasonForm), room_of(request)
    asked_for = (report_id, form.version, form.reason)
    used = claim(room, caller, f"report.{change.__name__}", str(form.idempotency_key), asked_for, report_id)
    try:
        async with db.begin(room.service.engine) as conn:
            await change(conn, room, caller, report_id, version=form.version, reason=form.reason, claim=used, now=clock.now())
    except REFUSALS as refused:
        return await _page(request, caller, report_id, refused)
    return see_other(request, f"/reports/{report_id}", done="saved")


@router.post("/reports/{report_id}/return")
async def send_back(request: Request, report_id: UUID, caller: Caller = Collector) -> Response:
    """Ask for more."""
    return await _decide(request, caller, report_id, writing.send_back)


@router.post("/reports/{report_id}/withdrawal")
async def withdraw(request: Request, report_id: UUID, caller: Caller = Collector) -> Response:
    """No longer ask for it."""
    return await _decide(request, caller, report_id, writing.withdraw)


@router.get("/reporters")
async def reporters(request: Request, caller: Caller = Reader) -> HTMLResponse:
    """Who reports for which unit (定人报告)."""
    return await _reporters(request, caller)


async def _reporters(request: Request, caller: Caller, refused: Problem | None = None) -> HTMLResponse:
    room = room_of(request)
    plan = room.plan(caller.plan)
    async with db.begin(room.service.engine) as conn:
        shown = await present.reporters(conn, room.settings.keys, caller, plan)
    assign = caller.reach("report.assign")
    chosen = [one.agency for one in shown if assign in ("plan", "all") or (assign and one.agency == caller.agency)]
    people: dict[str, list[tuple[str, str]]] = {agency: [] for agency in chosen}
    if chosen:
        async with db.begin(room.service.engine) as conn:
            for row in await queries.candidates(conn, plan.id, chosen):
                said = directory.display_name(room.settings.keys, row) or row.login
                people[row.agency].append((str(row.id), said))
    context = {
        "rows": shown, "people": people, "wanted": bool(plan.reporting and plan.reporting.named_reporter),
        "refused": refused.detail if refused else None,
    }  # fmt: skip
    return page(request, "reporters.html", context, service="notify", caller=caller, status=refused.status if refused else 200)


@router.post("/reporters")
async def name_reporter(request: Request, caller: Caller = Depends(Requires("report.assign"))) -> Response:
    """Name who reports for a unit."""
    form, room = await read_form(request, ReporterForm), room_of(request)
    asked_for = (form.agency, form.version, form.account_id)
    used = claim(room, caller, "reporter.name", str(form.idempotency_key), asked_for, form.account_id)
    try:
        async with db.begin(room.service.engine) as conn:
            await writing.name_reporter(
                conn, caller, room.plan(caller.plan), form.agency, form.account_id, version=form.version, claim=used,
                now=clock.now(),
            )  # fmt: skip
    except (*REFUSALS, NotFound) as refused:
        return await _reporters(request, caller, refused)
    return see_other(request, "/reporters", done="saved")


