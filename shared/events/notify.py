"""Events of the notify service."""

from datetime import datetime
from typing import ClassVar, Literal

from shared.events.envelope import EventData


class PrincipalPublished(EventData):
    """The current standing of an officer's account or an agency's system, without names.

    The topic is compacted: the last one per principal counts. Tokens issued before `valid_from` are refused,
    which is how sign-out everywhere, a lock and a removal reach the other services.
    """

    TYPE: ClassVar[str] = "dachuan.directory.principal.v1"
    TOPIC: ClassVar[str] = "notify.directory.v1"

    principal_id: str
    kind: Literal["officer", "system"]
    plan: str
    agency: str
    unit: str | None
    posts: tuple[str, ...]
    areas: tuple[str, ...]
    scopes: tuple[str, ...]
    active: bool
    valid_from: datetime

    @property
    def key(self) -> str:
        return self.principal_id
