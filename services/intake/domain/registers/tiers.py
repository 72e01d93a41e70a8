"""The patrol calendar (D-E2): calendar windows by a tier's interval, one patrol in each."""

from dataclasses import dataclass
from datetime import date, timedelta

from shared.rules.plan import Plan
from shared.rules.plan.parts import Interval, PatrolTier

_DAY = timedelta(days=1)
_MONDAY = date(1970, 1, 5).toordinal()


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of days, both inclusive, within which one patrol is due."""

    first: date
    last: date


def window(every: Interval, day: date) -> Window:
    """The window of an interval that a day lies in.

    Months are calendar months, counted from January (every two: January–February, …). The first half of a month
    ends with its 15th day, the second with its last, whatever length it has. Weeks begin on Monday.
    """
    if every.half_months is not None:
        index = (day.year * 12 + day.month - 1) * 2 + (day.day > 15)
        start = index - index % every.half_months
        return Window(_half(start), _half(start + every.half_months) - _DAY)
    if every.months is not None:
        index = day.year * 12 + day.month - 1
        start = index - index % every.months
        return Window(_month(start), _month(start + every.months) - _DAY)
    length = every.days if every.days is not None else (every.weeks or 1) * 7
    passed = (day.toordinal() - _MONDAY) % length
    first = day - timedelta(days=passed)
    return Window(first, first + timedelta(days=length - 1))


def first_window(every: Interval, day: date) -> Window:
    """The window in which a unit that is registered, or a den that is found, on a day is first patrolled.

    Never one that ends on that very day: nobody is late on the day the work arises.
    """
    return window(every, day + _DAY)


def passed(every: Interval, last: date, today: date) -> tuple[int, date]:
    """How many windows ended before today from the one that ended on `last` on, and the end of the running one."""
    count = 0
    while last < today:
        count += 1
        last = window(every, last + _DAY).last
    return count, last


def tier_of(plan: Plan, tier_id: str | None) -> PatrolTier | None:
    """A plan's tier by its id or its name, or None."""
    return next((t for t in plan.patrol_tiers if tier_id in (t.id, t.name.zh, t.name.en)), None)


def usual_tier(plan: Plan) -> PatrolTier | None:
    """The tier of a unit of which nothing is known: the strictest that does not stand for a den."""
    return min((t for t in plan.patrol_tiers if not t.after_den), key=_days, default=None)


def den_tier(plan: Plan) -> PatrolTier | None:
    """The tier a unit falls to when a den is found in it: the plan's, else its strictest."""
    named = next((t for t in plan.patrol_tiers if t.after_den), None)
    return named or min(plan.patrol_tiers, key=_days, default=None)


def _days(tier: PatrolTier) -> int:
    every = tier.every
    return (every.days or 0) + (every.weeks or 0) * 7 + (every.half_months or 0) * 15 + (every.months or 0) * 30


def _month(index: int) -> date:
    return date(index // 12, index % 12 + 1, 1)


def _half(index: int) -> date:
    return _month(index // 2).replace(day=16 if index % 2 else 1)
