"""What casework tells about leads."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands import closing, lead_parties, verification
from services.intake.commands.handovers.rooms import Rules
from services.intake.commands.registers.patrols import mark_dens
from shared.events import Event
from shared.events.casework import (
    CaseAccepted,
    CaseClosed,
    CaseOpened,
    CaseTakenUp,
    DeadlineMissed,
    DeadlineMoved,
    DenFound,
    PartyJoined,
    PartyLeft,
)
from shared.events.proceedings import ProceedingStepped
from shared.kit.consumer import Handler
from shared.kit.service import Service

NORMAL_TOPICS = ("casework.case.v1", "casework.proceeding.v1")
URGENT_TOPICS = ("casework.urgent.v1",)


def handlers(service: Service) -> dict[str, Handler]:
    """Event type → handler of a batch."""

    async def dens_found(conn: AsyncConnection, events: Sequence[Event[DenFound]], now: datetime) -> None:
        await mark_dens(conn, service, [event.data for event in events], now)
        await closing.close_ended(conn, [event.data.case_id for event in events], now, cleared=True)

    async def parties_left(conn: AsyncConnection, events: Sequence[Event[PartyLeft]], now: datetime) -> None:
        await lead_parties.parties_left(conn, events, now)
        await closing.close_ended(conn, [event.data.case_id for event in events], now, cleared=False)

    async def parties_joined(conn: AsyncConnection, events: Sequence[Event[PartyJoined]], now: datetime) -> None:
        await lead_parties.parties_joined(conn, events, now)
        await closing.reopen(conn, [event.data.lead_id for event in events])

    rules = Rules.of(service)

    async def stepped(conn: AsyncConnection, events: Sequence[Event[ProceedingStepped]], now: datetime) -> None:
        await verification.proceedings_stepped(conn, rules, events, now)

    return {
        ProceedingStepped.TYPE: stepped,
        DenFound.TYPE: dens_found,
        CaseOpened.TYPE: lead_parties.cases_opened,
        CaseAccepted.TYPE: lead_parties.cases_accepted,
        CaseClosed.TYPE: closing.cases_closed,
        CaseTakenUp.TYPE: closing.cases_taken_up,
        DeadlineMissed.TYPE: lead_parties.deadlines_missed,
        PartyJoined.TYPE: parties_joined,
        PartyLeft.TYPE: parties_left,
        DeadlineMoved.TYPE: lead_parties.deadlines_moved,
    }
