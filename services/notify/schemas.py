"""HTTP bodies of notify."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,47}$")]
Codes = Annotated[list[Code], Field(max_length=50)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
Scopes = Annotated[list[Annotated[str, StringConstraints(max_length=48)]], Field(min_length=1, max_length=30)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AccountIn(Body):
    """An officer's account. The initial password is made by the system and answered once."""

    login: str = Field(min_length=2, max_length=64)
    display: Name
    """What the pages greet the officer with; kept sealed, never sent to another service."""
    plan: Code
    agency: Code
    unit: Code | None = None
    posts: Codes = []
    areas: Codes = []
    oidc_subject: str | None = Field(default=None, max_length=255)
    password: bool = True
    """False: the officer signs in at the outside provider only."""


class AccountChange(Body):
    """What to change; what is absent stays. Every change ends the account's sessions."""

    agency: Code | None = None
    unit: Code | None = None
    posts: Codes | None = None
    areas: Codes | None = None
    active: bool | None = None
    oidc_subject: str | None = Field(default=None, max_length=255)
    reset_password: bool = False
    reset_totp: bool = False


class AccountOut(BaseModel):
    id: UUID
    login: str
    display: str
    plan: str
    agency: str
    unit: str | None
    posts: list[str]
    areas: list[str]
    active: bool
    locked_until: datetime | None
    totp: bool
    oidc_subject: str | None
    demo: bool
    version: int
    initial_password: str | None = None
    """Only in the answer that made it."""


class SystemIn(Body):
    """A client for an agency's system. Its secret is made by the system and answered once."""

    client_id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{2,63}$")
    plan: Code
    agency: Code
    scopes: Scopes


class SystemChange(Body):
    active: bool | None = None
    scopes: Scopes | None = None


class SystemOut(BaseModel):
    id: UUID
    client_id: str
    plan: str
    agency: str
    scopes: list[str]
    active: bool
    demo: bool
    version: int
    client_secret: str | None = None
    """Only in the answer that made it."""


class TokenOut(BaseModel):
    """RFC 6749 §5.1."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int
    scope: str


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
    matter_href: str | None = Field(default=None, description="Where the matter is opened, under the reader's own rights")


class EndpointIn(Body):
    """Where notices of the caller's agency are to be sent."""

    url: str = Field(min_length=8, max_length=1000)


class EndpointChange(Body):
    active: bool


class EndpointOut(BaseModel):
    id: UUID
    agency: str
    url: str
    active: bool
    failures: int
    paused_until: datetime | None
    created_at: datetime
    version: int
    secret: str | None = None
    """`whsec_…`, only in the answer that made it."""


class DeliveryOut(BaseModel):
    """One message to one target; `id` is its `webhook-id`."""

    id: str
    notice_id: UUID | None
    state: Literal["retrying", "delivered", "failed"]
    attempts: int
    last_outcome: str | None
    created_at: datetime
    next_at: datetime | None
    delivered_at: datetime | None
