"""Events of meetings (联席会议、小型案件会议): who is asked to come and when, and what became of it."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.envelope import EventData


class _MeetingEvent(EventData):
    """`agency` calls it; `agencies` are asked to come, the caller included. `case_id` is set for a case conference."""

    TOPIC: ClassVar[str] = "notify.meeting.v1"

    meeting_id: UUID
    plan: str
    kind: Literal["joint_conference", "case_conference"]
    case_id: UUID | None
    agency: str
    agencies: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    dataref: str

    @property
    def key(self) -> str:
        return str(self.meeting_id)


class MeetingCalled(_MeetingEvent):
    """A meeting was called."""

    TYPE: ClassVar[str] = "dachuan.meeting.called.v1"

    called_at: datetime


class MeetingStepped(_MeetingEvent):
    """A meeting was moved, cancelled, held (with who came) or closed with its minutes."""

    TYPE: ClassVar[str] = "dachuan.meeting.stepped.v1"

    step: Literal["move", "cancel", "hold", "close"]
    state: Literal["called", "cancelled", "held", "closed"]
    present: tuple[str, ...]
    stepped_at: datetime


ALL: tuple[type[EventData], ...] = (MeetingCalled, MeetingStepped)
