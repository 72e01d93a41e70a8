"""Consequences as they are shown, with what the caller can do now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.scoring.domain.books import Books
from services.scoring.domain.consequences import measures as measuring
from services.scoring.domain.consequences import tools as tooling
from services.scoring.domain.consequences.funds import Move, balance, left_of
from services.scoring.domain.rulebooks import LadderStep, Measure
from services.scoring.schemas.consequences import FundLineOut, FundMoveOut, MeasureFullOut, ToolFullOut
from shared.kit.access import Caller
from shared.rules.plan import Plan
from shared.rules.plan.parts import Fund


def rung_of(books: Books, row: Any) -> LadderStep | None:
    """The tool as its rulebook words it."""
    version = books.shelf.get(row.rulebook, row.edition)
    return version.tool(row.tool) if version is not None else None


def measure_of(books: Books, row: Any) -> Measure | None:
    """The measure as its rulebook words it."""
    version = books.shelf.get(row.rulebook, row.edition)
    return next((one for one in version.measures if one.id == row.measure), None) if version is not None else None


def _own(caller: Caller, row: Any) -> bool:
    return row.subject_kind != "town" and row.agency == caller.agency and row.unit in (None, caller.unit)


def _reaches(caller: Caller, right: str, row: Any) -> bool:
    reach = caller.reach(right)
    return reach in ("plan", "all") or (reach is not None and row.agency == caller.agency)


def tool_steps(books: Books, row: Any, caller: Caller, plan: Plan | None) -> list[str]:
    """What a caller can do about a tool now."""
    rung, found = rung_of(books, row), []
    for state, step in tooling.TRANSITIONS:
        if state != tooling.ToolState(row.state) or step not in tooling.RIGHTS:
            continue
        if not _reaches(caller, tooling.RIGHTS[step], row):
            continue
        if step is not tooling.ToolStep.REPORT and _own(caller, row):
            continue
        if step in tooling.BY_APPROVAL and not (rung and plan and plan.may_approve(caller.posts, rung.approval)):
            continue
        if step in (tooling.ToolStep.APPROVE, tooling.ToolStep.REJECT) and caller.actor == row.proposed_by:
            continue
        waits = rung is not None and rung.lifting == "by-inspection" and rung.rectification is not None
        if step is tooling.ToolStep.LIFT and waits and state is not tooling.ToolState.RECTIFIED:
            continue
        found.append(step.value)
    return found


def measure_steps(books: Books, row: Any, caller: Caller, plan: Plan | None) -> list[str]:
    """What a caller can do with a measure now."""
    measure, found = measure_of(books, row), []
    steps = measuring.MeasureStep
    for state, step in measuring.TRANSITIONS:
        if state != measuring.MeasureState(row.state) or step not in measuring.RIGHTS:
            continue
        if step is (steps.APPROVE if row.kind == "accountability" else steps.SEND):
            continue
        if step in (steps.RECEIVE, steps.ANSWER):
            mine = row.answers.get(caller.agency, {})
            may = caller.agency in row.sent_to and caller.reach(measuring.RIGHTS[step]) is not None
            if may and not mine.get("outcome") and not (step is steps.RECEIVE and mine):
                found.append(step.value)
            continue
        if not _reaches(caller, measuring.RIGHTS[step], row):
            continue
        if step in measuring.BY_APPROVAL and (
            _own(caller, row) or not (measure and plan and plan.may_approve(caller.posts, measure.approval))
        ):
            continue
        if step in (steps.APPROVE, steps.SEND, steps.REJECT) and caller.actor == row.proposed_by:
            continue
        found.append(step.value)
    return found


def tool_out(books: Books, row: Any, caller: Caller, plan: Plan | None) -> ToolFullOut:
    """A tool as data."""
    rung = rung_of(books, row)
    made = {"title", "stands", "lifting", "approval", "can"}
    return ToolFullOut(
        **{name: getattr(row, name) for name in ToolFullOut.model_fields if name not in made},
        title=rung.name if rung else None,
        stands=row.state in tooling.STANDS,
        lifting=rung.lifting if rung else None,
        approval=rung.approval if rung else None,
        can=tool_steps(books, row, caller, plan),
    )


def measure_out(books: Books, row: Any, caller: Caller, plan: Plan | None) -> MeasureFullOut:
    """A measure as data."""
    measure = measure_of(books, row)
    made = {"title", "can"}
    return MeasureFullOut(
        **{name: getattr(row, name) for name in MeasureFullOut.model_fields if name not in made},
        title=measure.name if measure else None,
        can=measure_steps(books, row, caller, plan),
    )


def fund_out(plan: str, fund: Fund, moves: Sequence[Move]) -> FundLineOut:
    """A fund with its balance."""
    found = balance(moves)
    return FundLineOut(
        plan=plan, fund=fund.id, title=fund.name, clause=fund.clause, keeper=fund.keeper, given=fund.yuan,
        budget=found.budget, committed=found.committed, paid=found.paid, free=found.free,
    )  # fmt: skip


def move_out(row: Any, moves: Sequence[Move]) -> FundMoveOut:
    """A move of money."""
    return FundMoveOut(
        **{name: getattr(row, name) for name in FundMoveOut.model_fields if name != "left"},
        left=left_of(row.id, moves) if row.kind == "commit" else None,
    )
