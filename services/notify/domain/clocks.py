"""Deadlines as their owners tell of them: each event is a fact, and the greatest fact of a deadline holds. Pure.

Facts come late, twice and in any order. Of two facts the one that ends a deadline wins; of two ends the earlier; of two
that do not, the later. So whatever the order, the same facts leave the same state, and what is met is never reminded of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from services.notify.domain.notices import SPACE
from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed, DeadlineMoved, PartyJoined, PartyLeft
from shared.events.common import DeadlineFact
from shared.events.documents import DocumentIssued, DocumentServed
from shared.events.duties import DutyDone, DutyDropped, DutyMissed, DutySet
from shared.events.followups import LeadMarkedMajor, LeadVerificationMissed, LeadVerified
from shared.events.handovers import (
    HandoverAccepted,
    HandoverDecided,
    HandoverEscalated,
    HandoverLate,
    HandoverProposed,
    HandoverRefused,
    HandoverWithdrawn,
)
from shared.events.proceedings import ProceedingDeadlineMissed, ProceedingOpened, ProceedingStepped


class Standing(StrEnum):
    """What a deadline does."""

    RUNNING = "running"
    SUSPENDED = "suspended"
    MISSED = "missed"
    MET = "met"
    MET_LATE = "met_late"
    CANCELLED = "cancelled"


ENDS = (Standing.MET, Standing.MET_LATE, Standing.CANCELLED)

RANK = {Standing.RUNNING: 1, Standing.SUSPENDED: 2, Standing.MISSED: 3, Standing.CANCELLED: 4, Standing.MET_LATE: 5, Standing.MET: 6}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing told of a deadline, and whose it is. `at`: when it happened, by its owner's clock."""

    id: UUID
    plan: str
    agency: str
    unit: str | None
    kind: str
    rule: str
    number: str
    matter: str
    matter_id: UUID
    dataref: str
    area: str | None
    urgent: bool
    start: datetime
    due: datetime
    provisional: bool
    standing: Standing
    at: datetime
    first: bool = field(default=False, compare=False)
    """Told as the deadline began: nothing can have been reminded of before."""

    @property
    def closed(self) -> bool:
        return self.standing in ENDS

    @property
    def ordinal(self) -> int:
        """Greater wins: the later of two facts, the earlier of two ends."""
        micros = int(self.at.timestamp() * 1_000_000)
        return -micros if self.closed else micros

    @property
    def rank(self) -> int:
        return RANK[self.standing]

    @property
    def tie(self) -> str:
        """Tells facts of one moment apart, so that none is chosen by chance."""
        return f"{self.due.isoformat()}|{self.rule}|{self.agency}|{self.unit or ''}|{self.number}"

    @property
    def order(self) -> tuple[bool, int, int, str]:
        return self.closed, self.ordinal, self.rank, self.tie


_IDENTITY = ("number", "matter", "matter_id", "dataref")


def merged(one: Fact, other: Fact) -> Fact:
    """The fact that holds of two about one deadline; the same whichever comes first.

    Its number and address are those of the nearest thing named: a document or proceeding before the case it is in.
    """
    held, less = (one, other) if one.order >= other.order else (other, one)
    if held.matter == "case" and less.matter != "case":
        return replace(held, **{name: getattr(less, name) for name in _IDENTITY})
    return held


def latest(facts: Iterable[Fact]) -> list[Fact]:
    """One fact a deadline, by id."""
    held: dict[UUID, Fact] = {}
    for fact in facts:
        held[fact.id] = merged(held[fact.id], fact) if fact.id in held else fact
    return [held[key] for key in sorted(held)]


Address = Callable[[str, str], str]
"""(service, path) → the dataref of something; where the event names none."""


def _of(d: DeadlineFact, event: Any, standing: Standing | str, at: datetime, **about: Any) -> Fact:
    return Fact(
        id=d.deadline_id, plan=event.plan, agency=d.agency, unit=d.unit, kind=d.kind, rule=d.rule, area=event.area,
        urgent=getattr(event, "urgent", False), start=d.start, due=d.due, provisional=d.provisional,
        standing=Standing(standing), at=at, **about,
    )  # fmt: skip


def _case(event: Any, address: Address) -> dict[str, Any]:
    return {
        "number": event.number, "matter": "case", "matter_id": event.case_id,
        "dataref": address("casework", f"cases/{event.case_id}"),
    }  # fmt: skip


