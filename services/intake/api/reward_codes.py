"""New claim codes for those that were lost."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake import queries
from services.intake.commands.rewards import reissue
from services.intake.commands.rewards.asking import asked
from services.intake.domain.rewards.codes import spaced
from services.intake.queries import rewards as seen
from services.intake.queries.reward_present import code_request_out
from services.intake.schemas.rewards import CodeAskOut, CodeDecisionIn, CodeRequestOut, CodeState
from services.intake.schemas.tips import ReceiptIn
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Public, Requires
from shared.kit.etag import etag, required_version
from shared.kit.idempotency import check_key
from shared.kit.pagination import Page
from shared.kit.problem import BadRequest, NotFound
from shared.kit.service import Service
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["rewards"])

@router.post("/public/rewards/codes", response_model=CodeAskOut, summary="A new code for one that was lost, by receipt")
async def ask(
    request: Request,
    body: ReceiptIn,
    _: Caller = Depends(Public("the receipt is the right; a reward is asked for and collected without a name")),
) -> Response:
    """Asked once; after two persons have agreed, the same request gives the new code, once. The old one is dead then."""
    service: Service = request.app.state.service
    key = request.headers.get("idempotency-key")
    tip = await queries.tip_by_receipt(service, request.app.state.receipt_misses, body.receipt)
    async with db.begin(service.engine) as conn:
        done = await reissue.ask(conn, service, tip, check_key(key) if key else None, clock.now())
    return ORJSONResponse({"state": done.state.value, "code": spaced(done.code) if done.code else None})


@router.get("/rewards/codes", response_model=Page[CodeRequestOut], summary="Requests for new codes, oldest first")
async def listed(
    request: Request,
    caller: Caller = Depends(Requires("reward.read")),
    state: CodeState | None = None,
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """One page; which tip, since when. Who asked is not known."""
    after: Any = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await seen.code_requests(conn, caller, state=state, after=after, limit=limit)
    rows, following = pagination.page(found, limit, lambda row: (row.asked_at, row.id))
    return ORJSONResponse({"items": [code_request_out(row, caller) for row in rows], "next": following})


@router.post("/rewards/codes/{request_id}/decision", response_model=CodeRequestOut, summary="Agree to a new code, or refuse")
async def decide(
    request: Request, request_id: UUID, body: CodeDecisionIn, caller: Caller = Depends(Requires("reward.read"))
) -> Response:
    """Two persons, each by their post. Needs `If-Match` and `Idempotency-Key`."""
    service: Service = request.app.state.service
    version, key = required_version(request), request.headers.get("idempotency-key")
    if key is None:
        raise BadRequest(
            "请携带 Idempotency-Key；未保存任何内容。 Send an Idempotency-Key; nothing was kept.",
            code="idempotency-key-required",
        )
    used = asked(
        service.settings.keys, caller, "reward-code", key, (request_id, version, body.decision), request_id
    )
    async with db.begin(service.engine) as conn:
        await reissue.decide(
            conn, service, caller, request_id, body.decision, version=version, claim=used, now=clock.now()
        )
    async with db.begin(service.engine) as conn:
        row = await seen.code_request(conn, caller, request_id)
    if row is None:
        raise NotFound("没有这件补发申请，或不在您的权限内。 No such request within your reach.")
    return ORJSONResponse(code_request_out(row, caller), headers={"etag": etag(row.version)})
