"""Officers, seats and leave as they are on a day; whom a caller stands in for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.roster import Leave, Officer, Roster, Seat
from services.notify.tables import accounts, leaves, seats
from shared.kit.access import Caller
from shared.rules.calendar import local_day

a, s, lv = accounts.c, seats.c, leaves.c


async def roster(conn: AsyncConnection, plans: Sequence[str], day: date) -> Roster:
    """Everybody of some plans."""
    officers = await conn.execute(select(a.id, a.plan, a.agency, a.unit, a.posts).where(a.plan == func.any(plans), a.active))
    held = await conn.execute(select(s.plan, s.agency, s.unit, s.post, s.deputy_id).where(s.plan == func.any(plans)))
    away = await conn.execute(
        select(lv.account_id, lv.deputy_id, lv.first_day, lv.last_day)
        .where(lv.cancelled_at.is_(None), lv.last_day >= day, lv.first_day <= day)
        .order_by(lv.first_day, lv.id)
    )
    return Roster(
        [Officer(row.id, row.plan, row.agency, row.unit, tuple(row.posts)) for row in officers],
        [Seat(*row) for row in held],
        [Leave(*row) for row in away],
        day,
    )


@dataclass(frozen=True, slots=True)
class Desk:
    """Where somebody sits that the caller stands in for."""

    agency: str
    unit: str | None
    posts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StandIn:
    """Whom a caller stands in for: `away` are on leave; of `seats` they are the deputy, for notices that climb."""

    away: tuple[Desk, ...] = ()
    seats: tuple[Desk, ...] = ()


NOBODY = StandIn()


async def stands_in_for(conn: AsyncConnection, caller: Caller, now: datetime) -> StandIn:
    """The desks a caller stands in for by now; nobody's for a system."""
    me = account_id(caller)
    if me is None:
        return NOBODY
    day = local_day(now)
    mine = (await conn.execute(select(s.agency, s.unit, s.post).where(s.deputy_id == me, s.plan == caller.plan))).all()
    running = lv.cancelled_at.is_(None) & (lv.first_day <= day) & (lv.last_day >= day)
    absent = (
        await conn.execute(
            select(a.id, a.agency, a.unit, a.posts, lv.deputy_id)
            .join_from(leaves, accounts, a.id == lv.account_id)
            .where(running, a.plan == caller.plan, a.active, (lv.deputy_id == me) | (lv.deputy_id.is_(None) if mine else False))
        )
    ).all()
    desks = []
    for row in absent:
        posts = tuple(row.posts)
        if row.deputy_id != me:
            # the standing deputy of one of their seats, of the unit or of the agency
            posts = tuple(
                post for post in posts if any((m.agency, m.post) == (row.agency, post) and m.unit in (None, row.unit) for m in mine)
            )
        if posts or row.deputy_id == me:
            desks.append(Desk(row.agency, row.unit, posts))
    return StandIn(tuple(desks), tuple(Desk(m.agency, m.unit, (m.post,)) for m in mine))


def account_id(caller: Caller) -> UUID | None:
    """The account of an officer; None for systems, services and anyone without an account here."""
    if caller.kind != "officer":
        return None
    try:
        return UUID(caller.id)
    except ValueError:
        return None
