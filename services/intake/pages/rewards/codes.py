"""Lost claim codes on pages: the reporter's request by receipt, and the two persons' decision."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from services.intake import queries
from services.intake.commands.rewards import reissue
from services.intake.commands.rewards.asking import asked
from services.intake.domain.rewards.codes import spaced
from services.intake.pages.rewards.reporters import ReceiptForm, show
from shared.kit import clock, db
from shared.kit.access import Caller, Public, Requires
from shared.kit.problem import Problem
from shared.kit.service import Service
from shared.web.forms import VersionedForm, read_form, see_other

router = APIRouter()


class CodeForm(VersionedForm):
    decision: Literal["agree", "refuse"]


@router.post(
    "/reward/code", dependencies=[Depends(Public("the receipt is the right; a reward is collected without a name"))]
)
async def ask(request: Request) -> HTMLResponse:
    """Ask for a new code, or see it once two persons have agreed."""
    service: Service = request.app.state.service
    sent = await read_form(request, ReceiptForm)
    try:
        tip = await queries.tip_by_receipt(service, request.app.state.receipt_misses, sent.receipt)
        async with db.begin(service.engine) as conn:
            done = await reissue.ask(conn, service, tip, str(sent.idempotency_key), clock.now())
    except Problem as problem:
        return show(request, problem=problem)
    if done.code:
        return show(request, code=spaced(done.code), receipt=sent.receipt)
    return show(request, asked=done.state.value, receipt=sent.receipt)


@router.post("/rewards/codes/{request_id}")
async def decide(request: Request, request_id: UUID, caller: Caller = Depends(Requires("reward.read"))) -> Response:
    """Agree or refuse, from the desk of rewards."""
    service: Service = request.app.state.service
    sent = await read_form(request, CodeForm)
    key = str(sent.idempotency_key)
    used = asked(service.settings.keys, caller, "reward-code", key, (request_id, sent.version, sent.decision), request_id)
    async with db.begin(service.engine) as conn:
        await reissue.decide(
            conn, service, caller, request_id, sent.decision, version=sent.version, claim=used, now=clock.now()
        )
    return see_other(request, "/rewards", done="saved")
