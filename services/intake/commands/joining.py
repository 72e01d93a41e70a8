"""Tips about one target meet in one lead: looked up by index, joined, rung or suggested, in a fixed number of statements."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.lead_rows import COLUMNS, about, index_targets, known, merged, save_leads
from services.intake.domain.joining import Known, Near, Signal, Standing, Step, absorb, join, stand
from services.intake.domain.same_target import Match
from services.intake.tables import kit, lead_joins, lead_suggestions
from shared.events.envelope import EventData
from shared.events.leads import LeadJoined
from shared.kit import audit
from shared.kit.access import service_caller
from shared.kit.db import fetch, insert_many
from shared.kit.ids import new_id
from shared.kit.service import Service
from shared.rules.plan import Plan

_BUCKETS = 1024
_LOCK = zlib.crc32(b"intake:same-target") << 16
_EACH = 8
"""Leads looked at under one key, the newest: a key that more leads share (a big estate) tells little."""
_VAGUE = ("estate:", "inestate:", "building:", "inbuilding:", "org:", "app:", "person:", "text:")

_LOOK_UP = """
    SELECT w.plan, w.key, x.leads, x.signals
    FROM unnest(CAST($1 AS text[]), CAST($2 AS text[]), CAST($3 AS timestamptz[])) AS w (plan, key, since)
    CROSS JOIN LATERAL (
        SELECT array_agg(t.lead_id) AS leads, sum(t.tips) FILTER (WHERE t.seen_at >= w.since) AS signals
        FROM (
            SELECT lead_id, tips, seen_at FROM lead_targets
            WHERE plan = w.plan AND key = w.key ORDER BY seen_at DESC LIMIT CAST($4 AS bigint)
        ) t
    ) x
    WHERE x.leads IS NOT NULL
    """
_LOCK_KEYS = "SELECT count(pg_advisory_xact_lock(b)) FROM unnest(CAST($1 AS bigint[])) AS b"
_SEEN = f"SELECT {', '.join(COLUMNS)} FROM leads WHERE id = ANY(CAST($1 AS uuid[])) AND merged_into IS NULL ORDER BY id"
_CANDIDATES = f"{_SEEN} FOR NO KEY UPDATE"
_FOLLOW = (
    text(
        """
        UPDATE tips SET lead_id = m.home, version = tips.version + 1
        FROM unnest(CAST(:gone AS uuid[]), CAST(:home AS uuid[])) AS m (gone, home) WHERE tips.lead_id = m.gone
        RETURNING tips.id, m.gone
        """
    ),
    text(
        """
        UPDATE lead_targets SET lead_id = m.home
        FROM unnest(CAST(:gone AS uuid[]), CAST(:home AS uuid[])) AS m (gone, home) WHERE lead_targets.lead_id = m.gone
        """
    ),
)


@dataclass(slots=True)
class Met:
    """What became of a batch of signals. `lead_of` is where each tip stands; `places` counts signals by place key."""

    lead_of: dict[UUID, UUID] = field(default_factory=dict)
    known: dict[UUID, Known] = field(default_factory=dict)
    standings: list[tuple[Signal, Known, Standing]] = field(default_factory=list)
    signals: dict[tuple[str, str], int] = field(default_factory=dict)
    around: dict[tuple[str, str], list[UUID]] = field(default_factory=dict)
    joined: list[tuple[Signal, Known, Match]] = field(default_factory=list)
    rung: list[tuple[Known, Known, Match, UUID]] = field(default_factory=list)


def nearness(plan: Plan) -> Near:
    """Whether two areas of a plan do not exclude each other: one lies in the other, or one is not known."""
    return lambda one, other: one is None or other is None or plan.within(one, other) or plan.within(other, one)


async def meet(
    conn: AsyncConnection, service: Service, signals: Sequence[tuple[Signal, Known]], now: datetime
) -> Met:
    """Decide where each signal stands; the `Known` beside it is the lead it opens when it joins none.

    Three statements at the most: a lock on what can join by itself, so that two transactions cannot open one lead
    twice; a look-up by key; the candidates. Nothing is written yet.
    """
    met = Met()
    index: dict[tuple[str, str], list[Known]] = {}
    await _lock(conn, signals)
    await _look_up(conn, service, signals, now, met, index)
    near = {plan: nearness(service.plans[plan]) for plan in {own.plan for _, own in signals}}
    for signal, own in signals:
        found = (lead for key in signal.aim.wanted for lead in _telling(key, index.get((own.plan, key), ())))
        candidates = {lead.id: lead for lead in (met.known.get(one.merged_into, one) for one in found)}
        standing = stand(signal, candidates.values(), service.plans[own.plan].leads, near[own.plan])
        _apply(met, signal, own, standing)
        lead = met.known[met.lead_of[signal.tip_id]]
        for key in signal.aim.keys:
            index.setdefault((own.plan, key), []).append(lead)
    for tip_id, lead_id in met.lead_of.items():
        met.lead_of[tip_id] = met.known[lead_id].merged_into or lead_id
    return met


async def suggest(
    conn: AsyncConnection, service: Service, signal: Signal, own: Known, now: datetime
) -> None:
    """Suggest other leads for one on record that has learnt more of its target; an officer decides, nothing joins."""
    met, index = Met(), dict[tuple[str, str], list[Known]]()
    # only read: locking them after the caller's own lead would go against the order of ids
    await _look_up(conn, service, [(signal, own)], now, met, index, _SEEN)
    others = {
        lead.id: lead
        for key in signal.aim.wanted
        for lead in _telling(key, index.get((own.plan, key), ()))
        if lead.id != own.id
    }
    plan = service.plans[own.plan]
    found = stand(signal, others.values(), plan.leads, nearness(plan))
    best = ((found.lead, found.match),) if found.lead is not None and found.match is not None else ()
    met.known[own.id], met.lead_of[signal.tip_id] = own, own.id
    met.standings.append((signal, own, Standing(Step.OPEN, suggested=(*best, *found.suggested), seen_before=found.seen_before)))
    await insert_many(conn, lead_suggestions, _suggestions(met, now), conflict="ON CONFLICT DO NOTHING")


def _telling(key: str, leads: Sequence[Known]) -> Sequence[Known]:
    """The newest leads under a key; none where a vague key has so many that it would only have strangers suggested."""
    if len(leads) < _EACH:
        return leads
    return () if key.startswith(_VAGUE) else leads[-_EACH:]


def _apply(met: Met, signal: Signal, own: Known, standing: Standing) -> None:
    met.standings.append((signal, own, standing))
    lead = standing.lead
    if standing.step is Step.JOIN:
        assert lead is not None and standing.match is not None
        join(lead, signal)
        met.known[lead.id] = lead
        met.lead_of[signal.tip_id] = lead.id
        met.joined.append((signal, lead, standing.match))
        return
    met.known[own.id] = own
    met.lead_of[signal.tip_id] = own.id
    if standing.step is Step.RING:
        assert lead is not None and standing.match is not None
        met.known[lead.id] = lead
        absorb(own, lead)
        met.rung.append((own, lead, standing.match, new_id()))


async def _lock(conn: AsyncConnection, signals: Sequence[tuple[Signal, Known]]) -> None:
    buckets = {
        zlib.crc32(f"{own.plan}:{key}".encode()) % _BUCKETS for signal, own in signals for key in signal.aim.strong
    }
    if buckets:
        # in one order, so that two batches cannot wait for each other
        await fetch(conn, _LOCK_KEYS, [_LOCK + bucket for bucket in sorted(buckets)])


async def _look_up(
    conn: AsyncConnection,
    service: Service,
    signals: Sequence[tuple[Signal, Known]],
    now: datetime,
    met: Met,
    index: dict[tuple[str, str], list[Known]],
    candidates: str = _CANDIDATES,
) -> None:
    wanted = {(own.plan, key) for signal, own in signals for key in signal.aim.wanted}
    crowds = {
        (own.plan, f"{within}{level}:{name}")
        for signal, own in signals
        for level, _, name in signal.aim.crowds
        for within in ("", "in")
    }
    asked = list(wanted | crowds)
    if not asked:
        return
    since = {plan: now - service.plans[plan].leads.gathering.window for plan in {plan for plan, _ in asked}}
    rows = await fetch(
        conn,
        _LOOK_UP,
        [plan for plan, _ in asked],
        [key for _, key in asked],
        [since[plan] for plan, _ in asked],
        _EACH,
    )
    found: dict[tuple[str, str], list[UUID]] = {}
    for row in rows:
        where = (row.plan, row.key)
        if where in crowds and row.signals:
            met.signals[where] = int(row.signals)
            met.around[where] = row.leads
        if where in wanted and (len(row.leads) < _EACH or not row.key.startswith(_VAGUE)):
            found[where] = row.leads
    ids = set(chain.from_iterable(found.values()))
    if not ids:
        return
    by_id = {row.id: known(row) for row in await fetch(conn, candidates, list(ids))}
    for where, lead_ids in found.items():
        index[where] = [by_id[i] for i in lead_ids if i in by_id]


async def record(conn: AsyncConnection, service: Service, met: Met, now: datetime) -> None:
    """Write what `meet` decided of leads known before, the history of joins, suggestions and the index.

    New leads and tips must stand in their tables already.
    """
    before = [lead for lead in met.known.values() if lead.changed and not lead.fresh]
    await save_leads(conn, before)
    moved: dict[UUID, list[str]] = {}
    gone = {other.id: into.id for into, other, _, _ in met.rung}
    if gone:
        given = {"gone": list(gone), "home": list(gone.values())}
        for row in await conn.execute(_FOLLOW[0], given):
            moved.setdefault(row.gone, []).append(str(row.id))
        await conn.execute(_FOLLOW[1], given)
    for signal, own, standing in met.standings:
        at = standing.lead if standing.step is Step.JOIN else own
        if at is not None and at.id in gone:
            moved.setdefault(at.id, []).append(str(signal.tip_id))
    actor = service_caller("intake")
    joins = [
        _join_row(new_id(), "joined", lead.id, lead.plan, [str(signal.tip_id)], match, actor.actor, now)
        for signal, lead, match in met.joined
    ]
    joins += [
        _join_row(join_id, "merged", into.id, into.plan, moved.get(other.id, []), match, actor.actor, now, other.id)
        for into, other, match, join_id in met.rung
    ]
    await insert_many(conn, lead_joins, joins)
    await insert_many(conn, lead_suggestions, _suggestions(met, now), conflict="ON CONFLICT DO NOTHING")
    await index_targets(
        conn,
        (
            (met.lead_of[signal.tip_id], own.plan, signal.aim, signal.moment)
            for signal, own, _ in met.standings
            if signal.aim.targets
        ),
        # what rang may have taken an older lead's keys over just now
        {lead.id for lead in met.known.values() if lead.fresh} - set(gone.values()),
    )
    if joins:
        ids = list(dict.fromkeys(row["lead_id"] for row in joins))
        await audit.record(conn, kit, actor, "lead.join", "lead", ids, now, count=len(joins))


def _join_row(
    join_id: UUID, action: str, lead: UUID, plan: str, moved: list[str], match: Match, actor: str, now: datetime,
    other: UUID | None = None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "id": join_id,
        "plan": plan,
        "action": action,
        "lead_id": lead,
        "other_id": other,
        "undoes": None,
        "tips": moved,
        "score": match.score,
        "reasons": match.reasons,
        "automatic": True,
        "actor": actor,
        "agency": None,
        "at": now,
    }


def _suggestions(met: Met, now: datetime) -> list[dict[str, Any]]:
    rows: dict[frozenset[UUID], dict[str, Any]] = {}
    for signal, own, standing in met.standings:
        mine = met.known[met.lead_of[signal.tip_id]]
        told = [(pair, "same", "open") for pair in standing.suggested]
        told += [(pair, "seen_before", "noted") for pair in standing.seen_before]
        for (lead, match), kind, state in told:
            other = met.known.get(lead.merged_into, lead) if lead.merged_into else lead
            if other.id == mine.id or frozenset((mine.id, other.id)) in rows:
                continue
            newer, older = (mine, other) if mine.received_at >= other.received_at else (other, mine)
            rows[frozenset((mine.id, other.id))] = {
                "id": new_id(),
                "plan": own.plan,
                "lead_id": newer.id,
                "other_id": older.id,
                "kind": kind,
                "score": match.score,
                "reasons": match.reasons,
                "state": state,
                "agency": newer.agency,
                "made_at": now,
                "version": 1,
            }
    return list(rows.values())


def events(service: Service, met: Met, channels: Mapping[UUID, str], now: datetime) -> list[EventData]:
    """What the others are told of tips that joined and leads that rang."""
    told: list[EventData] = []
    for signal, _, match in met.joined:
        home = met.known[met.lead_of[signal.tip_id]]
        told.append(
            LeadJoined(
                **about(service, home),
                tip_id=signal.tip_id,
                kinds=signal.kinds,
                urgent=signal.urgent,
                channel=channels[signal.tip_id],
                score=match.score,
                automatic=True,
                tips=home.tips,
                received_at=signal.received_at,
                first_received_at=home.received_at,
            )
        )
    for into, other, _, join_id in met.rung:
        told.append(merged(service, join_id, into, other.id, now, automatic=True))
    return told
