"""What casework tells of cases, and intake of handovers and other matters, becomes notices."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands import handovers, matters, notices
from services.notify.commands.matters import Clocks
from services.notify.domain import matters as about
from services.notify.domain.handovers import TOLD, HandoverNews
from shared.events import Event
from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed, DeadlineMoved, PartyJoined, PartyLeft
from shared.kit.consumer import Handler
from shared.kit.service import Service

CASE_TOPIC = "casework.case.v1"
URGENT_TOPIC = "casework.urgent.v1"
HANDOVER_TOPIC = "intake.handover.v1"
MATTER_TOPICS = ("casework.proceeding.v1", "intake.gathering.v1", "intake.register.v1", "intake.reward.v1", "intake.tip.v1")


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

    return {
        CaseOpened.TYPE: opened,
        CaseAccepted.TYPE: accepted,
        DeadlineMissed.TYPE: missed,
        PartyJoined.TYPE: joined,
        PartyLeft.TYPE: left,
        DeadlineMoved.TYPE: moved,
    } | {event.TYPE: handed for event in TOLD} | {event.TYPE: other for event in about.TOLD}
