"""The fund that pays rewards: its figures, their entries, and money given for the year; and holds on retention."""

from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake.api.rewards import required_key
from services.intake.commands import retention
from services.intake.commands.rewards import fund as commands
from services.intake.commands.rewards.asking import asked, known
from services.intake.queries import reward_present as present
from services.intake.queries import rewards as seen
from services.intake.schemas.rewards import BudgetIn, EntryOut, FundOut, HoldIn, HoldOut
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.ids import new_id
from shared.kit.pagination import Page
from shared.kit.problem import NotFound
from shared.kit.service import Service
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["rewards"])

_NONE = "没有这笔经费，或不在您的权限内。 No such fund within your reach."


@router.get("/funds", response_model=list[FundOut], summary="Reward funds in my reach, by year")
async def list_funds(request: Request, caller: Caller = Depends(Requires("fund.read"))) -> Response:
    """Budget, set aside, paid and free; every figure is the sum of its entries."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        return ORJSONResponse(await present.funds(conn, service, caller, clock.now()))


@router.get("/funds/{fund}/{year}/entries", response_model=Page[EntryOut], summary="The entries behind a figure")
async def list_entries(
    request: Request,
    fund: str,
    year: int,
    caller: Caller = Depends(Requires("fund.read")),
    kind: list[str] = Query([], description="budget, commitment, release, payment; none: all"),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """Newest first; entries are only ever added."""
    service: Service = request.app.state.service
    plan = service.plans.get(caller.plan or "")
    if plan is None or plan.reward_fund is None or plan.reward_fund.id != fund or not seen.visible_funds(caller, plan):
        raise NotFound(_NONE)
    after = pagination.decode(cursor, (int,))
    async with db.begin(service.engine) as conn:
        found = await seen.entries(
            conn, plan.id, fund, year, kinds=kind, after=after[0] if after else None, limit=limit
        )
    shown, following = pagination.page(found, limit, lambda row: (row.seq,))
    items = [
        {
            "seq": row.seq, "kind": row.kind, "amount": row.amount, "reward_id": row.proposal_id,
            "document_no": row.document_no, "at": row.at, "by": row.by,
        }
        for row in shown
    ]  # fmt: skip
    return ORJSONResponse({"items": items, "next": following})


@router.post("/funds/{fund}/{year}/budget", status_code=201, response_model=FundOut, summary="Enter money for the year")
async def give(
    request: Request, fund: str, year: int, body: BudgetIn, caller: Caller = Depends(Requires("fund.manage"))
) -> Response:
    """By the fund's keeper, with the document's number. Needs an `Idempotency-Key`."""
    service: Service = request.app.state.service
    plan = service.plans.get(caller.plan or "")
    now = clock.now()
    if plan is None or not 2000 <= year <= 2100:
        raise NotFound(_NONE)
    used = asked(service.settings.keys, caller, "fund-budget", required_key(request), (fund, year, body), new_id())
    async with db.begin(service.engine) as conn:
        line = commands.Line(plan.id, fund, year)
        if await known(conn, used, now) is None:
            await commands.give(conn, service, caller, line, body.amount, body.document_no, now)
        balance = await seen.balance(conn, plan.id, fund, year)
        expected = await seen.expected(conn, service, plan, now)
    return ORJSONResponse(present.fund_out(plan, fund, year, balance, expected), status_code=201)


@router.post("/retention/holds", status_code=201, response_model=HoldOut, summary="Keep a lead's words while a case needs them")
async def hold(
    request: Request, body: HoldIn, caller: Caller = Depends(Requires("retention.hold"))
) -> Response:
    """The words of its tips are not destroyed until the hold is lifted. Needs an `Idempotency-Key`."""
    service: Service = request.app.state.service
    used = asked(service.settings.keys, caller, "hold", required_key(request), body, new_id())
    async with db.begin(service.engine) as conn:
        row = await retention.place_hold(conn, caller, body.lead_id, body.document_no, used, clock.now())
    return ORJSONResponse(_hold(row), status_code=201, headers={"etag": etag(row.version)})


@router.post("/retention/holds/{hold_id}/lifting", response_model=HoldOut, summary="Lift a hold")
async def lift(
    request: Request, hold_id: UUID, caller: Caller = Depends(Requires("retention.hold"))
) -> Response:
    """From then on the plan's time decides again. Needs `If-Match` and `Idempotency-Key`."""
    service: Service = request.app.state.service
    version = required_version(request)
    used = asked(service.settings.keys, caller, "hold-lift", required_key(request), (hold_id, version), hold_id)
    async with db.begin(service.engine) as conn:
        row = await retention.lift_hold(conn, caller, hold_id, version, used, clock.now())
    return ORJSONResponse(_hold(row), headers={"etag": etag(row.version)})


def _hold(row) -> dict:  # type: ignore[no-untyped-def, type-arg]
    return {"hold_id": row.id, **{name: row._mapping[name] for name in (
        "lead_id", "document_no", "placed_by", "placed_at", "lifted_by", "lifted_at", "version")}}  # fmt: skip
