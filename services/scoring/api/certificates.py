"""JSON routes of certificates: standards, programmes, certifications with their checklist, every step, samples, package."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from services.scoring.adapters.inspection_package import build_package
from services.scoring.commands.certificates import Desk, start, take_step
from services.scoring.commands.certificates.reading import full_of, package_of
from services.scoring.commands.certificates.requests import claim_of, not_found, public_list
from services.scoring.domain.certificates.states import BY_SYSTEM, CertificationStep
from services.scoring.queries import certificates as queries
from services.scoring.queries import certificates_present as present
from services.scoring.schemas.certificates import (
    CertificationFull,
    CertificationOut,
    CertificationStepIn,
    CreationIn,
    DrawsOut,
    EvidenceOut,
    PublicCertificates,
    StandardOut,
    StandardsOut,
)
from services.scoring.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Public, Requires
from shared.kit.etag import etag, required_version
from shared.kit.ids import new_id
from shared.kit.pagination import Page
from shared.kit.problem import NotFound
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["certificates"])

READ = "certificate.read"
Key = Annotated[str, Header(description="The same key again has its effect once")]
_CHANGED = {
    403: {"description": "Another's step, or a second person is needed"},
    404: {"description": "Not within reach"},
    409: {"description": "Not possible now, the standard is not reached, or the key was used for another request"},
    412: {"description": "It changed since; `changes` says what"},
    422: {"description": "Something the step needs is missing"},
    428: {"description": "If-Match is missing"},
}


def desk_of(request: Request) -> Desk:
    """The certificates' desk of the running service."""
    return request.app.state.certificates


async def answer(request: Request, caller: Caller, certification_id: UUID, *, status: int = 200) -> Response:
    """One certification with everything; that it was read is recorded."""
    desk, now = desk_of(request), clock.now()
    async with db.begin(desk.service.engine) as conn:
        found = await full_of(conn, desk, caller, certification_id, now)
    return ORJSONResponse(found.model_dump(mode="json"), status_code=status, headers={"etag": etag(found.version)})


@router.get(
    "/certificates/standards", response_model=StandardsOut, summary="Standards in force, and where each holder stands"
)
async def standards(
    request: Request, caller: Caller = Depends(Requires(READ)), plan: str | None = Query(None, max_length=48)
) -> Response:
    """What a certificate asks here, by which rulebook, and the open round or certificate of each holder."""
    desk, now = desk_of(request), clock.now()
    one = desk.plan(plan or caller.plan)
    async with db.begin(desk.service.engine) as conn:
        rows = await queries.listed(conn, caller, plan=one.id, states=queries.OPEN, limit=500)
    standing = {(row.standard, row.holder): row for row in rows}
    reach = caller.reach(READ)
    found = [
        StandardOut(
            id=standard.id, plan=one.id, rulebook=rulebook.ref, title=present.both(standard.name), clause=standard.clause,
            assumed=standard.assumed, subject=standard.subject, due=standard.due, pass_mark=standard.pass_mark,
            holders=[
                {
                    "holder": holder.id, "area": holder.area,
                    "certification_id": row.id if (row := standing.get((standard.id, holder.id))) is not None else None,
                    "state": row.state if row is not None else "none",
                }
                for holder in desk.holders(one, standard)
                if reach == "all" or (one.id == caller.plan and (reach == "plan" or holder.area in caller.areas))
                or (standard.id, holder.id) in standing
            ],
        )
        for rulebook, standard in desk.standards(one.id, now)
    ]  # fmt: skip
    return ORJSONResponse(StandardsOut(items=found).model_dump(mode="json"))


@router.post(
    "/certifications", status_code=201, response_model=CertificationFull, responses=_CHANGED,
    summary="Start a creation programme",
)  # fmt: skip
async def create(
    request: Request, body: CreationIn, idempotency_key: Key, caller: Caller = Depends(Requires(READ))
) -> Response:
    """By who organises the creation, or by the community itself; one round at a time."""
    desk = desk_of(request)
    claim = claim_of(desk, caller, "certification.start", idempotency_key, "start", body, 0, new_id())
    async with db.begin(desk.service.engine) as conn:
        made = await start(conn, desk, caller, body, claim, clock.now())
    return await answer(request, caller, made, status=201)


