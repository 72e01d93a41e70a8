"""A certification (认定) and its states: created step by step, applied for, sampled, inspected, decided by two persons;
afterwards watched for as long as it stands.

A certificate does not outlive its facts: a veto suspends it at once. What was suspended comes back by a procedure of
its own, or at once when the finding behind it is taken back; else it is revoked.
"""

from __future__ import annotations

from enum import StrEnum


class CertificationState(StrEnum):
    """Where a certification stands."""

    CREATING = "creating"
    APPLIED = "applied"
    COMMITTED = "committed"
    DRAWN = "drawn"
    INSPECTED = "inspected"
    RECTIFYING = "rectifying"
    GRANT_PROPOSED = "grant_proposed"
    REFUSAL_PROPOSED = "refusal_proposed"
    GRANTED = "granted"
    REFUSED = "refused"
    SUSPENDED = "suspended"
    RESTORE_ASKED = "restore_asked"
    RESTORE_PROPOSED = "restore_proposed"
    REVOCATION_PROPOSED = "revocation_proposed"
    REVOKED = "revoked"
    EXPIRED = "expired"


class CertificationStep(StrEnum):
    """What can be done with it; `suspend`, `reinstate` and `expire` are the system's, as the facts and time go."""

    DO_STEP = "do_step"
    ATTEST = "attest"
    APPLY = "apply"
    WITHDRAW = "withdraw"
    COMMIT = "commit"
    DRAW = "draw"
    RESULT = "result"
    FINISH = "finish"
    ORDER_RECTIFICATION = "order_rectification"
    RECTIFIED = "rectified"
    PROPOSE_GRANT = "propose_grant"
    PROPOSE_REFUSAL = "propose_refusal"
    CONFIRM = "confirm"
    OBJECT = "object"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    ASK_RESTORE = "ask_restore"
    DENY_RESTORE = "deny_restore"
    PROPOSE_RESTORE = "propose_restore"
    PROPOSE_REVOCATION = "propose_revocation"
    EXPIRE = "expire"


_S, _T = CertificationState, CertificationStep

TRANSITIONS: dict[tuple[CertificationState, CertificationStep], CertificationState] = {
    (_S.CREATING, _T.DO_STEP): _S.CREATING,
    (_S.CREATING, _T.ATTEST): _S.CREATING,
    (_S.CREATING, _T.APPLY): _S.APPLIED,
    (_S.APPLIED, _T.WITHDRAW): _S.CREATING,
    (_S.APPLIED, _T.COMMIT): _S.COMMITTED,
    (_S.APPLIED, _T.PROPOSE_REFUSAL): _S.REFUSAL_PROPOSED,
    (_S.COMMITTED, _T.DRAW): _S.DRAWN,
    (_S.DRAWN, _T.RESULT): _S.DRAWN,
    (_S.DRAWN, _T.FINISH): _S.INSPECTED,
    (_S.INSPECTED, _T.ORDER_RECTIFICATION): _S.RECTIFYING,
    (_S.INSPECTED, _T.PROPOSE_GRANT): _S.GRANT_PROPOSED,
    (_S.INSPECTED, _T.PROPOSE_REFUSAL): _S.REFUSAL_PROPOSED,
    (_S.RECTIFYING, _T.DO_STEP): _S.RECTIFYING,
    (_S.RECTIFYING, _T.ATTEST): _S.RECTIFYING,
    (_S.RECTIFYING, _T.RECTIFIED): _S.APPLIED,
    (_S.RECTIFYING, _T.PROPOSE_REFUSAL): _S.REFUSAL_PROPOSED,
    (_S.GRANT_PROPOSED, _T.CONFIRM): _S.GRANTED,
    (_S.GRANT_PROPOSED, _T.OBJECT): _S.INSPECTED,
    (_S.REFUSAL_PROPOSED, _T.CONFIRM): _S.REFUSED,
    (_S.REFUSAL_PROPOSED, _T.OBJECT): _S.RECTIFYING,
    (_S.GRANTED, _T.SUSPEND): _S.SUSPENDED,
    (_S.GRANTED, _T.EXPIRE): _S.EXPIRED,
    (_S.SUSPENDED, _T.REINSTATE): _S.GRANTED,
    (_S.SUSPENDED, _T.SUSPEND): _S.SUSPENDED,
    (_S.SUSPENDED, _T.ASK_RESTORE): _S.RESTORE_ASKED,
    (_S.SUSPENDED, _T.PROPOSE_REVOCATION): _S.REVOCATION_PROPOSED,
    (_S.SUSPENDED, _T.EXPIRE): _S.EXPIRED,
    (_S.RESTORE_ASKED, _T.SUSPEND): _S.SUSPENDED,
    (_S.RESTORE_ASKED, _T.REINSTATE): _S.GRANTED,
    (_S.RESTORE_ASKED, _T.DENY_RESTORE): _S.SUSPENDED,
    (_S.RESTORE_ASKED, _T.PROPOSE_RESTORE): _S.RESTORE_PROPOSED,
    (_S.RESTORE_ASKED, _T.PROPOSE_REVOCATION): _S.REVOCATION_PROPOSED,
    (_S.RESTORE_ASKED, _T.EXPIRE): _S.EXPIRED,
    (_S.RESTORE_PROPOSED, _T.SUSPEND): _S.SUSPENDED,
    (_S.RESTORE_PROPOSED, _T.REINSTATE): _S.GRANTED,
    (_S.RESTORE_PROPOSED, _T.CONFIRM): _S.GRANTED,
    (_S.RESTORE_PROPOSED, _T.OBJECT): _S.RESTORE_ASKED,
    (_S.RESTORE_PROPOSED, _T.EXPIRE): _S.EXPIRED,
    (_S.REVOCATION_PROPOSED, _T.SUSPEND): _S.REVOCATION_PROPOSED,
    (_S.REVOCATION_PROPOSED, _T.REINSTATE): _S.GRANTED,
    (_S.REVOCATION_PROPOSED, _T.CONFIRM): _S.REVOKED,
    (_S.REVOCATION_PROPOSED, _T.OBJECT): _S.SUSPENDED,
    (_S.REVOCATION_PROPOSED, _T.EXPIRE): _S.EXPIRED,
}
"""What may happen in which state, and where it leads. A pair that is not listed is refused."""

