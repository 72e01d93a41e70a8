"""Handovers (移交): the states of one as a table, whose turn it is, and where a matter may go. No I/O.

Whoever has a matter first answers for it until another agency has accepted it (point 1): only `ACCEPT` and `DECIDE`
change who is responsible, and no state leaves a matter with nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from shared.rules.plan import Plan
from shared.rules.plan.handover import HandoverRules, rule_for


class HandoverState(StrEnum):
    """Where a handover stands."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    ESCALATED = "escalated"
    DECIDED = "decided"


class HandoverAction(StrEnum):
    """What can be done with one: answered by the receiver, taken back by the sender, decided by the office."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    RETURN = "return"
    WITHDRAW = "withdraw"
    ESCALATE = "escalate"
    DECIDE = "decide"


S, A = HandoverState, HandoverAction

PERIOD = timedelta(days=90)
"""What figures of bounces look back on, unless asked otherwise."""

TRANSITIONS: dict[tuple[HandoverState, HandoverAction], HandoverState] = {
    (S.PROPOSED, A.ACCEPT): S.ACCEPTED,
    (S.PROPOSED, A.REFUSE): S.REFUSED,
    (S.PROPOSED, A.WITHDRAW): S.WITHDRAWN,
    (S.PROPOSED, A.ESCALATE): S.ESCALATED,
    (S.REFUSED, A.ESCALATE): S.ESCALATED,
    (S.ACCEPTED, A.RETURN): S.RETURNED,
    (S.ESCALATED, A.ACCEPT): S.ACCEPTED,
    (S.ESCALATED, A.WITHDRAW): S.WITHDRAWN,
    (S.ESCALATED, A.DECIDE): S.DECIDED,
}
"""What may happen in which state, and where it leads. A pair that is not listed is refused."""

OPEN = frozenset({S.PROPOSED, S.ESCALATED})
"""States in which somebody owes an answer: the receiver, or the office."""


class HandoverRefused(ValueError):
    """The action is not possible in this state."""


def next_state(state: HandoverState, action: HandoverAction) -> HandoverState:
    """The state a handover goes to. Raises `HandoverRefused` for a pair that is not in the table."""
    try:
        return TRANSITIONS[state, action]
    except KeyError:
        raise HandoverRefused(f"a handover that is {state} cannot {action}") from None


@dataclass(frozen=True, slots=True)
class Place:
    """An agency of the plan with its unit (none: the agency as a whole)."""

    agency: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Matter:
    """What is handed over, as far as the rules ask: is it pyramid selling, how did it come in, how often refused."""

    relevant: bool
    urgent: bool
    channel: str
    bounces: int = 0


class NoWay(ValueError):
    """A matter may not go there; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def check_way(plan: Plan, rules: HandoverRules, matter: Matter, source: Place, to: Place | None, reason: str) -> None:
    """Whether a matter may be handed from one place to another; `to` None: back to its distributor.

    Raises `NoWay`: `unknown-reason`, `unknown-agency`, `outside-agency`, `unknown-unit`, `same-place`,
    `through-distributor` (what a line such as 12315 distributes goes back through it, 令121 art. 40, 41),
    `no-distributor`, `urgent-goes-on` (a held person's matter is never sent back).
    """
    known = rules.reason(reason, "hand_over")
    if known is None:
        raise NoWay("unknown-reason")
    line = rules.distributor(matter.channel)
    if to is None:
        if line is None:
            raise NoWay("no-distributor")
        if matter.urgent:
            raise NoWay("urgent-goes-on")
        return
    check_place(plan, to)
    if to == source:
        raise NoWay("same-place")
    inside = to.agency == source.agency
    binds = line is not None and (line.leads or not matter.relevant)
    if binds and not inside and not known.sideways and not matter.urgent:
        raise NoWay("through-distributor")


def check_place(plan: Plan, to: Place) -> None:
    """Whether an agency (and unit) of the plan can take a matter. Raises `NoWay`."""
    try:
        agency = plan.agency(to.agency)
    except KeyError:
        raise NoWay("unknown-agency") from None
    if agency.external:
        raise NoWay("outside-agency")
    if to.unit is not None and agency.unit(to.unit) is None:
        raise NoWay("unknown-unit")


def answer_rule(plan: Plan, rules: HandoverRules, to: Place | None, urgent: bool) -> str:
    """The rule for how soon the receiver answers."""
    kind = plan.agency(to.agency).kind if to else None
    return rule_for(rules.answer, to.agency if to else None, kind, urgent)


def decide_rule(rules: HandoverRules, urgent: bool) -> str:
    """The rule for how soon the office decides."""
    return rule_for(rules.decide, None, None, urgent)


def goes_to_office(rules: HandoverRules, bounces: int) -> bool:
    """Whether a matter was refused or returned so often that the office decides."""
    return bounces >= rules.refusals


def our_number(rules: HandoverRules, year: int, n: int) -> str:
    """Our number (移交编号), in the plan's style."""
    return rules.number.format(year=year, n=n)


def answers_now(state: HandoverState, to: Place | None, source: Place, office: str) -> str:
    """The agency whose turn it is; the sender's own where a distributor's answer is to be recorded."""
    if state is S.ESCALATED:
        return office
    return to.agency if to and state is S.PROPOSED else source.agency
