"""Proposing a reward: reckoned by the scheme in force when the matter was reported, for the earliest reporter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.rewards import fund
from services.intake.commands.rewards.asking import by_post, known
from services.intake.commands.rewards.fund import Line
from services.intake.domain.rewards.amount import Amount, Facts, NotReckonable, Number, reckon
from services.intake.domain.rewards.fund import Entry
from services.intake.domain.rewards.sharing import Entitled, entitled, split
from services.intake.domain.rewards.states import State
from services.intake.queries import rewards as seen
from services.intake.schemas.rewards import RewardFacts
from services.intake.tables import kit, leads, reward_proposals, reward_shares
from shared.events.rewards import RewardProposed
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.clock import CHINA
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Invalid, NotFound
from shared.kit.service import Service
from shared.rules.plan import Plan
from shared.rules.plan.rewards import RewardScheme


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A reward reckoned and shared out, not yet kept."""

    lead: Row[Any]
    scheme: RewardScheme
    day: date
    amount: Amount
    persons: Entitled
    parts: tuple[Decimal, ...]
    line: Line


def numbers(service: Service, plan: Plan, day: date) -> Callable[[str], Number]:
    """Each rule's number in force on a day, with its article and certainty."""

    def number(rule: str) -> Number:
        line = plan.reward_number(rule, day, service.law)
        value = line.limit.at_least if line.value is None else line.value
        return Number(Decimal(str(value)), rule, line.article, line.certainty, line.provisional)

    return number


async def reckoned(
    conn: AsyncConnection, service: Service, caller: Caller, asked: RewardFacts, now: datetime, *, keep: bool = False
) -> Reckoned:
    """What would be proposed for a lead; with `keep` the lead stays locked until the transaction ends.

    NotFound for a lead out of reach; Invalid for facts or a scheme that do not fit; Conflict when nobody is entitled.
    """
    query = select(leads).where(leads.c.id == asked.lead_id, seen.lead_in_reach(caller, "reward.propose"))
    lead = (await conn.execute(query.with_for_update() if keep else query)).one_or_none()
    if lead is None:
        raise NotFound("没有这条线索，或不在您的权限内。 No such lead within your reach.")
    plan = service.plans[lead.plan]
    by_post(caller, plan, "reward.propose")
    if lead.merged_into is not None:
        raise Conflict(
            "这条线索已并入另一条线索，请在那条线索上提出奖励建议；未保存任何内容。 "
            "This lead was joined with another; propose the reward there. Nothing was kept.",
            code="merged-lead", lead_id=str(lead.merged_into),
        )  # fmt: skip
    reports, refused = await seen.reports(conn, lead.id)
    persons = entitled(
        reports,
        channels=plan.rewards.channels,
        window=timedelta(seconds=plan.rewards.same_time_seconds),
        joined=asked.joined,
        excluded=refused,
    )
    if not persons.tips:
        raise Conflict(
            "这条线索没有可以奖励的举报人（只有部门自己的发现，或申领均未通过）；未保存任何内容。 "
            "No reporter of this lead can be rewarded; nothing was kept.",
            code="nobody-entitled",
        )
    if not set(asked.joined) <= set(persons.tips):
        raise _wrong("joined", "合并奖励的举报不属于这条线索。", "A joined tip is not a rewardable one of this lead.")
    times = {report.tip_id: report.received_at for report in reports}
    day = times[persons.tips[0]].astimezone(CHINA).date()
    scheme = plan.rewards.scheme(asked.scheme)
    if scheme is None or not scheme.covers(day):
        in_force = "、".join(f"{s.id}（{s.name.zh}）" for s in plan.rewards.in_force(day)) or "没有 / none"
        raise _wrong(
            "scheme", f"收到举报之日（{day}）有效的奖励办法：{in_force}。", f"Schemes in force on {day}: {in_force}."
        )
    try:
        amount = reckon(
            scheme, asked.level, Facts(asked.fine, asked.confiscated, asked.dens), numbers(service, plan, day)
        )
        parts = split(amount.total, len(persons.tips))
    except NotReckonable as error:
        field = {"level": "level", "dens": "dens", "amount": "fine"}[error.code]
        said = {
            "level": ("请选择本办法的奖励等级。", "Choose a level of this scheme."),
            "dens": ("按窝点奖励须填查实的窝点数。", "Give the number of dens found."),
            "amount": ("金额超出可记范围。", "The amount is out of range."),
        }[error.code]
        raise _wrong(field, *said) from error
    if keep and amount.settle_with_finance and not asked.finance_no:
        raise _wrong(
            "finance_no", "奖励达到须与同级财政商定的数额，请填财政同意文号。",
            "This sum is settled with the finance office first; give the number of its consent.",
        )  # fmt: skip
    if min(parts) <= 0:
        raise _wrong("fine", "计算结果为零，无可奖励。", "The result is nothing; there is nothing to reward.")
    return Reckoned(lead, scheme, day, amount, persons, parts, fund.line_of(plan, now))