def _opened(e: CaseOpened, a: Address) -> list[Fact]:
    return [_of(d, e, Standing.RUNNING, e.opened_at, first=True, **_case(e, a)) for d in e.deadlines]


def _accepted(e: CaseAccepted, a: Address) -> list[Fact]:
    return [_of(e.deadline, e, Standing.MET if e.in_time else Standing.MET_LATE, e.accepted_at, **_case(e, a))]


def _missed(e: DeadlineMissed, a: Address) -> list[Fact]:
    return [_of(e.deadline, e, Standing.MISSED, e.missed_at, **_case(e, a))]


def _joined(e: PartyJoined, a: Address) -> list[Fact]:
    return [_of(e.deadline, e, Standing.RUNNING, e.joined_at, first=True, **_case(e, a))] if e.deadline else []


def _left(e: PartyLeft, a: Address) -> list[Fact]:
    if e.deadline is None or e.state not in ENDS:
        return []
    return [_of(e.deadline, e, e.state, e.left_at, **_case(e, a))]


def _moved(e: DeadlineMoved, a: Address) -> list[Fact]:
    standing = Standing.SUSPENDED if e.change == "suspended" else Standing.RUNNING
    return [_of(e.deadline, e, standing, e.moved_at, **_case(e, a))]


def _proceeding(e: Any) -> dict[str, Any]:
    return {"number": e.number, "matter": "proceeding", "matter_id": e.proceeding_id, "dataref": e.dataref}


def _clocks(e: ProceedingOpened | ProceedingStepped, a: Address) -> list[Fact]:
    at = e.opened_at if isinstance(e, ProceedingOpened) else e.stepped_at
    return [_of(one.deadline, e, one.state, at, **_proceeding(e)) for one in e.clocks]


def _stood_still(e: ProceedingDeadlineMissed, a: Address) -> list[Fact]:
    return [_of(e.deadline, e, Standing.MISSED, e.missed_at, **_proceeding(e))]


def _document(e: DocumentIssued | DocumentServed) -> dict[str, Any]:
    # a confidential document's number is for its issuer and those with a right of their own
    return {
        "number": "" if e.confidential else e.number, "matter": "document", "matter_id": e.document_id,
        "dataref": e.dataref,
    }  # fmt: skip


def _issued(e: DocumentIssued, a: Address) -> list[Fact]:
    return [_of(e.deadline, e, Standing.RUNNING, e.issued_at, first=True, **_document(e))] if e.deadline else []


def _served(e: DocumentServed, a: Address) -> list[Fact]:
    if e.deadline is None:
        return []
    return [_of(e.deadline, e, Standing.MET_LATE if e.in_time is False else Standing.MET, e.served_at, **_document(e))]


def _lead(e: Any) -> dict[str, Any]:
    return {"number": "", "matter": "lead", "matter_id": e.lead_id, "dataref": e.dataref}


def _major(e: LeadMarkedMajor, a: Address) -> list[Fact]:
    return [_of(e.deadline, e, Standing.RUNNING, e.marked_at, first=True, **_lead(e))]


def _unverified(e: LeadVerificationMissed, a: Address) -> list[Fact]:
    return [_of(e.deadline, e, Standing.MISSED, e.missed_at, **_lead(e))]


def _verified(e: LeadVerified, a: Address) -> list[Fact]:
    if e.in_time is None:
        return []
    # the clock of a lead carries the lead's id; when it ran, the event that began it says
    told = DeadlineFact(
        deadline_id=e.lead_id, kind="verification", agency=e.agency, unit=e.unit, rule="", calendar="",
        start=e.verified_at, due=e.verified_at,
    )  # fmt: skip
    return [_of(told, e, Standing.MET if e.in_time else Standing.MET_LATE, e.verified_at, **_lead(e))]


def handover_clock(handover_id: UUID, stage: str) -> UUID:
    """The id of a handover's clock: of the receiver's answer, or of the office's decision."""
    return uuid5(SPACE, f"clock|handover|{handover_id}|{stage}")


def _handover(e: Any, stage: str, to: tuple[str, str | None], standing: Standing, at: datetime, **more: Any) -> Fact:
    given = {"rule": "", "start": at, "due": at, "provisional": False} | more
    return Fact(
        id=handover_clock(e.handover_id, stage), plan=e.plan, agency=to[0], unit=to[1], kind=f"handover_{stage}",
        number=e.number, matter="handover", matter_id=e.handover_id, dataref=e.dataref, area=e.area, urgent=e.urgent,
        standing=standing, at=at, **given,
    )  # fmt: skip


