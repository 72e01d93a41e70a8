"""Closing a joint case (结案): how it ended has to follow from what was done in it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from services.casework.domain.proceedings import Refused, Sibling
from services.casework.domain.states import CaseAction, CaseState, TransitionRefused, next_case_state


class Outcome(StrEnum):
    """How a case ended, as its reporters read it too.

    `CONFIRMED`: found true and penalised. `TRANSFERRED`: prosecuted as a crime. `DISPERSED`: found true, cleared
    without a penalty. `UNFOUNDED`: looked into, no proof found.
    """

    CONFIRMED = "confirmed"
    TRANSFERRED = "transferred"
    DISPERSED = "dispersed"
    UNFOUNDED = "unfounded"


PENALISED = frozenset({"penalised", "executed", "published"})
PROSECUTED = frozenset({"convicted", "acquitted", "not_prosecuted", "crime", "filed"})


def decide_closing(
    state: CaseState, role: str | None, outcome: Outcome, proceedings: Sequence[Sibling], closed_dens: int
) -> CaseState:
    """The state after closing. Raises `Refused`: another party's, not accepted by all, something still open, or an
    outcome that nothing in the case bears out."""
    if role != "lead":
        raise Refused("not-the-lead", "由主办单位结案；未保存。", "the lead agency closes a case; nothing was saved")
    open_ones = [one for one in proceedings if not one.final]
    if open_ones:
        raise Refused(
            "still-open",
            f"还有 {len(open_ones)} 项没有办结，不能结案；未保存。",
            f"{len(open_ones)} proceedings are still open; nothing was saved",
            open=[str(one.id) for one in open_ones],
        )
    ends = {one.outcome for one in proceedings}
    borne_out = {
        Outcome.CONFIRMED: bool(ends & PENALISED),
        Outcome.TRANSFERRED: any(one.kind == "criminal_case" and one.outcome in PROSECUTED for one in proceedings),
        Outcome.DISPERSED: closed_dens > 0 or any(one.kind in ("dispersal", "relief") for one in proceedings),
        Outcome.UNFOUNDED: not ends & PENALISED and not any(
            one.kind == "criminal_case" and one.outcome == "convicted" for one in proceedings
        ),
    }
    if not borne_out[outcome]:
        raise Refused(
            "not-borne-out",
            "案内没有相应的办理结果（处罚、起诉、清理），不能这样结案；未保存。",
            "nothing in the case bears this outcome out (a penalty, a prosecution, a clearing); nothing was saved",
        )
    try:
        return next_case_state(state, CaseAction.CLOSE)
    except TransitionRefused as error:
        raise Refused(
            "not-possible-now", "须各方都已受理才能结案；未保存。", "every party has to have accepted first; nothing was saved",
            state=state.value,
        ) from error
