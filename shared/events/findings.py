"""Events of findings (认定): proposed by facts, answered, decided, appealed; the human decisions behind the ledger."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.envelope import EventData


class _FindingEvent(EventData):
    """`condition` is what found it (missed_rescue, …), `clause` the clause it breaks, `matter` what it is about.

    `agency` and `unit` answer for it, `scored_kind` says who is scored. `origin` tells what was found or reported by
    the area itself from what others exposed. `version` rises with every change of the finding.
    """

    TOPIC: ClassVar[str] = "scoring.finding.v1"

    finding_id: UUID
    plan: str
    condition: str
    clause: str
    matter: str
    scored_kind: Literal["town", "community", "agency", "unit", "post"]
    agency: str
    unit: str | None
    area: str | None
    case_id: UUID | None
    origin: Literal["self_reported", "self_found", "exposed"]
    occurred_at: datetime
    version: int
    dataref: str

    @property
    def key(self) -> str:
        return str(self.finding_id)


class FindingProposed(_FindingEvent):
    """Facts bear a finding out (or bear it out anew, or otherwise than before); the agency may answer by `answer_by`.

    `facts` are the events it rests on; `measure` says by counts and codes how grave it is; `rulebook`, `line` and
    `points` what it would be worth.
    """

    TYPE: ClassVar[str] = "dachuan.finding.proposed.v1"

    facts: tuple[UUID, ...]
    measure: Mapping[str, int | str]
    rulebook: str | None
    line: str | None
    points: Decimal | None
    answer_by: datetime
    proposed_at: datetime


class FindingLapsed(_FindingEvent):
    """The facts no longer bear the finding out, and nobody had decided it."""

    TYPE: ClassVar[str] = "dachuan.finding.lapsed.v1"

    lapsed_at: datetime


class FindingAnswered(_FindingEvent):
    """The agency concerned has said what it has to say."""

    TYPE: ClassVar[str] = "dachuan.finding.answered.v1"

    answered_at: datetime


class FindingLeft(_FindingEvent):
    """Whoever looked first left the decision to a second person."""

    TYPE: ClassVar[str] = "dachuan.finding.left.v1"

    left_at: datetime


class _Decision(_FindingEvent):
    """A decision with the facts it rests on: all that the ledger needs, so that it can be rebuilt from decisions."""

    facts: tuple[UUID, ...]
    measure: Mapping[str, int | str]
    decided_at: datetime


class FindingDecided(_Decision):
    """A person confirmed or rejected it. A confirmed one can be appealed by `appeal_by`."""

    TYPE: ClassVar[str] = "dachuan.finding.decided.v1"

    decision: Literal["confirmed", "rejected"]
    appeal_by: datetime | None


class FindingAppealed(_FindingEvent):
    """The agency concerned appealed; others than those who decided must decide by `decide_by`."""

    TYPE: ClassVar[str] = "dachuan.finding.appealed.v1"

    decide_by: datetime
    appealed_at: datetime


class AppealDecided(_Decision):
    """The appeal was decided: the finding stands, or is taken back."""

    TYPE: ClassVar[str] = "dachuan.finding.appeal-decided.v1"

    decision: Literal["upheld", "overturned"]


ALL: tuple[type[EventData], ...] = (
    FindingProposed, FindingLapsed, FindingAnswered, FindingLeft, FindingDecided, FindingAppealed, AppealDecided,
)  # fmt: skip
