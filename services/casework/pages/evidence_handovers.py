"""Pages on which evidence changes hands: offered from the room, received by number and place, or refused with a reason."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field, StringConstraints

from services.casework.commands.evidence import handovers
from services.casework.commands.evidence.handovers import no_handover
from services.casework.commands.evidence.requests import answered, present, room_of
from services.casework.commands.evidence.room import claim_of, wrong
from services.casework.domain.evidence import HandoverAction
from services.casework.pages.evidence import Text, local
from services.casework.queries import evidence as queries
from services.casework.schemas.evidence import AcceptIn, HandoverIn, RefuseIn, WithdrawIn
from services.casework.tables import evidence_items, kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Requires
from shared.kit.ids import new_id
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter()


class OfferForm(Form):
    """Items as `id:version`, and to whom they go (`agency` or `agency/unit`)."""

    items: list[Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}:\d{1,9}$")]] = Field(default_factory=list)
    to: Text = ""
    purpose: str = ""
    filed_on: str = ""
    note: Text = ""


@router.post("/cases/{case_id}/evidence/handovers")
async def offer(request: Request, case_id: UUID, caller: Caller = Depends(Requires("evidence.manage"))) -> Response:
    """Offer the chosen items; they are the giver's until the receiver accepts."""
    sent = await read_form(request, OfferForm)
    if not sent.items:
        raise wrong("nothing-chosen", "请选择要移交的证据", "Choose what is handed over", "items")
    agency, _, unit = sent.to.partition("/")
    chosen = [one.split(":") for one in sent.items]
    body = HandoverIn.model_validate(
        {
            "items": [{"item_id": item_id, "version": int(version)} for item_id, version in chosen],
            "to_agency": agency,
            "to_unit": unit or None,
            "purpose": sent.purpose,
            "filed_on": local(sent.filed_on) if sent.filed_on else None,
            "note": sent.note,
        }
    )
    room = room_of(request)
    asked = case_id.bytes + body.model_dump_json().encode()
    claim = claim_of(room, caller, "evidence.offer", str(sent.idempotency_key), asked, new_id())
    async with db.begin(room.service.engine) as conn:
        made = await handovers.offer(conn, room, caller, case_id, body, claim, clock.now())
    return see_other(request, f"/evidence/handovers/{made}", done="sent")


@router.get("/evidence/handovers")
async def waiting(request: Request, caller: Caller = Depends(Requires("evidence.receive"))) -> HTMLResponse:
    """What waits for my agency to be received."""
    async with db.begin(room_of(request).service.engine) as conn:
        rows = await queries.waiting(conn, caller)
    shown = [present(request).handover_out(row, ()) for row in rows]
    return page(request, "evidence_waiting.html", {"handovers": shown, "plan": caller.plan}, service="casework", caller=caller)


@router.get("/evidence/handovers/{handover_id}")
async def handover(
    request: Request, handover_id: UUID, caller: Caller = Depends(Requires("evidence.read"))
) -> HTMLResponse:
    """One handing over: its list, both sides, its limit, and the receiver's form."""
    async with db.begin(room_of(request).service.engine) as conn:
        row = await queries.handover(conn, caller, handover_id)
        if row is None:
            raise no_handover()
        query = queries.items().where(
            evidence_items.c.id.in_([UUID(one) for one in row.items]), queries.seen(caller, "evidence.read")
        )
        items = (await conn.execute(query.order_by(evidence_items.c.number))).all()
        await audit.record(conn, kit, caller, "evidence.handover-read", "evidence", row.items, clock.now())
    shown = {
        "one": present(request).handover_out(row, items),
        "plan": row.case_plan,
        "by_me": row.offered_by == caller.actor,
    }
    return page(request, "evidence_handover.html", shown, service="casework", caller=caller)


class AnswerForm(VersionedForm):
    """The receiver's number and place, or the reason of a refusal."""

    receipt: Text = ""
    kept_where: Text = ""
    note: Text = ""
    reason: Text = ""


async def _answer(
    request: Request, caller: Caller, handover_id: UUID, action: HandoverAction, model: type[BaseModel]
) -> Response:
    sent = await read_form(request, AnswerForm)
    told: dict[str, Any] = sent.model_dump(include=set(model.model_fields))
    await answered(request, caller, handover_id, action, sent.version, model.model_validate(told), str(sent.idempotency_key))
    return see_other(request, f"/evidence/handovers/{handover_id}", done="saved")


@router.post("/evidence/handovers/{handover_id}/acceptance")
async def accept(
    request: Request, handover_id: UUID, caller: Caller = Depends(Requires("evidence.receive"))
) -> Response:
    """Receive the items."""
    return await _answer(request, caller, handover_id, HandoverAction.ACCEPT, AcceptIn)


@router.post("/evidence/handovers/{handover_id}/refusal")
async def refuse(
    request: Request, handover_id: UUID, caller: Caller = Depends(Requires("evidence.receive"))
) -> Response:
    """Refuse them with a reason."""
    return await _answer(request, caller, handover_id, HandoverAction.REFUSE, RefuseIn)


@router.post("/evidence/handovers/{handover_id}/withdrawal")
async def withdraw(
    request: Request, handover_id: UUID, caller: Caller = Depends(Requires("evidence.manage"))
) -> Response:
    """Take the offer back."""
    return await _answer(request, caller, handover_id, HandoverAction.WITHDRAW, WithdrawIn)
