"""Who is party to a case once it is open: parties join, leave, and their clocks stand still. Pure; the caller saves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.casework.domain.cases import ACCEPTANCE, Clock
from services.casework.domain.parties import CO, COORDINATOR, LEAD, Party
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
from shared.rules.deadlines import State
from shared.rules.law import LawBook
from shared.rules.plan import Plan

JoinCause = Literal["handed_over", "decided", "reopened"]
LeaveCause = Literal["handed_over", "declined"]

_ACTIVE = (PartyState.PENDING, PartyState.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Joined:
    """A party came, or is to accept anew; `clock` is its acceptance clock, where one runs."""

    party: Party
    cause: JoinCause
    handover_id: UUID | None
    clock: Clock | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Left:
    """A party's obligation ended."""

    party: Party
    cause: LeaveCause
    reason: str | None
    to: tuple[str, str | None] | None
    had_accepted: bool
    clock: Clock | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Missed:
    """A clock was past due before its party left, and nobody had marked it yet."""

    clock: Clock
    at: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """A clock stands still, or runs again."""

    clock: Clock
    change: Literal["suspended", "resumed"]
    at: datetime


Fact = Joined | Left | Missed | Moved


@dataclass(frozen=True, slots=True)
class Basis:
    """The plan, the law and the calendar that clocks are started under."""

    plan: Plan
    law: LawBook
    calendar: WorkingCalendar
    new_id: Callable[[], UUID]


