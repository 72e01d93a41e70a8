"""The fund's entries. Who writes one holds the lock of its fund and year; the balance is the sum of entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain.rewards import fund as domain
from services.intake.domain.rewards.fund import Balance, Entry
from services.intake.queries import rewards as seen
from services.intake.tables import fund_entries, kit, reward_funds
from shared.events.rewards import RewardBudgetShort
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.clock import CHINA
from shared.kit.db import insert_many
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, NotFound
from shared.kit.service import Service
from shared.rules.plan import Plan


@dataclass(frozen=True, slots=True)
class Line:
    """A fund line of a plan in one year."""

    plan: str
    fund: str
    year: int


def line_of(plan: Plan, now: datetime) -> Line:
    """The line that pays rewards proposed now. Conflict when the plan has none."""
    fund = plan.reward_fund
    if fund is None:
        raise Conflict(
            "方案没有写明由哪笔经费支付举报奖励；未保存任何内容，请先在方案 funds 中写明。 "
            "The plan names no fund that pays rewards; nothing was kept.",
            code="no-reward-fund",
        )
    return Line(plan.id, fund.id, now.astimezone(CHINA).year)


async def lock(conn: AsyncConnection, service: Service, line: Line, now: datetime) -> bool:
    """Hold a fund and year until the transaction ends; whether a shortfall warning stands.

    When it is opened first, the sum the plan itself gives is entered, once.
    """
    table = reward_funds
    key = {"plan": line.plan, "fund": line.fund, "year": line.year}
    opened = await conn.execute(
        insert(table).values(**key, short=False).on_conflict_do_nothing().returning(table.c.year)
    )
    if opened.one_or_none() is not None:
        await _plan_sum(conn, service.plans[line.plan], line, now)
    query = select(table.c.short).filter_by(**key).with_for_update()
    return bool((await conn.execute(query)).scalar_one())


async def _plan_sum(conn: AsyncConnection, plan: Plan, line: Line, now: datetime) -> None:
    fund = next(f for f in plan.funds if f.id == line.fund)
    if not fund.yuan or not (plan.year_assumed or plan.year == line.year):
        return
    e = fund_entries
    before = select(e.c.seq).where(e.c.plan == line.plan, e.c.fund == line.fund, e.c.by == "plan").limit(1)
    if (await conn.execute(before)).one_or_none() is None:
        await enter(conn, line, Entry.BUDGET, Decimal(fund.yuan), document_no=plan.name.zh, by="plan", now=now)


async def enter(
    conn: AsyncConnection,
    line: Line,
    kind: Entry,
    amount: Decimal,
    *,
    document_no: str,
    by: str,
    now: datetime,
    proposal_id: UUID | None = None,
    share_id: UUID | None = None,
) -> None:
    """Add one entry; entries are never changed or removed."""
    row: dict[str, Any] = {
        "plan": line.plan, "fund": line.fund, "year": line.year, "kind": kind.value, "amount": amount,
        "proposal_id": proposal_id, "share_id": share_id, "document_no": document_no, "at": now, "by": by,
    }  # fmt: skip
    await insert_many(conn, fund_entries, [row])


async def settle(
    conn: AsyncConnection, service: Service, line: Line, was_short: bool, now: datetime
) -> Balance:
    """The balance after a change; when money begins to run short, say so before it is gone (D-L)."""
    plan = service.plans[line.plan]
    balance = await seen.balance(conn, line.plan, line.fund, line.year)
    expected = await seen.expected(conn, service, plan, now)
    short = domain.short(balance, expected=expected, warn_below_percent=plan.rewards.warn_below_percent)
    if short != was_short:
        await conn.execute(
            update(reward_funds).filter_by(plan=line.plan, fund=line.fund, year=line.year).values(short=short)
        )
    if short and not was_short:
        fund = next(f for f in plan.funds if f.id == line.fund)
        event = RewardBudgetShort(
            warning_id=new_id(), plan=line.plan, fund=line.fund, keeper=fund.keeper, year=line.year,
            budget=balance.budget, committed=balance.committed, paid=balance.paid, expected=expected, at=now,
            dataref=f"{service.settings.base_url('intake')}/funds/{line.fund}/{line.year}",
        )  # fmt: skip
        await outbox.put(conn, kit.outbox, [event], now)
    return balance


async def give(
    conn: AsyncConnection,
    service: Service,
    caller: Caller,
    line: Line,
    amount: Decimal,
    document_no: str,
    now: datetime,
) -> Balance:
    """Enter money for the year, or take it back (negative), as its keeper.

    NotFound for a fund out of reach; Conflict when more would be taken back than is free.
    """
    plan = service.plans[line.plan]
    fund = plan.reward_fund
    reach = caller.reach("fund.manage")
    if fund is None or fund.id != line.fund or (reach not in ("plan", "all") and fund.keeper != caller.agency):
        raise NotFound("没有这笔经费，或不在您的权限内。 No such fund within your reach.")
    was_short = await lock(conn, service, line, now)
    balance = await seen.balance(conn, line.plan, line.fund, line.year)
    if amount == 0 or (amount < 0 and balance.available + amount < 0):
        raise Conflict(
            f"可用余额为 {balance.available} 元，不能这样调整；未保存任何内容。 "
            f"{balance.available} yuan are free; this change is not possible and nothing was kept.",
            code="budget-cut",
        )
    await enter(conn, line, Entry.BUDGET, amount, document_no=document_no, by=caller.actor, now=now)
    await audit.record(
        conn, kit, caller, "fund.budget", "fund", [f"{line.plan}/{line.fund}/{line.year}"], now, amount=str(amount)
    )
    return await settle(conn, service, line, was_short, now)


async def watch(conn: AsyncConnection, service: Service, plans: Sequence[Plan], now: datetime) -> dict[str, Balance]:
    """Look at the funds of this year: claims that came in may make the money short. Each plan's balance."""
    found = {}
    for plan in plans:
        if plan.reward_fund is not None and plan.rewards.schemes:
            line = line_of(plan, now)
            found[plan.id] = await settle(conn, service, line, await lock(conn, service, line, now), now)
    return found
