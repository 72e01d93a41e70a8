"""The reporting calendar: what becomes due is owed, reminded of, marked as missing."""

from services.notify.commands.reports import calendar
from services.notify.commands.reports.room import Room
from shared.kit import clock, db


async def follow_plans(room: Room) -> None:
    """Make each plan's calendar what the plan says today."""
    for plan in room.service.plans.values():
        async with db.begin(room.service.engine) as conn:
            await calendar.follow_plan(conn, room, plan, clock.now())
    await remind_and_mark(room)


async def remind_and_mark(room: Room) -> None:
    """Remind of reports that are due soon; mark those whose time has passed."""
    for work in (calendar.mark_missed, calendar.remind):
        while True:
            async with db.begin(room.service.engine) as conn:
                if await work(conn, room, clock.now()) < calendar.AT_ONCE:
                    break
