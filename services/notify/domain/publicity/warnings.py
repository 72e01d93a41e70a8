"""Who may take which step with a public warning, and what the legal check asserts (条例 23, D-M4)."""

from __future__ import annotations

from typing import Any

from services.notify.domain.publicity.states import Work, WorkAct

CHECKS = ("facts_true", "lawful", "no_person_named", "no_case_harmed")
"""What the legal check asserts, each by itself: 事实经查证, 于法有据, 不含个人信息, 不妨碍办案."""

RECALL_REASONS = ("mistaken", "outdated", "privacy", "court", "superior")
HIDING = ("privacy", "court")
"""Recalls after which not even the title is shown."""

APPROVAL = "warning.publish"
"""What the plan lets a post approve (X-O1, 条例 23)."""

_RIGHTS = {
    WorkAct.SAVE: "warning.draft",
    WorkAct.SUBMIT: "warning.draft",
    WorkAct.TAKE_BACK: "warning.draft",
    WorkAct.REVISE: "warning.draft",
    WorkAct.DROP: "warning.draft",
    WorkAct.CHECK: "warning.check",
    WorkAct.APPROVE: "warning.approve",
    WorkAct.RELEASE: "warning.release",
    WorkAct.HOLD: "warning.release",
}


def right_of(action: WorkAct, state: Work) -> str:
    """The right that a step needs: who refuses is who has to decide then."""
    if action is WorkAct.REFUSE:
        return "warning.check" if state is Work.CHECKING else "warning.approve"
    return _RIGHTS[action]


def same_person(action: WorkAct, state: Work, actor: str, row: Any) -> tuple[str, str, str] | None:
    """Why this person may not take this step (code, Chinese, English); None: they may."""
    if action is WorkAct.CHECK and actor == row.drafted_by:
        return "own-draft", "起草人不能自己作合法性审核", "the drafter cannot check their own draft"
    if action is WorkAct.APPROVE and actor in (row.drafted_by, row.checked_by):
        return "own-draft", "起草人、审核人不能自己批准", "the drafter and the checker cannot approve it"
    if action is WorkAct.RELEASE and state is Work.RELEASING and actor == row.released_by:
        return "second-person", "发布要由两个人先后确认，您已确认过，请另一人确认", "two persons release it; you were the first, another must be the second"
    return None
