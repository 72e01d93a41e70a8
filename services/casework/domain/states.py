"""The states of a joint case and of its parties: each machine is one table."""

from __future__ import annotations

from enum import StrEnum


class CaseState(StrEnum):
    """A case is `opened` with its lead, `accepted` once every party that must has accepted it, and `closed` at its end."""

    OPENED = "opened"
    ACCEPTED = "accepted"
    CLOSED = "closed"


class CaseAction(StrEnum):
    """What happens to a case: one party accepts, the last one does, it is closed."""

    ACCEPT_PART = "accept_part"
    ACCEPT_LAST = "accept_last"
    CLOSE = "close"


class PartyState(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"


class PartyAction(StrEnum):
    ACCEPT = "accept"


CASE_TRANSITIONS: dict[tuple[CaseState, CaseAction], CaseState] = {
    (CaseState.OPENED, CaseAction.ACCEPT_PART): CaseState.OPENED,
    (CaseState.OPENED, CaseAction.ACCEPT_LAST): CaseState.ACCEPTED,
    (CaseState.ACCEPTED, CaseAction.CLOSE): CaseState.CLOSED,
}
"""What may happen to a case in which state, and where it leads. A pair that is not listed is refused."""

PARTY_TRANSITIONS: dict[tuple[PartyState, PartyAction], PartyState] = {
    (PartyState.PENDING, PartyAction.ACCEPT): PartyState.ACCEPTED,
}
"""The same for a party of a case."""


class TransitionRefused(ValueError):
    """The action is not possible in this state."""


def next_case_state(state: CaseState, action: CaseAction) -> CaseState:
    """The state a case goes to. Raises `TransitionRefused` for a pair that is not in the table."""
    try:
        return CASE_TRANSITIONS[state, action]
    except KeyError:
        raise TransitionRefused(f"a case that is {state} cannot {action}") from None


def next_party_state(state: PartyState, action: PartyAction) -> PartyState:
    """The state a party goes to. Raises `TransitionRefused` for a pair that is not in the table."""
    try:
        return PARTY_TRANSITIONS[state, action]
    except KeyError:
        raise TransitionRefused(f"a party that is {state} cannot {action}") from None
