"""Asking for a reward by receipt, and collecting it: a one-time code stands for the person, never a name."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.rewards.asking import known, same_version
from services.intake.domain.rewards.codes import clean_code, derived_code, random_code
from services.intake.domain.rewards.states import State
from services.intake.queries import rewards as seen
from services.intake.tables import kit, reward_claims, reward_proposals, reward_shares, tips
from shared.events.rewards import RewardRefused
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, NotFound, Problem, TooMany
from shared.kit.service import Service

MOST_MISSES = 5
"""Wrong codes for one receipt, then it pauses."""
PAUSE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Token:
    """A payout token, and until when it is good."""

    token: str
    amount: Decimal
    until: datetime


def code_hash(keys: KeyRing, tip_id: UUID, code: str) -> bytes:
    """How a claim's code is kept."""
    return keys.token("receipt_lookup", "reward-code", tip_id.bytes, code)


def token_hash(keys: KeyRing, token: str) -> bytes:
    """How a payout token is kept, and found."""
    return keys.token("receipt_lookup", "payout-token", token)


async def open_claim(conn: AsyncConnection, service: Service, tip: Any, key: str | None, now: datetime) -> str:
    """Open the claim of a tip and give its code, which is shown once; the same `key` is given the same code again.

    Forbidden when the tip is not within the scheme; Conflict when the claim is open already under another key.
    """
    plan, keys = service.plans[tip.plan], service.settings.keys
    if not (tip.state == "lead" and tip.channel in plan.rewards.channels and plan.rewards.schemes):
        raise Forbidden(
            "这条举报不在举报奖励范围内，未作任何改动。 This report is not within the scheme; nothing was changed.",
            code="not-rewardable",
        )
    code = derived_code(keys.token("receipt", "reward-code", tip.id.bytes, key)) if key else random_code()
    hashed = code_hash(keys, tip.id, code)
    row = {
        "id": new_id(), "plan": tip.plan, "tip_id": tip.id, "area": tip.area, "state": "open", "reason": None,
        "code_hash": hashed, "misses": 0, "missed_at": None, "opened_at": now, "version": 1,
    }  # fmt: skip
    made = await insert_many(
        conn, reward_claims, [row], conflict="ON CONFLICT (tip_id) DO NOTHING", returning="id"
    )
    if made:
        # by nobody: who asks with a receipt is not known, and the entry names the tip alone
        await audit.record(conn, kit, Caller("anonymous", ""), "reward.claim", "tip", [tip.id], now)
        return code
    there = (
        await conn.execute(select(reward_claims.c.code_hash).where(reward_claims.c.tip_id == tip.id))
    ).scalar_one()
    if not hmac.compare_digest(bytes(there), hashed):
        raise Conflict(
            "这个回执号已经申领过，领奖密码只显示一次；原来的申领有效，请使用当时记下的密码。 "
            "This receipt has a claim already and its code was shown once; the claim stands. Use the code you noted.",
            code="already-claimed",
        )
    return code


async def collect(
    conn: AsyncConnection, service: Service, tip: Any, typed: str, now: datetime
) -> Token | Problem:
    """A payout token for the receipt and code. A wrong code is counted, so the refusal is returned, not raised."""
    c, s, p = reward_claims, reward_shares, reward_proposals
    keys = service.settings.keys
    claim = (await conn.execute(select(c).where(c.c.tip_id == tip.id).with_for_update())).one_or_none()
    if claim is not None and claim.misses >= MOST_MISSES and claim.missed_at > now - PAUSE:
        return TooMany(
            "领奖密码多次输错，请 24 小时后再试；您的奖励不受影响。 Too many wrong codes; wait 24 hours. Nothing is lost.",
            headers={"retry-after": str(int((claim.missed_at + PAUSE - now).total_seconds()) + 1)},
        )
    code = clean_code(typed)
    right = claim is not None and code is not None and hmac.compare_digest(
        bytes(claim.code_hash), code_hash(keys, tip.id, code)
    )  # fmt: skip
    if not right:
        if claim is not None:
            misses = claim.misses + 1 if claim.misses < MOST_MISSES else 1
            await conn.execute(update(c).where(c.c.id == claim.id).values(misses=misses, missed_at=now))
        return NotFound(
            "回执号与领奖密码不符，请核对后再试。 Receipt and code do not fit; please check them.", code="wrong-code"
        )
    await conn.execute(update(c).where(c.c.id == claim.id).values(misses=0, missed_at=None))
    found = (
        select(s.c.id, s.c.amount, s.c.paid_at, p.c.state)
        .join(p, p.c.id == s.c.proposal_id)
        .where(s.c.tip_id == tip.id, s.c.live)
        .with_for_update(of=s)
    )
    ready = [
        row
        for row in await conn.execute(found)
        if row.paid_at is None and row.state in (State.APPROVED.value, State.PARTLY_PAID.value)
    ]
    if not ready:
        return Conflict(
            "目前没有可以领取的奖励；请凭回执号查看进展。 There is nothing to collect now; see how it stands by receipt.",
            code="nothing-to-collect",
        )
    token = random_code()
    until = now + timedelta(days=service.plans[tip.plan].rewards.payout_days)
    await conn.execute(
        update(s).where(s.c.id == ready[0].id).values(token_hash=token_hash(keys, token), token_until=until)
    )
    await audit.record(conn, kit, Caller("anonymous", ""), "reward.token", "reward-share", [ready[0].id], now)
    return Token(token, ready[0].amount, until)


async def refuse_claim(
    conn: AsyncConnection,
    service: Service,
    caller: Caller,
    claim_id: UUID,
    reason: str,
    *,
    version: int,
    claim: Claim,
    now: datetime,
) -> None:
    """Refuse a claim with a reason, which its reporter reads by receipt.

    NotFound out of reach; Conflict when a live proposal covers it, or it was refused before.
    """
    c = reward_claims
    query = (
        select(c, tips.c.lead_id, tips.c.agency)
        .join(tips, tips.c.id == c.c.tip_id)
        .where(c.c.id == claim_id, seen.visible_claims(caller, "reward.propose"))
        .with_for_update(of=c)
    )
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise NotFound("没有这项申领，或不在您的权限内。 No such claim within your reach.")
    if await known(conn, claim, now) is not None:
        return
    same_version(row, version)
    s = reward_shares
    live = (await conn.execute(select(s.c.id).where(s.c.tip_id == row.tip_id, s.c.live))).first()
    if row.state != "open" or live:
        raise Conflict(
            "这项申领已经办结或已提出奖励建议；未作任何改动。 This claim is decided or has a proposal; nothing changed.",
            code="claim-decided",
        )
    await conn.execute(
        update(c).where(c.c.id == claim_id).values(state="refused", reason=reason, version=row.version + 1)
    )
    await audit.record(conn, kit, caller, "reward.claim-refuse", "reward-claim", [claim_id], now, reason=reason)
    event = RewardRefused(
        reward_id=None, claim_id=claim_id, lead_id=row.lead_id, plan=row.plan, area=row.area, agency=row.agency,
        outcome="refused", reason=reason, amount=None, at=now,
    )  # fmt: skip
    await outbox.put(conn, kit.outbox, [event], now)
