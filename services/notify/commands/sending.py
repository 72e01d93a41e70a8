"""Deliveries taken on by a process, and what came of them: the message, its target's circuit, the notice's progress."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify import metrics
from services.notify.commands import notices as telling
from services.notify.commands import transit
from services.notify.domain import circuits, retries
from services.notify.domain.channels import PER_MINUTE, Channel
from services.notify.domain.matters import Matter
from services.notify.domain.notices import SPACE, State, Template
from services.notify.domain.outcomes import Outcome
from services.notify.tables import endpoints, kit
from shared.kit import audit
from shared.kit.access import service_caller
from shared.kit.service import Service
from shared.kit.tables import TIMESTAMP
from shared.rules.calendar import SHANGHAI
from shared.rules.plan.delivery import DeliveryRules

_ACTOR = service_caller("notify")
_USUAL = DeliveryRules()

CLAIM_S = 60
"""A claimed delivery that is not settled for so long is taken up again: its process died between send and mark."""
BUSY_REST_S = 60.0
"""A target that asks for patience without saying how much is given so much."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery this process has taken on, with the notice it tells of."""

    id: UUID
    attempts: int
    since: datetime
    created_at: datetime
    notice: Mapping[str, Any] | None
    ring: int | None = None
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Where it goes. `secret` is a webhook's signing secret; for other channels the address itself."""

    id: UUID
    channel: Channel
    url: str
    plan: str
    secret: bytes
    old_secret: bytes | None = None


_DUE_ENDPOINTS = text(
    """
    SELECT e.id, EXISTS (
        SELECT FROM deliveries d WHERE d.endpoint_id = e.id AND d.state = 'retrying' AND d.urgent AND d.next_at <= :now
          AND (d.claimed_until IS NULL OR d.claimed_until <= :now)) AS urgent
    FROM endpoints e
    WHERE e.active AND (e.paused_until IS NULL OR e.paused_until <= :now) AND (e.not_before IS NULL OR e.not_before <= :now)
      AND EXISTS (
        SELECT FROM deliveries d WHERE d.endpoint_id = e.id AND d.state = 'retrying' AND d.next_at <= :now
          AND (d.claimed_until IS NULL OR d.claimed_until <= :now))
    """
)
_TARGET = select(endpoints).where(endpoints.c.id == bindparam("endpoint")).with_for_update(key_share=True)
_READY = (
    select(endpoints)
    .where(
        endpoints.c.id == bindparam("endpoint"),
        endpoints.c.active,
        endpoints.c.paused_until.is_(None) | (endpoints.c.paused_until <= bindparam("now", type_=TIMESTAMP)),
        endpoints.c.not_before.is_(None) | (endpoints.c.not_before <= bindparam("now", type_=TIMESTAMP)),
    )
    .with_for_update(key_share=True, skip_locked=True)
)
_HUSH = text(
    """
    UPDATE deliveries SET next_at = :until
    WHERE endpoint_id = :endpoint AND state = 'retrying' AND NOT urgent AND next_at <= :now
      AND (claimed_until IS NULL OR claimed_until <= :now)
    """
)
_CLAIM = text(
    """
    WITH hot AS MATERIALIZED (
        SELECT id FROM deliveries
        WHERE endpoint_id = :endpoint AND state = 'retrying' AND urgent AND next_at <= :now
          AND (claimed_until IS NULL OR claimed_until <= :now)
        ORDER BY next_at LIMIT :most FOR UPDATE SKIP LOCKED
    ), rest AS MATERIALIZED (
        SELECT id FROM deliveries
        WHERE endpoint_id = :endpoint AND state = 'retrying' AND NOT urgent AND next_at <= :now AND NOT :quiet
          AND (claimed_until IS NULL OR claimed_until <= :now)
        ORDER BY next_at LIMIT :most FOR UPDATE SKIP LOCKED
    ), due AS (
        SELECT id FROM (SELECT id, 0 AS at FROM hot UNION ALL SELECT id, 1 FROM rest) AS either ORDER BY at LIMIT :most
    ), taken AS (
        UPDATE deliveries d SET claimed_until = :until FROM due WHERE d.id = due.id
        RETURNING d.id, d.attempts, d.created_at, d.since, d.notice_id, d.ring, d.urgent AS hurried
    )
    SELECT t.*, n.id AS n_id, n.case_id, n.handover_id, n.number, n.plan, n.area, n.kinds, n.urgent, n.agency, n.unit, n.role,
        n.template, n.due, n.created_at AS n_created_at, n.matter, n.matter_id, n.dataref
    FROM taken t LEFT JOIN notices n ON n.id = t.notice_id
    ORDER BY t.hurried DESC, t.created_at
    """
)


async def due_endpoints(conn: AsyncConnection, now: datetime) -> list[tuple[UUID, bool]]:
    """The targets that have something to be sent now and are not left alone, each with whether some of it is urgent."""
    return [(row.id, row.urgent) for row in await conn.execute(_DUE_ENDPOINTS, {"now": now})]


