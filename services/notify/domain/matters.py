"""Who is told of what happens at intake beside cases and handovers, and what ends such a notice. Rows are made here.

A matter is a kind, an id and where it is opened (`dataref`). Its notice goes to an agency or unit, or, with `needs`, to
whoever holds a right within reach: a request to see a reporter's contact is nobody else's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from services.notify.domain.notices import SPACE, State, Template, office_of
from shared.events.followups import (
    LeadMarkedMajor,
    LeadVerificationMissed,
    LeadVerified,
    RevealDecided,
    RevealRequested,
)
from shared.events.intake import ContestDecided, FactAdded, OutcomeContested, PatrolOverdue, SurveyRoundClosed
from shared.events.leads import GatheringFound
from shared.events.proceedings import ProceedingDeadlineMissed, ProceedingOpened, ProceedingStepped
from shared.events.rewards import RewardApproved, RewardBudgetShort, RewardProposed, RewardRefused
from shared.rules.plan import Plan


class Matter(StrEnum):
    """What a notice is about, when it is no case and no handover."""

    GATHERING = "gathering"
    FUND = "fund"
    TIP = "tip"
    CONTEST = "contest"
    REVEAL = "reveal"
    PATROL = "patrol"
    SURVEY = "survey"
    REWARD = "reward"
    LEAD = "lead"
    PROCEEDING = "proceeding"


NEEDS = ("outcome.review", "reporter.reveal", "reporter.request", "reward.pay")
"""Rights that a notice may need of its reader."""

News = (
    GatheringFound | RewardBudgetShort | RewardProposed | RewardApproved | RewardRefused | FactAdded | OutcomeContested
    | ContestDecided | RevealRequested | RevealDecided | PatrolOverdue | SurveyRoundClosed | LeadMarkedMajor
    | LeadVerified | LeadVerificationMissed | ProceedingOpened | ProceedingStepped | ProceedingDeadlineMissed
)  # fmt: skip

Place = tuple[str, str | None]
DueOf = Callable[[Plan, datetime], tuple[str | None, datetime | None, bool]]
"""When a notice must be signed, by the plan's clock: the rule, the moment, whether it is provisional."""


@dataclass(frozen=True, slots=True)
class Told:
    """One notice to be made: for whom, what it is about, and by when something is due."""

    template: Template
    to: Place
    matter: Matter
    matter_id: UUID
    dataref: str
    needs: str | None = None
    rule: str | None = None
    due: datetime | None = None
    provisional: bool = False
    lead_id: UUID | None = None
    kinds: tuple[str, ...] = ()
    urgent: bool = False
    items: int | None = None
    turn: str = ""
    """Which of several turns in one matter it is: each has its own notice."""
    signs: bool = True
    """Whether the plan's time to sign runs, where nothing else is due."""


def told_of(event: News, plan: Plan | None) -> list[Told]:
    """The notices of one event. Without the plan nobody can be named but those the event names."""
    maker = _MAKERS.get(type(event))
    return maker(event, plan) if maker else []


def rows_of(event: News, plan: Plan | None, due_of: DueOf, now: datetime) -> list[dict[str, Any]]:
    """The notices of one event as rows; the same event makes the same ids."""
    return [_row(event, one, plan, due_of, now) for one in told_of(event, plan)]


def ended_by(event: News) -> tuple[UUID, Sequence[Template], datetime, bool] | None:
    """Which matter's requests an event fulfils, when, and whether in time; None: none."""
    T = Template
    if isinstance(event, ContestDecided):
        return event.contest_id, (T.CONTEST_OPENED,), event.decided_at, True
    if isinstance(event, RevealDecided):
        return event.reveal_id, (T.REVEAL_REQUESTED,), event.decided_at, event.outcome != "lapsed"
    if isinstance(event, RewardApproved):
        return event.reward_id, (T.REWARD_PROPOSED,), event.at, True
    if isinstance(event, RewardRefused) and event.reward_id:
        return event.reward_id, (T.REWARD_PROPOSED,), event.at, True
    if isinstance(event, LeadVerified):
        return event.lead_id, (T.LEAD_MAJOR, T.VERIFICATION_MISSED), event.verified_at, event.in_time is not False
    return None


def turn_taken(event: News) -> tuple[UUID, datetime] | None:
    """The proceeding in which a step was taken, and when: whoever was awaited before is not any more."""
    return (event.proceeding_id, event.stepped_at) if isinstance(event, ProceedingStepped) else None


def _place(event: Any, plan: Plan | None) -> Place | None:
    """Who has it; the office for what nobody has."""
    if event.agency:
        return event.agency, event.unit
    return office_of(plan) if plan else None


def _gathering(event: GatheringFound, plan: Plan | None) -> list[Told]:
    to: list[Place] = [(event.agency, event.unit)]
    if plan is not None:
        to += _with_duty(plan, plan.leads.gathering.clause, event.area)
    return [
        Told(
            Template.GATHERING_FOUND, place, Matter.GATHERING, event.gathering_id, event.dataref,
            lead_id=event.lead_id, kinds=("gathering",), items=event.signals,
        )
        for place in _once(to)
    ]  # fmt: skip


