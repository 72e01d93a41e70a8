"""Pages of materials (标语、一封信), the publicity log (宣传报道) and exposures (曝光)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from services.notify.commands.publicity import materials, register
from services.notify.commands.publicity.materials import Words
from services.notify.commands.publicity.parts import room_of
from services.notify.queries.publicity import board as queries
from services.notify.queries.publicity import register as entries
from services.notify.queries.publicity.present import exposure_out
from services.notify.schemas.publicity import ExposureIn, Line, LogEntryIn, Prose, Reason
from services.notify.tables import kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Requires
from shared.kit.clock import CHINA
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, Outdated, Problem
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page, told

router = APIRouter(tags=["pages"], include_in_schema=False)

Reader = Depends(Requires("publicity.read"))
Manager = Depends(Requires("publicity.manage"))
Logger = Depends(Requires("publicity.log"))
Exposer = Depends(Requires("publicity.expose"))
Cursor = Annotated[str | None, Query(max_length=300)]
A_PAGE = 40
REFUSALS = (Conflict, Forbidden, Invalid, Outdated)
KINDS = ("slogan", "letter", "sms", "film", "column", "notice")


def _status(problem: Problem | None) -> int:
    return int(problem.status) if problem else 200


async def _materials(
    request: Request, caller: Caller, cursor: str | None, problem: Problem | None = None, sent: Mapping[str, Any] | None = None
) -> HTMLResponse:
    room = room_of(request)
    plan = room.plan_of(caller)
    async with db.begin(room.service.engine) as conn:
        rows, following = await queries.materials(conn, caller, None, cursor, A_PAGE)
    return page(
        request, "publicity_materials.html",
        {"plan": plan, "rows": rows, "next": following, "kinds": KINDS, "sent": sent or {},
         "problem": told(request, problem) if problem else None},
        service="notify", caller=caller, status=_status(problem),
    )  # fmt: skip


@router.get("/publicity/materials")
async def list_materials(request: Request, caller: Caller = Reader, cursor: Cursor = None) -> HTMLResponse:
    """Materials in use, and drafts for who manages them."""
    return await _materials(request, caller, cursor)


class MaterialForm(Form):
    kind: Literal["slogan", "letter", "sms", "film", "column", "notice"]
    title: Line
    body: Prose
    areas: list[str] = Field(default=[])


class MaterialWordsForm(VersionedForm):
    title: Line
    body: Prose
    areas: list[str] = Field(default=[])


@router.post("/publicity/materials")
async def draft_material(request: Request, caller: Caller = Manager) -> Response:
    """Begin a material."""
    room, made = room_of(request), new_id()
    sent = await read_form(request, MaterialForm)
    words = Words(sent.title, sent.body, tuple(sent.areas))
    claim = room.claim(caller, "material.draft", str(sent.idempotency_key), (sent.kind, words), made)
    try:
        async with db.begin(room.service.engine) as conn:
            kept = await materials.draft(conn, room, caller, made, sent.kind, words, claim, clock.now())
    except REFUSALS as problem:
        return await _materials(request, caller, None, problem, sent.model_dump())
    return see_other(request, f"/publicity/materials/{kept}", done="saved")


async def _material(
    request: Request, caller: Caller, material_id: UUID, problem: Problem | None = None, sent: Mapping[str, Any] | None = None
) -> HTMLResponse:
    room = room_of(request)
    async with db.begin(room.service.engine) as conn:
        row = await queries.material(conn, caller, material_id)
        versions = await materials.versions(conn, material_id)
        spread = await queries.spread(conn, material_id)
    reach = caller.reach("publicity.manage")
    return page(
        request, "publicity_material.html",
        {"plan": room.plan(row.plan), "material": row, "versions": versions, "spread": spread, "sent": sent or {},
         "may": reach in ("plan", "all") or (reach is not None and row.agency == caller.agency),
         "problem": told(request, problem) if problem else None},
        service="notify", caller=caller, status=_status(problem),
    )  # fmt: skip


@router.get("/publicity/materials/{material_id}")
async def one_material(request: Request, material_id: UUID, caller: Caller = Reader) -> HTMLResponse:
    """A material: its draft, its versions, whom each reached where."""
    return await _material(request, caller, material_id)


@router.post("/publicity/materials/{material_id}/{step}")
async def step_material(
    request: Request, material_id: UUID, step: Literal["save", "issue", "withdraw"], caller: Caller = Manager
) -> Response:
    """Save the draft, issue it, or withdraw it all."""
    room, now = room_of(request), clock.now()
    sent = await read_form(request, MaterialWordsForm if step == "save" else VersionedForm)
    asked = (material_id, sent.version, step, sent.model_dump(exclude={"idempotency_key"}))
    claim = room.claim(caller, f"material.{step}", str(sent.idempotency_key), asked, material_id)
    try:
        async with db.begin(room.service.engine) as conn:
            if isinstance(sent, MaterialWordsForm):
                words = Words(sent.title, sent.body, tuple(sent.areas))
                await materials.save(conn, room, caller, material_id, sent.version, words, claim, now)
            else:
                work = materials.issue if step == "issue" else materials.withdraw
                await work(conn, caller, material_id, sent.version, claim, now)
    except REFUSALS as problem:
        return await _material(request, caller, material_id, problem, sent.model_dump())
    return see_other(request, f"/publicity/materials/{material_id}", done="saved")


async def _log(
    request: Request, caller: Caller, month: str | None, cursor: str | None, problem: Problem | None = None,
    sent: Mapping[str, Any] | None = None,
) -> HTMLResponse:  # fmt: skip
    room = room_of(request)
    plan = room.plan_of(caller)
    day = date.fromisoformat(f"{month}-01") if month else None
    async with db.begin(room.service.engine) as conn:
        rows, following = await entries.log(conn, caller, day, cursor, A_PAGE)
        months = await entries.log_months(conn, caller)
    return page(
        request, "publicity_log.html",
        {"plan": plan, "rows": rows, "next": following, "months": months, "month": month, "sent": sent or {},
         "problem": told(request, problem) if problem else None},
        service="notify", caller=caller, status=_status(problem),
    )  # fmt: skip


@router.get("/publicity/log")
async def list_log(
    request: Request, caller: Caller = Reader, cursor: Cursor = None,
    month: Annotated[str | None, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")] = None,
) -> HTMLResponse:  # fmt: skip
    """What was published about the work."""
    return await _log(request, caller, month, cursor)


class LogForm(LogEntryIn, Form):
    """An entry, as the page sends it."""


class WithdrawForm(VersionedForm):
    reason: Reason


@router.post("/publicity/log")
async def enter_log(request: Request, caller: Caller = Logger) -> Response:
    """Enter something published."""
    room, made = room_of(request), new_id()
    sent = await read_form(request, LogForm)
    words = sent.model_dump(exclude={"idempotency_key"})
    claim = room.claim(caller, "log.enter", str(sent.idempotency_key), words, made)
    try:
        async with db.begin(room.service.engine) as conn:
            await register.enter(conn, room, caller, "log", made, words, claim, clock.now())
    except REFUSALS as problem:
        return await _log(request, caller, None, None, problem, words)
    return see_other(request, "/publicity/log", done="saved")


@router.post("/publicity/log/{entry_id}/withdraw")
async def withdraw_log(request: Request, entry_id: UUID, caller: Caller = Logger) -> Response:
    """Withdraw an entry made by mistake."""
    room = room_of(request)
    sent = await read_form(request, WithdrawForm)
    claim = room.claim(caller, "log.withdraw", str(sent.idempotency_key), (entry_id, sent.version, sent.reason), entry_id)
    try:
        async with db.begin(room.service.engine) as conn:
            await register.withdraw(conn, room, caller, "log", entry_id, sent.version, sent.reason, claim, clock.now())
    except REFUSALS as problem:
        return await _log(request, caller, None, None, problem)
    return see_other(request, "/publicity/log", done="saved")


async def _exposures(
    request: Request, caller: Caller, cursor: str | None, problem: Problem | None = None, sent: Mapping[str, Any] | None = None
) -> HTMLResponse:
    room = room_of(request)
    plan = room.plan_of(caller)
    async with db.begin(room.service.engine) as conn:
        rows, following = await entries.exposed(conn, caller, cursor, A_PAGE)
        await audit.record(conn, kit, caller, "exposure.listed", "exposure", [row.id for row in rows], clock.now())
    return page(
        request, "publicity_exposures.html",
        {"plan": plan, "rows": [exposure_out(room.settings, row) for row in rows], "next": following, "sent": sent or {},
         "problem": told(request, problem) if problem else None},
        service="notify", caller=caller, status=_status(problem),
    )  # fmt: skip


@router.get("/publicity/exposures")
async def list_exposures(request: Request, caller: Caller = Exposer, cursor: Cursor = None) -> HTMLResponse:
    """What media and superiors made known; the reading is recorded."""
    return await _exposures(request, caller, cursor)


class ExposureForm(ExposureIn, Form):
    """An exposure, as the page sends it: times of the browser's fields are China's."""

    happened_at: Any
    own_found_at: Any = None


class ExposureEndForm(VersionedForm):
    reason: Literal["mistaken", "duplicate", "other_area"]


def _moment(text: Any) -> Any:
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=CHINA) if text else None
    except ValueError:
        return text


@router.post("/publicity/exposures")
async def record_exposure(request: Request, caller: Caller = Exposer) -> Response:
    """Record an exposure."""
    room, made = room_of(request), new_id()
    sent = await read_form(request, ExposureForm)
    given = sent.model_dump(exclude={"idempotency_key"})
    body = ExposureIn(**given | {name: _moment(given[name]) for name in ("happened_at", "own_found_at")})
    words = body.model_dump()
    claim = room.claim(caller, "exposure.enter", str(sent.idempotency_key), words, made)
    try:
        async with db.begin(room.service.engine) as conn:
            await register.enter(conn, room, caller, "exposure", made, words, claim, clock.now())
    except REFUSALS as problem:
        return await _exposures(request, caller, None, problem, given)
    return see_other(request, "/publicity/exposures", done="saved")


@router.post("/publicity/exposures/{entry_id}/withdraw")
async def withdraw_exposure(request: Request, entry_id: UUID, caller: Caller = Exposer) -> Response:
    """Withdraw an exposure made by mistake."""
    room = room_of(request)
    sent = await read_form(request, ExposureEndForm)
    asked = (entry_id, sent.version, sent.reason)
    claim = room.claim(caller, "exposure.withdraw", str(sent.idempotency_key), asked, entry_id)
    try:
        async with db.begin(room.service.engine) as conn:
            await register.withdraw(conn, room, caller, "exposure", entry_id, sent.version, sent.reason, claim, clock.now())
    except REFUSALS as problem:
        return await _exposures(request, caller, None, problem)
    return see_other(request, "/publicity/exposures", done="saved")
