"""Verifying leads (核查): what is owed, and the act itself."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.intake.commands import verification as commands
from services.intake.commands.handovers import Rules
from services.intake.commands.handovers.requests import claim_of
from services.intake.queries import verifications as queries
from services.intake.schemas.verifications import VerificationIn, VerificationItem, VerificationOut
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.pagination import Page
from shared.kit.problem import NotFound
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["leads"])


@router.get("/verifications", response_model=Page[VerificationItem], summary="Major leads to be verified, first due first")
async def listed(
    request: Request,
    caller: Caller = Depends(Requires("lead.read")),
    state: Literal["waiting", "missed"] = "waiting",
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """Leads that the plan calls major and nobody has verified; `missed`: past their time (D-Q1.4)."""
    after: Any = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    now = clock.now()
    async with db.begin(request.app.state.service.engine) as conn:
        found = await queries.listed(conn, caller, state, after=after, limit=limit)
    by = "due" if state == "waiting" else "missed_at"
    rows, following = pagination.page(found, limit, lambda row: (getattr(row, by), row.lead_id))
    items = [
        queries.out(row.lead_id, row, now)
        | {"plan": row.plan, "area": row.area, "agency": row.agency, "unit": row.unit, "urgent": row.urgent}
        for row in rows
    ]
    return ORJSONResponse({"items": items, "next": following})


@router.get("/leads/{lead_id}/verification", response_model=VerificationOut, summary="How a lead's verification stands")
async def one(request: Request, lead_id: UUID, caller: Caller = Depends(Requires("lead.read"))) -> Response:
    """Its ETag is the version to verify with."""
    return await _one(request, caller, lead_id)


async def _one(request: Request, caller: Caller, lead_id: UUID) -> Response:
    async with db.begin(request.app.state.service.engine) as conn:
        if not await queries.visible(conn, caller, lead_id):
            raise NotFound("没有这条线索，或不在您的权限内。 No such lead within your reach.")
        row = await queries.of_lead(conn, lead_id)
    told = queries.out(lead_id, row, clock.now())
    return ORJSONResponse(told, headers={"etag": etag(told["version"])})


@router.post("/leads/{lead_id}/verification", response_model=VerificationOut, summary="Record that a lead was verified")
async def verify(
    request: Request,
    lead_id: UUID,
    body: VerificationIn,
    idempotency_key: Annotated[str, Header(description="The same key again has its effect once")],
    caller: Caller = Depends(Requires("lead.verify")),
) -> Response:
    """Needs If-Match and Idempotency-Key. A major lead's clock ends with it; one that is late stays late."""
    rules: Rules = request.app.state.handover_rules
    version = required_version(request)
    claim = claim_of(rules, caller, "lead.verify", idempotency_key, lead_id, body, version, lead_id)
    async with db.begin(rules.service.engine) as conn:
        await commands.verify(
            conn, rules, caller, lead_id, body.outcome, body.note, version=version, claim=claim, now=clock.now()
        )
    return await _one(request, caller, lead_id)
