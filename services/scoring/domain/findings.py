"""A finding (认定) and its states: proposed by its facts, decided by persons, contested by those concerned.

The unit concerned is told when a finding is proposed and may answer within its window; only then, or when the window has
passed, can it be confirmed. A confirmed finding can be appealed once within its window, and others than those who
decided first decide the appeal. What was decided before stays on record beside what was decided after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.scoring.domain.subjects import SubjectKind


class FindingState(StrEnum):
    """Where a finding stands."""

    PROPOSED = "proposed"
    LEFT = "left_to_second"
    LAPSED = "lapsed"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    APPEALED = "appealed"
    UPHELD = "upheld"
    OVERTURNED = "overturned"


class FindingStep(StrEnum):
    """What can be done with a finding; `lapse` and `revive` are the system's, as the facts go."""

    ANSWER = "answer"
    CONFIRM = "confirm"
    REJECT = "reject"
    LEAVE = "leave"
    LAPSE = "lapse"
    REVIVE = "revive"
    APPEAL = "appeal"
    UPHOLD = "uphold"
    OVERTURN = "overturn"


_S, _T = FindingState, FindingStep

TRANSITIONS: dict[tuple[FindingState, FindingStep], FindingState] = {
    (_S.PROPOSED, _T.ANSWER): _S.PROPOSED,
    (_S.PROPOSED, _T.CONFIRM): _S.CONFIRMED,
    (_S.PROPOSED, _T.REJECT): _S.REJECTED,
    (_S.PROPOSED, _T.LEAVE): _S.LEFT,
    (_S.PROPOSED, _T.LAPSE): _S.LAPSED,
    (_S.LEFT, _T.ANSWER): _S.LEFT,
    (_S.LEFT, _T.CONFIRM): _S.CONFIRMED,
    (_S.LEFT, _T.REJECT): _S.REJECTED,
    (_S.LEFT, _T.LAPSE): _S.LAPSED,
    (_S.LAPSED, _T.REVIVE): _S.PROPOSED,
    (_S.CONFIRMED, _T.APPEAL): _S.APPEALED,
    (_S.APPEALED, _T.UPHOLD): _S.UPHELD,
    (_S.APPEALED, _T.OVERTURN): _S.OVERTURNED,
}
"""What may happen in which state, and where it leads. A pair that is not listed is refused."""

OPEN = (_S.PROPOSED, _S.LEFT)
"""Not decided yet: its facts still shape it."""

WAITING = (*OPEN, _S.APPEALED)
"""Somebody has to decide."""

COUNTS = (_S.CONFIRMED, _S.APPEALED, _S.UPHELD)
"""It stands in the ledger."""


class FindingRefused(ValueError):
    """The step is not possible in this state."""


def after(state: FindingState, step: FindingStep) -> FindingState:
    """The state after a step. Raises `FindingRefused`."""
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        raise FindingRefused(f"{state.value}: {step.value}") from None


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding as it stood when it was decided: what it says of whom, and the events it rests on.

    `condition` is what found it (`missed_rescue`, …: a row of `domain/detectors`), `clause` the clause of the plan it
    breaks. `origin` tells what was discovered by the area itself from what was exposed. `measure` holds counts and
    codes that say how grave it is.
    """

    finding_id: UUID
    plan: str
    condition: str
    clause: str
    matter: str
    subject_kind: SubjectKind
    agency: str
    unit: str | None
    area: str | None
    case_id: UUID | None
    origin: str
    occurred_at: datetime
    events: tuple[UUID, ...]
    measure: Mapping[str, int | str]
    state: FindingState
    version: int


@dataclass(frozen=True, slots=True)
class Settled:
    """A person's decision that changes what counts: `step` is confirm, uphold or overturn; `event` told it."""

    finding: Finding
    step: FindingStep
    event: UUID
    by: str
    at: datetime
