"""Events of the reporting calendar (报送): what an agency owes by when, that it came, late or not, or did not come."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.envelope import EventData


class _ReportEvent(EventData):
    """`kind` is `regular`, or the id of the plan's milestone (a situation report, a summary); `origin` is `plan` or `office`.

    `due` is the end of the day it is for; `area` is a community's own.
    """

    TOPIC: ClassVar[str] = "notify.report.v1"

    report_id: UUID
    plan: str
    agency: str
    area: str | None
    to_agency: str
    kind: str
    origin: Literal["plan", "office"]
    clause: str | None
    first_day: date
    day: date
    due: datetime
    dataref: str

    @property
    def key(self) -> str:
        return str(self.report_id)


class ReportOwed(_ReportEvent):
    """An agency owes a report. `counts` is false where its day had passed before the plan was issued or known here."""

    TYPE: ClassVar[str] = "dachuan.report.owed.v1"

    counts: bool
    owed_at: datetime


class ReportSubmitted(_ReportEvent):
    """A report came, told once; `late` when that was after its time and the lateness counts."""

    TYPE: ClassVar[str] = "dachuan.report.submitted.v1"

    late: bool
    submitted_at: datetime


class ReportMissed(_ReportEvent):
    """The time of a report that counts has passed, and it has not come; it may still come late."""

    TYPE: ClassVar[str] = "dachuan.report.missed.v1"

    missed_at: datetime


class ReportDropped(_ReportEvent):
    """A report is no longer asked: the office took it back, or the plan no longer lists its day."""

    TYPE: ClassVar[str] = "dachuan.report.dropped.v1"

    dropped_at: datetime


ALL: tuple[type[EventData], ...] = (ReportOwed, ReportSubmitted, ReportMissed, ReportDropped)
