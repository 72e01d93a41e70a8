"""JSON routes beside proceedings: items of a measure, instalments and payments of a penalty, measures that lapse soon."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.casework.api.proceedings import answer
from services.casework.commands import measures, penalties
from services.casework.commands.basis import Basis
from services.casework.domain.measures import Part, fen
from services.casework.queries.measures import lapsing
from services.casework.queries.measures_present import lapsing_out, warning_days
from services.casework.schemas.measures import InstalmentsIn, ItemIn, ItemsIn, LapsingPage, OutcomeIn, PaymentIn
from services.casework.schemas.proceedings import ProceedingFullOut
from shared.kit import clock, db, idempotency
from shared.kit.access import Caller, Requires
from shared.kit.etag import required_version
from shared.kit.idempotency import Claim
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["measures and penalties"])

Key = Annotated[str, Header(description="The same key again has its effect once")]
_CHANGED: dict[int | str, dict[str, Any]] = {
    403: {"description": "Another side's"},
    404: {"description": "Not within reach"},
    409: {"description": "Not possible now, a rule against it, or the key was used for another request"},
    412: {"description": "It changed since; `changes` says what"},
    422: {"description": "Fields are missing or wrong"},
    428: {"description": "If-Match is missing"},
}


def claim_of(request: Request, caller: Caller, operation: str, proceeding_id: UUID, version: int, body: str, key: str) -> Claim:
    """The request's key for this content."""
    asked = f"{proceeding_id}:{version}\n{body}".encode()
    keys = request.app.state.service.settings.keys
    return idempotency.claim(keys, caller, operation, idempotency.check_key(key), asked, proceeding_id)


def new_item(one: ItemIn) -> measures.NewItem:
    """An item as the command takes it."""
    return measures.NewItem(**one.model_dump(exclude={"value"}), value=None if one.value is None else fen(one.value))


@router.get("/measures/lapsing", response_model=LapsingPage, summary="Measures that lapse soon, the first first")
async def lapsing_soon(
    request: Request,
    caller: Caller = Depends(Requires("proceeding.read")),
    days: int | None = Query(None, ge=0, le=60, description="Within so many days; without it the plan's"),
) -> Response:
    """Seals, seizures, kept evidence and freezes in my reach whose period ends within so many days."""
    basis: Basis = request.app.state.basis
    now = clock.now()
    within, rule = (days, None) if days is not None else warning_days(basis, caller, now)
    async with db.begin(request.app.state.service.engine) as conn:
        found = await lapsing(conn, caller, now, within)
    return ORJSONResponse({"days": within, "rule": rule, "items": [lapsing_out(basis, one, now) for one in found]})


@router.post(
    "/proceedings/{proceeding_id}/items", status_code=201, response_model=ProceedingFullOut, responses=_CHANGED,
    summary="Put items on a measure's list",
)  # fmt: skip
async def add_items(
    request: Request,
    proceeding_id: UUID,
    body: ItemsIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("proceeding.act")),
) -> Response:
    """Until the list is handed over. Needs `If-Match` (the proceeding's ETag) and `Idempotency-Key`."""
    version, basis = required_version(request), request.app.state.basis
    claim = claim_of(request, caller, "measure.items", proceeding_id, version, body.model_dump_json(), idempotency_key)
    async with db.begin(request.app.state.service.engine) as conn:
        await measures.list_items(
            conn, basis, caller, proceeding_id, [new_item(one) for one in body.items], version=version, claim=claim,
            now=clock.now(),
        )  # fmt: skip
    return await answer(request, caller, proceeding_id, status=201)


@router.post(
    "/proceedings/{proceeding_id}/items/outcomes", response_model=ProceedingFullOut, responses=_CHANGED,
    summary="Account for items of a measure",
)  # fmt: skip
async def end_items(
    request: Request,
    proceeding_id: UUID,
    body: OutcomeIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("proceeding.act")),
) -> Response:
    """Returned after a lifting; confiscated, destroyed or handed over only as it was decided."""
    version, basis = required_version(request), request.app.state.basis
    claim = claim_of(request, caller, "measure.outcomes", proceeding_id, version, body.model_dump_json(), idempotency_key)
    async with db.begin(request.app.state.service.engine) as conn:
        await measures.end_items(
            conn, basis, caller, proceeding_id, body.items, body.outcome, body.on, body.receipt, version=version,
            claim=claim, now=clock.now(),
        )  # fmt: skip
    return await answer(request, caller, proceeding_id)


@router.put(
    "/proceedings/{proceeding_id}/instalments", response_model=ProceedingFullOut, responses=_CHANGED,
    summary="Draw up the instalments of a penalty",
)  # fmt: skip
async def draw_up(
    request: Request,
    proceeding_id: UUID,
    body: InstalmentsIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("proceeding.act")),
) -> Response:
    """The head approves them by the step `instalments`; then they stand."""
    version, basis = required_version(request), request.app.state.basis
    claim = claim_of(request, caller, "penalty.instalments", proceeding_id, version, body.model_dump_json(), idempotency_key)
    parts = [Part(one.due_on, fen(one.amount)) for one in body.instalments]
    async with db.begin(request.app.state.service.engine) as conn:
        await penalties.plan_instalments(
            conn, basis, caller, proceeding_id, parts, version=version, claim=claim, now=clock.now()
        )
    return await answer(request, caller, proceeding_id)


@router.post(
    "/proceedings/{proceeding_id}/payments", status_code=201, response_model=ProceedingFullOut, responses=_CHANGED,
    summary="Record a payment",
)  # fmt: skip
async def pay(
    request: Request,
    proceeding_id: UUID,
    body: PaymentIn,
    idempotency_key: Key,
    caller: Caller = Depends(Requires("proceeding.act")),
) -> Response:
    """By the party or by the court's enforcement; more than is owed is refused."""
    version, basis = required_version(request), request.app.state.basis
    claim = claim_of(request, caller, "penalty.payment", proceeding_id, version, body.model_dump_json(), idempotency_key)
    async with db.begin(request.app.state.service.engine) as conn:
        await penalties.record_payment(
            conn, basis, caller, proceeding_id, body.paid_on, fen(body.amount), body.way, body.receipt, version=version,
            claim=claim, now=clock.now(),
        )  # fmt: skip
    return await answer(request, caller, proceeding_id, status=201)
