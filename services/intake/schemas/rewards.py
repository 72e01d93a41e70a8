"""Bodies of rewards, the fund and retention."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.intake.schemas.tips import ReceiptIn, Reference, Words

Money = Annotated[Decimal, Field(ge=0, max_digits=13, decimal_places=2)]
"""Yuan, to the fen."""
ClaimReason = Literal[
    "not-verified", "known-before", "not-earliest", "not-natural-person", "official", "infringed-party", "offender",
    "already-rewarded",
]  # fmt: skip
Reason = Literal[ClaimReason, "wrong-figures", "not-collected", "no-budget"]
RewardState = Literal[
    "proposed", "once_approved", "approved", "partly_paid", "paid", "refused", "withdrawn", "lapsed"
]  # fmt: skip


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClaimIn(ReceiptIn):
    """The receipt of the tip the reward is asked for. No name is asked."""


class ClaimOpened(BaseModel):
    """The one-time code, shown once; with it and the receipt the reward is collected."""

    code: str
    next: Words


class CollectIn(ReceiptIn):
    """Receipt and one-time code."""

    code: Annotated[str, StringConstraints(max_length=60)]


class Collect(BaseModel):
    """The token to show at the counter; a new one replaces it."""

    token: str
    amount: Decimal
    valid_until: datetime
    where: Words | None


class RewardStanding(BaseModel):
    """How a reward stands for the holder of a receipt, in plain words."""

    state: Literal["none", "claimed", "deciding", "ready", "paid", "refused", "not-rewarded"]
    claimed: bool
    can_claim: bool
    can_collect: bool
    amount: Decimal | None
    words: Words


class RewardFacts(_Strict):
    """What a reward is reckoned from; entered by hand with the number of the document it stands in."""

    lead_id: UUID
    scheme: Reference
    level: Reference | None = None
    fine: Money = Decimal(0)
    confiscated: Money = Decimal(0)
    dens: int = Field(default=0, ge=0, le=10_000)
    document_no: Reference
    finance_no: Reference | None = Field(default=None, description="Number of the finance office's consent")
    joined: tuple[UUID, ...] = Field(default=(), max_length=50, description="Tips joined to the earliest by officers")


class StepOut(BaseModel):
    """One step of the reckoning."""

    rule: str
    zh: str
    en: str
    result: Decimal
    article: str
    certainty: str
    provisional: bool


class ShareOut(BaseModel):
    """One reporter's part; who that is, nobody here knows."""

    share_id: UUID
    reported_at: datetime
    channel: str
    amount: Decimal
    claimed: bool
    paid_at: datetime | None
    voucher_no: str | None


class RewardPreview(BaseModel):
    """What would be proposed; nothing is kept."""

    scheme: str
    level: str | None
    day: date
    total: Decimal
    steps: list[StepOut]
    shares: list[Decimal]
    known_before: bool
    later_reports: int
    settle_with_finance: bool
    provisional: bool
    fund: str
    year: int
    available_after: Decimal


class RewardOut(BaseModel):
    """A reward as those who decide on it see it."""

    reward_id: UUID
    plan: str
    lead_id: UUID
    area: str | None
    agency: str
    scheme: str
    level: str | None
    day: date
    fine: Decimal
    confiscated: Decimal
    dens: int
    source: Literal["hand", "casework"]
    document_no: str
    finance_no: str | None
    known_before: bool
    total: Decimal
    provisional: bool
    fund: str
    year: int
    state: RewardState
    reason: str | None
    proposed_by: str
    proposed_at: datetime
    decided_at: datetime | None
    version: int


class ApprovalOut(BaseModel):
    """One approval."""

    number: int
    approver: str
    at: datetime


class RewardFull(RewardOut):
    """A reward with its steps, parts and approvals."""

    steps: list[StepOut]
    shares: list[ShareOut]
    approvals: list[ApprovalOut]


class RefusalIn(_Strict):
    """Why, as a code; the reporter reads its words by receipt."""

    reason: Reason


class ClaimRefusalIn(_Strict):
    """Why a claim is refused."""

    reason: ClaimReason


class ClaimOut(BaseModel):
    """A claim as the reward desk sees it: which lead, since when; not who."""

    claim_id: UUID
    plan: str
    area: str | None
    lead_id: UUID | None
    reported_at: datetime
    channel: str
    state: Literal["open", "refused"]
    reason: str | None
    reward_id: UUID | None
    opened_at: datetime
    version: int


class PaymentIn(_Strict):
    """A payout token as shown at the counter, and the number of the voucher the payment stands in."""

    token: Annotated[str, StringConstraints(max_length=60)]
    voucher_no: Reference


class Paid(BaseModel):
    """One payment."""

    share_id: UUID
    reward_id: UUID
    amount: Decimal
    paid_at: datetime
    voucher_no: str
    replayed: bool = False


class FundOut(BaseModel):
    """A fund line in one year; each figure is the sum of its entries."""

    plan: str
    fund: str
    year: int
    budget: Decimal
    committed: Decimal
    paid: Decimal
    available: Decimal
    expected: Decimal
    short: bool


class EntryOut(BaseModel):
    """One entry of a fund."""

    seq: int
    kind: Literal["budget", "commitment", "release", "payment"]
    amount: Decimal
    reward_id: UUID | None
    document_no: str
    at: datetime
    by: str


class BudgetIn(_Strict):
    """Money given for the year (negative: taken back), with the number of the document."""

    amount: Decimal = Field(ge=-99_999_999_999, le=99_999_999_999, decimal_places=2)
    document_no: Reference


class HoldIn(_Strict):
    """A lead whose reporters' words must be kept, with the number of the document that asks for it."""

    lead_id: UUID
    document_no: Reference


class HoldOut(BaseModel):
    """A hold (留存)."""

    hold_id: UUID
    lead_id: UUID
    document_no: str
    placed_by: str
    placed_at: AwareDatetime
    lifted_by: str | None
    lifted_at: AwareDatetime | None
    version: int


CodeState = Literal["asked", "agreed", "released", "given", "refused"]


class CodeAskOut(BaseModel):
    """Where the request stands; `code` is the new one, shown once."""

    state: CodeState
    code: str | None


class CodeRequestOut(BaseModel):
    """A request for a new code; who asked is not known."""

    id: UUID
    plan: str
    area: str | None
    tip_id: UUID
    state: CodeState
    asked_at: datetime
    first_at: datetime | None
    second_at: datetime | None
    given_at: datetime | None
    mine: bool
    version: int


class CodeDecisionIn(_Strict):
    """Agree to a new code, or refuse."""

    decision: Literal["agree", "refuse"]
