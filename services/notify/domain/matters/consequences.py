"""Matters that scoring tells of: tools of the ladder, rewards and penalties, accountability proposals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.notify.domain.matters.parts import Makers, Matter, Told
from services.notify.domain.notices import Template, office_of
from shared.events.consequences import MeasureStepped, ToolStepped
from shared.rules.plan import Plan

News = ToolStepped | MeasureStepped

PROPOSES, DECIDES = "consequence.propose", "consequence.decide"

_T = Template
_TO_OFFICE = {
    "trigger": (_T.TOOL_CALLED_FOR, PROPOSES),
    "propose": (_T.TOOL_TO_DECIDE, DECIDES),
    "report": (_T.TOOL_REPORTED, PROPOSES),
}
_TO_UNIT = {
    "approve": _T.TOOL_IN_EFFECT,
    "refuse": _T.TOOL_REFUSED,
    "rectification_missed": _T.TOOL_RECTIFY_LATE,
    "lift": _T.TOOL_OVER,
    "annul": _T.TOOL_OVER,
    "expire": _T.TOOL_OVER,
}


def ended_by(event: object) -> tuple[UUID, Sequence[Template], datetime, bool] | None:
    """What was asked of the office, of the deciders or of the unit is done by the next step."""
    match event:
        case ToolStepped(step="propose" | "drop" | "lapse"):
            return event.tool_id, (_T.TOOL_CALLED_FOR,), event.at, True
        case ToolStepped(step="approve" | "reject"):
            return event.tool_id, (_T.TOOL_TO_DECIDE,), event.at, True
        case ToolStepped(step="report"):
            in_time = event.rectify_by is None or event.at <= event.rectify_by
            return event.tool_id, (_T.TOOL_IN_EFFECT, _T.TOOL_REFUSED, _T.TOOL_RECTIFY_LATE), event.at, in_time
        case ToolStepped(step="accept" | "refuse"):
            return event.tool_id, (_T.TOOL_REPORTED,), event.at, True
        case MeasureStepped(step="approve" | "send" | "reject" | "withdraw"):
            return event.measure_id, (_T.MEASURE_TO_DECIDE,), event.at, True
    return None


def _tool(event: ToolStepped, plan: Plan | None) -> list[Told]:
    turn = f"|{event.version}"
    if event.step in _TO_OFFICE and plan is not None:
        template, needs = _TO_OFFICE[event.step]
        place = office_of(plan)[0], None
        return [Told(template, place, Matter.TOOL, event.tool_id, event.dataref, needs=needs, turn=turn)]
    if event.step in _TO_UNIT:
        due = event.rectify_by if event.step in ("approve", "refuse") else None
        place = event.agency, event.unit
        return [Told(_TO_UNIT[event.step], place, Matter.TOOL, event.tool_id, event.dataref, due=due, turn=turn)]
    return []


def _measure(event: MeasureStepped, plan: Plan | None) -> list[Told]:
    match event.step:
        case "propose" if plan is not None:
            place = office_of(plan)[0], None
            return [
                Told(_T.MEASURE_TO_DECIDE, place, Matter.MEASURE, event.measure_id, event.dataref, needs=DECIDES)
            ]
        case "approve":
            place = event.agency, event.unit
            return [Told(_T.MEASURE_DECIDED, place, Matter.MEASURE, event.measure_id, event.dataref)]
        case "send":
            return [
                Told(_T.ACCOUNTABILITY_SENT, (agency, None), Matter.MEASURE, event.measure_id, event.dataref)
                for agency in event.sent_to
            ]
    return []


MAKERS: Makers = {ToolStepped: _tool, MeasureStepped: _measure}
