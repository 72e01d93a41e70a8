"""Pages of warnings: the editor for officers; the public page, which knows nobody; and the list that other sites may frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from services.notify.commands.public_warnings import writing
from services.notify.commands.public_warnings.writing import Draft
from services.notify.commands.publicity.parts import room_of
from services.notify.domain.publicity.names import likely_names
from services.notify.domain.publicity.states import OUT, WORK, Out, OutAct, Work, WorkAct
from services.notify.domain.publicity.warnings import CHECKS, RECALL_REASONS, right_of, same_person
from services.notify.queries import public_feed
from services.notify.queries import public_warnings as queries
from services.notify.schemas.public_warnings import StepName, WarningKind
from services.notify.schemas.publicity import Line, Note, Prose
from shared.kit import clock, db
from shared.kit.access import Caller, Public, Requires
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, Outdated, Problem
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page, told

router = APIRouter(tags=["pages"], include_in_schema=False)

Reader = Depends(Requires("warning.read"))
Drafter = Depends(Requires("warning.draft"))
Anybody = Depends(Public("warnings are made to be read by everybody (条例 23, D-M4)", reads_caller=False))
Code = Annotated[str | None, Query(max_length=48)]
Cursor = Annotated[str | None, Query(max_length=300)]
A_PAGE = 40
REFUSALS = (Conflict, Forbidden, Invalid, Outdated)
_OPEN = frozenset(Work) - {Work.SETTLED, Work.DROPPED}
"""While its words can still be changed, or sent back to be changed."""


class WarningWordsForm(VersionedForm):
    title: Line
    body: Prose
    areas: list[str] = Field(default=[])


class WarningForm(Form):
    kind: WarningKind
    title: Line
    body: Prose
    areas: list[str] = Field(default=[])


class StepForm(VersionedForm):
    checks: list[str] = Field(default=[])
    note: Note = ""


class RecallForm(VersionedForm):
    reason: str
    statement: Line


async def _list(
    request: Request, caller: Caller, cursor: str | None, problem: Problem | None = None, sent: Mapping[str, Any] | None = None
) -> HTMLResponse:
    room = room_of(request)
    plan = room.plan_of(caller)
    async with db.begin(room.service.engine) as conn:
        rows, following = await queries.listed(conn, caller, None, None, cursor, A_PAGE)
    return page(
        request, "warnings.html",
        {"plan": plan, "rows": rows, "next": following, "sent": sent or {}, "kinds": list(public_feed.KINDS),
         "problem": told(request, problem) if problem else None},
        service="notify", caller=caller, status=int(problem.status) if problem else 200,
    )  # fmt: skip


@router.get("/warnings")
async def listed(request: Request, caller: Caller = Reader, cursor: Cursor = None) -> HTMLResponse:
    """Warnings with how far each is."""
    return await _list(request, caller, cursor)


@router.post("/warnings")
async def draft(request: Request, caller: Caller = Drafter) -> Response:
    """Begin a warning; what may not be public is told with its line, and what was typed is kept on the page."""
    room, made = room_of(request), new_id()
    sent = await read_form(request, WarningForm)
    words = Draft(sent.title, sent.body, tuple(sent.areas))
    claim = room.claim(caller, "warning.draft", str(sent.idempotency_key), (sent.kind, words), made)
    try:
        async with db.begin(room.service.engine) as conn:
            kept = await writing.draft(conn, room, caller, made, sent.kind, words, claim, clock.now())
    except REFUSALS as problem:
        return await _list(request, caller, None, problem, sent.model_dump())
    return see_other(request, f"/warnings/{kept}", done="saved")


async def _one(
    request: Request, caller: Caller, warning_id: UUID, problem: Problem | None = None, sent: Mapping[str, Any] | None = None
) -> HTMLResponse:
    room = room_of(request)
    async with db.begin(room.service.engine) as conn:
        row = await queries.one(conn, caller, warning_id)
        steps = await queries.steps(conn, warning_id)
        public = await queries.public_one(conn, warning_id) if row.public_state != Out.UNPUBLISHED else None
    state = Work(row.state)
    held = [act for act in WORK[state] if caller.reach(right_of(act, state)) is not None]
    mine = [act.value for act in held if same_person(act, state, caller.actor, row) is None]
    return page(
        request, "warning.html",
        {
            "plan": room.plan(row.plan), "warning": row, "steps": steps, "public": public, "acts": mine,
            "second": WorkAct.RELEASE in held and WorkAct.RELEASE.value not in mine,
            "may_recall": OutAct.RECALL in OUT[Out(row.public_state)] and caller.reach("warning.recall") is not None,
            "names": likely_names(f"{row.title}\n{row.body}") if state in _OPEN else [],
            "checks": CHECKS, "reasons": RECALL_REASONS, "sent": sent or {},
            "problem": told(request, problem) if problem else None,
        },
        service="notify", caller=caller, status=int(problem.status) if problem else 200,
    )  # fmt: skip


@router.get("/warnings/{warning_id}")
async def one(request: Request, warning_id: UUID, caller: Caller = Reader) -> HTMLResponse:
    """A warning: its words, what the caller can do now, who did what."""
    return await _one(request, caller, warning_id)


@router.post("/warnings/{warning_id}/save")
async def save(request: Request, warning_id: UUID, caller: Caller = Drafter) -> Response:
    """Change the draft."""
    room = room_of(request)
    sent = await read_form(request, WarningWordsForm)
    async with db.begin(room.service.engine) as conn:
        kept = await queries.one(conn, caller, warning_id)
    words = Draft(sent.title, sent.body, tuple(sent.areas), kept.case_id)
    claim = room.claim(caller, "warning.save", str(sent.idempotency_key), (warning_id, sent.version, words), warning_id)
    try:
        async with db.begin(room.service.engine) as conn:
            await writing.step(
                conn, room, caller, warning_id, sent.version, WorkAct.SAVE, claim, clock.now(), words=words
            )
    except REFUSALS as problem:
        return await _one(request, caller, warning_id, problem, sent.model_dump())
    return see_other(request, f"/warnings/{warning_id}", done="saved")


@router.post("/warnings/{warning_id}/recall")
async def recall(request: Request, warning_id: UUID, caller: Caller = Depends(Requires("warning.recall"))) -> Response:
    """Take back what is public, at once."""
    room = room_of(request)
    sent = await read_form(request, RecallForm)
    if sent.reason not in RECALL_REASONS:
        raise Invalid("请选择撤回的理由。 Choose why it is recalled.", code="unknown-reason")
    asked = (warning_id, sent.version, sent.reason, sent.statement)
    claim = room.claim(caller, "warning.recall", str(sent.idempotency_key), asked, warning_id)
    try:
        async with db.begin(room.service.engine) as conn:
            await writing.recall(
                conn, room, caller, warning_id, sent.version, sent.reason, sent.statement, claim, clock.now()
            )
    except REFUSALS as problem:
        return await _one(request, caller, warning_id, problem)
    return see_other(request, f"/warnings/{warning_id}", done="saved")


@router.post("/warnings/{warning_id}/steps/{step}")
async def take_step(request: Request, warning_id: UUID, step: StepName, caller: Caller = Reader) -> Response:
    """Take a step: submit, check, approve, release …"""
    room = room_of(request)
    sent = await read_form(request, StepForm)
    asked = (warning_id, sent.version, step, tuple(sent.checks), sent.note)
    claim = room.claim(caller, "warning.step", str(sent.idempotency_key), asked, warning_id)
    try:
        async with db.begin(room.service.engine) as conn:
            await writing.step(
                conn, room, caller, warning_id, sent.version, WorkAct(step), claim, clock.now(),
                checks=tuple(sent.checks), note=sent.note,
            )  # fmt: skip
    except REFUSALS as problem:
        return await _one(request, caller, warning_id, problem)
    return see_other(request, f"/warnings/{warning_id}", done="saved")


async def _public_list(
    request: Request, template: str, plan: str | None, area: str | None, cursor: str | None, limit: int, *, recalled: bool
) -> HTMLResponse:
    room = room_of(request)
    chosen, areas = public_feed.chosen(room.service.plans, plan, area)
    async with db.begin(room.service.engine) as conn:
        found, following = await queries.public_list(
            conn, chosen.id if chosen else None, areas, limit=limit, cursor=cursor, recalled=recalled
        )
    context = {
        "plans": room.service.plans, "plan": chosen, "area": area or "", "warnings": found, "next": following,
        "issuer": lambda one: public_feed.issuer(room.service.plans, one),
    }  # fmt: skip
    return page(request, template, context, service="notify", public=True)


@router.get("/public/warnings")
async def public_list(
    request: Request, plan: Code = None, area: Code = None, cursor: Cursor = None, _: Caller = Anybody
) -> HTMLResponse:
    """The public page: no sign-in, no cookie, no script needed."""
    return await _public_list(request, "public_warnings.html", plan, area or None, cursor, 20, recalled=True)


@router.get("/public/warnings/{warning_id}")
async def public_one(request: Request, warning_id: UUID, _: Caller = Anybody) -> HTMLResponse:
    """A public warning with the history of its versions."""
    room = room_of(request)
    async with db.begin(room.service.engine) as conn:
        found = await queries.public_one(conn, warning_id)
    context = {"warning": found, "issuer": public_feed.issuer(room.service.plans, found)}
    return page(request, "public_warning.html", context, service="notify", public=True)


@router.get("/embed/warnings")
async def embedded(request: Request, plan: Code = None, area: Code = None, _: Caller = Anybody) -> Response:
    """The last warnings for a frame on another site: no script, no form, nothing that signs in or acts."""
    answer = await _public_list(request, "public_warnings_embed.html", plan, area or None, None, 8, recalled=False)
    by = room_of(request).settings.warnings_embedded_by
    answer.headers["content-security-policy"] = (
        f"default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors {by}"
    )
    answer.headers["cache-control"] = "public, max-age=60"
    return answer
