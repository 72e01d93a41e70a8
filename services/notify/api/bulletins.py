"""Bulletins, situation reports, summaries: compile, edit, propose, release, recall, have as files, check the figures."""

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.notify.api.reports import Key, room_of
from services.notify.commands.bulletins import editing, printing, releasing
from services.notify.commands.bulletins.printing import MEDIA, file_name, read_one
from services.notify.commands.reports.room import claim
from services.notify.queries import bulletins as queries
from services.notify.queries import report_present as present
from services.notify.schemas.reports import (
    BulletinCheck,
    BulletinIn,
    BulletinKind,
    BulletinOut,
    BulletinRow,
    BulletinSays,
    FiguresOut,
    ReportReason,
)
from services.notify.tables import kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.ids import new_id
from shared.kit.pagination import MOST, Page

router = APIRouter(prefix="/v1/bulletins", tags=["bulletins"])

Reader = Depends(Requires("bulletin.read"))
Editor = Depends(Requires("bulletin.edit"))
Releaser = Depends(Requires("bulletin.release"))
BulletinStateName = Literal["draft", "proposed", "issued", "recalled", "discarded"]


async def _full(request: Request, response: Response, caller: Caller, bulletin_id: UUID) -> BulletinOut:
    room = room_of(request)
    row = await read_one(room, caller, bulletin_id)
    response.headers["etag"] = etag(row.version)
    return present.bulletin_out(room.settings, row, room.open(row.id, row.contents))


@router.get("")
async def list_bulletins(
    request: Request,
    state: BulletinStateName | None = None,
    kind: BulletinKind | None = None,
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(30, ge=1, le=MOST),
    caller: Caller = Reader,
) -> Page[BulletinRow]:
    """Issued ones, and for the office its drafts; the newest first."""
    room = room_of(request)
    plan = room.service.plans.get(caller.plan or "")
    async with db.begin(room.service.engine) as conn:
        rows, following = await queries.listed(conn, caller, plan, state=state, kind=kind, cursor=cursor, limit=limit)
    shown = [present.bulletin_row(room.settings, row, room.open(row.id, row.contents)) for row in rows]
    return Page(items=shown, next=following)


@router.post("", status_code=201)
async def compile_bulletin(
    request: Request, response: Response, body: BulletinIn, idempotency_key: Key, caller: Caller = Editor
) -> BulletinOut:
    """A draft from the period's reports and figures. Needs an Idempotency-Key."""
    room = room_of(request)
    used = claim(room, caller, "bulletin.compile", idempotency_key, body, new_id())
    async with db.begin(room.service.engine) as conn:
        made = await editing.compile_new(
            conn, room, caller, room.plan(caller.plan), kind=body.kind, first=body.first_day, last=body.last_day,
            milestone=body.milestone, to_agency=body.to_agency, claim=used, now=clock.now(),
        )  # fmt: skip
    return await _full(request, response, caller, made)


@router.get("/{bulletin_id}")
async def one_bulletin(request: Request, response: Response, bulletin_id: UUID, caller: Caller = Reader) -> BulletinOut:
    """One bulletin, with its ETag."""
    return await _full(request, response, caller, bulletin_id)


@router.get("/{bulletin_id}/file")
async def file(
    request: Request, bulletin_id: UUID, form: Literal["docx", "pdf"] = "pdf", caller: Caller = Reader
) -> Response:
    """It as Word or PDF in the layout of official documents, with charts; a draft is marked as one."""
    room = room_of(request)
    row = await read_one(room, caller, bulletin_id, f"bulletin.{form}")
    made = await printing.file_of(room, row, form)
    headers = {"content-disposition": f'attachment; filename="{file_name(row, form)}"', "cache-control": "private, no-store"}
    return Response(made, media_type=MEDIA[form], headers=headers)


