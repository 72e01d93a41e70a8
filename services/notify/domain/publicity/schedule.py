"""The schedule of a plan's campaigns: who owes what, where, in which round, by when; the same on every run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from shared.rules.calendar import end_of_day
from shared.rules.plan import Plan
from shared.rules.plan.parts import Interval
from shared.rules.plan.publicity import Campaign

SPACE = UUID("0b7b4d52-6b43-5f0e-8a55-6a4f5d0a1c3e")
HORIZON = timedelta(days=45)
"""How far ahead the rounds of a campaign without an end are made."""
MOST_ROUNDS = 800


@dataclass(frozen=True, slots=True)
class Place:
    """A place that campaigns go to: the plan's own by its id, a registered one by its uuid."""

    code: str
    kind: str
    area: str | None


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of a campaign: `period` names it for people and machines, both days are inside."""

    period: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Planned:
    """One thing asked of one agency."""

    id: UUID
    campaign: str
    kind: str
    clause: str
    agency: str
    unit: str | None
    area: str | None
    target: str
    round: Round
    due: datetime


def planned(plan: Plan, places: Iterable[Place], since: date, today: date) -> Iterator[Planned]:
    """Everything that the plan's campaigns ask for: all rounds of those with an end, of the others from `since` on."""
    known = [Place(one.id, one.kind, one.area) for one in plan.publicity.places] + list(places)
    for campaign in plan.publicity.campaigns:
        turns = rounds(plan, campaign, since, today)
        for target, area, agency in _targets(plan, campaign, known):
            for turn in turns:
                yield Planned(
                    uuid5(SPACE, f"{plan.id}|{campaign.id}|{target}|{turn.period}"),
                    campaign.id, campaign.kind, campaign.clause or plan.publicity.clause or "", agency, campaign.unit, area,
                    target, turn, end_of_day(turn.last + timedelta(days=campaign.proof_days)),
                )  # fmt: skip


def top_area(plan: Plan) -> str:
    """The area that all others lie in."""
    return next(area.id for area in plan.areas if area.parent is None)


def _targets(plan: Plan, campaign: Campaign, places: Sequence[Place]) -> Iterator[tuple[str, str | None, str]]:
    """Code of the target, its area, and who answers for it."""
    of, town = campaign.targets, top_area(plan)
    if of.town:
        yield town, town, campaign.by or plan.office
    for area in plan.communities if of.communities else ():
        own = next((agency.id for agency in plan.members if agency.kind == "community" and agency.area == area.id), None)
        yield area.id, area.id, campaign.by or own or plan.office
    for operator in plan.publicity.operators if of.operators else ():
        yield operator.id, town, campaign.by or plan.office
    for place in places:
        if place.code in of.places or place.kind in of.place_kinds:
            yield place.code, place.area or town, campaign.by or plan.office


def rounds(plan: Plan, campaign: Campaign, since: date, today: date) -> list[Round]:
    """The rounds of a campaign, in order."""
    first, last = campaign.first, campaign.last
    if campaign.phases:
        of = [phase for phase in plan.phases if phase.id in campaign.phases]
        first, last = min(phase.first for phase in of), max(phase.last for phase in of)
    if campaign.every is None:
        assert last is not None
        return [Round("once", first or min(since, last), last)]
    start = first or since
    return list(_turns(campaign.every, start, last or max(today, start) + HORIZON, closed=last is not None))[:MOST_ROUNDS]


def _turns(every: Interval, start: date, end: date, *, closed: bool) -> Iterator[Round]:
    day = start
    while day <= end:
        last, period = _turn(every, day)
        yield Round(period, day, min(last, end) if closed else last)
        day = last + timedelta(days=1)


def _turn(every: Interval, day: date) -> tuple[date, str]:
    """The last day of the turn that a day begins (calendar months, half months and weeks), and the turn's name."""
    if every.days:
        last = day + timedelta(days=every.days - 1)
        return last, day.isoformat()
    if every.weeks:
        last = day + timedelta(days=6 - day.weekday() + 7 * (every.weeks - 1))
        year, week, _ = day.isocalendar()
        return last, f"{year}-W{week:02d}"
    if every.half_months:
        last = day
        for number in range(every.half_months):
            last = _half_end(last if number == 0 else last + timedelta(days=1))
        return last, f"{day:%Y-%m}-{'a' if day.day <= 15 else 'b'}"
    last = day
    for number in range(every.months or 1):
        last = _month_end(last if number == 0 else last + timedelta(days=1))
    return last, f"{day:%Y-%m}"


def _month_end(day: date) -> date:
    following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return following - timedelta(days=1)


def _half_end(day: date) -> date:
    return day.replace(day=15) if day.day <= 15 else _month_end(day)
