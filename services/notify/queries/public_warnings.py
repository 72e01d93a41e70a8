"""Warnings: for officers within their reach, and for the public what was released; nobody is known there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.publicity.states import Out
from services.notify.domain.publicity.warnings import HIDING
from services.notify.queries.publicity.reach import within
from services.notify.tables import warning_recalls, warning_steps, warning_versions, warnings
from shared.kit import pagination
from shared.kit.access import Caller
from shared.kit.problem import NotFound

w, v, r = warnings.c, warning_versions.c, warning_recalls.c


async def listed(
    conn: AsyncConnection, caller: Caller, state: str | None, public_state: str | None, cursor: str | None, limit: int
) -> tuple[Sequence[Any], str | None]:
    """Warnings the caller may read, the last changed first."""
    query = select(warnings).where(within(caller, "warning.read", warnings))
    if state:
        query = query.where(w.state == state)
    if public_state:
        query = query.where(w.public_state == public_state)
    after = pagination.decode(cursor, [datetime.fromisoformat, UUID])
    if after:
        query = query.where(tuple_(w.changed_at, w.id) < tuple_(*after))
    rows = (await conn.execute(query.order_by(w.changed_at.desc(), w.id.desc()).limit(limit + 1))).all()
    return pagination.page(rows, limit, lambda row: [row.changed_at.isoformat(), str(row.id)])


async def one(conn: AsyncConnection, caller: Caller, warning_id: UUID) -> Any:
    """A warning the caller may read. Raises `NotFound`."""
    query = select(warnings).where(w.id == warning_id, within(caller, "warning.read", warnings))
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise NotFound("没有这份警示，或不在您的权限内。 No such warning within your reach.", code="warning-not-found")
    return row


async def steps(conn: AsyncConnection, warning_id: UUID) -> Sequence[Any]:
    """Who did what with it, the first first."""
    s = warning_steps.c
    return (await conn.execute(select(warning_steps).where(s.warning_id == warning_id).order_by(s.version, s.at))).all()


@dataclass(frozen=True, slots=True)
class PublicVersion:
    """One version as the public may know it; title and body are empty where it was recalled."""

    number: int
    title: str
    body: str
    areas: tuple[str, ...]
    published_at: datetime
    recalled_at: datetime | None
    reason: str | None
    statement: str


@dataclass(frozen=True, slots=True)
class PublicWarning:
    """A warning as the public reads it: its last version, and those before it."""

    id: UUID
    plan: str
    agency: str
    kind: str
    number: str
    versions: tuple[PublicVersion, ...]

    @property
    def last(self) -> PublicVersion:
        """The version that stands now, or the recalled one."""
        return self.versions[0]

    @property
    def recalled(self) -> bool:
        return self.last.recalled_at is not None

    @property
    def published_at(self) -> datetime:
        """When it was first public."""
        return self.versions[-1].published_at

    @property
    def updated_at(self) -> datetime:
        """When what stands there last changed."""
        return self.last.recalled_at or self.last.published_at


_VERSIONS = (
    select(
        w.id, w.plan, w.agency, w.kind, w.number.label("called"), v.number, v.title, v.body, v.areas, v.published_at,
        r.recalled_at, r.reason, r.statement,
    )
    .join(warning_versions, v.warning_id == w.id)
    .outerjoin(warning_recalls, (r.warning_id == v.warning_id) & (r.number == v.number))
)


def _public(rows: Sequence[Any]) -> list[PublicWarning]:
    """Warnings in the order in which they come, each with its versions, the last first."""
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row.id, []).append(row)
    return [
        PublicWarning(
            first[0].id, first[0].plan, first[0].agency, first[0].kind, first[0].called,
            tuple(_version(row) for row in sorted(first, key=lambda row: -row.number)),
        )
        for first in found.values()
    ]  # fmt: skip


def _version(row: Any) -> PublicVersion:
    recalled = row.recalled_at is not None
    hidden = recalled and row.reason in HIDING
    return PublicVersion(
        row.number, "" if hidden else row.title, "" if recalled else row.body, tuple(row.areas), row.published_at,
        row.recalled_at, row.reason, row.statement or "",
    )  # fmt: skip


async def public_one(conn: AsyncConnection, warning_id: UUID) -> PublicWarning:
    """A released warning with its history. Raises `NotFound`, for a draft as for what never was."""
    rows = (await conn.execute(_VERSIONS.where(w.id == warning_id))).all()
    if not rows:
        raise NotFound("没有这份警示。 There is no such warning.", code="warning-not-found")
    return _public(rows)[0]


async def public_list(
    conn: AsyncConnection, plan: str | None, areas: Sequence[str], *, limit: int, cursor: str | None = None,
    recalled: bool = True,
) -> tuple[list[PublicWarning], str | None]:  # fmt: skip
    """Released warnings of a plan (all plans without one) that concern any of the areas, the last released first."""
    query = select(w.id, w.published_at).where(w.public_state != Out.UNPUBLISHED.value)
    if not recalled:
        query = query.where(w.public_state == Out.PUBLISHED.value)
    if plan:
        query = query.where(w.plan == plan)
    if areas:
        current = (
            select(v.warning_id)
            .where(v.warning_id == w.id, v.number == w.current)
            .where(or_(func.jsonb_array_length(v.areas) == 0, *(v.areas.contains([area]) for area in areas)))
        )
        query = query.where(current.exists())
    after = pagination.decode(cursor, [datetime.fromisoformat, UUID])
    if after:
        query = query.where(tuple_(w.published_at, w.id) < tuple_(*after))
    some = (await conn.execute(query.order_by(w.published_at.desc(), w.id.desc()).limit(limit + 1))).all()
    shown, following = pagination.page(some, limit, lambda row: [row.published_at.isoformat(), str(row.id)])
    ids = [row.id for row in shown]
    by_id = {one.id: one for one in _public((await conn.execute(_VERSIONS.where(w.id.in_(ids)))).all())} if ids else {}
    return [by_id[id_] for id_ in ids if id_ in by_id], following
