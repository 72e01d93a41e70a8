"""Matters that casework tells of: whose turn it is in a proceeding, and whose time has passed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.notify.domain.matters.parts import Makers, Matter, Place, Told
from services.notify.domain.notices import Template, office_of
from shared.events.proceedings import ProceedingDeadlineMissed, ProceedingOpened, ProceedingStepped
from shared.rules.plan import Plan

News = ProceedingOpened | ProceedingStepped | ProceedingDeadlineMissed


def turn_taken(event: object) -> tuple[UUID, datetime] | None:
    """The proceeding in which a step was taken, and when: whoever was awaited before is not any more."""
    return (event.proceeding_id, event.stepped_at) if isinstance(event, ProceedingStepped) else None


def _awaits(event: ProceedingOpened | ProceedingStepped, plan: Plan | None) -> list[Told]:
    """Whoever must act next in a proceeding, unless they took the last step themselves."""
    opened = isinstance(event, ProceedingOpened)
    at, by = (event.opened_at, event.agency) if opened else (event.stepped_at, event.by_agency)
    if event.awaits_agency in (None, by):
        return []
    running = [
        one.deadline for one in event.clocks
        if one.change in ("started", "resumed", "extended") and one.deadline.agency == event.awaits_agency
    ]  # fmt: skip
    first = min(running, key=lambda one: one.due, default=None)
    return [
        Told(
            Template.PROCEEDING_AWAITS, (event.awaits_agency, event.awaits_unit), Matter.PROCEEDING,
            event.proceeding_id, event.dataref, rule=first.rule if first else None, due=first.due if first else None,
            provisional=bool(first and first.provisional), urgent=event.urgent, turn=at.isoformat(),
        )
    ]  # fmt: skip


def _stood_still(event: ProceedingDeadlineMissed, plan: Plan | None) -> list[Told]:
    d = event.deadline
    places: dict[Place, Template] = {office_of(plan): Template.PROCEEDING_MISSED_OFFICE} if plan else {}
    places[d.agency, d.unit] = Template.PROCEEDING_MISSED
    return [
        Told(
            template, place, Matter.PROCEEDING, event.proceeding_id, event.dataref, rule=d.rule, due=d.due,
            provisional=d.provisional, urgent=event.urgent, turn=str(d.deadline_id),
        )
        for place, template in places.items()
    ]  # fmt: skip


MAKERS: Makers = {
    ProceedingOpened: _awaits,
    ProceedingStepped: _awaits,
    ProceedingDeadlineMissed: _stood_still,
}
