"""Events of proceedings (办案程序): tracks, transfers, requests, measures, penalties, operations, supervision, reports."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.events.common import DeadlineFact
from shared.events.envelope import EventData, Lane

FactValue = str | int | bool | tuple[str, ...]
"""A published fact: a code, count, amount in yuan, day or yes/no; never a name, prose, a reference or an object."""


class ClockFact(BaseModel):
    """What became of a clock by an opening or a step: it stands with its state afterwards."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    change: Literal["started", "met", "cancelled", "suspended", "resumed", "extended"]
    state: str
    deadline: DeadlineFact


class _ProceedingEvent(EventData):
    """`kind` names the procedure, `group` its room in the case file; `agency` opened it, `to_agency` is the other side."""

    TOPIC: ClassVar[str] = "casework.proceeding.v1"
    URGENT_TOPIC: ClassVar[str] = "casework.urgent.v1"

    proceeding_id: UUID
    number: str
    kind: str
    group: str
    procedure_version: str
    plan: str
    area: str | None
    urgent: bool
    case_id: UUID | None
    case_number: str | None
    parent_id: UUID | None
    agency: str
    unit: str | None
    to_agency: str | None
    to_unit: str | None
    dataref: str

    @property
    def key(self) -> str:
        return str(self.proceeding_id)

    @property
    def topic(self) -> str:
        return self.URGENT_TOPIC if self.urgent else self.TOPIC

    @property
    def lane(self) -> Lane:
        return "urgent" if self.urgent else "normal"


class ProceedingOpened(_ProceedingEvent):
    """A proceeding was opened; `clocks` are those that run from now on."""

    TYPE: ClassVar[str] = "dachuan.proceeding.opened.v1"

    state: str
    facts: dict[str, FactValue]
    clocks: tuple[ClockFact, ...]
    awaits_agency: str | None
    awaits_unit: str | None
    opened_at: datetime


class ProceedingStepped(_ProceedingEvent):
    """A step was taken. `final` with `outcome`: the proceeding has ended, and how; `by_system`: nobody took it."""

    TYPE: ClassVar[str] = "dachuan.proceeding.stepped.v1"

    step: str
    from_state: str
    state: str
    final: bool
    outcome: str | None
    by_agency: str | None
    by_unit: str | None
    by_system: bool
    facts: dict[str, FactValue]
    clocks: tuple[ClockFact, ...]
    awaits_agency: str | None
    awaits_unit: str | None
    stepped_at: datetime


class ProceedingDeadlineMissed(_ProceedingEvent):
    """A clock of a proceeding passed without its act. Only this event of the owner counts for scoring."""

    TYPE: ClassVar[str] = "dachuan.proceeding.deadline-missed.v1"

    state: str
    deadline: DeadlineFact
    missed_at: datetime


ALL = (ProceedingOpened, ProceedingStepped, ProceedingDeadlineMissed)
