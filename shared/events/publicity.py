"""Events of notify about what is public (宣传、曝光、警示): exposures, campaigns done and missed, warnings; no prose."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.envelope import EventData


class _PublicityEvent(EventData):
    """`agency` is the one that it counts for; `clause` the clause of the plan it rests on."""

    TOPIC: ClassVar[str] = "notify.publicity.v1"

    plan: str
    area: str | None
    agency: str | None
    unit: str | None
    clause: str
    dataref: str


class _ExposureEvent(_PublicityEvent):
    exposure_id: UUID

    @property
    def key(self) -> str:
        return str(self.exposure_id)


class ExposureRecorded(_ExposureEvent):
    """Media or a superior made something in an area known (被曝光, D-Q1.3).

    `source` says who: `media` (then `medium` is television, newspaper, radio, website, social_media or other) or
    `superior` (a higher body's inspection, notice or letter). `level` is how high the medium or body stands.
    `grounds` are codes: activity, duty_undone, complaint_unhandled, concealed, other. `found_before` is whether the
    area had found and reported it itself before (`own_found_at`): discovering never hurts. `lead_id`, `case_id` and
    `proceeding_id` name the matter where it is known. `version` rises with each correction: the last one holds.
    """

    TYPE: ClassVar[str] = "dachuan.publicity.exposure-recorded.v1"

    version: int
    source: Literal["media", "superior"]
    medium: str | None
    level: Literal["town", "county", "city", "province", "national"]
    grounds: tuple[str, ...]
    found_before: bool
    own_found_at: datetime | None
    lead_id: UUID | None
    case_id: UUID | None
    proceeding_id: UUID | None
    happened_at: datetime
    recorded_at: datetime


class ExposureWithdrawn(_ExposureEvent):
    """A recorded exposure was withdrawn as a mistake: it never was."""

    TYPE: ClassVar[str] = "dachuan.publicity.exposure-withdrawn.v1"

    version: int
    reason: Literal["mistaken", "duplicate", "other_area"]
    withdrawn_at: datetime


class _CampaignEvent(_PublicityEvent):
    """One thing that the schedule of a campaign asks for: `campaign` is its id in the plan, `kind` its kind.

    `target` is the code of the area, place or operator it is for, `period` the month, day or round it belongs to.
    """

    item_id: UUID
    campaign: str
    kind: str
    target: str
    period: str
    due: datetime

    @property
    def key(self) -> str:
        return str(self.item_id)


class CampaignDone(_CampaignEvent):
    """A scheduled thing was done and proved; `late`: after it was due. `reached` is how many people, where known."""

    TYPE: ClassVar[str] = "dachuan.publicity.campaign-done.v1"

    late: bool
    reached: int | None
    done_at: datetime
    recorded_at: datetime


class CampaignMissed(_CampaignEvent):
    """A scheduled thing was not proved by its due time."""

    TYPE: ClassVar[str] = "dachuan.publicity.campaign-missed.v1"

    missed_at: datetime


class CampaignReturned(_CampaignEvent):
    """The proof was looked at and returned as none: the thing is not done, and missed again when its time has passed."""

    TYPE: ClassVar[str] = "dachuan.publicity.campaign-returned.v1"

    returned_at: datetime


class CampaignWaived(_CampaignEvent):
    """The office no longer asks for it there and then, with a reason on record: it was not missed."""

    TYPE: ClassVar[str] = "dachuan.publicity.campaign-waived.v1"

    waived_at: datetime


class _WarningEvent(_PublicityEvent):
    """`areas` are those the warning is for; none means the whole plan's area."""

    warning_id: UUID
    number: str
    kind: Literal["warning", "reminder", "exposed_case"]
    version: int
    areas: tuple[str, ...]

    @property
    def key(self) -> str:
        return str(self.warning_id)


class WarningPublished(_WarningEvent):
    """A public warning, reminder or exposed case stands on the public page (条例 23, D-M4); again with each version."""

    TYPE: ClassVar[str] = "dachuan.publicity.warning-published.v1"

    published_at: datetime


class WarningRecalled(_WarningEvent):
    """A public warning was taken back; what stands there now says so, and why by its code."""

    TYPE: ClassVar[str] = "dachuan.publicity.warning-recalled.v1"

    reason: Literal["mistaken", "outdated", "privacy", "court", "superior"]
    recalled_at: datetime


ALL = (
    ExposureRecorded,
    ExposureWithdrawn,
    CampaignDone,
    CampaignMissed,
    CampaignReturned,
    CampaignWaived,
    WarningPublished,
    WarningRecalled,
)
