"""When a running clock is reminded of, and what the reminders and the day's digest say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from services.notify.domain.matters.parts import Matter
from services.notify.domain.notices import SPACE, State, Template
from shared.rules.calendar import ONE_DAY, SHANGHAI, WorkingCalendar, local_day
from shared.rules.plan.ladder import Reminders


class Stage(StrEnum):
    """The reminders of one due moment, in their order."""

    NONE = "none"
    SOON = "soon"
    DUE = "due"
    OVERDUE = "overdue"


_ORDER = tuple(Stage)
_TEMPLATE = {
    Stage.SOON: Template.DEADLINE_SOON,
    Stage.DUE: Template.DEADLINE_DUE,
    Stage.OVERDUE: Template.DEADLINE_OVERDUE,
}


def moments(rules: Reminders, calendar: WorkingCalendar, start: datetime, due: datetime) -> list[tuple[Stage, datetime]]:
    """Every reminder of a clock with its moment, the earliest first.

    A clock of days: before its last day, on its last day, and on the first working day after. A short one: when little
    of its time is left, and soon after it is over.
    """
    length = due - start
    if length <= timedelta(hours=rules.short_hours):
        told = [(Stage.OVERDUE, due + timedelta(minutes=rules.overdue_after_minutes))]
        if length >= timedelta(minutes=rules.least_minutes):
            told.insert(0, (Stage.SOON, due - length * rules.soon_percent / 100))
        return told
    *before, after = _days(rules.at, rules.soon_days, calendar, local_day(due))
    return [*((stage, at) for stage, at in before if start < at < due), after]


@lru_cache(maxsize=4096)
def _days(at: str, soon_days: int, calendar: WorkingCalendar, last: date) -> tuple[tuple[Stage, datetime], ...]:
    """The reminders of every clock of days that ends on one day."""
    hour = time.fromisoformat(at)
    on = _back(calendar, last, 0)
    told = [(Stage.SOON, _back(calendar, on, soon_days))] if soon_days else []
    told += [(Stage.DUE, on), (Stage.OVERDUE, calendar.roll_forward(last + ONE_DAY).day)]
    # in UTC, in which events tell their times: moments of two zones are compared at ten times the cost
    return tuple((stage, datetime.combine(day, hour, SHANGHAI).astimezone(UTC)) for stage, day in told)


def _back(calendar: WorkingCalendar, day: date, days: int) -> date:
    """So many working days before a day; with none, the day itself or the last working day before it."""
    while not calendar.is_working(day):
        day -= ONE_DAY
    for _ in range(days):
        day -= ONE_DAY
        while not calendar.is_working(day):
            day -= ONE_DAY
    return day


def next_after(
    rules: Reminders, calendar: WorkingCalendar, start: datetime, due: datetime, reminded: str
) -> datetime | None:
    """When the reminder after the last one is due; None when there is none left."""
    done = _ORDER.index(Stage(reminded))
    return next((at for stage, at in moments(rules, calendar, start, due) if _ORDER.index(stage) > done), None)


def stage_now(
    rules: Reminders, calendar: WorkingCalendar, start: datetime, due: datetime, reminded: str, now: datetime
) -> Stage | None:
    """The reminder to make now: the furthest whose moment has come; those passed over are not made any more."""
    done = _ORDER.index(Stage(reminded))
    come = [stage for stage, at in moments(rules, calendar, start, due) if at <= now and _ORDER.index(stage) > done]
    return come[-1] if come else None


def notice_of(clock: Mapping[str, Any], stage: Stage, now: datetime) -> dict[str, Any]:
    """The reminder of a clock: to whom it runs, its number, its rule as the reason; the same again for the same due moment."""
    about = {"case": ("case_id", None), "handover": ("handover_id", None)}.get(clock["matter"])
    row = {
        "id": uuid5(SPACE, f"clock|{clock['id']}|{stage}|{clock['due'].isoformat()}"),
        "case_id": None, "handover_id": None, "lead_id": None,
        "matter": Matter.CLOCK.value, "matter_id": clock["matter_id"], "dataref": clock["dataref"],
        "needs": None, "items": None, "number": clock["number"], "plan": clock["plan"], "area": clock["area"],
        "kinds": [], "urgent": clock["urgent"], "agency": clock["agency"], "unit": clock["unit"], "role": None,
        "template": _TEMPLATE[stage].value, "state": State.WAITING.value, "rule": clock["rule"], "due": clock["due"],
        "provisional": clock["provisional"], "created_at": now, "version": 1, "reminds": clock["id"],
        "parts": {"matter": clock["matter"], "kind": clock["kind"]},
    }  # fmt: skip
    if about is not None:
        row[about[0]] = clock["matter_id"]
    return row


@dataclass(frozen=True, slots=True)
class Line:
    """What a unit's clocks look like on a day, in numbers."""

    agency: str
    unit: str | None
    overdue: int
    today: int
    soon: int


def digest_line(plan: str, agency: str, unit: str | None) -> UUID:
    """What tells one addressee's digests from another's: today's takes the place of yesterday's."""
    return uuid5(SPACE, f"digest|{plan}|{agency}|{unit or ''}")


def digest_of(plan: str, line: Line, day: date, dataref: str, now: datetime) -> dict[str, Any]:
    """The digest of a day for one unit."""
    key = digest_line(plan, line.agency, line.unit)
    return {
        "id": uuid5(key, day.isoformat()),
        "case_id": None, "handover_id": None, "lead_id": None,
        "matter": Matter.DIGEST.value, "matter_id": key, "dataref": dataref, "needs": None,
        "items": line.overdue + line.today + line.soon, "number": day.isoformat(), "plan": plan, "area": None,
        "kinds": [], "urgent": False, "agency": line.agency, "unit": line.unit, "role": None,
        "template": Template.DIGEST.value, "state": State.WAITING.value, "rule": None, "due": None,
        "provisional": False, "created_at": now, "version": 1, "reminds": key,
        "parts": {"overdue": line.overdue, "today": line.today, "soon": line.soon},
    }  # fmt: skip


def digest_moment(rules: Reminders, calendar: WorkingCalendar, now: datetime) -> date | None:
    """The day whose digest is due by now; None before the hour and on days that are not worked."""
    day = local_day(now)
    return day if calendar.is_working(day) and now >= datetime.combine(day, rules.hour, SHANGHAI) else None


def soon_end(rules: Reminders, calendar: WorkingCalendar, day: date) -> datetime:
    """Until when what is due counts as due soon."""
    last = calendar.add_working_days(day, rules.soon_days).day
    return datetime.combine(last + ONE_DAY, datetime.min.time(), SHANGHAI)


def tonight(day: date) -> datetime:
    """The end of a day."""
    return datetime.combine(day + ONE_DAY, datetime.min.time(), SHANGHAI)
