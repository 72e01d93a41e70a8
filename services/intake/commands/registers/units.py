"""Rental units: many at once, one changed, and what a change does to its patrols (D-E2, D-E3, X-D3)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.registers import rows as kit_rows
from services.intake.commands.registers.named import known_agents, known_estates
from services.intake.domain.registers import addresses, tiers
from services.intake.domain.registers.patrols import UNFINISHED
from services.intake.schemas.registers import RowError, RowOutcome, UnitChange, UnitRow
from services.intake.tables import kit, patrol_tasks, rental_units
from shared.events.intake import PlaceRegistered, RentalTierChanged
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.ids import new_id
from shared.kit.problem import Invalid, NotFound
from shared.kit.service import Service
from shared.rules.calendar import local_day
from shared.rules.plan import Plan

_LANDLORD = ("name", "phone", "id_number")


@dataclass
class _Draft:
    """A row that has passed so far, and what it will change."""

    at: int
    row: UnitRow
    area: str
    key: str
    tier: str | None
    errors: list[RowError] = field(default_factory=list)


async def upsert_units(
    conn: AsyncConnection, service: Service, caller: Caller, plan: Plan, given: Sequence[tuple[int, UnitRow]],
    now: datetime,
) -> list[RowOutcome]:  # fmt: skip
    """Record many units, each by its number or its address; one outcome a row. The number of statements is fixed.

    An empty field of a known unit leaves what is there. A wrong row is rejected with field and reason; the others
    stand. A unit in which a den was found keeps its tier: only `change_unit` may lower it.
    """
    drafts = [_draft(plan, caller, at, row) for at, row in given]
    _doubles(drafts)
    passed = [draft for draft in drafts if not draft.errors]
    estates = await known_estates(conn, plan, {(d.area, d.row.estate) for d in passed if d.row.estate}, now)
    agents = await known_agents(conn, plan, {d.row.agent for d in passed if d.row.agent})
    for draft in passed:
        if draft.row.agent and addresses.plain(draft.row.agent) not in agents:
            draft.errors.append(
                RowError(
                    field="agent", code="unknown_agent", message="中介名录中没有这家 / not in the register of agents"
                )
            )
    known = await _known(conn, plan, [draft for draft in passed if not draft.errors])
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    moved: list[tuple[dict[str, Any], str | None, str]] = []
    outcomes: list[RowOutcome] = []
    for draft in drafts:
        found = _match(draft, known, caller, plan) if not draft.errors else None
        if draft.errors:
            outcomes.append(RowOutcome(row=draft.at, status="rejected", errors=draft.errors))
            continue
        estate_id = estates.get((draft.area, addresses.plain(draft.row.estate)))
        agent_id = agents.get(addresses.plain(draft.row.agent)) if draft.row.agent else None
        if found is None:
            unit = _new(service, plan, draft, estate_id, agent_id, now)
            new.append(unit)
            outcomes.append(RowOutcome(row=draft.at, status="created", id=unit["id"]))
            continue
        after = _after(service, plan, draft, found, estate_id, agent_id, now)
        if after is None:
            outcomes.append(RowOutcome(row=draft.at, status="same", id=found["id"]))
            continue
        changed.append(after)
        if after["tier"] != found["tier"] and after["tier"]:
            moved.append((after | {"area": draft.area}, found["tier"], after["tier"]))
        outcomes.append(RowOutcome(row=draft.at, status="changed", id=found["id"]))
    await insert_many(conn, rental_units, new)
    await kit_rows.update_many(conn, rental_units, changed)
    await _patrols_follow(conn, plan, changed, moved, now)
    told: list[Any] = [tier_changed(service, plan.id, unit, before, "officer", now) for unit, before, _ in moved]
    base = service.settings.base_url("intake")
    told += [
        PlaceRegistered(
            plan=plan.id, area=unit["area"], place_id=unit["id"], kind="rental", registered_at=now,
            dataref=f"{base}/v1/rentals/{unit['id']}",
        )
        for unit in new
    ]  # fmt: skip
    await outbox.put(conn, kit.outbox, told, now)
    touched = [unit["id"] for unit in (*new, *changed)]
    if touched:
        await audit.record(
            conn, kit, caller, "rental.record", "rental", touched, now, created=len(new), changed=len(changed)
        )
    return outcomes


def _draft(plan: Plan, caller: Caller, at: int, row: UnitRow) -> _Draft:
    area = kit_rows.community(plan, row.area)
    key = addresses.address_key(area or "", row.estate, row.building, row.room)
    draft = _Draft(at, row, area or "", key, None)
    if area is None:
        draft.errors.append(kit_rows.unknown_area())
    elif not kit_rows.may_write(caller, "rental.manage", plan.id, area):
        draft.errors.append(kit_rows.other_area())
    if row.tier:
        tier = tiers.tier_of(plan, row.tier)
        draft.tier = tier.id if tier else None
        if tier is None:
            named = "、".join(t.name.zh for t in plan.patrol_tiers) or "（本方案没有分层）"
            draft.errors.append(
                RowError(field="tier", code="unknown_tier", message=f"没有这一层，可填：{named} / no such tier")
            )
    return draft


def _doubles(drafts: Sequence[_Draft]) -> None:
    """The same unit twice in one file: the first stands, the second is rejected."""
    seen: dict[tuple[str, str], int] = {}
    for draft in drafts:
        if draft.errors:
            continue
        names = [("room", draft.key)] + ([("number", draft.row.number)] if draft.row.number else [])
        for name, value in names:
            first = seen.setdefault((name, value), draft.at)
            if first != draft.at:
                draft.errors.append(
                    RowError(
                        field=name, code="double", message=f"与第 {first} 行是同一户 / the same unit as row {first}"
                    )
                )
                break


async def _known(conn: AsyncConnection, plan: Plan, drafts: Sequence[_Draft]) -> dict[tuple[str, str], Any]:
    numbers = [draft.row.number for draft in drafts if draft.row.number]
    keys = [draft.key for draft in drafts]
    if not keys:
        return {}
    t = rental_units.c
    query = (
        select(rental_units)
        .where(t.plan == plan.id, or_(t.number == _any(numbers), t.address_key == _any(keys)))
        .order_by(t.id)
        .with_for_update(key_share=True)
    )
    known: dict[tuple[str, str], Any] = {}
    for unit in (await conn.execute(query)).mappings():
        known["key", unit["address_key"]] = unit
        if unit["number"]:
            known["number", unit["number"]] = unit
    return known


def _any(values: Sequence[str]) -> Any:
    from sqlalchemy import Text, any_, bindparam
    from sqlalchemy.dialects.postgresql import ARRAY

    return any_(bindparam(None, list(values), type_=ARRAY(Text)))


def _match(draft: _Draft, known: dict[tuple[str, str], Any], caller: Caller, plan: Plan) -> Any:
    by_number = known.get(("number", draft.row.number)) if draft.row.number else None
    by_key = known.get(("key", draft.key))
    if by_number is not None and by_key is not None and by_number["id"] != by_key["id"]:
        draft.errors.append(
            RowError(
                field="number", code="address_taken",
                message="这个地址已用另一编号登记 / this address is registered under another number",
            )
        )  # fmt: skip
        return None
    found = by_number if by_number is not None else by_key
    if found is not None and not kit_rows.may_write(caller, "rental.manage", plan.id, found["area"]):
        draft.errors.append(kit_rows.other_area())
    return found


def _tokens(service: Service, values: dict[str, str | None]) -> dict[str, bytes | None]:
    keys = service.settings.keys
    return {
        "landlord_name": kit_rows.person_token(keys, "name", values.get("name") and addresses.plain(values["name"])),  # type: ignore[arg-type]
        "landlord_phone": kit_rows.person_token(keys, "phone", values.get("phone")),
        "landlord_id_number": kit_rows.person_token(keys, "id_number", values.get("id_number")),
    }


def _landlord(row: UnitRow | UnitChange) -> dict[str, str]:
    given = {name: getattr(row, f"landlord_{name}") for name in _LANDLORD}
    return {name: value for name, value in given.items() if value}


def _new(
    service: Service, plan: Plan, draft: _Draft, estate_id: UUID | None, agent_id: UUID | None, now: datetime
) -> dict[str, Any]:
    row, unit_id, landlord = draft.row, new_id(), _landlord(draft.row)
    usual = tiers.usual_tier(plan)
    return {
        "id": unit_id,
        "plan": plan.id,
        "area": draft.area,
        "number": row.number,
        "words": addresses.words(row.estate, row.building, row.room, row.number),
        "address_key": draft.key,
        "estate_id": estate_id,
        "estate": row.estate,
        "building": row.building,
        "room": row.room,
        "tier": draft.tier or (usual.id if usual else None),
        "registration": row.registration or "unregistered",
        "state": row.state or "active",
        "occupants": row.occupants,
        "agent_id": agent_id,
        "landlord": kit_rows.seal_contact(service.settings.keys, unit_id, **landlord),
        **_tokens(service, landlord),  # type: ignore[arg-type]
        "due_from": local_day(now) + timedelta(days=1),
        "created_at": now,
        "updated_at": now,
        "version": 1,
    }


_KEPT = (
    "number", "words", "address_key", "estate_id", "estate", "building", "room", "area", "tier", "registration",
    "state", "occupants", "agent_id", "landlord_name", "landlord_phone", "landlord_id_number",
)  # fmt: skip


def _after(
    service: Service, plan: Plan, draft: _Draft, unit: Any, estate_id: UUID | None, agent_id: UUID | None, now: datetime
) -> dict[str, Any] | None:
    """The unit as it will be, or None when nothing of it changes."""
    row, landlord = draft.row, _landlord(draft.row)
    number = row.number or unit["number"]
    after = {
        **{name: unit[name] for name in _KEPT},
        "area": draft.area,
        "number": number,
        "words": addresses.words(row.estate, row.building, row.room, number),
        "address_key": draft.key,
        "estate_id": estate_id,
        "estate": row.estate,
        "building": row.building,
        "room": row.room,
        "tier": (unit["tier"] if unit["den_at"] else draft.tier) or unit["tier"],
        "registration": row.registration or unit["registration"],
        "state": row.state or unit["state"],
        "occupants": unit["occupants"] if row.occupants is None else row.occupants,
        "agent_id": agent_id or unit["agent_id"],
    }
    tokens = {name: token for name, token in _tokens(service, landlord).items() if token}  # type: ignore[arg-type]
    after |= tokens
    if all(_plain(after[name]) == _plain(unit[name]) for name in _KEPT):
        return None
    return {
        **after,
        "id": unit["id"],
        "landlord": _resealed(service, unit, landlord) if tokens else unit["landlord"],
        "updated_at": now,
        "version": unit["version"] + 1,
    }


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _resealed(service: Service, unit: Any, landlord: dict[str, str]) -> bytes | None:
    keys = service.settings.keys
    kept = kit_rows.open_contact(keys, unit["id"], unit["landlord"])
    return kit_rows.seal_contact(keys, unit["id"], **{**kept, **landlord})


async def _patrols_follow(
    conn: AsyncConnection, plan: Plan, changed: Sequence[dict[str, Any]],
    moved: Sequence[tuple[dict[str, Any], str | None, str]], now: datetime,
) -> None:  # fmt: skip
    """A unit no longer let is not patrolled; one of another tier is due in that tier's window."""
    t, today = patrol_tasks.c, local_day(now)
    ended = [unit["id"] for unit in changed if unit["state"] == "ended"]
    if ended:
        await conn.execute(
            update(patrol_tasks)
            .where(t.unit_id.in_(ended), t.state.in_(UNFINISHED))
            .values(state="dropped", done_at=now, version=t.version + 1)
        )
    for tier in plan.patrol_tiers:
        units = [unit["id"] for unit, _, after in moved if after == tier.id]
        if units:
            due = tiers.first_window(tier.every, today)
            await conn.execute(
                update(patrol_tasks)
                .where(t.unit_id.in_(units), t.state == "open", t.cause == "tier")
                .values(
                    tier=tier.id, starts=due.first, due=due.last, next_miss=due.last, agency=tier.by,
                    version=t.version + 1,
                )
            )  # fmt: skip


