"""Events of casework about places (窝点、场所): found, cleared, sealed, revisited, seen again; no addresses."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.envelope import EventData


class _PlaceEvent(EventData):
    TOPIC: ClassVar[str] = "casework.case.v1"

    case_id: UUID
    plan: str
    area: str | None
    place_id: UUID
    kind: str
    dataref: str

    @property
    def key(self) -> str:
        return str(self.case_id)


class DenRecorded(_PlaceEvent):
    """A place was found used for pyramid selling (X-D7a). `place_id` is casework's; `registered_id` intake's, if known.

    `again`: the place had been cleared before (死灰复燃).
    """

    TYPE: ClassVar[str] = "dachuan.den.recorded.v1"

    den_id: UUID
    registered_id: UUID | None
    agency: str
    unit: str | None
    officers: int
    people: int
    again: bool
    found_at: datetime
    recorded_at: datetime


class DenCleared(_PlaceEvent):
    """A den was cleared (捣毁、取缔): when, by whom, with how many officers."""

    TYPE: ClassVar[str] = "dachuan.den.cleared.v1"

    den_id: UUID
    agency: str
    unit: str | None
    officers: int
    found_at: datetime
    cleared_at: datetime


class DenSealed(_PlaceEvent):
    """A den was put under seal, or the seal was lifted (`sealed` false)."""

    TYPE: ClassVar[str] = "dachuan.den.sealed.v1"

    den_id: UUID
    agency: str
    unit: str | None
    sealed: bool
    at: datetime


class DenRevisited(_PlaceEvent):
    """A cleared den was looked at again (X-D9), the `number`-th time."""

    TYPE: ClassVar[str] = "dachuan.den.revisited.v1"

    den_id: UUID
    revisit_id: UUID
    agency: str
    number: int
    outcome: str
    due: date
    in_time: bool
    revisited_at: datetime


class RevisitOverdue(_PlaceEvent):
    """The day of a revisit passed without it (X-D9)."""

    TYPE: ClassVar[str] = "dachuan.den.revisit-overdue.v1"

    den_id: UUID
    revisit_id: UUID
    agency: str
    number: int
    due: date
    overdue_at: datetime


class PlaceSeenAgain(_PlaceEvent):
    """死灰复燃 (X-G2): a place cleared at `since` is used again, or its landlord has let another den.

    `cause`: found in a case, or seen in a revisit.
    """

    TYPE: ClassVar[str] = "dachuan.place.seen-again.v1"

    what: Literal["place", "landlord"]
    cause: Literal["case", "revisit"]
    since: datetime
    seen_at: datetime


ALL = (DenRecorded, DenCleared, DenSealed, DenRevisited, RevisitOverdue, PlaceSeenAgain)
