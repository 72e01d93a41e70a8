"""The only writers of a measure's items: the list, and what becomes of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.commands.proceedings.refusals import refusing
from services.casework.commands.proceedings.stepping import take_step
from services.casework.domain.guards.measures import HOLDING
from services.casework.domain.measures import MOST_ITEMS, Held, account_for
from services.casework.domain.proceedings import Refused
from services.casework.queries.measures import SEALED_BY
from services.casework.tables import measure_items
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.rules.calendar import local_day

i = measure_items.c


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item as it is entered: `value` in fen, None where it was not valued."""

    kind: str
    name: str
    quantity: int
    unit: str = ""
    value: int | None = None
    holder: str = ""
    kept_at: str = ""
    remarks: str = ""
    evidence_id: UUID | None = None


async def list_items(
    conn: AsyncConnection, basis: Basis, caller: Caller, proceeding_id: UUID, items: Sequence[NewItem], *,
    version: int, claim: Claim, now: datetime,
) -> None:  # fmt: skip
    """Put items on a measure's list. Raises what `take_step` raises; once the list was handed over, `Conflict`."""

    async def write(row: Any) -> None:
        with refusing():
            if row.kind not in HOLDING:
                raise Refused(
                    "holds-nothing", "这种措施没有物品清单；未保存。", "this measure has no list of items; nothing was saved"
                )
            if row.state not in ("asked", "approved", "papers_due"):
                raise Refused(
                    "list-handed-over",
                    "清单已交付当事人，不能再加；新发现的物品须另行采取措施。未保存。",
                    "the list was handed over, nothing is added to it; what is found later needs a measure of its own; "
                    "nothing was saved",
                )
            known = int(await conn.scalar(select(func.max(i.seq)).where(i.proceeding_id == row.id)) or 0)
            if known + len(items) > MOST_ITEMS:
                raise Refused(
                    "list-too-long", f"一份清单最多 {MOST_ITEMS} 件；未保存。", f"a list has at most {MOST_ITEMS} items"
                )
        await insert_many(conn, measure_items, [_row(basis, row.id, known + k, one, caller, now) for k, one in enumerate(items, 1)])

    await take_step(conn, basis, caller, proceeding_id, "list_items", {}, version=version, claim=claim, now=now, beside=write)


async def end_items(
    conn: AsyncConnection, basis: Basis, caller: Caller, proceeding_id: UUID, which: Sequence[UUID], outcome: str,
    on: date, receipt: str, *, version: int, claim: Claim, now: datetime,
) -> None:  # fmt: skip
    """Account for items: all that are still held where none is named. Raises what `take_step` raises."""

    async def write(row: Any) -> None:
        found = (
            await conn.execute(select(i.id, i.state).where(i.proceeding_id == row.id).order_by(i.seq).with_for_update())
        ).all()
        held = {str(one.id): Held(str(one.id), one.state) for one in found}
        ids = [str(one) for one in which] or [one.id for one in held.values() if one.state == "kept"]
        with refusing():
            account_for(row.state, row.facts, held, ids, outcome)
            if on > local_day(now):
                raise Refused("not-yet", "日期不能晚于今天；未保存。", "the day lies ahead; nothing was saved")
            if not ids:
                raise Refused("none-held", "没有在扣的物品；未保存。", "nothing is held any more; nothing was saved")
        for one in ids:
            item_id = UUID(one)
            await conn.execute(
                update(measure_items)
                .where(i.id == item_id)
                .values(
                    state=outcome,
                    ended_on=on,
                    ended_at=now,
                    ended_by=caller.actor,
                    receipt=basis.keys.seal(SEALED_BY, item_id.bytes, receipt.encode()) if receipt else None,
                )
            )

    await take_step(conn, basis, caller, proceeding_id, "account_item", {}, version=version, claim=claim, now=now, beside=write)


def _row(basis: Basis, proceeding_id: UUID, seq: int, one: NewItem, caller: Caller, now: datetime) -> dict[str, Any]:
    made = new_id()
    words = {k: getattr(one, k) for k in ("name", "unit", "holder", "kept_at", "remarks") if getattr(one, k)}
    return {
        "id": made,
        "proceeding_id": proceeding_id,
        "seq": seq,
        "kind": one.kind,
        "quantity": one.quantity,
        "value": one.value,
        "details": basis.keys.seal(SEALED_BY, made.bytes, orjson.dumps(words)),
        "evidence_id": one.evidence_id,
        "state": "kept",
        "added_at": now,
        "added_by": caller.actor,
        "ended_on": None,
        "ended_at": None,
        "ended_by": None,
        "receipt": None,
    }
