"""The campaign board: what is missing first, what comes next, how far each campaign and each area is, whom it reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, false, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.publicity.states import Item
from services.notify.queries.publicity.reach import within
from services.notify.tables import (
    campaign_items,
    campaign_records,
    kept_files,
    publicity_materials,
    publicity_places,
)
from shared.kit import pagination
from shared.kit.access import Caller
from shared.kit.problem import NotFound

SOON = timedelta(days=7)
i, r = campaign_items.c, campaign_records.c


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is cut down to."""

    agency: str | None = None
    area: str | None = None
    campaign: str | None = None
    kind: str | None = None
    target: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        given = {name: getattr(self, name) for name in ("agency", "area", "campaign", "kind", "target")}
        return [i[name] == value for name, value in given.items() if value]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many things are missing, open, done (of them late), how many people they reached."""

    missing: int = 0
    open: int = 0
    done: int = 0
    late: int = 0
    reached: int = 0

    @property
    def share(self) -> int | None:
        """Done of what was due, in hundredths; None while nothing was."""
        due = self.done + self.missing
        return round(100 * self.done / due) if due else None


@dataclass(frozen=True, slots=True)
class Board:
    """The board's figures."""

    all: Tally
    soon: int
    by_area: dict[str, Tally] = field(default_factory=dict)
    by_campaign: dict[str, Tally] = field(default_factory=dict)
    by_agency: dict[str, Tally] = field(default_factory=dict)


def _missing(now: datetime) -> ColumnElement[bool]:
    return or_(i.state == Item.MISSED.value, and_(i.state == Item.OPEN.value, i.due < now))


def _tally(now: datetime) -> list[ColumnElement[Any]]:
    missing, done = _missing(now), i.state == Item.DONE.value
    return [
        func.count().filter(missing).label("missing"),
        func.count().filter(i.state == Item.OPEN.value, i.due >= now).label("open"),
        func.count().filter(done).label("done"),
        func.count().filter(done, i.late.is_(True)).label("late"),
        func.coalesce(func.sum(case((done, i.reached), else_=0)), 0).label("reached"),
    ]


def _of(row: Any) -> Tally:
    return Tally(row.missing, row.open, row.done, row.late, int(row.reached))


async def board(conn: AsyncConnection, caller: Caller, filters: Filters, now: datetime) -> Board:
    """All figures of what the caller may see, in one reading."""
    mine = [within(caller, "publicity.read", campaign_items), *filters.conditions()]
    grouped = func.grouping(i.area, i.campaign, i.agency).label("what")
    query = (
        select(
            grouped, i.area, i.campaign, i.agency, *_tally(now),
            func.count().filter(i.state == Item.OPEN.value, i.due >= now, i.due < now + SOON).label("soon"),
        )
        .where(*mine)
        .group_by(func.grouping_sets(tuple_(i.area), tuple_(i.campaign), tuple_(i.agency), tuple_()))
    )  # fmt: skip
    made = Board(Tally(), 0)
    total, soon = Tally(), 0
    for row in await conn.execute(query):
        if row.what == 0b111:
            total, soon = _of(row), row.soon
        elif row.what == 0b011 and row.area:
            made.by_area[row.area] = _of(row)
        elif row.what == 0b101:
            made.by_campaign[row.campaign] = _of(row)
        elif row.what == 0b110:
            made.by_agency[row.agency] = _of(row)
    return Board(total, soon, made.by_area, made.by_campaign, made.by_agency)


async def items(
    conn: AsyncConnection, caller: Caller, show: str, filters: Filters, cursor: str | None, limit: int, now: datetime
) -> tuple[Sequence[Any], str | None]:
    """Things by what they are: missing, soon, open, done, all; in the order of their due times, done ones the last first."""
    query = select(campaign_items).where(within(caller, "publicity.read", campaign_items), *filters.conditions())
    wanted = {
        "missing": _missing(now),
        "soon": and_(i.state == Item.OPEN.value, i.due >= now, i.due < now + SOON),
        "open": and_(i.state == Item.OPEN.value, i.due >= now),
        "done": i.state == Item.DONE.value,
        "waived": i.state.in_((Item.WAIVED.value, Item.DROPPED.value)),
    }.get(show)
    if wanted is not None:
        query = query.where(wanted)
    after = pagination.decode(cursor, [datetime.fromisoformat, UUID])
    place = tuple_(i.due, i.id)
    if show == "done":
        query = query.where(place < tuple_(*after)) if after else query
        query = query.order_by(i.due.desc(), i.id.desc())
    else:
        query = query.where(place > tuple_(*after)) if after else query
        query = query.order_by(i.due, i.id)
    rows = (await conn.execute(query.limit(limit + 1))).all()
    return pagination.page(rows, limit, lambda row: [row.due.isoformat(), str(row.id)])


async def item(conn: AsyncConnection, caller: Caller, item_id: UUID) -> Any:
    """A thing the caller may see. Raises `NotFound`."""
    query = select(campaign_items).where(i.id == item_id, within(caller, "publicity.read", campaign_items))
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise NotFound("没有这项宣传任务，或不在您的权限内。 No such scheduled thing within your reach.", code="campaign-item-not-found")
    return row


