"""JSON routes of duties (职责): of the plan by agency and phase, and of meetings' decisions; done with proof, or late."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.notify.commands import duties as commands
from services.notify.commands import files
from services.notify.commands.duties import Shown
from services.notify.commands.telling import Desk, claim_of
from services.notify.domain.duties import DutyStep, Proof
from services.notify.queries import duties as queries
from services.notify.queries.duties_present import DutyPresenter
from services.notify.schemas.duties import DutyCountsOut, DutyFullOut, DutyOut, DutyProofIn, DutyStepIn
from services.notify.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.files.answers import download
from shared.kit.files.kinds import TAKEN
from shared.kit.ids import new_id
from shared.kit.pagination import Page

router = APIRouter(prefix="/v1/duties", tags=["duties"])

Key = Annotated[str | None, Header(alias="idempotency-key")]
Reader = Depends(Requires("duty.read"))
Actor = Depends(Requires("duty.act"))
Manager = Depends(Requires("duty.manage"))

REFUSED = {
    403: {"description": "Not yours to do"},
    404: {"description": "No such object that the caller may know of"},
    409: {"description": "Not possible now, or the key was used for another request"},
    422: {"description": "Fields are missing or wrong"},
}
CHANGED = REFUSED | {
    412: {"description": "It changed since; `changes` says what"},
    428: {"description": "If-Match is missing"},
}


def desk_of(request: Request) -> Desk:
    """What the commands work with."""
    return request.app.state.duty_desk


def present_of(request: Request) -> DutyPresenter:
    """What opens the words."""
    return request.app.state.present_duties


@router.get("", summary="Duties within my reach, in the order in which they are due")
async def listed(
    request: Request,
    caller: Caller = Reader,
    show: Literal["late", "open", "done", "dropped", "past"] | None = None,
    agency: Annotated[str | None, Query(max_length=48)] = None,
    area: Annotated[str | None, Query(max_length=48)] = None,
    phase: Annotated[str | None, Query(max_length=48)] = None,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
    limit: Annotated[int, Query(ge=1, le=pagination.MOST)] = 50,
) -> Page[DutyOut]:
    """`past`: its time had passed before it was known here, so that nothing is late."""
    now = clock.now()
    async with db.begin(desk_of(request).service.engine) as conn:
        rows, following = await queries.listed(
            conn, caller, now, show=show, agency=agency, area=area, phase=phase, cursor=cursor, limit=limit
        )
    present = present_of(request)
    return Page(items=[present.duty(row, now) for row in rows], next=following)


@router.get("/counts", summary="How each agency stands")
async def counts(request: Request, caller: Caller = Reader) -> list[DutyCountsOut]:
    """One line an agency within reach, the one with the most late duties first."""
    async with db.begin(desk_of(request).service.engine) as conn:
        rows = await queries.counts(conn, caller, clock.now())
    return [DutyCountsOut.model_validate(row, from_attributes=True) for row in rows]


@router.get("/{duty_id}", responses=REFUSED, summary="One duty with its proofs")
async def one(request: Request, response: Response, duty_id: UUID, caller: Caller = Reader) -> DutyFullOut:
    """With its ETag; the reading is recorded."""
    return await answer(request, response, caller, duty_id)


@router.post("/{duty_id}/proofs", status_code=201, responses=REFUSED, summary="Show that a duty is done")
async def show(
    request: Request, response: Response, duty_id: UUID, body: DutyProofIn, key: Key = None, caller: Caller = Actor
) -> DutyFullOut:
    """A link or a count with words. Needs `Idempotency-Key`."""
    desk = desk_of(request)
    claim = claim_of(desk, caller, "duty.show", key, (duty_id, body.model_dump()), new_id())
    shown = Shown(Proof(body.kind), body.note, body.number, body.link)
    async with db.begin(desk.service.engine) as conn:
        await commands.show(conn, desk, caller, duty_id, shown, claim=claim, now=clock.now())
    return await answer(request, response, caller, duty_id)


@router.delete("/{duty_id}/proofs/{proof_id}", responses=REFUSED, summary="Take a wrong proof away")
async def take_away(
    request: Request, response: Response, duty_id: UUID, proof_id: UUID, key: Key = None, caller: Caller = Actor
) -> DutyFullOut:
    """While the duty is not done. Needs `Idempotency-Key`."""
    desk = desk_of(request)
    claim = claim_of(desk, caller, "duty.take-away", key, (duty_id, proof_id), proof_id)
    async with db.begin(desk.service.engine) as conn:
        await commands.take_away(conn, desk, caller, duty_id, proof_id, claim=claim, now=clock.now())
    return await answer(request, response, caller, duty_id)


@router.post("/{duty_id}/steps/finish", responses=CHANGED, summary="Say that a duty is done")
async def finish(
    request: Request, response: Response, duty_id: UUID, key: Key = None, caller: Caller = Actor
) -> DutyFullOut:
    """Needs at least one proof, `If-Match` and `Idempotency-Key`."""
    return await _step(request, response, caller, duty_id, DutyStep.FINISH, None, key)


@router.post("/{duty_id}/steps/give-back", responses=CHANGED, summary="Find that a duty is not done after all")
async def give_back(
    request: Request, response: Response, duty_id: UUID, body: DutyStepIn, key: Key = None, caller: Caller = Manager
) -> DutyFullOut:
    """By the office, with its reason. Needs `If-Match` and `Idempotency-Key`."""
    return await _step(request, response, caller, duty_id, DutyStep.GIVE_BACK, body.reason, key)


@router.post("/{duty_id}/steps/drop", responses=CHANGED, summary="Take a meeting's decision back")
async def drop(
    request: Request, response: Response, duty_id: UUID, body: DutyStepIn, key: Key = None, caller: Caller = Manager
) -> DutyFullOut:
    """By the office, with its reason; what the plan asks is not dropped. Needs `If-Match` and `Idempotency-Key`."""
    return await _step(request, response, caller, duty_id, DutyStep.DROP, body.reason, key)


@router.post(
    "/{duty_id}/files", status_code=201, responses=REFUSED, summary="Show by a photo or paper that a duty is done",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)  # fmt: skip
async def add_files(request: Request, response: Response, duty_id: UUID, caller: Caller = Actor) -> DutyFullOut:
    """One file as the body, or several as multipart/form-data. Only a copy without hidden data (place, device) is kept."""
    await commands.show_files(request, desk_of(request), request.app.state.publicity, caller, duty_id)
    return await answer(request, response, caller, duty_id)


@router.get("/{duty_id}/files/{file_id}", responses=REFUSED, summary="A photo or paper of a duty")
async def read_file(request: Request, duty_id: UUID, file_id: UUID, caller: Caller = Reader) -> Response:
    """As a download; the reading is recorded."""
    room = request.app.state.publicity
    async with db.begin(room.service.engine) as conn:
        await queries.one(conn, caller, duty_id)
        row, chunks = await files.open_copy(conn, room, caller, duty_id, file_id)
    return download(chunks, row.media_type, row.size, f"{str(row.id)[-6:]}.{TAKEN[row.media_type].ending}")


async def _step(
    request: Request, response: Response, caller: Caller, duty_id: UUID, step: DutyStep, reason: str | None, key: str | None
) -> DutyFullOut:
    desk = desk_of(request)
    claim = claim_of(desk, caller, f"duty.{step.value}", key, (duty_id, reason), duty_id)
    version = required_version(request)
    async with db.begin(desk.service.engine) as conn:
        await commands.step(
            conn, desk, caller, duty_id, step, version=version, reason=reason, claim=claim, now=clock.now()
        )
    return await answer(request, response, caller, duty_id)


async def answer(request: Request, response: Response, caller: Caller, duty_id: UUID) -> DutyFullOut:
    """A duty as its caller may see it now."""
    now = clock.now()
    async with db.begin(desk_of(request).service.engine) as conn:
        row = await queries.one(conn, caller, duty_id)
        proofs = await queries.proofs_of(conn, [duty_id])
        await audit.record(conn, kit, caller, "duty.read", "duty", [duty_id], now)
    response.headers["etag"] = etag(row.version)
    return present_of(request).full(row, proofs, now)
