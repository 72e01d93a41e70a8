"""Events of all services are kept and judged matter by matter; what they bear out is proposed, once.

A batch of any size takes a fixed number of statements. Events come in any order and more than once: all facts of a
matter are judged together, so the same finding comes of them. Nothing a person has decided is changed by later facts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.booking import UnknownPlan, take_turn
from services.scoring.commands.findings.basis import Basis
from services.scoring.commands.findings.rows import differs, finding_of, said, shape_of, told, worth
from services.scoring.domain.detectors import Fact, Proposal, detect, matter_of, worth_keeping
from services.scoring.domain.findings import OPEN, Finding, FindingState, FindingStep, after
from services.scoring.tables import finding_facts, finding_steps, findings, kit
from shared.events import Event, EventData
from shared.events.findings import FindingLapsed, FindingProposed
from shared.kit import audit, outbox
from shared.kit.access import service_caller
from shared.kit.db import insert_many

_ACTOR = service_caller("scoring")
_FACTS = text("SELECT * FROM finding_facts WHERE matter = ANY(:matters)").columns(*finding_facts.c)
_THERE = text("SELECT * FROM findings WHERE matter = ANY(:matters) ORDER BY finding_id FOR UPDATE").columns(*findings.c)
_CHANGED = (
    "origin", "occurred_at", "events", "measure", "area", "case_id", "subject_kind", "clause", "state", "version",
    "changed_at", "answer_by", "provisional",
)  # fmt: skip
_UPSERT = "ON CONFLICT (finding_id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in _CHANGED)


def fact_of(event: Event[Any]) -> Fact | None:
    """An event as detectors read it; None for one that none of them needs."""
    data = event.data.model_dump(mode="json")
    matter = matter_of(event.type, data)
    if matter is None:
        return None
    fact = Fact(event.id, event.type, matter, event.time, event.recordedat, data)
    return fact if worth_keeping(fact) else None


async def judge(conn: AsyncConnection, basis: Basis, events: Sequence[Event[Any]], now: datetime) -> int:
    """Keep these events and propose, change or let lapse what their matters bear out now; returns how many changed.

    Raises `UnknownPlan` when an event's plan is not run here; nothing of the batch is written then.
    """
    facts = [fact for event in events if (fact := fact_of(event)) is not None]
    if not facts:
        return 0
    for fact in facts:
        if fact.data["plan"] not in basis.grounds:
            raise UnknownPlan(fact.data["plan"])
    # Findings and the ledger take turns by one lock, so that nobody waits for the other the wrong way round, and two
    # lanes that bring facts of one matter at once see each other's.
    await take_turn(conn)
    await insert_many(conn, finding_facts, [fact_row(fact) for fact in facts], conflict="ON CONFLICT DO NOTHING")
    matters = sorted({fact.matter for fact in facts})
    kept: dict[str, list[Fact]] = defaultdict(list)
    for row in await conn.execute(_FACTS, {"matters": matters}):
        kept[row.matter].append(Fact(row.event_id, row.type, row.matter, row.at, row.recorded_at, row.data))
    wanted: dict[UUID, Proposal] = {}
    for one in kept.values():
        wanted |= detect(one, basis.grounds[one[0].data["plan"]])
    there = {row.finding_id: row for row in await conn.execute(_THERE, {"matters": matters})}
    return await _write(conn, basis, wanted, there, now)


def fact_row(fact: Fact) -> dict[str, Any]:
    """A fact as a row of `finding_facts`."""
    return {
        "event_id": fact.event, "matter": fact.matter, "plan": fact.data["plan"], "type": fact.type, "at": fact.at,
        "recorded_at": fact.recorded_at, "data": dict(fact.data),
    }  # fmt: skip


async def _write(
    conn: AsyncConnection, basis: Basis, wanted: Mapping[UUID, Proposal], there: Mapping[UUID, Any], now: datetime
) -> int:
    rows: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = []
    news: list[EventData] = []
    for finding_id, proposal in wanted.items():
        row = there.get(finding_id)
        shape = shape_of(proposal)
        if row is None:
            made = _new(basis, proposal, shape, now)
            step = "propose"
        elif FindingState(row.state) in OPEN:
            if not differs(row, shape):
                continue
            made = dict(row._mapping) | shape | {"version": row.version + 1, "changed_at": now}
            step = "change"
        elif row.state == FindingState.LAPSED:
            made = _new(basis, proposal, shape, now) | {"version": row.version + 1, "proposed_at": row.proposed_at}
            step = FindingStep.REVIVE.value
        else:
            continue
        rows.append(made)
        steps.append(_step(basis, row, made, step, now))
        news.append(_proposed(basis, made, now))
    for finding_id, row in there.items():
        if finding_id in wanted or FindingState(row.state) not in OPEN:
            continue
        state = after(FindingState(row.state), FindingStep.LAPSE).value
        made = dict(row._mapping) | {"state": state, "version": row.version + 1, "changed_at": now}
        rows.append(made)
        steps.append(_step(basis, row, made, FindingStep.LAPSE.value, now))
        news.append(FindingLapsed(**told(basis, _as_finding(made)), lapsed_at=now))
    if not rows:
        return 0
    await insert_many(
        conn, findings, sorted((_columns(row) for row in rows), key=lambda row: row["finding_id"]), conflict=_UPSERT
    )
    await insert_many(conn, finding_steps, steps)
    await outbox.put(conn, kit.outbox, news, now)
    await audit.record(
        conn, kit, _ACTOR, "finding.detect", "finding", [row["finding_id"] for row in rows], now, count=len(rows)
    )
    return len(rows)


def _new(basis: Basis, proposal: Proposal, shape: dict[str, Any], now: datetime) -> dict[str, Any]:
    procedure = basis.procedure(proposal.plan, proposal.condition, now)
    answer_by, provisional = basis.by(now, procedure.answer_days)
    return shape | {
        "finding_id": proposal.finding_id, "state": FindingState.PROPOSED.value, "version": 1, "proposed_at": now,
        "changed_at": now, "answer_by": answer_by, "provisional": provisional,
    }  # fmt: skip


def _columns(row: Mapping[str, Any]) -> dict[str, Any]:
    return {column.name: row.get(column.name) for column in findings.c}


class _Made:
    """A row that is about to be written, read by attribute as one that was."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)


def _as_finding(values: Mapping[str, Any]) -> Finding:
    return finding_of(_Made(values))


def _step(basis: Basis, before: Any | None, made: Mapping[str, Any], step: str, now: datetime) -> dict[str, Any]:
    finding = _as_finding(made)
    return {
        "finding_id": made["finding_id"], "version": made["version"], "step": step,
        "from_state": before.state if before is not None else None, "state": made["state"], "at": now,
        "actor": _ACTOR.actor, "agency": None, "unit": None, "words": None,
        "before": said(finding_of(before), worth(basis, finding_of(before))) if before is not None else None,
        "after": said(finding, worth(basis, finding)),
    }  # fmt: skip


def _proposed(basis: Basis, made: Mapping[str, Any], now: datetime) -> FindingProposed:
    finding = _as_finding(made)
    entry = next(iter(worth(basis, finding)), None)
    return FindingProposed(
        **told(basis, finding),
        facts=finding.events,
        measure=finding.measure,
        rulebook=entry.rulebook if entry else None,
        line=entry.line if entry else None,
        points=entry.points if entry else None,
        answer_by=made["answer_by"],
        proposed_at=now,
    )
