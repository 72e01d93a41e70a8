"""A period is closed: its standings frozen as they are known now, under a signed checkpoint of its own."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.booking import take_turn
from services.scoring.commands.checkpoints import LedgerBroken, Signer, Taken, take
from services.scoring.domain.notes import Closing
from services.scoring.domain.periods import Period, frozen, period_of
from services.scoring.queries.periods import summed, whole
from services.scoring.tables import kit, ledger, period_standings, periods
from shared.events.scoring import PeriodClosed
from shared.kit import audit, idempotency, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Unavailable
from shared.kit.service import Service

CLOSES = "period.close"
"""The right to close periods."""


class Sealing(Protocol):
    """Who signs, what is known outside, and where it is told that the ledger is broken."""

    signer: Signer
    outside: Taken | None

    def broken(self, error: Exception) -> None: ...


async def close_once(
    conn: AsyncConnection, service: Service, sealing: Sealing, caller: Caller, plan: str, label: str, key: str, now: datetime
) -> Taken | None:
    """Close a period, however often the same request comes; None when it came before.

    Raises `Forbidden` (another plan's), `Conflict`, `Unavailable` (the ledger is not what its checkpoints say).
    """
    if plan not in service.plans or not whole(caller, CLOSES, plan):
        raise Forbidden(
            "只能结本方案的账；未作任何更改。 You may close periods of your own plan only; nothing was changed."
        )
    claim = idempotency.claim(
        service.settings.keys, caller, CLOSES, idempotency.check_key(key), f"{plan}:{label}".encode(), new_id()
    )
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    if known is not None:
        return None
    homes = {agency.id: agency.area for agency in service.plans[plan].agencies}
    try:
        return await close(
            conn, sealing.signer, caller, plan, period_of(label), claim.object_id, now, homes=homes,
            outside=sealing.outside,
        )  # fmt: skip
    except LedgerBroken as error:
        sealing.broken(error)
        raise Unavailable(
            "台账与检查点不符，不能结账；未作任何更改。请先运行 ./dachuan feed verify。 "
            "The ledger is not what its checkpoints say; nothing was changed. Run ./dachuan feed verify first."
        ) from error


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
