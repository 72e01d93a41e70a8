"""What the commands of operations share: the operation within reach, locked; whose it is; what is sealed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.commands.proceedings.rows import SEALED_BY
from services.casework.domain.operations import PLANNED
from services.casework.queries.operations import known
from services.casework.tables import proceedings
from shared.kit.access import Caller
from shared.kit.problem import Conflict, Forbidden, NotFound


def no_operation() -> NotFound:
    """No such operation, or not the caller's to know of: the answer is the same."""
    return NotFound("没有这次行动，或不在您的权限内。 No such operation within your reach.", code="operation-not-found")


async def held(conn: AsyncConnection, caller: Caller, proceeding_id: UUID) -> Any:
    """The operation, kept from changing its state meanwhile. Raises `NotFound`."""
    query = select(proceedings).where(proceedings.c.id == proceeding_id, known(caller)).with_for_update(read=True)
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise no_operation()
    return row


def planner(caller: Caller, row: Any, states: tuple[str, ...]) -> None:
    """Only the agency that plans an operation, before it is over. Raises `Forbidden` or `Conflict`."""
    if caller.agency != row.agency or caller.plan != row.plan:
        raise Forbidden(
            "行动的力量和知情范围由提出行动的单位安排；未保存。 "
            "Forces and who is in the know are for the agency that plans the operation; nothing was kept.",
            code="not-yours",
        )
    if row.state not in states:
        raise Conflict(
            "行动已结束或取消，不能再调整；未保存。 The operation is over; nothing can be changed any more. Nothing was kept.",
            code="operation-over", state=row.state,
        )  # fmt: skip


BEFORE_ITS_END = (*PLANNED, "running")


def sealed(basis: Basis, proceeding_id: UUID, words: Mapping[str, str | None]) -> bytes | None:
    """Prose of an operation, sealed and bound to it; None without any."""
    said = {name: text for name, text in words.items() if text}
    return basis.keys.seal(SEALED_BY, proceeding_id.bytes, orjson.dumps(said)) if said else None
