"""Matters that intake tells of: gatherings, money for rewards, tips, second looks, contacts, patrols, surveys, leads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from services.notify.domain.matters.parts import Makers, Matter, Place, Told, beside, once, place_of, with_duty
from services.notify.domain.notices import SPACE, Template, office_of
from shared.events.followups import (
    LeadMarkedMajor,
    LeadVerificationMissed,
    LeadVerified,
    RevealDecided,
    RevealRequested,
)
from shared.events.intake import ContestDecided, FactAdded, OutcomeContested, PatrolOverdue, SurveyRoundClosed
from shared.events.leads import GatheringFound
from shared.events.rewards import RewardApproved, RewardBudgetShort, RewardProposed, RewardRefused
from shared.rules.plan import Plan

News = (
    GatheringFound | RewardBudgetShort | RewardProposed | RewardApproved | RewardRefused | FactAdded | OutcomeContested
    | ContestDecided | RevealRequested | RevealDecided | PatrolOverdue | SurveyRoundClosed | LeadMarkedMajor
    | LeadVerified | LeadVerificationMissed
)  # fmt: skip
ENDING: tuple[type, ...] = (ContestDecided, RewardApproved, RewardRefused, LeadVerified)
"""Events that end notices and make none."""


def ended_by(event: object) -> tuple[UUID, Sequence[Template], datetime, bool] | None:
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


def _gathering(event: GatheringFound, plan: Plan | None) -> list[Told]:
    to: list[Place] = [(event.agency, event.unit)]
    if plan is not None:
        to += with_duty(plan, plan.leads.gathering.clause, event.area)
    return [
        Told(
            Template.GATHERING_FOUND, place, Matter.GATHERING, event.gathering_id, event.dataref,
            lead_id=event.lead_id, kinds=("gathering",), items=event.signals,
        )
        for place in once(to)
    ]  # fmt: skip


def _fund(event: RewardBudgetShort, plan: Plan | None) -> list[Told]:
    to: list[Place] = [(event.keeper, None), *([office_of(plan)] if plan else [])]
    return [
        Told(Template.FUND_SHORT, place, Matter.FUND, event.warning_id, event.dataref) for place in once(to)
    ]


def _reward(event: RewardProposed, plan: Plan | None) -> list[Told]:
    return [
        Told(
            Template.REWARD_PROPOSED, (event.agency, None), Matter.REWARD, event.reward_id, event.dataref,
            needs="reward.pay", lead_id=event.lead_id,
        )
    ]  # fmt: skip


def _added(event: FactAdded, plan: Plan | None) -> list[Told]:
    to = place_of(event, plan)
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
    to = place_of(event, plan)
    if to is None:
        return []
    # the whole agency: another person than the one who closed it must look
    return [
        Told(
            Template.CONTEST_OPENED, (to[0], None), Matter.CONTEST, event.contest_id,
            beside(event.dataref, f"contests/{event.contest_id}"), needs="outcome.review", lead_id=event.lead_id,
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
    dataref = beside(event.dataref, f"patrols/tasks?state=overdue&area={event.area}")
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
        for place in once([*owed, office_of(plan)])
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


MAKERS: Makers = {
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
}
