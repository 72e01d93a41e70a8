"""Bodies of publicity: campaigns and their proofs, places, materials, the log, exposures."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Link = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^(https?://[^\s@]+)?$")]
CodeOf = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Count = Annotated[int, Field(ge=0, le=100_000_000)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CampaignProofIn(_In):
    """What was done. Files are added to the thing first; the kind of the campaign says what it needs."""

    done_on: date | None = None
    reached: Count | None = None
    figures: dict[CodeOf, Count] = Field(default={}, max_length=20)
    groups: list[CodeOf] = Field(default=[], max_length=20)
    link: Link = ""
    note: Note = ""
    material_id: UUID | None = None


class CampaignItemRef(_In):
    """A thing and the version of it that was read."""

    item_id: UUID
    version: int


class CampaignProofsIn(CampaignProofIn):
    """One proof for several rounds of one campaign at one place."""

    items: list[CampaignItemRef] = Field(min_length=1, max_length=100)


class CampaignReasonIn(_In):
    reason: Reason


class CampaignRecordOut(BaseModel):
    record_id: UUID
    done_on: date
    reached: int | None
    figures: dict[str, int]
    groups: list[str]
    link: str
    note: str
    material_id: UUID | None
    material_version: int | None
    late: bool
    state: str
    reason: str | None
    recorded_at: datetime
    returned_at: datetime | None


class KeptFileOut(BaseModel):
    """A file; `href` opens its copy without hidden data."""

    file_id: UUID
    kind: str
    media_type: str
    size: int
    received_at: datetime
    href: str


class CampaignItemOut(BaseModel):
    """A thing of the schedule. `missing`: its time passed, or it was marked missed, and nothing proves it."""

    item_id: UUID
    campaign: str
    kind: str
    clause: str
    agency: str
    unit: str | None
    area: str | None
    target: str
    target_words: str
    period: str
    first_day: date
    last_day: date
    due: datetime
    counts: bool
    state: str
    missing: bool
    late: bool | None
    done_on: date | None
    reached: int | None
    version: int
    href: str


class CampaignItemFullOut(CampaignItemOut):
    """With what it needs as proof, what was told of it, and its files."""

    needs: list[str]
    one_of: list[str]
    figures_asked: list[str]
    records: list[CampaignRecordOut]
    files: list[KeptFileOut]


class TallyOut(BaseModel):
    missing: int
    open: int
    done: int
    late: int
    reached: int


class CampaignBoardOut(BaseModel):
    """The board's figures: of all, by area, campaign and agency."""

    all: TallyOut
    soon: int
    by_area: dict[str, TallyOut]
    by_campaign: dict[str, TallyOut]
    by_agency: dict[str, TallyOut]


class CampaignFigureOut(BaseModel):
    campaign: str
    area: str | None
    times: int
    reached: int
    figures: dict[str, int]


class PublicityPlaceIn(_In):
    kind: Literal[
        "community", "school", "factory", "station", "dock", "port", "talent_market", "labour_market", "job_agency",
        "job_site", "venue", "other",
    ]  # fmt: skip
    title: Line
    area: CodeOf


class PublicityPlaceChange(_In):
    active: bool


class PublicityPlaceOut(BaseModel):
    place_id: UUID
    kind: str
    title: str
    area: str
    active: bool
    version: int


class MaterialWordsIn(_In):
    title: Line
    body: Prose
    areas: list[CodeOf] = Field(default=[], max_length=100)


class MaterialIn(MaterialWordsIn):
    kind: Literal["slogan", "letter", "sms", "film", "column", "notice"]


class MaterialVersionOut(BaseModel):
    number: int
    title: str
    body: str
    areas: list[str]
    issued_at: datetime


class MaterialSpreadOut(BaseModel):
    """How a version was spread in an area."""

    number: int
    area: str | None
    times: int
    reached: int


class MaterialOut(BaseModel):
    material_id: UUID
    agency: str
    kind: str
    title: str
    body: str
    areas: list[str]
    state: str
    current: int
    changed_at: datetime
    version: int


class MaterialFullOut(MaterialOut):
    versions: list[MaterialVersionOut]
    spread: list[MaterialSpreadOut]


class LogEntryIn(_In):
    """Something published about the work (宣传报道)."""

    agency: CodeOf
    area: CodeOf | None = None
    kind: Literal["report", "feature", "column", "interview", "own_account", "briefing"]
    medium: Literal["television", "newspaper", "radio", "website", "social_media", "board", "other"]
    outlet: Line
    title: Line
    link: Link = ""
    published_on: date
    reached: Count | None = None


class LogEntryOut(BaseModel):
    entry_id: UUID
    agency: str
    area: str | None
    kind: str
    medium: str
    outlet: str
    title: str
    link: str
    published_on: date
    reached: int | None
    state: str
    reason: str | None
    version: int


class ExposureIn(_In):
    """Something that media or a superior made known (曝光)."""

    agency: CodeOf
    area: CodeOf
    source: Literal["media", "superior"]
    medium: Literal["television", "newspaper", "radio", "website", "social_media", "other"] | None = None
    level: Literal["town", "county", "city", "province", "national"]
    outlet: Line
    link: Link = ""
    summary: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
    grounds: list[Literal["activity", "duty_undone", "complaint_unhandled", "concealed", "other"]] = Field(min_length=1)
    found_before: bool = False
    own_found_at: AwareDatetime | None = None
    lead_id: UUID | None = None
    case_id: UUID | None = None
    proceeding_id: UUID | None = None
    happened_at: AwareDatetime

    @model_validator(mode="after")
    def _once(self) -> Self:
        self.grounds = list(dict.fromkeys(self.grounds))
        return self


class ExposureOut(BaseModel):
    exposure_id: UUID
    agency: str
    area: str
    source: str
    medium: str | None
    level: str
    outlet: str
    link: str
    summary: str
    grounds: list[str]
    found_before: bool
    own_found_at: datetime | None
    lead_id: UUID | None
    case_id: UUID | None
    proceeding_id: UUID | None
    happened_at: datetime
    state: str
    reason: str | None
    version: int


class LogWithdrawIn(_In):
    reason: Reason


class ExposureWithdrawIn(_In):
    reason: Literal["mistaken", "duplicate", "other_area"]
