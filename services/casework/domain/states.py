"""The states of a joint case and of its parties: each machine is one table."""

from __future__ import annotations

from enum import StrEnum


class CaseState(StrEnum):
    """A case is `opened` with its lead, `accepted` once every party that must has accepted it, and `closed` at its end."""

    OPENED = "opened"
    ACCEPTED = "accepted"
    CLOSED = "closed"


class CaseAction(StrEnum):
    """What happens to a case: one party accepts, the last one does, it is closed.

    A party joins and has to accept. A party leaves: others are still to accept (part), all others have (last), or
    nobody is left who accepted or has to (all): then nobody took it. A party takes a declined case up again. A closed
    case is taken up again (take up) when a reporter contested its outcome and the second look found them right.
    """

    ACCEPT_PART = "accept_part"
    ACCEPT_LAST = "accept_last"
    CLOSE = "close"
    JOIN = "join"
    LEAVE_PART = "leave_part"
    LEAVE_LAST = "leave_last"
    LEAVE_ALL = "leave_all"
    REOPEN = "reopen"
    TAKE_UP = "take_up"


class PartyState(StrEnum):
    """A party has to accept, has accepted, handed its part over to another, or declined."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    HANDED_OVER = "handed_over"
    DECLINED = "declined"


class PartyAction(StrEnum):
    """What a party does; `JOIN`: it is to accept anew, by a handover, a decision, or a lead taken up again."""

    ACCEPT = "accept"
    HAND_OVER = "hand_over"
    DECLINE = "decline"
    JOIN = "join"


CASE_TRANSITIONS: dict[tuple[CaseState, CaseAction], CaseState] = {
    (CaseState.OPENED, CaseAction.ACCEPT_PART): CaseState.OPENED,
    (CaseState.OPENED, CaseAction.ACCEPT_LAST): CaseState.ACCEPTED,
    (CaseState.ACCEPTED, CaseAction.CLOSE): CaseState.CLOSED,
    (CaseState.OPENED, CaseAction.JOIN): CaseState.OPENED,
    (CaseState.ACCEPTED, CaseAction.JOIN): CaseState.OPENED,
    (CaseState.OPENED, CaseAction.LEAVE_PART): CaseState.OPENED,
    (CaseState.OPENED, CaseAction.LEAVE_LAST): CaseState.ACCEPTED,
    (CaseState.ACCEPTED, CaseAction.LEAVE_LAST): CaseState.ACCEPTED,
    (CaseState.OPENED, CaseAction.LEAVE_ALL): CaseState.CLOSED,
    (CaseState.ACCEPTED, CaseAction.LEAVE_ALL): CaseState.CLOSED,
    (CaseState.OPENED, CaseAction.REOPEN): CaseState.OPENED,
    (CaseState.ACCEPTED, CaseAction.REOPEN): CaseState.OPENED,
    (CaseState.CLOSED, CaseAction.REOPEN): CaseState.OPENED,
    (CaseState.CLOSED, CaseAction.TAKE_UP): CaseState.ACCEPTED,
}
"""What may happen to a case in which state, and where it leads. A pair that is not listed is refused."""

PARTY_TRANSITIONS: dict[tuple[PartyState, PartyAction], PartyState] = {
    (PartyState.PENDING, PartyAction.ACCEPT): PartyState.ACCEPTED,
    (PartyState.PENDING, PartyAction.HAND_OVER): PartyState.HANDED_OVER,
    (PartyState.ACCEPTED, PartyAction.HAND_OVER): PartyState.HANDED_OVER,
    (PartyState.PENDING, PartyAction.DECLINE): PartyState.DECLINED,
    (PartyState.HANDED_OVER, PartyAction.JOIN): PartyState.PENDING,
    (PartyState.DECLINED, PartyAction.JOIN): PartyState.PENDING,
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
