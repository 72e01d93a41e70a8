"""Urgent notices nobody has signed for ring again."""

from services.notify.commands import rings
from shared.kit import clock, db
from shared.kit.service import Service


async def ring(service: Service) -> None:
    """Ring again for every urgent case nobody has signed for."""
    async with db.begin(service.engine) as conn:
        await rings.ring(conn, service, clock.now())
        await rings.measure(conn, clock.now())
