"""JSON routes of public warnings for officers (条例 23, D-M4): draft, check, approve, release by two, recall."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.notify.api.publicity_parts import CHANGED, REFUSED, Key, tagged
from services.notify.commands.public_warnings import writing
from services.notify.commands.public_warnings.writing import Draft
from services.notify.commands.publicity.parts import PublicityRoom, room_of
from services.notify.domain.publicity.states import Out, Work, WorkAct
from services.notify.queries import public_warnings as queries
from services.notify.schemas.public_warnings import (
    StepName,
    WarningFullOut,
    WarningIn,
    WarningOut,
    WarningRecallIn,
    WarningStepIn,
    WarningStepOut,
    WarningWordsIn,
)
from shared.kit import clock, db
from shared.kit.access import Caller, Requires
from shared.kit.etag import required_version
from shared.kit.ids import new_id
from shared.kit.pagination import MOST, Page

router = APIRouter(prefix="/v1/warnings", tags=["warnings"])

Reader = Depends(Requires("warning.read"))


def warning_out(room: PublicityRoom, row: Any) -> WarningOut:
    """A warning without its words."""
    names = [name for name in WarningOut.model_fields if name not in ("warning_id", "href")]
    return WarningOut(
        warning_id=row.id, href=room.address(f"warnings/{row.id}"), **{name: getattr(row, name) for name in names}
    )


async def _full(request: Request, response: Response, caller: Caller, warning_id: UUID) -> WarningFullOut:
    room = room_of(request)
    async with db.begin(room.service.engine) as conn:
        row = await queries.one(conn, caller, warning_id)
        steps = await queries.steps(conn, warning_id)
    tagged(response, row.version)
    return WarningFullOut(
        **warning_out(room, row).model_dump(),
        body=row.body,
        checks=row.checks,
        steps=[WarningStepOut(**{name: getattr(one, name) for name in WarningStepOut.model_fields}) for one in steps],
    )


def draft_of(body: WarningWordsIn) -> Draft:
    """The words of a body."""
    return Draft(body.title, body.body, tuple(dict.fromkeys(body.areas)), body.case_id)


@router.get("", summary="Warnings, the last changed first")
async def listed(
    request: Request, caller: Caller = Reader, state: Work | None = None, public_state: Out | None = None,
    cursor: str | None = None, limit: int = Query(50, ge=1, le=MOST),
) -> Page[WarningOut]:  # fmt: skip
    """With how far the work on each is, and what is public of it."""
    room = room_of(request)
    async with db.begin(room.service.engine) as conn:
        rows, following = await queries.listed(conn, caller, state, public_state, cursor, limit)
    return Page(items=[warning_out(room, row) for row in rows], next=following)


@router.get("/{warning_id}", responses=REFUSED, summary="A warning with its steps")
async def one(request: Request, response: Response, warning_id: UUID, caller: Caller = Reader) -> WarningFullOut:
    """Its words, and who did what with it."""
    return await _full(request, response, caller, warning_id)


@router.post("", status_code=201, responses=REFUSED, summary="Draft a warning")
async def draft(
    request: Request, response: Response, body: WarningIn, key: Key = None,
    caller: Caller = Depends(Requires("warning.draft")),
) -> WarningFullOut:  # fmt: skip
    """Identity numbers, telephone numbers and other contacts are refused with the line they stand in."""
    room, made = room_of(request), new_id()
    claim = room.claim(caller, "warning.draft", key, body.model_dump_json(), made)
    async with db.begin(room.service.engine) as conn:
        kept = await writing.draft(conn, room, caller, made, body.kind, draft_of(body), claim, clock.now())
    return await _full(request, response, caller, kept)


@router.put("/{warning_id}", responses=CHANGED, summary="Change a draft")
async def save(
    request: Request, response: Response, warning_id: UUID, body: WarningWordsIn, key: Key = None,
    caller: Caller = Depends(Requires("warning.draft")),
) -> WarningFullOut:  # fmt: skip
    """Only while it is a draft: what was checked and approved is released as it is."""
    room, version = room_of(request), required_version(request)
    claim = room.claim(caller, "warning.save", key, (warning_id, version, body.model_dump_json()), warning_id)
    async with db.begin(room.service.engine) as conn:
        await writing.step(
            conn, room, caller, warning_id, version, WorkAct.SAVE, claim, clock.now(), words=draft_of(body)
        )
    return await _full(request, response, caller, warning_id)


@router.post("/{warning_id}/steps/{step}", responses=CHANGED, summary="Take a step")
async def take_step(
    request: Request, response: Response, warning_id: UUID, step: StepName, body: WarningStepIn, key: Key = None,
    caller: Caller = Reader,
) -> WarningFullOut:  # fmt: skip
    """`submit`, `check`, `approve` (the principal head), `release` twice by two persons; each by who holds its right.
    Needs `If-Match` and `Idempotency-Key`."""
    room, version = room_of(request), required_version(request)
    asked = (warning_id, version, step, body.model_dump_json())
    claim = room.claim(caller, "warning.step", key, asked, warning_id)
    async with db.begin(room.service.engine) as conn:
        await writing.step(
            conn, room, caller, warning_id, version, WorkAct(step), claim, clock.now(), checks=tuple(body.checks),
            note=body.note,
        )  # fmt: skip
    return await _full(request, response, caller, warning_id)


@router.post("/{warning_id}/recall", responses=CHANGED, summary="Take back what is public")
async def recall(
    request: Request, response: Response, warning_id: UUID, body: WarningRecallIn, key: Key = None,
    caller: Caller = Depends(Requires("warning.recall")),
) -> WarningFullOut:  # fmt: skip
    """At once; the public page then says that it was recalled, when and why."""
    room, version = room_of(request), required_version(request)
    claim = room.claim(caller, "warning.recall", key, (warning_id, version, body.model_dump_json()), warning_id)
    async with db.begin(room.service.engine) as conn:
        await writing.recall(
            conn, room, caller, warning_id, version, body.reason, body.statement, claim, clock.now()
        )
    return await _full(request, response, caller, warning_id)
