"""Bodies of accounts, agencies' systems and their tokens."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.notify.schemas.base import Body, Code, Codes, Name, Scopes


class AccountIn(Body):
    """An officer's account. The initial password is made by the system and answered once."""

    login: str = Field(min_length=2, max_length=64)
    display: Name
    """What the pages greet the officer with; kept sealed, never sent to another service."""
    plan: Code
    agency: Code
    unit: Code | None = None
    posts: Codes = Field(default=[])
    areas: Codes = Field(default=[])
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
    unlock: bool = False
    """Forget failed sign-ins, so that the password is taken again at once."""


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
    waiting: bool = False
    """It does not work before a second person has approved it."""
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
