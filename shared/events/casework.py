"""Events of the casework service."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.events.common import DeadlineFact, PartyFact
from shared.events.envelope import EventData, Lane


class _CaseEvent(EventData):
    TOPIC: ClassVar[str] = "casework.case.v1"
    URGENT_TOPIC: ClassVar[str] = "casework.urgent.v1"

    case_id: UUID
    plan: str
    area: str | None
    urgent: bool

    @property
    def key(self) -> str:
        return str(self.case_id)


class CaseOpened(_CaseEvent):
    """A joint case (联合案件) was opened for a lead, with police and commerce as parties.

    `deadlines` are the acceptance clocks of the parties; they start at `received_at`, when the tip came in.
    """

    TYPE: ClassVar[str] = "dachuan.case.opened.v1"

    number: str
    lead_id: UUID
    kinds: tuple[str, ...]
    parties: tuple[PartyFact, ...]
    deadlines: tuple[DeadlineFact, ...]
    received_at: datetime
    opened_at: datetime
    dataref: str

    @property
    def topic(self) -> str:
        return self.URGENT_TOPIC if self.urgent else self.TOPIC

    @property
    def lane(self) -> Lane:
        return "urgent" if self.urgent else "normal"


class CaseAccepted(_CaseEvent):
    """A party accepted (受理) the case; its acceptance deadline is met, or was met late."""

    TYPE: ClassVar[str] = "dachuan.case.accepted.v1"

    number: str
    agency: str
    unit: str | None
    deadline: DeadlineFact
    accepted_at: datetime
    in_time: bool


class DeadlineMissed(_CaseEvent):
    """A deadline of a case passed without its act. Only this event of the owner counts for scoring."""

    TYPE: ClassVar[str] = "dachuan.case.deadline-missed.v1"

    number: str
    agency: str
    unit: str | None
    deadline: DeadlineFact
    missed_at: datetime
