"""Approvals of rewards and penalties are decisions of persons: the ledger is rebuilt from their topic, too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.consequences.measures import book_again
from services.scoring.domain.books import Books
from shared.events import Event
from shared.events.consequences import MeasureStepped
from shared.kit.consumer import Handler

TOPICS = ("scoring.consequence.v1",)
"""Rewards and penalties as they were decided."""


def deciding(books: Books) -> dict[str, Handler]:
    """What an approval gives becomes ledger entries, where they are not yet."""

    async def decided(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        await book_again(conn, books, events, now)

    return {MeasureStepped.TYPE: decided}
