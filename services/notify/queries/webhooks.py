"""Webhook targets and messages as an agency's people see them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.adapters.webhooks import MESSAGE_PREFIX
from services.notify.schemas import DeliveryOut, EndpointOut
from services.notify.tables import deliveries, endpoints
from shared.kit import pagination
from shared.kit.access import Caller
from shared.kit.problem import NotFound

_WHOLE_AGENCY = ("own_agency", "plan", "all")


def may_manage(caller: Caller) -> bool:
    """Whether the caller may say where the agency's notices go: its system, or an officer who sees them all."""
    if caller.agency is None or caller.plan is None:
        return False
    return caller.kind == "system" or caller.reach("notice.read") in _WHOLE_AGENCY


def managed(caller: Caller) -> ColumnElement[bool]:
    """The targets of the caller's own agency."""
    if not may_manage(caller):
        return false()
    return (endpoints.c.plan == caller.plan) & (endpoints.c.agency == caller.agency)


async def list_endpoints(conn: AsyncConnection, caller: Caller) -> list[Any]:
    """The agency's targets; there are few."""
    return list((await conn.execute(select(endpoints).where(managed(caller)).order_by(endpoints.c.id))).all())


async def one(conn: AsyncConnection, caller: Caller, endpoint_id: UUID) -> Any:
    """One target of the agency; NotFound otherwise."""
    row = (await conn.execute(select(endpoints).where(endpoints.c.id == endpoint_id, managed(caller)))).one_or_none()
    if row is None:
        raise NotFound("没有这个推送地址，或不归您管理。 No such endpoint, or not yours.")
    return row


async def list_deliveries(
    conn: AsyncConnection, caller: Caller, endpoint_id: UUID, cursor: str | None, limit: int
) -> tuple[list[Any], str | None]:
    """A target's messages, the newest first."""
    await one(conn, caller, endpoint_id)
    d = deliveries.c
    shown = select(deliveries).where(d.endpoint_id == endpoint_id)
    after = pagination.decode(cursor, [datetime.fromisoformat, UUID])
    if after:
        shown = shown.where(tuple_(d.created_at, d.id) < tuple_(*after))
    shown = shown.order_by(d.created_at.desc(), d.id.desc()).limit(limit + 1)
    rows, following = pagination.page(
        (await conn.execute(shown)).all(), limit, lambda row: [row.created_at.isoformat(), str(row.id)]
    )
    return list(rows), following


def endpoint_out(row: Any, secret: str | None = None) -> EndpointOut:
    """A target for its agency."""
    fields = {name: getattr(row, name) for name in EndpointOut.model_fields if name != "secret"}
    return EndpointOut(**fields, secret=secret)


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
    )
