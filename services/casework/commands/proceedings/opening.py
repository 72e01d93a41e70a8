"""Opening a proceeding, by an officer or by the step of another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.commands.proceedings import rows, secrecy
from services.casework.commands.proceedings.facts import note_incident
from services.casework.commands.proceedings.places import check_places
from services.casework.commands.proceedings.refusals import refusing
from services.casework.domain.guards import GUARDS
from services.casework.domain.numbering import number, styled
from services.casework.domain.procedures import UnknownProcedure
from services.casework.domain.proceedings import Actor, Proceeding, Side, decide_opening, side_of
from services.casework.queries.parties import party_agencies
from services.casework.queries.proceedings import seen_by
from services.casework.queries.secrecy import is_secret
from services.casework.tables import kit, number_register, proceedings
from shared.kit import audit, idempotency
from shared.kit.access import Caller, service_caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Invalid, NotFound
from shared.rules.calendar import local_day


@dataclass(frozen=True, slots=True)
class Wanted:
    """A proceeding that is asked for: its kind, the other side, what it belongs to, and the fields of its opening."""

    kind: str
    case_id: UUID | None = None
    to: tuple[str, str | None] | None = None
    parent_id: UUID | None = None
    area: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


async def open_proceeding(
    conn: AsyncConnection, basis: Basis, caller: Caller, wanted: Wanted, *, claim: Claim, now: datetime
) -> UUID:
    """Open a proceeding for the caller's agency; the same key again gives the same one.

    Raises `NotFound` (no such case or parent within reach, no such kind), `Invalid` (fields, with each one's fault), or
    `Conflict` (not yours to open, one is open already, a guard's reason, the key was used otherwise).
    """
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    if known is not None:
        return known
    case = None
    if wanted.case_id is not None:
        case = await rows.case_for(conn, caller, wanted.case_id, "proceeding.act")
        if case is None:
            raise NotFound("没有这个案件，或不在您的权限内。 No such case within your reach.", code="case-not-found")
    if wanted.parent_id is not None:
        p = proceedings.c
        found = select(p.id).where(p.id == wanted.parent_id, p.case_id == wanted.case_id, seen_by(caller))
        if (await conn.execute(found)).one_or_none() is None:
            raise NotFound("没有这件上级程序，或不在您的权限内。 No such parent within your reach.", code="parent-not-found")
        if await is_secret(conn, wanted.parent_id, now):
            raise Conflict(
                "行动时间未到，不能以它为上级建立其他程序，以免泄露；未保存。 "
                "The operation's hour has not come: nothing can be opened under it that others would see. Nothing was kept.",
                code="operation-not-open",
            )
    plan = basis.plan(case.plan if case is not None else caller.plan or "")
    parties = await party_agencies(conn, wanted.case_id)
    made = await _open(
        conn, basis, wanted, case, plan.id, Side(caller.agency or "", caller.unit), rows.actor_of(caller, plan, parties),
        claim.object_id, now,
    )  # fmt: skip
    await audit.record(conn, kit, caller, "proceeding.open", "proceeding", [made], now, kind=wanted.kind)
    return made


async def open_by_system(
    conn: AsyncConnection, basis: Basis, wanted: Wanted, case: Any | None, owner: Side, new_id: UUID, now: datetime, *,
    plan: str = "",
) -> UUID:  # fmt: skip
    """Open a proceeding that follows from another one's step; its fields come from there and none is required."""
    made = await _open(conn, basis, wanted, case, case.plan if case is not None else plan, owner, rows.SYSTEM, new_id, now)
    await audit.record(
        conn, kit, service_caller("casework"), "proceeding.open", "proceeding", [made], now, kind=wanted.kind
    )
    return made


async def _open(
    conn: AsyncConnection, basis: Basis, wanted: Wanted, case: Any | None, plan_id: str, owner: Side, actor: Actor,
    made: UUID, now: datetime,
) -> UUID:  # fmt: skip
    try:
        procedure = basis.procedures.get(wanted.kind)
    except UnknownProcedure as error:
        raise NotFound("没有这种程序。 No such kind of proceeding.", code="procedure-not-found") from error
    if case is None and procedure.case == "required":
        raise Invalid(
            "这种程序须在案件中办理，请从案件页面提出；未保存。 This belongs to a case; open it there. Nothing was kept.",
            code="case-required",
        )
    version = procedure.in_force(local_day(now))
    seed = {"plan": plan_id, "area": wanted.area or (case.area if case is not None else None)}
    ground = await rows.ground_of(conn, basis, None, case, now, plan_id=plan_id)
    to = side_of(ground.plan, *wanted.to) if wanted.to else None
    new = Proceeding(made, version.initial, owner, to, {})
    with refusing():
        decision = decide_opening(procedure, version, new, wanted.values, actor, ground, GUARDS)
        await check_places(conn, plan_id, version.open.fields, decision.given)
    waits = rows.awaited(version, decision.state, new, ground.plan)
    row: dict[str, Any] = {
        "id": made,
        "number": await _number(conn, basis, plan_id, procedure.procedure, procedure.number, local_day(now).year),
        "kind": procedure.procedure,
        "category": procedure.group,
        "procedure_version": version.version,
        **seed,
        "case_id": wanted.case_id,
        "parent_id": wanted.parent_id,
        "urgent": procedure.urgent,
        "confidential": procedure.confidential,
        "agency": owner.agency,
        "unit": owner.unit,
        "to_agency": to.agency if to else None,
        "to_unit": to.unit if to else None,
        "to_outside": bool(to and to.outside),
        "state": decision.state,
        "awaits_agency": waits[0],
        "awaits_unit": waits[1],
        "final": False,
        "outcome": None,
        "facts": dict(decision.facts),
        "opened_at": now,
        "ended_at": None,
        "version": 1,
    }
    await insert_many(conn, proceedings, [row])
    await rows.save_clocks(conn, row, {}, decision.clocks)
    await rows.save_step(conn, basis, made, 1, "open", None, decision, actor, now)
    await secrecy.begun(conn, row, actor, now)
    await secrecy.tell(conn, row, [rows.opened_event(basis, row, case, version, decision, now)], now)
    await note_incident(conn, basis, row, case, decision.facts, actor, now, (open_by_system, Wanted))
    return made


async def _number(conn: AsyncConnection, basis: Basis, plan: str, series: str, template: str, year: int) -> str:
    statement = insert(number_register).values(plan=plan, series=series, year=year, last=1)
    statement = statement.on_conflict_do_update(
        index_elements=["plan", "series", "year"], set_={"last": number_register.c.last + 1}
    ).returning(number_register.c.last)
    return number(styled(template, basis.plan(plan), year), (await conn.execute(statement)).scalar_one())