def _wrong(field: str, zh: str, en: str) -> Invalid:
    return Invalid(
        f"{zh}未保存任何内容。 {en} Nothing was kept.", errors=[{"field": field, "code": "unfit", "message": en}]
    )


async def propose(
    conn: AsyncConnection, service: Service, caller: Caller, asked: RewardFacts, claim: Claim, now: datetime
) -> UUID:
    """Record a proposal and set its sum aside in the fund; its id, the first one's for a request sent again.

    Conflict when the lead's reporter already has, or is to have, a reward.
    """
    before = await known(conn, claim, now)
    if before is not None:
        return before
    made = await reckoned(conn, service, caller, asked, now, keep=True)
    plan = service.plans[made.lead.plan]
    await _not_twice(conn, plan, made)
    reward_id = claim.object_id
    was_short = await fund.lock(conn, service, made.line, now)
    await insert_many(conn, reward_proposals, [_row(reward_id, caller, asked, made, now)])
    try:
        await insert_many(conn, reward_shares, _share_rows(reward_id, made))
    except IntegrityError as error:
        raise _twice() from error
    await fund.enter(
        conn, made.line, Entry.COMMITMENT, made.amount.total,
        document_no=asked.document_no, by=caller.actor, now=now, proposal_id=reward_id,
    )  # fmt: skip
    await audit.record(
        conn, kit, caller, "reward.propose", "reward", [reward_id], now,
        lead=str(made.lead.id), scheme=made.scheme.id, total=str(made.amount.total), document=asked.document_no,
    )  # fmt: skip
    event = RewardProposed(
        reward_id=reward_id, lead_id=made.lead.id, plan=plan.id, area=made.lead.area, agency=made.lead.agency,
        scheme=made.scheme.id, level=asked.level, shares=len(made.parts), amount=made.amount.total,
        fund=made.line.fund, year=made.line.year, at=now,
        dataref=f"{service.settings.base_url('intake')}/v1/rewards/{reward_id}",
    )  # fmt: skip
    await outbox.put(conn, kit.outbox, [event], now)
    await fund.settle(conn, service, made.line, was_short, now)
    return reward_id


async def _not_twice(conn: AsyncConnection, plan: Plan, made: Reckoned) -> None:
    s = reward_shares
    query = select(s.c.scheme, s.c.tip_id).where(s.c.live, (s.c.lead_id == made.lead.id) | s.c.tip_id.in_(made.persons.tips))
    for row in await conn.execute(query):
        if row.scheme == made.scheme.id or plan.rewards.one_scheme:
            raise _twice()


def _twice() -> Conflict:
    return Conflict(
        "这条线索的举报人已有奖励或奖励建议，同一举报不重复奖励；原记录未变，新建议没有保存。 "
        "The reporter of this lead has a reward or a proposal already; that one stands and nothing new was kept.",
        code="already-rewarded",
    )


def _row(reward_id: UUID, caller: Caller, asked: RewardFacts, made: Reckoned, now: datetime) -> dict[str, Any]:
    return {
        "id": reward_id,
        "plan": made.lead.plan,
        "lead_id": made.lead.id,
        "area": made.lead.area,
        "agency": made.lead.agency,
        "scheme": made.scheme.id,
        "level": asked.level if made.scheme.levels else None,
        "day": made.day,
        "fine": asked.fine,
        "confiscated": asked.confiscated,
        "dens": asked.dens,
        "source": "hand",
        "document_no": asked.document_no,
        "finance_no": asked.finance_no,
        "known_before": made.persons.known_before,
        "total": made.amount.total,
        "steps": step_list(made.amount),
        "provisional": made.amount.provisional,
        "fund": made.line.fund,
        "year": made.line.year,
        "state": State.PROPOSED.value,
        "reason": None,
        "proposed_by": caller.actor,
        "proposed_at": now,
        "decided_at": None,
        "version": 1,
    }


def step_list(amount: Amount) -> list[dict[str, Any]]:
    """Steps as they are kept and shown."""
    return [
        {
            "rule": step.rule, "zh": step.zh, "en": step.en, "result": str(step.result), "article": step.article,
            "certainty": step.certainty, "provisional": step.provisional,
        }
        for step in amount.steps
    ]  # fmt: skip


def _share_rows(reward_id: UUID, made: Reckoned) -> Sequence[dict[str, Any]]:
    return [
        {
            "id": new_id(), "proposal_id": reward_id, "tip_id": tip_id, "lead_id": made.lead.id,
            "scheme": made.scheme.id, "amount": part, "live": True, "token_hash": None, "token_until": None,
            "paid_at": None, "paid_by": None, "voucher_no": None,
        }
        for tip_id, part in zip(made.persons.tips, made.parts, strict=True)
    ]  # fmt: skip
