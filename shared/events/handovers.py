"""Events of the intake service about who answers for a matter: handovers, decisions not to accept, supplements."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.envelope import EventData, Lane


class _MatterEvent(EventData):
    """A matter is a lead, or a tip at triage that is none: `lead_id` or `tip_id` is given."""

    TOPIC: ClassVar[str] = "intake.handover.v1"

    lead_id: UUID | None
    tip_id: UUID | None
    plan: str
    area: str | None
    urgent: bool

    @property
    def key(self) -> str:
        return str(self.lead_id or self.tip_id)

    @property
    def lane(self) -> Lane:
        return "urgent" if self.urgent else "normal"


class _HandoverEvent(_MatterEvent):
    """`to_agency` is empty where a matter goes back to the line `distributor` (a channel) that had assigned it.

    `attempt` counts the handovers of the matter, `bounces` how often it was refused or returned.
    """

    handover_id: UUID
    number: str
    from_agency: str
    from_unit: str | None
    to_agency: str | None
    to_unit: str | None
    distributor: str | None
    attempt: int
    bounces: int
    dataref: str


class HandoverProposed(_HandoverEvent):
    """An agency offers a matter (移交) to another one, and stays responsible until that one has accepted it."""

    TYPE: ClassVar[str] = "dachuan.handover.proposed.v1"

    kinds: tuple[str, ...]
    reason: str
    previous_id: UUID | None
    rule: str
    due: datetime
    provisional: bool
    proposed_at: datetime


class HandoverAccepted(_HandoverEvent):
    """The receiver took it over; only now the sender's obligation ends. `proposed_at` to `accepted_at` it travelled."""

    TYPE: ClassVar[str] = "dachuan.handover.accepted.v1"

    proposed_at: datetime
    accepted_at: datetime
    in_time: bool


class HandoverRefused(_HandoverEvent):
    """The receiver refused it with a reason; the sender is responsible as before."""

    TYPE: ClassVar[str] = "dachuan.handover.refused.v1"

    reason: str
    proposed_at: datetime
    refused_at: datetime
    in_time: bool


class HandoverReturned(_HandoverEvent):
    """The receiver had accepted it and gives it back by the handover `successor_id`; until that is accepted it answers."""

    TYPE: ClassVar[str] = "dachuan.handover.returned.v1"

    reason: str
    successor_id: UUID
    accepted_at: datetime
    returned_at: datetime


class HandoverWithdrawn(_HandoverEvent):
    """The sender took its offer back and keeps the matter."""

    TYPE: ClassVar[str] = "dachuan.handover.withdrawn.v1"

    withdrawn_at: datetime


class HandoverEscalated(_HandoverEvent):
    """The matter lies before the office as arbiter: refused too often, unanswered in time, or asked for."""

    TYPE: ClassVar[str] = "dachuan.handover.escalated.v1"

    cause: Literal["refused", "late", "asked"]
    office: str
    rule: str
    due: datetime
    provisional: bool
    escalated_at: datetime


class HandoverDecided(_HandoverEvent):
    """The office decided who takes the matter; that binds, and the assigned agency is responsible from now on."""

    TYPE: ClassVar[str] = "dachuan.handover.decided.v1"

    assigned_agency: str
    assigned_unit: str | None
    escalated_at: datetime
    decided_at: datetime
    in_time: bool


class HandoverLate(_HandoverEvent):
    """An answer (`stage` answer) or the office's decision (`stage` decision) is past due; `late_agency` owes it."""

    TYPE: ClassVar[str] = "dachuan.handover.late.v1"

    stage: Literal["answer", "decision"]
    late_agency: str
    late_unit: str | None
    rule: str
    due: datetime
    late_at: datetime


class LeadDeclined(_MatterEvent):
    """An agency decided not to accept a lead (不予受理), with its reason and where it belongs.

    `ends`: nobody else takes it and the agency's obligation ends here. Otherwise it is handed over by `handover_id`,
    and the agency stays responsible until that is accepted.
    """

    TYPE: ClassVar[str] = "dachuan.lead.declined.v1"

    agency: str
    unit: str | None
    reason: str
    ends: bool
    belongs_to: str | None
    to_agency: str | None
    distributor: str | None
    handover_id: UUID | None
    declined_at: datetime


class SupplementRequested(_MatterEvent):
    """An agency asked the reporter for more before it decides; clocks that `suspends` names stand still meanwhile."""

    TYPE: ClassVar[str] = "dachuan.supplement.requested.v1"

    supplement_id: UUID
    agency: str
    unit: str | None
    suspends: tuple[str, ...]
    rule: str
    due: datetime
    requested_at: datetime


class SupplementReceived(_MatterEvent):
    """A supplement is at its end: received, not given in time, or no longer asked for. The clock runs again."""

    TYPE: ClassVar[str] = "dachuan.supplement.received.v1"

    supplement_id: UUID
    agency: str
    unit: str | None
    outcome: Literal["received", "expired", "withdrawn"]
    requested_at: datetime
    received_at: datetime


class LeadReopened(_MatterEvent):
    """A declined lead is taken up again by an agency: a repeat brought new facts (令121 art. 35), and its clock restarts."""

    TYPE: ClassVar[str] = "dachuan.lead.reopened.v1"

    agency: str
    unit: str | None
    reopened_at: datetime


ALL: tuple[type[EventData], ...] = (
    HandoverProposed,
    HandoverAccepted,
    HandoverRefused,
    HandoverReturned,
    HandoverWithdrawn,
    HandoverEscalated,
    HandoverDecided,
    HandoverLate,
    LeadDeclined,
    SupplementRequested,
    SupplementReceived,
    LeadReopened,
)
"""Every event of this module."""
