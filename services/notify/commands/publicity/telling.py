"""Notices of publicity: what is due soon or was missed, one a campaign and round; a proof returned; a warning that waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands.notices import make
from services.notify.commands.publicity.parts import PublicityRoom
from services.notify.commands.reports.room import end_notices
from services.notify.domain.matters import Matter, Own, Told, own_rows
from services.notify.domain.notices import Template, office_of
from services.notify.domain.publicity.schedule import SPACE
from services.notify.domain.publicity.states import Item, Work
from services.notify.tables import campaign_items, notices
from shared.rules.calendar import local_day

i = campaign_items.c
_ASKING = (Template.CAMPAIGN_SOON, Template.CAMPAIGN_MISSED, Template.CAMPAIGN_MISSED_OFFICE, Template.CAMPAIGN_RETURNED)
_WAITS = {
    Work.CHECKING.value: "warning.check",
    Work.CHECKED.value: "warning.approve",
    Work.APPROVED.value: "warning.release",
    Work.RELEASING.value: "warning.release",
}
"""Who a warning waits for, by the right that its next step needs."""


def group_of(row: Any) -> UUID:
    """What one notice is about: a campaign's things of one agency that are due at one moment."""
    return uuid5(SPACE, f"{row.plan}|{row.campaign}|{row.agency}|{row.unit or ''}|{row.due.isoformat()}")


async def _tell(
    conn: AsyncConnection, room: PublicityRoom, template: Template, rows: Sequence[Any], to: tuple[str, str | None],
    now: datetime,
) -> None:  # fmt: skip
    first, group = rows[0], group_of(rows[0])
    asked = {"campaign": first.campaign, "agency": first.agency, "show": "soon" if template is Template.CAMPAIGN_SOON else "missing"}
    told = Told(template, to, Matter.CAMPAIGN, group, room.address(f"campaign-items?{urlencode(asked)}"), items=len(rows))
    await _make(conn, room, first, told, now, due=first.due)


async def _make(
    conn: AsyncConnection, room: PublicityRoom, row: Any, told: Told, now: datetime, due: datetime | None = None
) -> None:
    own = Own(row.plan, row.area, local_day(due) if due else None)
    await make(conn, own_rows(own, [told], room.plan(row.plan), room.clocks.sign_by, now), now)


def _grouped(rows: Sequence[Any]) -> list[list[Any]]:
    groups: dict[UUID, list[Any]] = {}
    for row in rows:
        groups.setdefault(group_of(row), []).append(row)
    return list(groups.values())


async def missed(conn: AsyncConnection, room: PublicityRoom, rows: Sequence[Any], now: datetime) -> None:
    """Tell the agency and the office that things were not proved in time."""
    for group in _grouped(rows):
        mine, office = (group[0].agency, group[0].unit), office_of(room.plan(group[0].plan))
        await end_notices(conn, [group_of(group[0])], [Template.CAMPAIGN_SOON], now, in_time=False)
        await _tell(conn, room, Template.CAMPAIGN_MISSED, group, mine, now)
        if office != mine:
            await _tell(conn, room, Template.CAMPAIGN_MISSED_OFFICE, group, office, now)


async def soon(conn: AsyncConnection, room: PublicityRoom, now: datetime) -> int:
    """Remind each agency once of a round that ends soon; how many reminders were made."""
    made = 0
    for plan in room.service.plans.values():
        until = now + timedelta(days=plan.publicity.remind_days)
        query = (
            select(campaign_items)
            .where(i.plan == plan.id, i.state == Item.OPEN.value, i.counts, i.due >= now, i.due < until)
            # what is due each day reminds of itself
            .where(i.last_day > i.first_day)
            .order_by(i.due, i.id)
            .limit(2000)
        )
        groups = _grouped((await conn.execute(query)).all())
        known = select(notices.c.matter_id).where(
            notices.c.matter_id == func.any([group_of(group[0]) for group in groups]),
            notices.c.template == Template.CAMPAIGN_SOON.value,
        )
        told = {row[0] for row in await conn.execute(known)} if groups else set()
        for group in groups:
            if group_of(group[0]) not in told:
                await _tell(conn, room, Template.CAMPAIGN_SOON, group, (group[0].agency, group[0].unit), now)
                made += 1
    return made


async def settled(conn: AsyncConnection, rows: Sequence[Any], now: datetime) -> None:
    """End the notices of rounds of which nothing is left to prove. Asked after the rows have changed."""
    for group in _grouped(rows):
        row = group[0]
        left = select(i.id).where(
            i.plan == row.plan, i.campaign == row.campaign, i.agency == row.agency, i.due == row.due,
            i.unit.is_not_distinct_from(row.unit), i.state.in_((Item.OPEN.value, Item.MISSED.value)),
        )  # fmt: skip
        if (await conn.execute(left.limit(1))).first() is None:
            await end_notices(conn, [group_of(row)], _ASKING, now, in_time=row.due >= now)
    await end_notices(conn, [row.id for row in rows], [Template.CAMPAIGN_RETURNED], now)


async def returned(conn: AsyncConnection, room: PublicityRoom, row: Any, now: datetime) -> None:
    """Tell the agency that its proof was returned."""
    told = Told(
        Template.CAMPAIGN_RETURNED, (row.agency, row.unit), Matter.CAMPAIGN, row.id,
        room.address(f"campaign-items/{row.id}"), turn=str(row.version),
    )  # fmt: skip
    await _make(conn, room, row, told, now)


async def warning_waits(conn: AsyncConnection, room: PublicityRoom, row: Any, now: datetime) -> None:
    """Tell who holds the right of the next step that a warning waits for them; nobody is asked for the last one any more."""
    await end_notices(conn, [row.id], [Template.WARNING_WAITS], now)
    right = _WAITS.get(row.state)
    if right is not None:
        told = Told(
            Template.WARNING_WAITS, (row.agency, None), Matter.WARNING, row.id, room.address(f"warnings/{row.id}"),
            needs=right, turn=str(row.version),
        )  # fmt: skip
        await _make(conn, room, row, told, now)
