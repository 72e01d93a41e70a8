"""Deciding on a reward: two approvals by two persons, refusal, withdrawal, lapse; and paying its parts."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.rewards import fund
from services.intake.commands.rewards.asking import by_post, known, same_version
from services.intake.commands.rewards.claims import token_hash
from services.intake.commands.rewards.fund import Line
from services.intake.domain.rewards.codes import clean_code
from services.intake.domain.rewards.fund import Entry
from services.intake.domain.rewards.states import Action, NotAllowed, State, after, approve
from services.intake.queries import rewards as seen
from services.intake.tables import kit, reward_approvals, reward_proposals, reward_shares
from shared.events.rewards import RewardApproved, RewardPaid, RewardRefused
from shared.kit import audit, outbox
from shared.kit.access import Caller, scope
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Forbidden, NotFound
from shared.kit.service import Service

_p, _s = reward_proposals, reward_shares


async def _locked(conn: AsyncConnection, caller: Caller, right: str, reward_id: UUID) -> Row[Any]:
    query = select(_p).where(_p.c.id == reward_id, seen.visible_rewards(caller, right)).with_for_update()
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise NotFound("没有这项奖励，或不在您的权限内。 No such reward within your reach.")
    return row


def _refusal(error: NotAllowed, row: Row[Any]) -> Conflict | Forbidden:
    if error.code == "state":
        return Conflict(
            "这项奖励的状态不允许此操作，可能已由他人办结；未作任何改动。 "
            "The reward's state does not allow this; it may be decided already. Nothing was changed.",
            code="reward-state", state=row.state,
        )  # fmt: skip
    return Forbidden(
        "奖励须由提出人以外的两位不同人员审批；未作任何改动，请由另一位有权人员审批。 "
        "A reward needs two different approvers, neither of whom proposed it. Nothing was changed.",
        code="four-eyes", rule=error.code,
    )  # fmt: skip


async def add_approval(
    conn: AsyncConnection, service: Service, caller: Caller, reward_id: UUID, *, version: int, claim: Claim, now: datetime
) -> None:
    """Approve; the second approval, by another person, releases the payment if the fund can bear it."""
    row = await _locked(conn, caller, "reward.pay", reward_id)
    by_post(caller, service.plans[row.plan], "reward.pay")
    if await known(conn, claim, now) is not None:
        return
    approvers = [a.approver for a in await seen.approvals(conn, reward_id)]
    try:
        new = approve(State(row.state), proposer=row.proposed_by, approvers=approvers, who=caller.actor)
    except NotAllowed as error:
        raise _refusal(error, row) from error
    same_version(row, version)
    line = Line(row.plan, row.fund, row.year)
    if new is State.APPROVED:
        await fund.lock(conn, service, line, now)
        balance = await seen.balance(conn, line.plan, line.fund, line.year)
        if balance.available < 0:
            raise Conflict(
                f"{line.year} 年经费还差 {-balance.available} 元，暂不能批准；建议仍保留，请财政补足后再批。 "
                f"The fund of {line.year} is {-balance.available} yuan short. The proposal stays; approve it when it is filled.",
                code="budget-short", missing=str(-balance.available),
            )  # fmt: skip
    await insert_many(
        conn,
        reward_approvals,
        [{"proposal_id": reward_id, "approver": caller.actor, "number": len(approvers) + 1, "at": now}],
    )
    decided = now if new is State.APPROVED else None
    await _moved(conn, row, new, decided_at=decided)
    await audit.record(conn, kit, caller, "reward.approve", "reward", [reward_id], now, number=len(approvers) + 1)
    if new is State.APPROVED:
        event = RewardApproved(
            reward_id=reward_id, lead_id=row.lead_id, plan=row.plan, area=row.area, agency=row.agency,
            amount=row.total, fund=row.fund, year=row.year, at=now,
        )  # fmt: skip
        await outbox.put(conn, kit.outbox, [event], now)


async def _moved(conn: AsyncConnection, row: Row[Any], new: State, **values: Any) -> None:
    await conn.execute(
        update(_p).where(_p.c.id == row.id).values(state=new.value, version=row.version + 1, **values)
    )


_RIGHT = {Action.REFUSE: "reward.pay", Action.WITHDRAW: "reward.propose", Action.LAPSE: "reward.propose"}


async def end(
    conn: AsyncConnection,
    service: Service,
    caller: Caller,
    reward_id: UUID,
    action: Action,
    reason: str,
    *,
    version: int,
    claim: Claim,
    now: datetime,
) -> None:
    """Refuse, withdraw or let lapse: what was set aside and not paid is free again, and the reporter reads why."""
    right = _RIGHT[action]
    row = await _locked(conn, caller, right, reward_id)
    by_post(caller, service.plans[row.plan], right)
    if await known(conn, claim, now) is not None:
        return
    try:
        new = after(State(row.state), action)
    except NotAllowed as error:
        raise _refusal(error, row) from error
    same_version(row, version)
    line = Line(row.plan, row.fund, row.year)
    was_short = await fund.lock(conn, service, line, now)
    freed = await conn.execute(
        update(_s)
        .where(_s.c.proposal_id == reward_id, _s.c.paid_at.is_(None))
        .values(live=False, token_hash=None, token_until=None)
        .returning(_s.c.amount)
    )
    amount = sum((part.amount for part in freed), Decimal(0))
    await fund.enter(
        conn, line, Entry.RELEASE, amount,
        document_no=row.document_no, by=caller.actor, now=now, proposal_id=reward_id,
    )  # fmt: skip
    await _moved(conn, row, new, reason=reason, decided_at=now)
    await audit.record(conn, kit, caller, f"reward.{action.value}", "reward", [reward_id], now, reason=reason)
    event = RewardRefused(
        reward_id=reward_id, claim_id=None, lead_id=row.lead_id, plan=row.plan, area=row.area, agency=row.agency,
        outcome=new.value, reason=reason, amount=amount, at=now,
    )  # fmt: skip
    await outbox.put(conn, kit.outbox, [event], now)
    await fund.settle(conn, service, line, was_short, now)


@dataclass(frozen=True, slots=True)
class Payment:
    """One part paid out."""

    share_id: UUID
    reward_id: UUID
    amount: Decimal
    paid_at: datetime
    voucher_no: str
    replayed: bool


async def pay(
    conn: AsyncConnection, service: Service, caller: Caller, typed: str, voucher_no: str, claim: Claim, now: datetime
) -> Payment:
    """Pay the part that a token stands for, once. No name is asked for or kept.

    NotFound for a token that is none; Conflict when it was paid before, has run out, or the reward is not approved.
    """
    token = clean_code(typed)
    found = None
    if token is not None:
        query = (
            select(_s.c.id, _s.c.proposal_id)
            .join(_p, _p.c.id == _s.c.proposal_id)
            .where(
                _s.c.token_hash == token_hash(service.settings.keys, token),
                scope(caller, "reward.disburse", plan=_p.c.plan, agency=lambda agency: _p.c.agency == agency),
            )
        )
        found = (await conn.execute(query)).one_or_none()
    if found is None:
        raise NotFound("没有这个领奖码，请核对后再试。 No such payout token; please check it.", code="wrong-token")
    row = (await conn.execute(select(_p).where(_p.c.id == found.proposal_id).with_for_update())).one()
    share = (await conn.execute(select(_s).where(_s.c.id == found.id))).one()
    before = await known(conn, claim, now)
    if before is not None and share.paid_at is not None:
        return Payment(share.id, row.id, share.amount, share.paid_at, share.voucher_no, True)
    if share.paid_at is not None:
        raise Conflict(
            f"这份奖励已于 {share.paid_at:%Y-%m-%d} 发放，不能重复领取。 This part was paid already; it is paid once.",
            code="already-paid",
        )
    if not share.live or share.token_until is None or share.token_until < now:
        raise Conflict(
            "领奖码已过期；奖励仍然有效，请凭回执号和领奖密码重新取码。 "
            "The token has run out; the reward stands. Get a new one with receipt and code.",
            code="token-expired",
        )
    open_parts = (
        await conn.execute(
            select(func.count()).where(_s.c.proposal_id == row.id, _s.c.live, _s.c.paid_at.is_(None))
        )
    ).scalar_one()
    try:
        new = after(State(row.state), Action.PAY_LAST if open_parts == 1 else Action.PAY)
    except NotAllowed as error:
        raise _refusal(error, row) from error
    line = Line(row.plan, row.fund, row.year)
    was_short = await fund.lock(conn, service, line, now)
    await conn.execute(
        update(_s).where(_s.c.id == share.id).values(paid_at=now, paid_by=caller.actor, voucher_no=voucher_no)
    )
    await fund.enter(
        conn, line, Entry.PAYMENT, share.amount,
        document_no=voucher_no, by=caller.actor, now=now, proposal_id=row.id, share_id=share.id,
    )  # fmt: skip
    await _moved(conn, row, new)
    await audit.record(conn, kit, caller, "reward.pay", "reward-share", [share.id], now, voucher=voucher_no)
    event = RewardPaid(
        reward_id=row.id, share_id=share.id, lead_id=row.lead_id, plan=row.plan, area=row.area, agency=row.agency,
        amount=share.amount, last=new is State.PAID, fund=row.fund, year=row.year, at=now,
    )  # fmt: skip
    await outbox.put(conn, kit.outbox, [event], now)
    await fund.settle(conn, service, line, was_short, now)
    return Payment(share.id, row.id, share.amount, now, voucher_no, False)
