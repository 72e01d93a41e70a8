"""Events of the scoring service: what the central office consumes."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.envelope import EventData


def _key(of: "LedgerEntryRecorded | StandingPublished") -> str:
    key = f"{of.plan}:{of.rulebook}:{of.agency}:{of.unit or ''}"
    return f"{key}:{of.scored_kind}:{of.scored}" if of.scored_kind in ("town", "post") else key


class LedgerEntryRecorded(EventData):
    """One entry of the append-only scoring ledger: a subject, a rulebook line, points and the fact behind it.

    It rests (`basis`) on a deadline of a case, a proceeding or another matter, on a confirmed finding or on another
    decision; `basis_id` is its id, and stands as `case_id`, too, where no case is behind it. `corrects` names the entry
    that this one takes back. Entries recorded before the fields from `outcome` on existed lack them. `seq` is its place
    in the ledger: a checkpoint covers all entries up to one, in this order; `fact_at` is when the fact happened, `facts`
    are all events behind it where there are more than `fact_event`.
    """

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
    outcome: str | None = None
    corrects: UUID | None = None
    basis: Literal["deadline", "finding", "decision"] = "deadline"
    basis_id: UUID | None = None
    scored_kind: Literal["town", "community", "agency", "unit", "post"] | None = None
    scored: str | None = None
    seq: int | None = None
    fact_at: datetime | None = None
    facts: tuple[UUID, ...] = ()

    @property
    def key(self) -> str:
        return _key(self)


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
    scored_kind: Literal["town", "community", "agency", "unit", "post"] | None = None
    scored: str | None = None

    @property
    def key(self) -> str:
        return _key(self)


class CheckpointTaken(EventData):
    """A signed statement that the first `size` entries of the ledger, up to `seq`, have this Merkle root (RFC 9162).

    `note` is the statement as signed (C2SP signed note); the other fields repeat it for convenience and prove nothing.
    `plan` and `period` name the period that it closes, if it does.
    """

    TYPE: ClassVar[str] = "dachuan.ledger.checkpoint.v1"
    TOPIC: ClassVar[str] = "scoring.checkpoint.v1"

    number: int
    origin: str
    size: int
    root: str
    seq: int
    taken_at: datetime
    note: str
    plan: str | None = None
    period: str | None = None

    @property
    def key(self) -> str:
        return self.origin


class PeriodClosed(EventData):
    """The standings of a period were frozen: later entries about its days are corrections, shown beside it.

    `digest` is the SHA-256 (hex) of the frozen document, which a signed checkpoint (`checkpoint`: its number) names.
    """

    TYPE: ClassVar[str] = "dachuan.ledger.period-closed.v1"
    TOPIC: ClassVar[str] = "scoring.checkpoint.v1"

    period_id: UUID
    plan: str
    period: str
    first: date
    last: date
    closed_at: datetime
    digest: str
    checkpoint: int
    origin: str
    size: int
    seq: int
    entries: int
    standings: int

    @property
    def key(self) -> str:
        return self.origin
