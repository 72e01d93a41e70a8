"""Bodies of reports, bulletins and figures."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from services.notify.schemas.base import Body, Code

Words = Annotated[str, StringConstraints(max_length=10_000, strip_whitespace=True)]
Reason = Annotated[str, StringConstraints(min_length=2, max_length=1000, strip_whitespace=True)]
BulletinKind = Literal["bulletin", "situation", "summary", "progress"]


class ReportSays(Body):
    """What a report says: 具体做法, 取得成果, 存在问题, 意见建议."""

    done: Words = ""
    results: Words = ""
    problems: Words = ""
    suggestions: Words = ""


class ReportReason(Body):
    reason: Reason


class ReportAsk(Body):
    """A report asked for beside the calendar; no agencies: all that report by the plan."""

    day: date
    first_day: date
    agencies: Annotated[list[Code], Field(max_length=200, default_factory=list)]


class ReporterIn(Body):
    account_id: UUID


class FiguresOut(BaseModel):
    """Counts of a period at a position of the event log; equal positions give equal counts and digests."""

    first: date
    last: date
    position: int
    digest: str
    total: dict[str, int]
    by_agency: dict[str, dict[str, int]]
    by_area: dict[str, dict[str, int]]


class ReportRow(BaseModel):
    """A report in a list. `late`: it is missing or came after its time, and that counts."""

    report_id: UUID
    plan: str
    kind: str
    origin: str
    clause: str | None
    agency: str
    to_agency: str
    first_day: date
    day: date
    due: datetime
    counts: bool
    state: str
    late: bool
    submitted_at: datetime | None
    in_time: bool | None
    bulletin_id: UUID | None
    version: int
    href: str


class ReportOut(ReportRow):
    """A report with what it says, and the figures of its days: as sent, or as they stand now."""

    says: ReportSays
    reason: str | None
    """Why it was sent back or taken back."""
    figures: FiguresOut
    history: list[dict[str, Any]]


class RoundOut(BaseModel):
    """A day of reporting with its missing list (缺报名单)."""

    plan: str
    kind: str
    first_day: date
    day: date
    due: datetime
    counts: bool
    owed: int
    came: int
    late: int
    missing: list[str]


class TurnOut(BaseModel):
    """A day of the plan's calendar; explicit dates win over the rule."""

    kind: str
    clause: str | None
    first_day: date
    day: date
    by: list[str]
    to: str


class ReporterOut(BaseModel):
    """Who reports for an agency; version 0: nobody is named."""

    agency: str
    account_id: UUID | None
    display_name: str | None
    version: int


class BulletinSection(Body):
    heading: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
    body: Annotated[str, StringConstraints(max_length=20_000, strip_whitespace=True)] = ""


class BulletinIn(Body):
    """What to compile: of which days; a report upward may be that of a milestone of the plan."""

    kind: BulletinKind
    first_day: date
    last_day: date
    milestone: Code | None = None
    to_agency: Code | None = None


class BulletinSays(Body):
    title: Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
    sections: Annotated[list[BulletinSection], Field(min_length=1, max_length=20)]


class BulletinRow(BaseModel):
    bulletin_id: UUID
    plan: str
    kind: str
    milestone: str | None
    to_agency: str | None
    title: str
    first_day: date
    last_day: date
    state: str
    number: str | None
    released_at: datetime | None
    created_at: datetime
    version: int
    href: str


class BulletinOut(BulletinRow):
    """A bulletin with what it says and the figures it stands on."""

    sections: list[BulletinSection]
    reason: str | None
    """Why it was sent back or recalled."""
    figures: FiguresOut
    reports: list[dict[str, Any]]
    missing: list[str]
    edited_by: str
    proposed_by: str | None
    released_by: str | None
    history: list[dict[str, Any]]


class BulletinCheck(BaseModel):
    """Whether the figures come out the same when counted anew at the position they stand at."""

    same: bool
    position: int
    digest: str
    counted: FiguresOut
