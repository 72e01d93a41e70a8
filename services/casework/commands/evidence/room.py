"""The evidence room of this process, and what it refuses in words."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.commands.evidence.chain import lock
from services.casework.domain.evidence import ItemAction, ItemState, Refused, next_item_state
from services.casework.queries import evidence as queries
from services.casework.settings import Settings
from services.casework.tables import kit
from shared.kit import idempotency
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.kit.etag import etag
from shared.kit.files.room import Room
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Forbidden, Invalid, NoRoom, NotFound, Outdated, TooLarge, Unavailable
from shared.kit.service import Service


class EvidenceRoom(Room[Settings]):
    """Where files of evidence come in and go out, with the service and what it decides by."""

    def __init__(self, service: Service, basis: Basis) -> None:
        settings = service.settings
        assert isinstance(settings, Settings)
        super().__init__(settings)
        self.service, self.basis = service, basis

    @property
    def keys(self) -> KeyRing:
        """The service's keys."""
        return self.settings.keys

    @property
    def largest_body(self) -> int:
        """Bytes of one request with a file, and some room for its form."""
        return self.settings.most_evidence_file_bytes + (1 << 20)


def claim_of(room: EvidenceRoom, caller: Caller, operation: str, key: str, request: bytes, object_id: UUID) -> Claim:
    """A request's Idempotency-Key. Raises `BadRequest` for an unusable one."""
    return idempotency.claim(room.keys, caller, operation, idempotency.check_key(key), request, object_id)


async def taken_before(conn: AsyncConnection, claim: Claim, now: datetime) -> UUID | None:
    """The object of the same request carried out before, or None. Raises `Conflict` for a key of another request."""
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    return known


def no_case() -> NotFound:
    """No such case for this caller."""
    return NotFound("没有这个案件，或不在您的权限内。 No such case within your reach.", code="case-not-found")


def no_item() -> NotFound:
    """No such item for this caller."""
    return NotFound("没有这件证据，或不在您的权限内。 No such evidence within your reach.", code="evidence-not-found")


def wrong(code: str, zh: str, en: str, field: str) -> Invalid:
    """The refusal of a field, with its reason."""
    return Invalid(
        f"{zh}；未保存任何内容。 {en}; nothing was kept.", code=code,
        errors=[{"field": field, "code": code, "message": f"{zh} / {en}"}],
    )  # fmt: skip


def not_holder() -> Forbidden:
    """Seen, but kept by another agency or unit."""
    return Forbidden(
        "您可以查看这件证据，但它由其他单位保管，只有保管单位可以这样做；未作更改。 "
        "You may see it, but another agency or unit keeps it, and only its keeper does that; nothing was changed.",
        code="not-the-keeper",
    )


def not_now(item: Any, action: str) -> Conflict:
    """The state does not allow it."""
    return Conflict(
        f"第 {item.number} 号证据现在的状态（{item.state}）不能这样做；未作更改。请看它的保管链。 "
        f"Evidence {item.number} is {item.state}: that is not possible now; nothing was changed. See its custody chain.",
        code="not-possible-now", state=item.state, action=action,
    )  # fmt: skip


def outdated(item: Any, version: int) -> Outdated:
    """Changed since it was read."""
    return Outdated(
        f"第 {item.number} 号证据在您读取后有变化（第 {version} 版之后），未作更改；请看最新状态后再办。 "
        f"Evidence {item.number} changed after you read it; nothing was changed. Look at its present state and repeat.",
        code="outdated", version=item.version, state=item.state, headers={"etag": etag(item.version)},
    )  # fmt: skip


def no_room() -> NoRoom:
    """The storage is (nearly) full."""
    return NoRoom(
        "存储空间不足，这个文件没有收，什么都没有保存；已收的证据不受影响。请联系运维后重传。 "
        "There is no room for files; this one was not kept, what was kept before stands. Tell the operators, then send again.",
        headers={"retry-after": "3600"},
    )


def busy() -> Unavailable:
    """Too many uploads at once."""
    return Unavailable(
        "现在上传的人较多，这个文件还没有收；请过一分钟再传。 Many files are arriving; this one was not kept. Send it again in a minute.",
        code="uploads-busy",
        headers={"retry-after": "60"},
    )


def too_large(most: int) -> TooLarge:
    """Over the limit for one file."""
    return TooLarge(
        f"单个文件最大 {most >> 20} MB，这个没有收；请分段后上传。 "
        f"A file may have at most {most >> 20} MB; this one was not kept. Send it in parts.",
        code="file-too-large",
        limit=most,
    )


async def held_item(
    conn: AsyncConnection, caller: Caller, item_id: UUID, right: str, action: ItemAction | None = None,
    version: int | None = None,
) -> tuple[Any, ItemState | None]:  # fmt: skip
    """An item that the caller's agency keeps, locked, and the state the action leads to.

    The row is the locked one with its case's columns. Raises `NotFound`, `Forbidden` (kept by another), `Conflict`
    (not in this state) or `Outdated`.
    """
    if await queries.item(conn, caller, item_id) is None and await queries.item(conn, caller, item_id, right) is None:
        raise no_item()
    [locked] = await lock(conn, [item_id])
    row = (
        await conn.execute(queries.items().where(queries.evidence_items.c.id == item_id, queries.held(caller, right)))
    ).one_or_none()
    if row is None:
        raise not_holder()
    if version is not None and version != locked.version:
        raise outdated(locked, version)
    if action is None:
        return row, None
    try:
        return row, next_item_state(ItemState(locked.state), action)
    except Refused:
        raise not_now(locked, action.value) from None
