"""Events of the scoring service: what the central office consumes."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from shared.events.envelope import EventData


class LedgerEntryRecorded(EventData):
    """One entry of the append-only scoring ledger: a unit, a rulebook line, points and the fact behind it."""

    TYPE: ClassVar[str] = "dachuan.ledger.entry.v1"
    TOPIC: ClassVar[str] = "scoring.ledger.v1"

    entry_id: UUID
    plan: str
    rulebook: str
    line: str
    clause: str | None
    agency: str
    unit: str | None
    area: str | None
    points: Decimal
    assumed: bool
    occurred_on: date
    case_id: UUID
    fact_event: UUID
    fact_type: str
    recorded_at: datetime

    @property
    def key(self) -> str:
        return f"{self.plan}:{self.rulebook}:{self.agency}:{self.unit or ''}"


class StandingPublished(EventData):
    """The current standing of one unit under one rulebook. The topic is compacted: the last one counts."""

    TYPE: ClassVar[str] = "dachuan.standing.v1"
    TOPIC: ClassVar[str] = "scoring.feed.v1"

    plan: str
    rulebook: str
    agency: str
    unit: str | None
    points: Decimal
    entries: int
    in_time: int
    late: int
    version: int
    as_of: datetime

    @property
    def key(self) -> str:
        return f"{self.plan}:{self.rulebook}:{self.agency}:{self.unit or ''}"
