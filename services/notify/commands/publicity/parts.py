"""What the commands of publicity share: the room with its files, keys of requests, refusals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands.matters import Clocks
from services.notify.domain.publicity.guard import WORDS, personal
from services.notify.settings import Settings
from services.notify.tables import kit
from shared.kit import idempotency
from shared.kit.access import Caller
from shared.kit.files.room import Room
from shared.kit.idempotency import Claim
from shared.kit.problem import BadRequest, Conflict, Invalid, NotFound, Outdated
from shared.kit.service import Service
from shared.rules.plan import Plan


class PublicityRoom(Room[Settings]):
    """Where publicity is kept: the service, and the vault of its files."""

    def __init__(self, service: Service) -> None:
        settings = service.settings
        assert isinstance(settings, Settings)
        super().__init__(settings)
        self.service = service
        self.clocks = Clocks.of(service)

    @property
    def largest_body(self) -> int:
        """Bytes of one request with files, and some room for its form."""
        return self.settings.most_proof_files * (self.settings.most_proof_bytes + 4096) + (1 << 20)

    def plan(self, plan_id: str | None) -> Plan:
        """A plan that runs here. Raises `NotFound`."""
        plan = self.service.plans.get(plan_id or "")
        if plan is None:
            raise NotFound("本系统没有这个方案。 There is no such plan here.", code="plan-not-found")
        return plan

    def plan_of(self, caller: Caller) -> Plan:
        """The caller's plan. Raises `NotFound`."""
        return self.plan(caller.plan)

    def address(self, path: str) -> str:
        """Where something is opened by those who may."""
        return f"{self.settings.base_url('notify')}/v1/{path}"

    def claim(self, caller: Caller, operation: str, key: str | None, asked: Any, object_id: UUID) -> Claim:
        """The Idempotency-Key of a change, for this content. Raises `BadRequest` without one."""
        if key is None:
            raise BadRequest(
                "请携带 Idempotency-Key，重发时用同一个键，不会重复登记；未保存任何内容。 "
                "Send an Idempotency-Key, the same one when you repeat; nothing was kept.",
                code="idempotency-key-required",
            )
        return idempotency.claim(
            self.settings.keys, caller, operation, idempotency.check_key(key), repr(asked).encode(), object_id
        )


def room_of(request: Request) -> PublicityRoom:
    """Where publicity is kept."""
    room: PublicityRoom = request.app.state.publicity
    return room


async def repeated(conn: AsyncConnection, claim: Claim, now: datetime) -> UUID | None:
    """The object that the same request made before, or None when it is new. Raises `Conflict` for a key reused."""
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    return known


def check_version(row: Any, version: int) -> None:
    """Raises `Outdated` when a row changed since the caller read it."""
    if row.version != version:
        raise Outdated(
            "您打开之后内容有变动，您的操作未保存；请看最新内容后再提交。 "
            "It changed since you read it; nothing was saved. Look at it again, then send again.",
            version=row.version,
        )


def not_possible(state: str, action: str) -> Conflict:
    """The refusal of an action in this state."""
    return Conflict(
        f"现在的状态（{state}）不能这样做；未作更改。请刷新后看可以做什么。 "
        f"It is {state}: that is not possible now; nothing was changed. Look again at what can be done.",
        code="not-possible-now",
        state=state,
        action=action,
    )


def wrong(fields: Sequence[tuple[str, str, str, str]]) -> Invalid:
    """Wrong fields (field, code, Chinese, English), each with its reason."""
    return Invalid(
        "；".join(dict.fromkeys(zh for _, _, zh, _ in fields)) + "。未保存任何内容。 "
        + "; ".join(dict.fromkeys(en[:1].upper() + en[1:] for _, _, _, en in fields)) + ". Nothing was kept.",
        code=fields[0][1],
        errors=[{"field": field, "code": code, "message": f"{zh} / {en}"} for field, code, zh, en in fields],
    )  # fmt: skip


def refuse_personal(plan: Plan, **texts: str) -> None:
    """Raises `Invalid` for a public text with numbers or contacts of persons: which field, which line, never what."""
    found = [
        (field, one.kind, one.line) for field, text in texts.items() for one in personal(text, plan.publicity.hotlines)
    ]
    if found:
        raise wrong(
            [
                (field, "personal-data", f"第 {line} 行有{WORDS[kind][0]}，不能公开", f"line {line} holds {WORDS[kind][1]}, which may not be public")
                for field, kind, line in found
            ]
        )  # fmt: skip
