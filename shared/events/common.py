"""Parts that several events carry."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class PartyFact(BaseModel):
    """An agency's part in a joint case: `lead`, `co` (co-agency) or `coordinator` (the office)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    agency: str
    unit: str | None = None
    role: str


class DeadlineFact(BaseModel):
    """A deadline as its owner published it.

    `rule` names the entry of the law data or the plan that sets the limit; `calendar` the version of the
    working-day calendar; `provisional` is true while a calendar year is unpublished or no rule was in force.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    deadline_id: UUID
    kind: str
    agency: str
    unit: str | None = None
    rule: str
    calendar: str
    start: datetime
    due: datetime
    provisional: bool = False
