"""Evidence of a case: items, their files and working copies, custody, keeping, and the list for documents."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.casework.commands.evidence import items, keeping, reading
from services.casework.commands.evidence.requests import changed, full_item, present, receive, room_of
from services.casework.commands.evidence.room import claim_of, no_case, no_item
from services.casework.queries import evidence as queries
from services.casework.queries.cases import get_case
from services.casework.schemas.evidence import (
    CopyOut,
    CustodyOut,
    DecisionIn,
    DestructionIn,
    EvidenceIn,
    FileTakenOut,
    ItemFull,
    ItemList,
    ItemOut,
    KindCode,
    MoveIn,
    OriginalIn,
    ReturnIn,
    StateCode,
)
from services.casework.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.files.answers import download
from shared.kit.files.kinds import TAKEN
from shared.kit.ids import new_id
from shared.kit.pagination import Page
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["evidence"])

Key = Annotated[str, Header(description="The same key again has its effect once")]
CHANGED: dict[int | str, dict[str, Any]] = {
    403: {"description": "Seen, but kept by another agency or unit"},
    404: {"description": "No such evidence within reach"},
    409: {"description": "Not possible in its present state, or the key was used for another request"},
    412: {"description": "It changed since it was read"},
    428: {"description": "If-Match is missing"},
}
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "sha256": {"type": "string", "description": "In hex, before the file: refused if it does not fit"},
                        "file": {"type": "string", "format": "binary"},
                    },
                }
            },
        },
    }
}


async def shown(request: Request, caller: Caller, item_id: UUID, *, status: int = 200) -> Response:
    """One item with its words; that it was read is recorded."""
    async with db.begin(room_of(request).service.engine) as conn:
        full = await full_item(request, conn, caller, item_id)
        await audit.record(conn, kit, caller, "evidence.read", "evidence", [item_id], clock.now())
    return ORJSONResponse(full, status_code=status, headers={"etag": etag(full["version"])})


@router.get("/cases/{case_id}/evidence", response_model=Page[ItemOut], summary="Evidence of a case, by number")
async def list_evidence(
    request: Request,
    case_id: UUID,
    caller: Caller = Depends(Requires("evidence.read")),
    kind: KindCode | None = None,
    state: StateCode | None = None,
    proceeding: UUID | None = None,
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """Items in reach; those of the criminal track only with the right to it. Reading the list is recorded."""
    after = pagination.decode(cursor, (int,))
    async with db.begin(room_of(request).service.engine) as conn:
        rows = await queries.list_items(
            conn, caller, case_id, kind=kind, state=state, proceeding_id=proceeding, after=after[0] if after else 0,
            limit=limit,
        )  # fmt: skip
        some, following = pagination.page(rows, limit, lambda row: (row.number,))
        if some:
            await audit.record(conn, kit, caller, "evidence.list", "evidence", [row.id for row in some], clock.now())
    return ORJSONResponse({"items": [present(request).item_out(row) for row in some], "next": following})


@router.post("/cases/{case_id}/evidence", status_code=201, response_model=ItemFull, summary="Register evidence")
async def register(
    request: Request,
    case_id: UUID,
    body: EvidenceIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("evidence.manage")),
) -> Response:
    """An object, document, recording, statement …: how, when, where and by which officers it was collected. It gets the
    case's next number, and its custody chain begins."""
    room = room_of(request)
    asked = case_id.bytes + body.model_dump_json().encode()
    claim = claim_of(room, caller, "evidence.register", idempotency_key, asked, new_id())
    async with db.begin(room.service.engine) as conn:
        made = await items.register(conn, room, caller, case_id, body, claim, clock.now())
    return await shown(request, caller, made, status=201)


@router.get("/cases/{case_id}/evidence/list", response_model=ItemList, summary="The list of items (物品清单、证据清单)")
async def item_list(
    request: Request,
    case_id: UUID,
    caller: Caller = Depends(Requires("evidence.read")),
    proceeding: UUID | None = Query(None, description="Only what belongs to this proceeding, a transfer above all"),
    item: list[UUID] = Query([], max_length=2000, description="Only these items"),
) -> Response:
    """All lines at once, as the document that carries the list needs them. Reading it is recorded."""
    now = clock.now()
    async with db.begin(room_of(request).service.engine) as conn:
        case = await get_case(conn, caller, case_id)
        rows = await queries.list_items(conn, caller, case_id, proceeding_id=proceeding, only=item, limit=5000)
        if case is None and not rows:
            raise no_case()
        files = [one for one in await queries.files_of(conn, [row.id for row in rows]) if one.state != "destroyed"]
        await audit.record(conn, kit, caller, "evidence.list", "evidence", [row.id for row in rows], now)
    number = case.case.number if case else rows[0].case_number
    return ORJSONResponse(present(request).item_list(case_id, number, proceeding, rows, files, now))


@router.get("/evidence/{item_id}", response_model=ItemFull, summary="One item; its ETag is the version to change")
async def get_item(
    request: Request, item_id: UUID, caller: Caller = Depends(Requires("evidence.read"))
) -> Response:
    """Its words, officers, legal basis, whether it may be used in prosecution, files and working copies."""
    return await shown(request, caller, item_id)


