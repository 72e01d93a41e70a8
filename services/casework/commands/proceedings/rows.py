"""Proceedings between their rows, the domain's objects and the published facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.commands.proceedings import secrecy
from services.casework.commands.records import deadline_changes, deadline_of, deadline_row, published
from services.casework.domain.cases import Clock
from services.casework.domain.procedures import FieldRule, Procedure, Version
from services.casework.domain.proceedings import (
    Actor,
    ClockChange,
    Decision,
    Ground,
    Proceeding,
    Sibling,
    Side,
    Taken,
)
from services.casework.queries.measures import tallies_of
from services.casework.queries.papers import issued_documents
from services.casework.queries.visibility import within_reach
from services.casework.tables import cases, deadlines, proceeding_steps, proceedings
from shared.events.proceedings import ClockFact, ProceedingDeadlineMissed, ProceedingOpened, ProceedingStepped
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.ids import new_id
from shared.rules.calendar import local_day
from shared.rules.plan import Plan

SEALED_BY = "case"
"""The key that the prose of steps is sealed under, bound to its proceeding."""

_OPEN = ("running", "suspended", "missed")


def actor_of(caller: Caller, plan: Plan, parties: frozenset[str]) -> Actor:
    """The caller as a decision sees it."""
    return Actor(
        caller.actor,
        caller.agency,
        caller.unit,
        caller.posts,
        office=caller.reach("proceeding.coordinate") in ("plan", "all"),
        party=caller.agency in parties,
        rights=frozenset(caller.rights),
    )


SYSTEM = Actor("service:casework", None, system=True)


async def siblings_of(conn: AsyncConnection, case_id: UUID, *, but: UUID | None = None) -> tuple[Sibling, ...]:
    """The proceedings of a case, one of them left out."""
    p = proceedings.c
    found = select(p.id, p.kind, p.state, p.final, p.outcome, p.facts, p.agency).where(p.case_id == case_id)
    return tuple(
        Sibling(one.id, one.kind, one.state, one.final, one.outcome, one.facts, one.agency)
        for one in await conn.execute(found.order_by(p.id))
        if one.id != but
    )


async def ground_of(
    conn: AsyncConnection, basis: Basis, row: Any, case: Any | None, now: datetime, *, plan_id: str = ""
) -> Ground:
    """What a decision about this proceeding (or a new one: `row` None) of a case rests on."""
    siblings = await siblings_of(conn, case.id, but=row.id if row is not None else None) if case is not None else ()
    papers = await issued_documents(conn, row.id) if row is not None else frozenset()
    plan_id = plan_id or row.plan
    tallies = await tallies_of(conn, row.id, row.category, local_day(now)) if row is not None else {}
    return Ground(
        basis.plan(plan_id), basis.law, basis.calendar, new_id, now, siblings, papers,
        urgent=bool(case.urgent) if case is not None else False,
        area=row.area if row is not None else case.area if case is not None else None, tallies=tallies,
        titles=basis.titles,
    )  # fmt: skip


async def proceeding_of(conn: AsyncConnection, row: Any) -> Proceeding:
    """A locked row with its clocks, the latest of each name, and the steps taken."""
    clocks = {
        one.kind: deadline_of(one)
        for one in await conn.execute(
            select(deadlines).where(deadlines.c.proceeding_id == row.id).order_by(deadlines.c.id).with_for_update()
        )
    }
    s = proceeding_steps.c
    taken = await conn.execute(select(s.step, s.actor).where(s.proceeding_id == row.id).order_by(s.seq))
    return Proceeding(
        row.id,
        row.state,
        Side(row.agency, row.unit),
        Side(row.to_agency, row.to_unit, row.to_outside) if row.to_agency else None,
        row.facts,
        clocks,
        tuple(Taken(one.step, one.actor) for one in taken),
    )


def awaited(version: Version, state: str, proceeding: Proceeding, plan: Plan) -> tuple[str | None, str | None]:
    """Agency and unit that a state waits for."""
    by = version.states[state].awaits
    if by == "owner" or (by == "counterpart" and proceeding.counterpart and proceeding.counterpart.outside):
        return proceeding.owner.agency, proceeding.owner.unit
    if by == "counterpart" and proceeding.counterpart:
        return proceeding.counterpart.agency, proceeding.counterpart.unit
    return (plan.office, None) if by == "office" else (None, None)


def public_facts(rules: Mapping[str, FieldRule], given: Mapping[str, Any]) -> dict[str, Any]:
    """What a step gave, as far as its table publishes it."""
    return {name: given[name] for name, rule in rules.items() if rule.publish and name in given}


def clock_facts(changes: Sequence[ClockChange]) -> tuple[ClockFact, ...]:
    """Clocks as events carry them; one found missed is told by its own event."""
    return tuple(
        ClockFact(change=one.change, state=one.deadline.state.value, deadline=_published(one))  # type: ignore[arg-type]
        for one in changes
        if one.change != "missed"
    )


def _published(change: ClockChange) -> Any:
    return published(Clock(change.side.agency, change.side.unit, change.deadline))


def told(basis: Basis, row: Mapping[str, Any], case: Any | None) -> dict[str, Any]:
    """What every event of a proceeding carries."""
    return {
        "proceeding_id": row["id"],
        "number": row["number"],
        "kind": row["kind"],
        "group": row["category"],
        "procedure_version": row["procedure_version"],
        "plan": row["plan"],
        "area": row["area"],
        "urgent": row["urgent"],
        "case_id": row["case_id"],
        "case_number": case.number if case is not None else None,
        "parent_id": row["parent_id"],
        "agency": row["agency"],
        "unit": row["unit"],
        "to_agency": row["to_agency"],
        "to_unit": row["to_unit"],
        "dataref": f"{basis.address}/v1/proceedings/{row['id']}",
    }


async def save_clocks(
    conn: AsyncConnection, row: Mapping[str, Any], known: Mapping[str, Any], changes: Sequence[ClockChange]
) -> int:
    """Write the changed clocks; returns by how much the count of missed, still open ones changed."""
    ids = {deadline.id for deadline in known.values()}
    was_missed = {deadline.id for deadline in known.values() if deadline.state == "missed"}
    fresh: dict[str, dict[str, Any]] = {}
    difference = 0
    for one in changes:
        deadline = one.deadline
        columns = deadline_changes(deadline)
        if deadline.id in ids:
            await conn.execute(
                update(deadlines)
                .where(deadlines.c.id == UUID(deadline.id))
                .values(**columns, version=deadlines.c.version + 1)
            )
            if deadline.id in was_missed and one.change in ("met", "cancelled"):
                difference -= 1
                was_missed.discard(deadline.id)
        else:
            clock = Clock(one.side.agency, one.side.unit, deadline)
            fresh[deadline.id] = deadline_row(row["case_id"], clock) | columns | {"proceeding_id": row["id"]}
    await insert_many(conn, deadlines, list(fresh.values()))
    return difference


async def save_step(
    conn: AsyncConnection, basis: Basis, proceeding_id: UUID, seq: int, step: str, source: str | None,
    decision: Decision, actor: Actor, now: datetime,
) -> None:  # fmt: skip
    """Append a step; its prose is sealed."""
    words = orjson.dumps(dict(decision.words)) if decision.words else None
    await insert_many(
        conn,
        proceeding_steps,
        [
            {
                "proceeding_id": proceeding_id,
                "seq": seq,
                "step": step,
                "from_state": source,
                "to_state": decision.state,
                "at": now,
                "actor": actor.id,
                "agency": actor.agency,
                "unit": actor.unit,
                "facts": dict(decision.given),
                "words": basis.keys.seal(SEALED_BY, proceeding_id.bytes, words) if words else None,
            }
        ],
    )


def opened_event(
    basis: Basis, row: Mapping[str, Any], case: Any | None, version: Version, decision: Decision, now: datetime
) -> ProceedingOpened:
    return ProceedingOpened(
        **told(basis, row, case),
        state=decision.state,
        facts=public_facts(version.open.fields, decision.given),
        clocks=clock_facts(decision.clocks),
        awaits_agency=row["awaits_agency"],
        awaits_unit=row["awaits_unit"],
        opened_at=now,
    )


async def tell_step(
    conn: AsyncConnection, basis: Basis, row: Mapping[str, Any], case: Any | None, version: Version, step: str,
    source: str, decision: Decision, actor: Actor, now: datetime,
) -> None:  # fmt: skip
    """Put a step's events into the outbox: clocks found missed first, then the step."""
    state = version.states[decision.state]
    base = told(basis, row, case)
    events: list[Any] = [
        ProceedingDeadlineMissed(**base, state=source, deadline=_published(one), missed_at=now)
        for one in decision.clocks
        if one.change == "missed"
    ]
    events.append(
        ProceedingStepped(
            **base,
            step=step,
            from_state=source,
            state=decision.state,
            final=state.final,
            outcome=state.outcome if state.final else None,
            by_agency=actor.agency,
            by_unit=actor.unit,
            by_system=actor.system,
            facts=public_facts(version.steps[step].fields, decision.given),
            clocks=clock_facts(decision.clocks),
            awaits_agency=row["awaits_agency"],
            awaits_unit=row["awaits_unit"],
            stepped_at=now,
        )
    )
    await secrecy.tell(conn, row, events, now)


async def count_missed(conn: AsyncConnection, case_id: UUID | None, difference: int) -> None:
    """The case's own count of clocks past due, which lists are filtered by."""
    if case_id is not None and difference:
        await conn.execute(
            update(cases).where(cases.c.id == case_id).values(missed=func.greatest(cases.c.missed + difference, 0))
        )


async def case_for(conn: AsyncConnection, caller: Caller | None, case_id: UUID, right: str) -> Any | None:
    """A case, when it is within the caller's reach under a right; for the system, any."""
    query = select(cases).where(cases.c.id == case_id)
    if caller is not None:
        query = query.where(within_reach(caller, right))
    return (await conn.execute(query)).one_or_none()


def procedure_of(basis: Basis, row: Any) -> tuple[Procedure, Version]:
    """The table a running proceeding keeps."""
    procedure = basis.procedures.get(row.kind)
    return procedure, procedure.version(row.procedure_version)
