"""Matters of notify's own registers: duties that meetings set, duties missed, meetings to come to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.notify.domain.matters.parts import Makers, Matter, Place, Told
from services.notify.domain.notices import Template, office_of
from shared.events.duties import DutyDone, DutyDropped, DutyGivenBack, DutyMissed, DutySet
from shared.events.meetings import MeetingCalled, MeetingStepped
from shared.rules.plan import Plan

News = DutySet | DutyDone | DutyGivenBack | DutyMissed | DutyDropped | MeetingCalled | MeetingStepped


def ended_by(event: object) -> tuple[UUID, Sequence[Template], datetime, bool] | None:
    """A duty that is done, or no longer asked, asks for nothing."""
    templates = (Template.DUTY_SET, Template.DUTY_MISSED)
    if isinstance(event, DutyDone):
        return event.duty_id, templates, event.done_at, not event.late
    if isinstance(event, DutyDropped):
        return event.duty_id, templates, event.dropped_at, True
    return None


def _set(event: DutySet, plan: Plan | None) -> list[Told]:
    """The plan's own duties stand on the page of each agency from the first day; a decision of a meeting is news."""
    if event.origin != "meeting":
        return []
    return [_told(event, Template.DUTY_SET, (event.agency, event.unit), due=event.due)]


def _given_back(event: DutyGivenBack, plan: Plan | None) -> list[Told]:
    return [_told(event, Template.DUTY_GIVEN_BACK, (event.agency, event.unit), turn=event.given_back_at.isoformat())]


def _missed(event: DutyMissed, plan: Plan | None) -> list[Told]:
    places: dict[Place, Template] = {office_of(plan): Template.DUTY_MISSED_OFFICE} if plan else {}
    places[event.agency, event.unit] = Template.DUTY_MISSED
    return [_told(event, template, place, due=event.due) for place, template in places.items()]


def _told(
    event: DutySet | DutyGivenBack | DutyMissed, template: Template, to: Place, due: datetime | None = None, turn: str = ""
) -> Told:
    return Told(template, to, Matter.DUTY, event.duty_id, event.dataref, due=due, turn=turn)


def _called(event: MeetingCalled, plan: Plan | None) -> list[Told]:
    return _asked(event, Template.MEETING_CALLED, "")


def _moved(event: MeetingStepped, plan: Plan | None) -> list[Told]:
    if event.step not in ("move", "cancel"):
        return []
    template = Template.MEETING_MOVED if event.step == "move" else Template.MEETING_CANCELLED
    return _asked(event, template, event.stepped_at.isoformat())


def _asked(event: MeetingCalled | MeetingStepped, template: Template, turn: str) -> list[Told]:
    return [
        Told(template, (agency, None), Matter.MEETING, event.meeting_id, event.dataref, turn=turn)
        for agency in event.agencies
        if agency != event.agency
    ]


MAKERS: Makers = {
    DutySet: _set,
    DutyGivenBack: _given_back,
    DutyMissed: _missed,
    MeetingCalled: _called,
    MeetingStepped: _moved,
}