@router.get("/evidence/{item_id}/custody", response_model=CustodyOut, summary="Its custody chain, checked")
async def custody(request: Request, item_id: UUID, caller: Caller = Depends(Requires("evidence.read"))) -> Response:
    """Every line with its words and hash; `faults` names lines that were changed, dropped or cut off."""
    async with db.begin(room_of(request).service.engine) as conn:
        row = await queries.item(conn, caller, item_id)
        if row is None:
            raise no_item()
        lines = await queries.chain_of(conn, [item_id])
        await audit.record(conn, kit, caller, "evidence.custody", "evidence", [item_id], clock.now())
    return ORJSONResponse(present(request).custody_out(row, lines))


@router.post(
    "/evidence/{item_id}/files", status_code=201, response_model=FileTakenOut, openapi_extra=_FILE, summary="Add a file"
)
async def add_file(
    request: Request,
    item_id: UUID,
    caller: Caller = Depends(Requires("evidence.manage")),
    content_digest: Annotated[str | None, Header(description="RFC 9530, sha-256: refused if it does not fit")] = None,
) -> Response:
    """One file of any kind, streamed. It is hashed and sealed as it comes. A hash that does not fit, a file cut off or one
    that the case has already is refused, and nothing of it is kept. The same Idempotency-Key again takes it once."""
    taken = await receive(request, caller, item_id)
    body = {"file": present(request).file_out(taken.row), "replayed": taken.replayed}
    return ORJSONResponse(body, status_code=200 if taken.replayed else 201)


@router.post(
    "/evidence/{item_id}/files/{file_id}/copies", status_code=201, response_model=CopyOut, summary="Make a working copy"
)
async def make_copy(
    request: Request, item_id: UUID, file_id: UUID, idempotency_key: Key, caller: Caller = Depends(Requires("evidence.read"))
) -> Response:
    """A copy without hidden data; pictures and PDF pages carry its own mark. Never the original; its making is recorded."""
    room = room_of(request)
    made = await reading.make_copy(room, caller, item_id, file_id, idempotency_key)
    async with db.begin(room.service.engine) as conn:
        row = next(one for one in await queries.copies_of(conn, item_id) if one.id == made)
    return ORJSONResponse(present(request).copy_out(row), status_code=201)


@router.get("/evidence/{item_id}/copies/{copy_id}", summary="A working copy's bytes; the reading is recorded first")
async def open_copy(
    request: Request, item_id: UUID, copy_id: UUID, caller: Caller = Depends(Requires("evidence.read"))
) -> Response:
    """The working copy as a download."""
    row, chunks = await reading.open_copy(room_of(request), caller, item_id, copy_id)
    return download(chunks, row.media_type, row.size, f"{row.mark}.{TAKEN[row.media_type].ending}")


@router.post("/evidence/{item_id}/files/{file_id}/original", summary="The original, for a reason that is recorded first")
async def open_original(
    request: Request,
    item_id: UUID,
    file_id: UUID,
    body: OriginalIn,
    caller: Caller = Depends(Requires("evidence.original")),
) -> Response:
    """The bytes exactly as they came in."""
    row, chunks = await reading.open_original(room_of(request), caller, item_id, file_id, body.reason)
    ending = TAKEN[row.media_type].ending if row.media_type in TAKEN else "bin"
    return download(chunks, "application/octet-stream", row.size, f"original-{row.number:03d}.{ending}")


@router.post("/evidence/{item_id}/move", response_model=ItemFull, responses=CHANGED, summary="Keep it elsewhere")
async def move(
    request: Request, item_id: UUID, body: MoveIn, idempotency_key: Key, caller: Caller = Depends(Requires("evidence.manage"))
) -> Response:
    """Needs If-Match. The old and the new place stand in its chain."""
    version = required_version(request)
    await changed(request, caller, "evidence.move", keeping.move, item_id, version, body, idempotency_key)
    return await shown(request, caller, item_id)


@router.post("/evidence/{item_id}/return", response_model=ItemFull, responses=CHANGED, summary="Give it back (发还)")
async def give_back(
    request: Request, item_id: UUID, body: ReturnIn, idempotency_key: Key, caller: Caller = Depends(Requires("evidence.manage"))
) -> Response:
    """Needs If-Match. What its files show stays on record."""
    version = required_version(request)
    await changed(request, caller, "evidence.return", keeping.give_back, item_id, version, body, idempotency_key)
    return await shown(request, caller, item_id)


@router.post(
    "/evidence/{item_id}/destruction", response_model=ItemFull, responses=CHANGED, summary="Propose to destroy it"
)
async def propose_destruction(
    request: Request,
    item_id: UUID,
    body: DestructionIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("evidence.manage")),
) -> Response:
    """Needs If-Match. Nothing is destroyed before another person approves."""
    version = required_version(request)
    await changed(
        request, caller, "evidence.destruction", keeping.propose_destruction, item_id, version, body, idempotency_key
    )
    return await shown(request, caller, item_id)


@router.post(
    "/evidence/{item_id}/destruction/decision", response_model=ItemFull, responses=CHANGED, summary="Approve or refuse it"
)
async def decide_destruction(
    request: Request,
    item_id: UUID,
    body: DecisionIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("evidence.destroy")),
) -> Response:
    """Needs If-Match, and another person than the one who proposed it."""
    version = required_version(request)
    await changed(request, caller, "evidence.decision", keeping.decide_destruction, item_id, version, body, idempotency_key)
    return await shown(request, caller, item_id)
