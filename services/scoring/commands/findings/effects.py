"""What follows from a confirmed finding elsewhere in scoring: ladder, certificates, rewards.

Each is called once per decision (confirmed, upheld or overturned in appeal), within its transaction and after its
entries are booked, never for a replayed event: what it writes has events of its own. It may read and write, never commit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.findings import Settled

Effect = Callable[[AsyncConnection, Settled, datetime], Awaitable[None]]

EFFECTS: list[Effect] = []
"""Filled by `main` from the rooms that react; see `findings.decide`."""


async def take_effect(conn: AsyncConnection, settled: Settled, now: datetime) -> None:
    """Let all who react to a decision do so."""
    for effect in EFFECTS:
        await effect(conn, settled, now)
