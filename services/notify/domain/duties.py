"""Duties (职责): which ones a plan gives to whom and for when, and what may become of one. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid5

from shared.rules.calendar import end_of_day
from shared.rules.law import Text
from shared.rules.plan import Plan
from shared.rules.plan.parts import Activity, Duty
from shared.rules.plan.turns import run_of, turns_of

SPACE = UUID("a3f4d1de-5b7c-5c0b-8f36-2f5f5f0d8a67")


class DutyState(StrEnum):
    """`missed` is a duty whose time has passed and counts; it can still be done, late."""

    OPEN = "open"
    MISSED = "missed"
    DONE = "done"
    DROPPED = "dropped"


class DutyStep(StrEnum):
    """What can be done with a duty; `miss` is the clock's."""

    FINISH = "finish"
    MISS = "miss"
    GIVE_BACK = "give-back"
    DROP = "drop"


STEPS: Mapping[tuple[DutyState, DutyStep], DutyState] = {
    (DutyState.OPEN, DutyStep.FINISH): DutyState.DONE,
    (DutyState.MISSED, DutyStep.FINISH): DutyState.DONE,
    (DutyState.OPEN, DutyStep.MISS): DutyState.MISSED,
    (DutyState.DONE, DutyStep.GIVE_BACK): DutyState.OPEN,
    (DutyState.OPEN, DutyStep.DROP): DutyState.DROPPED,
    (DutyState.MISSED, DutyStep.DROP): DutyState.DROPPED,
}
"""The whole life of a duty: what is not here is not possible."""


class Proof(StrEnum):
    """What can show that a duty is done."""

    PHOTO = "photo"
    LINK = "link"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Asked:
    """A duty as the plan asks it of one agency for one phase, or of an activity's turn; `text` is the plan's."""

    id: UUID
    agency: str
    unit: str | None
    area: str | None
    origin: str
    duty: str
    phase: str | None
    clause: str | None
    starts: date
    due: datetime


def asked_by(plan: Plan) -> Iterator[Asked]:
    """Every duty of a plan's agencies: one a phase, or one for the plan's whole run; and each meeting it schedules.

    A duty that the plan gives to units belongs to the unit where it is one, else to the agency. Campaigns, broadcasts
    and messages have a schedule of their own.
    """
    run = run_of(plan)
    phases = {phase.id: phase for phase in plan.phases}
    for agency in plan.members:
        for duty in plan.duties_of(agency.id):
            unit = duty.units[0] if len(duty.units) == 1 and agency.unit(duty.units[0]) else None
            for phase in duty.phases or (None,):
                time = phases[phase] if phase else run
                yield Asked(
                    uuid5(SPACE, f"{plan.id}|{agency.id}|{duty.id}|{phase or ''}"), agency.id, unit, agency.area, "plan",
                    duty.id, phase, duty.clause, time.first, end_of_day(time.last),
                )  # fmt: skip
    for activity in plan.activities:
        if activity.kind != "meeting":
            continue
        for turn in turns_of(activity, plan):
            yield Asked(
                uuid5(SPACE, f"{plan.id}|{activity.id}|{turn.first}"), activity.by, None, None, "activity", activity.id,
                None, activity.clause, turn.first, end_of_day(turn.last),
            )  # fmt: skip


def words_of(plan: Plan, origin: str, duty: str | None) -> Text | None:
    """What a duty of the plan or of its calendar asks, in the plan's words; None for one the plan no longer has."""
    if origin == "activity":
        activity: Activity | None = next((one for one in plan.activities if one.id == duty), None)
        return activity.name if activity else None
    found: Duty | None = next((one for one in plan.duties if one.id == duty), None)
    return found.text if found else None


def in_time(due: datetime, counts: bool, at: datetime) -> bool:
    """Whether something done at a moment is in time; where lateness does not count, always."""
    return not counts or at <= due