ENDED = (_S.REFUSED, _S.REVOKED, _S.EXPIRED)
"""Nothing more happens with it; a new round may begin."""

IN_FORCE = (_S.GRANTED,)
"""Its holder may call itself certified."""

LOST = (_S.SUSPENDED, _S.RESTORE_ASKED, _S.RESTORE_PROPOSED, _S.REVOCATION_PROPOSED)
"""Granted once, not in force now."""

WATCHED = (*IN_FORCE, *LOST)
"""Facts and time still act on it."""

BY_SYSTEM = (_T.SUSPEND, _T.REINSTATE, _T.EXPIRE)

BY_APPLICANT = (_T.DO_STEP, _T.ATTEST, _T.APPLY, _T.WITHDRAW, _T.DRAW, _T.RECTIFIED, _T.ASK_RESTORE)
"""The applicant's own steps: the right `certificate.apply`. (The word that reveals the sample is the applicant's.)"""

BY_INSPECTOR = (_T.COMMIT, _T.RESULT, _T.FINISH, _T.ORDER_RECTIFICATION)
"""Steps of the right `certificate.inspect`."""

BY_DECIDER = (
    _T.PROPOSE_GRANT, _T.PROPOSE_REFUSAL, _T.PROPOSE_RESTORE, _T.PROPOSE_REVOCATION, _T.DENY_RESTORE, _T.CONFIRM, _T.OBJECT,
)  # fmt: skip
"""Steps of the right `certificate.decide`. `confirm` and `object` are a second person's."""

PROPOSALS = (_T.PROPOSE_GRANT, _T.PROPOSE_REFUSAL, _T.PROPOSE_RESTORE, _T.PROPOSE_REVOCATION)


class CertificationRefused(ValueError):
    """The step is not possible in this state."""


def after(state: CertificationState, step: CertificationStep) -> CertificationState:
    """The state after a step. Raises `CertificationRefused`."""
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        raise CertificationRefused(f"{state.value}: {step.value}") from None


def right_of(step: CertificationStep) -> str | None:
    """The right a step needs; None for the system's own."""
    if step in BY_APPLICANT:
        return "certificate.apply"
    if step in BY_INSPECTOR:
        return "certificate.inspect"
    return "certificate.decide" if step in BY_DECIDER else None
