"""Events of the casework service about evidence: that it came, changed hands, left as a package; never what it is."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.events.casework import _CaseEvent


class EvidenceReceived(_CaseEvent):
    """An item of evidence was registered in a case. `items`: how many the case has now."""

    TYPE: ClassVar[str] = "dachuan.case.evidence-received.v1"

    item_id: UUID
    kind: str
    track: str
    agency: str
    unit: str | None
    items: int
    collected_at: datetime
    received_at: datetime
    dataref: str


class EvidenceHandedOver(_CaseEvent):
    """A receiver accepted items of evidence. `due` is the law's limit for handing them over, where it sets one."""

    TYPE: ClassVar[str] = "dachuan.case.evidence-handed-over.v1"

    handover_id: UUID
    purpose: str
    items: int
    from_agency: str
    from_unit: str | None
    to_agency: str
    to_unit: str | None
    offered_at: datetime
    accepted_at: datetime
    rule: str | None
    due: datetime | None
    in_time: bool
    dataref: str


class EvidenceExported(_CaseEvent):
    """A package of evidence was made for use outside: by which agency, for what, how much."""

    TYPE: ClassVar[str] = "dachuan.case.evidence-exported.v1"

    export_id: UUID
    agency: str | None
    reason: str
    items: int
    files: int
    exported_at: datetime
    dataref: str


ALL = (EvidenceReceived, EvidenceHandedOver, EvidenceExported)
