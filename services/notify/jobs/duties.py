"""Duties set from the plans, and those whose time has passed."""

from services.notify.commands import duties
from services.notify.commands.telling import Desk
from shared.kit import clock, db


async def set_duties(desk: Desk) -> None:
    """Set what the plans ask; a plan whose duties changed is followed at the next look."""
    for plan in desk.service.plans.values():
        async with db.begin(desk.service.engine) as conn:
            await duties.ensure(conn, desk, plan, clock.now())


async def miss_duties(desk: Desk) -> None:
    """Mark duties whose time has passed."""
    while True:
        async with db.begin(desk.service.engine) as conn:
            if not await duties.mark_missed(conn, desk, clock.now()):
                break
