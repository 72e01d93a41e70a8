"""An obligation: one deadline of a case, and what its owner told of it.

Facts arrive in any order and more than once. What is kept of each kind of fact is the first that came; which one
decides does not depend on the order: an act, in time or late, stands over a miss (final states win). What was given
back stands over nothing: only an act that came later counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.scoring.domain.rulebook import Outcome


class State(StrEnum):
    """Where an obligation stands."""

    OPEN = "open"
    MET = "met"
    MET_LATE = "met_late"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Fact:
    """One event about an obligation: when it happened (`at`) and when its owner recorded it (`recorded_at`)."""

    event: UUID
    type: str
    at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Obligation:
    """One agency's (and unit's) obligation in a case, with the facts known so far."""

    deadline_id: UUID
    case_id: UUID
    plan: str
    area: str | None
    agency: str
    unit: str | None
    kind: str
    accepted: Fact | None = None
    in_time: bool | None = None
    missed: Fact | None = None
    back: Fact | None = None
    """The last time that what was said to be done was given back; `accepted` came after it."""

    @property
    def outcome(self) -> Outcome | None:
        """How it ended as far as is known; None while it is open."""
        if self.accepted is not None:
            return Outcome.MET if self.in_time else Outcome.MET_LATE
        return Outcome.MISSED if self.missed is not None else None

    @property
    def state(self) -> State:
        """Where it stands."""
        return State(self.outcome.value) if self.outcome else State.OPEN
