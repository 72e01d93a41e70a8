"""JSON routes of major cases: what is known, beside the plan's bounds, and noting more of it."""

from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.casework.api.parts import basis_of, claim
from services.casework.commands.major import note_by_officer
from services.casework.commands.proceedings.facts import Noted
from services.casework.queries.major import major_of
from services.casework.schemas.supervision import MajorFactsIn, MajorOut
from shared.kit import clock, db
from shared.kit.access import Caller, Requires
from shared.kit.problem import NotFound
from shared.kit.web import ORJSONResponse
from shared.rules.calendar import local_day

router = APIRouter(tags=["major cases"])


@router.get("/cases/{case_id}/major", response_model=MajorOut, summary="Whether a case is major, and its report")
async def read_major(
    request: Request, case_id: UUID, caller: Caller = Depends(Requires("proceeding.read"))
) -> Response:
    """The plan's bounds (assumed ones say so), what is known of each, who said it when, and the report that is due."""
    return await _answer(request, caller, case_id)


@router.post(
    "/cases/{case_id}/major", status_code=201, response_model=MajorOut, summary="Note facts that may make a case major",
    responses={
        403: {"description": "Seen, but not yours to record in"},
        404: {"description": "No such case within reach"},
        409: {"description": "The key was used for another request"},
        422: {"description": "Nothing given, or known in the future"},
    },
)  # fmt: skip
async def note_major(
    request: Request, case_id: UUID, body: MajorFactsIn, caller: Caller = Depends(Requires("proceeding.act"))
) -> Response:
    """The highest known of each counts. From the first bound reached the report is due in the plan's hours, counted
    from `known_at`. Needs `Idempotency-Key`."""
    made = claim(request, caller, "case.facts", (case_id, body.model_dump()), case_id)
    facts = body.model_dump(exclude={"declared", "known_at"})
    noted = Noted(facts, "officer", body.known_at, body.declared, caller.actor, caller.agency)
    async with db.begin(request.app.state.service.engine) as conn:
        await note_by_officer(conn, basis_of(request), caller, case_id, noted, claim=made, now=clock.now())
    return await _answer(request, caller, case_id, status=201)


async def _answer(request: Request, caller: Caller, case_id: UUID, *, status: int = 200) -> Response:
    plan = basis_of(request).plan(caller.plan or "")
    async with db.begin(request.app.state.service.engine) as conn:
        shown = await major_of(conn, caller, case_id, plan, local_day(clock.now()))
    if shown is None:
        raise NotFound("没有这个案件，或不在您的权限内。 No such case within your reach.", code="case-not-found")
    return ORJSONResponse(shown, status_code=status)
