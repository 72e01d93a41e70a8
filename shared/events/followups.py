"""Events of intake about what its own desks owe: major leads to be verified, and requests to see a reporter's contact."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.common import DeadlineFact
from shared.events.envelope import EventData

Cause = Literal["urgent", "gathering", "tips"]


class _VerificationEvent(EventData):
    """`agency` and `unit` have the lead at that moment; `causes` say why the plan calls it major."""

    TOPIC: ClassVar[str] = "intake.handover.v1"

    lead_id: UUID
    plan: str
    area: str | None
    agency: str
    unit: str | None
    urgent: bool
    causes: tuple[Cause, ...]
    dataref: str

    @property
    def key(self) -> str:
        return str(self.lead_id)


class LeadMarkedMajor(_VerificationEvent):
    """A lead became a major one (重大线索) by the plan's rule; it must be verified (核查) until the deadline (D-Q1.4)."""

    TYPE: ClassVar[str] = "dachuan.lead.marked-major.v1"

    deadline: DeadlineFact
    marked_at: datetime


class LeadVerified(_VerificationEvent):
    """A lead was verified. `in_time` is empty for a lead that no rule called major: it had no clock."""

    TYPE: ClassVar[str] = "dachuan.lead.verified.v1"

    outcome: Literal["founded", "unfounded", "inconclusive"]
    in_time: bool | None
    verified_at: datetime


class LeadVerificationMissed(_VerificationEvent):
    """A major lead was not verified in its time (D-Q1.4). Told once; only this event of the owner counts for scoring."""

    TYPE: ClassVar[str] = "dachuan.lead.verification-missed.v1"

    deadline: DeadlineFact
    missed_at: datetime


class _RevealEvent(EventData):
    """A request to see a reporter's contact: that it was made and decided, never who asked or who is meant."""

    TOPIC: ClassVar[str] = "intake.tip.v1"

    reveal_id: UUID
    tip_id: UUID
    plan: str
    area: str | None
    agency: str
    dataref: str

    @property
    def key(self) -> str:
        return str(self.tip_id)


class RevealRequested(_RevealEvent):
    """A first person of `agency` asked; a second one must decide before it lapses."""

    TYPE: ClassVar[str] = "dachuan.reveal.requested.v1"

    category: str
    lapses_at: datetime
    requested_at: datetime


class RevealDecided(_RevealEvent):
    """The second person decided, the first withdrew, or nobody decided in time."""

    TYPE: ClassVar[str] = "dachuan.reveal.decided.v1"

    outcome: Literal["approved", "refused", "withdrawn", "lapsed"]
    decided_at: datetime


ALL: tuple[type[EventData], ...] = (
    LeadMarkedMajor, LeadVerified, LeadVerificationMissed, RevealRequested, RevealDecided,
)  # fmt: skip
