"""Matters that scoring tells of: a finding about an agency, its decision, an appeal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.notify.domain.matters.parts import Makers, Matter, Told
from services.notify.domain.notices import Template, office_of
from shared.events.findings import (
    AppealDecided,
    FindingAnswered,
    FindingAppealed,
    FindingDecided,
    FindingLapsed,
    FindingLeft,
    FindingProposed,
)
from shared.rules.plan import Plan

News = FindingProposed | FindingAnswered | FindingLeft | FindingLapsed | FindingDecided | FindingAppealed | AppealDecided

DECIDES = "finding.decide"


def ended_by(event: object) -> tuple[UUID, Sequence[Template], datetime, bool] | None:
    """What was asked of the unit is done by its answer or appeal, of the deciders by their decision."""
    T = Template
    match event:
        case FindingAnswered():
            return event.finding_id, (T.FINDING_PROPOSED,), event.answered_at, True
        case FindingLapsed():
            return event.finding_id, (T.FINDING_PROPOSED, T.FINDING_TO_DECIDE), event.lapsed_at, True
        case FindingDecided():
            return event.finding_id, (T.FINDING_PROPOSED, T.FINDING_TO_DECIDE), event.decided_at, True
        case FindingAppealed():
            return event.finding_id, (T.FINDING_CONFIRMED,), event.appealed_at, True
        case AppealDecided():
            return event.finding_id, (T.FINDING_APPEALED,), event.decided_at, True
    return None


def _to_unit(event: Any, template: Template, due: datetime | None = None) -> Told:
    return Told(template, (event.agency, event.unit), Matter.FINDING, event.finding_id, event.dataref, due=due)


def _to_deciders(event: Any, plan: Plan | None, template: Template, due: datetime | None = None) -> list[Told]:
    """The whole agency of the office: whoever may decide there."""
    if plan is None:
        return []
    place = office_of(plan)[0], None
    return [Told(template, place, Matter.FINDING, event.finding_id, event.dataref, needs=DECIDES, due=due)]


def _proposed(event: FindingProposed, plan: Plan | None) -> list[Told]:
    return [_to_unit(event, Template.FINDING_PROPOSED, event.answer_by)]


def _to_decide(event: FindingAnswered | FindingLeft, plan: Plan | None) -> list[Told]:
    return _to_deciders(event, plan, Template.FINDING_TO_DECIDE)


def _decided(event: FindingDecided, plan: Plan | None) -> list[Told]:
    if event.decision == "rejected":
        return [_to_unit(event, Template.FINDING_REJECTED)]
    return [_to_unit(event, Template.FINDING_CONFIRMED, event.appeal_by)]


def _appealed(event: FindingAppealed, plan: Plan | None) -> list[Told]:
    return _to_deciders(event, plan, Template.FINDING_APPEALED, event.decide_by)


def _appeal_decided(event: AppealDecided, plan: Plan | None) -> list[Told]:
    return [_to_unit(event, Template.FINDING_APPEAL_DECIDED)]


MAKERS: Makers = {
    FindingProposed: _proposed,
    FindingAnswered: _to_decide,
    FindingLeft: _to_decide,
    FindingDecided: _decided,
    FindingAppealed: _appealed,
    AppealDecided: _appeal_decided,
}

ENDING = (FindingLapsed,)
"""Events that make no notice but end some."""
