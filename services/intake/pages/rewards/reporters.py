"""A reward as its reporter sees it: by receipt in the request's body, without a script, without a name."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from services.intake import queries
from services.intake.commands.rewards import claims
from services.intake.domain.rewards.codes import spaced
from services.intake.queries import rewards as seen
from shared.kit import clock, db
from shared.kit.access import Public
from shared.kit.ids import new_id
from shared.kit.problem import Problem
from shared.kit.service import Service
from shared.web.forms import Form, read_form
from shared.web.render import page, told

router = APIRouter()

_BY_RECEIPT = Public("the receipt is the right; a reward is asked for and collected without a name")


class ReceiptForm(Form):
    """A typed receipt."""

    receipt: str = ""


class CollectForm(ReceiptForm):
    """Receipt and one-time code."""

    code: str = ""


@router.get("/reward", dependencies=[Depends(_BY_RECEIPT)])
async def ask(request: Request) -> HTMLResponse:
    """Where the receipt is typed; it is sent in the body, never in an address."""
    return show(request)


@router.post("/reward", dependencies=[Depends(_BY_RECEIPT)])
async def look(request: Request) -> HTMLResponse:
    """How the reward stands, and what can be done."""
    sent = await read_form(request, ReceiptForm)
    try:
        tip = await _tip(request, sent.receipt)
    except Problem as problem:
        return show(request, problem=problem, typed=sent.receipt if problem.status == 422 else "")
    return await _standing(request, tip, sent.receipt)


@router.post("/reward/claim", dependencies=[Depends(_BY_RECEIPT)])
async def claim(request: Request) -> HTMLResponse:
    """Open the claim and show its code, once."""
    service: Service = request.app.state.service
    sent = await read_form(request, ReceiptForm)
    try:
        tip = await _tip(request, sent.receipt)
        async with db.begin(service.engine) as conn:
            code = await claims.open_claim(conn, service, tip, str(sent.idempotency_key), clock.now())
    except Problem as problem:
        return show(request, problem=problem)
    return show(request, code=spaced(code), receipt=sent.receipt)


@router.post("/reward/collect", dependencies=[Depends(_BY_RECEIPT)])
async def collect(request: Request) -> HTMLResponse:
    """Exchange receipt and code for the token to show at the counter."""
    service: Service = request.app.state.service
    sent = await read_form(request, CollectForm)
    try:
        tip = await _tip(request, sent.receipt)
    except Problem as problem:
        return show(request, problem=problem)
    async with db.begin(service.engine) as conn:
        got = await claims.collect(conn, service, tip, sent.code, clock.now())
    if isinstance(got, Problem):
        return await _standing(request, tip, sent.receipt, problem=got)
    return show(
        request, token=spaced(got.token), until=got.until, amount=got.amount, plan=service.plans[tip.plan]
    )


async def _tip(request: Request, receipt: str) -> Any:
    return await queries.tip_by_receipt(request.app.state.service, request.app.state.receipt_misses, receipt)


async def _standing(request: Request, tip: Any, receipt: str, problem: Problem | None = None) -> HTMLResponse:
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        found = await seen.of_tip(conn, tip.id)
    plan = service.plans[tip.plan]
    return show(
        request, standing=seen.standing(plan, tip._mapping, *found), receipt=receipt, plan=plan, problem=problem
    )


def show(request: Request, *, problem: Problem | None = None, typed: str = "", **shown: Any) -> HTMLResponse:
    """The page, in whatever state `shown` puts it."""
    context = {
        "standing": None, "code": None, "token": None, "receipt": "", "until": None, "amount": None, "plan": None,
        "keep": seen.KEEP_THE_CODE, "asked": None, "typed": typed, "key": str(new_id()),
        "problem": told(request, problem) if problem else None, **shown,
    }  # fmt: skip
    return page(
        request, "rewards/reporter.html", context, service="intake", public=True,
        status=int(problem.status) if problem else 200,
    )  # fmt: skip
