"""Patrols (D-E2): tasks made from the tiers, days that pass, check-ins, dens that make a unit the strictest tier."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.registers import rows as kit_rows
from services.intake.commands.registers.surveys import count_visits
from services.intake.commands.registers.suspicions import check_signs, draft_suspicion, hand_on
from services.intake.commands.registers.units import tier_changed
from services.intake.commands.tips import TipDraft
from services.intake.domain.registers import addresses, tiers
from services.intake.domain.registers.patrols import (
    UNFINISHED,
    Result,
    TaskState,
    act_of,
    counted,
    decide,
    in_time,
)
from services.intake.schemas.registers import CheckIn
from services.intake.tables import check_ins, dens, kit, patrol_tasks, rental_units
from shared.events.casework import DenFound
from shared.events.intake import PatrolCompleted, PatrolOverdue, RentalTierChanged
from shared.kit import audit, db, idempotency, outbox
from shared.kit.access import Caller, service_caller
from shared.kit.db import insert_many
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, NotFound
from shared.kit.service import Service
from shared.rules.calendar import local_day
from shared.rules.plan import Plan

BATCH = 5000
"""Tasks made, or found overdue, in one transaction."""

_MAKE = text(
    """
    INSERT INTO patrol_tasks (id, plan, area, unit_id, estate_id, estate, place, tier, agency, cause, state,
                              starts, due, next_miss, missed, attempts, created_at, version)
    SELECT gen_random_uuid(), u.plan, u.area, u.id, u.estate_id, u.estate, btrim(u.building || ' ' || u.room), u.tier,
           :agency, 'tier', 'open', :first, :last, :last, 0, 0, :now, 1
    FROM rental_units u
    WHERE u.plan = :plan AND u.tier = :tier AND u.state = 'active' AND u.due_from <= :last
      AND (u.last_patrol_on IS NULL OR u.last_patrol_on < :first)
      AND NOT EXISTS (SELECT FROM patrol_tasks t WHERE t.unit_id = u.id AND t.state IN ('open', 'overdue'))
    LIMIT :batch
    ON CONFLICT DO NOTHING
    """
)


async def make_tasks(conn: AsyncConnection, plan: Plan, now: datetime) -> int:
    """Make the tasks of the running windows for units that have none; how many were made.

    A unit has one unfinished task at most, and none in a window in which it was patrolled, so doing this again, or
    twice at once, doubles nothing.
    """
    made, today = 0, local_day(now)
    for tier in plan.patrol_tiers:
        running = tiers.window(tier.every, today)
        result = await conn.execute(
            _MAKE,
            {
                "plan": plan.id, "tier": tier.id, "agency": tier.by, "first": running.first, "last": running.last,
                "now": now, "batch": BATCH,
            },
        )  # fmt: skip
        made += result.rowcount
    return made


async def pass_due_days(conn: AsyncConnection, service: Service, plan: Plan, now: datetime) -> int:
    """Mark tasks whose window passed, count the windows, and tell of each once; how many were told."""
    today, t = local_day(now), patrol_tasks.c
    told = 0
    for tier in plan.patrol_tiers:
        late = (
            select(t.next_miss)
            .where(t.plan == plan.id, t.tier == tier.id, t.state.in_(UNFINISHED), t.next_miss < today)
            .distinct()
            .order_by(t.next_miss)
        )
        for last in [row.next_miss for row in await conn.execute(late)]:
            count, following = tiers.passed(tier.every, last, today)
            chosen = (
                select(t.id)
                .where(t.plan == plan.id, t.tier == tier.id, t.state.in_(UNFINISHED), t.next_miss == last)
                .limit(BATCH)
                .with_for_update(key_share=True, skip_locked=True)
            )
            marked = await conn.execute(
                update(patrol_tasks)
                .where(t.id.in_(chosen.scalar_subquery()))
                .values(state="overdue", missed=t.missed + count, next_miss=following, version=t.version + 1)
                .returning(t.id, t.unit_id, t.area, t.tier, t.cause, t.agency, t.due, t.missed)
            )
            events = [
                PatrolOverdue(
                    plan=plan.id, area=row.area, task_id=row.id, unit_id=row.unit_id, tier=row.tier, cause=row.cause,
                    agency=row.agency, due=row.due, missed=row.missed, overdue_at=now,
                    dataref=_dataref(service, row.unit_id),
                )
                for row in marked
            ]  # fmt: skip
            await outbox.put(conn, kit.outbox, events, now)
            told += len(events)
    if told:
        await audit.record(conn, kit, service_caller("intake"), "patrol.overdue", "plan", [plan.id], now, tasks=told)
    return told


def _dataref(service: Service, unit_id: UUID) -> str:
    return f"{service.settings.base_url('intake')}/v1/rentals/{unit_id}"


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """A recorded check-in; `replayed` when the same request had recorded it before."""

    row: Any
    replayed: bool


async def check_in(
    service: Service, caller: Caller, task_id: UUID, body: CheckIn, key: str, now: datetime
) -> CheckedIn:
    """Record what a patrol found; a suspicion becomes a lead in the same transaction.

    There is no If-Match: a check-in is a new fact, perhaps sent hours later from a phone without a net, and its
    Idempotency-Key keeps it from doubling. A task that is finished takes no second check-in, except a suspicion,
    which is never turned away. Raises NotFound, Invalid, Conflict.
    """
    check_signs("patrol", body.result == "suspicion", body.signs)
    async with db.begin(service.engine) as conn:
        seen = await _task(conn, caller, task_id)
    draft = _draft(service, caller, seen, body)
    made_id = new_id()
    claim = idempotency.claim(
        service.settings.keys, caller, "patrol.check-in", key, f"{task_id}\n{body.model_dump_json()}".encode(), made_id
    )
    async with db.begin(service.engine) as conn:
        known = await idempotency.take(conn, kit.idempotency, claim, now)
        kit_rows.raised(known)
        if isinstance(known, UUID):
            row = (await conn.execute(select(check_ins).where(check_ins.c.id == known))).mappings().one()
            return CheckedIn(row, replayed=True)
        # the unit before its task, as everybody who locks both does
        unit = select(rental_units.c.id).where(rental_units.c.id == seen["unit_id"])
        await conn.execute(unit.with_for_update(key_share=True))
        task = await _task(conn, caller, task_id, lock=True)
        return CheckedIn(await _record(conn, service, caller, task, body, draft, made_id, now), replayed=False)


async def _task(conn: AsyncConnection, caller: Caller, task_id: UUID, *, lock: bool = False) -> Any:
    query = (
        select(
            patrol_tasks, rental_units.c.building, rental_units.c.room, rental_units.c.occupants.label("known_occupants")
        )
        .join(rental_units, rental_units.c.id == patrol_tasks.c.unit_id)
        .where(patrol_tasks.c.id == task_id)
    )
    row = (await conn.execute(query.with_for_update(key_share=True) if lock else query)).mappings().one_or_none()
    if row is None or not kit_rows.may_write(caller, "patrol.do", row["plan"], row["area"]):
        raise NotFound("没有这项巡查任务，或不在您的片区内。 No such patrol task within your reach.")
    return row


def _draft(service: Service, caller: Caller, task: Any, body: CheckIn) -> TipDraft | None:
    if body.result != "suspicion":
        return None
    plan = service.plans[task["plan"]]
    named = f"{plan.area(task['area']).name.zh}{task['estate']}{addresses.place(task['building'], task['room'])}"
    return draft_suspicion(
        service, caller, plan, where="patrol", area=task["area"], place=named, signs=body.signs, note=body.note
    )


async def _record(
    conn: AsyncConnection, service: Service, caller: Caller, task: Any, body: CheckIn, draft: TipDraft | None,
    made_id: UUID, now: datetime,
) -> dict[str, Any]:  # fmt: skip
    result = Result(body.result)
    after = decide(TaskState(task["state"]), act_of(result))
    if after is None and result is not Result.SUSPICION:
        raise Conflict(
            "这项任务已有人完成或已取消，您的这次登记没有重复保存；如有新情况，请按“发现可疑”登记。 "
            "This task is finished; your check-in was not kept a second time. Report anything new as a suspicion.",
            code="task-finished",
        )
    moment = counted(body.at, now, timedelta(hours=service.plans[task["plan"]].patrol.offline_hours))
    tip_id, lead_id = await hand_on(conn, service, draft, now)
    row = {
        "id": made_id,
        "plan": task["plan"],
        "area": task["area"],
        "unit_id": task["unit_id"],
        "task_id": task["id"],
        "at": moment.at,
        "received_at": now,
        "actor": caller.actor,
        "agency": caller.agency,
        "result": result.value,
        "signs": list(dict.fromkeys(body.signs)),
        "occupants": body.occupants,
        "in_time": in_time(moment.at, task["due"]),
        "tip_id": tip_id,
        "lead_id": lead_id,
    }
    await insert_many(conn, check_ins, [row])
    if after is not None:
        await _finish(conn, service, task, row, after)
    if result is not Result.NOT_HOME:
        await _unit_seen(conn, task, row)
        await count_visits(conn, service, task["unit_id"], result is Result.SUSPICION, moment.at, now)
    await audit.record(
        conn, kit, caller, "patrol.check-in", "patrol", [task["id"]], now, result=result.value, trusted=moment.trusted
    )
    return row


async def _finish(conn: AsyncConnection, service: Service, task: Any, row: dict[str, Any], after: TaskState) -> None:
    done = after is TaskState.DONE
    await conn.execute(
        update(patrol_tasks)
        .where(patrol_tasks.c.id == task["id"])
        .values(
            state=after.value,
            attempts=patrol_tasks.c.attempts + 1,
            done_at=row["at"] if done else None,
            version=patrol_tasks.c.version + 1,
        )
    )
    if not done:
        return
    event = PatrolCompleted(
        plan=task["plan"], area=task["area"], task_id=task["id"], unit_id=task["unit_id"], tier=task["tier"],
        cause=task["cause"], agency=task["agency"], result=row["result"], due=task["due"], in_time=row["in_time"],
        missed=task["missed"], done_at=row["at"], lead_id=row["lead_id"], dataref=_dataref(service, task["unit_id"]),
    )  # fmt: skip
    await outbox.put(conn, kit.outbox, [event], row["received_at"], times=[row["at"]])


async def _unit_seen(conn: AsyncConnection, task: Any, row: dict[str, Any]) -> None:
    u = rental_units.c
    day = local_day(row["at"])
    values: dict[str, Any] = {"last_patrol_on": func.greatest(func.coalesce(u.last_patrol_on, day), day)}
    if row["occupants"] is not None and row["occupants"] != task["known_occupants"]:
        values |= {"occupants": row["occupants"], "updated_at": row["received_at"], "version": u.version + 1}
    await conn.execute(update(rental_units).where(u.id == task["unit_id"]).values(**values))


async def mark_dens(conn: AsyncConnection, service: Service, found: Sequence[DenFound], now: datetime) -> None:
    """A den in a unit makes it the strictest tier and has it patrolled within that tier's next window (D-E2, X-D9).

    A den told again changes nothing; one at a place that is no rental unit is kept as it is. The number of
    statements does not grow with the events.
    """
    new = await insert_many(
        conn,
        dens,
        [
            {
                "case_id": one.case_id, "place_id": one.place_id, "plan": one.plan, "area": one.area,
                "unit_id": None, "found_at": one.found_at,
            }
            for one in {(one.case_id, one.place_id): one for one in found}.values()
        ],
        conflict="ON CONFLICT DO NOTHING",
        returning="case_id, place_id, found_at, plan",
    )  # fmt: skip
    if not new:
        return
    latest = {row.place_id: row for row in sorted(new, key=lambda row: row.found_at)}
    u, t = rental_units.c, patrol_tasks.c
    units = (
        await conn.execute(select(rental_units).where(u.id.in_(latest)).order_by(u.id).with_for_update(key_share=True))
    ).mappings().all()  # fmt: skip
    by_plan: dict[str, list[Any]] = defaultdict(list)
    for unit in units:
        if unit["plan"] == latest[unit["id"]].plan and unit["plan"] in service.plans:
            by_plan[unit["plan"]].append(unit)
    for plan_id, members in by_plan.items():
        tier = tiers.den_tier(service.plans[plan_id])
        await kit_rows.update_many(
            conn,
            rental_units,
            [
                {
                    "id": unit["id"], "den_at": latest[unit["id"]].found_at, "den_case": latest[unit["id"]].case_id,
                    "tier": tier.id if tier else unit["tier"], "state": "active", "updated_at": now,
                    "version": unit["version"] + 1,
                }
                for unit in members
            ],
        )  # fmt: skip
        if tier is None:
            continue
        ids = [unit["id"] for unit in members]
        due = tiers.first_window(tier.every, local_day(now))
        open_ = t.state == "open"
        kept = await conn.execute(
            update(patrol_tasks)
            .where(t.unit_id.in_(ids), t.state.in_(UNFINISHED))
            .values(
                cause="den", tier=tier.id, agency=tier.by,
                due=case((open_, func.least(t.due, due.last)), else_=t.due),
                next_miss=case((open_, func.least(t.next_miss, due.last)), else_=t.next_miss),
                version=t.version + 1,
            )
            .returning(t.unit_id)
        )  # fmt: skip
        busy = {row.unit_id for row in kept}
        await insert_many(conn, patrol_tasks, [_den_task(u, tier, due, now) for u in members if u["id"] not in busy])
        told = [
            _den_told(service, plan_id, unit, tier.id, latest[unit["id"]].case_id, now)
            for unit in members
            if unit["tier"] != tier.id
        ]
        await outbox.put(conn, kit.outbox, told, now)
    if units:
        seen = [unit["id"] for unit in units]
        await conn.execute(update(dens).where(dens.c.place_id.in_(seen)).values(unit_id=dens.c.place_id, applied_at=now))
        await audit.record(conn, kit, service_caller("intake"), "rental.den", "rental", seen, now)


def _den_task(unit: Any, tier: Any, due: tiers.Window, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(), "plan": unit["plan"], "area": unit["area"], "unit_id": unit["id"],
        "estate_id": unit["estate_id"], "estate": unit["estate"],
        "place": f"{unit['building']} {unit['room']}".strip(), "tier": tier.id, "agency": tier.by, "cause": "den",
        "state": "open", "starts": local_day(now) + timedelta(days=1), "due": due.last, "next_miss": due.last,
        "missed": 0, "attempts": 0, "created_at": now, "version": 1,
    }  # fmt: skip


def _den_told(
    service: Service, plan: str, unit: Any, tier: str, case_id: UUID, now: datetime
) -> RentalTierChanged:
    return tier_changed(service, plan, dict(unit) | {"tier": tier}, unit["tier"], "den", now, case_id)
