"""Figures over time: tips about pyramid selling by China day, community, kind and agency, counted anew where they changed."""

from datetime import date, datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.tables import tips, trend_progress
from shared.rules.calendar import SHANGHAI, local_day
from shared.rules.plan import Plan

_OVERLAP = timedelta(minutes=10)
"""So far back corrections are looked at again: a transaction may commit after a later one was counted."""

_FORGET = text("DELETE FROM trend_days WHERE plan = :plan AND day = :day")
_COUNT = text(
    """
    INSERT INTO trend_days (plan, day, area, kind, agency, unit, tips, urgent)
    SELECT :plan, CAST(:day AS date), coalesce(t.area, ''), k.kind, coalesce(t.agency, ''), coalesce(t.unit, ''),
        count(*), count(*) FILTER (WHERE t.urgent)
    FROM tips t CROSS JOIN LATERAL (SELECT '' UNION ALL SELECT jsonb_array_elements_text(t.kinds)) AS k (kind)
    WHERE t.plan = :plan AND t.received_at >= :since AND t.received_at < :until AND t.state = 'lead'
    GROUP BY 3, 4, 5, 6
    """
)


async def count(conn: AsyncConnection, plan: Plan, now: datetime, *, most_days: int = 31) -> int:
    """Count days that are not counted yet and days whose tips were corrected since; how many days, today always.

    What is missing is made up for at most `most_days` at a time, so that a first count holds nobody up. A day counted
    twice comes to the same.
    """
    today = local_day(now)
    known = select(trend_progress).where(trend_progress.c.plan == plan.id).with_for_update()
    progress = (await conn.execute(known)).one_or_none()
    if progress is None:
        query = select(tips.c.received_at).where(tips.c.plan == plan.id).order_by(tips.c.received_at).limit(1)
        first = (await conn.execute(query)).scalar_one_or_none()
        begin, looked_at = local_day(first) if first else today, now
    else:
        # the last counted day may have grown in its last seconds
        begin, looked_at = min(progress.counted_until, today) - timedelta(days=1), progress.looked_at
    days = [begin + timedelta(days=step) for step in range((today - begin).days + 1)][:most_days]
    reviewed = select(tips.c.received_at).where(tips.c.plan == plan.id, tips.c.reviewed_at >= looked_at - _OVERLAP)
    changed = {local_day(moment) for moment in (await conn.execute(reviewed)).scalars()}
    changed.update(days)
    for day in sorted(changed):
        await _count_day(conn, plan.id, day)
    await conn.execute(
        insert(trend_progress)
        .values(plan=plan.id, counted_until=days[-1], looked_at=now)
        .on_conflict_do_update(index_elements=["plan"], set_={"counted_until": days[-1], "looked_at": now})
    )
    return len(changed)


async def _count_day(conn: AsyncConnection, plan: str, day: date) -> None:
    since = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    await conn.execute(_FORGET, {"plan": plan, "day": day})
    await conn.execute(_COUNT, {"plan": plan, "day": day, "since": since, "until": since + timedelta(days=1)})
