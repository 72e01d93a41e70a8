"""What casework tells of cases, and intake of handovers, becomes notices."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands import handovers, notices
from services.notify.domain.handovers import TOLD, HandoverNews
from shared.events import Event
from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed, DeadlineMoved, PartyJoined, PartyLeft
from shared.kit.consumer import Handler
from shared.kit.service import Service


def handlers(svc: Service) -> Mapping[str, Handler]:
    """Event type → handler of a batch."""

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

    return {
        CaseOpened.TYPE: opened,
        CaseAccepted.TYPE: accepted,
        DeadlineMissed.TYPE: missed,
        PartyJoined.TYPE: joined,
        PartyLeft.TYPE: left,
        DeadlineMoved.TYPE: moved,
    } | {event.TYPE: handed for event in TOLD}
