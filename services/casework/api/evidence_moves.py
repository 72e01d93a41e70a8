"""Evidence changes hands and leaves: handings over, packages, and the published keys that sign manifests."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response

from services.casework.api.evidence import CHANGED
from services.casework.commands.evidence import exports, handovers
from services.casework.commands.evidence.handovers import no_handover
from services.casework.commands.evidence.requests import answered, present, room_of
from services.casework.commands.evidence.room import claim_of
from services.casework.domain.evidence import HandoverAction
from services.casework.queries import evidence as queries
from services.casework.schemas.evidence import (
    AcceptIn,
    ExportIn,
    ExportOut,
    HandoverIn,
    HandoverOut,
    PublicKeysOut,
    RefuseIn,
    WithdrawIn,
)
from services.casework.tables import evidence_items, kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Public, Requires
from shared.kit.etag import etag, required_version
from shared.kit.files.answers import download
from shared.kit.ids import new_id
from shared.kit.pagination import Page
from shared.kit.problem import NotFound
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["evidence"])
published = APIRouter(tags=["evidence"])

Key = Annotated[str, Header(description="The same key again has its effect once")]


async def _shown(request: Request, caller: Caller, handover_id: UUID, *, status: int = 200) -> Response:
    async with db.begin(room_of(request).service.engine) as conn:
        row = await queries.handover(conn, caller, handover_id)
        if row is None:
            raise no_handover()
        query = queries.items().where(
            evidence_items.c.id.in_([UUID(one) for one in row.items]), queries.seen(caller, "evidence.read")
        )
        items = (await conn.execute(query)).all()
        await audit.record(conn, kit, caller, "evidence.handover-read", "evidence", row.items, clock.now())
    return ORJSONResponse(
        present(request).handover_out(row, items), status_code=status, headers={"etag": etag(row.version)}
    )


@router.post(
    "/cases/{case_id}/evidence/handovers", status_code=201, response_model=HandoverOut, responses=CHANGED,
    summary="Offer items to an agency, a unit or another person",
)  # fmt: skip
async def offer(
    request: Request,
    case_id: UUID,
    body: HandoverIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("evidence.manage")),
) -> Response:
    """Names each item with the version that was seen. You answer for the items until the receiver accepts."""
    room = room_of(request)
    asked = case_id.bytes + body.model_dump_json().encode()
    claim = claim_of(room, caller, "evidence.offer", idempotency_key, asked, new_id())
    async with db.begin(room.service.engine) as conn:
        made = await handovers.offer(conn, room, caller, case_id, body, claim, clock.now())
    return await _shown(request, caller, made, status=201)


@router.get("/cases/{case_id}/evidence/handovers", response_model=Page[HandoverOut], summary="A case's handings over")
async def of_case(
    request: Request, case_id: UUID, caller: Caller = Depends(Requires("evidence.read"))
) -> Response:
    """Those that the caller's agency gave or got, newest first."""
    async with db.begin(room_of(request).service.engine) as conn:
        rows = await queries.handovers_of(conn, caller, case_id)
        await audit.record(conn, kit, caller, "evidence.handover-read", "case", [case_id], clock.now())
    return ORJSONResponse({"items": [present(request).handover_out(row, ()) for row in rows], "next": None})


@router.get("/evidence/handovers/waiting", response_model=Page[HandoverOut], summary="What waits for my agency")
async def waiting(request: Request, caller: Caller = Depends(Requires("evidence.receive"))) -> Response:
    """Handings over that are to be accepted or refused, longest waiting first."""
    async with db.begin(room_of(request).service.engine) as conn:
        rows = await queries.waiting(conn, caller)
        ids = [row.id for row in rows]
        await audit.record(conn, kit, caller, "evidence.handover-read", "evidence_handover", ids, clock.now())
    return ORJSONResponse({"items": [present(request).handover_out(row, ()) for row in rows], "next": None})


@router.get("/evidence/handovers/{handover_id}", response_model=HandoverOut, summary="One handing over")
async def get_handover(
    request: Request, handover_id: UUID, caller: Caller = Depends(Requires("evidence.read"))
) -> Response:
    """Its items, both sides, its limit and what became of it; its ETag is the version to answer."""
    return await _shown(request, caller, handover_id)


