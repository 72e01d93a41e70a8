"""Events of casework about the persons of a case (涉案人员): ids, codes and times; never who they are."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.envelope import EventData


class _PersonEvent(EventData):
    TOPIC: ClassVar[str] = "casework.case.v1"

    case_id: UUID
    plan: str
    area: str | None
    agency: str
    unit: str | None

    @property
    def key(self) -> str:
        return str(self.case_id)


class PersonRecorded(_PersonEvent):
    """A person was recorded in a case (D-M7): `in_time` when within `rule` after being found.

    `seen_before` counts the other cases in which the same person stands (曾涉传).
    """

    TYPE: ClassVar[str] = "dachuan.person.recorded.v1"

    part_id: UUID
    known_id: UUID
    role: str
    found_at: datetime
    recorded_at: datetime
    rule: str
    due: datetime
    in_time: bool
    seen_before: int
    dataref: str


class PersonRoleChanged(_PersonEvent):
    """A person's role in a case proved to be another one."""

    TYPE: ClassVar[str] = "dachuan.person.role-changed.v1"

    part_id: UUID
    before: str
    role: str
    changed_at: datetime


class PersonSeenAgain(_PersonEvent):
    """A person of another case stands in this one too (X-G2): `since` is when they were last found before."""

    TYPE: ClassVar[str] = "dachuan.person.seen-again.v1"

    part_id: UUID
    known_id: UUID
    role: str
    earlier_cases: int
    since: datetime
    seen_at: datetime
    dataref: str


class PersonChecked(_PersonEvent):
    """A person's identity was checked (X-D7d)."""

    TYPE: ClassVar[str] = "dachuan.person.checked.v1"

    part_id: UUID
    outcome: str
    checked_at: datetime


class PersonSampled(_PersonEvent):
    """A sample was taken of a person, under a recorded legal basis (D-B5a). Nothing of the sample is kept or told."""

    TYPE: ClassVar[str] = "dachuan.person.sampled.v1"

    part_id: UUID
    sample: str
    sampled_at: datetime


class PersonDisposed(_PersonEvent):
    """What became of a person (处置); `home_area` (GB/T 2260) where they were sent home, `follow_up` the day to look again.

    `in_time`: within `rule` after being found.
    """

    TYPE: ClassVar[str] = "dachuan.person.disposed.v1"

    part_id: UUID
    role: str
    disposition: str
    home_area: str | None
    to_agency: str | None
    follow_up: date | None
    officers: int
    disposed_at: datetime
    rule: str
    due: datetime
    in_time: bool


class PersonFollowedUp(_PersonEvent):
    """A person who was educated was looked at again (D-M4)."""

    TYPE: ClassVar[str] = "dachuan.person.followed-up.v1"

    part_id: UUID
    outcome: str
    due: date
    in_time: bool
    followed_up_at: datetime


class PersonEntered(_PersonEvent):
    """A person stands in the police information system (录入警综), its receipt on record (D-B5a)."""

    TYPE: ClassVar[str] = "dachuan.person.entered.v1"

    part_id: UUID
    entered_at: datetime
    rule: str
    due: datetime
    in_time: bool


class CaseEntered(_PersonEvent):
    """A case stands in the information system (D-M7)."""

    TYPE: ClassVar[str] = "dachuan.case.entered.v1"

    entered_at: datetime
    rule: str
    due: datetime
    in_time: bool


class RecordOverdue(_PersonEvent):
    """What should be on record by `due` is not: a person's or the case's entry, or a person's follow-up (D-M7, D-M4)."""

    TYPE: ClassVar[str] = "dachuan.case.record-overdue.v1"

    what: Literal["person_entry", "case_entry", "follow_up"]
    part_id: UUID | None
    due: datetime
    overdue_at: datetime


ALL = (
    PersonRecorded,
    PersonRoleChanged,
    PersonSeenAgain,
    PersonChecked,
    PersonSampled,
    PersonDisposed,
    PersonFollowedUp,
    PersonEntered,
    CaseEntered,
    RecordOverdue,
)
