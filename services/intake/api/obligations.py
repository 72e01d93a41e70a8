"""Decisions of a lead's parties: not accepted, more asked of the reporter, taken up again; and who has still to accept."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel

from services.intake.commands import handovers as commands
from services.intake.commands.asking import ask_for_more
from services.intake.commands.handovers import Rules
from services.intake.commands.handovers.requests import claim_of
from services.intake.queries import handovers as queries
from services.intake.queries import handovers_present as present
from services.intake.schemas.handovers import (
    DeclinedOut,
    DeclineIn,
    HandoverNoteIn,
    SupplementEndIn,
    SupplementIn,
    SupplementOut,
)
from services.intake.tables.handovers import supplements
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.pagination import Page
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["handovers"])

Key = Annotated[str, Header(description="The same key again has its effect once")]


def rules_of(request: Request) -> Rules:
    """The service with its calendar."""
    return request.app.state.handover_rules


@router.post("/leads/{lead_id}/decline", response_model=DeclinedOut, summary="Not accept a lead (不予受理)")
async def decline(
    request: Request,
    lead_id: UUID,
    body: DeclineIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("lead.decide")),
) -> Response:
    """Say why and where it belongs; it is handed there, and you answer until that is accepted."""
    rules, now = rules_of(request), clock.now()
    claim = claim_of(rules_of(request), caller, "lead.decline", idempotency_key, lead_id, body)
    async with db.begin(rules.service.engine) as conn:
        done = await commands.decline(conn, rules, caller, lead_id, body, claim, now)
        made = done["handover_id"] and await queries.one_handover(conn, caller, done["handover_id"])
    return ORJSONResponse(
        {
            "lead_id": lead_id,
            "agency": done["agency"],
            "reason": body.reason,
            "ends": made is None,
            "belongs_to": body.belongs_to,
            "handover": present.handover_out(rules.service, caller, made, now) if made else None,
        }
    )


@router.post("/leads/{lead_id}/supplement-requests", status_code=201, response_model=SupplementOut)
async def request_supplement(
    request: Request,
    lead_id: UUID,
    body: SupplementIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("lead.decide")),
) -> Response:
    """Ask the reporter for more before deciding; the acceptance clock stands still as the plan's rule says."""
    rules = rules_of(request)
    claim = claim_of(rules_of(request), caller, "supplement.request", idempotency_key, lead_id, body)
    async with db.begin(rules.service.engine) as conn:
        made = await ask_for_more(conn, rules, caller, lead_id, body, claim, clock.now())
        row = next(one for one in await queries.supplements_of(conn, lead_id) if one.id == made)
    return ORJSONResponse(present.supplement_out(row), status_code=201, headers={"etag": etag(row.version)})


@router.get("/leads/{lead_id}/supplement-requests", response_model=Page[SupplementOut])
async def supplements_asked(
    request: Request, lead_id: UUID, caller: Caller = Depends(Requires("lead.decide"))
) -> Response:
    """What my agency asked the reporters of a lead to add."""
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await queries.supplements_of(conn, lead_id)
    wide = caller.reach("lead.decide") in ("plan", "all")
    own = [row for row in rows if row.plan == caller.plan and (wide or row.agency == caller.agency)]
    return ORJSONResponse({"items": [present.supplement_out(row) for row in own], "next": None})


@router.post("/supplement-requests/{supplement_id}/end", response_model=SupplementOut)
async def end_supplement(
    request: Request,
    supplement_id: UUID,
    body: SupplementEndIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("lead.decide")),
) -> Response:
    """Note that it came, or that it is no longer asked for; the clock runs again."""
    version = required_version(request)
    claim = claim_of(
        rules_of(request), caller, "supplement.end", idempotency_key, supplement_id, body, version, supplement_id
    )
    async with db.begin(request.app.state.service.engine) as conn:
        await commands.end_supplement(conn, caller, supplement_id, version, body, claim, clock.now())
        row = (await conn.execute(supplements.select().where(supplements.c.id == supplement_id))).one()
    return ORJSONResponse(present.supplement_out(row), headers={"etag": etag(row.version)})


class Reopened(BaseModel):
    """A declined lead taken up again."""

    lead_id: UUID
    state: Literal["reopened"] = "reopened"


@router.post("/leads/{lead_id}/reopen", response_model=Reopened, summary="Take a declined lead up again")
async def reopen(
    request: Request,
    lead_id: UUID,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("lead.decide")),
) -> Any:
    """A repeat brought new facts: the acceptance clock starts anew (令121 art. 35)."""
    claim = claim_of(rules_of(request), caller, "lead.reopen", idempotency_key, lead_id, HandoverNoteIn(), object_id=lead_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await commands.reopen(conn, caller, lead_id, claim, clock.now())
    return Reopened(lead_id=lead_id)


class AcceptanceOut(BaseModel):
    """A lead that an agency still has to accept."""

    lead_id: UUID | None
    case_id: UUID
    number: str
    agency: str
    unit: str | None
    area: str | None
    urgent: bool
    due: datetime
    late: bool


@router.get("/acceptances", response_model=Page[AcceptanceOut], summary="Leads waiting for acceptance, latest first")
async def waiting_for_acceptance(
    request: Request,
    caller: Caller = Depends(Requires("handover.read")),
    late: bool = False,
    agency: str | None = Query(None, max_length=48),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """Longest overdue first, as casework told."""
    now = clock.now()
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await queries.acceptances(conn, caller, now, late=late, agency=agency, after=after, limit=limit)  # type: ignore[arg-type]
    shown, following = pagination.page(found, limit, lambda row: (row.due, row.case_id))
    names = ("lead_id", "case_id", "number", "agency", "unit", "area", "urgent", "due")
    items = [{name: getattr(row, name) for name in names} | {"late": row.due < now} for row in shown]
    return ORJSONResponse({"items": items, "next": following})
