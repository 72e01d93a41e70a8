"""Notices nobody has signed for: rung again, or told to the office."""

from services.notify.commands import matters, rings
from shared.kit import clock, db
from shared.kit.service import Service


async def ring(service: Service) -> None:
    """Ring again for every urgent case nobody has signed for."""
    async with db.begin(service.engine) as conn:
        await rings.ring(conn, service, clock.now())
        await rings.measure(conn, clock.now())


async def raise_unsigned(service: Service) -> None:
    """Tell the office of matters nobody has signed for in time."""
    while True:
        async with db.begin(service.engine) as conn:
            if not await matters.raise_unsigned(conn, service, clock.now()):
                break
