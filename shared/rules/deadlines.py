"""Deadlines as objects: what for, by which rule, until when, and everything that happened to it.

Pure functions return a new `Deadline` and the facts to publish (`opened`, `moved`, `met`, `missed`). The owner of
the object a deadline belongs to calls them; nobody else decides that it was missed. Periods follow one reading:
the start day is not counted; a period in days ends with its last day (Asia/Shanghai); where the rule says so
(`rolls`), a last day that is a holiday rolls to the next working day; a suspended stretch does not count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.rules.calendar import ONE_DAY, SHANGHAI, WorkingCalendar, end_of_day, local_day
from shared.rules.law import CLOCK_UNITS, LimitInForce, Unit


class State(StrEnum):
    RUNNING = "running"
    SUSPENDED = "suspended"
    MISSED = "missed"
    MET = "met"
    MET_LATE = "met_late"
    CANCELLED = "cancelled"


class Action(StrEnum):
    SUSPEND = "suspend"
    RESUME = "resume"
    EXTEND = "extend"
    MEET = "meet"
    MISS = "miss"
    CANCEL = "cancel"
    RECOMPUTE = "recompute"


TRANSITIONS: dict[tuple[State, Action], frozenset[State]] = {
    (State.RUNNING, Action.SUSPEND): frozenset({State.SUSPENDED}),
    (State.RUNNING, Action.EXTEND): frozenset({State.RUNNING}),
    (State.RUNNING, Action.MEET): frozenset({State.MET, State.MET_LATE}),
    (State.RUNNING, Action.MISS): frozenset({State.MISSED}),
    (State.RUNNING, Action.CANCEL): frozenset({State.CANCELLED}),
    (State.RUNNING, Action.RECOMPUTE): frozenset({State.RUNNING}),
    (State.SUSPENDED, Action.RESUME): frozenset({State.RUNNING}),
    (State.SUSPENDED, Action.EXTEND): frozenset({State.SUSPENDED}),
    (State.SUSPENDED, Action.MEET): frozenset({State.MET}),
    (State.SUSPENDED, Action.CANCEL): frozenset({State.CANCELLED}),
    (State.SUSPENDED, Action.RECOMPUTE): frozenset({State.SUSPENDED}),
    (State.MISSED, Action.MEET): frozenset({State.MET_LATE}),
    (State.MISSED, Action.CANCEL): frozenset({State.CANCELLED}),
    (State.MISSED, Action.RECOMPUTE): frozenset({State.MISSED, State.RUNNING}),
}
"""What may happen in which state, and where it can lead. A pair that is not listed is refused."""


class DeadlineRefused(ValueError):
    """The action is not possible now: wrong state, wrong order of time, not yet past due, unit without a clock."""


@dataclass(frozen=True, slots=True)
class Suspension:
    """A stretch that does not count: from when, until when (empty = still), and why."""

    start: datetime
    end: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Extension:
    """A lengthening in the rule's own unit, who approved it, when, and why."""

    amount: int
    approver: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a deadline's history."""

    at: datetime
    action: str
    due: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DeadlineFact:
    """What the owner publishes: ``name`` is opened, moved, met or missed; ``late`` only for met."""

    name: str
    deadline_id: str
    kind: str
    rule_id: str
    at: datetime
    due: datetime
    provisional: bool
    late: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Deadline:
    """One deadline. ``due`` is the last moment that is still in time; all moments are aware.

    ``amount`` is in ``unit``. ``provisional`` is true when the calendar of a year it touches is not published or no
    text of the rule is on file for its day. ``basis_reason`` says the latter in words.
    """

    id: str
    kind: str
    rule_id: str
    article: str
    certainty: str
    unit: str
    amount: int
    rolls: bool
    calendar_version: str
    start: datetime
    due: datetime
    provisional: bool
    state: State = State.RUNNING
    basis_reason: str = ""
    suspensions: tuple[Suspension, ...] = ()
    extensions: tuple[Extension, ...] = ()
    met_at: datetime | None = None
    missed_at: datetime | None = None
    history: tuple[Entry, ...] = ()


