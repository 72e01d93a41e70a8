"""The life of a document (执法文书): one table of what may happen in which state."""

from __future__ import annotations

from enum import StrEnum

from services.casework.domain.states import TransitionRefused


class DocumentState(StrEnum):
    """A document is drafted, approved where its kind asks for it, issued with a number, served, or withdrawn (撤销).

    A draft that came to nothing is discarded: it never had a number. What was issued keeps its number for ever.
    """

    DRAFT = "draft"
    APPROVED = "approved"
    ISSUED = "issued"
    SERVED = "served"
    WITHDRAWN = "withdrawn"
    DISCARDED = "discarded"


class DocumentAction(StrEnum):
    """What is done to a document; an approved one that is edited has to be approved again."""

    EDIT = "edit"
    APPROVE = "approve"
    ISSUE = "issue"
    SERVE = "serve"
    WITHDRAW = "withdraw"
    DISCARD = "discard"


_S, _A = DocumentState, DocumentAction

DOCUMENT_TRANSITIONS: dict[tuple[DocumentState, DocumentAction], DocumentState] = {
    (_S.DRAFT, _A.EDIT): _S.DRAFT,
    (_S.DRAFT, _A.APPROVE): _S.APPROVED,
    (_S.DRAFT, _A.ISSUE): _S.ISSUED,
    (_S.DRAFT, _A.DISCARD): _S.DISCARDED,
    (_S.APPROVED, _A.EDIT): _S.DRAFT,
    (_S.APPROVED, _A.ISSUE): _S.ISSUED,
    (_S.APPROVED, _A.DISCARD): _S.DISCARDED,
    (_S.ISSUED, _A.SERVE): _S.SERVED,
    (_S.ISSUED, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.SERVED, _A.SERVE): _S.SERVED,
    (_S.SERVED, _A.WITHDRAW): _S.WITHDRAWN,
}
"""A pair that is not listed is refused. A draft is issued without approval only where its kind asks for none."""

FROZEN = frozenset({DocumentState.ISSUED, DocumentState.SERVED, DocumentState.WITHDRAWN})
"""States in which the contents are what was issued, and stay so."""


class ApprovalMissing(ValueError):
    """The kind asks for an approval that the document does not have."""


class SameEyes(ValueError):
    """Who wrote the last version may not approve it (four eyes)."""


def next_document_state(
    state: DocumentState, action: DocumentAction, *, needs_approval: bool = False
) -> DocumentState:
    """The state a document goes to. Raises `TransitionRefused`, or `ApprovalMissing` for a draft not yet approved."""
    try:
        after = DOCUMENT_TRANSITIONS[state, action]
    except KeyError:
        raise TransitionRefused(f"a document that is {state} cannot {action}") from None
    if needs_approval and state is DocumentState.DRAFT and action is DocumentAction.ISSUE:
        raise ApprovalMissing(action)
    if not needs_approval and action is DocumentAction.APPROVE:
        raise TransitionRefused("nothing of this kind is approved before it is issued")
    return after


def check_four_eyes(writer: str, approver: str) -> None:
    """Raises `SameEyes` when one and the same person wrote and approves."""
    if writer == approver:
        raise SameEyes(approver)


SERVICE_WAYS = ("direct", "left", "entrusted", "mail", "forwarded", "announced", "electronic")
"""直接、留置、委托、邮寄、转交、公告、电子送达（行政处罚法 art. 61 refers to the civil procedure law for the ways）."""

RECEIVERS = ("party", "family", "representative", "unit", "agency", "absent")
"""本人、成年家属、代理人、单位收件人、机关、无人签收（留置或公告）: a kind of receiver, never a name."""
