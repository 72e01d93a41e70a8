"""Telling everyone who exists: notify's own `principal` rows and the directory event, in one transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, func
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.standing import withdrawn_from
from services.notify.tables import kit
from shared.events import Event
from shared.events.notify import PrincipalPublished
from shared.kit import outbox
from shared.kit.ids import new_id
from shared.kit.tokens import apply_directory


def of_account(row: Any) -> PrincipalPublished:
    """An account as published: no login and no name."""
    return PrincipalPublished(
        principal_id=str(row.id),
        kind="officer",
        plan=row.plan,
        agency=row.agency,
        unit=row.unit,
        posts=tuple(row.posts),
        areas=tuple(row.areas),
        scopes=(),
        active=row.active,
        valid_from=row.valid_from,
    )


def of_system(row: Any) -> PrincipalPublished:
    """An agency's system as published: no client id."""
    return PrincipalPublished(
        principal_id=str(row.id),
        kind="system",
        plan=row.plan,
        agency=row.agency,
        unit=None,
        posts=(),
        areas=(),
        scopes=tuple(row.scopes),
        active=row.active and row.asked_by is None,
        valid_from=row.valid_from,
    )


async def publish(conn: AsyncConnection, principals: Sequence[PrincipalPublished], now: datetime) -> None:
    """Publish the current standing of some principals."""
    if not principals:
        return
    events = [Event(new_id(), p.TYPE, "/dachuan/notify", p.key, now, now, None, p) for p in principals]
    await apply_directory(conn, kit.principal, events)
    await outbox.put(conn, kit.outbox, principals, now)


def ends_tokens(table: Table, now: datetime) -> ColumnElement[datetime]:
    """`valid_from` of a row whose tokens end now: also those that a change in this very second had stamped ahead (`stamp`)."""
    return func.greatest(withdrawn_from(now), table.c.valid_from + timedelta(seconds=1))
