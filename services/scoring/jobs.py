"""Timed work: one look for changes that wakes all feed streams; rulebooks that were published."""

from __future__ import annotations

from services.scoring import queries
from services.scoring.commands.rulebooks.shelf import adopt, refresh
from services.scoring.domain.books import Books
from services.scoring.domain.rulebooks import Shipped
from shared.kit import clock, db
from shared.kit.logs import log
from shared.kit.service import Service


async def look(service: Service, pulse: queries.Pulse) -> None:
    """Look for changes, unless nobody waits for them."""
    if pulse.streams:
        async with db.begin(service.engine) as conn:
            newest = await queries.newest_change(conn)
        await pulse.beat(newest)


async def rulebooks(service: Service, books: Books, shipped: Shipped) -> None:
    """Take the shipped rulebooks into the database once, and versions published since the last look."""
    async with db.begin(service.engine) as conn:
        if books.newest < 0:
            for told in await adopt(conn, shipped, clock.now()):
                log.error("rulebook.unusable", detail=told)
    async with db.begin(service.engine) as conn:
        await refresh(conn, books)
