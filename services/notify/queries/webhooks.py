"""Targets outside and their messages, as their agency's people and the operators see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.adapters.webhooks import MESSAGE_PREFIX
from services.notify.domain.channels import Channel
from services.notify.domain.circuits import Circuit, circuit
from services.notify.queries.notices import SETTLED
from services.notify.schemas import ChannelFigures, DeliveryOut, EndpointOut
from services.notify.tables import deliveries, endpoints, notices
from shared.kit import pagination
from shared.kit.access import Caller, scope
from shared.kit.problem import NotFound
from shared.rules.calendar import SHANGHAI, local_day

RIGHT = "webhook.manage"
COUNT_UP_TO = 1000
_d, _e = deliveries.c, endpoints.c


def managed(caller: Caller) -> ColumnElement[bool]:
    """The targets within the caller's reach."""
    return scope(
        caller,
        RIGHT,
        plan=_e.plan,
        agency=lambda agency: _e.agency == agency,
        unit=lambda agency, unit: (_e.agency == agency) & (_e.unit == unit),
    )


async def list_endpoints(conn: AsyncConnection, caller: Caller, *, limit: int = 500) -> list[Any]:
    """The targets within reach, those that do badly first; of one agency there are few."""
    well = and_(_e.active, _e.failures == 0, _e.failing_since.is_(None))
    shown = select(endpoints).where(managed(caller)).order_by(well, _e.plan, _e.agency, _e.id).limit(limit)
    return list((await conn.execute(shown)).all())


async def one(conn: AsyncConnection, caller: Caller, endpoint_id: UUID) -> Any:
    """One target; NotFound when it is not within reach."""
    row = (await conn.execute(select(endpoints).where(_e.id == endpoint_id, managed(caller)))).one_or_none()
    if row is None:
        raise NotFound("没有这个推送目标，或不归您管理。 No such target, or not yours.")
    return row


async def list_deliveries(
    conn: AsyncConnection, caller: Caller, endpoint_id: UUID | None, cursor: str | None, limit: int, state: str | None = None
) -> tuple[list[Any], str | None]:
    """The messages to one target, or to all within reach, the newest first."""
    shown = select(deliveries)
    if endpoint_id is not None:
        await one(conn, caller, endpoint_id)
        shown = shown.where(_d.endpoint_id == endpoint_id)
    else:
        shown = shown.where(exists().where(_e.id == _d.endpoint_id, managed(caller)))
    if state:
        shown = shown.where(_d.state == state)
    after = pagination.decode(cursor, [datetime.fromisoformat, UUID])
    if after:
        shown = shown.where(tuple_(_d.created_at, _d.id) < tuple_(*after))
    shown = shown.order_by(_d.created_at.desc(), _d.id.desc()).limit(limit + 1)
    rows, following = pagination.page(
        (await conn.execute(shown)).all(), limit, lambda row: [row.created_at.isoformat(), str(row.id)]
    )
    return list(rows), following


async def replayed(
    conn: AsyncConnection, target: Any, cursor: str | None, limit: int, failed_only: bool
) -> tuple[list[UUID], str | None]:
    """The notices after a cursor of the feed that a target is for, in the feed's order, and the cursor behind them.

    Only what no running transaction can precede, as in the feed: nothing is passed over.
    """
    n = notices.c
    wanted = select(n.id, n.xid, n.seq).where(
        n.plan == target.plan, n.agency == target.agency, n.needs.is_(None), SETTLED
    )
    if target.unit is not None:
        wanted = wanted.where(n.unit.is_(None) | (n.unit == target.unit))
    if target.post is not None:
        wanted = wanted.where(n.post == target.post)
    if target.urgent_only:
        wanted = wanted.where(n.urgent)
    if failed_only:
        had = exists().where(_d.notice_id == n.id, _d.endpoint_id == target.id, _d.state == "delivered")
        wanted = wanted.where(~had)
    after = pagination.decode(cursor, [int, int])
    if after:
        wanted = wanted.where(tuple_(n.xid, n.seq) > tuple_(*after))
    rows = (await conn.execute(wanted.order_by(n.xid, n.seq).limit(limit + 1))).all()
    ids = [row.id for row in rows[:limit]]
    more = len(rows) > limit
    return ids, pagination.encode([rows[limit - 1].xid, rows[limit - 1].seq]) if more else None


