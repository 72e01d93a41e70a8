"""Decisions about a joint case: opening it from a lead, a party's acceptance, a deadline passing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.casework.domain.parties import Involved, Party, parties_of
from services.casework.domain.states import (
    CaseAction,
    CaseState,
    PartyAction,
    PartyState,
    next_case_state,
    next_party_state,
)
from shared.rules import deadlines
from shared.rules.calendar import WorkingCalendar, local_day
from shared.rules.deadlines import Deadline
from shared.rules.law import LawBook
from shared.rules.plan import Plan

ACCEPTANCE = "acceptance"
"""The kind of deadline that runs until a party accepts (受理)."""


class NotAParty(LookupError):
    """The agency is no party to this case."""


class NothingToAccept(ValueError):
    """The agency only coordinates: it has no acceptance to give."""


class AlreadyAccepted(ValueError):
    """The agency has accepted before; the first acceptance stands."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A deadline and the party that has to keep it."""

    agency: str
    unit: str | None
    deadline: Deadline


def open_parts(
    plan: Plan,
    law: LawBook,
    calendar: WorkingCalendar,
    *,
    involved: tuple[Involved, ...],
    urgent: bool,
    received_at: datetime,
    new_id: Callable[[], UUID],
) -> tuple[tuple[Party, ...], tuple[Clock, ...]]:
    """The parties of a new joint case and the acceptance clock of each that must accept.

    Every clock starts when the tip came in, under the rule in force on that day: it never stops while a lead travels.
    Raises `UnknownParty`, and `UnknownRule` or `DeadlineRefused` for a plan whose rule is missing or no time limit.
    """
    parties = parties_of(plan, involved)
    day = local_day(received_at)
    clocks = []
    for party in parties:
        if party.must_accept:
            rule = plan.limit(plan.acceptance_rule(party.agency, urgent), day, law)
            deadline, _ = deadlines.open_deadline(
                id=str(new_id()), kind=ACCEPTANCE, rule=rule, start=received_at, calendar=calendar
            )
            clocks.append(Clock(party.agency, party.unit, deadline))
    return parties, tuple(clocks)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a party's acceptance changes.

    `missed_now` is true when the deadline had passed and nobody had marked it yet: then that is told as well.
    """

    case_state: CaseState
    party: Party
    deadline: Deadline
    in_time: bool
    missed_now: bool


def decide_acceptance(
    state: CaseState, parties: tuple[Party, ...], agency: str, deadline: Deadline, now: datetime
) -> Acceptance:
    """An agency accepts (受理) a case; its deadline is met, or met late (D-A5, D-B6).

    Raises `NotAParty`, `NothingToAccept`, `AlreadyAccepted`, or `TransitionRefused` when the case is past accepting.
    """
    party = next((one for one in parties if one.agency == agency), None)
    if party is None:
        raise NotAParty(agency)
    if not party.must_accept:
        raise NothingToAccept(agency)
    if party.state is PartyState.ACCEPTED:
        raise AlreadyAccepted(agency)
    accepted = replace(party, state=next_party_state(party.state, PartyAction.ACCEPT))
    open_ones = [one for one in parties if one.must_accept and one.state is PartyState.PENDING]
    action = CaseAction.ACCEPT_LAST if len(open_ones) == 1 else CaseAction.ACCEPT_PART
    # another machine's clock may be a little ahead of ours: the history never runs backwards
    at = max(now, deadline.history[-1].at) if deadline.history else now
    after, facts = deadlines.meet(deadline, now=at)
    return Acceptance(
        case_state=next_case_state(state, action),
        party=accepted,
        deadline=after,
        in_time=after.state is deadlines.State.MET,
        missed_now=any(fact.name == "missed" for fact in facts),
    )


def decide_miss(deadline: Deadline, now: datetime) -> Deadline:
    """A deadline's moment has passed without its act. Raises `DeadlineRefused` before that, or in another state."""
    after, _ = deadlines.miss(deadline, now=now)
    return after
