"""Reporting: the plan's calendar, what is owed, what came, who is missing, who reports for whom."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.notify.commands.reports import writing
from services.notify.commands.reports.room import Room, claim
from services.notify.domain.reports import turns_of
from services.notify.queries import report_present as present
from services.notify.queries import reports as queries
from services.notify.schemas.reports import (
    ReportAsk,
    ReporterIn,
    ReporterOut,
    ReportOut,
    ReportReason,
    ReportRow,
    ReportSays,
    RoundOut,
    TurnOut,
)
from services.notify.tables import kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.ids import new_id
from shared.kit.pagination import MOST, Page

router = APIRouter(prefix="/v1", tags=["reports"])

Reader = Depends(Requires("report.read"))
Writer = Depends(Requires("report.write"))
Collector = Depends(Requires("report.collect"))
Key = Annotated[str, Header()]
ReportStateName = Literal["owed", "drafted", "missed", "submitted", "returned", "withdrawn"]


def room_of(request: Request) -> Room:
    room: Room = request.app.state.reports
    return room


@router.get("/reporting/calendar")
async def calendar(request: Request, caller: Caller = Reader) -> list[TurnOut]:
    """The days of my plan by its explicit dates, or by its rule where it names none; and its reports upward."""
    plan = room_of(request).plan(caller.plan)
    return [
        TurnOut(kind=t.kind, clause=t.clause, first_day=t.first_day, day=t.day, by=list(t.by), to=t.to)
        for t in turns_of(plan)
    ]


@router.get("/reporting/rounds")
async def list_rounds(
    request: Request, limit: int = Query(20, ge=1, le=100), caller: Caller = Reader
) -> list[RoundOut]:
    """Day by day, the latest first: what is owed, what came, what came late, who is missing."""
    room = room_of(request)
    async with db.begin(room.service.engine) as conn:
        found = await queries.rounds(conn, caller, limit=limit)
    return [present.round_out(one) for one in found]


@router.get("/reports")
async def list_reports(
    request: Request,
    state: Annotated[list[ReportStateName], Query()] = [],  # noqa: B006
    agency: str | None = Query(None, max_length=48),
    day: date | None = None,
    kind: str | None = Query(None, max_length=48),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=MOST),
    caller: Caller = Reader,
) -> Page[ReportRow]:
    """Reports I may see, what is late first."""
    room = room_of(request)
    async with db.begin(room.service.engine) as conn:
        rows, following = await queries.listed(
            conn, caller, states=state, agency=agency, day=day, kind=kind, cursor=cursor, limit=limit
        )
    return Page(items=[present.report_row(room.settings, row) for row in rows], next=following)


@router.post("/reports", status_code=201)
async def ask(request: Request, body: ReportAsk, idempotency_key: Key, caller: Caller = Collector) -> list[ReportRow]:
    """Ask agencies for a report beside the calendar. Needs an Idempotency-Key."""
    room = room_of(request)
    plan = room.plan(caller.plan)
    used = claim(room, caller, "report.ask", idempotency_key, body, new_id())
    async with db.begin(room.service.engine) as conn:
        made = await writing.ask(
            conn, room, caller, plan, agencies=body.agencies, first_day=body.first_day, day=body.day, claim=used,
            now=clock.now(),
        )  # fmt: skip
        rows = [await queries.one(conn, caller, one) for one in made]
    return [present.report_row(room.settings, row) for row in rows]


@router.get("/reports/{report_id}")
async def one_report(request: Request, response: Response, report_id: UUID, caller: Caller = Reader) -> ReportOut:
    """One report with its words and figures; reading it is recorded."""
    return await _full(request, response, caller, report_id)


async def _full(request: Request, response: Response, caller: Caller, report_id: UUID) -> ReportOut:
    room = room_of(request)
    async with db.begin(room.service.engine) as conn:
        row = await queries.one(conn, caller, report_id)
        plan = room.service.plans.get(row.plan)
        shown = await present.report_out(conn, room.settings, plan, row, room.open(row.id, row.contents))
        await audit.record(conn, kit, caller, "report.read", "report", [row.id], clock.now())
    response.headers["etag"] = etag(row.version)
    return shown


@router.put("/reports/{report_id}/contents")
async def save(
    request: Request, response: Response, report_id: UUID, body: ReportSays, idempotency_key: Key, caller: Caller = Writer
) -> ReportOut:
    """Keep what is written so far. Needs If-Match and Idempotency-Key."""
    room, version = room_of(request), required_version(request)
    used = claim(room, caller, "report.save", idempotency_key, (report_id, version, body), report_id)
    async with db.begin(room.service.engine) as conn:
        await writing.save(
            conn, room, caller, report_id, version=version, says=body.model_dump(), claim=used, now=clock.now()
        )
    return await _full(request, response, caller, report_id)


@router.post("/reports/{report_id}/submission")
async def submit(
    request: Request, response: Response, report_id: UUID, idempotency_key: Key, body: ReportSays | None = None,
    caller: Caller = Writer,
) -> ReportOut:  # fmt: skip
    """Send what was saved, or what this body says. Needs If-Match and Idempotency-Key."""
    room, version = room_of(request), required_version(request)
    used = claim(room, caller, "report.submit", idempotency_key, (report_id, version, body), report_id)
    async with db.begin(room.service.engine) as conn:
        await writing.submit(
            conn, room, caller, report_id, version=version, says=body.model_dump() if body else None, claim=used,
            now=clock.now(),
        )  # fmt: skip
    return await _full(request, response, caller, report_id)


@router.post("/reports/{report_id}/return")
async def send_back(
    request: Request, response: Response, report_id: UUID, body: ReportReason, idempotency_key: Key,
    caller: Caller = Collector,
) -> ReportOut:  # fmt: skip
    """Ask for more (退回补充). Needs If-Match and Idempotency-Key."""
    room, version = room_of(request), required_version(request)
    used = claim(room, caller, "report.return", idempotency_key, (report_id, version, body), report_id)
    async with db.begin(room.service.engine) as conn:
        await writing.send_back(
            conn, room, caller, report_id, version=version, reason=body.reason, claim=used, now=clock.now()
        )
    return await _full(request, response, caller, report_id)


@router.post("/reports/{report_id}/withdrawal")
async def withdraw(
    request: Request, response: Response, report_id: UUID, body: ReportReason, idempotency_key: Key,
    caller: Caller = Collector,
) -> ReportOut:  # fmt: skip
    """No longer ask for it. Needs If-Match and Idempotency-Key."""
    room, version = room_of(request), required_version(request)
    used = claim(room, caller, "report.withdraw", idempotency_key, (report_id, version, body), report_id)
    async with db.begin(room.service.engine) as conn:
        await writing.withdraw(
            conn, room, caller, report_id, version=version, reason=body.reason, claim=used, now=clock.now()
        )
    return await _full(request, response, caller, report_id)


@router.get("/reporters")
async def list_reporters(request: Request, caller: Caller = Reader) -> list[ReporterOut]:
    """Who reports for which agency (定人报告); of my own agency, or of the plan for the office."""
    room = room_of(request)
    async with db.begin(room.service.engine) as conn:
        return await present.reporters(conn, room.settings.keys, caller, room.plan(caller.plan))


@router.put("/reporters/{agency}")
async def name_reporter(
    request: Request, response: Response, agency: str, body: ReporterIn, idempotency_key: Key,
    caller: Caller = Depends(Requires("report.assign")),
) -> ReporterOut:  # fmt: skip
    """Name who reports for an agency. Needs If-Match (`"0"` while nobody is named) and Idempotency-Key."""
    room, version = room_of(request), required_version(request)
    plan = room.plan(caller.plan)
    used = claim(room, caller, "reporter.name", idempotency_key, (agency, version, body), body.account_id)
    async with db.begin(room.service.engine) as conn:
        await writing.name_reporter(
            conn, caller, plan, agency, body.account_id, version=version, claim=used, now=clock.now()
        )
        named = (await queries.named(conn, caller)).get(agency)
    kept = named.version if named else version + 1
    response.headers["etag"] = etag(kept)
    return ReporterOut(agency=agency, account_id=body.account_id, display_name=None, version=kept)
