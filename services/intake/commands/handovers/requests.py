"""One request about a matter, from the API or a page: its Idempotency-Key, and one step in a transaction of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.intake.commands.handovers.rooms import Rules
from shared.kit import clock, db, idempotency
from shared.kit.access import Caller
from shared.kit.ids import new_id

Act = Callable[..., Awaitable[UUID]]


def claim_of(
    rules: Rules, caller: Caller, operation: str, key: str, about: UUID, body: BaseModel, version: int = 0,
    object_id: UUID | None = None,
) -> idempotency.Claim:  # fmt: skip
    """The Idempotency-Key of one request about an object. Raises BadRequest for an unusable key."""
    asked = f"{about}:{version}\n{body.model_dump_json()}".encode()
    keys = rules.service.settings.keys
    return idempotency.claim(keys, caller, operation, idempotency.check_key(key), asked, object_id or new_id())


async def act(
    rules: Rules, caller: Caller, handover_id: UUID, key: str, body: Any, work: Act, version: int
) -> None:
    """Carry out one step of a handover and commit."""
    claim = claim_of(rules, caller, f"handover.{work.__name__}", key, handover_id, body, version, handover_id)
    async with db.begin(rules.service.engine) as conn:
        await work(conn, rules, caller, handover_id, version, body, claim, clock.now())