def _with_duty(plan: Plan, clause: str | None, area: str | None) -> list[Place]:
    """Agencies that the plan gives the duty of a clause; a community only for what lies in it."""
    if clause is None:
        return []
    found: list[Place] = []
    for agency in plan.members:
        if agency.area is not None and (area is None or not plan.within(area, agency.area)):
            continue
        if any(duty.clause == clause for duty in plan.duties_of(agency.id)):
            found.append((agency.id, None))
    return found


def _once(places: Iterable[Place]) -> list[Place]:
    """Each agency once: the first place named of it is told."""
    seen: dict[str, Place] = {}
    for agency, unit in places:
        seen.setdefault(agency, (agency, unit))
    return list(seen.values())


def _fund(event: RewardBudgetShort, plan: Plan | None) -> list[Told]:
    to: list[Place] = [(event.keeper, None), *([office_of(plan)] if plan else [])]
    return [
        Told(Template.FUND_SHORT, place, Matter.FUND, event.warning_id, event.dataref) for place in _once(to)
    ]


def _reward(event: RewardProposed, plan: Plan | None) -> list[Told]:
    return [
        Told(
            Template.REWARD_PROPOSED, (event.agency, None), Matter.REWARD, event.reward_id, event.dataref,
            needs="reward.pay", lead_id=event.lead_id,
        )
    ]  # fmt: skip


def _added(event: FactAdded, plan: Plan | None) -> list[Told]:
    to = _place(event, plan)
    if to is None:
        return []
    template = Template.TIP_ANSWERED if event.answer else Template.TIP_ADDED
    return [
        Told(
            template, to, Matter.TIP, event.message_id, event.dataref, lead_id=event.lead_id,
            urgent=event.turned_urgent,
        )
    ]  # fmt: skip


def _contest(event: OutcomeContested, plan: Plan | None) -> list[Told]:
    to = _place(event, plan)
    if to is None:
        return []
    # the whole agency: another person than the one who closed it must look
    return [
        Told(
            Template.CONTEST_OPENED, (to[0], None), Matter.CONTEST, event.contest_id,
            _beside(event.dataref, f"contests/{event.contest_id}"), needs="outcome.review", lead_id=event.lead_id,
        )
    ]  # fmt: skip


def _asked(event: RevealRequested, plan: Plan | None) -> list[Told]:
    return [
        Told(
            Template.REVEAL_REQUESTED, (event.agency, None), Matter.REVEAL, event.reveal_id, event.dataref,
            needs="reporter.reveal", due=event.lapses_at,
        )
    ]  # fmt: skip


def _answered(event: RevealDecided, plan: Plan | None) -> list[Told]:
    if event.outcome == "withdrawn":
        return []
    return [
        Told(
            Template.REVEAL_DECIDED, (event.agency, None), Matter.REVEAL, event.reveal_id, event.dataref,
            needs="reporter.request", signs=False,
        )
    ]  # fmt: skip


def _overdue(event: PatrolOverdue, plan: Plan | None) -> list[Told]:
    # one notice for all units of a community whose day was the same
    group = uuid5(SPACE, f"patrols|{event.plan}|{event.agency}|{event.area}|{event.due}|{event.missed}")
    dataref = _beside(event.dataref, f"patrols/tasks?state=overdue&area={event.area}")
    return [Told(Template.PATROL_OVERDUE, (event.agency, None), Matter.PATROL, group, dataref, items=1)]


def _survey(event: SurveyRoundClosed, plan: Plan | None) -> list[Told]:
    if event.done or plan is None:
        return []
    owed: list[Place] = [
        (agency.id, None) for agency in plan.members if agency.area and plan.within(event.area, agency.area)
    ]
    round_ = uuid5(SPACE, f"survey|{event.round_id}|{event.area}")
    items = max(0, event.target - event.reached)
    return [
        Told(Template.SURVEY_UNFINISHED, place, Matter.SURVEY, round_, event.dataref, items=items)
        for place in _once([*owed, office_of(plan)])
    ]


def _major(event: LeadMarkedMajor, plan: Plan | None) -> list[Told]:
    d = event.deadline
    return [
        Told(
            Template.LEAD_MAJOR, (event.agency, event.unit), Matter.LEAD, event.lead_id, event.dataref, rule=d.rule,
            due=d.due, provisional=d.provisional, lead_id=event.lead_id, urgent=event.urgent,
        )
    ]  # fmt: skip


def _unverified(event: LeadVerificationMissed, plan: Plan | None) -> list[Told]:
    d = event.deadline
    places: dict[Place, Template] = {office_of(plan): Template.VERIFICATION_MISSED_OFFICE} if plan else {}
    places[event.agency, event.unit] = Template.VERIFICATION_MISSED
    return [
        Told(
            template, place, Matter.LEAD, event.lead_id, event.dataref, rule=d.rule, due=d.due,
            provisional=d.provisional, lead_id=event.lead_id, urgent=event.urgent,
        )
        for place, template in places.items()
    ]  # fmt: skip


