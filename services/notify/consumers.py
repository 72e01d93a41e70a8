"""What casework tells becomes notices."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands import notices
from shared.events import Event
from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed
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

    return {CaseOpened.TYPE: opened, CaseAccepted.TYPE: accepted, DeadlineMissed.TYPE: missed}
