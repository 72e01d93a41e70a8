"""Rewards and the fund, within what the caller may see."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, exists, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain.rewards.fund import Balance, Entry
from services.intake.domain.rewards.reasons import REASONS
from services.intake.domain.rewards.sharing import Report
from services.intake.domain.rewards.states import State
from services.intake.schemas.tips import Words
from services.intake.tables import (
    fund_entries,
    leads,
    reward_approvals,
    reward_claims,
    reward_code_requests,
    reward_funds,
    reward_proposals,
    reward_shares,
    tips,
)
from shared.kit.access import Caller, scope
from shared.kit.clock import CHINA
from shared.kit.service import Service
from shared.rules.plan import Plan

Seek = tuple[datetime, UUID]

KEEP_THE_CODE = Words(
    zh="请记下领奖密码，它只显示这一次。凭回执号可以查看进展；批准后凭回执号和领奖密码换取领奖码，到窗口领取，不需要姓名。",
    en="Note this code; it is shown once. Follow the reward by receipt; when it is approved, receipt and code give a token for the counter. No name is needed.",
)
"""What is told with the one-time code."""


def visible_claims(caller: Caller, right: str = "reward.read") -> ColumnElement[bool]:
    """Claims on tips of the caller's reach (joined with `tips`)."""
    return scope(
        caller,
        right,
        plan=reward_claims.c.plan,
        agency=lambda agency: tips.c.agency == agency,
        area=reward_claims.c.area,
    )


def visible_rewards(caller: Caller, right: str = "reward.read") -> ColumnElement[bool]:
    """Proposals within the caller's reach."""
    return scope(
        caller,
        right,
        plan=reward_proposals.c.plan,
        agency=lambda agency: reward_proposals.c.agency == agency,
        area=reward_proposals.c.area,
    )


def lead_in_reach(caller: Caller, right: str) -> ColumnElement[bool]:
    """Leads for which the caller holds a right of rewards or retention."""
    return scope(
        caller, right, plan=leads.c.plan, agency=lambda agency: leads.c.agency == agency, area=leads.c.area
    )


async def list_rewards(
    conn: AsyncConnection, caller: Caller, *, states: Sequence[str], lead_id: UUID | None, after: Seek | None, limit: int
) -> Sequence[Row[Any]]:
    """Proposals, oldest first, one more than `limit` when there is a next page."""
    p = reward_proposals
    query = select(p).where(visible_rewards(caller))
    if states:
        query = query.where(p.c.state.in_(states))
    if lead_id:
        query = query.where(p.c.lead_id == lead_id)
    if after:
        query = query.where(tuple_(p.c.proposed_at, p.c.id) > tuple_(*after))
    return (await conn.execute(query.order_by(p.c.proposed_at, p.c.id).limit(limit + 1))).all()


async def reward(
    conn: AsyncConnection, caller: Caller, reward_id: UUID, right: str = "reward.read"
) -> Row[Any] | None:
    """One proposal, if the caller may see it, or act on it by another right."""
    query = select(reward_proposals).where(reward_proposals.c.id == reward_id, visible_rewards(caller, right))
    return (await conn.execute(query)).one_or_none()


async def shares(conn: AsyncConnection, reward_id: UUID) -> Sequence[Row[Any]]:
    """A proposal's parts, earliest reporter first; `claimed`: its reporter asked for it."""
    s = reward_shares
    claimed = exists().where(reward_claims.c.tip_id == s.c.tip_id).label("claimed")
    query = (
        select(s, tips.c.received_at, tips.c.channel, claimed)
        .join(tips, tips.c.id == s.c.tip_id)
        .where(s.c.proposal_id == reward_id)
        .order_by(tips.c.received_at, tips.c.id)
    )
    return (await conn.execute(query)).all()


async def approvals(conn: AsyncConnection, reward_id: UUID) -> Sequence[Row[Any]]:
    """Who approved, in order."""
    a = reward_approvals
    return (await conn.execute(select(a).where(a.c.proposal_id == reward_id).order_by(a.c.number))).all()


async def list_claims(
    conn: AsyncConnection, caller: Caller, *, state: str | None, waiting: bool, after: Seek | None, limit: int
) -> Sequence[Row[Any]]:
    """Claims, oldest first. `waiting`: only open ones that no live proposal covers."""
    c, s = reward_claims, reward_shares
    query = (
        select(c, tips.c.lead_id, tips.c.received_at, tips.c.channel, s.c.proposal_id)
        .join(tips, tips.c.id == c.c.tip_id)
        .outerjoin(s, and_(s.c.tip_id == c.c.tip_id, s.c.live))
        .where(visible_claims(caller))
    )
    if waiting:
        query = query.where(c.c.state == "open", s.c.id.is_(None))
    elif state:
        query = query.where(c.c.state == state)
    if after:
        query = query.where(tuple_(c.c.opened_at, c.c.id) > tuple_(*after))
    return (await conn.execute(query.order_by(c.c.opened_at, c.c.id).limit(limit + 1))).all()


