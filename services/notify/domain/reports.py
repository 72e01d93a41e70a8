"""Reporting (报送): who owes a report for which day by the plan, and the life of one. Pure.

The plan's explicit dates win over its rule (D-R); a report tells of the days since the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid5

from shared.rules.calendar import end_of_day
from shared.rules.plan import Plan

SPACE = UUID("5b0f6d64-3a0e-5c53-8a3c-6a5f6c5d9e21")
REGULAR = "regular"
"""The kind of a report by the calendar; other kinds are ids of the plan's milestones."""
FIELDS = ("done", "results", "problems", "suggestions")
"""What a report says (D-N2): 具体做法, 取得成果, 存在问题, 意见建议."""


class ReportState(StrEnum):
    """`missed` and `returned` ones can still be sent; `withdrawn` ones are not asked any more."""

    OWED = "owed"
    DRAFTED = "drafted"
    MISSED = "missed"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


class ReportAction(StrEnum):
    """`miss` is done by the clock, the rest by persons."""

    SAVE = "save"
    SUBMIT = "submit"
    MISS = "miss"
    RETURN = "return"
    WITHDRAW = "withdraw"


_S, _A = ReportState, ReportAction
TRANSITIONS: dict[tuple[ReportState, ReportAction], ReportState] = {
    (_S.OWED, _A.SAVE): _S.DRAFTED,
    (_S.OWED, _A.SUBMIT): _S.SUBMITTED,
    (_S.OWED, _A.MISS): _S.MISSED,
    (_S.OWED, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.DRAFTED, _A.SAVE): _S.DRAFTED,
    (_S.DRAFTED, _A.SUBMIT): _S.SUBMITTED,
    (_S.DRAFTED, _A.MISS): _S.MISSED,
    (_S.DRAFTED, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.MISSED, _A.SAVE): _S.MISSED,
    (_S.MISSED, _A.SUBMIT): _S.SUBMITTED,
    (_S.MISSED, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.SUBMITTED, _A.RETURN): _S.RETURNED,
    (_S.RETURNED, _A.SAVE): _S.RETURNED,
    (_S.RETURNED, _A.SUBMIT): _S.SUBMITTED,
}
"""A pair that is not listed is refused."""

OPEN = (_S.OWED, _S.DRAFTED, _S.MISSED, _S.RETURNED)
"""States in which an agency has something to do."""
RUNNING = (_S.OWED, _S.DRAFTED)
"""States in which the clock runs."""


class ReportRefusedError(ValueError):
    """A report cannot go this way from where it is."""


def next_report_state(state: ReportState, action: ReportAction) -> ReportState:
    """The state a report goes to. Raises `ReportRefusedError`."""
    try:
        return TRANSITIONS[state, action]
    except KeyError:
        raise ReportRefusedError(f"a report that is {state} cannot {action}") from None


@dataclass(frozen=True, slots=True)
class Owed:
    """One report that an agency owes; equal plans give equal ids."""

    id: UUID
    plan: str
    kind: str
    origin: str
    clause: str | None
    agency: str
    to_agency: str
    first_day: date
    day: date
    counts: bool

    @property
    def due(self) -> datetime:
        """The last second of its day: a period in days runs to its end."""
        return end_of_day(self.day)


@dataclass(frozen=True, slots=True)
class Turn:
    """A day of the calendar: what is owed then, of which days it tells, by whom and to whom."""

    kind: str
    clause: str | None
    first_day: date
    day: date
    by: tuple[str, ...]
    to: str


def turns_of(plan: Plan) -> list[Turn]:
    """The whole calendar of a plan: its report days, and what its milestones send upward, by day."""
    starts = plan.phases[0].first
    found: list[Turn] = []
    if plan.reporting is not None:
        before: date | None = None
        for day in plan.report_dates():
            first = date.fromordinal(before.toordinal() + 1) if before else min(starts, day)
            found.append(Turn(REGULAR, plan.reporting.clause, first, day, plan.reporters(), plan.reporting.to))
            before = day
    found += [
        Turn(one.id, one.clause, min(starts, one.due), one.due, one.by, one.to)
        for one in plan.milestones
        if one.by and one.to
    ]
    return sorted(found, key=lambda turn: (turn.day, turn.kind))


def owed_on(plan: Plan, today: date, known_at: datetime) -> list[Owed]:
    """What is owed by the plan's calendar so far: a report is owed from the first day it tells of.

    Lateness counts only where the day had not passed when it became known here (`known_at`), the plan was issued by
    then, and the plan does not count later.
    """
    return [
        _owed(plan, turn, agency, "plan", known_at)
        for turn in turns_of(plan)
        if turn.first_day <= today
        for agency in turn.by
    ]


def asked_for(
    plan: Plan, agencies: Sequence[str], first_day: date, day: date, round_id: UUID, now: datetime
) -> list[Owed]:
    """Reports that the office asks for beside the calendar."""
    to = plan.reporting.to if plan.reporting else plan.office
    turn = Turn(REGULAR, None, first_day, day, tuple(agencies), to)
    return [_owed(plan, turn, agency, "office", now, str(round_id)) for agency in turn.by]


def _owed(plan: Plan, turn: Turn, agency: str, origin: str, known_at: datetime, round_: str = "") -> Owed:
    reporting = plan.reporting
    starts = [day for day in (plan.issued, reporting.late_counts_from if reporting else None) if day]
    return Owed(
        uuid5(SPACE, f"{plan.id}|{turn.kind}|{agency}|{turn.day}|{round_}"),
        plan.id, turn.kind, origin, turn.clause, agency, turn.to, turn.first_day, turn.day,
        end_of_day(turn.day) >= known_at and all(turn.day >= start for start in starts),
    )  # fmt: skip


def may_report(plan: Plan, caller_id: str, posts: Sequence[str], named: str | None) -> bool:
    """Whether a member of the agency may report for it: where the plan wants a named reporter (X-R3), only that one.

    While none is named here, whoever holds the post of reporter.
    """
    if plan.reporting is None or not plan.reporting.named_reporter:
        return True
    return caller_id == named if named else "reporter" in posts
