"""Targets outside, kept by their agencies: webhooks, chat robots, e-mail addresses, phones; and messages sent again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.adapters import webhooks
from services.notify.commands.deliveries import wake
from services.notify.domain.channels import ROBOTS, Channel, checked, shown
from services.notify.domain.targets import BadTargetError
from services.notify.queries.webhooks import managed, replayed
from services.notify.schemas import EndpointIn
from services.notify.tables import deliveries, endpoints, kit
from shared.kit import audit, idempotency
from shared.kit.access import Caller
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Invalid, NotFound, Outdated
from shared.kit.service import Service

MOST_ENDPOINTS = 20
LONGEST_OVERLAP = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class NewTarget:
    """A target to be added; `robot_secret` is what a chat robot signs with, if it does."""

    channel: Channel
    address: str
    robot_secret: str | None = None
    name: str | None = None
    unit: str | None = None
    urgent_only: bool = False
    per_minute: int | None = None


async def target_of(svc: Service, body: EndpointIn) -> NewTarget:
    """A target as asked for, its address checked. Raises Invalid, with a code that says what is wrong."""
    settings: Any = svc.settings
    local = settings.local_mode
    try:
        address = checked(body.channel, body.url, local=local)
        if body.channel is Channel.WEBHOOK or body.channel in ROBOTS:
            await webhooks.checked_address(address, local=local)
    except BadTargetError as error:
        raise Invalid(
            "推送目标的地址不可用，未保存任何内容。webhook 和群机器人须为可解析的公网 https 地址。 "
            "The address cannot be used; nothing was kept. Webhooks and robots need a public https address that resolves.",
            errors=[{"field": "url", "code": str(error), "message": str(error)}],
        ) from error
    return NewTarget(
        body.channel,
        address,
        body.robot_secret if body.channel in (Channel.DINGTALK, Channel.FEISHU) else None,
        body.name,
        body.unit,
        body.urgent_only,
        body.per_minute,
    )


async def create(
    conn: AsyncConnection, svc: Service, caller: Caller, new: NewTarget, now: datetime
) -> tuple[Any, str | None]:
    """Add a target for the caller's agency; the row, and a webhook's secret to be shown once."""
    _check(svc, caller, new)
    endpoint_id, secret, kept = new_id(), None, new.address.encode()
    if new.channel is Channel.WEBHOOK:
        kept = webhooks.new_secret()
        secret = webhooks.shown_secret(kept)
    elif new.robot_secret:
        kept = f"{new.address}\n{new.robot_secret}".encode()
    await conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _lock_key(caller)})
    own = select(endpoints.c.id).where(endpoints.c.plan == caller.plan, endpoints.c.agency == caller.agency)
    if len((await conn.execute(own)).all()) >= MOST_ENDPOINTS:
        raise Invalid(f"每个单位最多 {MOST_ENDPOINTS} 个。 At most {MOST_ENDPOINTS} for an agency.")
    row = {
        "id": endpoint_id,
        "plan": caller.plan,
        "agency": caller.agency,
        "unit": new.unit,
        "channel": new.channel.value,
        "url": shown(new.channel, new.address),
        "name": new.name,
        "urgent_only": new.urgent_only,
        "per_minute": new.per_minute,
        "secret": svc.settings.keys.seal("webhook", endpoint_id.bytes, kept),
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
    await audit.record(conn, kit, caller, "webhook.created", "endpoint", [endpoint_id], now, channel=new.channel.value)
    return made, secret


def _check(svc: Service, caller: Caller, new: NewTarget) -> None:
    settings: Any = svc.settings
    ready = {
        Channel.EMAIL: settings.smtp_host is not None,
        Channel.SMS: settings.sms_url is not None or settings.sms_record is not None,
    }
    if not ready.get(new.channel, True):
        raise Invalid(
            "这种渠道尚未接通，未保存任何内容。请运维人员先配置邮件服务器或短信网关。 "
            "This channel is not set up; nothing was kept. Ask the operator for a mail relay or an SMS gateway.",
            errors=[{"field": "channel", "code": "not-set-up", "message": new.channel.value}],
        )
    if caller.agency is None or caller.plan is None:
        raise Invalid("只有单位可以登记推送目标。 Only an agency has targets.")
    plan = svc.plans.get(caller.plan)
    if new.unit is not None and (plan is None or plan.agency(caller.agency).unit(new.unit) is None):
        raise Invalid(
            "本单位没有这个内设机构，未保存任何内容。 Your agency has no such unit; nothing was kept.",
            errors=[{"field": "unit", "code": "unknown", "message": new.unit}],
        )


async def change(
    conn: AsyncConnection, caller: Caller, endpoint_id: UUID, version: int, changes: dict[str, Any], now: datetime
) -> Any:
    """Switch a target on (its failures forgotten) or off; name it, say how much it gets."""
    await mine(conn, caller, endpoint_id, version)
    values: dict[str, Any] = {**changes, "version": endpoints.c.version + 1}
    if changes.get("active") is True:
        values |= _WELL | {"off_reason": None, "off_at": None}
    elif changes.get("active") is False:
        values |= {"off_reason": "owner", "off_at": now}
    done = update(endpoints).where(endpoints.c.id == endpoint_id).values(values).returning(endpoints)
    row = (await conn.execute(done)).one()
    active, fields = changes.get("active"), ",".join(sorted(changes))
    await audit.record(conn, kit, caller, "webhook.changed", "endpoint", [endpoint_id], now, active=active, fields=fields)
    await wake(conn)
    return row


_WELL = {"failures": 0, "paused_until": None, "failing_since": None, "not_before": None}


async def rotate(
    conn: AsyncConnection,
    svc: Service,
    caller: Caller,
    endpoint_id: UUID,
    version: int,
    overlap: timedelta,
    claim: idempotency.Claim,
    now: datetime,
) -> tuple[Any, str]:
    """Give a webhook a new secret; messages bear both signatures until the overlap ends. The same key: the same secret."""
    keys, name = svc.settings.keys, endpoint_id.bytes
    earlier = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(earlier, Conflict):
        raise earlier
    row = await mine(conn, caller, endpoint_id, None if earlier else version)
    if row.channel != Channel.WEBHOOK:
        raise Invalid("只有 webhook 有签名密钥。 Only a webhook has a signing secret.")
    if earlier is not None:
        return row, webhooks.shown_secret(keys.open("webhook", name, bytes(row.secret)))
    secret = webhooks.new_secret()
    values = {
        "secret": keys.seal("webhook", name, secret),
        "old_secret": row.secret if overlap else None,
        "old_until": now + overlap if overlap else None,
        "version": row.version + 1,
    }
    done = update(endpoints).where(endpoints.c.id == endpoint_id).values(values).returning(endpoints)
    made = (await conn.execute(done)).one()
    hours = int(overlap.total_seconds() // 3600)
    await audit.record(conn, kit, caller, "webhook.rotated", "endpoint", [endpoint_id], now, overlap_hours=hours)
    return made, webhooks.shown_secret(secret)


async def remove(conn: AsyncConnection, caller: Caller, endpoint_id: UUID, version: int, now: datetime) -> None:
    """Forget a target and what waited for it; the notices stay."""
    await mine(conn, caller, endpoint_id, version)
    await conn.execute(delete(deliveries).where(deliveries.c.endpoint_id == endpoint_id))
    await conn.execute(delete(endpoints).where(endpoints.c.id == endpoint_id))
    await audit.record(conn, kit, caller, "webhook.removed", "endpoint", [endpoint_id], now)


async def ping(conn: AsyncConnection, caller: Caller, endpoint_id: UUID, now: datetime) -> Any:
    """Send a test message; it travels like an urgent notice, so that quiet hours do not hold it."""
    await mine(conn, caller, endpoint_id)
    made = {
        "id": new_id(),
        "endpoint_id": endpoint_id,
        "notice_id": None,
        "state": "retrying",
        "attempts": 0,
        "next_at": now,
        "created_at": now,
        "urgent": True,
    }
    row = (await conn.execute(insert(deliveries).values(made).returning(deliveries))).one()
    await _unpause(conn, endpoint_id)
    await audit.record(conn, kit, caller, "webhook.pinged", "endpoint", [endpoint_id], now)
    return row


async def redeliver(
    conn: AsyncConnection, caller: Caller, endpoint_id: UUID, delivery_ids: Sequence[UUID], now: datetime
) -> list[Any]:
    """Send messages of a target again, each under the id it had; its three days begin anew."""
    await mine(conn, caller, endpoint_id)
    again = (
        update(deliveries)
        .where(deliveries.c.id.in_(delivery_ids), deliveries.c.endpoint_id == endpoint_id)
        .values(state="retrying", attempts=0, next_at=now, since=now, claimed_until=None)
        .returning(deliveries)
    )
    rows = list((await conn.execute(again)).all())
    if not rows:
        raise NotFound("没有这条消息。 No such message.")
    await _unpause(conn, endpoint_id)
    await audit.record(conn, kit, caller, "webhook.redelivered", "delivery", [row.id for row in rows], now)
    await wake(conn)
    return rows


_REPLAY = text(
    """
    INSERT INTO deliveries (id, endpoint_id, notice_id, state, attempts, next_at, created_at, since, urgent)
    SELECT md5(n.id::text || CAST(:endpoint AS uuid)::text)::uuid, :endpoint, n.id, 'retrying', 0, :now, :now, :now, n.urgent
    FROM notices n WHERE n.id = ANY(CAST(:ids AS uuid[])) ORDER BY n.xid, n.seq
    ON CONFLICT (id) DO UPDATE SET state = 'retrying', attempts = 0, next_at = :now, since = :now, claimed_until = NULL
    """
)


async def replay(
    conn: AsyncConnection,
    caller: Caller,
    endpoint_id: UUID,
    cursor: str | None,
    limit: int,
    failed_only: bool,
    claim: idempotency.Claim,
    now: datetime,
) -> tuple[int, str | None]:
    """Send a target the notices after a cursor of the feed once more, those it never had included; how many, and the
    cursor to go on from (None: no more). Each goes under its one id. The same key again queues nothing."""
    earlier = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(earlier, Conflict):
        raise earlier
    target = await mine(conn, caller, endpoint_id)
    ids, following = await replayed(conn, target, cursor, limit, failed_only)
    if earlier is None and ids:
        await conn.execute(_REPLAY, {"endpoint": endpoint_id, "ids": ids, "now": now})
        await _unpause(conn, endpoint_id)
        await audit.record(conn, kit, caller, "webhook.replayed", "endpoint", [endpoint_id], now, messages=len(ids))
        await wake(conn)
    return len(ids), following


async def _unpause(conn: AsyncConnection, endpoint_id: UUID) -> None:
    opened = {"paused_until": None, "not_before": None}
    await conn.execute(update(endpoints).where(endpoints.c.id == endpoint_id).values(opened))


def _lock_key(caller: Caller) -> int:
    digest = hashlib.sha256(f"endpoints|{caller.plan}|{caller.agency}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


async def mine(conn: AsyncConnection, caller: Caller, endpoint_id: UUID, version: int | None = None) -> Any:
    """The target, locked; NotFound when it is not the caller's to manage. Outdated when it is another version."""
    wanted = select(endpoints).where(endpoints.c.id == endpoint_id, managed(caller)).with_for_update()
    row = (await conn.execute(wanted)).one_or_none()
    if row is None:
        raise NotFound("没有这个推送目标，或不归您管理。 No such target, or not yours.")
    if version is not None and row.version != version:
        raise Outdated("推送目标已有变化，请重新读取。 It has changed; read it again.", version=row.version)
    return row
