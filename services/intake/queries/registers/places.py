"""Rental units, estates, agents and venues: lists, searches, one of them, the picture of a community (D-B3, D-E3)."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, Text, bindparam, false, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.registers.rows import open_contact, person_token
from services.intake.domain.registers import addresses
from services.intake.queries.registers import plain
from services.intake.tables import (
    agent_visits,
    agents,
    check_ins,
    estates,
    kit,
    rental_units,
    unit_figures,
    venue_bookings,
    venue_checks,
    venues,
)
from shared.kit import audit
from shared.kit.access import Caller, scope
from shared.kit.crypto import KeyRing
from shared.kit.problem import Invalid, NotFound

S = TypeVar("S", bound=Select[Any])

MOST_FOUND = 2000
"""A search looks at so many matches at most; more means that the words say too little."""
READ = {"rentals": "rental.read", "estates": "rental.read", "agents": "venue.read", "venues": "venue.read"}
_TABLES: dict[str, Table] = {"rentals": rental_units, "estates": estates, "agents": agents, "venues": venues}


def visible(table: Table, caller: Caller, right: str) -> ColumnElement[bool]:
    """Rows of a register within a caller's reach: by plan and community."""
    return scope(caller, right, plan=table.c.plan, agency=lambda agency: false(), area=table.c.area)


def _searched(query: S, table: Table, words: str, after: UUID | None) -> S:
    """Rows whose words hold each of the given ones: found by pairs of characters, rechecked by LIKE."""
    wanted = [addresses.plain(word) for word in words.split()]
    wanted = [word for word in wanted if word]
    if not wanted:
        return query
    pairs = sorted({word[at : at + 2] for word in wanted for at in range(len(word) - 1)})
    if not pairs:
        return query.where(false())  # one character would walk the whole register
    found = select(table.c.id).where(table.c.grams.contains(bindparam(None, pairs, type_=ARRAY(Text))))
    for word in wanted:
        found = found.where(table.c.words.contains(word, autoescape=True))
    if after is not None:
        found = found.where(table.c.id > after)
    # the fence keeps the planner from walking the whole register in order of ids for a rare word
    fenced = found.limit(MOST_FOUND).cte("found").prefix_with("MATERIALIZED")
    return query.where(table.c.id.in_(select(fenced.c.id)))


async def listed(
    conn: AsyncConnection, caller: Caller, register: str, *, plan: str | None = None, words: str = "",
    area: str | None = None, estate: UUID | None = None, tier: str | None = None, registration: str | None = None,
    agent: UUID | None = None, state: str | None = None, den: bool | None = None, after: UUID | None = None,
    limit: int = 50,
) -> Sequence[Any]:  # fmt: skip
    """One page of a register in order of entry, one more than `limit` when there is a next page."""
    table = _TABLES[register]
    query = select(table).where(visible(table, caller, READ[register]))
    filters: dict[str, Any] = {"plan": plan, "area": area}
    if register == "rentals":
        filters |= {
            "estate_id": estate, "tier": tier, "registration": registration, "agent_id": agent, "state": state,
        }  # fmt: skip
    for name, value in filters.items():
        if value:
            query = query.where(table.c[name] == value)
    if den:
        query = query.where(rental_units.c.den_at.is_not(None))
    if words.strip():
        query = _searched(query, table, words, after)
    if after is not None:
        query = query.where(table.c.id > after)
    return (await conn.execute(query.order_by(table.c.id).limit(limit + 1))).mappings().all()


async def one(conn: AsyncConnection, caller: Caller, register: str, place_id: UUID) -> Any:
    """One entry of a register; NotFound when it is not there for this caller."""
    table = _TABLES[register]
    row = (
        await conn.execute(select(table).where(table.c.id == place_id, visible(table, caller, READ[register])))
    ).mappings().one_or_none()  # fmt: skip
    if row is None:
        raise NotFound("没有这条登记，或不在您的权限内。 No such entry within your reach.")
    return row


_HIDDEN = {
    "grams", "words", "contact", "landlord", "landlord_name", "landlord_phone", "landlord_id_number", "address_key",
    "name_key",
}  # fmt: skip


def shown(row: Any) -> dict[str, Any]:
    """A register's row as anyone who may see it sees it: whether there is a landlord or contact, not who."""
    out = {name: value for name, value in plain(row).items() if name not in _HIDDEN}
    if "landlord" in row:
        out["landlord_known"] = row["landlord"] is not None
    if "contact" in row:
        out["contact_known"] = row["contact"] is not None
    return out


async def landlord(conn: AsyncConnection, caller: Caller, keys: KeyRing, unit_id: UUID, now: Any) -> dict[str, str]:
    """The landlord of a unit, opened; the reading is recorded in the same transaction."""
    unit = await one(conn, caller, "rentals", unit_id)
    personal = (
        await conn.execute(
            select(rental_units.c.id).where(
                rental_units.c.id == unit_id, visible(rental_units, caller, "rental.personal")
            )
        )
    ).first()  # fmt: skip
    if personal is None:
        raise NotFound("没有这条登记，或不在您的权限内。 No such entry within your reach.")
    await audit.record(conn, kit, caller, "rental.landlord.read", "rental", [unit_id], now)
    return open_contact(keys, unit_id, unit["landlord"])


