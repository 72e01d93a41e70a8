"""Pages beside proceedings: items of a measure, instalments and payments of a penalty, and what lapses soon."""

from collections.abc import Awaitable, Callable
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands import measures, penalties
from services.casework.commands.proceedings import read_proceeding
from services.casework.domain.measures import Part, fen
from services.casework.domain.penalties import months_after
from services.casework.pages.proceedings import proceeding_page
from services.casework.queries.measures import lapsing
from services.casework.queries.measures_present import lapsing_out, warning_days
from services.casework.schemas.measures import ItemKind, Outcome, Yuan
from shared.kit import clock, db, idempotency
from shared.kit.access import Caller, Requires
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Forbidden, Invalid, Outdated
from shared.rules.law import Text
from shared.web.forms import VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter()


class ItemForm(VersionedForm):
    """One item of the list."""

    kind: ItemKind
    name: str = Field(min_length=1, max_length=200)
    quantity: int = Field(1, ge=1, le=1_000_000)
    unit: str = Field("", max_length=10)
    value: Yuan | None = None
    holder: str = Field("", max_length=100)
    kept_at: str = Field("", max_length=200)
    remarks: str = Field("", max_length=500)


class OutcomeForm(VersionedForm):
    """What became of the ticked items; none ticked: of all still held."""

    items: list[UUID] = Field(default_factory=list, max_length=500)
    outcome: Outcome
    on: date
    receipt: str = Field("", max_length=200)


class InstalmentsForm(VersionedForm):
    """Equal monthly parts of what is still owed."""

    first: date
    parts: int = Field(ge=1, le=60)


class PaymentForm(VersionedForm):
    """A payment."""

    paid_on: date
    amount: Yuan
    way: str = Field("paid", pattern="^(paid|enforced)$")
    receipt: str = Field(min_length=1, max_length=80)


Write = Callable[[AsyncConnection, Claim], Awaitable[None]]


async def _do(request: Request, caller: Caller, proceeding_id: UUID, form: VersionedForm, operation: str, write: Write) -> Response:
    """Write it, and go back to the proceeding; a refusal shows its page with the reason."""
    service = request.app.state.service
    asked = f"{proceeding_id}\n{form.model_dump_json()}".encode()
    claim = idempotency.claim(service.settings.keys, caller, operation, str(form.idempotency_key), asked, proceeding_id)
    try:
        async with db.begin(service.engine) as conn:
            await write(conn, claim)
    except (Outdated, Conflict, Invalid, Forbidden) as refused:
        return await proceeding_page(request, caller, proceeding_id, refused)
    return see_other(request, f"/proceedings/{proceeding_id}", done="step_taken")


@router.post("/proceedings/{proceeding_id}/items")
async def add_item(
    request: Request, proceeding_id: UUID, caller: Caller = Depends(Requires("proceeding.act"))
) -> Response:
    """Put one item on the list."""
    form = await read_form(request, ItemForm)
    words = form.model_dump(exclude={"idempotency_key", "version", "value"})
    item = measures.NewItem(**words, value=None if form.value is None else fen(form.value))

    async def write(conn: AsyncConnection, claim: Claim) -> None:
        await measures.list_items(
            conn, request.app.state.basis, caller, proceeding_id, [item], version=form.version, claim=claim, now=clock.now()
        )

    return await _do(request, caller, proceeding_id, form, "measure.items", write)


@router.post("/proceedings/{proceeding_id}/items/outcomes")
async def end_items(
    request: Request, proceeding_id: UUID, caller: Caller = Depends(Requires("proceeding.act"))
) -> Response:
    """Say what became of items."""
    form = await read_form(request, OutcomeForm)

    async def write(conn: AsyncConnection, claim: Claim) -> None:
        await measures.end_items(
            conn, request.app.state.basis, caller, proceeding_id, form.items, form.outcome, form.on, form.receipt,
            version=form.version, claim=claim, now=clock.now(),
        )  # fmt: skip

    return await _do(request, caller, proceeding_id, form, "measure.outcomes", write)


@router.post("/proceedings/{proceeding_id}/instalments")
async def draw_up(
    request: Request, proceeding_id: UUID, caller: Caller = Depends(Requires("proceeding.act"))
) -> Response:
    """Draw up equal monthly parts of what is owed."""
    form = await read_form(request, InstalmentsForm)
    now = clock.now()
    async with db.begin(request.app.state.service.engine) as conn:
        shown = await read_proceeding(conn, request.app.state.proceedings, caller, proceeding_id, now)
    parts = equal_parts(_owed(shown), form.first, form.parts)

    async def write(conn: AsyncConnection, claim: Claim) -> None:
        await penalties.plan_instalments(
            conn, request.app.state.basis, caller, proceeding_id, parts, version=form.version, claim=claim, now=now
        )

    return await _do(request, caller, proceeding_id, form, "penalty.instalments", write)


@router.post("/proceedings/{proceeding_id}/payments")
async def pay(request: Request, proceeding_id: UUID, caller: Caller = Depends(Requires("proceeding.act"))) -> Response:
    """Record a payment."""
    form = await read_form(request, PaymentForm)

    async def write(conn: AsyncConnection, claim: Claim) -> None:
        await penalties.record_payment(
            conn, request.app.state.basis, caller, proceeding_id, form.paid_on, fen(form.amount), form.way, form.receipt,
            version=form.version, claim=claim, now=clock.now(),
        )  # fmt: skip

    return await _do(request, caller, proceeding_id, form, "penalty.payment", write)


@router.get("/measures/lapsing")
async def lapsing_soon(request: Request, caller: Caller = Depends(Requires("proceeding.read"))) -> HTMLResponse:
    """Measures that end within the plan's days, the first first."""
    now, basis = clock.now(), request.app.state.basis
    days, _ = warning_days(basis, caller, now)
    async with db.begin(request.app.state.service.engine) as conn:
        found = await lapsing(conn, caller, now, days)
    return page(
        request,
        "lapsing.html",
        {"rows": [lapsing_out(basis, one, now) for one in found], "days": days, "text": Text.model_validate},
        service="casework",
        caller=caller,
    )


def _owed(shown: dict[str, Any]) -> Decimal:
    return Decimal(str(shown["facts"].get("due") or 0)) - Decimal(str(shown["beside"].get("paid") or 0))


def equal_parts(owed: Decimal, first: date, parts: int) -> list[Part]:
    """What is owed in equal monthly parts; the last one takes what does not divide."""
    each = (owed / parts).quantize(Decimal("0.01"), ROUND_DOWN)
    amounts = [each] * (parts - 1) + [owed - each * (parts - 1)]
    return [Part(months_after(first, k), fen(amount)) for k, amount in enumerate(amounts) if amount > 0]
