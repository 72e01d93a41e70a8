"""The schedule of campaigns kept up to date with the plan and its places; what passed its time unproved is missed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands.publicity import telling
from services.notify.commands.publicity.parts import PublicityRoom
from services.notify.domain.publicity import schedule
from services.notify.domain.publicity.states import ITEMS, Item, ItemAct, after
from services.notify.tables import campaign_items, campaign_schedules, kit, publicity_places
from shared.events.publicity import CampaignMissed
from shared.kit import audit, outbox
from shared.kit.access import service_caller
from shared.kit.db import insert_many
from shared.rules.calendar import local_day
from shared.rules.plan import Plan

_ACTOR = service_caller("notify")
AT_ONCE = 500
_LOCK = 0x70756231
"""One at a time makes a plan's schedule."""

i = campaign_items.c


async def make(conn: AsyncConnection, plan: Plan, now: datetime) -> int:
    """Write what the plan's campaigns ask for and is not there yet; drop what lies ahead and is no longer asked.

    Rounds that ended before the plan was first scheduled here are never asked for. Returns how many were made.
    """
    today = local_day(now)
    first = {"plan": plan.id, "since": today, "made_at": now}
    await insert_many(conn, campaign_schedules, [first], conflict="ON CONFLICT DO NOTHING")
    query = select(campaign_schedules).where(campaign_schedules.c.plan == plan.id).with_for_update()
    since = (await conn.execute(query)).one().since
    p = publicity_places.c
    known = (await conn.execute(select(p.id, p.kind, p.area, p.created_at).where(p.plan == plan.id, p.active))).all()
    places = [schedule.Place(str(row.id), row.kind, row.area) for row in known]
    begun = {str(row.id): local_day(row.created_at) for row in known}
    wanted = {
        one.id: one
        for one in schedule.planned(plan, places, since, today)
        if one.round.last >= max(since, begun.get(one.target, since))
    }
    there = {
        row.id: row
        for row in await conn.execute(select(i.id, i.state, i.due).where(i.plan == plan.id))
    }  # fmt: skip
    await insert_many(conn, campaign_items, [_row(plan, one, now) for id_, one in wanted.items() if id_ not in there])
    dropped = [id_ for id_, row in there.items() if id_ not in wanted and row.state == Item.OPEN and row.due > now]
    again = [id_ for id_, row in there.items() if id_ in wanted and row.state == Item.DROPPED]
    await _move(conn, dropped, Item.OPEN, ItemAct.DROP, now)
    await _move(conn, again, Item.DROPPED, ItemAct.RESTORE, now)
    return len(wanted.keys() - there.keys())


def _row(plan: Plan, one: schedule.Planned, now: datetime) -> dict[str, Any]:
    return {
        "id": one.id, "plan": plan.id, "campaign": one.campaign, "kind": one.kind, "clause": one.clause,
        "agency": one.agency, "unit": one.unit, "area": one.area, "target": one.target, "period": one.round.period,
        "first_day": one.round.first, "last_day": one.round.last, "due": one.due, "counts": one.due > now,
        "state": Item.OPEN.value, "created_at": now, "changed_at": now, "version": 1,
    }  # fmt: skip


async def _move(conn: AsyncConnection, ids: Sequence[UUID], state: Item, action: ItemAct, now: datetime) -> None:
    if ids:
        moved = update(campaign_items).where(i.id.in_(ids), i.state == state.value)
        await conn.execute(
            moved.values(state=after(ITEMS, state, action).value, version=i.version + 1, changed_at=now)
        )


async def miss_due(conn: AsyncConnection, room: PublicityRoom, now: datetime) -> list[CampaignMissed]:
    """Mark what passed its time unproved and tell it, once each; what was known too late is marked and not told."""
    due = (
        select(campaign_items)
        .where(i.state == Item.OPEN.value, i.due < now)
        .order_by(i.due)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    rows = (await conn.execute(due)).all()
    if not rows:
        return []
    state = after(ITEMS, Item.OPEN, ItemAct.MISS).value
    await conn.execute(
        update(campaign_items)
        .where(i.id.in_([row.id for row in rows]))
        .values(state=state, missed_at=now, version=i.version + 1, changed_at=now)
    )
    events = [CampaignMissed(**facts(room, row), missed_at=now) for row in rows if row.counts and row.missed_at is None]
    await outbox.put(conn, kit.outbox, events, now)
    await telling.missed(conn, room, [row for row in rows if row.counts and row.missed_at is None], now)
    await audit.record(conn, kit, _ACTOR, "campaign.missed", "campaign_item", [row.id for row in rows], now)
    return events


def facts(room: PublicityRoom, row: Any) -> dict[str, Any]:
    """What every event of a scheduled thing tells."""
    return {
        "plan": row.plan, "area": row.area, "agency": row.agency, "unit": row.unit, "clause": row.clause,
        "dataref": room.address(f"campaign-items/{row.id}"), "item_id": row.id, "campaign": row.campaign,
        "kind": row.kind, "target": row.target, "period": row.period, "due": row.due,
    }  # fmt: skip
