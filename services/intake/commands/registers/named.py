"""Registers of things with a name: estates with their managers, agents, venues (X-D3, D-A1, D-A2)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, Text, any_, bindparam, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.registers import rows as kit_rows
from services.intake.domain.registers import addresses
from services.intake.schemas.registers import AgentRow, EstateRow, RowError, RowOutcome, VenueRow
from services.intake.tables import agents, estates, kit, venues
from shared.events.intake import PlaceRegistered
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.ids import new_id
from shared.kit.service import Service
from shared.rules.plan import Plan

TABLES: dict[str, Table] = {"estates": estates, "agents": agents, "venues": venues}
RIGHTS = {"rentals": "rental.manage", "estates": "rental.manage", "agents": "venue.manage", "venues": "venue.manage"}
"""The right that writing each register needs."""
_OWN = {
    "estates": ("kind", "address", "manager"),
    "agents": ("licence", "address"),
    "venues": ("kind", "address", "capacity"),
}
_USUAL = {"estates": {"kind": "estate"}, "venues": {"kind": "hall"}, "agents": {}}


async def upsert_named(
    conn: AsyncConnection, service: Service, caller: Caller, plan: Plan, register: str,
    given: Sequence[tuple[int, EstateRow | AgentRow | VenueRow]], now: datetime,
) -> list[RowOutcome]:  # fmt: skip
    """Record many, each by its number or by its name within its community; one outcome a row.

    An empty field of a known one leaves what is there. The number of statements is fixed.
    """
    table, keys = TABLES[register], service.settings.keys
    outcomes: dict[int, RowOutcome] = {}
    passed: list[tuple[int, Any, str, str]] = []
    seen: dict[tuple[str, ...], int] = {}
    for at, row in given:
        area = kit_rows.community(plan, row.area)
        wrong = (
            kit_rows.unknown_area()
            if area is None
            else None
            if kit_rows.may_write(caller, RIGHTS[register], plan.id, area)
            else kit_rows.other_area()
        )
        name_key = addresses.plain(row.name)
        for key in [("name", area or "", name_key)] + ([("number", row.number)] if row.number else []):
            first = seen.setdefault(key, at)
            if first != at and wrong is None:
                wrong = RowError(
                    field=key[0], code="double", message=f"与第 {first} 行是同一个 / the same as row {first}"
                )
        if wrong is not None:
            outcomes[at] = RowOutcome(row=at, status="rejected", errors=[wrong])
        else:
            assert area is not None
            passed.append((at, row, area, name_key))
    known = await _known(conn, table, plan, passed)
    new, changed = [], []
    for at, row, area, name_key in passed:
        by_number = known.get(("number", row.number)) if row.number else None
        by_name = known.get(("name", area, name_key))
        if by_number is not None and by_name is not None and by_number["id"] != by_name["id"]:
            taken = RowError(
                field="number", code="name_taken",
                message="这个名称已用另一编号登记 / this name is registered under another number",
            )  # fmt: skip
            outcomes[at] = RowOutcome(row=at, status="rejected", errors=[taken])
            continue
        found = by_number or by_name
        own = {name: getattr(row, name) for name in _OWN[register]}
        contact = {"name": row.contact_name, "phone": row.contact_phone}
        if found is None:
            made_id = new_id()
            new.append(
                {
                    "id": made_id, "plan": plan.id, "area": area, "number": row.number, "name": row.name,
                    "name_key": name_key, "words": addresses.words(row.name, row.address, row.number),
                    "contact": kit_rows.seal_contact(keys, made_id, **contact),
                    **{name: value or _USUAL[register].get(name) for name, value in own.items()},
                    **({"findings": 0} if register == "venues" else {}),
                    "created_at": now, "updated_at": now, "version": 1,
                }
            )  # fmt: skip
            outcomes[at] = RowOutcome(row=at, status="created", id=made_id)
            continue
        held = kit_rows.open_contact(keys, found["id"], found["contact"])
        contact = {**held, **{name: value for name, value in contact.items() if value}}
        after = {
            "area": area, "number": row.number or found["number"], "name": row.name, "name_key": name_key,
            **{name: value or found[name] for name, value in own.items()},
        }  # fmt: skip
        if contact == held and all(after[name] == found[name] for name in after):
            outcomes[at] = RowOutcome(row=at, status="same", id=found["id"])
            continue
        changed.append(
            {
                "id": found["id"], **after, "words": addresses.words(row.name, after["address"], after["number"]),
                "contact": kit_rows.seal_contact(keys, found["id"], **contact), "updated_at": now,
                "version": found["version"] + 1,
            }
        )  # fmt: skip
        outcomes[at] = RowOutcome(row=at, status="changed", id=found["id"])
    await insert_many(conn, table, new)
    await kit_rows.update_many(conn, table, changed)
    if register == "venues":
        base = service.settings.base_url("intake")
        told = [
            PlaceRegistered(
                plan=plan.id, area=row["area"], place_id=row["id"], kind="venue", registered_at=now,
                dataref=f"{base}/v1/venues/{row['id']}",
            )
            for row in new
        ]  # fmt: skip
        await outbox.put(conn, kit.outbox, told, now)
    touched = [row["id"] for row in (*new, *changed)]
    if touched:
        await audit.record(
            conn, kit, caller, f"{register}.record", register, touched, now, created=len(new), changed=len(changed)
        )
    return [outcomes[at] for at, _ in given]


async def _known(
    conn: AsyncConnection, table: Table, plan: Plan, passed: Sequence[tuple[int, Any, str, str]]
) -> dict[tuple[str, ...], Any]:
    if not passed:
        return {}
    names = _texts([name_key for _, _, _, name_key in passed])
    numbers = _texts([row.number for _, row, _, _ in passed if row.number])
    query = (
        select(table)
        .where(table.c.plan == plan.id, or_(table.c.number == any_(numbers), table.c.name_key == any_(names)))
        .order_by(table.c.id)
        .with_for_update(key_share=True)
    )
    known: dict[tuple[str, ...], Any] = {}
    for row in (await conn.execute(query)).mappings():
        known["name", row["area"], row["name_key"]] = row
        if row["number"]:
            known["number", row["number"]] = row
    return known


def _texts(values: Sequence[str]) -> Any:
    return bindparam(None, list(values), type_=ARRAY(Text))


async def known_estates(
    conn: AsyncConnection, plan: Plan, wanted: set[tuple[str, str]], now: datetime
) -> dict[tuple[str, str], UUID]:
    """The estates of (community, name), by community and folded name; those not yet in the register are entered."""
    if not wanted:
        return {}
    names = {(area, addresses.plain(name)): name for area, name in wanted}
    await insert_many(
        conn,
        estates,
        [
            {
                "id": new_id(), "plan": plan.id, "area": area, "name": name, "name_key": key, "kind": "estate",
                "words": addresses.words(name), "created_at": now, "updated_at": now, "version": 1,
            }
            for (area, key), name in sorted(names.items())
        ],
        conflict="ON CONFLICT (plan, area, name_key) DO NOTHING",
    )  # fmt: skip
    found = await conn.execute(
        select(estates.c.id, estates.c.area, estates.c.name_key).where(
            estates.c.plan == plan.id, estates.c.name_key == any_(_texts([key for _, key in names]))
        )
    )
    return {(row.area, row.name_key): row.id for row in found}


async def known_agents(conn: AsyncConnection, plan: Plan, wanted: set[str]) -> dict[str, UUID]:
    """Agents by what a row calls them, number or name, folded."""
    if not wanted:
        return {}
    folded = {addresses.plain(words) for words in wanted}
    found = await conn.execute(
        select(agents.c.id, agents.c.number, agents.c.name_key).where(
            agents.c.plan == plan.id,
            or_(
                agents.c.number == any_(_texts(sorted(wanted))),
                agents.c.name_key == any_(_texts(sorted(folded))),
            ),
        )
    )
    known: dict[str, UUID] = {}
    for row in found:
        known[row.name_key] = row.id
        if row.number:
            known[addresses.plain(row.number)] = row.id
    return known
