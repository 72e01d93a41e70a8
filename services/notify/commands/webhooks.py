"""Webhook targets of agencies, and the messages that wait for them."""

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify import metrics
from services.notify.adapters import webhooks
from services.notify.adapters.webhooks import Outcome
from services.notify.domain import retries
from services.notify.queries.webhooks import managed
from services.notify.tables import deliveries, endpoints, kit
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Invalid, NotFound, Outdated
from shared.kit.service import Service

CLAIM_S = 60
"""A claimed delivery that is not settled for so long is taken up again: its process died between send and mark."""

MOST_ENDPOINTS = 20


async def create(conn: AsyncConnection, svc: Service, caller: Caller, url: str, now: datetime) -> tuple[Any, str]:
    """Add a target for the caller's agency; the row, and the secret to be shown once."""
    endpoint_id, secret = new_id(), webhooks.new_secret()
    await conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _lock_key(caller)})
    known = (await conn.execute(select(endpoints.c.id).where(managed(caller)))).all()
    if len(known) >= MOST_ENDPOINTS:
        raise Invalid(f"每个单位最多 {MOST_ENDPOINTS} 个。 At most {MOST_ENDPOINTS} for an agency.")
    row = {
        "id": endpoint_id,
        "plan": caller.plan,
        "agency": caller.agency,
        "url": url,
        "secret": svc.settings.keys.seal("webhook", endpoint_id.bytes, secret),
        "active": True,
        "failures": 0,
        "created_at": now,
        "created_by": caller.actor,
        "version": 1,
    }
    try:
        async with conn.begin_nested():
            made = (await conn.execute(insert(endpoints).values(row).returning(endpoints))).one()
    except IntegrityError as error:
        raise Conflict(
            "这个地址已登记，未保存任何内容。 That address is there already; nothing was kept.", code="endpoint-exists"
        ) from error
    await audit.record(conn, kit, caller, "webhook.created", "endpoint", [endpoint_id], now)
    return made, webhooks.shown_secret(secret)


async def change(
    conn: AsyncConnection, caller: Caller, endpoint_id: UUID, version: int, active: bool, now: datetime
) -> Any:
    """Switch a target on (its failures forgotten) or off."""
    await _mine(conn, caller, endpoint_id, version)
    values: dict[str, Any] = {"active": active, "version": endpoints.c.version + 1}
    if active:
        values |= {"failures": 0, "paused_until": None}
    done = update(endpoints).where(endpoints.c.id == endpoint_id).values(values).returning(endpoints)
    row = (await conn.execute(done)).one()
    await audit.record(conn, kit, caller, "webhook.changed", "endpoint", [endpoint_id], now, active=active)
    await _wake(conn)
    return row


async def remove(conn: AsyncConnection, caller: Caller, endpoint_id: UUID, version: int, now: datetime) -> None:
    """Forget a target and what waited for it; the notices stay."""
    await _mine(conn, caller, endpoint_id, version)
    await conn.execute(delete(deliveries).where(deliveries.c.endpoint_id == endpoint_id))
    await conn.execute(delete(endpoints).where(endpoints.c.id == endpoint_id))
    await audit.record(conn, kit, caller, "webhook.removed", "endpoint", [endpoint_id], now)


async def ping(conn: AsyncConnection, caller: Caller, endpoint_id: UUID, now: datetime) -> Any:
    """Send a test message; it travels like a notice."""
    await _mine(conn, caller, endpoint_id)
    made = {
        "id": new_id(),
        "endpoint_id": endpoint_id,
        "notice_id": None,
        "state": "retrying",
        "attempts": 0,
        "next_at": now,
        "created_at": now,
    }
    row = (await conn.execute(insert(deliveries).values(made).returning(deliveries))).one()
    await _unpause(conn, endpoint_id)
    await audit.record(conn, kit, caller, "webhook.pinged", "endpoint", [endpoint_id], now)
    return row


async def redeliver(conn: AsyncConnection, caller: Caller, endpoint_id: UUID, delivery_id: UUID, now: datetime) -> Any:
    """Send a message again, under the id it had."""
    await _mine(conn, caller, endpoint_id)
    again = (
        update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.endpoint_id == endpoint_id)
        .values(state="retrying", attempts=0, next_at=now, created_at=now, claimed_until=None)
        .returning(deliveries)
    )
    row = (await conn.execute(again)).one_or_none()
    if row is None:
        raise NotFound("没有这条消息。 No such message.")
    await _unpause(conn, endpoint_id)
    await audit.record(conn, kit, caller, "webhook.redelivered", "delivery", [delivery_id], now)
    await _wake(conn)
    return row


async def _unpause(conn: AsyncConnection, endpoint_id: UUID) -> None:
    await conn.execute(update(endpoints).where(endpoints.c.id == endpoint_id).values(paused_until=None))


async def _wake(conn: AsyncConnection) -> None:
    await conn.execute(text("SELECT pg_notify('deliveries', '')"))


