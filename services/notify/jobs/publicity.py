"""Publicity by the clock: the schedule kept up to date, what passed its time, files without a row."""

from __future__ import annotations

from services.notify.commands import files
from services.notify.commands.publicity import scheduling, telling
from services.notify.commands.publicity.parts import PublicityRoom
from shared.kit import clock, db


async def schedule_campaigns(room: PublicityRoom) -> None:
    """Write what the plans' campaigns ask for and is not there yet."""
    for plan in room.service.plans.values():
        if plan.publicity.campaigns:
            async with db.begin(room.service.engine) as conn:
                await scheduling.make(conn, plan, clock.now())


async def miss_campaigns(room: PublicityRoom) -> None:
    """Mark what passed its time unproved, and tell it."""
    while True:
        async with db.begin(room.service.engine) as conn:
            missed = await scheduling.miss_due(conn, room, clock.now())
        if len(missed) < scheduling.AT_ONCE:
            return


async def remind_of_campaigns(room: PublicityRoom) -> None:
    """Remind of rounds that end soon, each once."""
    async with db.begin(room.service.engine) as conn:
        await telling.soon(conn, room, clock.now())


async def sweep_files(room: PublicityRoom) -> None:
    """Remove what broke off while it came in."""
    await files.sweep(room, clock.now())
