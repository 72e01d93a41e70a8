"""Two records that prove to be one person are merged; it can be undone, and both keep all that was recorded under them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands import reach
from services.casework.commands.persons import person_to_change
from services.casework.schemas.persons import MergeBody
from services.casework.tables import kit, person_merges, persons
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, NotFound


async def merge_persons(
    conn: AsyncConnection, caller: Caller, person_id: UUID, body: MergeBody, version: int, claim: Claim, now: datetime
) -> UUID:
    """Two persons within reach are one; the id of the merge.

    Raises `NotFound`, `Outdated`, `Conflict` (one already, or two identity numbers: then they are two people).
    """
    if (known := await reach.repeated(conn, claim, now)) is not None:
        return known
    # in one order, so that two officers who merge crosswise do not wait for each other
    rows = {one: await person_to_change(conn, caller, one, "person.merge") for one in sorted({person_id, body.into})}
    row, into = rows[person_id], rows[body.into]
    reach.same_version(row, version)
    if row.subject_id == into.subject_id:
        raise Conflict("两条记录已是同一人。 The two records are one person already.", code="one-already")
    numbers = await conn.execute(
        select(persons.c.subject_id)
        .where(persons.c.subject_id.in_((row.subject_id, into.subject_id)), persons.c.id_token.is_not(None))
        .distinct()
    )
    if len(numbers.all()) > 1:
        raise Conflict(
            "两人登记了不同的证件号码，不能合并；请先核对证件。 Two identity numbers: check the documents before merging.",
            code="two-numbers",
        )
    return await _merge(conn, caller, row, into, body.reason, claim.object_id, now)


async def merge_same(conn: AsyncConnection, caller: Caller, row: Any, into: Any, now: datetime) -> UUID:
    """A checked identity shows that a person is one already known; the id of that one."""
    await _merge(conn, caller, row, into, "same_identity", new_id(), now)
    return into.subject_id


async def _merge(
    conn: AsyncConnection, caller: Caller, row: Any, into: Any, reason: str, merge_id: UUID, now: datetime
) -> UUID:
    moved = await conn.execute(
        update(persons)
        .where(persons.c.subject_id == row.subject_id)
        .values(subject_id=into.subject_id, version=persons.c.version + 1, updated_at=now)
        .returning(persons.c.id)
    )
    await insert_many(
        conn, person_merges,
        [
            {
                "id": merge_id, "person_id": row.subject_id, "into_id": into.subject_id,
                "moved": [str(one) for one in moved.scalars()], "reason": reason, "at": now, "actor": caller.actor,
            }
        ],
    )  # fmt: skip
    await audit.record(
        conn, kit, caller, "person.merge", "person", [row.subject_id, into.subject_id], now, reason=reason
    )
    return merge_id


async def undo_merge(conn: AsyncConnection, caller: Caller, merge_id: UUID, claim: Claim, now: datetime) -> UUID:
    """The two are told apart again: what was recorded under either returns to it. Raises `NotFound`, `Conflict`."""
    if (known := await reach.repeated(conn, claim, now)) is not None:
        return known
    m = person_merges.c
    row = (await conn.execute(select(person_merges).where(m.id == merge_id).with_for_update())).one_or_none()
    if row is None:
        raise NotFound("没有这次合并。 No such merge.", code="merge-not-found")
    into = await person_to_change(conn, caller, row.into_id, "person.merge")
    if row.undone_at is not None:
        raise Conflict("这次合并已撤销。 The merge is undone already.", code="undone-already")
    await conn.execute(
        update(persons)
        .where(persons.c.id.in_([UUID(one) for one in row.moved]), persons.c.subject_id == into.subject_id)
        .values(subject_id=row.person_id, version=persons.c.version + 1, updated_at=now)
    )
    await conn.execute(update(person_merges).where(m.id == merge_id).values(undone_at=now, undone_by=caller.actor))
    await audit.record(conn, kit, caller, "person.unmerge", "person", [row.person_id, row.into_id], now)
    return merge_id