def _awaits(event: ProceedingOpened | ProceedingStepped, plan: Plan | None) -> list[Told]:
    """Whoever must act next in a proceeding, unless they took the last step themselves."""
    opened = isinstance(event, ProceedingOpened)
    at, by = (event.opened_at, event.agency) if opened else (event.stepped_at, event.by_agency)
    if event.awaits_agency in (None, by):
        return []
    running = [
        one.deadline for one in event.clocks
        if one.change in ("started", "resumed", "extended") and one.deadline.agency == event.awaits_agency
    ]  # fmt: skip
    first = min(running, key=lambda one: one.due, default=None)
    return [
        Told(
            Template.PROCEEDING_AWAITS, (event.awaits_agency, event.awaits_unit), Matter.PROCEEDING,
            event.proceeding_id, event.dataref, rule=first.rule if first else None, due=first.due if first else None,
            provisional=bool(first and first.provisional), urgent=event.urgent, turn=at.isoformat(),
        )
    ]  # fmt: skip


def _stood_still(event: ProceedingDeadlineMissed, plan: Plan | None) -> list[Told]:
    d = event.deadline
    places: dict[Place, Template] = {office_of(plan): Template.PROCEEDING_MISSED_OFFICE} if plan else {}
    places[d.agency, d.unit] = Template.PROCEEDING_MISSED
    return [
        Told(
            template, place, Matter.PROCEEDING, event.proceeding_id, event.dataref, rule=d.rule, due=d.due,
            provisional=d.provisional, urgent=event.urgent, turn=str(d.deadline_id),
        )
        for place, template in places.items()
    ]  # fmt: skip


_MAKERS: Mapping[type, Callable[[Any, Plan | None], list[Told]]] = {
    GatheringFound: _gathering,
    RewardBudgetShort: _fund,
    RewardProposed: _reward,
    FactAdded: _added,
    OutcomeContested: _contest,
    RevealRequested: _asked,
    RevealDecided: _answered,
    PatrolOverdue: _overdue,
    SurveyRoundClosed: _survey,
    LeadMarkedMajor: _major,
    LeadVerificationMissed: _unverified,
    ProceedingOpened: _awaits,
    ProceedingStepped: _awaits,
    ProceedingDeadlineMissed: _stood_still,
}
TOLD: tuple[type, ...] = (*_MAKERS, ContestDecided, RewardApproved, RewardRefused, LeadVerified)
"""Events that make such notices or end them."""


def _beside(dataref: str, path: str) -> str:
    """Another thing of the same service as a dataref."""
    base, found, _ = dataref.partition("/v1/")
    return f"{base}/v1/{path}" if found else dataref


def _row(event: News, one: Told, plan: Plan | None, due_of: DueOf, now: datetime) -> dict[str, Any]:
    agency, unit = one.to
    rule, due, provisional = one.rule, one.due, one.provisional
    if due is None and one.signs and plan is not None:
        rule, due, provisional = due_of(plan, now)
    return {
        "id": uuid5(SPACE, f"matter|{one.matter}|{one.matter_id}|{agency}|{unit or ''}|{one.template}{one.turn}"),
        "case_id": None,
        "handover_id": None,
        "lead_id": one.lead_id,
        "matter": one.matter.value,
        "matter_id": one.matter_id,
        "dataref": one.dataref,
        "needs": one.needs,
        "items": one.items,
        "number": _number(event),
        "plan": event.plan,
        "area": getattr(event, "area", None),
        "kinds": list(one.kinds),
        "urgent": one.urgent,
        "agency": agency,
        "unit": unit,
        "role": None,
        "template": one.template.value,
        "state": State.WAITING.value,
        "rule": rule,
        "due": due,
        "provisional": provisional,
        "created_at": now,
        "version": 1,
    }


def _number(event: Any) -> str:
    """What stands for a number: a fund with its year, a day; nothing for what has none."""
    if isinstance(event, RewardBudgetShort):
        return str(event.year)
    if hasattr(event, "proceeding_id"):
        return event.number
    due = getattr(event, "due", None)
    return due.isoformat() if isinstance(due, date) and not isinstance(due, datetime) else ""


def unsigned(row: Mapping[str, Any], plan: Plan, now: datetime) -> dict[str, Any] | None:
    """The office's notice that an agency has not signed in time; None for the office's own and what is not for it."""
    office = office_of(plan)
    if row["needs"] is not None or (row["agency"], row["unit"]) == office:
        return None
    kept = {
        name: row[name]
        for name in ("lead_id", "matter", "matter_id", "dataref", "items", "number", "plan", "area", "kinds", "urgent", "rule", "due",
            "provisional")
    }  # fmt: skip
    return kept | {
        "id": uuid5(SPACE, f"unsigned|{row['id']}"),
        "case_id": None,
        "handover_id": None,
        "needs": None,
        "agency": office[0],
        "unit": office[1],
        "role": None,
        "template": Template.UNSIGNED_OFFICE.value,
        "state": State.WAITING.value,
        "created_at": now,
        "version": 1,
        "raised_at": now,
    }
