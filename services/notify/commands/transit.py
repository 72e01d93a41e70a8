"""How far messages have come: taken by a way out, shown to their addressee, or given up for good."""

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
_TO = {Act.SEND: Progress.SENT, Act.DELIVER: Progress.DELIVERED, Act.FAIL: Progress.FAILED}
# a system that confirms a webhook has it; what a mail server, a robot or a gateway took is on its way
_TRIED = text(
    """
    SELECT d.notice_id AS id,
        CASE WHEN bool_or(d.state = 'delivered' AND e.channel = 'webhook') THEN 'deliver'
             WHEN bool_or(d.state = 'delivered') THEN 'send'
             WHEN bool_and(d.state = 'failed') THEN 'fail' END AS act
    FROM deliveries d JOIN endpoints e ON e.id = d.endpoint_id
    WHERE d.notice_id = ANY(CAST(:ids AS uuid[]))
    GROUP BY d.notice_id
    """
)


def _moved(act: Act) -> Any:
    return (
        update(notices)
        .where(
            notices.c.id == func.any(bindparam("ids")),
            notices.c.state == State.WAITING.value,
            notices.c.transit.in_([one for one in sources(act) if one in _OPEN]),
        )
        .values(transit=_TO[act].value)
    )


_MOVED = {act: _moved(act) for act in _TO}


async def note(conn: AsyncConnection, act: Act, ids: Sequence[UUID]) -> None:
    """Something happened to messages on their way; where the table knows no such step, nothing changes."""
    if ids:
        # one order for all writers, so that none waits for another in a circle
        held = select(notices.c.id).where(notices.c.id == func.any(list(ids))).order_by(notices.c.id).with_for_update()
        await conn.execute(held)
        await conn.execute(_MOVED[act], {"ids": list(ids)})


async def tried(conn: AsyncConnection, ids: Sequence[UUID]) -> None:
    """Messages of these notices were sent, or given up: how far the notices have come by all their targets."""
    if not ids:
        return
    found = (await conn.execute(_TRIED, {"ids": sorted(set(ids))})).all()
    for act in _TO:
        await note(conn, act, sorted(row.id for row in found if row.act == act))


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
    await note(conn, Act.DELIVER, ids)
    again = {row.id: row for row in (await conn.execute(select(notices).where(notices.c.id == func.any(ids)))).all()}
    return [again.get(row.id, row) for row in rows]
