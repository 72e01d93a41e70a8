"""Events of consequences: rulebooks published, tools of the ladder, rewards, penalties, accountability, special funds."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.envelope import EventData

_SCORED = Literal["town", "community", "agency", "unit", "post"]


class _ConsequenceEvent(EventData):
    """`rulebook` and `edition` are the version that gives the consequence, `clause` what it rests on."""

    TOPIC: ClassVar[str] = "scoring.consequence.v1"

    plan: str
    rulebook: str
    edition: str
    clause: str | None
    dataref: str


class RulebookPublished(_ConsequenceEvent):
    """Two persons published a version of a rulebook; it values what happens from midnight in China of `valid_from` on."""

    TYPE: ClassVar[str] = "dachuan.rulebook.published.v1"

    valid_from: date
    lines: int
    assumed: int
    sha256: str
    published_at: datetime

    @property
    def key(self) -> str:
        return f"{self.plan}:{self.rulebook}"


class ToolStepped(_ConsequenceEvent):
    """Something was done about a tool of the ladder (政策工具): `rung` 1 is the mildest of its rulebook.

    `step` is what was done, `state` what came of it. `blocks` is what is kept from the subject while the tool stands
    (`stands`). `findings` are the confirmed findings it rests on. `public`: to be announced. `notice_to` are the posts
    of the agency that are to sign for it.
    """

    TYPE: ClassVar[str] = "dachuan.consequence.tool.v1"

    tool_id: UUID
    tool: str
    rung: int
    step: str
    state: str
    stands: bool
    scored_kind: _SCORED
    scored: str
    agency: str
    unit: str | None
    area: str | None
    blocks: tuple[str, ...]
    findings: tuple[UUID, ...]
    public: bool
    starts_at: datetime | None
    ends_at: datetime | None
    rectify_by: datetime | None
    at: datetime
    version: int
    notice_to: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return str(self.tool_id)


class MeasureStepped(_ConsequenceEvent):
    """Something was done about a reward, a penalty or a proposal of accountability.

    `post` names a function, never who holds it. `sent_to` are the agencies a proposal goes to. `yuan` is paid from
    `fund`. `line` and `points` are what its approval books in the ledger, where the rulebook has a line for it.
    """

    TYPE: ClassVar[str] = "dachuan.consequence.measure.v1"

    measure_id: UUID
    measure: str
    kind: Literal["reward", "penalty", "accountability"]
    step: str
    state: str
    scored_kind: _SCORED
    scored: str
    agency: str
    unit: str | None
    area: str | None
    post: str | None
    sent_to: tuple[str, ...]
    findings: tuple[UUID, ...]
    yuan: int | None
    fund: str | None
    decision: str | None
    points: Decimal | None
    occurred_at: datetime
    at: datetime
    version: int

    @property
    def key(self) -> str:
        return str(self.measure_id)


class FundMoved(EventData):
    """Money of a special fund: a budget was given, a sum was committed, released or paid; what is left after it."""

    TYPE: ClassVar[str] = "dachuan.fund.moved.v1"
    TOPIC: ClassVar[str] = "scoring.consequence.v1"

    plan: str
    fund: str
    move_id: UUID
    kind: Literal["budget", "commit", "release", "pay"]
    yuan: int
    purpose: str
    measure_id: UUID | None
    budget: int
    committed: int
    paid: int
    free: int
    at: datetime
    clause: str | None
    dataref: str

    @property
    def key(self) -> str:
        return f"{self.plan}:{self.fund}"


ALL: tuple[type[EventData], ...] = (RulebookPublished, ToolStepped, MeasureStepped, FundMoved)
