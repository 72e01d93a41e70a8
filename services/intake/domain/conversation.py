"""Rules of what follows a tip: contested closings, and the two persons a reporter's contact needs. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

LONGEST_MESSAGE = 5_000
MOST_MESSAGES = 200
"""Messages a reporter can add to one tip."""

REVEAL_CATEGORIES = ("verify", "protect", "reward", "testimony", "rescue")
"""Why a contact may be asked for: 核实情况, 保护举报人, 发放奖励, 作证, 救人."""


class Refused(Exception):
    """A step that the present state or person does not allow; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ContestState(StrEnum):
    """Where a contested closing stands."""

    OPEN = "open"
    UPHELD = "upheld"
    """The second look found that the reporter was right."""
    CONFIRMED = "confirmed"
    """The second look confirmed the closing."""


CONTEST_STEPS: Mapping[tuple[ContestState, str], ContestState] = {
    (ContestState.OPEN, "uphold"): ContestState.UPHELD,
    (ContestState.OPEN, "confirm"): ContestState.CONFIRMED,
}
CONTEST_DECISIONS = ("uphold", "confirm")


def decide_contest(state: ContestState, step: str, *, actor: str, closed_by: str | None) -> ContestState:
    """The second look's result. Refused `same-person` for whoever closed it, `decided` once it is decided."""
    after = CONTEST_STEPS.get((state, step))
    if after is None:
        raise Refused("decided")
    if actor == closed_by:
        raise Refused("same-person")
    return after


class RevealState(StrEnum):
    """Where a request to see a reporter's contact stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    """Nobody decided in time."""


REVEAL_STEPS: Mapping[tuple[RevealState, str], RevealState] = {
    (RevealState.REQUESTED, "approve"): RevealState.APPROVED,
    (RevealState.REQUESTED, "refuse"): RevealState.REFUSED,
    (RevealState.REQUESTED, "withdraw"): RevealState.WITHDRAWN,
    (RevealState.REQUESTED, "lapse"): RevealState.LAPSED,
}
REVEAL_DECISIONS = ("approve", "refuse", "withdraw", "lapse")


@dataclass(frozen=True, slots=True)
class Reveal:
    """A request as the rules see it."""

    state: RevealState
    requested_by: str
    lapses_at: datetime
    view_until: datetime | None = None


def decide_reveal(reveal: Reveal, step: str, *, actor: str, now: datetime) -> RevealState:
    """Four eyes: another person approves or refuses, the person who asked may withdraw, time lapses it.

    Refused: `decided`, `same-person`, `not-yours`, `lapsed`, `not-yet`.
    """
    after = REVEAL_STEPS.get((reveal.state, step))
    if after is None:
        raise Refused("decided")
    if step == "lapse":
        if now < reveal.lapses_at:
            raise Refused("not-yet")
        return after
    if now >= reveal.lapses_at:
        raise Refused("lapsed")
    own = actor == reveal.requested_by
    if step == "withdraw" and not own:
        raise Refused("not-yours")
    if step != "withdraw" and own:
        raise Refused("same-person")
    return after


def may_view(reveal: Reveal, *, actor: str, now: datetime) -> None:
    """The person who asked may look while the approval lasts. Refused: `not-approved`, `not-yours`, `expired`."""
    if reveal.state is not RevealState.APPROVED or reveal.view_until is None:
        raise Refused("not-approved")
    if actor != reveal.requested_by:
        raise Refused("not-yours")
    if now >= reveal.view_until:
        raise Refused("expired")