def _lock_key(caller: Caller) -> int:
    digest = hashlib.sha256(f"endpoints|{caller.plan}|{caller.agency}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


async def _mine(conn: AsyncConnection, caller: Caller, endpoint_id: UUID, version: int | None = None) -> Any:
    wanted = select(endpoints).where(endpoints.c.id == endpoint_id, managed(caller)).with_for_update()
    row = (await conn.execute(wanted)).one_or_none()
    if row is None:
        raise NotFound("没有这个推送地址，或不归您管理。 No such endpoint, or not yours.")
    if version is not None and row.version != version:
        raise Outdated("推送地址已有变化，请重新读取。 It has changed; read it again.", version=row.version)
    return row


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery this process has taken on, with all it needs to send it."""

    id: UUID
    endpoint_id: UUID
    attempts: int
    created_at: datetime
    url: str
    secret: bytes
    notice: Mapping[str, Any] | None
    ring: int | None = None


_DUE_ENDPOINTS = text(
    """
    SELECT e.id FROM endpoints e
    WHERE e.active AND (e.paused_until IS NULL OR e.paused_until <= :now)
      AND EXISTS (
        SELECT FROM deliveries d WHERE d.endpoint_id = e.id AND d.state = 'retrying' AND d.next_at <= :now
          AND (d.claimed_until IS NULL OR d.claimed_until <= :now))
    """
)
_CLAIM = text(
    """
    WITH target AS (
        SELECT id, url, secret, CASE WHEN failures > 0 THEN 1 ELSE :many END AS most FROM endpoints
        WHERE id = :endpoint AND active AND (paused_until IS NULL OR paused_until <= :now)
    ), due AS (
        SELECT id FROM deliveries
        WHERE endpoint_id = :endpoint AND state = 'retrying' AND next_at <= :now
          AND (claimed_until IS NULL OR claimed_until <= :now)
        ORDER BY next_at LIMIT (SELECT most FROM target) FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE deliveries d SET claimed_until = :until FROM due, target WHERE d.id = due.id
        RETURNING d.id, d.endpoint_id, d.attempts, d.created_at, d.notice_id, d.ring, target.url, target.secret
    )
    SELECT t.*, n.id AS n_id, n.case_id, n.handover_id, n.number, n.plan, n.area, n.kinds, n.urgent, n.agency, n.unit, n.role,
        n.template, n.due, n.created_at AS n_created_at, n.matter, n.matter_id, n.dataref
    FROM taken t LEFT JOIN notices n ON n.id = t.notice_id
    """
)


async def due_endpoints(conn: AsyncConnection, now: datetime) -> list[UUID]:
    """The targets that have something to be sent now and are not left alone."""
    return list((await conn.execute(_DUE_ENDPOINTS, {"now": now})).scalars())


async def claim(conn: AsyncConnection, keys: KeyRing, endpoint_id: UUID, many: int, now: datetime) -> list[Claimed]:
    """Take on some deliveries of a target; a single one while it is failing."""
    until = now + timedelta(seconds=CLAIM_S)
    asked = {"endpoint": endpoint_id, "many": many, "now": now, "until": until}
    return [
        Claimed(
            row.id,
            row.endpoint_id,
            row.attempts,
            row.created_at,
            row.url,
            keys.open("webhook", row.endpoint_id.bytes, bytes(row.secret)),
            row._mapping if row.n_id is not None else None,
            row.ring,
        )
        for row in (await conn.execute(_CLAIM, asked)).all()
    ]


async def settle(
    conn: AsyncConnection, endpoint_id: UUID, outcomes: Sequence[tuple[Claimed, Outcome]], now: datetime
) -> None:
    """Write down what came of some attempts on one target, and whether to leave it alone for a while."""
    target = (
        await conn.execute(select(endpoints).where(endpoints.c.id == endpoint_id).with_for_update())
    ).one_or_none()
    if target is None:
        return
    failures = target.failures
    rows = []
    for claimed, outcome in outcomes:
        attempts = claimed.attempts + 1
        again = None if outcome.delivered else retries.next_try(attempts, claimed.created_at, now, random.random())
        state = "delivered" if outcome.delivered else "retrying" if again else "failed"
        failures = 0 if outcome.delivered else failures + 1
        metrics.DELIVERIES.labels(state).inc()
        rows.append(
            {
                "id": claimed.id,
                "state": state,
                "attempts": attempts,
                "next_at": again or now,
                "last_outcome": outcome.code,
                "delivered_at": now if outcome.delivered else None,
            }
        )
    await _write(conn, rows)
    gone = any(outcome.gone for _, outcome in outcomes)
    paused = retries.break_until(failures, now)
    if failures != target.failures or paused != target.paused_until or gone:
        values: dict[str, Any] = {"failures": failures, "paused_until": paused}
        if gone:
            # 410 Gone: the receiver asks for no more (Standard Webhooks)
            values |= {"active": False, "version": endpoints.c.version + 1}
        await conn.execute(update(endpoints).where(endpoints.c.id == endpoint_id).values(values))


async def _write(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    await conn.execute(
        text(
            """
            UPDATE deliveries d SET state = r.state, attempts = r.attempts, next_at = r.next_at, claimed_until = NULL,
                last_outcome = r.last_outcome, delivered_at = r.delivered_at
            FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:attempts AS int[]),
                CAST(:next_ats AS timestamptz[]), CAST(:outcomes AS text[]), CAST(:delivered AS timestamptz[]))
                AS r(id, state, attempts, next_at, last_outcome, delivered_at)
            WHERE d.id = r.id
            """
        ),
        {
            "ids": [row["id"] for row in rows],
            "states": [row["state"] for row in rows],
            "attempts": [row["attempts"] for row in rows],
            "next_ats": [row["next_at"] for row in rows],
            "outcomes": [row["last_outcome"] for row in rows],
            "delivered": [row["delivered_at"] for row in rows],
        },
    )


async def give_up_old(conn: AsyncConnection, now: datetime) -> int:
    """End messages that waited longer than three days for a target that was never back."""
    done = (
        update(deliveries)
        .where(deliveries.c.state == "retrying", deliveries.c.created_at < now - retries.GIVE_UP_AFTER)
        .values(state="failed", last_outcome="expired", claimed_until=None)
    )
    count = (await conn.execute(done)).rowcount
    if count:
        metrics.DELIVERIES.labels("failed").inc(count)
    return count
