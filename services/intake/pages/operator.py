"""The operator's form (hotline, visit, letter) and what became of what one brought in (D-E4)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from services.intake import queries
from services.intake.commands import reports
from services.intake.commands import tips as commands
from services.intake.commands.reports import Contact
from services.intake.domain.questions import catalogue
from services.intake.queries.told import brought_page
from services.intake.schemas.conversation import ContactIn
from services.intake.schemas.tips import TipBody, TipIn
from shared.kit import clock, db
from shared.kit.access import Caller, Requires
from shared.kit.ids import new_id
from shared.kit.problem import Forbidden, Problem, invalid_input
from shared.kit.service import Service
from shared.web.forms import Form, read_form
from shared.web.render import page, told

router = APIRouter()

CHANNELS = ("hotline", "visit", "letter", "operator")
_OWN_CHANNEL = {"liaison": "liaison", "patroller": "patrol", "community-worker": "liaison"}


class OperatorForm(Form):
    """What an operator takes down; checked when it becomes a tip, so that nothing typed is lost."""

    channel: str = ""
    text: str = ""
    area: str = ""
    place: str = ""
    external_ref: str = ""
    signs: tuple[str, ...] = ()
    named: str = ""
    name: str = ""
    phone: str = ""
    address: str = ""


@router.get("/operator")
async def form(request: Request, caller: Caller = Depends(Requires("tip.submit"))) -> HTMLResponse:
    """An empty form, the cursor in its first field."""
    return _form(request, caller)


@router.post("/operator")
async def take_down(request: Request, caller: Caller = Depends(Requires("tip.submit"))) -> HTMLResponse:
    """Record the tip and show its receipt to read aloud and to print, once."""
    service: Service = request.app.state.service
    sent = await read_form(request, OperatorForm)
    try:
        contact = Contact(sent.name, sent.phone, sent.address) if sent.named == "yes" else Contact()
        ContactIn(name=contact.name, phone=contact.phone, address=contact.address)
        body = TipIn.model_validate(
            {
                "plan": caller.plan or "",
                "channel": sent.channel,
                "text": sent.text,
                "area": sent.area or None,
                "place": sent.place or None,
                "external_ref": sent.external_ref or None,
            }
        )
        if sent.channel not in _channels(caller):
            raise Forbidden("您的岗位不能以这个渠道登记；未保存。 Your post cannot take this channel; nothing was kept.")
        draft = reports.draft_report(
            service,
            caller,
            TipBody.model_validate(body.model_dump(exclude={"plan", "channel"})),
            plan=commands.plan_of(service, body.plan),
            channel=body.channel,
            key=str(sent.idempotency_key),
            ticked=sent.signs,
        )
        taken = await commands.submit(request.app.state.tips, draft)
        if contact:
            async with db.begin(service.engine) as conn:
                await reports.keep_contact(conn, service, caller, taken.row["id"], contact, clock.now())
    except ValidationError as error:
        return _form(request, caller, sent, invalid_input(error))
    except Problem as problem:
        return _form(request, caller, sent, problem)
    return page(
        request,
        "operator_done.html",
        {
            "receipt": taken.receipt,
            "tip": taken.row,
            "next": queries.next_words(service, taken.row),
            "contact_kept": bool(contact),
        },
        service="intake",
        caller=caller,
    )


def _channels(caller: Caller) -> tuple[str, ...]:
    """The channels a caller takes down: liaison persons and patrols have one of their own."""
    own = tuple(dict.fromkeys(_OWN_CHANNEL[post] for post in caller.posts if post in _OWN_CHANNEL))
    return own or CHANNELS


def _form(
    request: Request, caller: Caller, sent: OperatorForm | None = None, problem: Problem | None = None
) -> HTMLResponse:
    service: Service = request.app.state.service
    errors: list[dict[str, Any]] = problem.extras.get("errors", []) if problem else []
    plan = service.plans.get(caller.plan or "")
    own = caller.areas[0] if len(caller.areas) == 1 else ""
    return page(
        request,
        "operator.html",
        {
            "sent": sent or OperatorForm(idempotency_key=new_id(), area=own),
            "channels": _channels(caller),
            "communities": plan.communities if plan else (),
            "kinds": catalogue().kinds,
            "wrong": [error["field"] for error in errors],
            "problem": told(request, problem) if problem and not errors else None,
        },
        service="intake",
        caller=caller,
        status=int(problem.status) if problem else 200,
    )


@router.get("/brought")
async def brought(
    request: Request,
    caller: Caller = Depends(Requires("tip.submit")),
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> HTMLResponse:
    """What became of the tips that the caller in person brought in, in plain words."""
    rows, following = await brought_page(request.app.state.service, caller, cursor, 30)
    return page(request, "brought.html", {"rows": rows, "next": following}, service="intake", caller=caller)
