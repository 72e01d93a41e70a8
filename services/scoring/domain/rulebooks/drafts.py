"""A draft of a rulebook's version: written, checked and handed in by one person, published by another."""

from __future__ import annotations

from enum import StrEnum


class DraftState(StrEnum):
    """Where a draft stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class DraftAct(StrEnum):
    """What can be done with a draft."""

    EDIT = "edit"
    SUBMIT = "submit"
    RETURN = "return"
    PUBLISH = "publish"
    WITHDRAW = "withdraw"


_S, _A = DraftState, DraftAct

TRANSITIONS: dict[tuple[DraftState, DraftAct], DraftState] = {
    (_S.DRAFT, _A.EDIT): _S.DRAFT,
    (_S.DRAFT, _A.SUBMIT): _S.SUBMITTED,
    (_S.DRAFT, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.SUBMITTED, _A.RETURN): _S.DRAFT,
    (_S.SUBMITTED, _A.PUBLISH): _S.PUBLISHED,
    (_S.SUBMITTED, _A.WITHDRAW): _S.WITHDRAWN,
}
"""What may happen in which state. A pair that is not listed is refused; a published version is never changed."""

BY_ANOTHER = (_A.RETURN, _A.PUBLISH)
"""What somebody else than who wrote and handed it in does."""


class DraftRefused(ValueError):
    """The act is not possible in this state."""


def after(state: DraftState, act: DraftAct) -> DraftState:
    """The state after an act. Raises `DraftRefused`."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise DraftRefused(f"{state.value}: {act.value}") from None
