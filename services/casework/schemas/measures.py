"""Bodies of what stands beside measures and penalties: items, instalments, payments, what lapses soon."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.casework.schemas.cases import Words

Yuan = Annotated[Decimal, Field(ge=0, lt=Decimal(10) ** 13, decimal_places=2, description="Yuan, at most two decimals")]
ItemKind = Literal["premises", "goods", "cash", "papers", "device", "vehicle", "other"]
Outcome = Literal["returned", "confiscated", "destroyed", "transferred"]


class ItemIn(BaseModel):
    """An item as it is found; `holder`, `kept_at` and the other words are kept sealed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    kind: ItemKind
    name: str = Field(min_length=1, max_length=200)
    quantity: int = Field(1, ge=1, le=1_000_000)
    unit: str = Field("", max_length=10)
    value: Yuan | None = None
    holder: str = Field("", max_length=100)
    kept_at: str = Field("", max_length=200)
    remarks: str = Field("", max_length=500)
    evidence_id: UUID | None = None


class ItemsIn(BaseModel):
    """Items to put on the list."""

    model_config = ConfigDict(extra="forbid")

    items: list[ItemIn] = Field(min_length=1, max_length=500)


class OutcomeIn(BaseModel):
    """What became of items; none named: of all that are still held."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    items: list[UUID] = Field(default_factory=list, max_length=500)
    outcome: Outcome
    on: date
    receipt: str = Field("", max_length=200, description="Who received it, or the record of destruction; kept sealed")


class InstalmentIn(BaseModel):
    """One instalment."""

    model_config = ConfigDict(extra="forbid")

    due_on: date
    amount: Annotated[Yuan, Field(gt=0)]


class InstalmentsIn(BaseModel):
    """The whole plan; it takes the place of what was drawn up before."""

    model_config = ConfigDict(extra="forbid")

    instalments: list[InstalmentIn] = Field(min_length=1, max_length=60)


class PaymentIn(BaseModel):
    """What was paid."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    paid_on: date
    amount: Annotated[Yuan, Field(gt=0)]
    way: Literal["paid", "enforced"] = "paid"
    receipt: str = Field(min_length=1, max_length=80)


class LapsingOut(BaseModel):
    """A measure in force that ends soon."""

    proceeding_id: UUID
    number: str
    kind: str
    name: Words
    case_id: UUID | None
    case_number: str | None
    agency: str
    unit: str | None
    until: date
    due: datetime | None
    days_left: int
    article: str | None
    provisional: bool
    links: dict[str, str]


class LapsingPage(BaseModel):
    """Those that end within `days`, the first first; `rule` is the plan's that gave the days where none were asked."""

    days: int
    rule: str | None
    items: list[LapsingOut]