async def may(conn: AsyncConnection, caller: Caller, right: str, item_id: UUID) -> bool:
    """Whether the caller holds a right on a thing."""
    query = select(i.id).where(i.id == item_id, within(caller, right, campaign_items))
    return (await conn.execute(query)).one_or_none() is not None


async def records(conn: AsyncConnection, item_id: UUID) -> Sequence[Any]:
    """What was told of a thing, the last first."""
    query = select(campaign_records).where(r.item_id == item_id).order_by(r.recorded_at.desc(), r.id.desc())
    return (await conn.execute(query)).all()


async def same_days(conn: AsyncConnection, caller: Caller, row: Any, today: date) -> Sequence[Any]:
    """Other unproved rounds of the same campaign and place up to today, which one proof may cover together."""
    if "publicity.do" not in caller.rights:
        return []
    query = (
        select(campaign_items)
        .where(
            i.plan == row.plan, i.campaign == row.campaign, i.target == row.target, i.id != row.id,
            i.state.in_((Item.OPEN.value, Item.MISSED.value)), i.first_day <= today,
            within(caller, "publicity.do", campaign_items),
        )
        .order_by(i.first_day)
        .limit(60)
    )  # fmt: skip
    return (await conn.execute(query)).all()


async def files(conn: AsyncConnection, item_ids: Sequence[UUID]) -> Sequence[Any]:
    """The files of some things."""
    k = kept_files.c
    query = select(kept_files).where(k.owner_id.in_(item_ids)).order_by(k.received_at, k.id)
    return (await conn.execute(query)).all() if item_ids else []


async def places(conn: AsyncConnection, plan: str | None) -> Sequence[Any]:
    """Registered places of a plan."""
    p = publicity_places.c
    query = select(publicity_places).where(p.plan == plan).order_by(p.active.desc(), p.kind, p.name)
    return (await conn.execute(query)).all()


async def figures(
    conn: AsyncConnection, caller: Caller, filters: Filters, first: date | None, last: date | None
) -> list[dict[str, Any]]:
    """Reach and figures of what was done, by campaign and area: text messages delivered, people trained."""
    days = [r.done_on >= first if first else None, r.done_on <= last if last else None]
    mine = [
        within(caller, "publicity.read", campaign_items), r.state == "standing", *filters.conditions(),
        *(day for day in days if day is not None),
    ]  # fmt: skip
    done = select(campaign_records.c.item_id, i.campaign, i.area, r.reached, r.figures).join(campaign_items, i.id == r.item_id)
    found: dict[tuple[str, str | None], dict[str, Any]] = {}
    for row in await conn.execute(done.where(*mine)):
        one = found.setdefault(
            (row.campaign, row.area), {"campaign": row.campaign, "area": row.area, "times": 0, "reached": 0, "figures": {}}
        )
        one["times"] += 1
        one["reached"] += row.reached or 0
        for name, number in row.figures.items():
            one["figures"][name] = one["figures"].get(name, 0) + number
    return sorted(found.values(), key=lambda one: (one["campaign"], one["area"] or ""))


async def materials(
    conn: AsyncConnection, caller: Caller, kind: str | None, cursor: str | None, limit: int
) -> tuple[Sequence[Any], str | None]:
    """Materials of the plan: those in use for all its members, drafts for who may manage them; the last changed first."""
    m = publicity_materials.c
    seen = within(caller, "publicity.manage", publicity_materials)
    if caller.reach("publicity.read") is not None:
        seen = seen | ((m.plan == caller.plan) & (m.current > 0))
    query = select(publicity_materials).where(seen if caller.rights else false())
    if kind:
        query = query.where(m.kind == kind)
    after = pagination.decode(cursor, [datetime.fromisoformat, UUID])
    if after:
        query = query.where(tuple_(m.changed_at, m.id) < tuple_(*after))
    rows = (await conn.execute(query.order_by(m.changed_at.desc(), m.id.desc()).limit(limit + 1))).all()
    return pagination.page(rows, limit, lambda row: [row.changed_at.isoformat(), str(row.id)])


async def material(conn: AsyncConnection, caller: Caller, material_id: UUID) -> Any:
    """A material the caller may see. Raises `NotFound`."""
    m = publicity_materials.c
    seen = within(caller, "publicity.manage", publicity_materials)
    if caller.reach("publicity.read") is not None:
        seen = seen | ((m.plan == caller.plan) & (m.current > 0))
    row = (await conn.execute(select(publicity_materials).where(m.id == material_id, seen))).one_or_none()
    if row is None:
        raise NotFound("没有这份材料，或不在您的权限内。 No such material within your reach.", code="material-not-found")
    return row


async def spread(conn: AsyncConnection, material_id: UUID) -> list[tuple[int, str | None, int, int]]:
    """How a material was spread: version, area, times, people reached (X-D8a)."""
    query = (
        select(r.material_version, i.area, func.count(), func.coalesce(func.sum(r.reached), 0))
        .join(campaign_items, i.id == r.item_id)
        .where(r.material_id == material_id, r.state == "standing")
        .group_by(r.material_version, i.area)
        .order_by(r.material_version.desc(), i.area)
    )
    return [(row[0], row[1], row[2], int(row[3])) for row in await conn.execute(query)]


