"""A period is closed: its standings frozen as they are known now, under a signed checkpoint of its own."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.booking import take_turn
from services.scoring.commands.checkpoints import Signer, Taken, take
from services.scoring.domain.notes import Closing
from services.scoring.domain.periods import Period, frozen
from services.scoring.queries.periods import summed
from services.scoring.tables import kit, ledger, period_standings, periods
from shared.events.scoring import PeriodClosed
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.problem import Conflict


async def close(
    conn: AsyncConnection,
    signer: Signer,
    caller: Caller,
    plan: str,
    period: Period,
    period_id: UUID,
    now: datetime,
    *,
    homes: Any,
    outside: Taken | None = None,
) -> Taken:
    """Close a period of a plan (D-C1): nothing of it changes afterwards; what comes to be known later is a correction.

    `homes` gives each agency's own area. Raises `Conflict` when its last day has not passed, or it is closed already;
    `LedgerBroken` when the ledger is not what its checkpoints say.
    """
    if not period.over(now):
        raise Conflict(
            "期间尚未结束，不能结账；最后一日过后再结。 The period is not over; close it after its last day.",
            code="period-not-over",
        )
    # no entry is on its way from here to the commit
    await take_turn(conn)
    known = select(periods.c.id).where(periods.c.plan == plan, periods.c.label == period.label)
    if (await conn.execute(known)).first() is not None:
        raise Conflict(
            "该期间已结账，冻结的得分不变；之后的更正另行列示。 The period is closed already; later corrections are shown beside it.",
            code="period-closed",
        )
    seq = (await conn.execute(select(func.max(ledger.c.seq)))).scalar_one_or_none() or 0
    rows = await summed(conn, plan, period, seq)
    entries = sum(row.entries for row in rows)
    document = frozen(plan, period, now, seq, entries, rows)
    digest = sha256(document).digest()
    taken = await take(
        conn, signer, now, outside=outside, closing=Closing(plan, period.label, digest), period_id=period_id
    )
    assert taken is not None
    await insert_many(
        conn,
        periods,
        [
            {
                "id": period_id,
                "plan": plan,
                "label": period.label,
                "first": period.first,
                "last": period.last,
                "closed_at": now,
                "closed_by": caller.actor,
                "seq": seq,
                "size": taken.checkpoint.size,
                "entries": entries,
                "document": document,
                "digest": digest,
                "checkpoint": taken.number,
            }
        ],
    )
    await insert_many(
        conn,
        period_standings,
        [
            {
                "period_id": period_id,
                "plan": plan,
                "rulebook": row.rulebook,
                "agency": row.agency,
                "unit": row.unit,
                "area": homes.get(row.agency),
                "points": row.points,
                "entries": row.entries,
                "in_time": row.in_time,
                "late": row.late,
                "version": row.entries,
                "as_of": row.as_of,
                "subject_kind": row.subject_kind,
                "subject": row.subject,
            }
            for row in rows
        ],
    )
    told = PeriodClosed(
        period_id=period_id,
        plan=plan,
        period=period.label,
        first=period.first,
        last=period.last,
        closed_at=now,
        digest=digest.hex(),
        checkpoint=taken.number,
        origin=signer.origin,
        size=taken.checkpoint.size,
        seq=seq,
        entries=entries,
        standings=len(rows),
    )
    await outbox.put(conn, kit.outbox, [told], now)
    await audit.record(
        conn, kit, caller, "period.close", "period", [period_id], now, plan=plan, period=period.label, entries=entries
    )
    return taken
