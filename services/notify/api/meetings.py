"""JSON routes of meetings (联席会议、小型案件会议): calendar, agenda, who came, minutes, decisions that become duties."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.notify.api.duties import CHANGED, REFUSED, Key, desk_of, present_of
from services.notify.commands import meetings as commands
from services.notify.commands.meetings import Calling, Decision, Moving
from services.notify.commands.telling import claim_of
from services.notify.domain.meetings import MeetingKind
from services.notify.queries import duties as duty_queries
from services.notify.queries import meetings as queries
from services.notify.queries.duties_present import CALENDAR
from services.notify.schemas.duties import (
    DecisionIn,
    MeetingFullOut,
    MeetingHeldIn,
    MeetingIn,
    MeetingMoveIn,
    MeetingOut,
    MinutesIn,
)
from services.notify.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.ids import new_id
from shared.kit.pagination import Page

router = APIRouter(prefix="/v1/meetings", tags=["meetings"])

Reader = Depends(Requires("meeting.read"))
Manager = Depends(Requires("meeting.manage"))


@router.get("", summary="Meetings that I am asked to, or lead")
async def listed(
    request: Request,
    caller: Caller = Reader,
    show: Literal["coming", "minutes", "past"] = "coming",
    cursor: Annotated[str | None, Query(max_length=300)] = None,
    limit: Annotated[int, Query(ge=1, le=pagination.MOST)] = 50,
) -> Page[MeetingOut]:
    """`minutes`: over, and not closed with minutes yet."""
    async with db.begin(desk_of(request).service.engine) as conn:
        rows, following = await queries.listed(conn, caller, clock.now(), show=show, cursor=cursor, limit=limit)
    present = present_of(request)
    return Page(items=[present.meeting(row) for row in rows], next=following)


@router.get("/calendar.ics", summary="What is coming, as a calendar file", response_class=Response)
async def calendar(request: Request, caller: Caller = Reader) -> Response:
    """iCalendar (RFC 5545) of the next 200 meetings."""
    async with db.begin(desk_of(request).service.engine) as conn:
        rows, _ = await queries.listed(conn, caller, clock.now(), show="coming", limit=pagination.MOST)
    return Response(present_of(request).calendar(rows), media_type=CALENDAR)


@router.post("", status_code=201, responses=REFUSED, summary="Call a meeting")
async def call(
    request: Request, response: Response, body: MeetingIn, key: Key = None, caller: Caller = Manager
) -> MeetingFullOut:
    """The office calls joint conferences; an agency of a case calls a case conference. Needs `Idempotency-Key`."""
    desk = desk_of(request)
    claim = claim_of(desk, caller, "meeting.call", key, body.model_dump(), new_id())
    calling = Calling(
        MeetingKind(body.kind), body.title, body.place, tuple(body.agenda), body.starts_at, body.ends_at,
        tuple(body.agencies), body.case_id,
    )  # fmt: skip
    async with db.begin(desk.service.engine) as conn:
        made = await commands.call(conn, desk, caller, calling, claim=claim, now=clock.now())
    return await answer(request, response, caller, made.id)


@router.get("/{meeting_id}", responses=REFUSED, summary="One meeting with its decisions")
async def one(request: Request, response: Response, meeting_id: UUID, caller: Caller = Reader) -> MeetingFullOut:
    """With its ETag; the reading is recorded."""
    return await answer(request, response, caller, meeting_id)


@router.get("/{meeting_id}/calendar.ics", summary="A meeting as a calendar file", response_class=Response)
async def entry(request: Request, meeting_id: UUID, caller: Caller = Reader) -> Response:
    """iCalendar (RFC 5545)."""
    async with db.begin(desk_of(request).service.engine) as conn:
        row = await queries.one(conn, caller, meeting_id)
    return Response(present_of(request).calendar([row]), media_type=CALENDAR)


@router.patch("/{meeting_id}", responses=CHANGED, summary="Give a meeting another time, place or agenda")
async def move(
    request: Request, response: Response, meeting_id: UUID, body: MeetingMoveIn, key: Key = None, caller: Caller = Manager
) -> MeetingFullOut:
    """While it is called. Needs `If-Match` and `Idempotency-Key`."""
    desk = desk_of(request)
    claim = claim_of(desk, caller, "meeting.move", key, (meeting_id, body.model_dump()), meeting_id)
    version = required_version(request)
    agenda = tuple(body.agenda) if body.agenda else None
    moving = Moving(body.starts_at, body.ends_at, body.place, agenda)
    async with db.begin(desk.service.engine) as conn:
        await commands.move(conn, desk, caller, meeting_id, moving, version=version, claim=claim, now=clock.now())
    return await answer(request, response, caller, meeting_id)


@router.post("/{meeting_id}/steps/cancel", responses=CHANGED, summary="Call a meeting off")
async def cancel(
    request: Request, response: Response, meeting_id: UUID, key: Key = None, caller: Caller = Manager
) -> MeetingFullOut:
    """Needs `If-Match` and `Idempotency-Key`."""
    desk = desk_of(request)
    claim = claim_of(desk, caller, "meeting.cancel", key, meeting_id, meeting_id)
    version = required_version(request)
    async with db.begin(desk.service.engine) as conn:
        await commands.cancel(conn, desk, caller, meeting_id, version=version, claim=claim, now=clock.now())
    return await answer(request, response, caller, meeting_id)


@router.post("/{meeting_id}/steps/hold", responses=CHANGED, summary="Say that a meeting took place, and who came")
async def hold(
    request: Request, response: Response, meeting_id: UUID, body: MeetingHeldIn, key: Key = None, caller: Caller = Manager
) -> MeetingFullOut:
    """A joint conference fulfils the turn of the plan's calendar it falls in. Needs `If-Match` and `Idempotency-Key`."""
    desk = desk_of(request)
    claim = claim_of(desk, caller, "meeting.hold", key, (meeting_id, body.present), meeting_id)
    version = required_version(request)
    async with db.begin(desk.service.engine) as conn:
        await commands.hold(
            conn, desk, caller, meeting_id, body.present, version=version, claim=claim, now=clock.now()
        )
    return await answer(request, response, caller, meeting_id)


