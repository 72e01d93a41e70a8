"""Events of the intake service."""

from datetime import datetime
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
