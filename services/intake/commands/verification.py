"""Major leads (重大线索) are marked by the plan's rule, verified by their agency in time, or told of as missed (D-Q1.4)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.handovers.rooms import Rules, clock_columns, take_key
from services.intake.domain.verification import (
    VerificationAct,
    VerificationRefused,
    VerificationState,
    after,
    clock_starts,
)
from services.intake.queries.handovers import lead_reach
from services.intake.tables import kit, lead_parties, lead_verifications, leads
from shared.events.common import DeadlineFact
from shared.events.envelope import Event
from shared.events.followups import LeadMarkedMajor, LeadVerificationMissed, LeadVerified
from shared.events.proceedings import ProceedingStepped
from shared.kit import audit, outbox
from shared.kit.access import Caller, service_caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, NotFound, Outdated
from shared.rules.plan import Plan

Outcome = Literal["founded", "unfounded", "inconclusive"]

CLOCK = "verification"
_CASE_CLOCKS = {"administrative_case": "verify", "criminal_case": "review"}
"""Proceedings that begin with the verification of what was reported, and the clock of that part."""
_ACTOR = service_caller("intake")

AT_ONCE = 50
"""Leads of one transaction: each clock is reckoned in the service's loop, and the leads stay locked meanwhile."""


async def mark_major(conn: AsyncConnection, rules: Rules, plan: Plan, now: datetime, *, limit: int = AT_ONCE) -> int:
    """Mark leads that the plan's rule makes major and start their clocks; how many, at most `limit`.

    Safe to run at the same time elsewhere. A plan without a rule or without the clock marks none.
    """
    rule, clock = plan.leads.major, plan.clock(CLOCK)
    if rule is None or clock is None:
        return 0
    c = leads.c
    held = [c.urgent] if rule.urgent else []
    held += [c.gathering_at.is_not(None)] if rule.gathering else []
    held += [c.tips >= rule.tips] if rule.tips else []
    if not held:
        return 0
    rows = (
        await conn.execute(
            select(leads)
            .where(
                c.plan == plan.id, c.major_at.is_(None), c.merged_into.is_(None), c.closed_at.is_(None), or_(*held),
                # said once more as the index says it
                text("(urgent OR tips > 1 OR gathering_at IS NOT NULL)"),
            )
            .order_by(c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    ).all()  # fmt: skip
    if not rows:
        return 0
    made, told = [], []
    for row in rows:
        causes = rule.causes(urgent=row.urgent, gathering=row.gathering_at is not None, tips=row.tips)
        start = clock_starts(
            causes, received_at=row.received_at, urgent_at=row.urgent_at, gathering_at=row.gathering_at, now=now
        )
        deadline = clock_columns(rules.clock(plan, clock, CLOCK, start))
        made.append(
            {"lead_id": row.id, "plan": row.plan, "causes": list(causes), "state": "waiting", "marked_at": now, "version": 1}
            | deadline
        )
        told.append(
            LeadMarkedMajor(**_facts(rules, row, causes), deadline=_deadline(row, made[-1]), marked_at=now)
        )
    # one that was verified before it became major has its row and needs no clock
    fresh = await insert_many(
        conn, lead_verifications, made, conflict="ON CONFLICT (lead_id) DO NOTHING", returning="lead_id"
    )
    known = {row.lead_id for row in fresh}
    ids = [row.id for row in rows]
    await conn.execute(update(leads).where(c.id == func.any(ids)).values(major_at=now))
    await outbox.put(conn, kit.outbox, [one for one in told if one.lead_id in known], now)
    await audit.record(conn, kit, _ACTOR, "lead.marked_major", "lead", ids, now)
    return len(rows)


async def mark_missed(conn: AsyncConnection, rules: Rules, plan: Plan, now: datetime, *, limit: int = AT_ONCE) -> int:
    """Tell once of major leads nobody verified in time; how many, at most `limit`.

    Leads that were joined with another one, or ended with their case, owe nothing by themselves any more.
    """
    v = lead_verifications.c
    rows = (
        await conn.execute(
            select(lead_verifications, leads.c.area, leads.c.agency, leads.c.unit, leads.c.urgent, leads.c.id)
            .join(leads, leads.c.id == v.lead_id)
            .where(
                v.plan == plan.id, v.state == "waiting", v.due < now, leads.c.merged_into.is_(None),
                leads.c.closed_at.is_(None),
            )
            .order_by(v.due)
            .limit(limit)
            .with_for_update(of=lead_verifications, skip_locked=True)
        )
    ).all()  # fmt: skip
    if not rows:
        return 0
    ids = [row.lead_id for row in rows]
    await conn.execute(
        update(lead_verifications)
        .where(v.lead_id == func.any(ids))
        .values(state=after(VerificationState.WAITING, VerificationAct.MISS).value, missed_at=now, version=v.version + 1)
    )
    told = [
        LeadVerificationMissed(
            **_facts(rules, row, row.causes), deadline=_deadline(row, row._mapping), missed_at=now
        )
        for row in rows
    ]
    await outbox.put(conn, kit.outbox, told, now)
    await audit.record(conn, kit, _ACTOR, "lead.verification_missed", "lead", ids, now)
    return len(rows)


async def verify(
    conn: AsyncConnection, rules: Rules, caller: Caller, lead_id: UUID, outcome: Outcome, note: str, *, version: int,
    claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """Record that a lead was verified and what was found. The same key again has its effect once; the lead's id.

    `version` is that of the verification, 0 for a lead that has none yet (not major). Raises NotFound, Outdated or
    Conflict (verified before; joined with another lead).
    """
    if await take_key(conn, claim, now) is not None:
        return lead_id
    row = (
        await conn.execute(
            select(leads).where(leads.c.id == lead_id, lead_reach(caller, "lead.verify")).with_for_update(of=leads)
        )
    ).one_or_none()
    if row is None:
        raise NotFound("没有这条线索，或不由您核查。 No such lead, or not yours to verify.", code="lead-not-found")
    if row.merged_into is not None:
        raise Conflict(
            "这条线索已并入另一条，请在那里核查；未作更改。 This lead was joined with another one; verify that one.",
            code="lead-merged",
            lead_id=str(row.merged_into),
        )
    v = lead_verifications.c
    there = (
        await conn.execute(select(lead_verifications).where(v.lead_id == lead_id).with_for_update())
    ).one_or_none()
    if (there.version if there else 0) != version:
        raise Outdated(
            "核查记录已有变化，请重新打开后再填；未作更改。 The verification has changed; open it again.",
            version=there.version if there else 0,
        )
    state = VerificationState(there.state) if there else VerificationState.WAITING
    try:
        saved = after(state, VerificationAct.VERIFY)
    except VerificationRefused:
        raise Conflict(
            "这条线索已有核查结论，以首次结论为准；未作更改。 It was verified before; that stands.", code="already-verified"
        ) from None
    in_time = None if there is None or there.due is None else state is VerificationState.WAITING and now <= there.due
    done: dict[str, Any] = {
        "state": saved.value, "outcome": outcome, "note": rules.seal(lead_id, note), "in_time": in_time,
        "verified_at": now, "verified_by": caller.actor, "verified_agency": caller.agency, "version": version + 1,
    }  # fmt: skip
    if there is None:
        own = {"lead_id": lead_id, "plan": row.plan, "causes": [], "provisional": False, "marked_at": now}
        await insert_many(conn, lead_verifications, [own | done])
    else:
        await conn.execute(update(lead_verifications).where(v.lead_id == lead_id).values(**done))
    event = LeadVerified(
        **_facts(rules, row, there.causes if there else ()), outcome=outcome, in_time=in_time, verified_at=now
    )
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(conn, kit, caller, "lead.verify", "lead", [lead_id], now, outcome=outcome, in_time=in_time)
    return lead_id


async def proceedings_stepped(
    conn: AsyncConnection, rules: Rules, events: Sequence[Event[ProceedingStepped]], now: datetime
) -> None:
    """A case that is filed, or refused after verification, has verified its lead; a verification extended there is here.

    The act counts at its own time, whenever it is heard of. What was verified before stands.
    """
    acts = [
        (event.data, clock)
        for event in events
        for clock in event.data.clocks
        if event.data.case_id is not None
        and clock.deadline.kind == _CASE_CLOCKS.get(event.data.kind)
        and clock.change in ("extended", "met")
    ]
    if not acts:
        return
    v = lead_verifications.c
    known = await conn.execute(
        select(leads, lead_parties.c.case_id.label("of_case"))
        .join(lead_parties, lead_parties.c.lead_id == leads.c.id)
        .where(lead_parties.c.case_id == func.any(list({step.case_id for step, _ in acts})), leads.c.merged_into.is_(None))
        .order_by(leads.c.id)
        .with_for_update(of=leads, key_share=True)
    )
    of_case = {row.of_case: row for row in known}
    ids = list({row.id for row in of_case.values()})
    there = {
        row.lead_id: row
        for row in await conn.execute(select(lead_verifications).where(v.lead_id == func.any(ids)).with_for_update())
    }
    told: list[LeadVerified] = []
    for step, case_clock in sorted(acts, key=lambda act: act[0].stepped_at):
        lead = of_case.get(step.case_id)
        owed = there.get(lead.id) if lead is not None else None
        if lead is None or (owed is not None and owed.state == VerificationState.VERIFIED):
            continue
        if case_clock.change == "extended":
            if owed is not None and owed.state == VerificationState.WAITING and owed.due:
                due = max(owed.due, case_clock.deadline.due)
                there[lead.id] = await _set(conn, lead.id, due=due, version=owed.version + 1)
            continue
        outcome: Outcome = "unfounded" if step.outcome == "not_filed" else "founded"
        in_time = None
        if owed is not None and owed.due is not None:
            in_time = owed.state == VerificationState.WAITING and step.stepped_at <= owed.due
        done: dict[str, Any] = {
            "state": VerificationState.VERIFIED.value, "outcome": outcome, "in_time": in_time,
            "note": rules.seal(lead.id, step.number), "verified_at": step.stepped_at, "verified_by": _ACTOR.actor,
            "verified_agency": step.by_agency or step.agency, "version": (owed.version if owed else 0) + 1,
        }  # fmt: skip
        if owed is None:
            own = {"lead_id": lead.id, "plan": lead.plan, "causes": [], "provisional": False, "marked_at": now}
            await insert_many(conn, lead_verifications, [own | done])
            there[lead.id] = await _set(conn, lead.id, version=1)
        else:
            there[lead.id] = await _set(conn, lead.id, **done)
        causes = owed.causes if owed is not None else ()
        told.append(
            LeadVerified(**_facts(rules, lead, causes), outcome=outcome, in_time=in_time, verified_at=step.stepped_at)
        )
    if told:
        await outbox.put(conn, kit.outbox, told, now)
        await audit.record(conn, kit, _ACTOR, "lead.verify", "lead", [one.lead_id for one in told], now)


async def _set(conn: AsyncConnection, lead_id: UUID, **values: Any) -> Any:
    changed = update(lead_verifications).where(lead_verifications.c.lead_id == lead_id).values(**values)
    return (await conn.execute(changed.returning(lead_verifications))).one()


def _facts(rules: Rules, lead: Any, causes: Any) -> dict[str, Any]:
    return {
        "lead_id": lead.id,
        "plan": lead.plan,
        "area": lead.area,
        "agency": lead.agency,
        "unit": lead.unit,
        "urgent": lead.urgent,
        "causes": tuple(causes),
        "dataref": f"{rules.service.settings.base_url('intake')}/v1/leads/{lead.id}",
    }


def _deadline(lead: Any, clock: Mapping[str, Any]) -> DeadlineFact:
    """The clock as published; its id is the lead's, which has one such clock at most."""
    return DeadlineFact(
        deadline_id=lead.id, kind=CLOCK, agency=lead.agency, unit=lead.unit, rule=clock["rule"],
        calendar=clock["calendar"], start=clock["start"], due=clock["due"], provisional=clock["provisional"],
    )  # fmt: skip
