"""What every command on rewards checks first: who asks, for which plan, and whether it was asked before."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.tables import kit
from shared.kit import idempotency
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Forbidden, Outdated
from shared.rules.plan import Plan

APPROVAL_WORDS = {
    "reward.propose": ("提出奖励建议", "propose rewards"),
    "reward.pay": ("审批奖励发放", "approve rewards"),
}


def by_post(caller: Caller, plan: Plan, approval: str) -> None:
    """Refuse anybody but an officer of the plan whose post may decide this (X-O1)."""
    if caller.kind == "officer" and plan.id == caller.plan and plan.may_approve(caller.posts, approval):
        return
    zh, en = APPROVAL_WORDS[approval]
    raise Forbidden(
        f"方案没有授权您的岗位{zh}；未作任何改动，请交由有权的岗位办理。 "
        f"The plan does not let your post {en}; nothing was changed.",
        approval=approval,
    )


def asked(keys: KeyRing, caller: Caller, operation: str, key: str, asked_for: object, object_id: UUID) -> Claim:
    """A claim on an Idempotency-Key for one operation; `asked_for` must be the same when it is sent again."""
    return idempotency.claim(
        keys, caller, operation, idempotency.check_key(key), repr(asked_for).encode(), object_id
    )


async def known(conn: AsyncConnection, claim: Claim, now: datetime) -> UUID | None:
    """The object of the first request under this key, or None when it is new. Raises Conflict for another content."""
    found = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(found, Conflict):
        raise found
    return found


def same_version(row: Any, version: int) -> None:
    """Refuse a change made from an older state."""
    if row.version != version:
        raise Outdated(
            "内容已被他人更改；您的操作没有保存，请重新打开后再办。 "
            "Somebody changed it meanwhile; yours was not saved. Open it again.",
            version=row.version,
        )
