"""The only writers of a penalty's instalments and payments, and the end of its publication."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.commands.proceedings import rows
from services.casework.commands.proceedings.refusals import refusing
from services.casework.commands.proceedings.stepping import apply_step, take_step
from services.casework.domain.measures import Part, check_instalments
from services.casework.domain.proceedings import Refused
from services.casework.queries.measures import SEALED_BY
from services.casework.tables import cases, kit, penalty_instalments, penalty_payments, proceedings
from shared.kit import audit
from shared.kit.access import Caller, service_caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.rules.calendar import local_day

WAYS = ("paid", "enforced")
"""By the party, or by the court's enforcement."""


async def plan_instalments(
    conn: AsyncConnection, basis: Basis, caller: Caller, proceeding_id: UUID, parts: Sequence[Part], *,
    version: int, claim: Claim, now: datetime,
) -> None:  # fmt: skip
    """Draw up the instalments of a penalty; the head approves them by the step `instalments`. Raises as `take_step`."""

    async def write(row: Any) -> None:
        with refusing():
            check_instalments(parts, local_day(now))
            if row.facts.get("instalments"):
                raise Refused(
                    "approved-already", "分期已经批准，不能改写；未保存。",
                    "the instalments are approved and stand; nothing was saved",
                )
        await conn.execute(delete(penalty_instalments).where(penalty_instalments.c.proceeding_id == row.id))
        made = [
            {"proceeding_id": row.id, "seq": k, "due_on": one.due_on, "amount": one.amount} for k, one in enumerate(parts, 1)
        ]
        await insert_many(conn, penalty_instalments, made)

    await take_step(
        conn, basis, caller, proceeding_id, "plan_instalments", {}, version=version, claim=claim, now=now, beside=write
    )


async def record_payment(
    conn: AsyncConnection, basis: Basis, caller: Caller, proceeding_id: UUID, paid_on: date, amount: int, way: str,
    receipt: str, *, version: int, claim: Claim, now: datetime,
) -> None:  # fmt: skip
    """Record what was paid, in fen, with its receipt. Raises as `take_step`; more than is owed is refused."""

    async def write(row: Any) -> None:
        with refusing():
            if paid_on > local_day(now):
                raise Refused("not-yet", "缴款日期不能晚于今天；未保存。", "the day lies ahead; nothing was saved")
        made = new_id()
        await insert_many(
            conn,
            penalty_payments,
            [
                {
                    "id": made,
                    "proceeding_id": row.id,
                    "paid_on": paid_on,
                    "amount": amount,
                    "way": way,
                    "receipt": basis.keys.seal(SEALED_BY, made.bytes, receipt.encode()),
                    "recorded_at": now,
                    "recorded_by": caller.actor,
                }
            ],
        )

    await take_step(conn, basis, caller, proceeding_id, "pay", {}, version=version, claim=claim, now=now, beside=write)


async def end_publications(conn: AsyncConnection, basis: Basis, now: datetime, *, limit: int = 50) -> int:
    """End the publication of penalties shown until yesterday or before; returns how many, at most `limit`."""
    p = proceedings.c
    due = (
        select(p.id, p.case_id)
        .where(p.facts["shown_until"].astext < local_day(now).isoformat(), p.facts.has_key("shown_until"))
        .where(~p.facts.has_key("publication_ended_on"), p.state.in_(("served", "enforcing", "executed", "uncollected")))
        .order_by(p.id)
        .limit(limit)
    )
    ended = []
    for one in (await conn.execute(due)).all():
        held = select(cases.c.id).where(cases.c.id == one.case_id).with_for_update(skip_locked=True)
        if (await conn.execute(held)).one_or_none() is None:
            continue
        row = (await conn.execute(select(proceedings).where(p.id == one.id).with_for_update(skip_locked=True))).one_or_none()
        if row is None or "publication_ended_on" in row.facts:
            continue
        await apply_step(conn, basis, row, "end_publication", {}, rows.SYSTEM, now)
        ended.append(row.id)
    if ended:
        await audit.record(
            conn, kit, service_caller("casework"), "proceeding.step", "proceeding", ended, now, step="end_publication"
        )
    return len(ended)
