"""What a reporter does by receipt: read where it stands, answer, add, contest, rate. The receipt never stands in an address."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake import queries
from services.intake.commands import conversation as commands
from services.intake.commands import reports
from services.intake.commands.reports import Contact
from services.intake.domain.conversation import LONGEST_MESSAGE
from services.intake.queries import contacts
from services.intake.queries import conversation as shown
from services.intake.queries.told import receipt_full
from services.intake.schemas.conversation import AddedIn, ContactIn, ContestIn, RatingIn, ReceiptFull
from shared.kit import clock, db
from shared.kit.access import ANONYMOUS, Public
from shared.kit.ids import new_id
from shared.kit.problem import Invalid, Problem, invalid_input
from shared.kit.service import Service
from shared.web.forms import Form, read_form
from shared.web.i18n import N_
from shared.web.render import page, told

router = APIRouter()

_BY_RECEIPT = Public("the receipt is the right; it is never part of an address", reads_caller=False)

DONE = {
    "added": N_("Thank you. What you wrote is kept, and whoever works on it sees it."),
    "urgent": N_("Thank you. It went to the police at once."),
    "contested": N_("Your objection is kept. Another person looks a second time."),
    "rated": N_("Thank you for rating it."),
    "contact": N_("Your contact is sealed apart from your report."),
}
_WRONG = N_("Please look at what you wrote once more: it may be empty or too long. Nothing else was changed.")


class ReceiptForm(Form):
    """A typed receipt, and what is done by it."""

    receipt: str = ""
    text: str = ""
    stars: str = ""
    name: str = ""
    phone: str = ""
    address: str = ""


@router.get("/receipt", dependencies=[Depends(_BY_RECEIPT)])
async def ask(request: Request) -> HTMLResponse:
    """Where a receipt is typed; it is sent in the body, never in an address."""
    return _page(request)


@router.post("/receipt", dependencies=[Depends(_BY_RECEIPT)])
async def follow(request: Request) -> HTMLResponse:
    """How the tip stands, in plain words."""
    return await _done(request, None)


@router.post("/receipt/messages", dependencies=[Depends(_BY_RECEIPT)])
async def add(request: Request) -> HTMLResponse:
    """Answer or add."""

    async def work(conn: AsyncConnection, service: Service, tip: Any, sent: ReceiptForm) -> str:
        AddedIn(receipt="", text=sent.text)
        key = str(sent.idempotency_key)
        _, urgent = await commands.add_fact(conn, service, tip.id, sent.text, clock.now(), key=key)
        return "urgent" if urgent else "added"

    return await _done(request, work)


@router.post("/receipt/contests", dependencies=[Depends(_BY_RECEIPT)])
async def contest(request: Request) -> HTMLResponse:
    """Contest the outcome."""

    async def work(conn: AsyncConnection, service: Service, tip: Any, sent: ReceiptForm) -> str:
        ContestIn(receipt="", text=sent.text)
        await commands.contest(conn, service, tip.id, sent.text, clock.now(), key=str(sent.idempotency_key))
        return "contested"

    return await _done(request, work)


@router.post("/receipt/ratings", dependencies=[Depends(_BY_RECEIPT)])
async def rate(request: Request) -> HTMLResponse:
    """Rate the outcome."""

    async def work(conn: AsyncConnection, service: Service, tip: Any, sent: ReceiptForm) -> str:
        rating = RatingIn.model_validate({"receipt": "", "stars": sent.stars or 0, "text": sent.text})
        key = str(sent.idempotency_key)
        await commands.rate(conn, service, tip.id, rating.stars, rating.text, clock.now(), key=key)
        return "rated"

    return await _done(request, work)


@router.post("/receipt/contact", dependencies=[Depends(_BY_RECEIPT)])
async def leave_contact(request: Request) -> HTMLResponse:
    """Leave a contact after all."""

    async def work(conn: AsyncConnection, service: Service, tip: Any, sent: ReceiptForm) -> str:
        given = ContactIn(name=sent.name, phone=sent.phone, address=sent.address)
        contact = Contact(given.name, given.phone, given.address)
        if not contact:
            raise Invalid("请至少填写一项。 Fill in at least one of them.")
        await reports.keep_contact(conn, service, ANONYMOUS, tip.id, contact, clock.now())
        return "contact"

    return await _done(request, work)


Work = Callable[[AsyncConnection, Service, Any, ReceiptForm], Awaitable[str]]


async def _done(request: Request, work: Work | None) -> HTMLResponse:
    """Do something by receipt and show where the tip stands then; what went wrong is said, what was typed stays."""
    service: Service = request.app.state.service
    sent = await read_form(request, ReceiptForm)
    try:
        tip = await queries.tip_by_receipt(service, request.app.state.receipt_misses, sent.receipt)
    except Problem as problem:
        return _page(request, problem=problem, typed=sent.receipt if problem.status == 422 else "")
    done, wrong = "", None
    if work is not None:
        try:
            async with db.begin(service.engine) as conn:
                done = await work(conn, service, tip, sent)
        except ValidationError as error:
            wrong = invalid_input(error)
        except Problem as problem:
            wrong = problem
    async with db.begin(service.engine) as conn:
        tip = await shown.tip_row(conn, tip.id)
        full = await receipt_full(conn, service, tip, named=await contacts.named(conn, tip.id))
        await shown.mark_read(conn, tip.id, "officer", clock.now())
    return _page(request, tip=tip._mapping, full=full, sent=sent, done=done, problem=wrong)


def _page(
    request: Request,
    *,
    tip: Any = None,
    full: ReceiptFull | None = None,
    sent: ReceiptForm | None = None,
    done: str = "",
    problem: Problem | None = None,
    typed: str = "",
) -> HTMLResponse:
    return page(
        request,
        "receipt.html",
        {
            "tip": tip,
            "full": full,
            "receipt": sent.receipt if sent and full else "",
            "kept": sent.text if sent and problem else "",
            "done": DONE.get(done),
            "wrong": _WRONG if problem and full and problem.status == 422 else None,
            "problem": told(request, problem) if problem else None,
            "typed": typed,
            "key": str(new_id()),
            "longest": LONGEST_MESSAGE,
        },
        service="intake",
        public=True,
        status=int(problem.status) if problem else 200,
    )