@router.get("/{bulletin_id}/check")
async def check(request: Request, bulletin_id: UUID, caller: Caller = Reader) -> BulletinCheck:
    """Count its figures anew at the position of the event log they were taken at: the same events, the same figures."""
    room = room_of(request)
    async with db.begin(room.service.engine) as conn:
        row = await queries.one(conn, caller, room.service.plans.get(caller.plan or ""), bulletin_id)
        anew = await queries.recounted(conn, row)
        await audit.record(conn, kit, caller, "bulletin.checked", "bulletin", [row.id], clock.now())
    same = anew.digest == row.digest and anew.total == row.figures["total"]
    return BulletinCheck(same=same, position=row.position, digest=row.digest, counted=FiguresOut(**anew.as_record()))


@router.put("/{bulletin_id}/contents")
async def edit(
    request: Request, response: Response, bulletin_id: UUID, body: BulletinSays, idempotency_key: Key, caller: Caller = Editor
) -> BulletinOut:
    """Change what the draft says. Needs If-Match and Idempotency-Key."""
    room, version = room_of(request), required_version(request)
    used = claim(room, caller, "bulletin.edit", idempotency_key, (bulletin_id, version, body), bulletin_id)
    async with db.begin(room.service.engine) as conn:
        await editing.edit(
            conn, room, caller, bulletin_id, version=version, title=body.title,
            sections=[one.model_dump() for one in body.sections], claim=used, now=clock.now(),
        )  # fmt: skip
    return await _full(request, response, caller, bulletin_id)


@router.post("/{bulletin_id}/figures")
async def take_anew(
    request: Request, response: Response, bulletin_id: UUID, idempotency_key: Key, caller: Caller = Editor
) -> BulletinOut:
    """Count and compile the draft anew; edits in it are replaced. Needs If-Match and Idempotency-Key."""
    return await _act(request, response, caller, bulletin_id, idempotency_key, editing.take_anew)


@router.post("/{bulletin_id}/proposal")
async def propose(
    request: Request, response: Response, bulletin_id: UUID, idempotency_key: Key, caller: Caller = Editor
) -> BulletinOut:
    """Ask for release. Needs If-Match and Idempotency-Key."""
    return await _act(request, response, caller, bulletin_id, idempotency_key, releasing.propose)


@router.post("/{bulletin_id}/return")
async def send_back(
    request: Request, response: Response, bulletin_id: UUID, body: ReportReason, idempotency_key: Key,
    caller: Caller = Releaser,
) -> BulletinOut:  # fmt: skip
    """Back to the editor. Needs If-Match and Idempotency-Key."""
    return await _act(request, response, caller, bulletin_id, idempotency_key, releasing.send_back, reason=body.reason)


@router.post("/{bulletin_id}/release")
async def release(
    request: Request, response: Response, bulletin_id: UUID, idempotency_key: Key, caller: Caller = Releaser
) -> BulletinOut:
    """Issue it under the next number, by a second person. Needs If-Match and Idempotency-Key."""
    return await _act(request, response, caller, bulletin_id, idempotency_key, releasing.release)


@router.post("/{bulletin_id}/recall")
async def recall(
    request: Request, response: Response, bulletin_id: UUID, body: ReportReason, idempotency_key: Key,
    caller: Caller = Releaser,
) -> BulletinOut:  # fmt: skip
    """Recall what was issued. Needs If-Match and Idempotency-Key."""
    return await _act(request, response, caller, bulletin_id, idempotency_key, releasing.recall, reason=body.reason)


@router.post("/{bulletin_id}/discard")
async def discard(
    request: Request, response: Response, bulletin_id: UUID, idempotency_key: Key, caller: Caller = Editor
) -> BulletinOut:
    """Throw a draft away. Needs If-Match and Idempotency-Key."""
    return await _act(request, response, caller, bulletin_id, idempotency_key, releasing.discard)


async def _act(
    request: Request, response: Response, caller: Caller, bulletin_id: UUID, key: str, change: Any, **given: Any
) -> BulletinOut:
    room, version = room_of(request), required_version(request)
    used = claim(room, caller, f"bulletin.{change.__name__}", key, (bulletin_id, version, given), bulletin_id)
    async with db.begin(room.service.engine) as conn:
        await change(conn, room, caller, bulletin_id, version=version, claim=used, now=clock.now(), **given)
    return await _full(request, response, caller, bulletin_id)
