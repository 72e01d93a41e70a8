"""The life of a reward proposal, as one table; two approvals by two persons, neither of whom proposed it."""

from collections.abc import Collection
from enum import StrEnum


class State(StrEnum):
    """Where a reward stands."""

    PROPOSED = "proposed"
    ONCE_APPROVED = "once_approved"
    APPROVED = "approved"
    PARTLY_PAID = "partly_paid"
    """Some of those who share it have their part."""
    PAID = "paid"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """Taken back by its proposer's office before it was decided."""
    LAPSED = "lapsed"
    """Approved, but not collected; what was set aside is free again."""


class Action(StrEnum):
    """What is done to it."""

    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    PAY = "pay"
    """One part is paid, others are still to be."""
    PAY_LAST = "pay_last"
    LAPSE = "lapse"


S, A = State, Action
TABLE: dict[tuple[State, Action], State] = {
    (S.PROPOSED, A.APPROVE): S.ONCE_APPROVED,
    (S.PROPOSED, A.REFUSE): S.REFUSED,
    (S.PROPOSED, A.WITHDRAW): S.WITHDRAWN,
    (S.ONCE_APPROVED, A.APPROVE): S.APPROVED,
    (S.ONCE_APPROVED, A.REFUSE): S.REFUSED,
    (S.ONCE_APPROVED, A.WITHDRAW): S.WITHDRAWN,
    (S.APPROVED, A.PAY): S.PARTLY_PAID,
    (S.APPROVED, A.PAY_LAST): S.PAID,
    (S.APPROVED, A.LAPSE): S.LAPSED,
    (S.PARTLY_PAID, A.PAY): S.PARTLY_PAID,
    (S.PARTLY_PAID, A.PAY_LAST): S.PAID,
    (S.PARTLY_PAID, A.LAPSE): S.LAPSED,
}
"""Every allowed step; what is not here is forbidden."""

FINAL = frozenset({S.PAID, S.REFUSED, S.WITHDRAWN, S.LAPSED})
LIVE = frozenset(S) - {S.REFUSED, S.WITHDRAWN, S.LAPSED}
"""States in which a receipt has, or is to have, its reward: there can be only one."""
OPEN = LIVE - {S.PAID}
"""States in which something is still to be done."""


class NotAllowed(ValueError):
    """The step is not in the table, or this person may not take it; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def after(state: State, action: Action) -> State:
    """The state after an action. Raises NotAllowed (`state`)."""
    try:
        return TABLE[state, action]
    except KeyError:
        raise NotAllowed("state") from None


def approve(state: State, *, proposer: str, approvers: Collection[str], who: str) -> State:
    """The state after one more approval. Raises NotAllowed: `proposer`, `same-person` or `state`."""
    new = after(state, Action.APPROVE)
    if who == proposer:
        raise NotAllowed("proposer")
    if who in approvers:
        raise NotAllowed("same-person")
    return new