def rules_of(service: Service, plan: str) -> DeliveryRules:
    """What a plan says of messages outside."""
    found = service.plans.get(plan)
    return found.delivery if found else _USUAL


async def claim(
    conn: AsyncConnection, service: Service, endpoint_id: UUID, many: int, now: datetime
) -> tuple[Target, list[Claimed]] | None:
    """Take on some deliveries of a target, urgent ones first; a single one while it is failing. None: nothing to do.

    In quiet hours what is not urgent is put off to their end; beyond its limit a target waits for the next minute.
    """
    e = endpoints.c
    row = (await conn.execute(_READY, {"endpoint": endpoint_id, "now": now})).one_or_none()
    if row is None:
        return None
    rules, channel = rules_of(service, row.plan), Channel(row.channel)
    limit = row.per_minute or rules.per_minute.get(channel.value) or PER_MINUTE[channel]
    left = circuits.allowance(limit, row.window_at, row.window_used, 1 if row.failures else many, now)
    if left.most == 0:
        await conn.execute(update(endpoints).where(e.id == endpoint_id).values(not_before=left.until))
        return None
    quiet = rules.quiet.until(channel.value, now, SHANGHAI.key) if rules.quiet else None
    if quiet is not None:
        await conn.execute(_HUSH, {"endpoint": endpoint_id, "now": now, "until": quiet})
    asked = {
        "endpoint": endpoint_id, "most": left.most, "now": now, "until": now + timedelta(seconds=CLAIM_S),
        "quiet": quiet is not None,
    }  # fmt: skip
    taken = [
        Claimed(
            one.id, one.attempts, one.since or one.created_at, one.created_at,
            one._mapping if one.n_id is not None else None, one.ring, one.hurried,
        )
        for one in (await conn.execute(_CLAIM, asked)).all()
    ]  # fmt: skip
    if not taken:
        return None
    if limit is not None:
        used = update(endpoints).where(e.id == endpoint_id)
        await conn.execute(used.values(window_at=left.window_at, window_used=left.used + len(taken)))
    keys, name = service.settings.keys, endpoint_id.bytes
    overlaps = row.old_secret is not None and row.old_until is not None and row.old_until > now
    return Target(
        row.id,
        channel,
        row.url,
        row.plan,
        keys.open("webhook", name, bytes(row.secret)),
        keys.open("webhook", name, bytes(row.old_secret)) if overlaps else None,
    ), taken


async def settle(
    conn: AsyncConnection,
    service: Service,
    endpoint_id: UUID,
    outcomes: Sequence[tuple[Claimed, Outcome | None]],
    now: datetime,
) -> None:
    """Mark what came of claimed deliveries, and how the target does. Without an outcome one was not tried: it is free again."""
    target = (await conn.execute(_TARGET, {"endpoint": endpoint_id})).one_or_none()
    if target is None:
        return
    channel = target.channel
    health = _Health(target.failures, target.failing_since, target.not_before, target.last_delivered_at)
    rows = []
    for claimed, outcome in outcomes:
        state, attempts, again = "retrying", claimed.attempts, None
        if outcome is not None:
            state, attempts, again = _judged(claimed, outcome, now)
            health = health.after(outcome, now)
            metrics.DELIVERIES.labels(channel, state).inc()
            if outcome.delivered:
                metrics.DELIVERY_SECONDS.labels(channel, "yes" if claimed.urgent else "no").observe(
                    max(0.0, (now - claimed.since).total_seconds())
                )
        rows.append(
            {
                "id": claimed.id,
                "state": state,
                "attempts": attempts,
                "next_at": again,
                "last_outcome": outcome.code if outcome else None,
                "delivered_at": now if outcome and outcome.delivered else None,
            }
        )
    await _write(conn, rows)
    told = [(c.notice["n_id"], o.delivered) for c, o in outcomes if c.notice is not None and o is not None]
    await transit.carried(
        conn,
        [notice for notice, arrived in told if arrived],
        [notice for notice, arrived in told if not arrived],
        [row["id"] for row in rows if row["state"] == "failed"],
    )
    await _note(conn, service, target, health, [outcome for _, outcome in outcomes if outcome is not None], now)


def _judged(claimed: Claimed, outcome: Outcome, now: datetime) -> tuple[str, int, datetime]:
    """State, attempts made, and when the next is due."""
    attempts = claimed.attempts + 1
    if outcome.delivered:
        return "delivered", attempts, now
    if outcome.permanent:
        return "failed", attempts, now
    if outcome.busy:
        # it was asked to wait: that is no attempt, but three days end it all the same
        wait = timedelta(seconds=outcome.retry_after if outcome.retry_after is not None else BUSY_REST_S)
        expired = now - claimed.since >= retries.GIVE_UP_AFTER
        return ("failed", attempts, now) if expired else ("retrying", claimed.attempts, now + wait)
    again = retries.next_try(attempts, claimed.since, now, random.random())
    return ("failed", attempts, now) if again is None else ("retrying", attempts, again)


