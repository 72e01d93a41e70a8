"""Leads from intake become joint cases."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework import commands
from services.casework.commands import Basis
from shared.events import Event
from shared.events.intake import LeadOpened
from shared.kit.consumer import Handler

NORMAL_TOPICS = ("intake.lead.v1",)
URGENT_TOPICS = ("intake.urgent.v1",)


def handlers(basis: Basis) -> dict[str, Handler]:
    """What casework does with each type of event."""

    async def leads_opened(conn: AsyncConnection, events: Sequence[Event[LeadOpened]], now: datetime) -> None:
        await commands.open_cases(conn, basis, [(event.data, event.traceparent) for event in events], now)

    return {LeadOpened.TYPE: leads_opened}
