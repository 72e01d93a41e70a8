"""Timed work of intake."""

from services.intake import queries
from services.intake.metrics import TIPS
from shared.kit import db
from shared.kit.service import Service


async def measure(service: Service) -> None:
    """Set the gauges of tips on record."""
    async with db.begin(service.engine) as conn:
        for row in await queries.counts(conn):
            TIPS.labels(row.channel, row.state).set(row.n)
