"""JSON routes of joint operations: who is named, forces, roll-call, results from the scene and their sums.

Opening an operation and its steps are those of every proceeding (`/v1/proceedings`, kind `operation`).
"""

from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.casework.api.parts import basis_of, claim
from services.casework.commands import operations as commands
from services.casework.commands.operations import Force, Named, Result
from services.casework.commands.operations.common import no_operation
from services.casework.queries.operations import entries_of, get_operation, list_operations
from services.casework.schemas.operations import (
    EntriesOut,
    EntryIn,
    ForceIn,
    MemberIn,
    OperationFullOut,
    OperationOut,
    PresenceIn,
)
from services.casework.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.ids import new_id
from shared.kit.pagination import Page
from shared.kit.problem import BadRequest
from shared.kit.web import ORJSONResponse

router = APIRouter(prefix="/operations", tags=["operations"])

_REFUSED = {
    403: {"description": "Another agency's to do"},
    404: {"description": "No such operation that the caller may know of"},
    409: {"description": "Not possible now, or the key was used for another request"},
    422: {"description": "Fields are missing or wrong"},
}
_CHANGED = _REFUSED | {
    412: {"description": "It changed since; `changes` says what"},
    428: {"description": "If-Match is missing"},
}


@router.get("", response_model=Page[OperationOut], summary="Joint operations I may know of, newest first")
async def listed(
    request: Request,
    caller: Caller = Depends(Requires("operation.read")),
    ended: bool | None = None,
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """Before its hour an operation stands here only for those named in it."""
    now = clock.now()
    after = pagination.decode(cursor, (UUID,))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await list_operations(conn, caller, ended=ended, after=after[0] if after else None, limit=limit)
    shown, following = pagination.page(found, limit, lambda line: (line.row.id,))
    present = request.app.state.operations
    return ORJSONResponse({"items": [present.out(line, now) for line in shown], "next": following})


@router.get("/{operation_id}", response_model=OperationFullOut, responses=_REFUSED, summary="One joint operation")
async def one(
    request: Request, operation_id: UUID, caller: Caller = Depends(Requires("operation.read"))
) -> Response:
    """Forces with who is missing, results and sums; the reading is recorded."""
    return await answer(request, caller, operation_id)


@router.get(
    "/{operation_id}/entries", response_model=EntriesOut, responses=_REFUSED, summary="The entries behind a figure"
)
async def entries(
    request: Request,
    operation_id: UUID,
    caller: Caller = Depends(Requires("operation.read")),
    figure: str | None = Query(None, max_length=40, description="A name of `figures`; without one: all entries"),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """What a figure is the sum of: each standing entry with time, place and force."""
    now = clock.now()
    after = pagination.decode(cursor, (UUID,))
    async with db.begin(request.app.state.service.engine) as conn:
        full = await get_operation(conn, caller, operation_id)
        if full is None:
            raise no_operation()
        try:
            found = await entries_of(
                conn, operation_id, figure=figure, after=after[0] if after else None, limit=limit + 1
            )
        except KeyError as error:
            raise BadRequest(f"没有这个数字：{figure}。 There is no such figure.", code="unknown-figure") from error
        await audit.record(conn, kit, caller, "operation.read", "proceeding", [operation_id], now, figure=figure)
    shown, following = pagination.page(list(found), limit, lambda entry: (entry.id,))
    present = request.app.state.operations
    return ORJSONResponse({"items": [present.entry(caller, full.row, entry) for entry in shown], "next": following})


@router.post(
    "/{operation_id}/members", status_code=201, response_model=OperationFullOut, responses=_REFUSED,
    summary="Let somebody into an operation (知情范围)",
)  # fmt: skip
async def name_member(
    request: Request, operation_id: UUID, body: MemberIn, caller: Caller = Depends(Requires("operation.act"))
) -> Response:
    """By the agency that plans it: an agency, a unit of it, a post, or one account. Needs `Idempotency-Key`."""
    made = claim(request, caller, "operation.name", (operation_id, body.model_dump()), new_id())
    wanted = Named(**{name: value or None for name, value in body.model_dump().items()})
    async with db.begin(request.app.state.service.engine) as conn:
        await commands.name_member(conn, basis_of(request), caller, operation_id, wanted, claim=made, now=clock.now())
    return await answer(request, caller, operation_id, status=201)


@router.delete(
    "/{operation_id}/members/{member_id}", response_model=OperationFullOut, responses=_REFUSED,
    summary="Take somebody out of an operation again",
)  # fmt: skip
async def strike_member(
    request: Request, operation_id: UUID, member_id: UUID, caller: Caller = Depends(Requires("operation.act"))
) -> Response:
    """The one who planned it stays. Needs `Idempotency-Key`."""
    made = claim(request, caller, "operation.strike", (operation_id, member_id), member_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await commands.strike_member(conn, caller, operation_id, member_id, claim=made, now=clock.now())
    return await answer(request, caller, operation_id)


@router.post(
    "/{operation_id}/forces", status_code=201, response_model=OperationFullOut, responses=_REFUSED, summary="Add a force"
)  # fmt: skip
async def add_force(
    request: Request, operation_id: UUID, body: ForceIn, caller: Caller = Depends(Requires("operation.act"))
) -> Response:
    """Its unit is thereby let into the operation. Needs `Idempotency-Key`."""
    made = claim(request, caller, "operation.force", (operation_id, body.model_dump()), new_id())
    async with db.begin(request.app.state.service.engine) as conn:
        await commands.add_force(
            conn, basis_of(request), caller, operation_id, _force(body), claim=made, now=clock.now()
        )
    return await answer(request, caller, operation_id, status=201)


@router.put(
    "/{operation_id}/forces/{force_id}", response_model=OperationFullOut, responses=_CHANGED, summary="Change a force"
)
async def change_force(
    request: Request, operation_id: UUID, force_id: UUID, body: ForceIn,
    caller: Caller = Depends(Requires("operation.act")),
) -> Response:  # fmt: skip
    """Needs `If-Match` (the force's version) and `Idempotency-Key`."""
    version = required_version(request)
    made = claim(request, caller, "operation.force.change", (force_id, version, body.model_dump()), force_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await commands.change_force(
            conn, basis_of(request), caller, operation_id, force_id, _force(body), version=version, claim=made,
            now=clock.now(),
        )  # fmt: skip
    return await answer(request, caller, operation_id)


@router.delete(
    "/{operation_id}/forces/{force_id}", response_model=OperationFullOut, responses=_CHANGED, summary="Withdraw a force"
)
async def withdraw_force(
    request: Request, operation_id: UUID, force_id: UUID, caller: Caller = Depends(Requires("operation.act"))
) -> Response:
    """Needs `If-Match` (the force's version) and `Idempotency-Key`."""
    version = required_version(request)
    made = claim(request, caller, "operation.force.withdraw", (force_id, version), force_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await commands.withdraw_force(
            conn, caller, operation_id, force_id, version=version, claim=made, now=clock.now()
        )
    return await answer(request, caller, operation_id)


@router.post(
    "/{operation_id}/presence", response_model=OperationFullOut, responses=_REFUSED, summary="Answer the roll-call (点名)"
)
async def presence(
    request: Request, operation_id: UUID, body: PresenceIn, caller: Caller = Depends(Requires("operation.act"))
) -> Response:
    """For my unit's force, from two hours before the meeting; a later word replaces mine. Needs `Idempotency-Key`."""
    made = claim(request, caller, "operation.presence", (operation_id, body.model_dump()), body.force_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await commands.confirm_presence(
            conn, caller, operation_id, body.force_id, body.people, claim=made, now=clock.now()
        )
    return await answer(request, caller, operation_id)


@router.post(
    "/{operation_id}/entries", status_code=201, response_model=OperationFullOut, responses=_REFUSED,
    summary="Enter a result from the scene",
)  # fmt: skip
async def add_entry(
    request: Request, operation_id: UUID, body: EntryIn, caller: Caller = Depends(Requires("operation.act"))
) -> Response:
    """A phone without a network sends again with the same `Idempotency-Key`: the entry stands once."""
    made = claim(request, caller, "operation.entry", (operation_id, body.model_dump()), new_id())
    wanted = Result(**body.model_dump() | {"person_ids": tuple(body.person_ids)})
    async with db.begin(request.app.state.service.engine) as conn:
        await commands.add_entry(conn, basis_of(request), caller, operation_id, wanted, claim=made, now=clock.now())
    return await answer(request, caller, operation_id, status=201)


@router.post(
    "/{operation_id}/entries/{entry_id}/withdrawal", response_model=OperationFullOut, responses=_REFUSED,
    summary="Take a wrong entry out of the figures",
)  # fmt: skip
async def withdraw_entry(
    request: Request, operation_id: UUID, entry_id: UUID, caller: Caller = Depends(Requires("operation.act"))
) -> Response:
    """It stays on record as withdrawn. Needs `Idempotency-Key`."""
    made = claim(request, caller, "operation.entry.withdraw", (operation_id, entry_id), entry_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await commands.withdraw_entry(conn, caller, operation_id, entry_id, claim=made, now=clock.now())
    return await answer(request, caller, operation_id)


async def answer(request: Request, caller: Caller, operation_id: UUID, *, status: int = 200) -> Response:
    """One operation as JSON; the ETag is the version that its steps ask for."""
    async with db.begin(request.app.state.service.engine) as conn:
        shown = await commands.read_operation(
            conn, request.app.state.operations, caller, operation_id, clock.now()
        )
    return ORJSONResponse(shown, status_code=status, headers={"etag": etag(int(shown["version"]))})


def _force(body: ForceIn) -> Force:
    return Force(body.agency, body.unit or None, body.people, body.vehicles, body.task, body.meeting_point)