async def of_person(
    conn: AsyncConnection, caller: Caller, keys: KeyRing, *, name: str | None, phone: str | None,
    id_number: str | None, now: Any,
) -> Sequence[Any]:  # fmt: skip
    """The units of one landlord by a keyed token, at most 200; that it was asked is recorded, not whom for."""
    given = {
        "name": addresses.plain(name) if name else None, "phone": phone, "id_number": id_number,
    }  # fmt: skip
    asked = [kind for kind, value in given.items() if value]
    if len(asked) != 1:
        raise Invalid(
            "姓名、电话、身份证号请只填一项。 Give exactly one of name, phone and identity number.",
            errors=[{"field": "name", "code": "one_only", "message": "exactly one"}],
        )
    kind = asked[0]
    token = person_token(keys, kind, given[kind])
    query = (
        select(rental_units)
        .where(visible(rental_units, caller, "rental.personal"), rental_units.c[f"landlord_{kind}"] == token)
        .order_by(rental_units.c.id)
        .limit(200)
    )
    rows = (await conn.execute(query)).mappings().all()
    await audit.record(conn, kit, caller, "rental.person.search", "rental", [r["id"] for r in rows], now, by=kind)
    return rows


async def picture(conn: AsyncConnection, caller: Caller, plan: str | None = None) -> list[dict[str, Any]]:
    """Per community: units let, registered, the rate, units of each tier (D-B3, D-E3). Each figure opens a list."""
    f = unit_figures.c
    query = select(unit_figures).where(
        scope(caller, "rental.read", plan=f.plan, agency=lambda agency: false(), area=f.area), f.n > 0
    )
    if plan:
        query = query.where(f.plan == plan)
    areas: dict[tuple[str, str], dict[str, Any]] = {}
    for row in await conn.execute(query.order_by(f.plan, f.area)):
        made = areas.setdefault(
            (row.plan, row.area), {"plan": row.plan, "area": row.area, "units": 0, "registered": 0, "tiers": {}}
        )
        made["units"] += row.n
        made["registered"] += row.n if row.registration == "registered" else 0
        if row.tier:
            made["tiers"][row.tier] = made["tiers"].get(row.tier, 0) + row.n
    for made in areas.values():
        made["unregistered"] = made["units"] - made["registered"]
        made["rate"] = round(made["registered"] / made["units"], 4)
    return list(areas.values())


async def history(conn: AsyncConnection, unit_id: UUID, limit: int = 20) -> Sequence[Any]:
    """A unit's latest check-ins. Its visibility is the caller's business."""
    query = select(check_ins).where(check_ins.c.unit_id == unit_id).order_by(check_ins.c.at.desc()).limit(limit)
    return (await conn.execute(query)).mappings().all()


async def visits(conn: AsyncConnection, agent_id: UUID, limit: int = 20) -> Sequence[Any]:
    """An agent's latest visits, without the signer's name."""
    v = agent_visits.c
    query = (
        select(v.id, v.at, v.agency, v.materials, v.signed)
        .where(v.agent_id == agent_id)
        .order_by(v.at.desc())
        .limit(limit)
    )
    return (await conn.execute(query)).mappings().all()


async def bookings(conn: AsyncConnection, venue_id: UUID, keys: KeyRing, limit: int = 50) -> list[dict[str, Any]]:
    """A venue's latest bookings, and how often each organiser booked anywhere in the plan."""
    b = venue_bookings.c
    rows = (
        await conn.execute(select(venue_bookings).where(b.venue_id == venue_id).order_by(b.starts_at.desc()).limit(limit))
    ).mappings().all()  # fmt: skip
    tokens = [row["organiser_token"] for row in rows if row["organiser_token"]]
    often: dict[bytes, int] = {}
    if tokens:
        counted = await conn.execute(
            select(b.organiser_token, func.count().label("n"))
            .where(b.organiser_token.in_(tokens), b.plan == rows[0]["plan"])
            .group_by(b.organiser_token)
        )
        often = {bytes(row.organiser_token): row.n for row in counted}
    return [
        {
            **{name: row[name] for name in ("id", "starts_at", "ends_at", "attendees", "purpose", "state", "version")},
            "organiser": open_contact(keys, row["id"], row["organiser"]).get("name"),
            "organiser_bookings": often.get(bytes(row["organiser_token"]), 1) if row["organiser_token"] else None,
        }
        for row in rows
    ]


async def checks(conn: AsyncConnection, venue_id: UUID, limit: int = 20) -> Sequence[Any]:
    """A venue's latest checks."""
    query = (
        select(venue_checks).where(venue_checks.c.venue_id == venue_id).order_by(venue_checks.c.at.desc()).limit(limit)
    )
    return (await conn.execute(query)).mappings().all()


async def names(conn: AsyncConnection, table: Table, ids: Sequence[UUID | None]) -> dict[UUID, str]:
    """Names of estates or agents by id."""
    wanted = [one_id for one_id in ids if one_id is not None]
    if not wanted:
        return {}
    return {
        row.id: row.name for row in await conn.execute(select(table.c.id, table.c.name).where(table.c.id.in_(wanted)))
    }

