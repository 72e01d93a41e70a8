"""Relations between persons, places and organisations, stated in a case; and what intake's registers name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands import reach
from services.casework.commands.dens import place_to_change
from services.casework.commands.persons import person_to_change
from services.casework.domain.persons import plain
from services.casework.schemas.places import LinkBody
from services.casework.tables import case_persons, dens, kit, links, organisations, persons, registered_places
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, NotFound

ALLOWED = {
    "recruited_by": ("person", "person"),
    "relative": ("person", "person"),
    "lives_with": ("person", "person"),
    "works_for": ("person", "person"),
    "lives_at": ("person", "place"),
    "rents": ("person", "place"),
    "member_of": ("person", "organisation"),
    "leads": ("person", "organisation"),
    "used_by": ("place", "organisation"),
}
"""What each kind of relation binds."""


async def state_link(
    conn: AsyncConnection, caller: Caller, case_id: UUID, body: LinkBody, claim: Claim, now: datetime
) -> UUID:
    """Put a relation on record; its id. One end is of this case, the other within reach.

    Raises `NotFound`, `Forbidden`, `Invalid` (ends that do not fit, with itself), `Conflict` (on record already).
    """
    if (known := await reach.repeated(conn, claim, now)) is not None:
        return known
    case = await reach.case_to_change(conn, caller, case_id, "person.record", closed=True)
    if ALLOWED[body.kind] != (body.from_type, body.to_type):
        raise reach.wrong("kind", "ends-do-not-fit", "这种关系不连接这两类对象。", "This relation does not bind these two.")
    await _of_case(conn, case_id, body.from_type, body.from_id)
    if body.organisation is not None:
        to_id = await _organisation(conn, case.plan, body.organisation, now)
    else:
        assert body.to_id is not None
        to_id = body.to_id
        if body.to_type == "person":
            await person_to_change(conn, caller, to_id, "person.read")
        else:
            await place_to_change(conn, caller, to_id)
    if await _subject(conn, body.from_id) == await _subject(conn, to_id):
        raise reach.wrong("to_id", "with-itself", "不能与自己建立关系。", "Nobody is bound to themselves.")
    row = {
        "id": claim.object_id, "case_id": case_id, "kind": body.kind, "from_id": body.from_id, "to_id": to_id,
        "to_type": body.to_type, "from_type": body.from_type, "stated_at": now, "actor": caller.actor,
    }  # fmt: skip
    made = await insert_many(conn, links, [row], conflict="ON CONFLICT DO NOTHING", returning="id")
    if not made:
        raise Conflict("这条关系已在案。 This relation is on record.", code="already-linked")
    await audit.record(conn, kit, caller, "link.state", "link", [claim.object_id], now, kind=body.kind)
    return claim.object_id


async def _of_case(conn: AsyncConnection, case_id: UUID, what: str, one: UUID) -> None:
    if what == "person":
        found = select(case_persons.c.id).where(case_persons.c.case_id == case_id, case_persons.c.person_id == one)
    else:
        found = select(dens.c.id).where(dens.c.case_id == case_id, dens.c.place_id == one)
    if (await conn.execute(found)).first() is None:
        raise reach.wrong(
            "from_id", "not-in-case", "关系的一端须是本案的人员或场所。", "One end must be a person or place of this case."
        )


async def _subject(conn: AsyncConnection, one: UUID) -> UUID:
    return await conn.scalar(select(persons.c.subject_id).where(persons.c.id == one)) or one


async def _organisation(conn: AsyncConnection, plan: str, name: str, now: datetime) -> UUID:
    key = plain(name)
    row = {"id": new_id(), "plan": plan, "name": name, "name_key": key, "created_at": now}
    await insert_many(conn, organisations, [row], conflict="ON CONFLICT DO NOTHING")
    o = organisations.c
    found = await conn.scalar(select(o.id).where(o.plan == plan, o.name_key == key))
    assert found is not None
    return found


async def remove_link(conn: AsyncConnection, caller: Caller, link_id: UUID, claim: Claim, now: datetime) -> UUID:
    """A relation proved wrong: it stands on record as removed. Raises `NotFound`, `Forbidden`, `Conflict`."""
    if (known := await reach.repeated(conn, claim, now)) is not None:
        return known
    row = (await conn.execute(select(links).where(links.c.id == link_id).with_for_update())).one_or_none()
    if row is None:
        raise NotFound("没有这条关系，或不在您的权限内。 No such relation within your reach.", code="link-not-found")
    await reach.case_to_change(conn, caller, row.case_id, "person.record", closed=True)
    if row.removed_at is not None:
        raise Conflict("这条关系已撤销。 The relation was removed before.", code="removed-already")
    await conn.execute(update(links).where(links.c.id == link_id).values(removed_at=now, removed_by=caller.actor))
    await audit.record(conn, kit, caller, "link.remove", "link", [link_id], now)
    return link_id


async def note_registered(conn: AsyncConnection, seen: Sequence[tuple[UUID, str, str, str]], now: datetime) -> None:
    """Ids of intake's registers as its events name them: (id, plan, area, kind); the latest area stands."""
    rows: dict[UUID, dict[str, Any]] = {
        one: {"id": one, "plan": plan, "area": area, "kind": kind, "seen_at": now} for one, plan, area, kind in seen
    }
    await insert_many(
        conn, registered_places, [rows[one] for one in sorted(rows)],
        conflict="ON CONFLICT (id) DO UPDATE SET area = excluded.area, seen_at = excluded.seen_at "
        "WHERE registered_places.area <> excluded.area",
    )  # fmt: skip
