"""Rewards: by receipt for their reporters, by right for those who propose, decide and pay."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake import queries
from services.intake.commands.rewards import claims, decisions, proposals
from services.intake.commands.rewards.asking import asked
from services.intake.domain.rewards.codes import spaced
from services.intake.domain.rewards.states import Action
from services.intake.queries import reward_present as present
from services.intake.queries import rewards as seen
from services.intake.schemas.rewards import (
    ClaimIn,
    ClaimOpened,
    ClaimOut,
    ClaimRefusalIn,
    Collect,
    CollectIn,
    Paid,
    PaymentIn,
    RefusalIn,
    RewardFacts,
    RewardFull,
    RewardOut,
    RewardPreview,
    RewardStanding,
    RewardState,
)
from services.intake.schemas.tips import ReceiptIn
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Public, Requires
from shared.kit.etag import etag, required_version
from shared.kit.idempotency import check_key
from shared.kit.ids import new_id
from shared.kit.pagination import Page
from shared.kit.problem import BadRequest, NotFound, Problem
from shared.kit.service import Service
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["rewards"])

_BY_RECEIPT = Public("the receipt is the right; a reward is asked for and collected without a name")


def required_key(request: Request) -> str:
    """The Idempotency-Key of a request that changes something."""
    key = request.headers.get("idempotency-key")
    if key is None:
        raise BadRequest(
            "请携带 Idempotency-Key，重发时用同一个键，不会重复；未保存任何内容。 "
            "Send an Idempotency-Key, the same one when you repeat; nothing was kept.",
            code="idempotency-key-required",
        )
    return check_key(key)


@router.post("/public/rewards/claims", status_code=201, response_model=ClaimOpened, summary="Ask for a reward by receipt")
async def claim(request: Request, body: ClaimIn, _: Caller = Depends(_BY_RECEIPT)) -> Response:
    """Open the claim; the code in the answer is shown once. With an Idempotency-Key, sending again is safe."""
    service: Service = request.app.state.service
    key = request.headers.get("idempotency-key")
    tip = await queries.tip_by_receipt(service, request.app.state.receipt_misses, body.receipt)
    async with db.begin(service.engine) as conn:
        code = await claims.open_claim(conn, service, tip, check_key(key) if key else None, clock.now())
    return ORJSONResponse({"code": spaced(code), "next": seen.KEEP_THE_CODE.model_dump()}, status_code=201)


@router.post("/public/rewards/standing", response_model=RewardStanding, summary="How a reward stands, by receipt")
async def standing(request: Request, body: ReceiptIn, _: Caller = Depends(_BY_RECEIPT)) -> Response:
    """State, amount once approved, and a refusal's reason, in plain words."""
    service: Service = request.app.state.service
    tip = await queries.tip_by_receipt(service, request.app.state.receipt_misses, body.receipt)
    async with db.begin(service.engine) as conn:
        found = await seen.of_tip(conn, tip.id)
    told = seen.standing(service.plans[tip.plan], tip._mapping, *found)
    return ORJSONResponse({**told, "words": told["words"].model_dump()})


@router.post("/public/rewards/payout", response_model=Collect, summary="A payout token, by receipt and code")
async def payout(request: Request, body: CollectIn, _: Caller = Depends(_BY_RECEIPT)) -> Response:
    """The token to show at the counter. Five wrong codes pause this receipt's reward for a day."""
    service: Service = request.app.state.service
    tip = await queries.tip_by_receipt(service, request.app.state.receipt_misses, body.receipt)
    async with db.begin(service.engine) as conn:
        got = await claims.collect(conn, service, tip, body.code, clock.now())
    if isinstance(got, Problem):
        raise got
    where = service.plans[tip.plan].rewards.where_to_collect
    return ORJSONResponse(
        {
            "token": spaced(got.token),
            "amount": got.amount,
            "valid_until": got.until,
            "where": where.model_dump() if where else None,
        }
    )


