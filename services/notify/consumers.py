"""What casework tells of cases, and intake of handovers and other matters, becomes notices."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands import clocks as register
from services.notify.commands import handovers, matters, notices
from services.notify.commands.figures import fold
from services.notify.commands.matters import Clocks
from services.notify.domain import matters as about
from services.notify.domain.clocks import TOLD as CLOCKED
from services.notify.domain.figures import COUNTED
from services.notify.domain.handovers import TOLD, HandoverNews
from shared.events import Event
from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed, DeadlineMoved, PartyJoined, PartyLeft
from shared.events.documents import DocumentWithdrawn
from shared.kit.consumer import Handler
from shared.kit.service import Service

CASE_TOPIC = "casework.case.v1"
URGENT_TOPIC = "casework.urgent.v1"
HANDOVER_TOPIC = "intake.handover.v1"
MATTER_TOPICS = (
    "casework.proceeding.v1", "intake.gathering.v1", "intake.register.v1", "intake.reward.v1", "intake.tip.v1",
    "scoring.consequence.v1", "scoring.finding.v1",
)  # fmt: skip


def handlers(svc: Service) -> Mapping[str, Handler]:
    """Event type → handler of a batch."""
    clocks = Clocks.of(svc)

    async def other(conn: AsyncConnection, events: Sequence[Event[about.News]], now: datetime) -> None:
        await matters.tell(conn, clocks, [event.data for event in events], now)

    async def opened(conn: AsyncConnection, events: Sequence[Event[CaseOpened]], now: datetime) -> None:
        await notices.tell_opened(conn, svc, [event.data for event in events], now)

    async def accepted(conn: AsyncConnection, events: Sequence[Event[CaseAccepted]], now: datetime) -> None:
        await notices.note_accepted(conn, [event.data for event in events], now)

    async def missed(conn: AsyncConnection, events: Sequence[Event[DeadlineMissed]], now: datetime) -> None:
        await notices.tell_missed(conn, svc, [event.data for event in events], now)

    async def handed(conn: AsyncConnection, events: Sequence[Event[HandoverNews]], now: datetime) -> None:
        await handovers.tell(conn, svc, [event.data for event in events], now)

    async def joined(conn: AsyncConnection, events: Sequence[Event[PartyJoined]], now: datetime) -> None:
        await handovers.party_joined(conn, svc, [event.data for event in events], now)

    async def left(conn: AsyncConnection, events: Sequence[Event[PartyLeft]], now: datetime) -> None:
        await handovers.party_left(conn, [event.data for event in events], now)

    async def moved(conn: AsyncConnection, events: Sequence[Event[DeadlineMoved]], now: datetime) -> None:
        await handovers.deadline_moved(conn, [event.data for event in events], now)

    async def withdrawn(conn: AsyncConnection, events: Sequence[Event[DocumentWithdrawn]], now: datetime) -> None:
        await register.withdrawn(conn, [event.data for event in events])

    told: dict[str, Handler] = {
        CaseOpened.TYPE: opened,
        CaseAccepted.TYPE: accepted,
        DeadlineMissed.TYPE: missed,
        PartyJoined.TYPE: joined,
        PartyLeft.TYPE: left,
        DeadlineMoved.TYPE: moved,
    } | {event.TYPE: handed for event in TOLD} | {event.TYPE: other for event in about.TOLD}
    told[DocumentWithdrawn.TYPE] = withdrawn
    told |= {event.TYPE: _clocked(svc, told.get(event.TYPE)) for event in CLOCKED}
    return told | {event.TYPE: _counted(told.get(event.TYPE)) for event in COUNTED}


def _clocked(svc: Service, told: Handler | None) -> Handler:
    """What an event tells, and what it tells of deadlines, in one transaction."""

    async def both(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        if told is not None:
            await told(conn, events, now)
        await register.note(conn, svc, [event.data for event in events])

    return both


def _counted(told: Handler | None) -> Handler:
    """What an event tells, and what it adds to the figures, in one transaction."""

    async def both(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        if told is not None:
            await told(conn, events, now)
        await fold(conn, events)

    return both
