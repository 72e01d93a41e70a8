"""A reporter who lost the claim code gets a new one once two persons have agreed; the old one is dead from then on.

Whether it is the reporter who asks, the two find out as for every question: by the conversation under the receipt.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.rewards.asking import by_post, known, same_version
from services.intake.commands.rewards.claims import code_hash
from services.intake.domain.rewards.codes import derived_code, random_code
from services.intake.domain.rewards.reissue import OPEN, CodeAct, CodeState, NotNow, after
from services.intake.queries import rewards as seen
from services.intake.tables import kit, reward_claims, reward_code_requests, reward_shares, tips
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, NotFound
from shared.kit.service import Service

_NOBODY = Caller("anonymous", "")
r, c, s = reward_code_requests.c, reward_claims.c, reward_shares.c


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a request for a new code stands; `code` is the new one, the one time it is given."""

    state: CodeState
    code: str | None = None


async def ask(conn: AsyncConnection, service: Service, tip: Any, key: str | None, now: datetime) -> Asked:
    """Ask for a new code by receipt, or fetch it once two persons have agreed; the same `key` is given it again.

    Raises NotFound without a claim, Conflict when the claim was refused or everything is paid.
    """
    claim = (await conn.execute(select(reward_claims).where(c.tip_id == tip.id).with_for_update())).one_or_none()
    if claim is None:
        raise NotFound(
            "这个回执号还没有申领奖励，不需要补发密码。 This receipt has no claim, so there is no code to replace.",
            code="no-claim",
        )
    latest = select(reward_code_requests).where(r.claim_id == claim.id).order_by(r.asked_at.desc(), r.id.desc()).limit(1)
    there = (await conn.execute(latest)).one_or_none()
    keys = service.settings.keys
    code = derived_code(keys.token("receipt", "reward-code-again", claim.id.bytes, key)) if key else random_code()
    hashed = code_hash(keys, tip.id, code)
    if there is not None and there.state == CodeState.RELEASED:
        await conn.execute(
            update(reward_claims)
            .where(c.id == claim.id)
            .values(code_hash=hashed, misses=0, missed_at=None, version=claim.version + 1)
        )
        state = after(CodeState.RELEASED, CodeAct.GIVE, actor="", first_by=None)
        await conn.execute(
            update(reward_code_requests).where(r.id == there.id).values(state=state.value, given_at=now, version=there.version + 1)
        )
        await audit.record(conn, kit, _NOBODY, "reward.code-given", "tip", [tip.id], now)
        return Asked(state, code)
    if there is not None and there.state == CodeState.GIVEN and hmac.compare_digest(bytes(claim.code_hash), hashed):
        return Asked(CodeState.GIVEN, code)
    if there is not None and there.state in OPEN:
        return Asked(CodeState(there.state))
    live = select(s.id).where(s.tip_id == tip.id, s.live, s.paid_at.is_(None)).limit(1)
    paid = select(s.id).where(s.tip_id == tip.id, s.paid_at.is_not(None)).limit(1)
    over = (await conn.execute(live)).first() is None and (await conn.execute(paid)).first() is not None
    if claim.state != "open" or over:
        raise Conflict(
            "这项申领已经办结，不再补发密码；可凭回执号查看结果。 This claim has ended; no code is needed any more.",
            code="claim-decided",
        )
    row = {
        "id": new_id(), "plan": tip.plan, "area": tip.area, "claim_id": claim.id, "tip_id": tip.id,
        "state": CodeState.ASKED.value, "asked_at": now, "version": 1,
    }  # fmt: skip
    await insert_many(conn, reward_code_requests, [row])
    await audit.record(conn, kit, _NOBODY, "reward.code-ask", "tip", [tip.id], now)
    return Asked(CodeState.ASKED)


async def decide(
    conn: AsyncConnection, service: Service, caller: Caller, request_id: UUID, act: Literal["agree", "refuse"], *,
    version: int, claim: Claim, now: datetime,
) -> None:  # fmt: skip
    """Agree as the first or the second person, or refuse. The second agreement kills the old code and every token.

    The first person proposes rewards, the second approves them; both by their posts (X-O1). Raises NotFound,
    Forbidden (post, same person), Outdated or Conflict (decided).
    """
    query = (
        select(reward_code_requests, tips.c.agency)
        .join(tips, tips.c.id == r.tip_id)
        .join(reward_claims, c.id == r.claim_id)
        .where(r.id == request_id, seen.visible_claims(caller))
        .with_for_update(of=reward_code_requests)
    )
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise NotFound("没有这件补发申请，或不在您的权限内。 No such request within your reach.")
    if await known(conn, claim, now) is not None:
        return
    same_version(row, version)
    plan, state = service.plans[row.plan], CodeState(row.state)
    by_post(caller, plan, "reward.pay" if state is CodeState.AGREED else "reward.propose")
    try:
        saved = after(state, CodeAct(act), actor=caller.actor, first_by=row.first_by)
    except NotNow as refused:
        if refused.code == "same-person":
            raise Forbidden(
                "第一次同意的人不能再作第二次同意；未作更改。 The second person must be another one.", code="same-person"
            ) from refused
        raise Conflict(
            "这件补发申请已有决定，以首次决定为准。 This request is decided; that stands.", code="decided"
        ) from refused
    values: dict[str, Any] = {"state": saved.value, "version": row.version + 1}
    if saved is CodeState.REFUSED:
        values |= {"refused_by": caller.actor, "refused_at": now}
    elif saved is CodeState.AGREED:
        values |= {"first_by": caller.actor, "first_at": now}
    else:
        values |= {"second_by": caller.actor, "second_at": now}
        # nobody knows what this hash is of: the old code is dead before the new one is given
        dead = code_hash(service.settings.keys, row.tip_id, secrets.token_hex(32))
        await conn.execute(update(reward_claims).where(c.id == row.claim_id).values(code_hash=dead))
        await conn.execute(
            update(reward_shares)
            .where(s.tip_id == row.tip_id, s.paid_at.is_(None))
            .values(token_hash=None, token_until=None)
        )
    await conn.execute(update(reward_code_requests).where(r.id == request_id).values(**values))
    await audit.record(conn, kit, caller, f"reward.code-{act}", "reward-code", [request_id], now, state=saved.value)
