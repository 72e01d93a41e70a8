"""Pages of bulletins: the list, compiling, the editor with a preview beside it, release, the printed view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field, ValidationError

from services.notify.commands.bulletins import editing, printing, releasing
from services.notify.commands.bulletins.printing import MEDIA, file_name, read_one
from services.notify.commands.reports.room import claim
from services.notify.domain.bulletins import KINDS, UPWARD, BulletinState, charts_of, printed
from services.notify.pages.reports import measured, room_of
from services.notify.queries import bulletins as queries
from services.notify.queries import report_present as present
from services.notify.schemas.reports import BulletinSays, Reason
from shared.kit import clock, db
from shared.kit.access import Caller, Requires
from shared.kit.ids import new_id
from shared.kit.problem import BadRequest, Conflict, Forbidden, Invalid, Outdated, Problem, invalid_input
from shared.rules.calendar import local_day
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter(tags=["pages"], include_in_schema=False)

Reader = Depends(Requires("bulletin.read"))
Editor = Depends(Requires("bulletin.edit"))
Releaser = Depends(Requires("bulletin.release"))
REFUSALS = (Conflict, Forbidden, Invalid, Outdated)
A_PAGE = 30
MOST_SECTIONS = 20
EMPTY_SECTIONS = 1


@router.get("/bulletins")
async def listed(
    request: Request,
    caller: Caller = Reader,
    state: Annotated[str | None, Query(max_length=20)] = None,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> HTMLResponse:
    """Issued ones; for the office its drafts too, the newest first."""
    room = room_of(request)
    chosen = state if state in set(BulletinState) else None
    async with db.begin(room.service.engine) as conn:
        rows, following = await queries.listed(
            conn, caller, room.plan(caller.plan), state=chosen, kind=None, cursor=cursor, limit=A_PAGE
        )
    shown = [present.bulletin_row(room.settings, row, room.open(row.id, row.contents)) for row in rows]
    context = {"rows": shown, "next": following, "state": chosen}
    return page(request, "bulletins.html", context, service="notify", caller=caller)


class CompileForm(Form):
    kind: Literal["bulletin", "situation", "summary", "progress"]
    first_day: date
    last_day: date
    milestone: str | None = Field(None, max_length=48)
    to_agency: str | None = Field(None, max_length=48)


@router.get("/bulletins/new")
async def new(
    request: Request, caller: Caller = Editor, first_day: date | None = None, last_day: date | None = None,
    milestone: Annotated[str | None, Query(max_length=48)] = None,
) -> HTMLResponse:  # fmt: skip
    """Which kind, of which days."""
    today = local_day(clock.now())
    chosen = {
        "kind": "bulletin" if milestone is None else "situation" if milestone == "situation" else "summary",
        "first_day": first_day or today - timedelta(days=13), "last_day": last_day or today, "milestone": milestone,
        "to_agency": None,
    }  # fmt: skip
    return _new(request, caller, chosen)


def _new(request: Request, caller: Caller, chosen: Mapping[str, Any], refused: Problem | None = None) -> HTMLResponse:
    plan = room_of(request).plan(caller.plan)
    context = {
        "chosen": chosen, "kinds": list(KINDS), "refused": refused.detail if refused else None, "wrong": wrong_of(refused),
        "milestones": [one for one in plan.milestones if one.by and one.to],
        "above": [one.id for one in plan.agencies if one.external and one.kind.startswith("higher")],
    }  # fmt: skip
    return page(request, "bulletin_new.html", context, service="notify", caller=caller, status=refused.status if refused else 200)


def wrong_of(refused: Problem | None) -> dict[str, str]:
    """Field → what is wrong with it."""
    return {str(one["field"]): str(one["message"]) for one in (refused.extras.get("errors", []) if refused else [])}


@router.post("/bulletins/new")
async def compile_new(request: Request, caller: Caller = Editor) -> Response:
    """A draft of the period; its editor comes next."""
    form, room = await read_form(request, CompileForm), room_of(request)
    given = form.model_dump(exclude={"idempotency_key"})
    used = claim(room, caller, "bulletin.compile", str(form.idempotency_key), given, new_id())
    try:
        async with db.begin(room.service.engine) as conn:
            made = await editing.compile_new(
                conn, room, caller, room.plan(caller.plan), kind=form.kind, first=form.first_day, last=form.last_day,
                milestone=form.milestone, to_agency=form.to_agency, claim=used, now=clock.now(),
            )  # fmt: skip
    except REFUSALS as refused:
        return _new(request, caller, given, refused)
    return see_other(request, f"/bulletins/{made}", done="saved")


@router.get("/bulletins/{bulletin_id}")
async def one(request: Request, bulletin_id: UUID, caller: Caller = Reader) -> HTMLResponse:
    """The editor with its preview; an issued one as it reads."""
    return await _page(request, caller, bulletin_id)


async def _page(
    request: Request, caller: Caller, bulletin_id: UUID, refused: Problem | None = None, typed: Mapping[str, Any] | None = None,
    template: str = "bulletin.html",
) -> HTMLResponse:  # fmt: skip
    room = room_of(request)
    row = await read_one(room, caller, bulletin_id)
    plan = room.plan(row.plan)
    contents = room.open(row.id, row.contents)
    shown = present.bulletin_out(room.settings, row, contents)
    issued = local_day(row.released_at) if row.released_at else None
    mine = caller.reach("bulletin.release") is not None
    context = {
        "bulletin": shown,
        "typed": typed or {"title": contents["title"], "sections": contents["sections"]},
        "preview": printed(plan, row._mapping, contents, issued),
        "charts": list(charts_of(plan, row.figures).values()),
        "figures": measured({name: n for name, n in row.figures["total"].items() if name != "cases_joined"}),
        "edits": row.state == BulletinState.DRAFT and caller.reach("bulletin.edit") is not None,
        "releases": row.state == BulletinState.PROPOSED and mine and caller.actor not in (row.edited_by, row.proposed_by),
        "own": row.state == BulletinState.PROPOSED and mine and caller.actor in (row.edited_by, row.proposed_by),
        "waits": row.state == BulletinState.PROPOSED,
        "recalls": row.state == BulletinState.ISSUED and mine,
        "empty_sections": min(EMPTY_SECTIONS, MOST_SECTIONS - len(contents["sections"])),
        "upward": row.kind in UPWARD,
        "refused": refused.detail if refused else None,
    }
    return page(request, template, context, service="notify", caller=caller, status=refused.status if refused else 200)


@router.get("/bulletins/{bulletin_id}/print")
async def print_view(request: Request, bulletin_id: UUID, caller: Caller = Reader) -> HTMLResponse:
    """It alone on a page, to be printed from the browser."""
    return await _page(request, caller, bulletin_id, template="bulletin_print.html")


@router.get("/bulletins/{bulletin_id}/file")
async def file(request: Request, bulletin_id: UUID, form: Literal["docx", "pdf"] = "pdf", caller: Caller = Reader) -> Response:
    """Word or PDF."""
    room = room_of(request)
    row = await read_one(room, caller, bulletin_id, f"bulletin.{form}")
    made = await printing.file_of(room, row, form)
    headers = {"content-disposition": f'attachment; filename="{file_name(row, form)}"', "cache-control": "private, no-store"}
    return Response(made, media_type=MEDIA[form], headers=headers)


class SaysForm(VersionedForm):
    """A draft as typed: headings and bodies stand in rows, one after the other; `step` is the button."""

    step: Literal["save", "propose"] = "save"
    title: str = ""
    heading: list[str]
    body: list[str]


async def _says(request: Request) -> SaysForm:
    """The form with its empty rows, which `read_form` would leave out and so shift bodies to other headings."""
    async with request.form(max_files=0, max_fields=200) as sent:
        texts = {name: [v for v in sent.getlist(name) if isinstance(v, str)] for name in ("heading", "body")}
        plain = {name: value for name in ("idempotency_key", "version", "step", "title") if isinstance(value := sent.get(name), str)}
    if len(texts["heading"]) != len(texts["body"]) or any("\0" in v for v in (*texts["heading"], *texts["body"], *plain.values())):
        raise BadRequest("表单无法读取，未保存。 The form cannot be read; nothing was kept.", code="bad-form")
    return SaysForm.model_validate(plain | texts)


def rows_of(headings: Sequence[str], bodies: Sequence[str]) -> list[dict[str, str]]:
    """Sections that were not left empty."""
    pairs = ((heading.strip(), body.strip().replace("\r\n", "\n")) for heading, body in zip(headings, bodies, strict=True))
    return [{"heading": heading, "body": body} for heading, body in pairs if heading or body]


@router.post("/bulletins/{bulletin_id}")
async def save(request: Request, bulletin_id: UUID, caller: Caller = Editor) -> Response:
    """Save what was typed; with the other button, propose it too."""
    form, room = await _says(request), room_of(request)
    typed = {"title": form.title.strip(), "sections": rows_of(form.heading, form.body)}
    used = claim(room, caller, "bulletin.edit", str(form.idempotency_key), (bulletin_id, form.version, typed), bulletin_id)
    try:
        says = BulletinSays.model_validate(typed)
        async with db.begin(room.service.engine) as conn:
            await editing.edit(
                conn, room, caller, bulletin_id, version=form.version, title=says.title,
                sections=[one.model_dump() for one in says.sections], claim=used, now=clock.now(),
            )  # fmt: skip
            if form.step == "propose":
                then = claim(room, caller, "bulletin.propose", str(form.idempotency_key), (bulletin_id, form.version), bulletin_id)
                await releasing.propose(conn, room, caller, bulletin_id, version=form.version + 1, claim=then, now=clock.now())
    except ValidationError as error:
        return await _page(request, caller, bulletin_id, invalid_input(error), typed)
    except REFUSALS as refused:
        return await _page(request, caller, bulletin_id, refused, typed)
    return see_other(request, f"/bulletins/{bulletin_id}", done="sent" if form.step == "propose" else "saved")


class ActForm(VersionedForm):
    """A button: nothing but the version it was shown with."""


class WhyForm(VersionedForm):
    reason: Reason


async def _act(request: Request, caller: Caller, bulletin_id: UUID, change: Any, form: VersionedForm, **given: Any) -> Response:
    room = room_of(request)
    used = claim(
        room, caller, f"bulletin.{change.__name__}", str(form.idempotency_key), (bulletin_id, form.version, given), bulletin_id
    )
    try:
        async with db.begin(room.service.engine) as conn:
            await change(conn, room, caller, bulletin_id, version=form.version, claim=used, now=clock.now(), **given)
    except REFUSALS as refused:
        return await _page(request, caller, bulletin_id, refused)
    return see_other(request, f"/bulletins/{bulletin_id}", done="saved")


@router.post("/bulletins/{bulletin_id}/figures")
async def take_anew(request: Request, bulletin_id: UUID, caller: Caller = Editor) -> Response:
    """Count and compile anew."""
    return await _act(request, caller, bulletin_id, editing.take_anew, await read_form(request, ActForm))


@router.post("/bulletins/{bulletin_id}/discard")
async def discard(request: Request, bulletin_id: UUID, caller: Caller = Editor) -> Response:
    """Throw the draft away."""
    return await _act(request, caller, bulletin_id, releasing.discard, await read_form(request, ActForm))


@router.post("/bulletins/{bulletin_id}/release")
async def release(request: Request, bulletin_id: UUID, caller: Caller = Releaser) -> Response:
    """Issue it under the next number."""
    return await _act(request, caller, bulletin_id, releasing.release, await read_form(request, ActForm))


@router.post("/bulletins/{bulletin_id}/return")
async def send_back(request: Request, bulletin_id: UUID, caller: Caller = Releaser) -> Response:
    """Back to the editor."""
    form = await read_form(request, WhyForm)
    return await _act(request, caller, bulletin_id, releasing.send_back, form, reason=form.reason)


@router.post("/bulletins/{bulletin_id}/recall")
async def recall(request: Request, bulletin_id: UUID, caller: Caller = Releaser) -> Response:
    """Recall what was issued."""
    form = await read_form(request, WhyForm)
    return await _act(request, caller, bulletin_id, releasing.recall, form, reason=form.reason)
