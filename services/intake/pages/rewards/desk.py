"""The reward desk: what waits for me first; one reward; proposing, deciding, paying."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from services.intake.commands.rewards import claims, decisions, proposals
from services.intake.commands.rewards.asking import asked
from services.intake.domain.rewards.reasons import CLAIM_REASONS, REASONS
from services.intake.domain.rewards.states import OPEN, Action
from services.intake.queries import reward_present as present
from services.intake.queries import rewards as seen
from services.intake.queries.lead_numbers import find_lead, number_of
from services.intake.queries.reward_present import code_request_out
from services.intake.schemas.rewards import PaymentIn, RewardFacts
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.problem import NotFound, Problem, invalid_input
from shared.kit.service import Service
from shared.rules.law import Text
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page, told

router = APIRouter()

_ROWS = 30
_DECIDE = {"refuse": Action.REFUSE, "withdraw": Action.WITHDRAW, "lapse": Action.LAPSE}
WORDS = {code: Text(zh=zh, en=en) for code, (zh, en) in REASONS.items()}


class Decision(VersionedForm):
    """A decision on a reward or a claim."""

    act: Literal["approve", "refuse", "withdraw", "lapse"]
    reason: Literal[tuple(REASONS)] = "wrong-figures"  # type: ignore[valid-type]


class ClaimRefusal(VersionedForm):
    reason: Literal[CLAIM_REASONS]  # type: ignore[valid-type]


class Facts(Form):
    """The form of a proposal, as sent; checked when it becomes one, so that nothing typed is lost."""

    act: Literal["reckon", "propose"] = "reckon"
    lead_id: str = ""
    scheme: str = ""
    level: str = ""
    fine: str = ""
    confiscated: str = ""
    dens: str = ""
    document_no: str = ""
    finance_no: str = ""

    def facts(self, lead_id: UUID) -> RewardFacts:
        """What was typed as facts about a lead. Raises ValidationError."""
        typed = {name: value for name, value in self.model_dump(exclude={"act", "idempotency_key"}).items() if value}
        typed["lead_id"] = str(lead_id)
        for name in ("fine", "confiscated"):
            if name in typed:
                typed[name] = typed[name].replace(",", "").replace("，", "")
        return RewardFacts.model_validate(typed)


class Counter(Form):
    token: str = ""
    voucher_no: str = ""


@router.get("/rewards")
async def desk(
    request: Request,
    caller: Caller = Depends(Requires("reward.read")),
    state: Annotated[str, Query(max_length=20)] = "",
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> HTMLResponse:
    """What waits for me, then the other rewards that are not finished, or those of one state."""
    service: Service = request.app.state.service
    plan = service.plans.get(caller.plan or "")
    after: Any = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    states = [state] if state else [one.value for one in OPEN]
    may_pay = plan is not None and caller.reach("reward.pay") is not None and plan.may_approve(caller.posts, "reward.pay")
    async with db.begin(service.engine) as conn:
        found = await seen.list_rewards(conn, caller, states=states, lead_id=None, after=after, limit=_ROWS)
        mine = {row.id for row in await seen.undecided_by(conn, caller)} if may_pay else set()
        waiting = (
            await seen.list_claims(conn, caller, state=None, waiting=True, after=None, limit=_ROWS)
            if caller.reach("reward.propose") and not state and not cursor
            else []
        )
        lost = [] if state or cursor else await seen.code_requests(conn, caller, state=None, after=None, limit=_ROWS)
        funds = await present.funds(conn, service, caller, clock.now()) if caller.reach("fund.read") else []
    rows, following = pagination.page(found, _ROWS, lambda row: (row.proposed_at, row.id))
    return page(
        request, "rewards/desk.html",
        {
            "waiting": [row for row in rows if row.id in mine], "claims": waiting[:_ROWS],
            "rows": [row for row in rows if row.id not in mine], "next": following, "state": state,
            "codes": [
                code_request_out(row, caller) | {"may": _may_agree(row, caller, plan)}
                for row in lost
                if row.state in ("asked", "agreed")
            ],
            "short": next((fund for fund in funds if fund["short"]), None),
        },
        service="intake", caller=caller,
    )  # fmt: skip


def _may_agree(row: Any, caller: Caller, plan: Any) -> bool:
    approval = "reward.pay" if row.state == "agreed" else "reward.propose"
    return plan is not None and plan.may_approve(caller.posts, approval) and row.first_by != caller.actor


@router.get("/rewards/new")
async def new(
    request: Request, lead: UUID | None = None, caller: Caller = Depends(Requires("reward.propose"))
) -> HTMLResponse:
    """The form of a proposal; the lead stands in it under the number of its case."""
    number = None
    if lead is not None:
        async with db.begin(request.app.state.service.engine) as conn:
            number = await number_of(conn, lead)
    return _form(request, caller, {"lead_id": number or str(lead or "")}, key=None)


@router.post("/rewards/new", response_model=None)
async def propose(
    request: Request, caller: Caller = Depends(Requires("reward.propose"))
) -> HTMLResponse | RedirectResponse:
    """Reckon it and show every step; then, on a second press, propose it."""
    service: Service = request.app.state.service
    sent = await read_form(request, Facts)
    typed, key = sent.model_dump(mode="json"), str(sent.idempotency_key)
    try:
        now = clock.now()
        async with db.begin(service.engine) as conn:
            meant = await find_lead(conn, sent.lead_id, caller.plan, seen.lead_in_reach(caller, "reward.propose"))
            facts = sent.facts(meant)
            if sent.act == "propose":
                used = asked(service.settings.keys, caller, "reward", key, facts, sent.idempotency_key)
                reward_id = await proposals.propose(conn, service, caller, facts, used, now)
            else:
                made = await proposals.reckoned(conn, service, caller, facts, now)
                balance = await seen.balance(conn, made.line.plan, made.line.fund, made.line.year)
    except ValidationError as error:
        return _form(request, caller, typed, key=key, problem=invalid_input(error))
    except Problem as problem:
        return _form(request, caller, typed, key=key, problem=problem)
    if sent.act == "propose":
        return see_other(request, f"/rewards/{reward_id}", done="saved")
    return _form(request, caller, typed, key=key, made=made, left=balance.available - made.amount.total)


def _form(
    request: Request, caller: Caller, typed: dict[str, Any], *, key: str | None, problem: Problem | None = None,
    made: proposals.Reckoned | None = None, left: Decimal | None = None,
) -> HTMLResponse:  # fmt: skip
    service: Service = request.app.state.service
    plan = service.plans[caller.plan or ""]
    wrong = [error["field"] for error in problem.extras.get("errors", [])] if problem else []
    return page(
        request, "rewards/new.html",
        {
            "typed": {**Facts.model_construct(idempotency_key=None).model_dump(), **typed}, "plan": plan, "key": key,
            "problem": told(request, problem) if problem else None, "wrong": wrong, "made": made, "left": left,
        },
        service="intake", caller=caller, status=int(problem.status) if problem else 200,
    )  # fmt: skip


@router.get("/rewards/counter")
async def counter(request: Request, caller: Caller = Depends(Requires("reward.disburse"))) -> HTMLResponse:
    """Where a payout token is typed at the counter."""
    return _counter(request, caller)


@router.post("/rewards/counter")
async def pay(request: Request, caller: Caller = Depends(Requires("reward.disburse"))) -> HTMLResponse:
    """Pay the part that the token stands for, once."""
    service: Service = request.app.state.service
    sent = await read_form(request, Counter)
    try:
        body = PaymentIn(token=sent.token, voucher_no=sent.voucher_no)
        used = asked(
            service.settings.keys, caller, "reward-payment", str(sent.idempotency_key), body, sent.idempotency_key
        )
        async with db.begin(service.engine) as conn:
            done = await decisions.pay(conn, service, caller, body.token, body.voucher_no, used, clock.now())
    except ValidationError as error:
        return _counter(request, caller, sent, problem=invalid_input(error))
    except Problem as problem:
        return _counter(request, caller, sent, problem=problem)
    return _counter(request, caller, done=done)


def _counter(
    request: Request, caller: Caller, sent: Counter | None = None, *, problem: Problem | None = None, done: Any = None
) -> HTMLResponse:
    return page(
        request, "rewards/counter.html",
        {
            "token": sent.token if sent else "", "voucher_no": sent.voucher_no if sent else "", "done": done,
            "key": str(sent.idempotency_key) if sent else None, "problem": told(request, problem) if problem else None,
        },
        service="intake", caller=caller, status=int(problem.status) if problem else 200,
    )  # fmt: skip


@router.get("/rewards/claims/{claim_id}")
async def claim(request: Request, claim_id: UUID, caller: Caller = Depends(Requires("reward.read"))) -> HTMLResponse:
    """One claim: propose for its lead, or refuse it."""
    async with db.begin(request.app.state.service.engine) as conn:
        row = await seen.claim(conn, caller, claim_id)
    if row is None:
        raise NotFound("没有这项申领，或不在您的权限内。 No such claim within your reach.")
    return page(
        request, "rewards/claim.html",
        {"claim": row, "reasons": [(code, WORDS[code]) for code in CLAIM_REASONS], "words_of": WORDS},
        service="intake", caller=caller,
    )  # fmt: skip


@router.post("/rewards/claims/{claim_id}")
async def refuse_claim(
    request: Request, claim_id: UUID, caller: Caller = Depends(Requires("reward.propose"))
) -> RedirectResponse:
    """Refuse a claim with a reason."""
    service: Service = request.app.state.service
    sent = await read_form(request, ClaimRefusal)
    used = asked(
        service.settings.keys, caller, "reward-claim", str(sent.idempotency_key),
        (claim_id, sent.version, sent.reason), claim_id,
    )  # fmt: skip
    async with db.begin(service.engine) as conn:
        await claims.refuse_claim(
            conn, service, caller, claim_id, sent.reason, version=sent.version, claim=used, now=clock.now()
        )
    return see_other(request, "/rewards", done="saved")


@router.get("/rewards/{reward_id}")
async def reward(request: Request, reward_id: UUID, caller: Caller = Depends(Requires("reward.read"))) -> HTMLResponse:
    """One reward: how it was reckoned, who shares it, who approved, what can be done."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        row = await seen.reward(conn, caller, reward_id)
        if row is None:
            raise NotFound("没有这项奖励，或不在您的权限内。 No such reward within your reach.")
        full = await present.reward_full(conn, row._mapping)
    plan = service.plans[row.plan]
    approvers = {one["approver"] for one in full["approvals"]}
    open_to = row.state in ("proposed", "once_approved")
    return page(
        request, "rewards/reward.html",
        {
            "reward": full, "plan": plan, "scheme": plan.rewards.scheme(row.scheme), "words_of": WORDS,
            "may_approve": open_to and _may(caller, plan, "reward.pay")
            and caller.actor != row.proposed_by and caller.actor not in approvers,
            "may_refuse": open_to and _may(caller, plan, "reward.pay"),
            "may_withdraw": open_to and _may(caller, plan, "reward.propose"),
            "may_lapse": row.state in ("approved", "partly_paid") and _may(caller, plan, "reward.propose"),
        },
        service="intake", caller=caller,
    )  # fmt: skip


def _may(caller: Caller, plan: Any, right: str) -> bool:
    return caller.reach(right) is not None and plan.may_approve(caller.posts, right)


@router.post("/rewards/{reward_id}")
async def decide(
    request: Request, reward_id: UUID, caller: Caller = Depends(Requires("reward.read"))
) -> RedirectResponse:
    """Approve, refuse, withdraw or let lapse: each by its own right, which the command checks on the reward itself."""
    service: Service = request.app.state.service
    sent = await read_form(request, Decision)
    key, now = str(sent.idempotency_key), clock.now()
    async with db.begin(service.engine) as conn:
        if sent.act == "approve":
            used = asked(
                service.settings.keys, caller, "reward-approval", key, (reward_id, sent.version), reward_id
            )
            await decisions.add_approval(
                conn, service, caller, reward_id, version=sent.version, claim=used, now=now
            )
        else:
            used = asked(
                service.settings.keys, caller, f"reward-{sent.act}", key, (reward_id, sent.version, sent.reason), reward_id
            )
            await decisions.end(
                conn, service, caller, reward_id, _DECIDE[sent.act], sent.reason,
                version=sent.version, claim=used, now=now,
            )  # fmt: skip
    return see_other(request, f"/rewards/{reward_id}", done="saved")
