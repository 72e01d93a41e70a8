"""死灰复燃、抓了又放: a place, its landlord or a person seen again is put on record and told (X-G2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.tables import persons, places, recurrences
from shared.events.persons import PersonSeenAgain
from shared.events.places import PlaceSeenAgain
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.ids import new_id


async def _note(conn: AsyncConnection, case: Any, kind: str, cause: str, since: datetime, at: datetime, **whom: Any) -> None:
    row = {
        "id": new_id(), "plan": case.plan, "area": whom.get("area", case.area), "kind": kind, "case_id": case.id,
        "place_id": whom.get("place_id"), "person_id": whom.get("person_id"), "cause": cause, "since": since, "at": at,
    }  # fmt: skip
    await insert_many(conn, recurrences, [row])


async def person_again(
    conn: AsyncConnection, basis: Basis, caller: Caller, case: Any, part: dict[str, Any], earlier: int, since: datetime,
    now: datetime,
) -> list[PersonSeenAgain]:  # fmt: skip
    """A person of `earlier` other cases, last found at `since`, stands in this one too."""
    await _note(conn, case, "person", "case", since, part["found_at"], person_id=part["subject_id"])
    return [
        PersonSeenAgain(
            case_id=case.id, plan=case.plan, area=case.area, agency=caller.agency or "", unit=caller.unit,
            part_id=part["id"], known_id=part["subject_id"], role=part["role"], earlier_cases=earlier,
            since=since, seen_at=part["found_at"], dataref=basis.dataref(case.id),
        )
    ]  # fmt: skip


async def place_again(
    conn: AsyncConnection, basis: Basis, case: Any, place: Any, cause: str, at: datetime, now: datetime
) -> list[PlaceSeenAgain]:
    """A place that had been cleared is used again: counted on it, put on record."""
    await conn.execute(
        update(places)
        .where(places.c.id == place.id)
        .values(again=places.c.again + 1, updated_at=now, version=places.c.version + 1)
    )
    await _note(conn, case, "place", cause, place.cleared_at, at, place_id=place.id, area=place.area)
    return [_told(basis, case, place, "place", cause, place.cleared_at, at)]


async def landlord_again(
    conn: AsyncConnection, basis: Basis, case: Any, place_id: UUID, at: datetime, now: datetime
) -> list[PlaceSeenAgain]:
    """The landlord of this place had let another one that was cleared before: put on record once a case."""
    place = (await conn.execute(select(places).where(places.c.id == place_id))).one()
    if place.landlord_id is None:
        return []
    who = select(persons.c.subject_id).where(persons.c.id == place.landlord_id).scalar_subquery()
    same = select(persons.c.id).where(persons.c.subject_id == who)
    since = await conn.scalar(
        select(func.max(places.c.cleared_at)).where(
            places.c.landlord_id.in_(same), places.c.id != place_id, places.c.cleared_at < at
        )
    )
    if since is None:
        return []
    r = recurrences.c
    known = await conn.scalar(
        select(r.id).where(r.kind == "landlord", r.case_id == case.id, r.place_id == place_id).limit(1)
    )
    if known is not None:
        return []
    await _note(
        conn, case, "landlord", "case", since, at, place_id=place_id, person_id=place.landlord_id, area=place.area
    )
    return [_told(basis, case, place, "landlord", "case", since, at)]


def _told(
    basis: Basis, case: Any, place: Any, what: Any, cause: Any, since: datetime, at: datetime
) -> PlaceSeenAgain:
    return PlaceSeenAgain(
        case_id=case.id, plan=case.plan, area=place.area, place_id=place.id, kind=place.kind,
        dataref=basis.dataref(case.id), what=what, cause=cause, since=since, seen_at=at,
    )  # fmt: skip
