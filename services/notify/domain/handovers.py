"""Who gets which notice of a handover, and what ends it. Rows are made here, kept elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from services.notify.domain.notices import SPACE, State, Template, notice_id, office_of
from shared.events.casework import PartyJoined
from shared.events.handovers import (
    HandoverAccepted,
    HandoverDecided,
    HandoverEscalated,
    HandoverLate,
    HandoverProposed,
    HandoverRefused,
    HandoverWithdrawn,
)
from shared.rules.plan import Plan

HandoverNews = (
    HandoverProposed
    | HandoverAccepted
    | HandoverRefused
    | HandoverWithdrawn
    | HandoverEscalated
    | HandoverDecided
    | HandoverLate
)
TOLD = (
    HandoverProposed, HandoverAccepted, HandoverRefused, HandoverWithdrawn, HandoverEscalated, HandoverDecided,
    HandoverLate,
)  # fmt: skip
"""Events of handovers that somebody is told of; a return is told by the handover it makes."""

Place = tuple[str, str | None]


def notices_of(event: HandoverNews, plan: Plan | None, now: datetime) -> list[dict[str, Any]]:
    """The notices of one event: the receiver's of an offer, the sender's of an answer, the office's as arbiter."""
    source: Place = (event.from_agency, event.from_unit)
    to: Place | None = (event.to_agency, event.to_unit) if event.to_agency else None
    office = office_of(plan) if plan is not None else None
    if isinstance(event, HandoverProposed):
        return _rows(event, {to: Template.HANDOVER_PROPOSED}, now, event.due, event.rule, event.kinds)
    if isinstance(event, HandoverAccepted):
        return _rows(event, {source: Template.HANDOVER_ACCEPTED} if to else {}, now)
    if isinstance(event, HandoverRefused):
        return _rows(event, {source: Template.HANDOVER_REFUSED}, now)
    if isinstance(event, HandoverEscalated):
        told = {source: Template.HANDOVER_ESCALATED, to: Template.HANDOVER_ESCALATED}
        mine = {office: Template.HANDOVER_TO_DECIDE}
        return _rows(event, told, now) + _rows(event, mine, now, event.due, event.rule)
    if isinstance(event, HandoverDecided):
        assigned = (event.assigned_agency, event.assigned_unit)
        return _rows(event, dict.fromkeys((source, to, assigned), Template.HANDOVER_DECIDED), now)
    if isinstance(event, HandoverLate):
        late: Place = (event.late_agency, event.late_unit)
        if event.stage == "decision":
            return _rows(event, {office: Template.HANDOVER_LATE_OFFICE}, now, event.due, event.rule)
        both = {office: Template.HANDOVER_LATE_OFFICE, late: Template.HANDOVER_LATE}
        return _rows(event, both, now, event.due, event.rule)
    return []


def ended_by(event: HandoverNews) -> Sequence[Template] | None:
    """Whose request the event fulfils: the receiver's answer, or the office's decision; None: nobody's."""
    if isinstance(event, HandoverProposed | HandoverLate):
        return None
    if isinstance(event, HandoverEscalated):
        return (Template.HANDOVER_PROPOSED,) if event.cause != "late" else ()
    return (Template.HANDOVER_PROPOSED, Template.HANDOVER_TO_DECIDE, Template.HANDOVER_LATE)


def of_joined(event: PartyJoined, now: datetime) -> dict[str, Any]:
    """The notice of an agency that is party to a case now; a new one for each time it comes."""
    row = _empty(event.plan, event.area, event.urgent, event.number, event.agency, event.unit, now)
    about = event.deadline.deadline_id if event.deadline else event.handover_id
    return row | {
        "id": notice_id(event.case_id, event.agency, event.unit, Template.CASE_OPENED, about),
        "case_id": event.case_id,
        "lead_id": event.lead_id,
        "kinds": list(event.kinds),
        "role": event.role,
        "template": Template.CASE_OPENED.value,
        "rule": event.deadline.rule if event.deadline else None,
        "due": event.deadline.due if event.deadline else None,
        "provisional": event.deadline.provisional if event.deadline else False,
    }


def _rows(
    event: HandoverNews, told: dict[Place | None, Template], now: datetime, due: datetime | None = None,
    rule: str | None = None, kinds: Sequence[str] = (),
) -> list[dict[str, Any]]:  # fmt: skip
    rows = []
    for place, template in told.items():
        if place is None:
            continue
        agency, unit = place
        row = _empty(event.plan, event.area, event.urgent, event.number, agency, unit, now)
        stage = getattr(event, "stage", "")
        rows.append(
            row
            | {
                "id": _id(event.handover_id, agency, unit, template, stage),
                "handover_id": event.handover_id,
                "lead_id": event.lead_id,
                "kinds": list(kinds),
                "template": template.value,
                "rule": rule,
                "due": due,
                "provisional": getattr(event, "provisional", False),
            }
        )
    return rows


def _id(handover_id: UUID, agency: str, unit: str | None, template: Template, stage: str) -> UUID:
    return uuid5(SPACE, f"handover|{handover_id}|{agency}|{unit or ''}|{template}|{stage}")


def _empty(
    plan: str, area: str | None, urgent: bool, number: str, agency: str, unit: str | None, now: datetime
) -> dict[str, Any]:
    return {
        "case_id": None,
        "handover_id": None,
        "lead_id": None,
        "number": number,
        "plan": plan,
        "area": area,
        "kinds": [],
        "urgent": urgent,
        "agency": agency,
        "unit": unit,
        "role": None,
        "state": State.WAITING.value,
        "created_at": now,
        "version": 1,
    }
