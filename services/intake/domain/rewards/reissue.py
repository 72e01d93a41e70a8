"""A lost claim code is replaced: asked for by receipt, agreed by two persons, given once. One table. No I/O."""

from enum import StrEnum


class CodeState(StrEnum):
    """Where a request for a new code stands."""

    ASKED = "asked"
    AGREED = "agreed"
    """One person has agreed; the old code still holds."""
    RELEASED = "released"
    """Two have; the old code is dead, the new one waits for the holder of the receipt."""
    GIVEN = "given"
    REFUSED = "refused"


class CodeAct(StrEnum):
    AGREE = "agree"
    REFUSE = "refuse"
    GIVE = "give"


C, A = CodeState, CodeAct
TABLE: dict[tuple[CodeState, CodeAct], CodeState] = {
    (C.ASKED, A.AGREE): C.AGREED,
    (C.AGREED, A.AGREE): C.RELEASED,
    (C.ASKED, A.REFUSE): C.REFUSED,
    (C.AGREED, A.REFUSE): C.REFUSED,
    (C.RELEASED, A.GIVE): C.GIVEN,
}
"""Every allowed step; what is not here is forbidden."""

OPEN = (C.ASKED, C.AGREED, C.RELEASED)


class NotNow(ValueError):
    """The step is not in the table, or this person took the first one; `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def after(state: CodeState, act: CodeAct, *, actor: str, first_by: str | None) -> CodeState:
    """The next state. Raises `NotNow`: `decided`, or `same-person` for a second agreement by the first person."""
    try:
        found = TABLE[state, act]
    except KeyError:
        raise NotNow("decided") from None
    if state is CodeState.AGREED and act is CodeAct.AGREE and actor == first_by:
        raise NotNow("same-person")
    return found
