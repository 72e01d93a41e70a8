"""Figures folded from events as they come."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.figures import folded
from services.notify.tables import figures
from shared.events import Event
from shared.kit.db import insert_many


async def fold(conn: AsyncConnection, events: Sequence[Event[Any]]) -> None:
    """Add some new events to the figures; a fixed number of statements, whatever their number."""
    await insert_many(conn, figures, folded(events))
