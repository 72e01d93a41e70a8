"""Leads from intake become joint cases, and meet; handovers, declined leads and supplements change their parties."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework import commands
from services.casework.commands import Basis, closing
from services.casework.commands.links import note_registered
from shared.events import Event
from shared.events.handovers import (
    HandoverAccepted,
    HandoverDecided,
    LeadDeclined,
    LeadReopened,
    SupplementReceived,
    SupplementRequested,
)
from shared.events.intake import (
    ContestDecided,
    LeadOpened,
    PatrolCompleted,
    PatrolOverdue,
    PlaceRegistered,
    RentalTierChanged,
    VenueFinding,
)
from shared.events.leads import LeadJoined, LeadMerged, LeadSplit
from shared.kit.consumer import Handler

NORMAL_TOPICS = ("intake.lead.v1", "intake.register.v1")
URGENT_TOPICS = ("intake.urgent.v1",)
HANDOVER_TOPICS = ("intake.handover.v1", "intake.tip.v1")
"""A lane of their own: few, and no bulk import stands before them."""

_RENTALS = (PatrolCompleted, PatrolOverdue, RentalTierChanged)


def _registered(data: Any) -> tuple[Any, str, str, str]:
    """A place of intake's registers, as an event names it: its id, plan, area and kind."""
    if isinstance(data, PlaceRegistered):
        return data.place_id, data.plan, data.area, data.kind
    if isinstance(data, VenueFinding):
        return data.venue_id, data.plan, data.area, "venue"
    return data.unit_id, data.plan, data.area, "rental"


def handlers(basis: Basis) -> dict[str, Handler]:
    """What casework does with each type of event."""

    async def leads_opened(conn: AsyncConnection, events: Sequence[Event[LeadOpened]], now: datetime) -> None:
        await commands.open_cases(conn, basis, [(event.data, event.traceparent) for event in events], now)

    async def news(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        await commands.apply_news(conn, basis, [event.data for event in events], now)

    changing = (
        HandoverAccepted, HandoverDecided, LeadDeclined, LeadReopened, SupplementReceived, SupplementRequested,
    )  # fmt: skip
    async def contested(conn: AsyncConnection, events: Sequence[Event[ContestDecided]], now: datetime) -> None:
        await closing.take_up_contested(conn, [event.data for event in events], now)

    async def joined(conn: AsyncConnection, events: Sequence[Event[LeadJoined]], now: datetime) -> None:
        await commands.count_signals(conn, [event.data for event in events])

    async def merged(conn: AsyncConnection, events: Sequence[Event[LeadMerged]], now: datetime) -> None:
        await commands.note_merged(conn, [event.data for event in events], now)

    async def split(conn: AsyncConnection, events: Sequence[Event[LeadSplit]], now: datetime) -> None:
        await commands.note_split(conn, [event.data for event in events], now)

    async def registered(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        await note_registered(conn, [_registered(event.data) for event in events], now)

    registers = {event.TYPE: registered for event in (PlaceRegistered, *_RENTALS, VenueFinding)}
    meeting = {LeadJoined.TYPE: joined, LeadMerged.TYPE: merged, LeadSplit.TYPE: split, ContestDecided.TYPE: contested}
    return {LeadOpened.TYPE: leads_opened} | meeting | registers | {event.TYPE: news for event in changing}