async def figures(
    conn: AsyncConnection, caller: Caller, first_day: date, last_day: date
) -> list[ChannelFigures]:
    """What went out by each channel on some days: arrived, waiting, given up, and why (D-K2b's delivery figures)."""
    first = datetime.combine(first_day, datetime.min.time(), SHANGHAI)
    behind = datetime.combine(last_day, datetime.min.time(), SHANGHAI) + timedelta(days=1)
    counted = (
        select(_e.channel, _d.state, _d.last_outcome, func.count().label("number"))
        .select_from(deliveries.join(endpoints, _e.id == _d.endpoint_id))
        .where(managed(caller), _d.created_at >= first, _d.created_at < behind, _d.notice_id.is_not(None))
        .group_by(_e.channel, _d.state, _d.last_outcome)
    )
    states: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    outcomes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in (await conn.execute(counted)).all():
        states[row.channel][row.state] += row.number
        if row.last_outcome:
            outcomes[row.channel][row.last_outcome] += row.number
    return [
        ChannelFigures(
            channel=Channel(channel),
            messages=sum(found.values()),
            delivered=found["delivered"],
            waiting=found["retrying"],
            failed=found["failed"],
            outcomes=dict(sorted(outcomes[channel].items())),
        )
        for channel, found in sorted(states.items())
    ]


def month_until(now: datetime) -> tuple[date, date]:
    """The thirty days that end today."""
    today = local_day(now)
    return today - timedelta(days=29), today


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits for a target, and how much it never got, each counted up to 1,000."""

    waiting: int
    failed: int


_WAITING = text(
    """
    SELECT e.id,
        (SELECT count(*) FROM (SELECT FROM deliveries WHERE endpoint_id = e.id AND state = 'retrying' LIMIT :most) s) AS waiting,
        (SELECT count(*) FROM (SELECT FROM deliveries WHERE endpoint_id = e.id AND state = 'failed' LIMIT :most) s) AS failed
    FROM unnest(CAST(:ids AS uuid[])) AS e(id)
    """
)


async def waiting(conn: AsyncConnection, endpoint_ids: Sequence[UUID]) -> Mapping[UUID, Waiting]:
    """Numbers beside each target of the console."""
    found = (await conn.execute(_WAITING, {"ids": list(endpoint_ids), "most": COUNT_UP_TO})).all()
    return {row.id: Waiting(row.waiting, row.failed) for row in found}


async def before_day(conn: AsyncConnection, target: Any, day: date) -> str | None:
    """The cursor of the feed before the first notice of a target's agency on a day or after it; None when there is none."""
    n, first = notices.c, datetime.combine(day, datetime.min.time(), SHANGHAI)
    wanted = select(n.xid, n.seq).where(n.plan == target.plan, n.agency == target.agency, n.created_at >= first)
    row = (await conn.execute(wanted.order_by(n.xid, n.seq).limit(1))).one_or_none()
    return pagination.encode([row.xid, row.seq - 1]) if row is not None else None


async def circuits(conn: AsyncConnection, now: datetime) -> dict[Circuit, int]:
    """How many targets of all agencies stand how; for the gauge."""
    counts = dict.fromkeys(Circuit, 0)
    columns = select(_e.active, _e.failures, _e.paused_until)
    for row in (await conn.execute(columns)).mappings():
        counts[circuit(row, now)] += 1
    return counts


def endpoint_out(row: Any, now: datetime, secret: str | None = None) -> EndpointOut:
    """A target for its agency."""
    fields = {name: getattr(row, name) for name in EndpointOut.model_fields if name not in ("secret", "circuit")}
    if row.old_until is not None and row.old_until <= now:
        fields["old_until"] = None
    return EndpointOut(**fields, circuit=circuit(row._mapping, now), secret=secret)


def delivery_out(row: Any) -> DeliveryOut:
    """A message for its agency; its id as the receiver sees it."""
    return DeliveryOut(
        id=f"{MESSAGE_PREFIX}{row.id}",
        notice_id=row.notice_id,
        state=row.state,
        attempts=row.attempts,
        last_outcome=row.last_outcome,
        created_at=row.created_at,
        next_at=row.next_at if row.state == "retrying" else None,
        delivered_at=row.delivered_at,
        urgent=row.urgent,
        endpoint_id=row.endpoint_id,
    )