Outcome = tuple[Deadline, tuple[DeadlineFact, ...]]

_due_cache: dict[tuple[str, str, date, str, int, bool], tuple[datetime, bool]] = {}


def open_deadline(
    *, id: str, kind: str, rule: LimitInForce, start: datetime, calendar: WorkingCalendar
) -> Outcome:
    """Start a deadline under the rule in force (see `LawBook.in_force`, `Plan.limit`).

    The due day of the same rule, day and calendar is computed once. Raises `DeadlineRefused` when the rule's unit is
    no time or ``start`` has no zone.
    """
    if start.tzinfo is None:
        raise DeadlineRefused("start needs a time zone")
    limit = rule.limit
    unit, amount = limit.unit, int(rule.value or 0)
    if unit not in CLOCK_UNITS:
        raise DeadlineRefused(f"{limit.id} counts {unit}, not time")
    due, loose = _first_due(limit.id, unit, amount, limit.rolls, start, calendar)
    provisional = loose or rule.provisional
    deadline = Deadline(
        id, kind, limit.id, rule.article, limit.certainty, unit.value, amount, limit.rolls, calendar.version,
        start, due, provisional, State.RUNNING, rule.reason, (), (), None, None, (Entry(start, "open", due),),
    )
    return deadline, (DeadlineFact("opened", id, kind, limit.id, start, due, provisional),)


def _first_due(
    rule_id: str, unit: Unit, amount: int, rolls: bool, start: datetime, calendar: WorkingCalendar
) -> tuple[datetime, bool]:
    if unit is Unit.MINUTES:
        return start + timedelta(minutes=amount), False
    if unit is Unit.HOURS:
        return start + timedelta(hours=amount), False
    if unit is Unit.AT_ONCE:
        return start, False
    day = start.astimezone(SHANGHAI).date()
    key = (calendar.version, rule_id, day, unit.value, amount, rolls)
    cached = _due_cache.get(key)
    if cached is None:
        if len(_due_cache) > 20_000:
            _due_cache.clear()
        cached = _due_cache[key] = _last_day(unit, amount, rolls, day, (), calendar)
    return cached


def _last_day(
    unit: Unit, amount: int, rolls: bool, first: date, pauses: tuple[tuple[date, date], ...], calendar: WorkingCalendar
) -> tuple[datetime, bool]:
    """The last day of a period in days, months or years; days inside a pause (start, end] are not counted."""
    if unit is Unit.WORKING_DAYS and not pauses:
        found = calendar.add_working_days(first, amount)
        return end_of_day(found.day), found.provisional
    if unit in {Unit.MONTHS, Unit.YEARS}:
        day = _add_months(first, amount * (12 if unit is Unit.YEARS else 1))
        day += timedelta(days=sum((end - start).days for start, end in pauses))
    else:
        day, left = first, amount
        while left:
            day += ONE_DAY
            paused = any(start < day <= end for start, end in pauses)
            if not paused and (unit is Unit.CALENDAR_DAYS or calendar.is_working(day)):
                left -= 1
    provisional = unit is Unit.WORKING_DAYS and calendar.provisional_between(first, day)
    if rolls:
        rolled = calendar.roll_forward(day)
        day, provisional = rolled.day, provisional or rolled.provisional
    return end_of_day(day), provisional