@router.put("/{meeting_id}/minutes", responses=CHANGED, summary="Write the minutes")
async def write(
    request: Request, response: Response, meeting_id: UUID, body: MinutesIn, key: Key = None, caller: Caller = Manager
) -> MeetingFullOut:
    """Until the meeting is closed. Needs `If-Match` and `Idempotency-Key`."""
    desk = desk_of(request)
    claim = claim_of(desk, caller, "meeting.write", key, (meeting_id, body.minutes), meeting_id)
    version = required_version(request)
    async with db.begin(desk.service.engine) as conn:
        await commands.write(
            conn, desk, caller, meeting_id, body.minutes, version=version, claim=claim, now=clock.now()
        )
    return await answer(request, response, caller, meeting_id)


@router.post("/{meeting_id}/decisions", status_code=201, responses=CHANGED, summary="A decision becomes a duty")
async def decide(
    request: Request, response: Response, meeting_id: UUID, body: DecisionIn, key: Key = None, caller: Caller = Manager
) -> MeetingFullOut:
    """With its deadline; the agency is told at once. Needs `If-Match` and `Idempotency-Key`."""
    desk = desk_of(request)
    claim = claim_of(desk, caller, "meeting.decide", key, (meeting_id, body.model_dump()), new_id())
    version = required_version(request)
    decision = Decision(body.agency, body.unit, body.due, body.what)
    async with db.begin(desk.service.engine) as conn:
        await commands.decide(conn, desk, caller, meeting_id, decision, version=version, claim=claim, now=clock.now())
    return await answer(request, response, caller, meeting_id)


@router.post("/{meeting_id}/steps/close", responses=CHANGED, summary="Make the minutes final")
async def close(
    request: Request, response: Response, meeting_id: UUID, key: Key = None, caller: Caller = Manager
) -> MeetingFullOut:
    """Needs minutes, `If-Match` and `Idempotency-Key`."""
    desk = desk_of(request)
    claim = claim_of(desk, caller, "meeting.close", key, meeting_id, meeting_id)
    version = required_version(request)
    async with db.begin(desk.service.engine) as conn:
        await commands.close(conn, desk, caller, meeting_id, version=version, claim=claim, now=clock.now())
    return await answer(request, response, caller, meeting_id)


async def answer(request: Request, response: Response, caller: Caller, meeting_id: UUID) -> MeetingFullOut:
    """A meeting as its caller may see it now."""
    now = clock.now()
    async with db.begin(desk_of(request).service.engine) as conn:
        row = await queries.one(conn, caller, meeting_id)
        decisions = await duty_queries.of_meeting(conn, meeting_id)
        await audit.record(conn, kit, caller, "meeting.read", "meeting", [meeting_id], now)
    response.headers["etag"] = etag(row.version)
    return present_of(request).meeting_full(row, decisions, now)