@dataclass(slots=True)
class Docket:
    """A case while it is changed: its state, parties, open acceptance clocks, and what happened."""

    state: CaseState
    urgent: bool
    parties: dict[str, Party]
    clocks: dict[str, Clock]
    facts: list[Fact] = field(default_factory=list)
    changed: dict[str, Clock] = field(default_factory=dict)
    """Clocks as they are after the change, by deadline id; those not in `known` are new."""
    known: frozenset[str] = frozenset()
    missed: int = 0
    """How many clocks became, or ceased to be, missed with their act still open."""

    def join(
        self, basis: Basis, agency: str, unit: str | None, role: str, cause: JoinCause, handover_id: UUID | None,
        at: datetime,
    ) -> None:  # fmt: skip
        """An agency takes a part over. One that is party already keeps its own clock: nothing is gained by moving.

        A closed case is taken up again only by a party that had declined it; otherwise its end is final.
        """
        before = self.parties.get(agency)
        if self.state is CaseState.CLOSED and cause != "reopened":
            return
        if before is not None and before.state in _ACTIVE and before.must_accept:
            after = replace(before, role=_stronger(before.role, role), **_units(before, unit))
            if after == before:
                return
            clock = self.clocks.get(agency)
            if clock is not None:
                clock = self._keep(replace(clock, unit=after.unit))
        else:
            if before is None:
                after = Party(agency, unit, role, (unit,) if unit else ())
            else:
                state = before.state if before.state in _ACTIVE else next_party_state(before.state, PartyAction.JOIN)
                after = replace(before, state=state, role=role, **_units(before, unit))
            clock = self._keep(self._start(basis, after, at))
            action = CaseAction.REOPEN if cause == "reopened" else CaseAction.JOIN
            self.state = next_case_state(self.state, action)
        self.parties[agency] = after
        self.facts.append(Joined(after, cause, handover_id, clock, at))

    def move_inside(self, agency: str, unit: str | None, handover_id: UUID | None, at: datetime) -> None:
        """A part moves to another unit of the same agency; the agency's clock runs on."""
        before = self.parties.get(agency)
        if before is None or before.state not in _ACTIVE or self.state is CaseState.CLOSED:
            return
        after = replace(before, **_units(before, unit))
        self.parties[agency] = after
        clock = self.clocks.get(agency)
        if clock is not None:
            clock = self._keep(replace(clock, unit=after.unit))
        self.facts.append(Joined(after, "handed_over", handover_id, clock, at))

    def leave(
        self, agency: str, cause: LeaveCause, reason: str | None, to: tuple[str, str | None] | None, at: datetime
    ) -> None:
        """A party's obligation ends: taken over by another, or declined. One that has left before stays as it is."""
        party = self.parties.get(agency)
        if party is None or party.state not in _ACTIVE or self.state is CaseState.CLOSED:
            return
        if cause == "declined" and party.state is PartyState.ACCEPTED:
            return
        action = PartyAction.HAND_OVER if cause == "handed_over" else PartyAction.DECLINE
        after = replace(party, state=next_party_state(party.state, action))
        clock = self.clocks.pop(agency, None)
        if clock is not None:
            clock = self._end(clock, cause, at)
        self.parties[agency] = after
        left = [one for one in self.parties.values() if one.must_accept and one.state in _ACTIVE]
        if any(one.state is PartyState.PENDING for one in left):
            step = CaseAction.LEAVE_PART
        else:
            step = CaseAction.LEAVE_LAST if left else CaseAction.LEAVE_ALL
        if party.must_accept:
            self.state = next_case_state(self.state, step)
        self.facts.append(Left(after, cause, reason, to, party.state is PartyState.ACCEPTED, clock, at))

    def suspend(self, agency: str, rules: tuple[str, ...], at: datetime) -> None:
        """The party's clock stands still, where its rule may and it is not past due."""
        clock = self.clocks.get(agency)
        if clock is None or clock.deadline.state is not State.RUNNING or clock.deadline.rule_id not in rules:
            return
        at = _not_before(clock, at)
        if self.urgent or at > clock.deadline.due:
            return
        after, _ = deadlines.suspend(clock.deadline, reason="supplement", now=at)
        self.facts.append(Moved(self._keep(replace(clock, deadline=after)), "suspended", at))

    def resume(self, basis: Basis, agency: str, at: datetime) -> None:
        """The party's clock runs again; the time it stood still is added."""
        clock = self.clocks.get(agency)
        if clock is None or clock.deadline.state is not State.SUSPENDED:
            return
        at = _not_before(clock, at)
        after, _ = deadlines.resume(clock.deadline, now=at, calendar=basis.calendar)
        self.facts.append(Moved(self._keep(replace(clock, deadline=after)), "resumed", at))

    def _start(self, basis: Basis, party: Party, at: datetime) -> Clock:
        rule = basis.plan.limit(basis.plan.acceptance_rule(party.agency, self.urgent), local_day(at), basis.law)
        deadline, _ = deadlines.open_deadline(
            id=str(basis.new_id()), kind=ACCEPTANCE, rule=rule, start=at, calendar=basis.calendar
        )
        return Clock(party.agency, party.unit, deadline)

    def _end(self, clock: Clock, cause: LeaveCause, at: datetime) -> Clock:
        at = _not_before(clock, at)
        deadline, was_missed = clock.deadline, clock.deadline.state is State.MISSED
        if deadline.state is State.RUNNING and at > deadline.due:
            deadline, _ = deadlines.miss(deadline, now=at)
            self.facts.append(Missed(replace(clock, deadline=deadline), at))
        if cause == "declined":
            deadline, _ = deadlines.meet(deadline, now=at)
        else:
            deadline, _ = deadlines.cancel(deadline, reason=cause, now=at)
        self.missed -= was_missed
        ended = replace(clock, deadline=deadline)
        self.changed[deadline.id] = ended
        return ended

    def _keep(self, clock: Clock) -> Clock:
        self.clocks[clock.agency] = self.changed[clock.deadline.id] = clock
        return clock


def _units(party: Party, unit: str | None) -> dict[str, object]:
    """The unit that now has the part; an agency concerned as a whole stays so."""
    units = party.units if unit is None or unit in party.units or not party.units else (*party.units, unit)
    return {"unit": unit or party.unit, "units": units}


def _stronger(one: str, other: str) -> str:
    return next(role for role in (LEAD, CO, COORDINATOR) if role in (one, other))


def _not_before(clock: Clock, at: datetime) -> datetime:
    # another machine's clock may be a little behind ours: a history never runs backwards
    return max(at, clock.deadline.history[-1].at) if clock.deadline.history else at