def _add_months(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(last, day.day))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def _due_of(deadline: Deadline, calendar: WorkingCalendar) -> tuple[datetime, bool]:
    """The due moment from scratch: start, amount, extensions and the suspensions that have ended."""
    unit = Unit(deadline.unit)
    amount = deadline.amount + sum(extension.amount for extension in deadline.extensions)
    ended = [(pause.start, pause.end) for pause in deadline.suspensions if pause.end is not None]
    if unit in {Unit.MINUTES, Unit.HOURS, Unit.AT_ONCE}:
        step = timedelta(minutes=amount) if unit is Unit.MINUTES else timedelta(hours=amount)
        if unit is Unit.AT_ONCE:
            step = timedelta(0)
        return deadline.start + step + sum((end - start for start, end in ended), timedelta(0)), False
    pauses = tuple((local_day(start), local_day(end)) for start, end in ended)
    return _last_day(unit, amount, deadline.rolls, local_day(deadline.start), pauses, calendar)


def _check(deadline: Deadline, action: Action, now: datetime) -> frozenset[State]:
    targets = TRANSITIONS.get((deadline.state, action))
    if targets is None:
        raise DeadlineRefused(f"cannot {action} a deadline that is {deadline.state}")
    if now.tzinfo is None:
        raise DeadlineRefused("now needs a time zone")
    if deadline.history and now < deadline.history[-1].at:
        raise DeadlineRefused("now lies before the last entry of the history")
    return targets


def _fact(deadline: Deadline, name: str, at: datetime, detail: str = "", late: bool = False) -> DeadlineFact:
    return DeadlineFact(
        name, deadline.id, deadline.kind, deadline.rule_id, at, deadline.due, deadline.provisional, late, detail
    )


def _with(deadline: Deadline, action: Action, now: datetime, detail: str = "", **changes: Any) -> Deadline:
    due = changes.get("due", deadline.due)
    return replace(deadline, history=(*deadline.history, Entry(now, action.value, due, detail)), **changes)


def suspend(deadline: Deadline, *, reason: str, now: datetime) -> Outcome:
    """Stop the clock for a reason the rule knows (testing, hearing, supplement asked for)."""
    _check(deadline, Action.SUSPEND, now)
    if now > deadline.due:
        raise DeadlineRefused("the deadline is already past; it can be met late or missed")
    pauses = (*deadline.suspensions, Suspension(now, None, reason))
    after = _with(deadline, Action.SUSPEND, now, reason, state=State.SUSPENDED, suspensions=pauses)
    return after, (_fact(after, "moved", now, "suspended"),)


def resume(deadline: Deadline, *, now: datetime, calendar: WorkingCalendar) -> Outcome:
    """Let the clock run again; the suspended stretch is added."""
    _check(deadline, Action.RESUME, now)
    *earlier, last = deadline.suspensions
    pauses = (*earlier, replace(last, end=now))
    due, loose = _due_of(replace(deadline, suspensions=pauses), calendar)
    after = _with(
        deadline, Action.RESUME, now, state=State.RUNNING, suspensions=pauses, due=due,
        provisional=loose or bool(deadline.basis_reason), calendar_version=calendar.version,
    )
    return after, (_fact(after, "moved", now, "resumed"),)


def extend(
    deadline: Deadline, *, amount: int, approver: str, reason: str, now: datetime, calendar: WorkingCalendar
) -> Outcome:
    """Lengthen by ``amount`` of the rule's own unit, with the approver on record; only before it is past."""
    _check(deadline, Action.EXTEND, now)
    if amount <= 0 or not approver:
        raise DeadlineRefused("an extension needs a positive amount and an approver")
    if deadline.state is State.RUNNING and now > deadline.due:
        raise DeadlineRefused("the deadline is already past and cannot be extended")
    if deadline.unit == Unit.AT_ONCE:
        raise DeadlineRefused("what is due at once cannot be extended")
    extensions = (*deadline.extensions, Extension(amount, approver, now, reason))
    due, loose = _due_of(replace(deadline, extensions=extensions), calendar)
    after = _with(
        deadline, Action.EXTEND, now, reason, extensions=extensions, due=due,
        provisional=loose or bool(deadline.basis_reason), calendar_version=calendar.version,
    )
    return after, (_fact(after, "moved", now, "extended"),)


