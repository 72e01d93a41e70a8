"""Guards of joint operations."""

from __future__ import annotations

from services.casework.domain.operations import check_hours
from services.casework.domain.proceedings import Asked, Guard, Refused


def emergency_plan_made(asked: Asked) -> None:
    """No operation without its emergency plan (应急预案, X-D7a)."""
    if not any(one.step == "emergency_plan" for one in asked.proceeding.history):
        raise Refused(
            "no-emergency-plan",
            "还没有应急预案，行动不能批准，也不能开始；请先填报应急预案。未保存。",
            "there is no emergency plan yet: the operation can be neither approved nor started; nothing was saved",
        )


def hours_ahead(asked: Asked) -> None:
    """The set hour lies ahead, and the meeting before it."""
    check_hours(asked.facts, asked.ground.now)


def not_the_submitter(asked: Asked) -> None:
    """Four eyes: who planned or submitted an operation does not approve it."""
    if asked.actor.id in {one.actor for one in asked.proceeding.history if one.step in ("open", "submit")}:
        raise Refused(
            "four-eyes",
            "须由另一人批准：提出或报请行动的人不能自己批准；未保存。",
            "another person has to approve: who planned or submitted the operation does not; nothing was saved",
        )


GUARDS: dict[str, Guard] = {"emergency_plan_made": emergency_plan_made, "hours_ahead": hours_ahead, "not_the_submitter": not_the_submitter}
