"""Places, dens, revisits and what came back (死灰复燃), as far as the caller's cases reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, cast, false, func, literal, select, tuple_, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.adapters import people
from services.casework.domain import places as domain
from services.casework.queries.visibility import may_revisit, reaches, within_reach
from services.casework.tables import cases, dens, persons, places, recurrences, registered_places, revisits
from shared.kit.access import Caller, scope
from shared.kit.clock import CHINA
from shared.kit.crypto import KeyRing
from shared.rules.calendar import local_day

MOST_FOUND = 2000


@dataclass(frozen=True, slots=True)
class PlaceFilters:
    """What the list of places is narrowed to; `again`: only those that came back."""

    kind: str | None = None
    area: str | None = None
    again: bool = False


def _seen(caller: Caller, right: str = "place.read") -> Any:
    return (
        select(dens.c.id)
        .join(cases, cases.c.id == dens.c.case_id)
        .where(dens.c.place_id == places.c.id, within_reach(caller, right))
        .exists()
    )


async def list_places(
    conn: AsyncConnection, caller: Caller, filters: PlaceFilters, *, after: UUID | None = None, limit: int = 50
) -> Sequence[Any]:
    """`limit + 1` places of cases within reach, newest first."""
    p = places.c
    query = select(places).where(_seen(caller))
    if caller.reach("place.read") != "all":
        query = query.where(p.plan == caller.plan)
    if filters.kind:
        query = query.where(p.kind == filters.kind)
    if filters.area:
        query = query.where(p.area == filters.area)
    if filters.again:
        query = query.where(p.again > 0)
    if after is not None:
        query = query.where(p.id < after)
    return (await conn.execute(query.order_by(p.id.desc()).limit(limit + 1))).all()


async def search(conn: AsyncConnection, caller: Caller, keys: KeyRing, words: str, *, limit: int = 50) -> list[Any]:
    """Places whose address holds these words, within reach, newest first."""
    key = domain.address_key(domain.PlaceKind.OTHER, words)
    tokens = people.gram_tokens(keys, "address", [key])
    if not tokens:
        return []
    p = places.c
    hit = (
        select(p.id)
        .where(p.grams.contains(cast(literal(tokens, ARRAY(Text)), ARRAY(Text))))
        .order_by(p.id.desc())
        .limit(MOST_FOUND)
        .cte("hit")
        .prefix_with("MATERIALIZED")
    )
    rows = (
        await conn.execute(
            select(places).join(hit, hit.c.id == p.id).where(_seen(caller)).order_by(p.id.desc()).limit(limit * 2)
        )
    ).all()
    fits = []
    for row in rows:
        address = people.opened(keys, row.id, row.details)["address"]
        if key in domain.address_key(domain.PlaceKind(row.kind), address):
            fits.append(row)
    return fits[:limit]


def _dens(caller: Caller) -> Select[Any]:
    return (
        select(
            dens, places.c.kind, places.c.details, cases.c.number,
            reaches(caller, "place.record").label("mine"),
        )
        .join(places, places.c.id == dens.c.place_id)
        .join(cases, cases.c.id == dens.c.case_id)
        .where(within_reach(caller, "place.read"))
    )  # fmt: skip


async def dens_of_case(conn: AsyncConnection, caller: Caller, case_id: UUID) -> Sequence[Any]:
    """The places found in one case, when it is within reach."""
    return (
        await conn.execute(_dens(caller).where(dens.c.case_id == case_id).order_by(dens.c.found_at).limit(200))
    ).all()


async def get_den(conn: AsyncConnection, caller: Caller, den_id: UUID) -> Any:
    """One den within reach, or None."""
    return (await conn.execute(_dens(caller).where(dens.c.id == den_id))).one_or_none()


@dataclass(frozen=True, slots=True)
class PlaceFull:
    """A place with all that is within reach of it; `elsewhere`: in how many cases beyond it was found too."""

    place: Any
    dens: Sequence[Any]
    elsewhere: int
    revisits: Sequence[Any]
    recurrences: Sequence[Any]
    landlord: Any


async def get_place(conn: AsyncConnection, caller: Caller, place_id: UUID) -> PlaceFull | None:
    """One place within reach, or None."""
    found = (
        await conn.execute(_dens(caller).where(dens.c.place_id == place_id).order_by(dens.c.found_at.desc()))
    ).all()
    if not found:
        return None
    place = (await conn.execute(select(places).where(places.c.id == place_id))).one()
    everywhere = await conn.scalar(select(func.count()).select_from(dens).where(dens.c.place_id == place_id))
    r = revisits.c
    tasks = (
        await conn.execute(
            select(revisits, places.c.kind, places.c.details, places.c.registered_id)
            .join(places, places.c.id == r.place_id)
            .where(r.place_id == place_id)
            .order_by(r.due, r.number)
            .limit(100)
        )
    ).all()
    back = (
        await conn.execute(
            select(recurrences.c.kind, recurrences.c.cause, recurrences.c.since, recurrences.c.at)
            .where(recurrences.c.place_id == place_id)
            .order_by(recurrences.c.at.desc())
            .limit(100)
        )
    ).all()
    landlord = None
    if place.landlord_id is not None:
        landlord = (await conn.execute(select(persons).where(persons.c.id == place.landlord_id))).one()
    return PlaceFull(place, found, (everywhere or 0) - len(found), tasks, back, landlord)


async def list_revisits(
    conn: AsyncConnection, caller: Caller, *, area: str | None = None, done: bool = False,
    after: tuple[date, UUID] | None = None, limit: int = 50,
) -> Sequence[Any]:  # fmt: skip
    """`limit + 1` revisits that the caller may do, the longest due first; `done`: those that are over instead."""
    r = revisits.c
    query = (
        select(revisits, places.c.kind, places.c.details, places.c.registered_id)
        .join(places, places.c.id == r.place_id)
        .join(cases, cases.c.id == r.case_id)
        .where(may_revisit(caller), r.state.in_(("done", "dropped") if done else ("open", "overdue")))
    )
    if area:
        query = query.where(r.area == area)
    if after is not None:
        query = query.where(tuple_(r.due, r.id) > tuple_(*after))
    return (await conn.execute(query.order_by(r.due, r.id).limit(limit + 1))).all()


async def registered(
    conn: AsyncConnection, caller: Caller, *, area: str | None, kind: str | None, after: UUID | None, limit: int = 50
) -> Sequence[Any]:
    """Places of intake's registers known here, in the caller's plan."""
    r = registered_places.c
    query = select(registered_places).where(r.plan == caller.plan)
    if area:
        query = query.where(r.area == area)
    if kind:
        query = query.where(r.kind == kind)
    if after is not None:
        query = query.where(r.id > after)
    return (await conn.execute(query.order_by(r.id).limit(limit + 1))).all()


async def trend(
    conn: AsyncConnection, caller: Caller, firsts: Sequence[datetime], until: datetime
) -> Sequence[Any]:
    """Per area and month (its place among `firsts`, from 1): dens found and cleared, and how often places, landlords and
    persons came back (X-G2)."""
    names = ("dens", "cleared", "places", "landlords", "persons")

    # no object of its own: the counts of a plan, or of the caller's areas
    def within(table: Any) -> Any:
        return scope(
            caller, "recurrence.read", plan=table.c.plan, agency=lambda _agency: false(), area=table.c.area
        )

    # a look into the list of firsts costs a fraction of a month reckoned in China time for each row
    moments = cast(literal(list(firsts), ARRAY(places.c.created_at.type)), ARRAY(places.c.created_at.type))

    def of(table: Any, at: Any, **counted: Any) -> Select[Any]:
        month = func.width_bucket(at, moments).label("month")
        return (
            select(table.c.area.label("area"), month, *(counted.get(name, literal(0)).label(name) for name in names))
            .where(within(table), at >= firsts[0], at < until)
            .group_by(table.c.area, month)
        )

    back = {
        name: func.count().filter(recurrences.c.kind == kind)
        for kind, name in (("place", "places"), ("landlord", "landlords"), ("person", "persons"))
    }
    e = union_all(
        of(dens, dens.c.found_at, dens=func.count()),
        of(dens, dens.c.cleared_at, cleared=func.count()),
        of(recurrences, recurrences.c.at, **back),
    ).subquery().c  # fmt: skip
    total = [func.sum(e[name]).label(name) for name in names]
    return (
        await conn.execute(
            select(e.area, e.month, *total).group_by(e.area, e.month).order_by(e.month.desc(), e.area)
        )
    ).all()


async def monthly(conn: AsyncConnection, caller: Caller, now: datetime, months: int) -> list[dict[str, Any]]:
    """The trend of the last months, this one included, as it is answered."""
    today = local_day(now)
    this = today.year * 12 + today.month - 1
    days = [date(index // 12, index % 12 + 1, 1) for index in range(this - months + 1, this + 1)]
    firsts = [datetime.combine(day, time.min, CHINA) for day in days]
    return [
        {
            "area": row.area, "month": days[row.month - 1], "dens": int(row.dens), "cleared": int(row.cleared),
            "places": int(row.places), "landlords": int(row.landlords), "persons": int(row.persons),
        }
        for row in await trend(conn, caller, firsts, now + timedelta(days=1))
    ]  # fmt: skip


async def get_revisit(conn: AsyncConnection, caller: Caller, revisit_id: UUID) -> Any:
    """One revisit that the caller may do, or None."""
    r = revisits.c
    query = (
        select(revisits, places.c.kind, places.c.details, places.c.registered_id)
        .join(places, places.c.id == r.place_id)
        .join(cases, cases.c.id == r.case_id)
        .where(may_revisit(caller), r.id == revisit_id)
    )
    return (await conn.execute(query)).one_or_none()


async def places_found(conn: AsyncConnection, named: Sequence[str]) -> frozenset[str]:
    """Which of these ids are places found in cases, not those of a register; their pages judge who may look."""
    if not named:
        return frozenset()
    found = await conn.execute(select(places.c.id).where(places.c.id.in_([UUID(one) for one in named])))
    return frozenset(str(one) for one in found.scalars())
