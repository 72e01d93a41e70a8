"""JSON routes of proceedings: the procedures there are, opening one, reading it, taking its steps."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.casework.commands.basis import Basis
from services.casework.commands.proceedings import Wanted, open_proceeding, read_proceeding, take_step
from services.casework.queries.proceedings import Narrowed, list_proceedings
from services.casework.schemas.proceedings import (
    Category,
    ProceduresOut,
    ProceedingFullOut,
    ProceedingIn,
    ProceedingOut,
    StepIn,
)
from shared.kit import clock, db, idempotency, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.ids import new_id
from shared.kit.pagination import Page
from shared.kit.web import ORJSONResponse
from shared.rules.calendar import local_day

router = APIRouter(tags=["proceedings"])

Key = Annotated[str, Header(description="The same key again has its effect once")]
_CHANGED = {
    403: {"description": "Another side's step, or an approval the post cannot give"},
    404: {"description": "Not within reach"},
    409: {"description": "Not possible now, papers missing, a rule against it, or the key was used for another request"},
    412: {"description": "It changed since; `changes` says what"},
    422: {"description": "Fields are missing or wrong; `fields` says which"},
    428: {"description": "If-Match is missing"},
}


@router.get("/procedures", response_model=ProceduresOut, summary="Kinds of proceedings, with their steps and the law")
async def procedures(
    request: Request, caller: Caller = Depends(Requires("proceeding.read")), category: Category | None = None
) -> Response:
    """The tables in force today: states, steps, whose each is, by which article, with which fields and documents."""
    basis: Basis = request.app.state.basis
    plan, day = basis.plan(caller.plan or next(iter(basis.plans))), local_day(clock.now())
    present = request.app.state.proceedings
    return ORJSONResponse(
        {
            "items": [
                present.procedure_out(plan, one, day)
                for one in basis.procedures.by_id.values()
                if category is None or one.group == category
            ]
        }
    )


@router.get("/proceedings", response_model=Page[ProceedingOut], summary="Proceedings in my reach, newest first")
async def listed(
    request: Request,
    caller: Caller = Depends(Requires("proceeding.read")),
    kind: str | None = Query(None, max_length=48),
    category: Category | None = None,
    state: str | None = Query(None, max_length=48),
    case_id: UUID | None = None,
    waiting: bool = Query(False, description="Only those waiting for my agency"),
    late: bool = Query(False, description="Only those with a clock past due"),
    ended: bool | None = None,
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """One page of proceedings with their clocks; what stands in them is read one at a time."""
    now = clock.now()
    narrowed = Narrowed(kind, category, state, case_id, waiting, late, ended)
    async with db.begin(request.app.state.service.engine) as conn:
        found = await list_proceedings(
            conn, caller, narrowed, after=pagination.decode(cursor, (UUID,)), limit=limit
        )
    shown, following = pagination.page(found, limit, lambda full: (full.row.id,))
    present = request.app.state.proceedings
    return ORJSONResponse({"items": [present.out(full, now) for full in shown], "next": following})


@router.post(
    "/cases/{case_id}/proceedings", status_code=201, response_model=ProceedingFullOut, responses=_CHANGED,
    summary="Open a proceeding in a case",
)  # fmt: skip
async def open_in_case(
    request: Request,
    case_id: UUID,
    body: ProceedingIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("proceeding.act")),
) -> Response:
    """Open a track, transfer, request, measure, penalty, … for my agency, as its table asks."""
    return await _open(request, caller, case_id, body, idempotency_key)


@router.post(
    "/proceedings", status_code=201, response_model=ProceedingFullOut, responses=_CHANGED,
    summary="Open a proceeding that belongs to no case",
)  # fmt: skip
async def open_alone(
    request: Request, body: ProceedingIn, idempotency_key: Key, caller: Caller = Depends(Requires("proceeding.act"))
) -> Response:
    """Operations, incidents and inspections may stand alone; other kinds answer that they need a case."""
    return await _open(request, caller, None, body, idempotency_key)


async def _open(request: Request, caller: Caller, case_id: UUID | None, body: ProceedingIn, key: str) -> Response:
    service, basis = request.app.state.service, request.app.state.basis
    asked = f"{case_id}\n{body.model_dump_json()}".encode()
    claim = idempotency.claim(
        service.settings.keys, caller, "proceeding.open", idempotency.check_key(key), asked, new_id()
    )
    to = body.counterpart
    wanted = Wanted(
        body.kind, case_id, (to.agency, to.unit) if to else None, body.parent_id, body.area, body.values
    )
    async with db.begin(service.engine) as conn:
        made = await open_proceeding(conn, basis, caller, wanted, claim=claim, now=clock.now())
    return await answer(request, caller, made, status=201)


@router.get("/proceedings/{proceeding_id}", response_model=ProceedingFullOut, summary="One proceeding; its ETag")
async def one(
    request: Request, proceeding_id: UUID, caller: Caller = Depends(Requires("proceeding.read"))
) -> Response:
    """State, sides, clocks, facts, history, and the steps that can be taken now; the reading is recorded."""
    return await answer(request, caller, proceeding_id)


@router.post(
    "/proceedings/{proceeding_id}/steps/{step}", response_model=ProceedingFullOut, responses=_CHANGED,
    summary="Take a step",
)  # fmt: skip
async def step(
    request: Request,
    proceeding_id: UUID,
    step: str,
    body: StepIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("proceeding.act")),
) -> Response:
    """Take one of the steps that `GET` lists. Needs `If-Match` (the ETag read) and `Idempotency-Key`."""
    version = required_version(request)
    service, basis = request.app.state.service, request.app.state.basis
    asked = f"{proceeding_id}:{version}:{step}\n{body.model_dump_json()}".encode()
    claim = idempotency.claim(
        service.settings.keys, caller, "proceeding.step", idempotency.check_key(idempotency_key), asked, proceeding_id
    )
    async with db.begin(service.engine) as conn:
        await take_step(
            conn, basis, caller, proceeding_id, step, body.values, version=version, claim=claim, now=clock.now()
        )
    return await answer(request, caller, proceeding_id)


async def answer(request: Request, caller: Caller, proceeding_id: UUID, *, status: int = 200) -> Response:
    """One proceeding as JSON, under its ETag."""
    async with db.begin(request.app.state.service.engine) as conn:
        shown = await read_proceeding(conn, request.app.state.proceedings, caller, proceeding_id, clock.now())
    return ORJSONResponse(shown, status_code=status, headers={"etag": etag(shown["version"])})
