"""JSON routes of cases and their acceptance."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.casework import commands, queries
from services.casework.commands import closing
from services.casework.domain.closing import Outcome
from services.casework.queries import Filters, Mode
from services.casework.schemas.cases import AcceptanceBody, CaseFullOut, CaseOut, CaseStateCode, ClosingBody
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.pagination import Page
from shared.kit.problem import BadRequest, NotFound
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["cases"])


@router.get("/cases", response_model=Page[CaseOut], summary="Cases in my reach")
async def list_cases(
    request: Request,
    caller: Caller = Depends(Requires("case.read")),
    state: CaseStateCode | None = None,
    area: str | None = Query(None, max_length=48),
    kind: str | None = Query(None, max_length=40),
    urgent: bool | None = None,
    mine: bool = Query(False, description="Only those waiting for my agency's acceptance, longest overdue first"),
    late: bool = Query(False, description="Only those with a clock past due"),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """One page of cases with their parties and clocks; newest first, or by urgency of what waits for me (`mine`)."""
    mode: Mode = "waiting" if mine else "newest"
    now = clock.now()
    async with db.begin(request.app.state.service.engine) as conn:
        found = await queries.list_cases(
            conn,
            caller,
            Filters(state, area, kind, urgent, late),
            now,
            mode=mode,
            after=queries.after_cursor(cursor, mode),
            limit=limit,
        )
    shown, following = pagination.page(found, limit, lambda full: queries.cursor_of(full, mode))
    present = request.app.state.present
    return ORJSONResponse({"items": [present.case_out(full, now) for full in shown], "next": following})


@router.get("/cases/{case_id}", response_model=CaseFullOut, summary="One case; its ETag is the version to accept")
async def get_case(request: Request, case_id: UUID, caller: Caller = Depends(Requires("case.read"))) -> Response:
    """Number, stage, parties and every clock with its rule, article and how sure it is."""
    return await _answer(request, caller, case_id)


@router.post(
    "/cases/{case_id}/acceptance",
    response_model=CaseFullOut,
    summary="Accept a case for my agency (受理)",
    responses={
        403: {"description": "Seen, but another agency's to accept"},
        404: {"description": "No such case within reach"},
        409: {"description": "Accepted before, nothing to accept, or the key was used for another request"},
        412: {"description": "The case changed since; `changes` says what"},
        428: {"description": "If-Match is missing"},
    },
)
async def accept(
    request: Request,
    case_id: UUID,
    body: AcceptanceBody | None = None,
    caller: Caller = Depends(Requires("case.accept")),
) -> Response:
    """Stops my agency's acceptance clock, in time or late. Needs `If-Match` (the ETag read) and `Idempotency-Key`."""
    key = request.headers.get("idempotency-key")
    if key is None:
        raise BadRequest(
            "请携带 Idempotency-Key，重发时用同一个键，不会重复受理；未保存任何内容。 "
            "Send an Idempotency-Key, the same one when you repeat; nothing was kept.",
            code="idempotency-key-required",
        )
    version = required_version(request)
    service = request.app.state.service
    claim = commands.acceptance_claim(service.settings.keys, caller, case_id, version, key)
    async with db.begin(service.engine) as conn:
        accepted = await commands.accept(conn, caller, case_id, version=version, claim=claim, now=clock.now())
    answer = await _answer(request, caller, case_id)
    answer.headers["idempotency-replayed"] = str(accepted.replayed).lower()
    return answer


@router.post(
    "/cases/{case_id}/closing",
    response_model=CaseFullOut,
    summary="Close a case (结案)",
    responses={
        404: {"description": "No such case within reach"},
        409: {"description": "Another agency leads it, something is still open, or nothing bears the outcome out"},
        412: {"description": "The case changed since; `changes` says what"},
        428: {"description": "If-Match is missing"},
    },
)
async def close(
    request: Request,
    case_id: UUID,
    body: ClosingBody,
    idempotency_key: Annotated[str, Header(description="The same key again has its effect once")],
    caller: Caller = Depends(Requires("case.close")),
) -> Response:
    """End a case with the outcome its reporters read by receipt. Needs `If-Match` and `Idempotency-Key`."""
    version = required_version(request)
    service, outcome = request.app.state.service, Outcome(body.outcome)
    claim = closing.closing_claim(service.settings.keys, caller, case_id, version, outcome, idempotency_key)
    async with db.begin(service.engine) as conn:
        await closing.close_case(
            conn, request.app.state.basis, caller, case_id, outcome, version=version, claim=claim, now=clock.now()
        )
    return await _answer(request, caller, case_id)


async def _answer(request: Request, caller: Caller, case_id: UUID) -> Response:
    async with db.begin(request.app.state.service.engine) as conn:
        full = await queries.get_case(conn, caller, case_id)
    if full is None:
        raise NotFound("没有这个案件，或不在您的权限内。 No such case within your reach.", code="case-not-found")
    return ORJSONResponse(
        request.app.state.present.case_full(full, clock.now()), headers={"etag": etag(full.case.version)}
    )
