"""Bodies of notices."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field


class NoticeOut(BaseModel):
    """A notice: ids, codes, times and links; the case itself is opened under the reader's own rights."""

    id: UUID
    case_id: UUID = Field(description="All zeros where the notice is about something else than a case")
    handover_id: UUID | None = None
    lead_id: UUID | None = None
    number: str
    plan: str
    area: str | None
    kinds: list[str]
    urgent: bool
    agency: str
    unit: str | None
    role: str | None
    template: str
    state: Literal["waiting", "signed", "done"]
    late: bool
    rule: str | None
    due: datetime | None
    provisional: bool
    created_at: datetime
    signed_at: datetime | None
    done_at: datetime | None
    in_time: bool | None
    version: int
    rung: int = Field(default=0, description="How often it rang again, unsigned")
    matter: str | None = Field(default=None, description="What it is about when it is no case and no handover")
    matter_id: UUID | None = None
    items: int | None = Field(default=None, description="How many things it stands for: signals, patrols, households")
    href: str
    case_href: str
    handover_href: str | None = None
    matter_href: str | None = Field(
        default=None, description="Where the matter is opened, under the reader's own rights"
    )
    post: str | None = Field(default=None, description="The post it is for; without one, the whole unit or agency")
    progress: Literal["queued", "sent", "delivered", "signed", "done", "failed"] = Field(
        default="queued", description="How far it has come; failed: every way out gave up, and the inbox still shows it"
    )
    ladder: Literal["deputy", "head", "office", "leading_group"] | None = Field(
        default=None, description="The rung it is: nobody below has signed for the notice `of_notice` in time"
    )
    of_notice: UUID | None = None
    climbed: int = Field(default=0, description="How many rungs it has climbed, unsigned")
    climb_at: datetime | None = Field(default=None, description="When it climbs next, unless somebody signs")
    reminds: UUID | None = Field(default=None, description="The clock it reminds of")
    parts: dict[str, int | str | None] | None = Field(
        default=None, description="Numbers of a digest; what a rung or a reminder is about"
    )