@dataclass(frozen=True, slots=True)
class _Health:
    """How a target does: failures in a row, since when nothing arrived, how long it asked to be left alone."""

    failures: int
    failing_since: datetime | None
    not_before: datetime | None
    last_delivered_at: datetime | None

    def after(self, outcome: Outcome, now: datetime) -> _Health:
        if outcome.delivered:
            return _Health(0, None, None, now)
        if outcome.ours:
            return self
        if outcome.busy:
            wait = timedelta(seconds=outcome.retry_after if outcome.retry_after is not None else BUSY_REST_S)
            return replace(self, not_before=max(self.not_before or now, now + wait))
        # a message refused for good shows a target that lives, but days of nothing else are a target nobody minds
        failures = self.failures if outcome.permanent else self.failures + 1
        return replace(self, failures=failures, failing_since=self.failing_since or now)


async def _note(
    conn: AsyncConnection, service: Service, target: Any, health: _Health, outcomes: Sequence[Outcome], now: datetime
) -> None:
    """Keep how a target does; one that is gone, or dead for days, is switched off and its owner told."""
    off = None
    if any(outcome.gone for outcome in outcomes):
        off = "gone"
    elif circuits.switched_off(health.failing_since, rules_of(service, target.plan).switch_off_days, now):
        off = "dead"
    paused = retries.break_until(health.failures, now)
    fresh = target.last_delivered_at is None or now - target.last_delivered_at > timedelta(seconds=10)
    same = (health.failures, health.failing_since, health.not_before, paused) == (
        target.failures, target.failing_since, target.not_before, target.paused_until,
    )  # fmt: skip
    if same and off is None and not (fresh and health.last_delivered_at == now):
        return
    values: dict[str, Any] = {
        "failures": health.failures,
        "failing_since": health.failing_since,
        "not_before": health.not_before,
        "paused_until": paused,
        "last_delivered_at": health.last_delivered_at,
    }
    if outcomes:
        values["last_outcome"] = outcomes[-1].code
    if off is not None:
        values |= {"active": False, "off_reason": off, "off_at": now, "version": endpoints.c.version + 1}
    await conn.execute(update(endpoints).where(endpoints.c.id == target.id).values(values))
    if off is not None:
        await audit.record(conn, kit, _ACTOR, "webhook.switched-off", "endpoint", [target.id], now, reason=off)
        await telling.make(conn, [_owners_notice(service.settings, target, now)], now, service)


def _owners_notice(settings: Any, target: Any, now: datetime) -> dict[str, Any]:
    """A notice to the owner of a target that was switched off; it says which and where, the page says why."""
    return {
        "id": uuid5(SPACE, f"target|{target.id}|{now.isoformat()}"),
        "case_id": None,
        "handover_id": None,
        "lead_id": None,
        "matter": Matter.TARGET.value,
        "matter_id": target.id,
        "dataref": f"{settings.base_url('notify')}/v1/webhooks/{target.id}",
        "needs": None,
        "items": None,
        "number": "",
        "plan": target.plan,
        "area": None,
        "kinds": [],
        "urgent": False,
        "agency": target.agency,
        "unit": target.unit,
        "role": None,
        "template": Template.TARGET_OFF.value,
        "state": State.WAITING.value,
        "rule": None,
        "due": None,
        "provisional": False,
        "created_at": now,
        "version": 1,
    }


_WRITE = text(
    """
    UPDATE deliveries d SET state = r.state, attempts = r.attempts, next_at = coalesce(r.next_at, d.next_at), claimed_until = NULL,
        last_outcome = coalesce(r.last_outcome, d.last_outcome), delivered_at = coalesce(r.delivered_at, d.delivered_at)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:attempts AS int[]),
        CAST(:next_ats AS timestamptz[]), CAST(:outcomes AS text[]), CAST(:delivered AS timestamptz[]))
        AS r(id, state, attempts, next_at, last_outcome, delivered_at)
    WHERE d.id = r.id
    """
)


async def _write(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    await conn.execute(
        _WRITE,
        {
            "ids": [row["id"] for row in rows],
            "states": [row["state"] for row in rows],
            "attempts": [row["attempts"] for row in rows],
            "next_ats": [row["next_at"] for row in rows],
            "outcomes": [row["last_outcome"] for row in rows],
            "delivered": [row["delivered_at"] for row in rows],
        },
    )


_EXPIRE = text(
    """
    UPDATE deliveries d SET state = 'failed', last_outcome = 'expired', claimed_until = NULL
    FROM endpoints e
    WHERE e.id = d.endpoint_id AND d.state = 'retrying' AND d.created_at < :before
      AND (d.since IS NULL OR d.since < :before)
    RETURNING d.id, e.channel
    """
)


async def give_up_old(conn: AsyncConnection, now: datetime) -> int:
    """End messages that waited longer than three days for a target that was never back."""
    ended = (await conn.execute(_EXPIRE, {"before": now - retries.GIVE_UP_AFTER})).all()
    if ended:
        await transit.carried(conn, [], [], [row.id for row in ended])
        for row in ended:
            metrics.DELIVERIES.labels(row.channel, "failed").inc()
    return len(ended)