async def claim(conn: AsyncConnection, caller: Caller, claim_id: UUID) -> Row[Any] | None:
    """One claim, as `list_claims` gives it."""
    c, s = reward_claims, reward_shares
    query = (
        select(c, tips.c.lead_id, tips.c.received_at, tips.c.channel, s.c.proposal_id)
        .join(tips, tips.c.id == c.c.tip_id)
        .outerjoin(s, and_(s.c.tip_id == c.c.tip_id, s.c.live))
        .where(visible_claims(caller), c.c.id == claim_id)
    )
    return (await conn.execute(query)).one_or_none()


async def reports(conn: AsyncConnection, lead_id: UUID) -> tuple[list[Report], set[UUID]]:
    """A lead's tips as reports, and those whose claim was refused."""
    query = (
        select(tips.c.id, tips.c.received_at, tips.c.channel, reward_claims.c.state)
        .outerjoin(reward_claims, reward_claims.c.tip_id == tips.c.id)
        .where(tips.c.lead_id == lead_id, tips.c.state == "lead")
        .order_by(tips.c.received_at, tips.c.id)
        .limit(2000)
    )
    rows = (await conn.execute(query)).all()
    return (
        [Report(row.id, row.received_at, row.channel) for row in rows],
        {row.id for row in rows if row.state == "refused"},
    )


async def balance(conn: AsyncConnection, plan: str, fund: str, year: int) -> Balance:
    """What the entries of a fund and year add up to."""
    e = fund_entries
    query = (
        select(e.c.kind, func.sum(e.c.amount).label("sum"))
        .where(e.c.plan == plan, e.c.fund == fund, e.c.year == year)
        .group_by(e.c.kind)
    )
    sums: dict[str, Decimal] = {row.kind: row.sum for row in await conn.execute(query)}
    paid = sums.get(Entry.PAYMENT, Decimal(0))
    committed = sums.get(Entry.COMMITMENT, Decimal(0)) - sums.get(Entry.RELEASE, Decimal(0)) - paid
    return Balance(sums.get(Entry.BUDGET, Decimal(0)), committed, paid)


async def expected(conn: AsyncConnection, service: Service, plan: Plan, now: datetime) -> Decimal:
    """The least that open claims without a proposal will cost: their number times the lowest floor in force."""
    day = now.astimezone(CHINA).date()
    floors = [
        Decimal(str(plan.reward_number(level.floor, day, service.law).value))
        for scheme in plan.rewards.in_force(day)
        for level in scheme.levels
        if level.floor
    ]
    if not floors:
        return Decimal(0)
    c, s = reward_claims, reward_shares
    query = select(func.count()).where(
        c.c.plan == plan.id, c.c.state == "open", ~exists().where(s.c.tip_id == c.c.tip_id, s.c.live)
    )
    return min(floors) * (await conn.execute(query)).scalar_one()


def visible_funds(caller: Caller, plan: Plan) -> bool:
    """Whether the caller may see the plan's reward fund: its keeper, or by reach."""
    reach, fund = caller.reach("fund.read"), plan.reward_fund
    if fund is None or reach is None:
        return False
    if reach == "all":
        return True
    return caller.plan == plan.id and (reach == "plan" or caller.agency == fund.keeper)


async def fund_years(conn: AsyncConnection, plan: str, fund: str) -> Sequence[Row[Any]]:
    """The years a fund has entries for, newest first, and whether a shortfall warning stands."""
    f = reward_funds
    query = select(f.c.year, f.c.short).where(f.c.plan == plan, f.c.fund == fund).order_by(f.c.year.desc())
    return (await conn.execute(query)).all()


async def entries(
    conn: AsyncConnection, plan: str, fund: str, year: int, *, kinds: Sequence[str], after: int | None, limit: int
) -> Sequence[Row[Any]]:
    """A fund's entries, newest first, one more than `limit` when there is a next page."""
    e = fund_entries
    query = select(e).where(e.c.plan == plan, e.c.fund == fund, e.c.year == year)
    if kinds:
        query = query.where(e.c.kind.in_(kinds))
    if after is not None:
        query = query.where(e.c.seq < after)
    return (await conn.execute(query.order_by(e.c.seq.desc()).limit(limit + 1))).all()


async def of_tip(conn: AsyncConnection, tip_id: UUID) -> tuple[Row[Any] | None, Row[Any] | None, bool]:
    """A tip's claim, its latest part with the proposal's state and reason, and whether another got the reward."""
    claimed = (await conn.execute(select(reward_claims).where(reward_claims.c.tip_id == tip_id))).one_or_none()
    s, p = reward_shares, reward_proposals
    part = (
        select(s, p.c.state, p.c.reason)
        .join(p, p.c.id == s.c.proposal_id)
        .where(s.c.tip_id == tip_id)
        .order_by(s.c.live.desc(), p.c.proposed_at.desc())
        .limit(1)
    )
    share = (await conn.execute(part)).one_or_none()
    others = select(p.c.id).where(
        p.c.lead_id == select(tips.c.lead_id).where(tips.c.id == tip_id).scalar_subquery(),
        p.c.state.in_([State.APPROVED.value, State.PARTLY_PAID.value, State.PAID.value]),
        or_(share is None, ~exists().where(s.c.proposal_id == p.c.id, s.c.tip_id == tip_id)),
    )
    elsewhere = share is None and (await conn.execute(others.limit(1))).one_or_none() is not None
    return claimed, share, elsewhere


