"""What may happen to leads and to suggestions that two are one. Each machine is one table. No I/O."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from services.intake.domain.joining import Known


class LeadState(StrEnum):
    """A lead is `open`, `merged` into another, or `closed` at its end."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


class LeadAct(StrEnum):
    """What happens to a lead: it takes another in, goes into another, gives tips away, comes back, ends, begins again."""

    ABSORB = "absorb"
    MERGE = "merge"
    SPLIT = "split"
    UNMERGE = "unmerge"
    CLOSE = "close"
    REOPEN = "reopen"


class SuggestionState(StrEnum):
    """A suggestion is `open` until an officer decides; `noted` ones only remind (seen before)."""

    OPEN = "open"
    NOTED = "noted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class SuggestionAct(StrEnum):
    ACCEPT = "accept"
    REJECT = "reject"


LEAD_TRANSITIONS: dict[tuple[LeadState, LeadAct], LeadState] = {
    (LeadState.OPEN, LeadAct.ABSORB): LeadState.OPEN,
    (LeadState.OPEN, LeadAct.MERGE): LeadState.MERGED,
    (LeadState.OPEN, LeadAct.SPLIT): LeadState.OPEN,
    (LeadState.OPEN, LeadAct.CLOSE): LeadState.CLOSED,
    (LeadState.MERGED, LeadAct.UNMERGE): LeadState.OPEN,
    (LeadState.CLOSED, LeadAct.SPLIT): LeadState.CLOSED,
    (LeadState.CLOSED, LeadAct.REOPEN): LeadState.OPEN,
    (LeadState.CLOSED, LeadAct.MERGE): LeadState.MERGED,
    (LeadState.CLOSED, LeadAct.ABSORB): LeadState.CLOSED,
}
"""What may happen to a lead in which state. A pair that is not listed is refused."""

SUGGESTION_TRANSITIONS: dict[tuple[SuggestionState, SuggestionAct], SuggestionState] = {
    (SuggestionState.OPEN, SuggestionAct.ACCEPT): SuggestionState.ACCEPTED,
    (SuggestionState.OPEN, SuggestionAct.REJECT): SuggestionState.REJECTED,
    (SuggestionState.NOTED, SuggestionAct.ACCEPT): SuggestionState.ACCEPTED,
    (SuggestionState.NOTED, SuggestionAct.REJECT): SuggestionState.REJECTED,
    (SuggestionState.REJECTED, SuggestionAct.ACCEPT): SuggestionState.ACCEPTED,
}
"""The same for a suggestion; one rejected by mistake can still be accepted."""


class ActRefusedError(ValueError):
    """The act is not possible in this state."""


def after(state: LeadState, act: LeadAct) -> LeadState:
    """The state a lead goes to. Raises `ActRefusedError` for a pair that is not in the table."""
    try:
        return LEAD_TRANSITIONS[state, act]
    except KeyError:
        raise ActRefusedError(f"a lead that is {state} cannot {act}") from None


def decided(state: SuggestionState, act: SuggestionAct) -> SuggestionState:
    """The state a suggestion goes to. Raises `ActRefusedError` for a pair that is not in the table."""
    try:
        return SUGGESTION_TRANSITIONS[state, act]
    except KeyError:
        raise ActRefusedError(f"a suggestion that is {state} cannot be {act}ed") from None


def state_of(lead: Known) -> LeadState:
    """Where a lead stands."""
    if lead.merged_into is not None:
        return LeadState.MERGED
    return LeadState.CLOSED if lead.closed_at is not None else LeadState.OPEN


def survivor(one: Known, other: Known) -> tuple[Known, Known]:
    """Which of two leads about one target lives on, and which goes into it.

    An urgent one lives on, since the police have it; else the one with the earlier reporter.
    """
    first, second = sorted((one, other), key=lambda lead: (not lead.urgent, lead.received_at, lead.id))
    return first, second


def leaving(there: Sequence[UUID], wanted: Sequence[UUID]) -> list[UUID]:
    """The tips that leave a lead: those wanted that are still there, in their order.

    Raises `ActRefusedError` when none of them is there, or when the lead would be left empty.
    """
    asked = set(wanted)
    moved = [tip for tip in there if tip in asked]
    if not moved:
        raise ActRefusedError("none of these tips is part of the lead")
    if len(moved) == len(there):
        raise ActRefusedError("a lead keeps at least one tip")
    return moved
