"""Events of the casework service."""

from datetime import datetime
from typing import ClassVar, Literal
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


class DenFound(_CaseEvent):
    """A den (窝点) was found at a place: `place_id` is a place of intake's registers, a rental unit above all.

    Intake makes such a unit the strictest tier and has it patrolled again (D-E2, X-D9).
    """

    TYPE: ClassVar[str] = "dachuan.case.den-found.v1"

    den_id: UUID
    place_id: UUID
    found_at: datetime
    dataref: str


class PartyJoined(_CaseEvent):
    """An agency became party to a case, or pending again: by a handover, the office's decision, a lead reopened, or the
    step of a proceeding (`proceeding_id`) such as a case raised to the city; such a party has accepted with that step.

    `deadline` is its acceptance clock, started at `joined_at`; without one it had accepted before or its own clock
    runs on.
    """

    TYPE: ClassVar[str] = "dachuan.case.party-joined.v1"

    number: str
    lead_id: UUID
    kinds: tuple[str, ...]
    agency: str
    unit: str | None
    role: str
    cause: Literal["handed_over", "decided", "reopened", "proceeding"]
    handover_id: UUID | None
    proceeding_id: UUID | None = None
    deadline: DeadlineFact | None
    joined_at: datetime

    @property
    def topic(self) -> str:
        return self.URGENT_TOPIC if self.urgent else self.TOPIC

    @property
    def lane(self) -> Lane:
        return "urgent" if self.urgent else "normal"


class PartyLeft(_CaseEvent):
    """An agency's obligation in a case ended without its acceptance counting any more: handed over, or declined.

    `deadline` is its acceptance clock, if that was still open; `state` how it ended: `cancelled` (handed over),
    `met` or `met_late` (declining is a decision too).
    """

    TYPE: ClassVar[str] = "dachuan.case.party-left.v1"

    number: str
    lead_id: UUID
    agency: str
    unit: str | None
    cause: Literal["handed_over", "declined"]
    reason: str | None
    to_agency: str | None
    to_unit: str | None
    had_accepted: bool
    deadline: DeadlineFact | None
    state: str | None
    left_at: datetime


class DeadlineMoved(_CaseEvent):
    """A clock of a case stands still, or runs again with a later due moment (supplement asked for, and received)."""

    TYPE: ClassVar[str] = "dachuan.case.deadline-moved.v1"

    number: str
    lead_id: UUID
    agency: str
    unit: str | None
    change: Literal["suspended", "resumed"]
    deadline: DeadlineFact
    moved_at: datetime


class CaseClosed(_CaseEvent):
    """A joint case was closed (结案) by its lead agency. `outcome`: confirmed, transferred, dispersed or unfounded."""

    TYPE: ClassVar[str] = "dachuan.case.closed.v1"

    number: str
    lead_id: UUID
    kinds: tuple[str, ...]
    outcome: str
    agency: str
    unit: str | None
    closed_at: datetime
    dataref: str


class CaseTakenUp(_CaseEvent):
    """A closed case is open again: its reporter contested the outcome, and the second look found them right."""

    TYPE: ClassVar[str] = "dachuan.case.taken-up.v1"

    number: str
    lead_id: UUID
    cause: Literal["contested"]
    taken_up_at: datetime
