"""Rewards, penalties and accountability proposals (X-S1, X-R2, D-Q2) and their states."""

from __future__ import annotations

from enum import StrEnum


class MeasureState(StrEnum):
    """Where a measure stands."""

    PROPOSED = "proposed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    APPROVED = "approved"
    DONE = "done"
    REVOKED = "revoked"
    SENT = "sent"
    ANSWERED = "answered"


class MeasureStep(StrEnum):
    """What can be done with it. `send` approves an accountability proposal: it goes to whom the rulebook names."""

    APPROVE = "approve"
    SEND = "send"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    CARRY_OUT = "carry_out"
    REVOKE = "revoke"
    RECEIVE = "receive"
    ANSWER = "answer"
    CLOSE = "close"


_S, _T = MeasureState, MeasureStep

TRANSITIONS: dict[tuple[MeasureState, MeasureStep], MeasureState] = {
    (_S.PROPOSED, _T.APPROVE): _S.APPROVED,
    (_S.PROPOSED, _T.SEND): _S.SENT,
    (_S.PROPOSED, _T.REJECT): _S.REJECTED,
    (_S.PROPOSED, _T.WITHDRAW): _S.WITHDRAWN,
    (_S.APPROVED, _T.CARRY_OUT): _S.DONE,
    (_S.APPROVED, _T.REVOKE): _S.REVOKED,
    (_S.SENT, _T.RECEIVE): _S.SENT,
    (_S.SENT, _T.ANSWER): _S.SENT,
    (_S.SENT, _T.CLOSE): _S.ANSWERED,
    (_S.SENT, _T.REVOKE): _S.REVOKED,
}
"""What may happen in which state. `close` is the system's: the last addressee has answered."""

OUTCOMES = ("opened", "no_action", "admonished", "party_discipline", "administrative_discipline", "transferred")
"""What an addressee tells of an accountability proposal: 立案、不予追责、诫勉、党纪处分、政纪处分、移交."""

RIGHTS = {
    _T.APPROVE: "consequence.decide",
    _T.SEND: "consequence.decide",
    _T.REJECT: "consequence.decide",
    _T.WITHDRAW: "consequence.propose",
    _T.CARRY_OUT: "consequence.propose",
    _T.REVOKE: "consequence.decide",
    _T.RECEIVE: "consequence.answer",
    _T.ANSWER: "consequence.answer",
}
"""The right each step of a person takes."""

BY_APPROVAL = (_T.APPROVE, _T.SEND, _T.REJECT, _T.REVOKE)
"""Steps that take a post the plan lets approve the measure, and somebody else than who proposed it."""

NEEDS_WORDS = (_T.REJECT, _T.WITHDRAW, _T.REVOKE)

DECISIONS = {"reward": "merit", "penalty": "criticism"}
"""The decision line of the rulebook that an approval books, where there is one."""


class MeasureRefused(ValueError):
    """The step is not possible in this state."""


def after(state: MeasureState, step: MeasureStep) -> MeasureState:
    """The state after a step. Raises `MeasureRefused`."""
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        raise MeasureRefused(f"{state.value}: {step.value}") from None
