"""How far a notice has come: from queued to signed for (签收) and done, or failed for good. Pure; one table.

A row keeps what the addressee did (`state`: waiting, signed, done) apart from how far the message came before that
(`transit`), so that neither overwrites the other; together they are one of the six states of the table.
"""

from __future__ import annotations

from enum import StrEnum

from services.notify.domain.notices import State


class Progress(StrEnum):
    """Where a notice stands."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    SIGNED = "signed"
    DONE = "done"
    FAILED = "failed"


class Act(StrEnum):
    """What can happen to a notice."""

    SEND = "send"
    """It was tried at a target that has not taken it yet."""
    DELIVER = "deliver"
    """It was shown to its addressee, or a target has taken it."""
    FAIL = "fail"
    """Every target gave up for good; the inbox still shows it."""
    SIGN = "sign"
    FINISH = "finish"
    """The act it asks for has happened, signed or not."""
    GROW = "grow"
    """It stands for more than was signed for, and asks anew."""


_P, _A = Progress, Act
TRANSITIONS: dict[tuple[Progress, Act], Progress] = {
    (_P.QUEUED, _A.SEND): _P.SENT,
    (_P.QUEUED, _A.DELIVER): _P.DELIVERED,
    (_P.QUEUED, _A.FAIL): _P.FAILED,
    (_P.QUEUED, _A.SIGN): _P.SIGNED,
    (_P.QUEUED, _A.FINISH): _P.DONE,
    (_P.SENT, _A.DELIVER): _P.DELIVERED,
    (_P.SENT, _A.FAIL): _P.FAILED,
    (_P.SENT, _A.SIGN): _P.SIGNED,
    (_P.SENT, _A.FINISH): _P.DONE,
    (_P.SENT, _A.GROW): _P.QUEUED,
    (_P.DELIVERED, _A.SIGN): _P.SIGNED,
    (_P.DELIVERED, _A.FINISH): _P.DONE,
    (_P.DELIVERED, _A.GROW): _P.QUEUED,
    (_P.FAILED, _A.SEND): _P.SENT,
    (_P.FAILED, _A.DELIVER): _P.DELIVERED,
    (_P.FAILED, _A.SIGN): _P.SIGNED,
    (_P.FAILED, _A.FINISH): _P.DONE,
    (_P.FAILED, _A.GROW): _P.QUEUED,
    (_P.SIGNED, _A.FINISH): _P.DONE,
    (_P.SIGNED, _A.GROW): _P.QUEUED,
    (_P.DONE, _A.GROW): _P.QUEUED,
}
"""What may happen in which state, and where it leads. A pair that is not listed changes nothing."""


def after(progress: Progress, act: Act) -> Progress:
    """The state after an act; the same where the table knows no such pair."""
    return TRANSITIONS.get((progress, act), progress)


def sources(act: Act) -> tuple[str, ...]:
    """The states in which an act changes something."""
    return tuple(state.value for (state, what) in TRANSITIONS if what is act)


def progress_of(state: str, transit: str) -> Progress:
    """The one state of a row."""
    return Progress(transit) if state == State.WAITING else Progress(state)
