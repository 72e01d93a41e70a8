"""Pages of meetings: what is coming, agenda, who came, minutes, decisions with their deadlines."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from services.notify.commands import meetings as commands
from services.notify.commands.meetings import Calling, Decision, Moving
from services.notify.commands.telling import claim_of, wrong
from services.notify.domain.meetings import STEPS, MeetingKind, MeetingState, MeetingStep
from services.notify.pages.duties import desk_of, present_of
from services.notify.queries import duties as duty_queries
from services.notify.queries import meetings as queries
from services.notify.queries.duties_present import CALENDAR
from services.notify.tables import kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Requires
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound, Outdated, Problem
from shared.rules.deadlines import SHANGHAI
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page, told

router = APIRouter(tags=["pages"], include_in_schema=False)

Reader = Depends(Requires("meeting.read"))
Manager = Depends(Requires("meeting.manage"))
A_PAGE = 30
REFUSALS = (Conflict, Forbidden, Invalid, Outdated)


class CallForm(Form):
    """A meeting; times are the town's clock, the agenda one item a line."""

    kind: MeetingKind
    title: str = Field(max_length=200)
    place: str = Field(max_length=200)
    agenda: str = Field(max_length=10_000)
    starts_at: str
    ends_at: str
    agencies: list[str] = Field(default=[], max_length=100)
    case_number: str = Field("", max_length=60)


class MoveForm(VersionedForm):
    """Another time or place."""

    starts_at: str
    ends_at: str
    place: str = Field(max_length=200)


class HeldForm(VersionedForm):
    """Who came."""

    present: list[str] = Field(default=[], max_length=100)


class MinutesForm(VersionedForm):
    """The minutes."""

    minutes: str = Field(max_length=50_000)


class DecisionForm(VersionedForm):
    """Who (agency or agency/unit) shall do what by when."""

    where: str = Field(max_length=100)
    due: date
    what: str = Field(max_length=2000)


