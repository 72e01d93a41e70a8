"""The turns of what a plan schedules again and again: each with its first and last day."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from shared.rules.plan.parts import Activity, Interval

if TYPE_CHECKING:
    from shared.rules.plan.model import Plan


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of an activity; both days belong to it."""

    first: date
    last: date


def run_of(plan: Plan) -> Turn:
    """From the first day of the plan's earliest phase to the last day of its latest."""
    return Turn(min(phase.first for phase in plan.phases), max(phase.last for phase in plan.phases))


def turns_of(activity: Activity, plan: Plan) -> tuple[Turn, ...]:
    """Every turn of an activity within its own dates, or the plan's run where it has none.

    Months and half months are those of the calendar (a half month ends on the 15th and at the month's end); days and
    weeks count from the first day. The first and the last turn may be cut short; without an interval there is one.
    """
    run = run_of(plan)
    first, last = activity.first or run.first, activity.last or run.last
    if activity.every is None:
        return (Turn(first, last),)
    turns: list[Turn] = []
    start = first
    while start <= last:
        end = min(_end(start, activity.every), last)
        turns.append(Turn(start, end))
        start = end + timedelta(days=1)
    return tuple(turns)


def _end(start: date, every: Interval) -> date:
    if every.days:
        return start + timedelta(days=every.days - 1)
    if every.weeks:
        return start + timedelta(days=7 * every.weeks - 1)
    halves = every.half_months or 2 * (every.months or 1)
    year, month, half = start.year, start.month, start.day > 15
    # a turn that began inside its month ends with it
    whole = 2 * (year * 12 + month - 1) + half + halves - 1
    if every.months:
        whole = 2 * (year * 12 + month - 1) + halves - 1
    month_index, second = divmod(whole, 2)
    end_year, end_month = divmod(month_index, 12)
    return date(end_year, end_month + 1, monthrange(end_year, end_month + 1)[1] if second else 15)
