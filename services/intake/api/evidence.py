"""Files with a tip: by its receipt, by officers and agencies' systems; and opened again by those entitled to."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.intake import queries
from services.intake.commands import evidence as commands
from services.intake.commands import evidence_upkeep as upkeep
from services.intake.commands import uploads
from services.intake.schemas.evidence import FileList, FilesOut, OriginalIn, OwnFileList
from services.intake.schemas.tips import ReceiptIn
from shared.kit import db
from shared.kit.access import Caller, Public, Requires
from shared.kit.files.answers import download
from shared.kit.problem import NotFound, Problem
from shared.kit.service import Service
from shared.kit.web import ORJSONResponse, read_json

router = APIRouter(tags=["files"])

_BY_RECEIPT = Public("the receipt is the right; it is never part of an address", reads_caller=False)
_MULTIPART: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["receipt", "file"],
                    "properties": {
                        "receipt": {"type": "string", "description": "Must come before the files"},
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                    },
                }
            }
        },
    }
}
_ANY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "/public/files", response_model=FilesOut, openapi_extra=_MULTIPART, summary="Add files to a tip by its receipt"
)
async def add_by_receipt(request: Request, _: Caller = Depends(_BY_RECEIPT)) -> Response:
    """Take up to ten files of 50 MB as multipart/form-data, `receipt` first. What each is, is told by its content; the
    names they had are not kept. Each stands or falls alone; sending one again is safe."""
    return answer(await uploads.take_form(request))


def answer(results: list[commands.FileTaken | Problem]) -> Response:
    """What became of each file; of a single refused one, its problem."""
    if not results:
        raise commands.empty()
    if len(results) == 1 and isinstance(results[0], Problem):
        raise results[0]
    told, counts = [], {"created": 0, "replayed": 0, "rejected": 0}
    for index, result in enumerate(results):
        if isinstance(result, Problem):
            status, file, problem = "rejected", None, result.marshal()
        else:
            status, problem = "replayed" if result.replayed else "created", None
            file = queries.file_out(result.row)
        counts[status] += 1
        told.append({"index": index, "status": status, "file": file, "problem": problem})
    return ORJSONResponse({**counts, "files": told}, status_code=201 if counts["created"] else 200)


@router.post("/public/files/list", response_model=OwnFileList, summary="The files that came with my tip")
async def list_by_receipt(request: Request, body: ReceiptIn, _: Caller = Depends(_BY_RECEIPT)) -> Response:
    """What a reporter sees of the files they sent; what they show is not given back."""
    service: Service = request.app.state.service
    tip = await queries.tip_by_receipt(service, request.app.state.receipt_misses, body.receipt)
    async with db.begin(service.engine) as conn:
        rows = [row._mapping for row in await queries.files_of(conn, tip.id)]
    most = request.app.state.evidence.settings.most_files
    left = max(0, most - sum(row["state"] != "refused" for row in rows))
    return ORJSONResponse({"items": [queries.file_out(row) for row in rows], "left": left})


@router.post(
    "/tips/{tip_id}/files", response_model=FilesOut, openapi_extra=_ANY, summary="Add a file to a tip as an agency"
)
async def add(request: Request, tip_id: UUID, caller: Caller = Depends(Requires("tip.submit"))) -> Response:
    """Take one file as the body, or several as multipart/form-data, for a tip within reach. An Idempotency-Key, or the
    same content, makes repeating safe."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        if await queries.tip_to_add_to(conn, caller, tip_id) is None:
            raise NotFound("没有这条举报，或不在您的权限内。 No such tip within your reach.")
    return answer(await uploads.take_for_officer(request, tip_id, caller))


@router.get("/tips/{tip_id}/files", response_model=FileList, summary="The files of a tip")
async def list_files(request: Request, tip_id: UUID, caller: Caller = Depends(Requires("tip.read"))) -> Response:
    """Kinds, sizes, hashes and how each stands."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        if await queries.tip(conn, caller, tip_id) is None:
            raise NotFound("没有这条举报，或不在您的权限内。 No such tip within your reach.")
        rows = await queries.files_of(conn, tip_id)
    return ORJSONResponse({"items": [queries.officer_file_out(row._mapping) for row in rows]})


@router.get("/tips/{tip_id}/files/{file_id}", summary="A file's copy without metadata; the reading is recorded")
async def copy(
    request: Request, tip_id: UUID, file_id: UUID, caller: Caller = Depends(Requires("tip.read"))
) -> Response:
    """The copy as a download. Without one, 409 `no-copy` says why."""
    state = request.app.state
    row, chunks = await upkeep.open_copy(state.service, state.evidence, caller, tip_id, file_id)
    return download(chunks, row.copy_type, row.copy_size, f"{row.number}.{uploads.ending(row.copy_type)}")


@router.post("/tips/{tip_id}/files/{file_id}/original", summary="The sealed original, for a reason that is recorded")
async def original(
    request: Request, tip_id: UUID, file_id: UUID, caller: Caller = Depends(Requires("file.original"))
) -> Response:
    """The bytes as they came in, with whatever hides in them."""
    body = await read_json(request, OriginalIn)
    state = request.app.state
    row, chunks = await upkeep.open_original(state.service, state.evidence, caller, tip_id, file_id, body.reason)
    return download(
        chunks, "application/octet-stream", row.size, f"{row.number}-original.{uploads.ending(row.media_type)}"
    )
