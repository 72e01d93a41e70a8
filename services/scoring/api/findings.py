"""JSON routes of findings (认定): what waits for me, one with its facts, and every step."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.scoring.commands.findings.basis import Basis
from services.scoring.commands.findings.deciding import not_found, step_claim, take_step
from services.scoring.domain.findings import FindingStep
from services.scoring.queries.findings import Narrowed, Show, list_findings, one_finding
from services.scoring.queries.findings_present import finding_full, finding_out
from services.scoring.schemas.findings import FindingFullOut, FindingOut, FindingStepIn
from services.scoring.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.pagination import Page
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["findings"])

Key = Annotated[str, Header(description="The same key again has its effect once")]
_CHANGED = {
    403: {"description": "Not yours to decide: your own unit's, or a second person must"},
    404: {"description": "Not within reach"},
    409: {"description": "Not possible now, a window is open or over, or the key was used for another request"},
    412: {"description": "It changed since; `changes` says what"},
    422: {"description": "Words are missing"},
    428: {"description": "If-Match is missing"},
}


@router.get("/findings", response_model=Page[FindingOut], summary="Findings in my reach")
async def listed(
    request: Request,
    caller: Caller = Depends(Requires("finding.read")),
    show: Show = Query("all", description="`mine`: those that wait for me, oldest first; others: newest first"),
    condition: str | None = Query(None, max_length=48),
    agency: str | None = Query(None, max_length=48),
    area: str | None = Query(None, max_length=48),
    origin: Literal["self_reported", "self_found", "exposed"] | None = None,
    case_id: UUID | None = None,
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """One page, each with what it is worth under the rulebooks in force when it happened."""
    basis: Basis = request.app.state.findings
    narrowed = Narrowed(show, condition, agency, area, case_id, origin)
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await list_findings(conn, caller, narrowed, clock.now(), after=after, limit=limit)  # type: ignore[arg-type]
    shown, following = pagination.page(rows, limit, lambda row: (row.proposed_at, row.finding_id))
    page = Page[FindingOut](items=[finding_out(basis, row) for row in shown], next=following)
    return ORJSONResponse(page.model_dump(mode="json"))


@router.get("/findings/{finding_id}", response_model=FindingFullOut, summary="One finding; its ETag")
async def one(
    request: Request, finding_id: UUID, caller: Caller = Depends(Requires("finding.read"))
) -> Response:
    """Its facts, what was done with it with before and after, and the steps the caller can take; the reading is recorded."""
    return await _answer(request, caller, finding_id)


async def _step(request: Request, caller: Caller, finding_id: UUID, step: FindingStep, body: FindingStepIn, key: str) -> Response:
    version = required_version(request)
    basis: Basis = request.app.state.findings
    claim = step_claim(basis, caller, finding_id, step, body.words, version, key)
    async with db.begin(request.app.state.service.engine) as conn:
        await take_step(conn, basis, caller, finding_id, step, body.words, version=version, claim=claim, now=clock.now())
    return await _answer(request, caller, finding_id)


@router.post(
    "/findings/{finding_id}/answer", response_model=FindingFullOut, responses=_CHANGED, summary="Answer a proposed finding"
)
async def answer(
    request: Request, finding_id: UUID, body: FindingStepIn, idempotency_key: Key,
    caller: Caller = Depends(Requires("finding.answer")),
) -> Response:  # fmt: skip
    """Say what the unit concerned has to say, within its window. Needs `If-Match` and `Idempotency-Key`."""
    return await _step(request, caller, finding_id, FindingStep.ANSWER, body, idempotency_key)


@router.post(
    "/findings/{finding_id}/decision/{decision}", response_model=FindingFullOut, responses=_CHANGED,
    summary="Confirm, reject, or leave to a second",
)  # fmt: skip
async def decide(
    request: Request, finding_id: UUID, decision: Literal["confirm", "reject", "leave"], body: FindingStepIn,
    idempotency_key: Key, caller: Caller = Depends(Requires("finding.decide")),
) -> Response:  # fmt: skip
    """Confirming waits for the unit's answer or the end of its window. Needs `If-Match` and `Idempotency-Key`."""
    return await _step(request, caller, finding_id, FindingStep(decision), body, idempotency_key)


@router.post(
    "/findings/{finding_id}/appeal", response_model=FindingFullOut, responses=_CHANGED, summary="Appeal a confirmed finding"
)
async def appeal(
    request: Request, finding_id: UUID, body: FindingStepIn, idempotency_key: Key,
    caller: Caller = Depends(Requires("finding.appeal")),
) -> Response:  # fmt: skip
    """Once, within its window; the finding stands meanwhile. Needs `If-Match` and `Idempotency-Key`."""
    return await _step(request, caller, finding_id, FindingStep.APPEAL, body, idempotency_key)


@router.post(
    "/findings/{finding_id}/appeal/{decision}", response_model=FindingFullOut, responses=_CHANGED,
    summary="Decide an appeal: uphold the finding, or overturn it",
)  # fmt: skip
async def decide_appeal(
    request: Request, finding_id: UUID, decision: Literal["uphold", "overturn"], body: FindingStepIn,
    idempotency_key: Key, caller: Caller = Depends(Requires("finding.decide")),
) -> Response:  # fmt: skip
    """By others than those who decided first; overturned, its entries are taken back. Needs `If-Match` and `Idempotency-Key`."""
    return await _step(request, caller, finding_id, FindingStep(decision), body, idempotency_key)


async def _answer(request: Request, caller: Caller, finding_id: UUID) -> Response:
    basis, now = request.app.state.findings, clock.now()
    async with db.begin(request.app.state.service.engine) as conn:
        full = await one_finding(conn, caller, finding_id)
        if full is None:
            raise not_found()
        shown = finding_full(basis, full, caller, now)
        await audit.record(conn, kit, caller, "finding.read", "finding", [finding_id], now)
    return ORJSONResponse(shown.model_dump(mode="json"), headers={"etag": etag(full.row.version)})
