"""Following a tip by its receipt: how it stands, what was asked, answering, contesting, rating."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.intake import queries
from services.intake.commands import conversation as commands
from services.intake.commands import reports
from services.intake.commands.reports import Contact
from services.intake.queries import contacts
from services.intake.queries import conversation as shown
from services.intake.queries.told import receipt_full
from services.intake.schemas.conversation import (
    AddedIn,
    AddedOut,
    ContactByReceiptIn,
    ContestIn,
    MadeOut,
    RatingIn,
    ReceiptFull,
)
from services.intake.schemas.tips import ReceiptIn
from shared.kit import clock, db
from shared.kit.access import ANONYMOUS, Caller, Public
from shared.kit.problem import Conflict, Invalid
from shared.kit.service import Service
from shared.kit.web import ORJSONResponse

router = APIRouter(prefix="/receipts", tags=["receipts"])

_BY_RECEIPT = Public("the receipt is the right; it is never part of an address", reads_caller=False)


async def _tip(request: Request, receipt: str) -> Any:
    return await queries.tip_by_receipt(request.app.state.service, request.app.state.receipt_misses, receipt)


@router.post("", response_model=ReceiptFull, summary="Follow a tip by its receipt")
async def follow(request: Request, body: ReceiptIn, _: Caller = Depends(_BY_RECEIPT)) -> Response:
    """How the tip stands and all that was said since; what an agency wrote counts as read. A wrong receipt tells nothing."""
    service: Service = request.app.state.service
    tip = await _tip(request, body.receipt)
    async with db.begin(service.engine) as conn:
        told = await receipt_full(conn, service, tip, named=await contacts.named(conn, tip.id))
        await shown.mark_read(conn, tip.id, "officer", clock.now())
    return ORJSONResponse(told.model_dump())


@router.post("/messages", status_code=201, response_model=AddedOut, summary="Answer or add by receipt")
async def add(request: Request, body: AddedIn, _: Caller = Depends(_BY_RECEIPT)) -> Response:
    """What is added is sealed, read with the report, and goes to the police at once if somebody is held."""
    service: Service = request.app.state.service
    tip = await _tip(request, body.receipt)
    async with db.begin(service.engine) as conn:
        made, urgent = await commands.add_fact(conn, service, tip.id, body.text, clock.now(), key=_key(request))
    return _made(AddedOut(id=made, urgent=urgent))


@router.post("/contests", status_code=201, response_model=MadeOut, summary="Contest an outcome by receipt")
async def contest(request: Request, body: ContestIn, _: Caller = Depends(_BY_RECEIPT)) -> Response:
    """Once per outcome; another person than the one who closed it looks a second time."""
    service: Service = request.app.state.service
    tip = await _tip(request, body.receipt)
    async with db.begin(service.engine) as conn:
        made = await commands.contest(conn, service, tip.id, body.text, clock.now(), key=_key(request))
    return _made(MadeOut(id=made))


@router.post("/ratings", status_code=201, response_model=MadeOut, summary="Rate an outcome by receipt")
async def rate(request: Request, body: RatingIn, _: Caller = Depends(_BY_RECEIPT)) -> Response:
    """Once per outcome, 1 to 5, with words or without."""
    service: Service = request.app.state.service
    tip = await _tip(request, body.receipt)
    async with db.begin(service.engine) as conn:
        made = await commands.rate(conn, service, tip.id, body.stars, body.text, clock.now(), key=_key(request))
    return _made(MadeOut(id=made))


@router.post("/contact", status_code=201, response_model=MadeOut, summary="Leave a contact by receipt")
async def leave_contact(request: Request, body: ContactByReceiptIn, _: Caller = Depends(_BY_RECEIPT)) -> Response:
    """Sealed apart from the report; only two persons together can open it, and you can read that they did."""
    service: Service = request.app.state.service
    tip = await _tip(request, body.receipt)
    contact = Contact(body.name, body.phone, body.address)
    if not contact:
        raise Invalid(
            "请至少填写一项；未保存任何内容。 Fill in at least one of them; nothing was kept.",
            errors=[{"field": "phone", "code": "missing", "message": "name, phone or address"}],
        )
    async with db.begin(service.engine) as conn:
        if not await reports.keep_contact(conn, service, ANONYMOUS, tip.id, contact, clock.now()):
            raise Conflict(
                "这条举报已留过联系方式，原来的有效；要更改请在补充里说明。 A contact is kept already; that one stands.",
                code="contact-kept-before",
            )
    return _made(MadeOut(id=UUID(str(tip.id))))


def _key(request: Request) -> str | None:
    return request.headers.get("idempotency-key")


def _made(answer: AddedOut | MadeOut) -> Response:
    return ORJSONResponse(answer.model_dump(), status_code=201)
