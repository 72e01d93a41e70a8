"""How far notices have come: shown to their addressee, tried at targets outside, taken by one, or given up by all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.notices import State
from services.notify.domain.progress import Act, Progress, sources
from services.notify.queries.notices import visible
from services.notify.queries.roster import StandIn
from services.notify.tables import notices
from shared.kit.access import Caller

_OPEN = tuple(progress.value for progress in Progress if progress not in (Progress.SIGNED, Progress.DONE))


_DELIVER = (
    update(notices)
    .where(
        notices.c.id == func.any(bindparam("ids")),
        notices.c.state == State.WAITING.value,
        notices.c.transit.in_([one for one in sources(Act.DELIVER) if one in _OPEN]),
    )
    .values(transit=Progress.DELIVERED.value)
)


async def shown(conn: AsyncConnection, caller: Caller, rows: Sequence[Any], standing_in: StandIn) -> list[Any]:
    """The rows again, those delivered that their addressee reads now; whoever only looks on delivers nothing."""
    fresh = [row.id for row in rows if row.state == State.WAITING and row.transit in sources(Act.DELIVER)]
    if not fresh:
        return list(rows)
    # an agency's system has received what it reads of its own; an officer, what they could sign for
    right = "notice.read" if caller.kind == "system" and caller.reach("notice.read") == "own_agency" else "notice.sign"
    mine = select(notices.c.id).where(notices.c.id == func.any(fresh), visible(caller, right, standing_in))
    ids = sorted((await conn.execute(mine)).scalars())
    if not ids:
        return list(rows)
    # one order for all writers, so that none waits for another in a circle
    held = select(notices.c.id).where(notices.c.id == func.any(ids)).order_by(notices.c.id)
    await conn.execute(held.with_for_update(key_share=True))
    await conn.execute(_DELIVER, {"ids": ids})
    again = {row.id: row for row in (await conn.execute(select(notices).where(notices.c.id == func.any(ids)))).all()}
    return [again.get(row.id, row) for row in rows]


# the rows are locked in one order, since several targets of an agency are told of the same notices
_ARRIVED = text(
    """
    WITH found AS MATERIALIZED (
        SELECT id FROM notices WHERE id = ANY(CAST(:ids AS uuid[])) AND transit <> 'delivered'
        ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE notices n SET transit = 'delivered' FROM found WHERE n.id = found.id
    """
)
_SENT = text(
    """
    WITH found AS MATERIALIZED (
        SELECT id FROM notices WHERE id = ANY(CAST(:ids AS uuid[])) AND transit IN ('queued', 'failed')
        ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE notices n SET transit = 'sent' FROM found WHERE n.id = found.id
    """
)
_FAILED = text(
    """
    WITH found AS MATERIALIZED (
        SELECT id FROM notices n
        WHERE n.id IN (SELECT notice_id FROM deliveries f WHERE f.id = ANY(CAST(:ids AS uuid[])))
          AND n.transit <> 'delivered'
          AND NOT EXISTS (SELECT FROM deliveries d WHERE d.notice_id = n.id AND d.state <> 'failed')
        ORDER BY n.id FOR NO KEY UPDATE
    )
    UPDATE notices n SET transit = 'failed' FROM found WHERE n.id = found.id
    """
)


async def carried(
    conn: AsyncConnection, arrived: Sequence[UUID], tried: Sequence[UUID], given_up: Sequence[UUID]
) -> None:
    """Note notices that a target took, those tried in vain, and those whose deliveries (`given_up`) all ended so."""
    for statement, ids in ((_ARRIVED, arrived), (_SENT, tried), (_FAILED, given_up)):
        if ids:
            await conn.execute(statement, {"ids": list(ids)})
