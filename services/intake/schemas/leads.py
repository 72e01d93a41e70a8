"""Leads as officers and agencies' systems see them, and what may be asked of them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.intake.domain.reading.model import TOPICS, Kind
from services.intake.schemas.tips import Words

Topic = Literal[TOPICS]  # type: ignore[valid-type]
PlaceWords = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=80)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MergeIn(_Strict):
    """Which lead goes into the one in the address."""

    lead_id: UUID


class SplitIn(_Strict):
    """Either the joining to undo, or the tips that are about another target."""

    undoes: UUID | None = None
    tip_ids: tuple[UUID, ...] = Field(default=(), max_length=500)

    @model_validator(mode="after")
    def _one(self) -> "SplitIn":
        if (self.undoes is None) == (not self.tip_ids):
            raise ValueError("undoes 与 tip_ids 二选一 / give either undoes or tip_ids")
        return self


class ReviewIn(_Strict):
    """An officer's word on a reading: nothing given confirms it, what is given corrects it.

    `places` are the places it is about, in words (兴华里5栋301); `area` null says that the area is not known.
    """

    relevant: bool | None = None
    urgent: bool | None = None
    kinds: tuple[Kind, ...] | None = Field(default=None, max_length=9)
    area: str | None = Field(default=None, max_length=200)
    belongs_to: Topic | None = None
    places: tuple[PlaceWords, ...] | None = Field(default=None, max_length=8)


class LeadOut(BaseModel):
    """A lead in a list."""

    lead_id: UUID
    version: int
    plan: str
    area: str | None
    kinds: list[str]
    urgent: bool
    state: Literal["open", "merged", "closed"]
    agency: str
    unit: str | None
    rule: str
    tips: int
    received_at: datetime
    last_at: datetime | None
    gathering_at: datetime | None
    merged_into: UUID | None
    targets: list["TargetOut"]


class TargetOut(BaseModel):
    """One thing a lead is about; without `words` it names a person or a phone, which only a tip's own words tell."""

    kind: str
    words: str | None
    mentioned_only: bool


class LeadTip(BaseModel):
    """A tip of a lead: its own number and dates, never its words."""

    tip_id: UUID
    version: int
    channel: str
    received_at: datetime
    posted_at: datetime | None
    external_ref: str | None
    kinds: list[str]
    urgent: bool
    reviewed_at: datetime | None
    earliest: bool
    readable: bool


class TimelineItem(BaseModel):
    """One thing that happened to a lead."""

    at: datetime
    step: str
    title: Words
    agency: str | None
    number: UUID | None
    tips: list[UUID]
    other_lead_id: UUID | None
    score: int | None
    reasons: list[Words]
    may_undo: bool


class SuggestionOut(BaseModel):
    """Another lead that may be about the same target, or was about it before."""

    suggestion_id: UUID
    version: int
    kind: Literal["same", "seen_before"]
    state: str
    score: int
    reasons: list[Words]
    lead_id: UUID
    area: str | None
    kinds: list[str]
    tips: int
    received_at: datetime
    made_at: datetime


class RuleStepOut(BaseModel):
    """One routing rule: tried, matched, skipped, or not reached."""

    rule: str
    outcome: str
    why: Words


class RoutingOut(BaseModel):
    """Who has it and by which rule; the steps are those of the rules in force. `rules_changed`: they would decide
    otherwise today, which moves nothing by itself."""

    rule: str
    agency: str
    unit: str | None
    rules_changed: bool
    steps: list[RuleStepOut]


class GatheringOut(BaseModel):
    """Signals about one place that came close together."""

    gathering_id: UUID
    level: Literal["building", "estate"]
    place: str
    signals: int
    found_at: datetime


class CaseParty(BaseModel):
    """An agency's part in the case of the lead, as casework told."""

    lead_id: UUID | None
    number: str
    agency: str
    unit: str | None
    role: str | None
    state: str
    due: datetime | None
    accepted_at: datetime | None


class LeadFullOut(LeadOut):
    """One lead: its tips, its targets, its history, what may be the same, and how it was routed.

    `acted_after_seconds` is the time from the first receipt to the first acceptance of its case (D-M5).
    """

    closed_at: datetime | None
    tip_ids: list[UUID]
    all_tips: list[LeadTip]
    timeline: list[TimelineItem]
    suggestions: list[SuggestionOut]
    gatherings: list[GatheringOut]
    cases: list[CaseParty]
    merged_lead_ids: list[UUID]
    routing: RoutingOut
    acted_after_seconds: float | None


class ChangeOut(BaseModel):
    """What an act came to; `number` is its own in the history (none when the same request came before)."""

    lead_id: UUID
    version: int
    number: UUID | None


class ReviewOut(BaseModel):
    """What came of a review; `elsewhere` is the agency to hand over to, since nothing moves by itself."""

    tip_id: UUID
    version: int
    effect: Literal["none", "change", "raise", "open", "leave", "keep"]
    lead_id: UUID | None
    elsewhere: str | None
    words: Words


class LabelsOut(BaseModel):
    """Labels of a reading."""

    relevant: bool
    urgent: bool
    kinds: list[str]
    area: str | None
    belongs_to: str | None
    places: list[str]


class ExampleOut(BaseModel):
    """A confirmed or corrected reading for training: where the sealed words are, and the labels before and after."""

    example_id: UUID
    tip_id: UUID
    dataref: str
    channel: str
    lexicon: str
    agreed: bool
    before: LabelsOut
    after: LabelsOut
    at: datetime
