"""Verification (核查) of leads: its states as a table, and when the clock of a major lead begins. No I/O."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum


class VerificationState(StrEnum):
    """Where the verification of a lead stands."""

    WAITING = "waiting"
    MISSED = "missed"
    """Its time is over and nobody has verified it; it is owed all the same."""
    VERIFIED = "verified"


class VerificationAct(StrEnum):
    MISS = "miss"
    VERIFY = "verify"


TRANSITIONS: dict[tuple[VerificationState, VerificationAct], VerificationState] = {
    (VerificationState.WAITING, VerificationAct.MISS): VerificationState.MISSED,
    (VerificationState.WAITING, VerificationAct.VERIFY): VerificationState.VERIFIED,
    (VerificationState.MISSED, VerificationAct.VERIFY): VerificationState.VERIFIED,
}
"""What may happen in which state; a pair that is not listed is refused. `verified` is final."""


class VerificationRefused(ValueError):
    """The act is not possible in this state."""


def after(state: VerificationState, act: VerificationAct) -> VerificationState:
    """The next state. Raises `VerificationRefused` for a pair that is not in the table."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise VerificationRefused(f"a verification that is {state} cannot {act}") from None


def clock_starts(
    causes: Iterable[str], *, received_at: datetime, urgent_at: datetime | None, gathering_at: datetime | None,
    now: datetime,
) -> datetime:  # fmt: skip
    """When a major lead's clock begins: at the earliest of what made it major, never before its first receipt."""
    since = {"urgent": urgent_at or received_at, "gathering": gathering_at or now, "tips": now}
    return max(received_at, min(since[cause] for cause in causes))
