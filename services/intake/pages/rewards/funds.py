"""The fund that pays rewards: figures, each of which opens to its entries; money given by its keeper."""

from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from services.intake.commands.rewards import fund as commands
from services.intake.commands.rewards.asking import asked, known
from services.intake.domain.rewards import fund as domain
from services.intake.queries import reward_present as present
from services.intake.queries import rewards as seen
from services.intake.schemas.rewards import BudgetIn
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.clock import CHINA
from shared.kit.problem import NotFound, Problem, invalid_input
from shared.kit.service import Service
from shared.rules.plan import Plan
from shared.web.forms import Form, read_form, see_other
from shared.web.render import page, told

router = APIRouter()

_ROWS = 50
FIGURES: dict[str, tuple[str, ...]] = {
    "budget": (domain.Entry.BUDGET,),
    "committed": (domain.Entry.COMMITMENT, domain.Entry.RELEASE, domain.Entry.PAYMENT),
    "paid": (domain.Entry.PAYMENT,),
}
"""Which entries a figure is the sum of; none: all."""


class Budget(Form):
    amount: str = ""
    document_no: str = ""


def _plan(request: Request, caller: Caller, fund: str | None = None) -> Plan:
    plan: Plan | None = request.app.state.service.plans.get(caller.plan or "")
    if plan is None or not seen.visible_funds(caller, plan) or fund not in (None, plan.reward_fund.id):  # type: ignore[union-attr]
        raise NotFound("没有这笔经费，或不在您的权限内。 No such fund within your reach.")
    return plan


@router.get("/funds")
async def funds(request: Request, caller: Caller = Depends(Requires("fund.read"))) -> RedirectResponse:
    """The fund of this year."""
    plan = _plan(request, caller)
    assert plan.reward_fund is not None
    return see_other(request, f"/funds/{plan.reward_fund.id}/{clock.now().astimezone(CHINA).year}")


@router.get("/funds/{fund}/{year}")
async def one(
    request: Request,
    fund: str,
    year: int,
    caller: Caller = Depends(Requires("fund.read")),
    figure: Annotated[str, Query(pattern="^(budget|committed|paid|)$")] = "",
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> HTMLResponse:
    """A fund in a year: its figures and the entries behind one of them, or all."""
    return await _page(request, caller, _plan(request, caller, fund), year, figure=figure, cursor=cursor)


async def _page(
    request: Request, caller: Caller, plan: Plan, year: int, *, figure: str = "", cursor: str | None = None,
    sent: Budget | None = None, problem: Problem | None = None,
) -> HTMLResponse:  # fmt: skip
    service: Service = request.app.state.service
    fund, now = plan.reward_fund, clock.now()
    assert fund is not None
    if not 2000 <= year <= 2100:
        raise NotFound("没有这一年的经费。 There is no fund of that year.")
    after: Any = pagination.decode(cursor, (int,))
    this_year = now.astimezone(CHINA).year
    async with db.begin(service.engine) as conn:
        balance = await seen.balance(conn, plan.id, fund.id, year)
        expected = await seen.expected(conn, service, plan, now) if year == this_year else Decimal(0)
        found = await seen.entries(
            conn, plan.id, fund.id, year, kinds=FIGURES.get(figure, ()), after=after[0] if after else None, limit=_ROWS
        )
        years = [row.year for row in await seen.fund_years(conn, plan.id, fund.id)]
    rows, following = pagination.page(found, _ROWS, lambda row: (row.seq,))
    reach = caller.reach("fund.manage")
    return page(
        request, "rewards/fund.html",
        {
            "fund": fund, "plan": plan, "year": year, "years": sorted({*years, this_year}, reverse=True),
            "now": present.fund_out(plan, fund.id, year, balance, expected), "figure_of": figure, "rows": rows,
            "next": following, "may_manage": reach in ("plan", "all") or (reach and caller.agency == fund.keeper),
            "amount": sent.amount if sent else "", "document_no": sent.document_no if sent else "",
            "key": str(sent.idempotency_key) if sent else None, "problem": told(request, problem) if problem else None,
        },
        service="intake", caller=caller, status=int(problem.status) if problem else 200,
    )  # fmt: skip


@router.post("/funds/{fund}/{year}", response_model=None)
async def give(
    request: Request, fund: str, year: int, caller: Caller = Depends(Requires("fund.manage"))
) -> HTMLResponse | RedirectResponse:
    """Enter money for the year."""
    service: Service = request.app.state.service
    plan, now = _plan(request, caller, fund), clock.now()
    sent = await read_form(request, Budget)
    try:
        body = BudgetIn.model_validate(
            {"amount": sent.amount.replace(",", "").replace("，", ""), "document_no": sent.document_no}
        )
        object_id: UUID = sent.idempotency_key
        used = asked(
            service.settings.keys, caller, "fund-budget", str(object_id), (fund, year, body), object_id
        )
        async with db.begin(service.engine) as conn:
            if await known(conn, used, now) is None:
                line = commands.Line(plan.id, fund, year)
                await commands.give(conn, service, caller, line, body.amount, body.document_no, now)
    except ValidationError as error:
        return await _page(request, caller, plan, year, sent=sent, problem=invalid_input(error))
    except Problem as problem:
        return await _page(request, caller, plan, year, sent=sent, problem=problem)
    return see_other(request, f"/funds/{fund}/{year}", done="saved")
