"""Events of the intake service."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.common import PartyFact
from shared.events.envelope import EventData, Lane


class LeadOpened(EventData):
    """A tip that concerns pyramid selling became a lead (线索) and was routed by the plan.

    `rule` is the routing rule that matched; `received_at` is when the first tip came in and every clock starts
    there; `dataref` is where a caller with rights of their own opens the lead.
    """

    TYPE: ClassVar[str] = "dachuan.lead.opened.v1"
    TOPIC: ClassVar[str] = "intake.lead.v1"
    URGENT_TOPIC: ClassVar[str] = "intake.urgent.v1"

    lead_id: UUID
    tip_id: UUID
    plan: str
    area: str | None
    kinds: tuple[str, ...]
    urgent: bool
    channel: str
    agency: str
    unit: str | None
    rule: str
    parties: tuple[PartyFact, ...]
    received_at: datetime
    origin: Literal["citizen", "agency", "patrol"] = "citizen"
    dataref: str

    @property
    def key(self) -> str:
        return str(self.lead_id)

    @property
    def topic(self) -> str:
        return self.URGENT_TOPIC if self.urgent else self.TOPIC

    @property
    def lane(self) -> Lane:
        return "urgent" if self.urgent else "normal"


class _TipEvent(EventData):
    """What happens to a tip after it came in: facts only, never words."""

    TOPIC: ClassVar[str] = "intake.tip.v1"

    tip_id: UUID
    lead_id: UUID | None
    plan: str
    area: str | None
    agency: str | None
    unit: str | None
    dataref: str

    @property
    def key(self) -> str:
        return str(self.tip_id)


class FactAdded(_TipEvent):
    """A reporter added to a tip by receipt (补充), or answered an agency's question (`answer`).

    `turned_urgent` tells that the addition, read with the tip, showed somebody held or in danger: a lead opened on
    the fast lane tells of it, and the calm one it came from is merged into that.
    """

    TYPE: ClassVar[str] = "dachuan.tip.fact-added.v1"

    message_id: UUID
    answer: bool
    turned_urgent: bool
    added_at: datetime


class OutcomeContested(_TipEvent):
    """A reporter contested a closing (异议): another person than the one who closed it must look a second time.

    `outcome` is the code of the contested outcome; a closing can be contested once.
    """

    TYPE: ClassVar[str] = "dachuan.tip.outcome-contested.v1"

    contest_id: UUID
    closing: str
    outcome: str
    contested_at: datetime


class ContestDecided(_TipEvent):
    """The second look is done: `upheld` when the reporter was right and the matter is taken up again."""

    TYPE: ClassVar[str] = "dachuan.tip.contest-decided.v1"

    contest_id: UUID
    closing: str
    outcome: str
    upheld: bool
    contested_at: datetime
    decided_at: datetime


class OutcomeRated(_TipEvent):
    """A reporter rated what became of a tip, 1 (poor) to 5 (good). Their words stay sealed at intake."""

    TYPE: ClassVar[str] = "dachuan.tip.outcome-rated.v1"

    closing: str
    outcome: str
    stars: int
    rated_at: datetime


class _RegisterEvent(EventData):
    TOPIC: ClassVar[str] = "intake.register.v1"

    plan: str
    area: str


class PlaceRegistered(_RegisterEvent):
    """A rental unit or a venue came into the registers: its id alone, so that a den found there can name it (D-E2)."""

    TYPE: ClassVar[str] = "dachuan.place.registered.v1"

    place_id: UUID
    kind: Literal["rental", "venue"]
    registered_at: datetime
    dataref: str

    @property
    def key(self) -> str:
        return str(self.place_id)


class PatrolCompleted(_RegisterEvent):
    """A rental unit was patrolled (D-E2). `missed` windows had passed before; `lead_id` where a suspicion arose."""

    TYPE: ClassVar[str] = "dachuan.patrol.completed.v1"

    task_id: UUID
    unit_id: UUID
    tier: str
    cause: Literal["tier", "den"]
    agency: str
    result: Literal["in_order", "occupants_changed", "suspicion"]
    due: date
    in_time: bool
    missed: int
    done_at: datetime
    lead_id: UUID | None
    dataref: str

    @property
    def key(self) -> str:
        return str(self.unit_id)


class PatrolOverdue(_RegisterEvent):
    """A patrol's day passed without it; told again for every further window that passes, `missed` counts them."""

    TYPE: ClassVar[str] = "dachuan.patrol.overdue.v1"

    task_id: UUID
    unit_id: UUID
    tier: str
    cause: Literal["tier", "den"]
    agency: str
    due: date
    missed: int
    overdue_at: datetime
    dataref: str

    @property
    def key(self) -> str:
        return str(self.unit_id)


class RentalTierChanged(_RegisterEvent):
    """A rental unit's tier changed: by an officer, or because a den was found in it (then with its case)."""

    TYPE: ClassVar[str] = "dachuan.rental.tier-changed.v1"

    unit_id: UUID
    before: str | None
    after: str
    cause: Literal["officer", "den"]
    case_id: UUID | None
    changed_at: datetime
    dataref: str

    @property
    def key(self) -> str:
        return str(self.unit_id)


class SurveyRoundProgress(_RegisterEvent):
    """How far a community has come in a survey round (摸底排查, X-D1a): households, not people."""

    TYPE: ClassVar[str] = "dachuan.survey.progress.v1"

    round_id: UUID
    target: int
    reached: int
    found: int
    done: bool
    due: date
    at: datetime
    dataref: str

    @property
    def key(self) -> str:
        return str(self.round_id)


class SurveyRoundClosed(_RegisterEvent):
    """A survey round ended; one event for each community, with what it had reached."""

    TYPE: ClassVar[str] = "dachuan.survey.closed.v1"

    round_id: UUID
    target: int
    reached: int
    found: int
    done: bool
    due: date
    closed_at: datetime
    dataref: str

    @property
    def key(self) -> str:
        return str(self.round_id)


class VenueFinding(_RegisterEvent):
    """A meeting or exhibition venue was found used for pyramid selling (D-A2, D-Q1.5)."""

    TYPE: ClassVar[str] = "dachuan.venue.finding.v1"

    check_id: UUID
    venue_id: UUID
    booking_id: UUID | None
    lead_id: UUID | None
    agency: str
    signs: tuple[str, ...]
    found_at: datetime
    dataref: str

    @property
    def key(self) -> str:
        return str(self.venue_id)


class AgentVisited(_RegisterEvent):
    """A rental agent (中介) was visited and given the materials (D-A1); `signed` when they signed for them."""

    TYPE: ClassVar[str] = "dachuan.agent.visited.v1"

    visit_id: UUID
    agent_id: UUID
    agency: str
    materials: tuple[str, ...]
    signed: bool
    visited_at: datetime
    dataref: str

    @property
    def key(self) -> str:
        return str(self.agent_id)