@router.get("/rewards/claims", response_model=Page[ClaimOut], summary="Claims in my reach, oldest first")
async def list_claims(
    request: Request,
    caller: Caller = Depends(Requires("reward.read")),
    state: str | None = Query(None, pattern="^(open|refused)$"),
    waiting: bool = Query(False, description="Only open ones without a proposal"),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """One page of claims: which lead, since when. Who asked is not known."""
    after: Any = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await seen.list_claims(conn, caller, state=state, waiting=waiting, after=after, limit=limit)
    shown, following = pagination.page(found, limit, lambda row: (row.opened_at, row.id))
    return ORJSONResponse({"items": [present.claim_out(row) for row in shown], "next": following})


@router.post("/rewards/claims/{claim_id}/refusal", response_model=ClaimOut, summary="Refuse a claim with a reason")
async def refuse_claim(
    request: Request, claim_id: UUID, body: ClaimRefusalIn, caller: Caller = Depends(Requires("reward.propose"))
) -> Response:
    """The reporter reads the reason by receipt. Needs `If-Match` and `Idempotency-Key`."""
    service: Service = request.app.state.service
    version, key = required_version(request), required_key(request)
    used = asked(service.settings.keys, caller, "reward-claim", key, (claim_id, version, body.reason), claim_id)
    async with db.begin(service.engine) as conn:
        await claims.refuse_claim(
            conn, service, caller, claim_id, body.reason, version=version, claim=used, now=clock.now()
        )
    async with db.begin(service.engine) as conn:
        row = await seen.claim(conn, caller, claim_id)
    if row is None:
        raise NotFound("没有这项申领，或不在您的权限内。 No such claim within your reach.")
    return ORJSONResponse(present.claim_out(row), headers={"etag": etag(row.version)})


@router.post("/rewards/preview", response_model=RewardPreview, summary="Reckon a reward and keep nothing")
async def preview(
    request: Request, body: RewardFacts, caller: Caller = Depends(Requires("reward.propose"))
) -> Response:
    """What would be proposed, step by step, and what the fund would have left."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        made = await proposals.reckoned(conn, service, caller, body, clock.now())
        balance = await seen.balance(conn, made.line.plan, made.line.fund, made.line.year)
    return ORJSONResponse(
        {
            "scheme": made.scheme.id,
            "level": body.level,
            "day": made.day,
            "total": made.amount.total,
            "steps": proposals.step_list(made.amount),
            "shares": list(made.parts),
            "known_before": made.persons.known_before,
            "later_reports": made.persons.later,
            "settle_with_finance": made.amount.settle_with_finance,
            "provisional": made.amount.provisional,
            "fund": made.line.fund,
            "year": made.line.year,
            "available_after": balance.available - made.amount.total,
        }
    )


@router.post("/rewards", status_code=201, response_model=RewardFull, summary="Propose a reward")
async def propose(
    request: Request, body: RewardFacts, caller: Caller = Depends(Requires("reward.propose"))
) -> Response:
    """For the earliest reporter of a lead; simultaneous ones share it. Needs an `Idempotency-Key`."""
    service: Service = request.app.state.service
    used = asked(service.settings.keys, caller, "reward", required_key(request), body, new_id())
    async with db.begin(service.engine) as conn:
        reward_id = await proposals.propose(conn, service, caller, body, used, clock.now())
    return await _full(request, caller, reward_id, "reward.propose", 201 if reward_id == used.object_id else 200)


@router.get("/rewards", response_model=Page[RewardOut], summary="Rewards in my reach, oldest first")
async def list_rewards(
    request: Request,
    caller: Caller = Depends(Requires("reward.read")),
    state: list[RewardState] = Query([], description="Only these states"),
    lead_id: UUID | None = None,
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """One page of rewards."""
    after: Any = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await seen.list_rewards(conn, caller, states=state, lead_id=lead_id, after=after, limit=limit)
    shown, following = pagination.page(found, limit, lambda row: (row.proposed_at, row.id))
    return ORJSONResponse({"items": [present.reward_out(row._mapping) for row in shown], "next": following})


@router.get("/rewards/{reward_id}", response_model=RewardFull, summary="One reward; its ETag is the version to decide on")
async def get_reward(request: Request, reward_id: UUID, caller: Caller = Depends(Requires("reward.read"))) -> Response:
    """How it was reckoned, who shares it, who approved it, what is paid."""
    return await _full(request, caller, reward_id)


@router.post("/rewards/{reward_id}/approval", response_model=RewardFull, summary="Approve a reward (two persons)")
async def approve(request: Request, reward_id: UUID, caller: Caller = Depends(Requires("reward.pay"))) -> Response:
    """The second approval, by another person, releases it. Needs `If-Match` and `Idempotency-Key`."""
    service: Service = request.app.state.service
    version, key = required_version(request), required_key(request)
    used = asked(service.settings.keys, caller, "reward-approval", key, (reward_id, version), reward_id)
    async with db.begin(service.engine) as conn:
        await decisions.add_approval(conn, service, caller, reward_id, version=version, claim=used, now=clock.now())
    return await _full(request, caller, reward_id, "reward.pay")


async def _end(request: Request, reward_id: UUID, reason: str, caller: Caller, action: Action) -> Response:
    service: Service = request.app.state.service
    version, key = required_version(request), required_key(request)
    used = asked(service.settings.keys, caller, f"reward-{action}", key, (reward_id, version, reason), reward_id)
    async with db.begin(service.engine) as conn:
        await decisions.end(
            conn, service, caller, reward_id, action, reason, version=version, claim=used, now=clock.now()
        )
    return await _full(request, caller, reward_id, "reward.pay" if action is Action.REFUSE else "reward.propose")


@router.post("/rewards/{reward_id}/refusal", response_model=RewardFull, summary="Refuse a reward with a reason")
async def refuse(
    request: Request, reward_id: UUID, body: RefusalIn, caller: Caller = Depends(Requires("reward.pay"))
) -> Response:
    """By whoever may approve it; the reporter reads the reason. Needs `If-Match` and `Idempotency-Key`."""
    return await _end(request, reward_id, body.reason, caller, Action.REFUSE)


@router.post("/rewards/{reward_id}/withdrawal", response_model=RewardFull, summary="Withdraw an undecided proposal")
async def withdraw(
    request: Request, reward_id: UUID, body: RefusalIn, caller: Caller = Depends(Requires("reward.propose"))
) -> Response:
    """By the proposing office, to propose it anew. Needs `If-Match` and `Idempotency-Key`."""
    return await _end(request, reward_id, body.reason, caller, Action.WITHDRAW)


@router.post("/rewards/{reward_id}/lapse", response_model=RewardFull, summary="Let an uncollected reward lapse")
async def lapse(
    request: Request, reward_id: UUID, body: RefusalIn, caller: Caller = Depends(Requires("reward.propose"))
) -> Response:
    """Frees what was set aside and not collected. Needs `If-Match` and `Idempotency-Key`."""
    return await _end(request, reward_id, body.reason, caller, Action.LAPSE)


@router.post("/rewards/payments", status_code=201, response_model=Paid, summary="Pay the part a token stands for")
async def pay(request: Request, body: PaymentIn, caller: Caller = Depends(Requires("reward.disburse"))) -> Response:
    """Once, at the counter, without a name. Needs an `Idempotency-Key`; sent again, it is not paid again."""
    service: Service = request.app.state.service
    used = asked(service.settings.keys, caller, "reward-payment", required_key(request), body, new_id())
    async with db.begin(service.engine) as conn:
        done = await decisions.pay(conn, service, caller, body.token, body.voucher_no, used, clock.now())
    return ORJSONResponse(
        {
            "share_id": done.share_id, "reward_id": done.reward_id, "amount": done.amount, "paid_at": done.paid_at,
            "voucher_no": done.voucher_no, "replayed": done.replayed,
        },
        status_code=200 if done.replayed else 201,
    )  # fmt: skip


async def _full(
    request: Request, caller: Caller, reward_id: UUID, right: str = "reward.read", status: int = 200
) -> Response:
    async with db.begin(request.app.state.service.engine) as conn:
        row = await seen.reward(conn, caller, reward_id, right)
        if row is None:
            raise NotFound("没有这项奖励，或不在您的权限内。 No such reward within your reach.")
        full = await present.reward_full(conn, row._mapping)
    return ORJSONResponse(full, status_code=status, headers={"etag": etag(row.version)})