@router.get(
    "/certifications", response_model=Page[CertificationOut], summary="Certifications in my reach, newest first"
)
async def listed(
    request: Request,
    caller: Caller = Depends(Requires(READ)),
    plan: str | None = Query(None, max_length=48),
    standard: str | None = Query(None, max_length=48),
    holder: str | None = Query(None, max_length=48),
    state: str | None = Query(None, max_length=24),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """One page."""
    desk = desk_of(request)
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(desk.service.engine) as conn:
        rows = await queries.listed(
            conn, caller, plan=plan, standard=standard, holder=holder, states=[state] if state else (), after=after,
            limit=limit,
        )  # fmt: skip
    shown, following = pagination.page(rows, limit, lambda row: (row.started_at, row.id))
    page = Page[CertificationOut](items=[present.certification_out(desk, row) for row in shown], next=following)
    return ORJSONResponse(page.model_dump(mode="json"))


@router.get(
    "/certifications/{certification_id}", response_model=CertificationFull, summary="One certification; its ETag"
)
async def one(request: Request, certification_id: UUID, caller: Caller = Depends(Requires(READ))) -> Response:
    """Programme, checklist filled from the events, samples, reasons of suspension, history; reading it is recorded."""
    return await answer(request, caller, certification_id)


@router.get(
    "/certifications/{certification_id}/items/{indicator}/evidence", response_model=Page[EvidenceOut],
    summary="The events behind an item of the checklist",
)  # fmt: skip
async def evidence(
    request: Request,
    certification_id: UUID,
    indicator: Annotated[str, Path(max_length=48)],
    caller: Caller = Depends(Requires(READ)),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """The newest first; each with where it is opened under the reader's own rights."""
    desk = desk_of(request)
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(desk.service.engine) as conn:
        row = await queries.one(conn, caller, certification_id)
        if row is None:
            raise not_found()
        item = next((item for item in desk.governing(row)[1].indicators if item.id == indicator), None)
        if item is None:
            raise NotFound("标准中没有这一项。 The standard has no such item.", code="item-not-found")
        rows = await queries.behind(conn, desk.plan(row.plan), row, item, clock.now(), after=after, limit=limit)
    shown, following = pagination.page(rows, limit, lambda found: (found.at, found.event_id))
    page = Page[EvidenceOut](items=[present.evidence_out(found) for found in shown], next=following)
    return ORJSONResponse(page.model_dump(mode="json"))


@router.post(
    "/certifications/{certification_id}/steps/{step}", response_model=CertificationFull, responses=_CHANGED,
    summary="Take a step",
)  # fmt: skip
async def step_(
    request: Request,
    certification_id: UUID,
    step: CertificationStep,
    body: CertificationStepIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires(READ)),
) -> Response:
    """Which steps are possible for the caller now stands in `possible`; each needs its right, If-Match and its own fields."""
    desk, version = desk_of(request), required_version(request)
    if step in BY_SYSTEM:
        raise NotFound("这一步由系统办理。 The system takes this step by itself.", code="step-not-found")
    claim = claim_of(
        desk,
        caller,
        f"certification.{step.value}",
        idempotency_key,
        str(certification_id),
        body,
        version,
        certification_id,
    )
    async with db.begin(desk.service.engine) as conn:
        await take_step(conn, desk, caller, certification_id, step, version, body, claim, clock.now())
    return await answer(request, caller, certification_id)


@router.get(
    "/certifications/{certification_id}/draws", response_model=DrawsOut, summary="Its samples, to be computed again"
)
async def draws(request: Request, certification_id: UUID, caller: Caller = Depends(Requires(READ))) -> Response:
    """List, digest, commitment, secret, word, seed and choice: `examples/certificate_sample/verify.py` checks them."""
    desk = desk_of(request)
    async with db.begin(desk.service.engine) as conn:
        row = await queries.one(conn, caller, certification_id)
        if row is None:
            raise not_found()
        found = (await queries.parts(conn, row))["draws"]
    return ORJSONResponse(DrawsOut(items=[present.draw_out(one) for one in found]).model_dump(mode="json"))


@router.get("/certifications/{certification_id}/package.zip", summary="The inspection package (迎检材料)")
async def package(request: Request, certification_id: UUID, caller: Caller = Depends(Requires(READ))) -> Response:
    """One ZIP: the report as Word and PDF, figures, the ids of all events, samples, history, checksums (X-D1d)."""
    desk, now = desk_of(request), clock.now()
    async with db.begin(desk.service.engine) as conn:
        contents = await package_of(conn, desk, caller, certification_id, now)
        await audit.record(conn, kit, caller, "certification.export", "certification", [certification_id], now)
    return Response(
        await build_package(contents),
        media_type="application/zip",
        headers={
            "content-disposition": f'attachment; filename="inspection-{certification_id}.zip"',
            "cache-control": "no-store",
        },
    )


@router.get("/public/certificates", response_model=PublicCertificates, summary="The public list")
async def public(
    request: Request,
    caller: Caller = Depends(
        Public("who is certified, and whether it stands, is for everyone to read; no person is in it")
    ),
) -> Response:
    """Every certificate that was ever granted, and whether it stands now. Open to anyone."""
    desk, now = desk_of(request), clock.now()
    found = await public_list(desk, now)
    return ORJSONResponse(
        found.model_dump(mode="json"),
        headers={"cache-control": "public, max-age=60", "access-control-allow-origin": "*"},
    )
