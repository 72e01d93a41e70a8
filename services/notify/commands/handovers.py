"""Notices of handovers: to the receiver, back to the sender, to the office; and of parties that come and go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands import rings
from services.notify.commands.notices import make
from services.notify.domain import handovers as domain
from services.notify.domain.notices import State
from services.notify.tables import acceptances, kit, notices
from shared.events.casework import DeadlineMoved, PartyJoined, PartyLeft
from shared.kit import audit
from shared.kit.access import service_caller
from shared.kit.service import Service

_ACTOR = service_caller("notify")


async def tell(conn: AsyncConnection, svc: Service, events: Sequence[domain.HandoverNews], now: datetime) -> None:
    """Tell both sides what happened to a handover, and end the notices that asked for what has been done."""
    for event in events:
        await make(conn, domain.notices_of(event, svc.plans.get(event.plan), now), now, svc)
        done = domain.ended_by(event)
        if done is not None:
            in_time = getattr(event, "in_time", True)
            await _end(conn, event.handover_id, done, in_time, now)


async def _end(
    conn: AsyncConnection, handover_id: UUID, templates: Sequence[domain.Template], in_time: bool, now: datetime
) -> None:
    ended = (
        await conn.execute(
            update(notices)
            .where(
                notices.c.handover_id == handover_id,
                notices.c.template.in_([one.value for one in templates]),
                notices.c.state != State.DONE.value,
            )
            .values(state=State.DONE.value, done_at=now, in_time=in_time, version=notices.c.version + 1)
            .returning(notices.c.id)
        )
    ).scalars()
    ids = list(ended)
    if ids:
        await audit.record(conn, kit, _ACTOR, "notice.ended", "notice", ids, now)


async def party_joined(conn: AsyncConnection, svc: Service, events: Sequence[PartyJoined], now: datetime) -> None:
    """Tell an agency that it is party to a case now, due when its acceptance is; an acceptance of before is past."""
    for event in events:
        if event.deadline is not None:
            await conn.execute(
                delete(acceptances).where(
                    acceptances.c.case_id == event.case_id,
                    acceptances.c.agency == event.agency,
                    acceptances.c.accepted_at <= event.joined_at,
                )
            )
        await make(conn, [domain.of_joined(event, now)], now, svc)
        if event.urgent and event.role == "lead":
            await rings.lead_changed(conn, event.case_id, event.agency, now)


async def party_left(conn: AsyncConnection, events: Sequence[PartyLeft], now: datetime) -> None:
    """End the notices of an agency whose part in a case is over."""
    for event in events:
        done = (
            await conn.execute(
                update(notices)
                .where(
                    notices.c.case_id == event.case_id,
                    notices.c.agency == event.agency,
                    notices.c.handover_id.is_(None),
                    notices.c.template.in_(("case.opened", "deadline.missed")),
                    notices.c.created_at <= event.left_at,
                    notices.c.state != State.DONE.value,
                )
                .values(
                    state=State.DONE.value, done_at=event.left_at, in_time=event.state in (None, "met", "cancelled"),
                    version=notices.c.version + 1,
                )
                .returning(notices.c.id)
            )
        ).scalars()
        ids = list(done)
        if ids:
            await audit.record(conn, kit, _ACTOR, "notice.ended", "notice", ids, now)


async def deadline_moved(conn: AsyncConnection, events: Sequence[DeadlineMoved], now: datetime) -> None:
    """A notice's due moment follows its clock; while the clock stands still, none is due."""
    for event in events:
        due = event.deadline.due if event.change == "resumed" else None
        await conn.execute(
            update(notices)
            .where(
                notices.c.case_id == event.case_id,
                notices.c.agency == event.agency,
                notices.c.template == "case.opened",
                notices.c.state != State.DONE.value,
            )
            .values(due=due, provisional=event.deadline.provisional, version=notices.c.version + 1)
        )


