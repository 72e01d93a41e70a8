"""Meetings (联席会议、小型案件会议): their life, and the calendar entry of one. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class MeetingKind(StrEnum):
    """A joint conference is everybody's; a case conference (小型案件会议) is about one joint case (D-N1)."""

    JOINT_CONFERENCE = "joint_conference"
    CASE_CONFERENCE = "case_conference"


class MeetingState(StrEnum):
    CALLED = "called"
    HELD = "held"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class MeetingStep(StrEnum):
    """`move` gives another time or place; `close` makes the minutes final."""

    MOVE = "move"
    CANCEL = "cancel"
    HOLD = "hold"
    WRITE = "write"
    DECIDE = "decide"
    CLOSE = "close"


STEPS: Mapping[tuple[MeetingState, MeetingStep], MeetingState] = {
    (MeetingState.CALLED, MeetingStep.MOVE): MeetingState.CALLED,
    (MeetingState.CALLED, MeetingStep.CANCEL): MeetingState.CANCELLED,
    (MeetingState.CALLED, MeetingStep.HOLD): MeetingState.HELD,
    (MeetingState.HELD, MeetingStep.WRITE): MeetingState.HELD,
    (MeetingState.HELD, MeetingStep.DECIDE): MeetingState.HELD,
    (MeetingState.HELD, MeetingStep.CLOSE): MeetingState.CLOSED,
}
"""The whole life of a meeting: what is not here is not possible."""
