"""The watch over certificates: evidence is kept as events come, a veto suspends at once, time ends, days are missed.

A certificate does not outlive its facts. What the area found itself is told apart from what was exposed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.certificates.basis import Desk
from services.scoring.commands.certificates.rows import facts, round_of, saved, told
from services.scoring.commands.findings.effects import Effect
from services.scoring.domain.certificates.checklist import end_of, next_due, watched
from services.scoring.domain.certificates.evidence import DROPPED, EvidenceFact, fact_of
from services.scoring.domain.certificates.states import IN_FORCE, WATCHED, CertificationState, CertificationStep
from services.scoring.domain.findings import Finding, FindingStep, Settled
from services.scoring.domain.rulebooks import Rulebooks
from services.scoring.queries import certificates as queries
from services.scoring.tables import certificate_dues, certification_reasons, certifications, evidence_facts, kit
from shared.events import Event
from shared.events.certificates import (
    CertificateExpired,
    CertificateMissed,
    CertificateRestored,
    CertificateSuspended,
)
from shared.kit import outbox
from shared.kit.access import service_caller
from shared.kit.db import insert_many
from shared.kit.ids import new_id
from shared.rules.calendar import local_day
from shared.rules.plan import Plan

S, T = CertificationState, CertificationStep
SYSTEM = service_caller("scoring")
c, r = certifications.c, certification_reasons.c


async def keep_evidence(conn: AsyncConnection, desk: Desk, events: Sequence[Event[Any]], now: datetime) -> int:
    """Keep events as evidence, each once, and weigh them against the certificates that stand; returns how many are new."""
    found = [
        fact
        for one in events
        if (fact := fact_of(one.type, one.data.model_dump(), one.id, one.recordedat)) is not None
        and fact.plan in desk.service.plans
    ]
    return len(await _keep(conn, desk, found, now))


async def _keep(conn: AsyncConnection, desk: Desk, found: Sequence[EvidenceFact], now: datetime) -> list[EvidenceFact]:
    if not found:
        return []
    kept = await insert_many(
        conn, evidence_facts, [evidence_row(one, now) for one in found],
        conflict="ON CONFLICT DO NOTHING", returning="event_id",
    )  # fmt: skip
    new_ids = {row.event_id for row in kept}
    new = [one for one in found if one.event_id in new_ids]
    await _weigh(conn, desk, new, now)
    return new


def evidence_row(fact: EvidenceFact, now: datetime) -> dict[str, Any]:
    """A fact as a row of `evidence_facts`, heard now."""
    return {one.name: getattr(fact, one.name) for one in fields(EvidenceFact)} | {"heard_at": now}


async def _weigh(conn: AsyncConnection, desk: Desk, new: Sequence[EvidenceFact], now: datetime) -> None:
    """Suspend every certificate a veto indicator of which these facts spoil."""
    plans = {one.plan for one in new if _could_spoil(desk, one, now)}
    if not plans:
        return
    for row in await queries.watched_in(conn, plans):
        plan = desk.plan(row.plan)
        rulebook, standard = desk.governing(row)
        mine = [one for one in new if one.plan == row.plan and concerned(plan, row, one.area)]
        spoilt: dict[str, list[EvidenceFact]] = defaultdict(list)
        for fact in mine:
            for indicator in watched(standard, fact.source, fact.what):
                spoilt[indicator.id].append(fact)
        if not spoilt:
            continue
        checklist = await queries.checklist(conn, plan, rulebook, standard, row, now)
        for item in checklist.items:
            if item.id in spoilt and not item.good:
                events = tuple(fact.event_id for fact in spoilt[item.id])
                row = await suspend(conn, desk, row, "indicator", item.id, events, now)


def _could_spoil(desk: Desk, fact: EvidenceFact, now: datetime) -> bool:
    """Whether any version known could mind this fact: most facts are good ones, and cost nothing more."""
    return any(
        watched(standard, fact.source, fact.what)
        for rulebook in desk.books.shelf
        if fact.plan in rulebook.plans
        for standard in rulebook.standards
    )


def concerned(plan: Plan, row: Any, area: str | None) -> bool:
    """Whether a fact of an area is one of a holder: a town answers for all of its plan."""
    return row.holder_kind == "town" or (area is not None and plan.within(area, row.area))


async def suspend(
    conn: AsyncConnection, desk: Desk, row: Any, kind: str, what: str, events: Sequence[UUID], now: datetime, *,
    finding_id: UUID | None = None, origin: str | None = None,
) -> Any:  # fmt: skip
    """Suspend a certificate at once (or add a reason to one that is suspended); its row afterwards."""
    one = round_of(desk, row, SYSTEM, T.SUSPEND, now)
    await insert_many(
        conn,
        certification_reasons,
        [
            {
                "id": new_id(), "certification_id": row.id, "kind": kind, "what": what, "finding_id": finding_id,
                "events": [str(event) for event in events], "origin": origin, "since": now,
            }
        ],
    )  # fmt: skip
    since = row.suspended_at or now
    row = await saved(conn, one, line={"kind": kind, "what": what, "origin": origin}, suspended_at=since)
    event = CertificateSuspended(
        **facts(desk, row), number=row.number, cause=kind, what=what, finding_id=finding_id, origin=origin,
        events=tuple(events), suspended_at=now,
    )  # fmt: skip
    await told(conn, one, [event], what=what)
    return row


def effect_of(desk: Desk) -> Effect:
    """What follows for certificates from a finding that was confirmed, upheld or overturned."""

    async def effect(conn: AsyncConnection, settled: Settled, now: datetime) -> None:
        await _settled(conn, desk, settled, now)

    return effect


async def _settled(conn: AsyncConnection, desk: Desk, settled: Settled, now: datetime) -> None:
    finding = settled.finding
    if finding.plan not in desk.service.plans:
        return
    plan = desk.plan(finding.plan)
    area = _area_of(plan, finding)
    taken_back = settled.step is FindingStep.OVERTURN
    vetoes = not taken_back and _is_veto(desk.books.shelf, finding)
    rows = await queries.watched_in(conn, [finding.plan])
    if taken_back:
        await _take_back(conn, desk, rows, finding.finding_id, now)
    else:
        for row in rows:
            rulebook, standard = desk.governing(row)
            condition = rulebook.condition(finding.condition)
            named = condition is not None and condition.id in standard.suspended_by
            subject = finding.subject_kind == "town" or finding.agency == row.agency
            if not (concerned(plan, row, area) and (named or (vetoes and subject))):
                continue
            before = select(r.id).where(r.certification_id == row.id, r.finding_id == finding.finding_id)
            if (await conn.execute(before)).first() is None:
                what = condition.id if condition is not None else finding.condition
                await suspend(
                    conn, desk, row, "finding", what, finding.events, now, finding_id=finding.finding_id,
                    origin=str(finding.origin),
                )  # fmt: skip
    dataref = f"{desk.service.settings.base_url('scoring')}/v1/findings/{finding.finding_id}"
    fact = decision_fact(
        desk.books.shelf, plan, finding, event=settled.event, at=settled.at, taken_back=taken_back, dataref=dataref
    )
    await _keep(conn, desk, [fact], now)


def decision_fact(
    shelf: Rulebooks, plan: Plan, finding: Finding, *, event: UUID, at: datetime, taken_back: bool, dataref: str
) -> EvidenceFact:
    """What a decision about a finding, told by `event` and recorded `at`, is as evidence: heard now or read again."""
    what = DROPPED if taken_back else "veto" if _is_veto(shelf, finding) else "confirmed"
    return EvidenceFact(
        event, f"dachuan.finding.{what}", finding.plan, _area_of(plan, finding), finding.agency, finding.unit, "findings",
        what, finding.finding_id, finding.occurred_at, at, dataref,
    )  # fmt: skip


def _area_of(plan: Plan, finding: Finding) -> str | None:
    return finding.area or next((one.area for one in plan.agencies if one.id == finding.agency), None)


def _is_veto(shelf: Rulebooks, finding: Finding) -> bool:
    """Whether a line of a rulebook in force when it happened takes the whole for it."""
    known = {**finding.measure, "subject_kind": finding.subject_kind, "origin": str(finding.origin)}
    lines = [
        rulebook.line_for("finding", finding.condition, known)
        for rulebook in shelf.in_force(finding.plan, finding.occurred_at)
    ]
    return any(line is not None and line.veto for line in lines)


async def _take_back(conn: AsyncConnection, desk: Desk, rows: Sequence[Any], finding_id: UUID, now: datetime) -> None:
    """A finding was overturned: what rested on it alone is in force again, at once."""
    told_by = select(evidence_facts.c.event_id).where(evidence_facts.c.object_id == finding_id)
    its_events = {str(one) for one in (await conn.execute(told_by)).scalars()}
    for row in rows:
        if S(row.state) in IN_FORCE:
            continue
        open_ = (
            await conn.execute(select(certification_reasons).where(r.certification_id == row.id, r.lifted_at.is_(None)))
        ).all()
        gone = [
            one.id for one in open_ if one.finding_id == finding_id or (one.events and set(one.events) <= its_events)
        ]
        if not gone:
            continue
        await conn.execute(update(certification_reasons).where(r.id.in_(gone)).values(lifted_at=now))
        if len(gone) == len(open_):
            one = round_of(desk, row, SYSTEM, T.REINSTATE, now)
            row = await saved(conn, one, suspended_at=None, proposed_by=None, proposed_at=None)
            event = CertificateRestored(**facts(desk, row), number=row.number, cause="taken_back", restored_at=now)
            await told(conn, one, [event], finding_id=str(finding_id))


async def expire(conn: AsyncConnection, desk: Desk, now: datetime) -> int:
    """End the certificates whose time is over; returns how many."""
    due = (
        select(certifications)
        .where(c.valid_until < local_day(now), c.state.in_([state.value for state in WATCHED]))
        .order_by(c.id)
        .limit(200)
        .with_for_update(skip_locked=True)
    )
    rows = (await conn.execute(due)).all()
    for row in rows:
        one = round_of(desk, row, SYSTEM, T.EXPIRE, now)
        row = await saved(conn, one)
        await told(conn, one, [CertificateExpired(**facts(desk, row), number=row.number, expired_at=now)])
    return len(rows)


async def ensure_dues(conn: AsyncConnection, desk: Desk, now: datetime) -> int:
    """Know the next day at which each holder of a standard must have its certificate; returns how many are new.

    Days before the system ran are nobody's: only days to come are entered.
    """
    rows = []
    for plan in desk.service.plans.values():
        for rulebook, standard in desk.standards(plan.id, now):
            if standard.due is None:
                continue
            due = next_due(standard.due, local_day(now))
            rows += [
                {
                    "id": new_id(), "plan": plan.id, "standard": standard.id, "rulebook": rulebook.ref,
                    "holder_kind": holder.kind, "holder": holder.id, "agency": holder.agency, "area": holder.area,
                    "due_on": due,
                }
                for holder in desk.holders(plan, standard)
            ]  # fmt: skip
    if not rows:
        return 0
    made = await insert_many(conn, certificate_dues, rows, conflict="ON CONFLICT DO NOTHING", returning="id")
    return len(made)


async def settle_dues(conn: AsyncConnection, desk: Desk, now: datetime) -> int:
    """Days that have passed: met where the certificate stood, else missed (D-Q1.1); returns how many were missed."""
    q = certificate_dues.c
    passed = (
        await conn.execute(
            select(certificate_dues)
            .where(q.state == "open", q.due_on < local_day(now))
            .order_by(q.due_on, q.id)
            .limit(500)
            .with_for_update(skip_locked=True)
        )
    ).all()
    missed: list[CertificateMissed] = []
    for due in passed:
        rounds = (
            await conn.execute(
                select(certifications)
                .where(c.plan == due.plan, c.standard == due.standard, c.holder == due.holder)
                .order_by(c.started_at.desc())
            )
        ).all()
        state = _stood(rounds, end_of(due.due_on))
        met = state == S.GRANTED.value
        await conn.execute(
            update(certificate_dues).where(q.id == due.id).values(state="met" if met else "missed", settled_at=now)
        )
        if met:
            continue
        at_due = next((row for row in rounds if row.started_at <= end_of(due.due_on)), None)
        rulebook, _, version = due.rulebook.rpartition("@")
        book = desk.books.shelf.get(rulebook, version)
        standard = book.standard(due.standard) if book is not None else None
        missed.append(
            CertificateMissed(
                due_id=due.id, certification_id=at_due.id if at_due is not None else None, plan=due.plan,
                standard=due.standard, rulebook=due.rulebook, clause=standard.clause if standard else None,
                holder_kind=due.holder_kind, holder=due.holder, agency=due.agency, area=due.area, due_on=due.due_on,
                stood=state, missed_at=now,
                dataref=f"{desk.service.settings.base_url('scoring')}/v1/certificates/dues/{due.id}",
            )
        )  # fmt: skip
    if missed:
        await outbox.put(conn, kit.outbox, missed, now)
    return len(missed)


def _stood(rounds: Sequence[Any], moment: datetime) -> str:
    """Where a holder stood at a moment, by the histories of its rounds: the state each line led to."""
    stood = "none"
    for row in sorted(rounds, key=lambda one: one.started_at):
        if row.started_at > moment:
            break
        state = S.CREATING
        for line in row.history[1:]:
            if datetime.fromisoformat(line["at"]) > moment:
                break
            state = S(line["to"])
        stood = state.value
    return stood
