"""A tool of the ladder (政策工具) and its states: triggered, proposed, approved by another, rectified, lifted (D-Q1).

The system says when a rulebook's trigger holds; a person proposes, a second approves, others can lift it.
"""

from __future__ import annotations

from enum import StrEnum


class ToolState(StrEnum):
    """Where a tool stands for a subject."""

    TRIGGERED = "triggered"
    DROPPED = "dropped"
    LAPSED = "lapsed"
    PROPOSED = "proposed"
    REJECTED = "rejected"
    STANDING = "standing"
    REPORTED = "reported"
    RECTIFIED = "rectified"
    LIFTED = "lifted"
    ENDED = "ended"
    ANNULLED = "annulled"


class ToolStep(StrEnum):
    """What can be done; `lapse` and `expire` are the system's."""

    PROPOSE = "propose"
    DROP = "drop"
    LAPSE = "lapse"
    APPROVE = "approve"
    REJECT = "reject"
    REPORT = "report"
    ACCEPT = "accept"
    REFUSE = "refuse"
    LIFT = "lift"
    EXPIRE = "expire"
    ANNUL = "annul"


_S, _T = ToolState, ToolStep

TRANSITIONS: dict[tuple[ToolState, ToolStep], ToolState] = {
    (_S.TRIGGERED, _T.PROPOSE): _S.PROPOSED,
    (_S.TRIGGERED, _T.DROP): _S.DROPPED,
    (_S.TRIGGERED, _T.LAPSE): _S.LAPSED,
    (_S.PROPOSED, _T.APPROVE): _S.STANDING,
    (_S.PROPOSED, _T.REJECT): _S.REJECTED,
    (_S.PROPOSED, _T.LAPSE): _S.LAPSED,
    (_S.STANDING, _T.REPORT): _S.REPORTED,
    (_S.REPORTED, _T.ACCEPT): _S.RECTIFIED,
    (_S.REPORTED, _T.REFUSE): _S.STANDING,
    (_S.STANDING, _T.LIFT): _S.LIFTED,
    (_S.RECTIFIED, _T.LIFT): _S.LIFTED,
    (_S.STANDING, _T.EXPIRE): _S.ENDED,
    (_S.RECTIFIED, _T.EXPIRE): _S.ENDED,
    (_S.STANDING, _T.ANNUL): _S.ANNULLED,
    (_S.REPORTED, _T.ANNUL): _S.ANNULLED,
    (_S.RECTIFIED, _T.ANNUL): _S.ANNULLED,
}
"""What may happen in which state, and where it leads. A pair that is not listed is refused."""

STANDS = (_S.STANDING, _S.REPORTED, _S.RECTIFIED)
"""It has effect: it blocks what its rulebook says."""

OPEN = (_S.TRIGGERED, _S.PROPOSED, *STANDS)
"""Not over: no second one of the kind is begun for the subject."""

HAD = (*STANDS, _S.LIFTED, _S.ENDED)
"""The subject has had it: a graver tool may follow. One that was annulled was never had."""

NEEDS_WORDS = (_T.PROPOSE, _T.DROP, _T.REJECT, _T.REPORT, _T.REFUSE, _T.LIFT, _T.ANNUL)
"""Steps that say why."""

RIGHTS = {
    _T.PROPOSE: "consequence.propose",
    _T.DROP: "consequence.propose",
    _T.APPROVE: "consequence.decide",
    _T.REJECT: "consequence.decide",
    _T.REPORT: "consequence.answer",
    _T.ACCEPT: "consequence.propose",
    _T.REFUSE: "consequence.propose",
    _T.LIFT: "consequence.decide",
    _T.ANNUL: "consequence.decide",
}
"""The right each step of a person takes."""

BY_APPROVAL = (_T.APPROVE, _T.REJECT, _T.LIFT, _T.ANNUL)
"""Steps that take a post the plan lets approve the tool."""


class ToolRefused(ValueError):
    """The step is not possible in this state."""


def after(state: ToolState, step: ToolStep) -> ToolState:
    """The state after a step. Raises `ToolRefused`."""
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        raise ToolRefused(f"{state.value}: {step.value}") from None
