"""Events of the intake service about files that come with tips."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.envelope import EventData


class TipEvidenceAdded(EventData):
    """A file came with a tip of a lead. It says what kind and how many there are now; never a name, size or hash."""

    TYPE: ClassVar[str] = "dachuan.tip.evidence-added.v1"
    TOPIC: ClassVar[str] = "intake.lead.v1"

    lead_id: UUID
    tip_id: UUID
    plan: str
    area: str | None
    media: Literal["image", "audio", "video", "document"]
    files: int
    """How many files came with this tip so far."""
    source: Literal["reporter", "agency"]
    added_at: datetime
    dataref: str

    @property
    def key(self) -> str:
        return str(self.lead_id)


ALL = (TipEvidenceAdded,)
