"""Taking a step of a proceeding: by an officer, or by the system where a clock or another proceeding asks for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.commands.proceedings import rows, secrecy
from services.casework.commands.proceedings.facts import note_incident
from services.casework.commands.proceedings.joining import join_case
from services.casework.commands.proceedings.opening import Wanted, open_by_system
from services.casework.commands.proceedings.places import check_places
from services.casework.commands.proceedings.refusals import refusing
from services.casework.commands.proceedings.results import tell_result
from services.casework.domain.guards import GUARDS
from services.casework.domain.procedures import StepRule
from services.casework.domain.proceedings import Actor, Decision, Proceeding, Side, decide_step, side_of
from services.casework.queries.parties import parties_of
from services.casework.queries.proceedings import seen_by
from services.casework.queries.secrecy import OPERATION
from services.casework.tables import cases, kit, proceeding_steps, proceedings
from shared.kit import audit, idempotency
from shared.kit.access import Caller, service_caller
from shared.kit.etag import etag
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, NotFound, Outdated
from shared.rules.plan import Plan


async def take_step(
    conn: AsyncConnection, basis: Basis, caller: Caller, proceeding_id: UUID, step: str, values: Mapping[str, Any], *,
    version: int, claim: Claim, now: datetime, beside: Callable[[Any], Awaitable[None]] | None = None,
) -> None:  # fmt: skip
    """Take a step for the caller. What follows from it (clocks, proceedings opened or moved) is in the same transaction.

    `beside` writes rows that belong to the step (items of a seizure, payments), once the proceeding is held and known
    to be the version that was read; the step then judges them, and nothing stays where it is refused.

    Raises `NotFound`, `Forbidden` (another side's step, or an approval the caller's post cannot give), `Conflict` (not
    possible now, papers missing, a guard's reason, key reused), `Invalid` (fields) or `Outdated` (what changed since).
    """
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    if known is not None:
        return
    row = await _locked(conn, proceeding_id, caller)
    if row is None:
        raise NotFound("没有这件程序，或不在您的权限内。 No such proceeding within your reach.", code="proceeding-not-found")
    if version != row.version:
        raise await _outdated(conn, row, version)
    parties = await parties_of(conn, row)
    actor = rows.actor_of(caller, basis.plan(row.plan), parties)
    if beside is not None:
        await beside(row)
    decision = await apply_step(conn, basis, row, step, values, actor, now)
    await audit.record(
        conn, kit, caller, "proceeding.step", "proceeding", [row.id], now, kind=row.kind, step=step, state=decision.state
    )


async def apply_step(
    conn: AsyncConnection, basis: Basis, row: Any, step: str, values: Mapping[str, Any], actor: Actor, now: datetime
) -> Decision:
    """Decide and save a step of a locked row, with what follows from it."""
    case = await rows.case_for(conn, None, row.case_id, "") if row.case_id else None
    procedure, version = rows.procedure_of(basis, row)
    proceeding = await rows.proceeding_of(conn, row)
    ground = await rows.ground_of(conn, basis, row, case, now)
    with refusing():
        decision = decide_step(procedure, version, proceeding, step, values, actor, ground, GUARDS)
        await check_places(conn, row.plan, version.steps[step].fields, decision.given)
    state = version.states[decision.state]
    waits = rows.awaited(version, decision.state, proceeding, ground.plan)
    saved = dict(row._mapping) | {"awaits_agency": waits[0], "awaits_unit": waits[1]}
    difference = await rows.save_clocks(conn, saved, proceeding.clocks, decision.clocks)
    await rows.count_missed(conn, row.case_id, difference)
    await conn.execute(
        update(proceedings)
        .where(proceedings.c.id == row.id)
        .values(
            state=decision.state,
            awaits_agency=waits[0],
            awaits_unit=waits[1],
            final=state.final,
            outcome=state.outcome if state.final else None,
            ended_at=(row.ended_at or now) if state.final else None,
            facts=dict(decision.facts),
            missed=func.greatest(proceedings.c.missed + difference, 0),
            version=proceedings.c.version + 1,
        )
    )
    last = await conn.scalar(
        select(func.max(proceeding_steps.c.seq)).where(proceeding_steps.c.proceeding_id == row.id)
    )
    await rows.save_step(conn, basis, row.id, (last or 0) + 1, step, row.state, decision, actor, now)
    await secrecy.moved(conn, saved, decision.state, decision.facts, now)
    await rows.tell_step(conn, basis, saved, case, version, step, row.state, decision, actor, now)
    await _follow(conn, basis, row, case, version.steps[step], proceeding, decision, actor, now)
    await note_incident(conn, basis, saved, case, decision.facts, actor, now, (open_by_system, Wanted))
    if row.kind == OPERATION and decision.state in ("ended", "reported") and decision.state != row.state:
        await tell_result(conn, basis, row, decision.state, now)
    return decision


async def _follow(
    conn: AsyncConnection, basis: Basis, row: Any, case: Any | None, step: StepRule, proceeding: Proceeding,
    decision: Decision, actor: Actor, now: datetime,
) -> None:  # fmt: skip
    if step.joins is not None and case is not None:
        side = _joining(step.joins, proceeding, decision, basis.plan(row.plan))
        if side is not None:
            await join_case(conn, basis, case, side, row.id, actor, now)
    for opening in step.opens:
        sides: dict[str, Side | None] = {"owner": proceeding.owner, "counterpart": proceeding.counterpart}
        owner = sides[opening.owner]
        if owner is None:
            continue
        other = sides["counterpart" if opening.owner == "owner" else "owner"]
        procedure = basis.procedures.get(opening.procedure)
        if procedure.single and await _open_already(conn, row.case_id, opening.procedure):
            continue
        carried = {name: decision.facts[name] for name in opening.carry if name in decision.facts}
        wanted = Wanted(
            opening.procedure, row.case_id, (other.agency, other.unit) if procedure.counterpart and other else None,
            row.id, row.area, carried,
        )  # fmt: skip
        await open_by_system(conn, basis, wanted, case, owner, new_id(), now, plan=row.plan)
    for move in step.moves:
        if row.case_id is None and not move.parent:
            continue
        p = proceedings.c
        which = p.id == row.parent_id if move.parent else (p.case_id == row.case_id) & (p.id != row.id)
        found = select(proceedings).where(which, p.kind == move.procedure).order_by(p.id).with_for_update()
        for other_row in (await conn.execute(found)).all():
            other_version = rows.procedure_of(basis, other_row)[1]
            rule = other_version.steps.get(move.step)
            if rule is not None and other_row.state in rule.sources:
                await apply_step(conn, basis, other_row, move.step, {}, rows.SYSTEM, now)
                await audit.record(
                    conn, kit, service_caller("casework"), "proceeding.step", "proceeding", [other_row.id], now,
                    kind=other_row.kind, step=move.step,
                )  # fmt: skip


def _joining(joins: str, proceeding: Proceeding, decision: Decision, plan: Plan) -> Side | None:
    if joins in ("owner", "counterpart"):
        return proceeding.owner if joins == "owner" else proceeding.counterpart
    agency = decision.given.get(joins)
    return side_of(plan, agency) if agency else None


async def _open_already(conn: AsyncConnection, case_id: UUID | None, kind: str) -> bool:
    """Whether the case has one of a kind that is open once at most: it then goes on in that one."""
    p = proceedings.c
    found = select(p.id).where(p.case_id == case_id, p.kind == kind, p.final.is_(False)).limit(1)
    return (await conn.execute(found)).one_or_none() is not None


async def _locked(conn: AsyncConnection, proceeding_id: UUID, caller: Caller) -> Any | None:
    """The row, locked: with all of its case, in one order, since a step may move others."""
    p = proceedings.c
    case_id = await conn.scalar(select(p.case_id).where(p.id == proceeding_id))
    if case_id is not None:
        await conn.execute(select(cases.c.id).where(cases.c.id == case_id).with_for_update())
        await conn.execute(select(p.id).where(p.case_id == case_id).order_by(p.id).with_for_update())
    found = select(proceedings).where(p.id == proceeding_id, seen_by(caller)).with_for_update()
    return (await conn.execute(found)).one_or_none()


async def _outdated(conn: AsyncConnection, row: Any, version: int) -> Outdated:
    s = proceeding_steps.c
    since = (
        await conn.execute(select(s.seq, s.step, s.at, s.agency).where(s.proceeding_id == row.id).order_by(s.seq))
    ).all()
    return Outdated(
        "您打开之后它已有变动（见 changes），您的操作未保存；请查看最新情况后再提交。 "
        "It changed since you read it (see changes); nothing was saved. Look again, then send again.",
        headers={"etag": etag(row.version)},
        current=etag(row.version),
        changes=[
            {"at": one.at.isoformat(), "step": one.step, "agency": one.agency} for one in since if one.seq > version
        ],
    )
