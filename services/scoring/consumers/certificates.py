"""Events of all services become evidence of communities and towns; a veto among them suspends a certificate at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.certificates import Desk, keep_evidence
from services.scoring.domain.certificates.evidence import TYPES
from shared.events import Event
from shared.kit.consumer import Handler

TOPICS = ("intake.gathering.v1",)
"""What is read beside the topics of cases and findings."""


def keeping(desk: Desk) -> dict[str, Handler]:
    """What certificates rest on is kept."""

    async def kept(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        await keep_evidence(conn, desk, events, now)

    return dict.fromkeys(TYPES, kept)