@router.post(
    "/evidence/handovers/{handover_id}/acceptance", response_model=HandoverOut, responses=CHANGED, summary="Receive it"
)
async def accept(
    request: Request,
    handover_id: UUID,
    body: AcceptIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("evidence.receive")),
) -> Response:
    """With the receipt's number and where the items are kept from now on. Needs If-Match; never the one who offered."""
    version = required_version(request)
    await answered(request, caller, handover_id, HandoverAction.ACCEPT, version, body, idempotency_key)
    return await _shown(request, caller, handover_id)


@router.post(
    "/evidence/handovers/{handover_id}/refusal", response_model=HandoverOut, responses=CHANGED, summary="Refuse it"
)
async def refuse(
    request: Request,
    handover_id: UUID,
    body: RefuseIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("evidence.receive")),
) -> Response:
    """With a reason; the items stay with their keeper. Needs If-Match."""
    version = required_version(request)
    await answered(request, caller, handover_id, HandoverAction.REFUSE, version, body, idempotency_key)
    return await _shown(request, caller, handover_id)


@router.post(
    "/evidence/handovers/{handover_id}/withdrawal", response_model=HandoverOut, responses=CHANGED, summary="Take it back"
)
async def withdraw(
    request: Request,
    handover_id: UUID,
    body: WithdrawIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("evidence.manage")),
) -> Response:
    """The keeper takes its offer back before it was answered. Needs If-Match."""
    version = required_version(request)
    await answered(request, caller, handover_id, HandoverAction.WITHDRAW, version, body, idempotency_key)
    return await _shown(request, caller, handover_id)


@router.post("/cases/{case_id}/evidence/exports", status_code=201, response_model=ExportOut, summary="Make a package")
async def make(
    request: Request,
    case_id: UUID,
    body: ExportIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("evidence.export")),
) -> Response:
    """A signed manifest of the items, their files and custody chains, for a reason; recorded in each item's chain."""
    room = room_of(request)
    asked = case_id.bytes + body.model_dump_json().encode()
    claim = claim_of(room, caller, "evidence.export", idempotency_key, asked, new_id())
    async with db.begin(room.service.engine) as conn:
        made = await exports.make(conn, room, caller, case_id, body, claim, clock.now())
        row = await queries.export(conn, caller, made)
    return ORJSONResponse(present(request).export_out(row, case_id), status_code=201)


@router.get("/cases/{case_id}/evidence/exports", response_model=Page[ExportOut], summary="Packages made of a case")
async def exports_of(
    request: Request, case_id: UUID, caller: Caller = Depends(Requires("evidence.export"))
) -> Response:
    """Newest first."""
    async with db.begin(room_of(request).service.engine) as conn:
        rows = await queries.exports_of(conn, caller, case_id)
    return ORJSONResponse({"items": [present(request).export_out(row, case_id) for row in rows], "next": None})


@router.get("/evidence/exports/{export_id}", response_model=ExportOut, summary="One package")
async def get_export(
    request: Request, export_id: UUID, caller: Caller = Depends(Requires("evidence.export"))
) -> Response:
    """What was made, when, for what."""
    async with db.begin(room_of(request).service.engine) as conn:
        row = await queries.export(conn, caller, export_id)
    if row is None:
        raise NotFound("没有这个证据包，或不在您的权限内。 No such package within your reach.", code="export-not-found")
    return ORJSONResponse(present(request).export_out(row, row.case_id))


@router.get("/evidence/exports/{export_id}/package", summary="Its ZIP, as a stream; recorded in each item's chain first")
async def package(
    request: Request, export_id: UUID, caller: Caller = Depends(Requires("evidence.export"))
) -> Response:
    """To be checked offline as its README says: `sha256sum -c`, `openssl pkeyutl -verify`."""
    room = room_of(request)
    parcel = await exports.take_away(room, caller, export_id)
    return download(exports.stream(room, parcel), "application/zip", None, f"evidence-{export_id}.zip")


@published.get(
    exports.KEYS_PATH, response_model=PublicKeysOut, summary="The public keys that sign manifests of evidence",
    dependencies=[Depends(Public("a stranger checks a package's signature with them", reads_caller=False))],
)  # fmt: skip
async def public_keys(request: Request) -> Response:
    """Present and earlier ones, as PEM and JWK (RFC 8037)."""
    return ORJSONResponse({"keys": exports.public_keys(room_of(request).keys)}, headers={"cache-control": "public, max-age=300"})
