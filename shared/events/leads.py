"""Events of the intake service about leads that meet: tips that join, leads merged and split, gatherings."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.envelope import EventData


class _MeetingEvent(EventData):
    TOPIC: ClassVar[str] = "intake.lead.v1"

    lead_id: UUID
    plan: str
    area: str | None
    agency: str
    unit: str | None
    dataref: str

    @property
    def key(self) -> str:
        return str(self.lead_id)


class LeadJoined(_MeetingEvent):
    """A tip about the same target joined a lead (并入): no case of its own, its own receipt and date.

    `tips` is how many the lead has now; `received_at` when this tip came in, `first_received_at` when the lead's
    earliest did. An urgent tip joins in silence only while the lead's own alarm is fresh.
    """

    TYPE: ClassVar[str] = "dachuan.lead.joined.v1"

    tip_id: UUID
    kinds: tuple[str, ...]
    urgent: bool
    channel: str
    score: int
    automatic: bool
    tips: int
    received_at: datetime
    first_received_at: datetime


class LeadMerged(_MeetingEvent):
    """Two leads turned out to be about one target: `merged_lead_id` lives on in `lead_id`; both numbers stay.

    `join_id` names the act, so that it can be told undone. The clocks of both cases run on: joining ends no duty.
    """

    TYPE: ClassVar[str] = "dachuan.lead.merged.v1"

    join_id: UUID
    merged_lead_id: UUID
    automatic: bool
    urgent: bool
    tips: int
    first_received_at: datetime
    merged_at: datetime


class LeadSplit(_MeetingEvent):
    """Tips left a lead for another one (拆分): `split_lead_id` is reopened (`undoes` names the joining) or new.

    A new one is told of by its own `dachuan.lead.opened.v1`, with its clock from the earliest of its tips.
    """

    TYPE: ClassVar[str] = "dachuan.lead.split.v1"

    join_id: UUID
    undoes: UUID | None
    split_lead_id: UUID
    tips_left: int
    tips_moved: int
    split_at: datetime


class GatheringFound(_MeetingEvent):
    """Several signals about one place within the plan's window: people gather there (D-M6).

    `lead_id` is the lead whose signal made it so; `agency` and `unit` have that lead. `signals` counts tips.
    """

    TYPE: ClassVar[str] = "dachuan.lead.gathering-found.v1"
    TOPIC: ClassVar[str] = "intake.gathering.v1"

    gathering_id: UUID
    level: Literal["building", "estate"]
    signals: int
    window_days: int
    found_at: datetime


ALL: tuple[type[EventData], ...] = (LeadJoined, LeadMerged, LeadSplit, GatheringFound)
