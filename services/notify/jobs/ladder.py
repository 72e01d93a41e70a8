"""Unsigned notices climb; clocks of all services are reminded of; the day's digest."""

from services.notify import metrics
from services.notify.commands import ladder, reminders
from services.notify.queries import clocks
from shared.kit import clock, db
from shared.kit.service import Service


async def climb(service: Service) -> None:
    """Take every notice whose time to be signed is over one rung up, and end the rungs of those signed for."""
    while True:
        async with db.begin(service.engine) as conn:
            if not await ladder.climb(conn, service, clock.now()):
                break
    async with db.begin(service.engine) as conn:
        await ladder.end_rungs(conn, clock.now())


async def remind(service: Service) -> None:
    """Remind of every clock whose moment has come, batch by batch."""
    while True:
        async with db.begin(service.engine) as conn:
            ticked = await reminders.tick(conn, service, clock.now())
        if ticked.looked_at < reminders.AT_ONCE:
            break
    async with db.begin(service.engine) as conn:
        metrics.REMINDERS_BEHIND.set(await clocks.behind(conn, clock.now()))


async def digests(service: Service) -> None:
    """Make the day's digests of every plan whose hour has come."""
    for plan in service.plans:
        async with db.begin(service.engine) as conn:
            await reminders.digest(conn, service, plan, clock.now())