def _handed(e: Any, a: Address) -> list[Fact]:
    to = (e.to_agency or "", e.to_unit)
    office = (getattr(e, "office", "") or "", None)
    if isinstance(e, HandoverProposed):
        more = {"rule": e.rule, "start": e.proposed_at, "due": e.due, "provisional": e.provisional}
        return [_handover(e, "answer", to, Standing.RUNNING, e.proposed_at, **more)] if e.to_agency else []
    if isinstance(e, HandoverLate):
        late = (e.late_agency, e.late_unit)
        return [_handover(e, e.stage, late, Standing.MISSED, e.late_at, rule=e.rule, due=e.due)]
    if isinstance(e, HandoverDecided):
        how = Standing.MET if e.in_time else Standing.MET_LATE
        return [
            _handover(e, "decision", office, how, e.decided_at), _handover(e, "answer", to, Standing.CANCELLED, e.decided_at)
        ]  # fmt: skip
    if isinstance(e, HandoverEscalated):
        more = {"rule": e.rule, "start": e.escalated_at, "due": e.due, "provisional": e.provisional}
        answered = Standing.MET if e.cause == "refused" else Standing.CANCELLED
        return [
            _handover(e, "answer", to, answered, e.escalated_at),
            _handover(e, "decision", office, Standing.RUNNING, e.escalated_at, **more),
        ]
    if isinstance(e, HandoverWithdrawn):
        ended = Standing.CANCELLED
        return [_handover(e, stage, to, ended, e.withdrawn_at) for stage in ("answer", "decision")]
    at = e.accepted_at if isinstance(e, HandoverAccepted) else e.refused_at
    how = Standing.MET if e.in_time else Standing.MET_LATE
    return [_handover(e, "answer", to, how, at)]


def _duty(e: Any, standing: Standing, at: datetime, **more: Any) -> Fact:
    return Fact(
        id=e.duty_id, plan=e.plan, agency=e.agency, unit=e.unit, kind="duty", rule=e.clause or "", number=e.duty or "",
        matter="duty", matter_id=e.duty_id, dataref=e.dataref, area=e.area, urgent=False, due=e.due, provisional=False,
        standing=standing, at=at, start=more.pop("start", at), **more,
    )  # fmt: skip


def _duty_set(e: DutySet, a: Address) -> list[Fact]:
    return [_duty(e, Standing.RUNNING, e.set_at, first=True)] if e.counts else []


def _duty_ended(e: DutyDone | DutyDropped | DutyMissed, a: Address) -> list[Fact]:
    if isinstance(e, DutyDone):
        return [_duty(e, Standing.MET_LATE if e.late else Standing.MET, e.done_at)]
    if isinstance(e, DutyMissed):
        return [_duty(e, Standing.MISSED, e.missed_at)]
    return [_duty(e, Standing.CANCELLED, e.dropped_at)]


_MAKERS: Mapping[type, Callable[[Any, Address], list[Fact]]] = {
    CaseOpened: _opened,
    CaseAccepted: _accepted,
    DeadlineMissed: _missed,
    PartyJoined: _joined,
    PartyLeft: _left,
    DeadlineMoved: _moved,
    ProceedingOpened: _clocks,
    ProceedingStepped: _clocks,
    ProceedingDeadlineMissed: _stood_still,
    DocumentIssued: _issued,
    DocumentServed: _served,
    LeadMarkedMajor: _major,
    LeadVerificationMissed: _unverified,
    LeadVerified: _verified,
    HandoverProposed: _handed,
    HandoverAccepted: _handed,
    HandoverRefused: _handed,
    HandoverWithdrawn: _handed,
    HandoverEscalated: _handed,
    HandoverDecided: _handed,
    HandoverLate: _handed,
}
TOLD: tuple[type, ...] = tuple(_MAKERS)
"""Events of other services that tell something of a deadline."""

_OWN: Mapping[type, Callable[[Any, Address], list[Fact]]] = {
    DutySet: _duty_set,
    DutyDone: _duty_ended,
    DutyDropped: _duty_ended,
    DutyMissed: _duty_ended,
}
"""The same for what notify itself does; a duty given back is asked for by a notice of its own."""


def facts_of(event: Any, address: Address) -> list[Fact]:
    """What an event tells of deadlines; ends of clocks that were never begun are kept too, since those may come later."""
    maker = _MAKERS.get(type(event)) or _OWN.get(type(event))
    return maker(event, address) if maker else []
