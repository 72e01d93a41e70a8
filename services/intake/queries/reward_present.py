"""Rewards as their callers are shown them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain.rewards import fund as domain
from services.intake.domain.rewards.fund import Balance
from services.intake.queries import rewards as seen
from services.intake.schemas.rewards import CodeRequestOut
from shared.kit.access import Caller
from shared.kit.clock import CHINA
from shared.kit.service import Service
from shared.rules.plan import Plan


def reward_out(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A proposal as `RewardOut`."""
    shown = {str(name): row[name] for name in row if name not in ("id", "steps")}
    return {"reward_id": row["id"], **shown}


async def reward_full(conn: AsyncConnection, row: Mapping[Any, Any]) -> dict[str, Any]:
    """A proposal with steps, parts and approvals, as `RewardFull`."""
    return {
        **reward_out(row),
        "steps": row["steps"],
        "shares": [
            {
                "share_id": share.id, "reported_at": share.received_at, "channel": share.channel,
                "amount": share.amount, "claimed": share.claimed, "paid_at": share.paid_at,
                "voucher_no": share.voucher_no,
            }
            for share in await seen.shares(conn, row["id"])
        ],
        "approvals": [
            {"number": one.number, "approver": one.approver, "at": one.at}
            for one in await seen.approvals(conn, row["id"])
        ],
    }  # fmt: skip


def claim_out(row: Any) -> dict[str, Any]:
    """A claim as `ClaimOut`."""
    return {
        "claim_id": row.id, "plan": row.plan, "area": row.area, "lead_id": row.lead_id,
        "reported_at": row.received_at, "channel": row.channel, "state": row.state, "reason": row.reason,
        "reward_id": row.proposal_id, "opened_at": row.opened_at, "version": row.version,
    }  # fmt: skip


def fund_out(plan: Plan, fund: str, year: int, balance: Balance, expected: Decimal) -> dict[str, Any]:
    """A fund in one year as `FundOut`."""
    return {
        "plan": plan.id, "fund": fund, "year": year, "budget": balance.budget, "committed": balance.committed,
        "paid": balance.paid, "available": balance.available, "expected": expected,
        "short": domain.short(balance, expected=expected, warn_below_percent=plan.rewards.warn_below_percent),
    }  # fmt: skip


async def funds(conn: AsyncConnection, service: Service, caller: Caller, now: Any) -> list[dict[str, Any]]:
    """Every reward fund the caller may see, by year, newest first; the current year always."""
    found = []
    this_year = now.astimezone(CHINA).year
    for plan in service.plans.values():
        fund = plan.reward_fund
        if fund is None or not seen.visible_funds(caller, plan):
            continue
        years = {row.year for row in await seen.fund_years(conn, plan.id, fund.id)} | {this_year}
        for year in sorted(years, reverse=True):
            expected = await seen.expected(conn, service, plan, now) if year == this_year else Decimal(0)
            balance = await seen.balance(conn, plan.id, fund.id, year)
            found.append(fund_out(plan, fund.id, year, balance, expected))
    return found


def code_request_out(row: Any, caller: Caller) -> dict[str, Any]:
    """A row as `CodeRequestOut`; `mine`: the caller agreed first, so another person must follow."""
    names = CodeRequestOut.model_fields.keys() - {"mine"}
    return {name: getattr(row, name) for name in names} | {"mine": row.first_by == caller.actor}
