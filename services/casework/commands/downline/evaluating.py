"""The evaluation of a downline, kept for its version; what is reached or lost is told once."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.adapters.evaluator import Evaluated, evaluate_network
from services.casework.queries.downline_network import last_fact, load_network
from services.casework.tables import cases, downlines, kit
from shared.events.downline import DownlineEvaluated, RuleFact
from shared.kit import audit, db, outbox
from shared.kit.access import service_caller
from shared.kit.service import Service
from shared.rules.calendar import local_day

_ACTOR = service_caller("casework")
BANDS = (1, 15, 30, 60, 120, 500, 1_000, 10_000, 100_000)
"""Heads are told to other services by the lower end of a band, so that no count leads to a person."""

_DUE = text(
    "SELECT case_id FROM downlines WHERE evaluated_version IS DISTINCT FROM version ORDER BY changed_at LIMIT :most"
)


async def evaluate_due(service: Service, now: datetime, most: int = 20) -> int:
    """Evaluate the downlines that changed since they were last evaluated, one after the other."""
    async with db.begin(service.engine) as conn:
        found = [row.case_id for row in await conn.execute(_DUE, {"most": most})]
    for case_id in found:
        await evaluate_case(service, case_id, now)
    return len(found)


async def evaluate_case(service: Service, case_id: UUID, now: datetime) -> Any | None:
    """The downline's row with its current evaluation, made when it is not there; None without a downline.

    The network is read in one transaction and evaluated outside of any; the result is kept when nobody was faster.
    """
    async with db.begin(service.engine) as conn:
        row = (await conn.execute(select(downlines).where(downlines.c.case_id == case_id))).one_or_none()
        if row is None or row.evaluated_version == row.version:
            return row
        await conn.execute(text("SELECT 1 FROM downlines WHERE case_id = :case FOR SHARE"), {"case": case_id})
        case = (await conn.execute(select(cases).where(cases.c.id == case_id))).one()
        row = (await conn.execute(select(downlines).where(downlines.c.case_id == case_id))).one()
        network = await load_network(conn, case_id)
        last = await last_fact(conn, case_id)
    # numpy and scipy take a third of what the service may take at rest: they come with the first downline
    from services.casework.domain.downline.thresholds import Bounds

    day = last or local_day(case.received_at)
    found = await evaluate_network(network, Bounds.of(service.law, day))
    async with db.begin(service.engine) as conn:
        return await _keep(conn, case, row, found, day, last is None, now)


async def _keep(
    conn: AsyncConnection, case: Any, row: Any, found: Evaluated, day: date, assumed_day: bool, now: datetime
) -> Any:
    t = downlines
    current = (await conn.execute(select(t).where(t.c.case_id == row.case_id).with_for_update())).one()
    if current.evaluated_version is not None and current.evaluated_version >= row.version:
        return current
    reached = list(found.evaluation.reached)
    told = record_of(found) | {"day": day.isoformat(), "assumed_day": assumed_day, "version": row.version}
    kept = (
        await conn.execute(
            update(t)
            .where(t.c.case_id == row.case_id)
            .values(
                evaluation=told, picture=found.picture, evaluated_version=row.version, evaluated_at=now, reached=reached
            )
            .returning(t)
        )
    ).one()
    if reached != current.reached:
        event = _event(case, row.version, found, reached, list(current.reached), now)
        await outbox.put(conn, kit.outbox, [event], now)
        await audit.record(conn, kit, _ACTOR, "downline.threshold", "case", [case.id], now, reached=reached)
    return kept


def record_of(found: Evaluated) -> dict[str, Any]:
    """An evaluation as it is kept: numbers of members, no words about anyone."""
    e = found.evaluation
    told = asdict(e)
    told["reached"] = list(e.reached)
    told["cycles"] = [[member + 1 for member in cycle] for cycle in e.cycles]
    for kept, one in zip(told["organisers"], e.organisers, strict=True):
        kept["members"] = [member + 1 for member in one.members]
        for verdict, said in zip(kept["verdicts"], one.verdicts, strict=True):
            for item, bound in zip(verdict["items"], said.items, strict=True):
                item["missing"] = bound.missing
        for firmness in kept["firmness"]:
            firmness["strength"] = str(firmness["strength"])
    return told


def _band(heads: int) -> int:
    return max((low for low in BANDS if low <= heads), default=0)


def _event(
    case: Any, version: int, found: Evaluated, reached: list[str], before: list[str], now: datetime
) -> DownlineEvaluated:
    rules: dict[str, RuleFact] = {}
    levels = heads = organisers = 0
    for one in found.evaluation.organisers:
        counted = one.whole if one.roles or one.says("leader_prior") else one.own
        if one.says("filing"):
            organisers += 1
        levels, heads = max(levels, counted.levels), max(heads, counted.heads)
        for verdict in one.verdicts:
            for item in verdict.items:
                if verdict.reached and not item.missing:
                    rules[item.rule] = RuleFact(
                        rule=item.rule, certainty=item.certainty, provisional=item.provisional
                    )
    return DownlineEvaluated(
        case_id=case.id,
        plan=case.plan,
        area=case.area,
        urgent=case.urgent,
        number=case.number,
        version=version,
        gained=tuple(rule for rule in reached if rule not in before),
        lost=tuple(rule for rule in before if rule not in reached),
        reached=tuple(reached),
        levels=levels,
        heads_from=_band(heads),
        organisers=organisers,
        rules=tuple(rules[name] for name in sorted(rules)),
        evaluated_at=now,
    )