def meet(deadline: Deadline, *, now: datetime) -> Outcome:
    """What was due has been done at ``now``; late when past due. A late one that nobody marked is marked missed."""
    _check(deadline, Action.MEET, now)
    late = deadline.state is State.MISSED or (deadline.state is State.RUNNING and now > deadline.due)
    missed_at = deadline.missed_at or (now if late else None)
    after = _with(
        deadline, Action.MEET, now, "late" if late else "", met_at=now, missed_at=missed_at,
        state=State.MET_LATE if late else State.MET,
    )
    facts = [_fact(after, "met", now, late=late)]
    if late and deadline.state is State.RUNNING:
        facts.insert(0, _fact(after, "missed", now))
    return after, tuple(facts)


def miss(deadline: Deadline, *, now: datetime) -> Outcome:
    """The due moment has passed without the thing being done. Raises `DeadlineRefused` before it."""
    _check(deadline, Action.MISS, now)
    if now <= deadline.due:
        raise DeadlineRefused("not yet past due")
    after = _with(deadline, Action.MISS, now, state=State.MISSED, missed_at=now)
    return after, (_fact(after, "missed", now),)


def cancel(deadline: Deadline, *, reason: str, now: datetime) -> Outcome:
    """The object it belonged to is gone (merged, handed over); it is not met. One missed before stays missed on record."""
    _check(deadline, Action.CANCEL, now)
    after = _with(deadline, Action.CANCEL, now, reason, state=State.CANCELLED)
    return after, (_fact(after, "moved", now, "cancelled"),)


def recompute(deadline: Deadline, *, calendar: WorkingCalendar, now: datetime) -> Outcome:
    """Compute the due moment again under another calendar (a published year). No fact when nothing moved.

    A missed deadline whose due moment now lies ahead runs again; otherwise it stays missed.
    """
    _check(deadline, Action.RECOMPUTE, now)
    due, loose = _due_of(deadline, calendar)
    provisional = loose or bool(deadline.basis_reason)
    if (due, provisional, calendar.version) == (deadline.due, deadline.provisional, deadline.calendar_version):
        return deadline, ()
    changes: dict[str, Any] = {"due": due, "provisional": provisional, "calendar_version": calendar.version}
    if deadline.state is State.MISSED and now <= due:
        changes |= {"state": State.RUNNING, "missed_at": None}
    after = _with(deadline, Action.RECOMPUTE, now, calendar.version, **changes)
    moved = (due, provisional, after.state) != (deadline.due, deadline.provisional, deadline.state)
    return after, (_fact(after, "moved", now, "recomputed"),) if moved else ()


def as_record(deadline: Deadline) -> dict[str, Any]:
    """A JSON-ready form for a database column; `from_record` reads it back unchanged."""

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.isoformat()
        if isinstance(value, tuple):
            return [plain(item) for item in value]
        if hasattr(value, "__dataclass_fields__"):
            return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
        return value.value if isinstance(value, StrEnum) else value

    return plain(deadline)


def from_record(record: dict[str, Any]) -> Deadline:
    """The deadline kept by `as_record`."""

    def when(text: str | None) -> datetime | None:
        return datetime.fromisoformat(text) if text else None

    def needed(text: str) -> datetime:
        return datetime.fromisoformat(text)

    pauses = tuple(Suspension(needed(p["start"]), when(p["end"]), p["reason"]) for p in record["suspensions"])
    longer = tuple(
        Extension(e["amount"], e["approver"], needed(e["at"]), e["reason"]) for e in record["extensions"]
    )
    entries = tuple(Entry(needed(h["at"]), h["action"], needed(h["due"]), h["detail"]) for h in record["history"])
    return Deadline(**record | {
        "start": needed(record["start"]), "due": needed(record["due"]), "state": State(record["state"]),
        "met_at": when(record["met_at"]), "missed_at": when(record["missed_at"]),
        "suspensions": pauses, "extensions": longer, "history": entries,
    })
