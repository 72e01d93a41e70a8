"""Handovers for agencies' systems and pages alike: propose, answer, decide; decline, supplement; figures of bounces."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.intake.commands import handovers as commands
from services.intake.commands.handovers import Rules
from services.intake.commands.handovers.requests import act, claim_of
from services.intake.domain.handovers import PERIOD
from services.intake.queries import handovers as queries
from services.intake.queries import handovers_present as present
from services.intake.schemas.handovers import (
    FiguresOut,
    HandoverAcceptIn,
    HandoverAnswerIn,
    HandoverDecisionIn,
    HandoverFull,
    HandoverIn,
    HandoverNoteIn,
    HandoverOut,
    MatterOut,
    StateCode,
)
from services.intake.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.pagination import Page
from shared.kit.problem import Invalid, NotFound
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["handovers"])

Key = Annotated[str, Header(description="The same key again has its effect once")]
_CHANGED = {
    403: {"description": "Seen, but the other side's step"},
    404: {"description": "No such handover within reach"},
    409: {"description": "Not possible in its present state, or the key was used for another request"},
    412: {"description": "It changed since; `changes` says what"},
    428: {"description": "If-Match is missing"},
}
LONGEST = timedelta(days=800)


def rules_of(request: Request) -> Rules:
    """The service with its calendar."""
    return request.app.state.handover_rules


async def answer(request: Request, caller: Caller, handover_id: UUID, *, status: int = 200) -> Response:
    """One handover with its words; that they were read is recorded."""
    rules, now = rules_of(request), clock.now()
    async with db.begin(rules.service.engine) as conn:
        row = await queries.one_handover(conn, caller, handover_id)
        if row is None:
            raise NotFound(
                "没有这件移交，或不在您的权限内。 No such handover within your reach.", code="handover-not-found"
            )
        await audit.record(conn, kit, caller, "handover.read", "handover", [handover_id], now)
    note, said = rules.open(row.id, row.note), rules.open(row.id, row.answer_note)
    return ORJSONResponse(
        present.handover_full(rules.service, caller, row, now, note, said),
        status_code=status,
        headers={"etag": etag(row.version)},
    )


@router.post("/leads/{lead_id}/handovers", status_code=201, response_model=HandoverFull, summary="Hand a lead over")
async def hand_over(
    request: Request,
    lead_id: UUID,
    body: HandoverIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("handover.propose")),
) -> Response:
    """Offer a lead to another agency or unit, or back to the line that distributed it; you answer until it is accepted."""
    rules = rules_of(request)
    claim = claim_of(rules_of(request), caller, "handover.propose", idempotency_key, lead_id, body)
    async with db.begin(rules.service.engine) as conn:
        made = await commands.propose_lead(conn, rules, caller, lead_id, body, claim, clock.now())
    return await answer(request, caller, made, status=201)


@router.get("/leads/{lead_id}/handovers", response_model=Page[HandoverOut], summary="A lead's handovers")
async def of_lead(
    request: Request, lead_id: UUID, caller: Caller = Depends(Requires("handover.read"))
) -> Response:
    """The handovers of a lead that the caller may see, oldest first."""
    service = request.app.state.service
    async with db.begin(service.engine) as conn:
        rows = await queries.of_matter(conn, caller, lead_id)
    now = clock.now()
    return ORJSONResponse({"items": [present.handover_out(service, caller, row, now) for row in rows], "next": None})


@router.post(
    "/tips/{tip_id}/handovers", status_code=201, response_model=HandoverFull, summary="Hand on a tip that is no lead"
)
async def hand_tip_on(
    request: Request,
    tip_id: UUID,
    body: HandoverIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("handover.propose")),
) -> Response:
    """A tip that is not pyramid selling goes back through the line that sent it, never sideways."""
    rules = rules_of(request)
    claim = claim_of(rules_of(request), caller, "handover.propose", idempotency_key, tip_id, body)
    async with db.begin(rules.service.engine) as conn:
        made = await commands.propose_tip(conn, rules, caller, tip_id, body, claim, clock.now())
    return await answer(request, caller, made, status=201)


@router.post(
    "/tips/{tip_id}/hand-back", status_code=201, response_model=HandoverFull, summary="Give a tip back to its distributor"
)
async def hand_back(
    request: Request,
    tip_id: UUID,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("handover.propose")),
) -> Response:
    """One act: what a line distributed and is not ours is that line's again. Needs the tip's version in If-Match."""
    rules, version = rules_of(request), required_version(request)
    claim = claim_of(rules, caller, "tip.hand_back", idempotency_key, tip_id, HandoverNoteIn(), version)
    async with db.begin(rules.service.engine) as conn:
        made = await commands.hand_back(conn, rules, caller, tip_id, version, claim, clock.now())
    return await answer(request, caller, made, status=201)


@router.get("/handovers", response_model=Page[HandoverOut], summary="Handovers in my reach, newest first")
async def list_handovers(
    request: Request,
    caller: Caller = Depends(Requires("handover.read")),
    state: StateCode | None = None,
    waiting: bool = Query(False, description="Somebody owes an answer"),
    late: bool = Query(False, description="An answer or a decision was late"),
    bounced: bool = Query(False, description="Refused or returned"),
    agency: str | None = Query(None, max_length=48, description="Offered to this agency"),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """One page of handovers; their words are not in it."""
    service, now = request.app.state.service, clock.now()
    async with db.begin(service.engine) as conn:
        found = await queries.list_handovers(
            conn, caller, state=state, waiting=waiting, late=late, bounced=bounced, agency=agency,
            after=pagination.decode(cursor, (UUID,)), limit=limit,  # type: ignore[arg-type]
        )  # fmt: skip
    shown, following = pagination.page(found, limit, lambda row: (row.id,))
    return ORJSONResponse(
        {"items": [present.handover_out(service, caller, row, now) for row in shown], "next": following}
    )


@router.get("/handovers/figures", response_model=FiguresOut, summary="How often and how long agencies bounce")
async def figures(
    request: Request,
    caller: Caller = Depends(Requires("handover.read")),
    since: datetime | None = None,
    until: datetime | None = None,
) -> Response:
    """Per agency: what it received, accepted, refused, returned, answered late, and how long its answers took.

    Without a period: the last 90 days.
    """
    service, now = request.app.state.service, clock.now()
    last = until or now
    first = since or last - PERIOD
    if first.tzinfo is None or last.tzinfo is None or not timedelta(0) < last - first <= LONGEST:
        raise Invalid(
            "时间须带时区，起在止前，不超过 800 天。 Give moments with a zone, in order, at most 800 days apart.",
            code="bad-period",
        )
    async with db.begin(service.engine) as conn:
        rows = await queries.figures(conn, caller, first, last)
        bounced, more = await queries.bounce_counts(conn, caller)
    plan = service.plans.get(caller.plan or "")
    return ORJSONResponse(
        {
            "since": first,
            "until": last,
            "agencies": [present.figure_out(plan, row) for row in rows],
            "bounced": bounced,
            "bounced_more_than_once": more,
        }
    )


@router.get("/handovers/bounced", response_model=Page[MatterOut], summary="Matters refused or returned")
async def bounced(
    request: Request,
    caller: Caller = Depends(Requires("handover.read")),
    least: int = Query(1, ge=1, le=100, description="So often at least"),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """Who answers for each now, and how often it was bounced; the latest first."""
    service = request.app.state.service
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(service.engine) as conn:
        found = await queries.bounced_matters(conn, caller, least=least, after=after, limit=limit)  # type: ignore[arg-type]
    shown, following = pagination.page(found, limit, lambda row: (row.last_at, row.id))
    return ORJSONResponse({"items": [present.matter_out(service, row) for row in shown], "next": following})


@router.get("/handovers/{handover_id}", response_model=HandoverFull, summary="One handover; its ETag is the version")
async def one(
    request: Request, handover_id: UUID, caller: Caller = Depends(Requires("handover.read"))
) -> Response:
    """Both sides, numbers, reason and words, clock and history; reading it is recorded."""
    return await answer(request, caller, handover_id)


@router.post("/handovers/{handover_id}/accept", response_model=HandoverFull, responses=_CHANGED)
async def accept(
    request: Request,
    handover_id: UUID,
    body: HandoverAcceptIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("handover.answer")),
) -> Response:
    """Take it over under your own number; from now on your agency answers for it."""
    await act(rules_of(request), caller, handover_id, idempotency_key, body, commands.accept, required_version(request))
    return await answer(request, caller, handover_id)


@router.post("/handovers/{handover_id}/refuse", response_model=HandoverFull, responses=_CHANGED)
async def refuse(
    request: Request,
    handover_id: UUID,
    body: HandoverAnswerIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("handover.answer")),
) -> Response:
    """Refuse it with a reason; the sender answers for it as before, and often enough the office decides."""
    await act(rules_of(request), caller, handover_id, idempotency_key, body, commands.refuse, required_version(request))
    return await answer(request, caller, handover_id)


@router.post("/handovers/{handover_id}/return", response_model=HandoverFull, responses=_CHANGED)
async def send_back(
    request: Request,
    handover_id: UUID,
    body: HandoverAnswerIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("handover.answer")),
) -> Response:
    """Return what you had accepted: a handover the other way, and you answer until that is accepted."""
    await act(rules_of(request), caller, handover_id, idempotency_key, body, commands.send_back, required_version(request))
    return await answer(request, caller, handover_id)


@router.post("/handovers/{handover_id}/withdraw", response_model=HandoverFull, responses=_CHANGED)
async def withdraw(
    request: Request,
    handover_id: UUID,
    idempotency_key: Key,
    body: HandoverNoteIn,
    caller: Caller = Depends(Requires("handover.propose")),
) -> Response:
    """Take your offer back and keep the matter."""
    await act(rules_of(request), caller, handover_id, idempotency_key, body, commands.withdraw, required_version(request))
    return await answer(request, caller, handover_id)


@router.post("/handovers/{handover_id}/escalate", response_model=HandoverFull, responses=_CHANGED)
async def escalate(
    request: Request,
    handover_id: UUID,
    idempotency_key: Key,
    body: HandoverNoteIn,
    caller: Caller = Depends(Requires("handover.propose")),
) -> Response:
    """Ask the office to decide about a refused handover."""
    await act(rules_of(request), caller, handover_id, idempotency_key, body, commands.escalate, required_version(request))
    return await answer(request, caller, handover_id)


@router.post("/handovers/{handover_id}/decide", response_model=HandoverFull, responses=_CHANGED)
async def decide(
    request: Request,
    handover_id: UUID,
    body: HandoverDecisionIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("handover.decide")),
) -> Response:
    """The office assigns it to an agency; that binds."""
    await act(rules_of(request), caller, handover_id, idempotency_key, body, commands.decide, required_version(request))
    return await answer(request, caller, handover_id)
