"""Places to pick from: the plan's areas, and the estates the registers know."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.tables.registers import estates
from shared.rules.plan import Plan

MOST = 60
"""Places shown at once; more are found by typing a part of the name."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A place to pick: its id, what it is, and its name in Chinese and English."""

    id: str
    level: str
    zh: str
    en: str


async def picks(conn: AsyncConnection, plan: Plan, area: str | None, find: str = "") -> Sequence[Pick]:
    """The places right under an area (without one, the plan's communities) whose names hold `find`."""
    if area is None:
        found = [Pick(a.id, a.level, a.name.zh, a.name.en) for a in plan.communities]
    else:
        found = [Pick(a.id, a.level, a.name.zh, a.name.en) for a in plan.areas if a.parent == area]
        query = (
            select(estates.c.id, estates.c.name)
            .where(estates.c.plan == plan.id, estates.c.area == area)
            .order_by(estates.c.name)
        )
        if find:
            query = query.where(estates.c.name.contains(find, autoescape=True))
        known = {pick.zh for pick in found}
        rows = await conn.execute(query.limit(MOST))
        found += [Pick(str(row.id), "estate", row.name, row.name) for row in rows if row.name not in known]
    return [pick for pick in found if find in pick.zh or find.lower() in pick.en.lower()][:MOST]