def standing(
    plan: Plan, tip: Mapping[Any, Any], claimed: Row[Any] | None, share: Row[Any] | None, elsewhere: bool
) -> dict[str, Any]:
    """How the reward of a tip stands, as `RewardStanding`: what the holder of its receipt reads."""
    rewardable = tip["state"] == "lead" and tip["channel"] in plan.rewards.channels and bool(plan.rewards.schemes)
    state, amount, collect = "claimed" if claimed else "none", None, False
    zh, en = (
        ("您可以申领举报奖励：查实并作出处理后，按规定给予奖励，不需要姓名。", "You can ask for the reward: when the report proves true it is paid by the rules, without a name.")
        if rewardable
        else ("这条举报不在举报奖励范围内。", "This report is not within the scheme of rewards.")
    )
    if claimed:
        zh, en = (
            "已收到您的申领。查实并作出处理后，由打传办提出奖励建议。请保管好回执号和领奖密码。",
            "Your claim is recorded. When the matter is decided, the office proposes the reward. Keep receipt and code.",
        )
    if elsewhere:
        zh, en = (
            "同一情况已奖励更早的举报人；感谢您的举报。",
            "The reward of this matter went to an earlier reporter. Thank you all the same.",
        )
    if claimed and claimed.state == "refused":
        said = REASONS[claimed.reason]
        state, zh, en = "refused", f"申领未予通过：{said[0]}。", f"The claim was refused: {said[1]}."
    elif share is not None:
        state, zh, en = _of_share(share, bool(claimed), plan)
        if share.state in (State.APPROVED.value, State.PARTLY_PAID.value, State.PAID.value):
            amount = share.amount
        collect = bool(claimed) and state == "ready"
    elif not rewardable:
        state = "not-rewarded"
    return {
        "state": state,
        "claimed": claimed is not None,
        "can_claim": rewardable and claimed is None and tip["anonymised_at"] is None,
        "can_collect": collect,
        "amount": amount,
        "words": Words(zh=zh, en=en),
    }


def _of_share(share: Row[Any], claimed: bool, plan: Plan) -> tuple[str, str, str]:
    if share.paid_at is not None:
        return "paid", f"奖励 {share.amount} 元已经发放。", f"The reward of {share.amount} yuan has been paid."
    if share.state in (State.APPROVED.value, State.PARTLY_PAID.value):
        how = (
            ("请用回执号和领奖密码换取领奖码，到窗口领取。", "Exchange receipt and code for a token and collect it at the counter.")
            if claimed
            else ("请先申领，取得领奖密码。", "Ask for it first to get your code.")
        )
        return (
            "ready",
            f"奖励 {share.amount} 元已经批准。{how[0]}",
            f"A reward of {share.amount} yuan has been approved. {how[1]}",
        )
    if not share.live:
        said = REASONS.get(share.reason or "", ("", ""))
        return "refused", f"奖励未予发放：{said[0]}。", f"The reward was not given: {said[1]}."
    return (
        "deciding",
        "已提出奖励建议，正在审批。",
        "A reward has been proposed and is being decided.",
    )


async def undecided_by(conn: AsyncConnection, caller: Caller) -> Sequence[Row[Any]]:
    """Rewards that wait for this caller's approval: not proposed and not yet approved by them."""
    p, a = reward_proposals, reward_approvals
    query = select(p.c.id).where(
        visible_rewards(caller, "reward.pay"),
        p.c.state.in_([State.PROPOSED.value, State.ONCE_APPROVED.value]),
        p.c.proposed_by != caller.actor,
        ~exists().where(a.c.proposal_id == p.c.id, a.c.approver == caller.actor),
    )
    return (await conn.execute(query.limit(500))).all()


def _codes(caller: Caller) -> Any:
    return (
        select(reward_code_requests)
        .join(tips, tips.c.id == reward_code_requests.c.tip_id)
        .join(reward_claims, reward_claims.c.id == reward_code_requests.c.claim_id)
        .where(visible_claims(caller))
    )


async def code_requests(
    conn: AsyncConnection, caller: Caller, *, state: str | None, after: Any, limit: int
) -> Sequence[Row[Any]]:
    """Requests for new codes within reach, oldest first; those still to be decided unless a state is asked for."""
    r = reward_code_requests.c
    query = _codes(caller).where(r.state == state if state else r.state.in_(("asked", "agreed")))
    if after:
        query = query.where(tuple_(r.asked_at, r.id) > tuple_(*after))
    return (await conn.execute(query.order_by(r.asked_at, r.id).limit(limit + 1))).all()


async def code_request(conn: AsyncConnection, caller: Caller, request_id: UUID) -> Row[Any] | None:
    """One request within reach, or None."""
    return (await conn.execute(_codes(caller).where(reward_code_requests.c.id == request_id))).one_or_none()
