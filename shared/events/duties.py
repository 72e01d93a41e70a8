"""Events of duties (职责): what the plan or a meeting asks of an agency, done with proof, or late."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.envelope import EventData


class _DutyEvent(EventData):
    """`origin` is `plan` (a line of its duties), `activity` (a turn of what it schedules) or `meeting` (a decision).

    `duty` is the plan's id of the duty or activity, `phase` the plan's phase it is for; `area` is a community's own.
    """

    TOPIC: ClassVar[str] = "notify.duty.v1"

    duty_id: UUID
    plan: str
    agency: str
    unit: str | None
    area: str | None
    origin: Literal["plan", "activity", "meeting"]
    duty: str | None
    phase: str | None
    clause: str | None
    meeting_id: UUID | None
    due: datetime
    dataref: str

    @property
    def key(self) -> str:
        return str(self.duty_id)


class DutySet(_DutyEvent):
    """An agency has a duty to do by a moment. `counts` is false where that moment had passed before it was known."""

    TYPE: ClassVar[str] = "dachuan.duty.set.v1"

    counts: bool
    set_at: datetime


class DutyDone(_DutyEvent):
    """An agency showed with proofs that a duty is done; `late` when that was after its time and the lateness counts."""

    TYPE: ClassVar[str] = "dachuan.duty.done.v1"

    late: bool
    proofs: int
    done_at: datetime


class DutyGivenBack(_DutyEvent):
    """The office does not find a duty done as its agency said it was; it is asked again."""

    TYPE: ClassVar[str] = "dachuan.duty.given-back.v1"

    given_back_at: datetime


class DutyMissed(_DutyEvent):
    """The time of a duty that counts has passed, and nothing shows that it was done."""

    TYPE: ClassVar[str] = "dachuan.duty.missed.v1"

    missed_at: datetime


class DutyDropped(_DutyEvent):
    """A duty is no longer asked: the meeting that set it took the decision back, or the plan no longer lists it."""

    TYPE: ClassVar[str] = "dachuan.duty.dropped.v1"

    dropped_at: datetime


ALL: tuple[type[EventData], ...] = (DutySet, DutyDone, DutyGivenBack, DutyMissed, DutyDropped)
