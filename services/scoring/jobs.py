"""Timed work: one look for changes that wakes all feed streams."""

from __future__ import annotations

from services.scoring import queries
from shared.kit import db
from shared.kit.service import Service


async def look(service: Service, pulse: queries.Pulse) -> None:
    """Look for changes, unless nobody waits for them."""
    if pulse.streams:
        async with db.begin(service.engine) as conn:
            newest = await queries.newest_change(conn)
        await pulse.beat(newest)