def tier_changed(
    service: Service, plan: str, unit: Any, before: str | None, cause: Any, now: datetime, case_id: UUID | None = None
) -> RentalTierChanged:
    """The event that tells scoring and notify of a unit's new tier."""
    return RentalTierChanged(
        plan=plan,
        area=unit["area"],
        unit_id=unit["id"],
        before=before,
        after=unit["tier"],
        cause=cause,
        case_id=case_id,
        changed_at=now,
        dataref=f"{service.settings.base_url('intake')}/v1/rentals/{unit['id']}",
    )


async def change_unit(
    conn: AsyncConnection, service: Service, caller: Caller, unit_id: UUID, change: UnitChange, version: int,
    now: datetime,
) -> None:  # fmt: skip
    """Change one unit as its reader saw it.

    Lowering the tier of a unit with a den needs `patrol.manage`. Raises NotFound, Outdated, Forbidden, Invalid.
    """
    unit = (
        await conn.execute(select(rental_units).where(rental_units.c.id == unit_id).with_for_update(key_share=True))
    ).mappings().one_or_none()  # fmt: skip
    if unit is None or not kit_rows.may_write(caller, "rental.manage", unit["plan"], unit["area"]):
        if unit is None or not kit_rows.may_write(caller, "rental.read", unit["plan"], unit["area"]):
            raise NotFound("没有这户出租屋，或不在您的权限内。 No such unit within your reach.")
        kit_rows.demand(caller, "rental.manage", unit["plan"], unit["area"])
    kit_rows.same_version(unit["version"], version)
    plan = service.plans[unit["plan"]]
    draft = _draft(
        plan, caller, 0,
        UnitRow.model_construct(
            number=None, area=unit["area"], estate=unit["estate"], building=unit["building"], room=unit["room"],
            **change.model_dump(),
        ),
    )  # fmt: skip
    agent_id = None
    if change.agent:
        agent_id = (await known_agents(conn, plan, {change.agent})).get(addresses.plain(change.agent))
        if agent_id is None:
            draft.errors.append(RowError(field="agent", code="unknown_agent", message="not in the register of agents"))
    if draft.errors:
        raise Invalid(
            "请改正所列字段；未保存任何内容。 Correct the listed fields; nothing was kept.",
            errors=[error.model_dump() for error in draft.errors],
        )
    if unit["den_at"] and draft.tier and draft.tier != unit["tier"]:
        kit_rows.demand(caller, "patrol.manage", unit["plan"], unit["area"])
        unit = dict(unit) | {"den_at": None}
    after = _after(service, plan, draft, unit, unit["estate_id"], agent_id, now)
    if after is None:
        return
    moved = [(after, unit["tier"], after["tier"])] if after["tier"] != unit["tier"] else []
    await kit_rows.update_many(conn, rental_units, [after])
    await _patrols_follow(conn, plan, [after], moved, now)
    await outbox.put(
        conn, kit.outbox, [tier_changed(service, plan.id, after, before, "officer", now) for _, before, _ in moved], now
    )
    await audit.record(
        conn, kit, caller, "rental.change", "rental", [unit_id], now,
        fields=sorted(name for name, value in change.model_dump().items() if value is not None),
    )  # fmt: skip
