"""Documents of cases: kinds, drafts, approval, issue, service, withdrawal, and their files."""

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response

from services.casework.commands import documents as commands
from services.casework.commands.documents import DocumentRoom
from services.casework.commands.documents.reading import Form
from services.casework.schemas.documents import (
    DocumentFull,
    DocumentIn,
    Documents,
    DocumentValuesIn,
    KindOut,
    NothingIn,
    ServiceIn,
    WithdrawalIn,
)
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["documents"])

Key = Annotated[str, Header(description="The same key again has its effect once")]
_CHANGED: dict[int | str, dict[str, Any]] = {
    403: {"description": "Another's to change, or the post may not approve"},
    404: {"description": "No such document within reach"},
    409: {"description": "Not possible in its state, approval missing, number taken, or the key was used otherwise"},
    412: {"description": "It changed since; `changes` says what"},
    428: {"description": "If-Match is missing"},
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The file"},
    403: {"description": "To be known of, but not to be read"},
    404: {"description": "No such document within reach"},
    503: {"description": "The file cannot be made now; says why"},
}
_TYPES: dict[Form, str] = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}


def room_of(request: Request) -> DocumentRoom:
    return request.app.state.documents


async def _answer(request: Request, caller: Caller, document_id: UUID, status: int = 200) -> Response:
    told = await room_of(request).full(caller, document_id)
    return ORJSONResponse(told, status_code=status, headers={"etag": etag(told["version"])})


@router.get("/document-kinds", response_model=list[KindOut], summary="Kinds of documents with their fields and basis")
async def kinds(request: Request, caller: Caller = Depends(Requires("document.read"))) -> Response:
    """Every kind, those of the caller's agency marked `mine`."""
    return ORJSONResponse(room_of(request).kinds(caller))


@router.post("/cases/{case_id}/documents", status_code=201, response_model=DocumentFull, summary="Draft a document")
async def draft(
    request: Request,
    case_id: UUID,
    body: DocumentIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("document.draft")),
) -> Response:
    """A draft, filled from the case. 422 lists every wrong field; what is still missing stands in `missing`."""
    made = await room_of(request).draft(caller, case_id, body, idempotency_key)
    return await _answer(request, caller, made, 201)


@router.get("/cases/{case_id}/documents", response_model=Documents, summary="A case's documents")
async def of_case(request: Request, case_id: UUID, caller: Caller = Depends(Requires("document.read"))) -> Response:
    """Numbers and stages, newest first; unissued ones only of one's own agency."""
    return ORJSONResponse({"items": await room_of(request).of_case(caller, case_id)})


@router.get("/documents/waiting", response_model=Documents, summary="Drafts that wait for my approval")
async def waiting(request: Request, caller: Caller = Depends(Requires("document.read"))) -> Response:
    """Complete drafts of others that the caller's posts may approve, oldest first."""
    return ORJSONResponse({"items": await room_of(request).waiting(caller)})


async def _file(request: Request, caller: Caller, document_id: UUID, form: Form) -> Response:
    name, made = await room_of(request).file(caller, document_id, form)
    return Response(
        made,
        media_type=_TYPES[form],
        headers={
            "content-disposition": f"attachment; filename=\"document.{form}\"; filename*=UTF-8''{quote(name)}",
            "cache-control": "no-store",
        },
    )


@router.get("/documents/{document_id}.docx", responses=_FILE, response_class=Response, summary="A document for Word")
async def docx(request: Request, document_id: UUID, caller: Caller = Depends(Requires("document.read"))) -> Response:
    """What was issued as it was issued, a draft marked as one; the reading is recorded."""
    return await _file(request, caller, document_id, "docx")


@router.get("/documents/{document_id}.pdf", responses=_FILE, response_class=Response, summary="A document as PDF")
async def pdf(request: Request, document_id: UUID, caller: Caller = Depends(Requires("document.read"))) -> Response:
    """The same text as the Word file, in the layout of official documents; the reading is recorded."""
    return await _file(request, caller, document_id, "pdf")


@router.get("/documents/{document_id}", response_model=DocumentFull, summary="One document; its ETag is the version")
async def one(request: Request, document_id: UUID, caller: Caller = Depends(Requires("document.read"))) -> Response:
    """What it says, what is missing, its basis, services and history; the reading is recorded."""
    return await _answer(request, caller, document_id)


@router.put("/documents/{document_id}", response_model=DocumentFull, responses=_CHANGED, summary="Change a draft")
async def edit(
    request: Request,
    document_id: UUID,
    body: DocumentValuesIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("document.draft")),
) -> Response:
    """All values anew; an approval that it had falls away."""
    version = required_version(request)
    await room_of(request).act(caller, document_id, commands.edit, idempotency_key, version, body, given=body.fields)
    return await _answer(request, caller, document_id)


@router.post("/documents/{document_id}/approve", response_model=DocumentFull, responses=_CHANGED)
async def approve(
    request: Request,
    document_id: UUID,
    idempotency_key: Key,
    body: NothingIn | None = None,
    caller: Caller = Depends(Requires("document.read")),
) -> Response:
    """Approve another's draft by a post that may."""
    version = required_version(request)
    await room_of(request).act(caller, document_id, commands.approve, idempotency_key, version, body or NothingIn())
    return await _answer(request, caller, document_id)


@router.post("/documents/{document_id}/issue", response_model=DocumentFull, responses=_CHANGED)
async def issue(
    request: Request,
    document_id: UUID,
    idempotency_key: Key,
    body: NothingIn | None = None,
    caller: Caller = Depends(Requires("document.issue")),
) -> Response:
    """Give it its number and freeze it. 422 lists every missing field."""
    version = required_version(request)
    await room_of(request).act(caller, document_id, commands.issue, idempotency_key, version, body or NothingIn())
    return await _answer(request, caller, document_id)


@router.post("/documents/{document_id}/serve", response_model=DocumentFull, responses=_CHANGED)
async def serve(
    request: Request,
    document_id: UUID,
    body: ServiceIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("document.issue")),
) -> Response:
    """Record its service; the first one ends the clock."""
    version = required_version(request)
    await room_of(request).act(
        caller, document_id, commands.serve, idempotency_key, version, body,
        served_at=body.served_at, way=body.way, receiver=body.receiver,
    )  # fmt: skip
    return await _answer(request, caller, document_id)


@router.post("/documents/{document_id}/withdraw", response_model=DocumentFull, responses=_CHANGED)
async def withdraw(
    request: Request,
    document_id: UUID,
    body: WithdrawalIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("document.issue")),
) -> Response:
    """Withdraw it for a reason; its number stays used."""
    version = required_version(request)
    await room_of(request).act(caller, document_id, commands.withdraw, idempotency_key, version, body, reason=body.reason)
    return await _answer(request, caller, document_id)


@router.post("/documents/{document_id}/discard", status_code=204, response_class=Response, responses=_CHANGED)
async def discard(
    request: Request,
    document_id: UUID,
    idempotency_key: Key,
    body: NothingIn | None = None,
    caller: Caller = Depends(Requires("document.draft")),
) -> Response:
    """Throw a draft away, with what it said."""
    version = required_version(request)
    await room_of(request).act(caller, document_id, commands.discard, idempotency_key, version, body or NothingIn())
    return Response(status_code=204)

