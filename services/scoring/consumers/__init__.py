"""Casework's events become obligations and scores. Any order, any repetition: the ledger comes out the same."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring import commands
from shared.events import Event
from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed
from shared.kit.consumer import Handler

TOPICS = {"normal": "casework.case.v1", "urgent": "casework.urgent.v1"}
"""Lane → topic."""


def handlers(books: commands.Books) -> dict[str, Handler]:
    """What is done with each type of event."""

    async def opened(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        await commands.open_obligations(conn, events, now)

    async def accepted(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        await commands.record_acceptances(conn, books, events, now)

    async def missed(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        await commands.record_misses(conn, books, events, now)

    return {CaseOpened.TYPE: opened, CaseAccepted.TYPE: accepted, DeadlineMissed.TYPE: missed}
