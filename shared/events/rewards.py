"""Events of intake about informant rewards and the fund that pays them. No person, no receipt, no code stands in them."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.envelope import EventData


class _RewardEvent(EventData):
    TOPIC: ClassVar[str] = "intake.reward.v1"

    lead_id: UUID
    plan: str
    area: str | None
    agency: str
    at: datetime

    @property
    def key(self) -> str:
        return str(self.lead_id)


class RewardProposed(_RewardEvent):
    """A reward was proposed for the earliest reporter of a lead; `amount` (yuan) is set aside in the fund.

    `shares` counts the reporters who share it.
    """

    TYPE: ClassVar[str] = "dachuan.reward.proposed.v1"

    reward_id: UUID
    scheme: str
    level: str | None
    shares: int
    amount: Decimal
    fund: str
    year: int
    dataref: str


class RewardApproved(_RewardEvent):
    """Two persons have approved a reward; its reporters may collect it."""

    TYPE: ClassVar[str] = "dachuan.reward.approved.v1"

    reward_id: UUID
    amount: Decimal
    fund: str
    year: int


class RewardPaid(_RewardEvent):
    """One part of a reward was paid out; `last`: nothing of it is left to pay."""

    TYPE: ClassVar[str] = "dachuan.reward.paid.v1"

    reward_id: UUID
    share_id: UUID
    amount: Decimal
    last: bool
    fund: str
    year: int


class RewardRefused(_RewardEvent):
    """A claim or a proposal ended without (further) payment; `amount` is what is free again in the fund.

    `outcome`: refused, withdrawn by its office, or lapsed uncollected. Either `reward_id` or `claim_id` is given.
    """

    TYPE: ClassVar[str] = "dachuan.reward.refused.v1"

    reward_id: UUID | None
    claim_id: UUID | None
    outcome: Literal["refused", "withdrawn", "lapsed"]
    reason: str
    amount: Decimal | None


class RewardBudgetShort(EventData):
    """The money for rewards begins to run short (D-L): told once, before it is gone, and again after a recovery.

    `expected` is the least that open claims will cost; `keeper` is the agency that keeps the fund.
    """

    TYPE: ClassVar[str] = "dachuan.reward.budget-short.v1"
    TOPIC: ClassVar[str] = "intake.reward.v1"

    warning_id: UUID
    plan: str
    fund: str
    keeper: str
    year: int
    budget: Decimal
    committed: Decimal
    paid: Decimal
    expected: Decimal
    at: datetime
    dataref: str

    @property
    def key(self) -> str:
        return f"{self.plan}/{self.fund}/{self.year}"


ALL: tuple[type[EventData], ...] = (RewardProposed, RewardApproved, RewardPaid, RewardRefused, RewardBudgetShort)
