"""What is handed in, and what its sender is told."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Story = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
Reference = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Channel = Literal[
    "web", "operator", "hotline", "visit", "letter", "message-board", "110", "12315", "12345", "petition", "higher",
    "neighbour", "net-patrol", "patrol", "liaison", "media", "telecom", "import",
]  # fmt: skip


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TipBody(_Strict):
    """What one tip says. Nothing about who sends it is asked for."""

    subject: Line = ""
    text: Story
    area: Line | None = Field(default=None, description="Code or name of an area of the plan; unknown: leave out")
    place: Line | None = Field(default=None, description="Where, in the sender's own words")
    posted_at: AwareDatetime | None = Field(default=None, description="When it was written elsewhere; only a fact")
    external_ref: Reference | None = Field(default=None, description="The number it has in the sending system")


class TipIn(TipBody):
    """One tip handed in by an officer or an agency's system."""

    plan: Reference
    channel: Channel


class PublicTipIn(TipBody):
    """One tip by a citizen."""

    plan: Reference


class BatchIn(_Strict):
    """Up to 500 tips in one request; each stands or falls alone. `external_ref` makes repeating safe."""

    plan: Reference
    channel: Channel
    tips: list[dict[str, object]] = Field(min_length=1, max_length=5000)


class Words(BaseModel):
    """One statement in Chinese and English."""

    zh: str
    en: str


class Referral(BaseModel):
    """Where a matter belongs that is not pyramid selling."""

    topic: str
    place: Words


class TipOut(BaseModel):
    """A tip as its sender's agency may see it. The receipt is shown once, in the answer to the sender."""

    tip_id: UUID
    receipt: str | None = None
    replayed: bool = False
    state: Literal["lead", "referred"]
    relevant: bool
    urgent: bool
    kinds: list[str]
    area: str | None
    agency: str | None
    unit: str | None
    rule: str
    reason: Words
    referral: Referral | None = None
    lead_id: UUID | None
    received_at: datetime


class PublicTipOut(BaseModel):
    """What a citizen gets: the receipt, and in plain words what happens next."""

    receipt: str
    state: Literal["lead", "referred"]
    next: Words
    received_at: datetime


class BatchRow(BaseModel):
    """What became of one row of a bulk request."""

    index: int
    status: Literal["created", "replayed", "rejected"]
    tip: TipOut | None = None
    problem: dict[str, object] | None = None


class BatchOut(BaseModel):
    """What became of each row, in order."""

    created: int
    replayed: int
    rejected: int
    rows: list[BatchRow]


class ReceiptIn(_Strict):
    """A receipt as typed."""

    receipt: Annotated[str, StringConstraints(max_length=60)]


class ReceiptOut(BaseModel):
    """How a reporter's tip stands, in plain words."""

    state: Literal["lead", "referred"]
    received_at: datetime
    words: Words


class TipFull(TipOut):
    """A tip as an entitled officer sees it: its words, what they were read as, and the rules tried."""

    version: int
    reviewed_at: datetime | None
    channel: str
    subject: str
    text: str
    place: str | None
    posted_at: datetime | None
    external_ref: str | None
    words: list[dict[str, str]]
    steps: list[dict[str, str]]
