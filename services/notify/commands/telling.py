"""What notify's own registers share: sealed words, and telling the other services and the people in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands import clocks, matters
from services.notify.commands.matters import Clocks
from services.notify.domain.matters import News
from services.notify.tables import kit
from shared.events import EventData
from shared.kit import idempotency, outbox
from shared.kit.access import Caller
from shared.kit.idempotency import Claim
from shared.kit.problem import BadRequest, Conflict, Invalid, Outdated
from shared.kit.service import Service
from shared.rules.plan import Plan

KEY = "report"
"""The key that seals what officers write in these registers: words may name people."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The service with its clocks, as the commands of duties and meetings need it."""

    service: Service
    clocks: Clocks

    @classmethod
    def of(cls, service: Service) -> Desk:
        return cls(service, Clocks.of(service))

    def plan(self, plan_id: str) -> Plan:
        """The plan. Raises `Invalid` for one that is not run here."""
        plan = self.service.plans.get(plan_id)
        if plan is None:
            raise wrong("plan", "unknown-plan", "本系统没有这个方案。", "No such plan here.")
        return plan

    def seal(self, record_id: UUID, words: Any) -> bytes:
        """Words of a row, readable with its id only."""
        return self.service.settings.keys.seal(KEY, record_id.bytes, orjson.dumps(words))

    def words(self, record_id: UUID, sealed: bytes | None) -> dict[str, Any]:
        """The words of a row; none where none were written."""
        if sealed is None:
            return {}
        return orjson.loads(self.service.settings.keys.open(KEY, record_id.bytes, bytes(sealed)))

    def address(self, path: str) -> str:
        """Where something is opened by those who may."""
        return f"{self.service.settings.base_url('notify')}/v1/{path}"

    async def tell(self, conn: AsyncConnection, events: Sequence[EventData], now: datetime) -> None:
        """Publish events and make the notices that follow from them."""
        await outbox.put(conn, kit.outbox, events, now)
        mine: list[News] = [event for event in events if isinstance(event, News)]
        await clocks.note(conn, self.service, mine)
        await matters.tell(conn, self.clocks, mine, now)


def claim_of(desk: Desk, caller: Caller, operation: str, key: str | None, asked: Any, object_id: UUID) -> Claim:
    """The Idempotency-Key of one change. Raises `BadRequest` without one."""
    if key is None:
        raise BadRequest(
            "请携带 Idempotency-Key，重发时用同一个键，不会重复登记；未保存任何内容。 "
            "Send an Idempotency-Key, the same one when you repeat; nothing was kept.",
            code="idempotency-key-required",
        )
    keys = desk.service.settings.keys
    return idempotency.claim(keys, caller, operation, idempotency.check_key(key), repr(asked).encode(), object_id)


async def repeated(conn: AsyncConnection, claim: Claim, now: datetime) -> UUID | None:
    """The object that the same request made before, or None when it is new. Raises `Conflict` for a key reused."""
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    return known


def check_version(row: Any, version: int) -> None:
    """Raises `Outdated` when a row changed since the caller read it, with what changed."""
    if row.version != version:
        raise Outdated(
            "您打开之后内容有变动（见 changes），您的操作未保存；请看最新内容后再提交。 "
            "It changed since you read it (see changes); nothing was saved. Look again, then send again.",
            version=row.version,
            changes=[step for step in row.history if step["version"] > version],
        )


def traced(row: Any, step: str, caller: Caller, now: datetime) -> list[dict[str, Any]]:
    """A row's history with one more step: codes and times only."""
    done = {
        "version": row.version + 1, "at": now.isoformat(), "step": step, "agency": caller.agency, "unit": caller.unit,
        "by": caller.actor,
    }  # fmt: skip
    return [*row.history, done]


def wrong(field: str, code: str, zh: str, en: str) -> Invalid:
    """One wrong field, with what to do."""
    return Invalid(
        f"{zh}未保存任何内容。 {en} Nothing was kept.",
        code=code,
        errors=[{"field": field, "code": code, "message": f"{zh} {en}"}],
    )