@router.get("/meetings")
async def listed(
    request: Request,
    caller: Caller = Reader,
    show: Literal["coming", "minutes", "past"] = "coming",
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> HTMLResponse:
    """What is coming, what has no minutes yet, what is over."""
    async with db.begin(desk_of(request).service.engine) as conn:
        rows, following = await queries.listed(conn, caller, clock.now(), show=show, cursor=cursor, limit=A_PAGE)
    present = present_of(request)
    context = {"rows": [present.meeting(row) for row in rows], "next": following, "show": show}
    return page(request, "meetings.html", context, service="notify", caller=caller)


@router.get("/meetings/calendar.ics")
async def calendar(request: Request, caller: Caller = Reader) -> Response:
    """What is coming, for the calendar of a phone."""
    async with db.begin(desk_of(request).service.engine) as conn:
        rows, _ = await queries.listed(conn, caller, clock.now(), show="coming", limit=200)
    return _file(present_of(request).calendar(rows))


@router.get("/meetings/new")
async def new(
    request: Request, caller: Caller = Manager, case: Annotated[str, Query(max_length=60)] = ""
) -> HTMLResponse:
    """The form to call a meeting; with a case's number, a case conference about it."""
    everybody = caller.reach("meeting.manage") in ("plan", "all")
    kind = MeetingKind.JOINT_CONFERENCE if everybody and not case else MeetingKind.CASE_CONFERENCE
    return _form(request, caller, {"kind": kind, "case_number": case})


@router.post("/meetings")
async def call(request: Request, caller: Caller = Manager) -> Response:
    """Call a meeting."""
    form = await read_form(request, CallForm)
    desk = desk_of(request)
    sent = form.model_dump(exclude={"idempotency_key"})
    claim = claim_of(desk, caller, "meeting.call", str(form.idempotency_key), sent, new_id())
    try:
        agenda = tuple(line.strip() for line in form.agenda.splitlines() if line.strip())
        calling = Calling(
            form.kind, form.title, form.place, agenda, _moment("starts_at", form.starts_at),
            _moment("ends_at", form.ends_at), tuple(form.agencies),
            case_number=form.case_number or None,
        )  # fmt: skip
        async with db.begin(desk.service.engine) as conn:
            made = await commands.call(conn, desk, caller, calling, claim=claim, now=clock.now())
    except REFUSALS as refused:
        return _form(request, caller, sent, refused)
    return see_other(request, f"/meetings/{made.id}", done="saved")


@router.get("/meetings/{meeting_id}")
async def one(request: Request, meeting_id: UUID, caller: Caller = Reader) -> HTMLResponse:
    """One meeting."""
    return await _page(request, caller, meeting_id)


@router.get("/meetings/{meeting_id}/calendar.ics")
async def entry(request: Request, meeting_id: UUID, caller: Caller = Reader) -> Response:
    """One meeting, for the calendar of a phone."""
    async with db.begin(desk_of(request).service.engine) as conn:
        row = await queries.one(conn, caller, meeting_id)
    return _file(present_of(request).calendar([row]))


@router.post("/meetings/{meeting_id}/move")
async def move(request: Request, meeting_id: UUID, caller: Caller = Manager) -> Response:
    """Give it another time or place."""
    form = await read_form(request, MoveForm)

    async def do(conn: Any, claim: Any) -> None:
        moving = Moving(_moment("starts_at", form.starts_at), _moment("ends_at", form.ends_at), form.place)
        await commands.move(conn, desk_of(request), caller, meeting_id, moving, version=form.version, claim=claim, now=clock.now())

    return await _change(request, caller, meeting_id, "move", form, do)


@router.post("/meetings/{meeting_id}/cancel")
async def cancel(request: Request, meeting_id: UUID, caller: Caller = Manager) -> Response:
    """Call it off."""
    form = await read_form(request, VersionedForm)

    async def do(conn: Any, claim: Any) -> None:
        await commands.cancel(conn, desk_of(request), caller, meeting_id, version=form.version, claim=claim, now=clock.now())

    return await _change(request, caller, meeting_id, "cancel", form, do)


@router.post("/meetings/{meeting_id}/hold")
async def hold(request: Request, meeting_id: UUID, caller: Caller = Manager) -> Response:
    """It took place, with these agencies."""
    form = await read_form(request, HeldForm)

    async def do(conn: Any, claim: Any) -> None:
        await commands.hold(
            conn, desk_of(request), caller, meeting_id, form.present, version=form.version, claim=claim, now=clock.now()
        )

    return await _change(request, caller, meeting_id, "hold", form, do)


@router.post("/meetings/{meeting_id}/minutes")
async def write(request: Request, meeting_id: UUID, caller: Caller = Manager) -> Response:
    """Write the minutes."""
    form = await read_form(request, MinutesForm)

    async def do(conn: Any, claim: Any) -> None:
        await commands.write(
            conn, desk_of(request), caller, meeting_id, form.minutes, version=form.version, claim=claim, now=clock.now()
        )

    return await _change(request, caller, meeting_id, "write", form, do)


@router.post("/meetings/{meeting_id}/decisions")
async def decide(request: Request, meeting_id: UUID, caller: Caller = Manager) -> Response:
    """Make a decision a duty."""
    form = await read_form(request, DecisionForm)

    async def do(conn: Any, claim: Any) -> None:
        agency, _, unit = form.where.partition("/")
        decision = Decision(agency, unit or None, form.due, form.what)
        await commands.decide(
            conn, desk_of(request), caller, meeting_id, decision, version=form.version, claim=claim, now=clock.now()
        )

    return await _change(request, caller, meeting_id, "decide", form, do, new_id())


@router.post("/meetings/{meeting_id}/close")
async def close(request: Request, meeting_id: UUID, caller: Caller = Manager) -> Response:
    """Make the minutes final."""
    form = await read_form(request, VersionedForm)

    async def do(conn: Any, claim: Any) -> None:
        await commands.close(conn, desk_of(request), caller, meeting_id, version=form.version, claim=claim, now=clock.now())

    return await _change(request, caller, meeting_id, "close", form, do)


async def _change(
    request: Request, caller: Caller, meeting_id: UUID, step: str, form: VersionedForm, do: Any, object_id: UUID | None = None
) -> Response:
    desk = desk_of(request)
    sent = form.model_dump(exclude={"idempotency_key"})
    claim = claim_of(desk, caller, f"meeting.{step}", str(form.idempotency_key), (meeting_id, sent), object_id or meeting_id)
    try:
        async with db.begin(desk.service.engine) as conn:
            await do(conn, claim)
    except REFUSALS as refused:
        return await _page(request, caller, meeting_id, refused=refused, tried=sent)
    return see_other(request, f"/meetings/{meeting_id}", done="saved")


def _form(request: Request, caller: Caller, tried: dict[str, Any], refused: Problem | None = None) -> HTMLResponse:
    plan = desk_of(request).service.plans.get(caller.plan or "")
    context = {
        "tried": tried,
        "refused": told(request, refused) if refused else None,
        "zone": SHANGHAI,
        "calls_all": caller.reach("meeting.manage") in ("plan", "all"),
        "agencies": [agency.id for agency in plan.agencies if agency.id != caller.agency] if plan else [],
        "members": {agency.id for agency in plan.members} if plan else set(),
    }
    status = getattr(refused, "status", 200) if refused else 200
    return page(request, "meeting_new.html", context, service="notify", caller=caller, status=status)


async def _page(
    request: Request, caller: Caller, meeting_id: UUID, *, refused: Problem | None = None, tried: dict[str, Any] | None = None
) -> HTMLResponse:
    now = clock.now()
    async with db.begin(desk_of(request).service.engine) as conn:
        row = await queries.one(conn, caller, meeting_id)
        decisions = await duty_queries.of_meeting(conn, meeting_id)
        leads = await _leads(conn, caller, meeting_id)
        await audit.record(conn, kit, caller, "meeting.read", "meeting", [meeting_id], now)
    state = MeetingState(row.state)
    plan = desk_of(request).service.plans.get(row.plan)
    wheres = [
        where
        for agency in (plan.agencies if plan else ())
        for where in [(agency.id, agency.id, None), *((f"{agency.id}/{unit.id}", agency.id, unit.id) for unit in agency.units)]
    ]
    context = {
        "one": present_of(request).meeting_full(row, decisions, now),
        "can": {step.value for step in MeetingStep if leads and (state, step) in STEPS},
        "begun": row.starts_at <= now,
        "wheres": wheres,
        "refused": told(request, refused) if refused else None,
        "zone": SHANGHAI,
        "tried": tried or {},
    }
    status = getattr(refused, "status", 200) if refused else 200
    return page(request, "meeting.html", context, service="notify", caller=caller, status=status)


async def _leads(conn: Any, caller: Caller, meeting_id: UUID) -> bool:
    if caller.reach("meeting.manage") is None:
        return False
    try:
        await queries.to_change(conn, caller, meeting_id)
    except NotFound:
        return False
    return True


def _moment(field: str, text: str) -> datetime:
    """A moment of a form, by the town's clock. Raises `Invalid`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise wrong(field, "not-a-time", "请填写日期和时间。", "Give a day and a time.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def _file(calendar: bytes) -> Response:
    return Response(calendar, media_type=CALENDAR, headers={"content-disposition": 'attachment; filename="meetings.ics"'})
