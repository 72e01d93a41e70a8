"""Live figures (数据): what each event adds to which count. Pure, so that the same events give the same figures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.events import Event, EventData
from shared.events.casework import CaseAccepted, CaseClosed, CaseOpened, DeadlineMissed
from shared.events.handovers import HandoverAccepted, HandoverProposed
from shared.events.intake import AgentVisited, PatrolCompleted, PatrolOverdue, VenueFinding
from shared.events.persons import PersonDisposed, PersonRecorded
from shared.events.places import DenCleared, DenRecorded, DenSealed
from shared.events.proceedings import ProceedingDeadlineMissed, ProceedingOpened
from shared.rules.calendar import local_day

MEASURES = (
    "cases_opened", "cases_joined", "cases_accepted", "cases_closed", "dens_found", "dens_cleared", "dens_sealed",
    "persons_recorded", "persons_disposed", "measures", "penalties", "transfers", "requests", "operations",
    "patrols_done", "patrols_overdue", "agents_visited", "venue_findings", "handovers_made", "handovers_accepted",
    "deadlines_missed",
)  # fmt: skip
"""What is counted, in the order it is shown. `cases_opened` counts a case once, `cases_joined` once for each party."""

_GROUPS = {
    "measure": "measures", "penalty": "penalties", "transfer": "transfers", "request": "requests", "operation": "operations",
}  # fmt: skip
_SPACE = 1 << 62


@dataclass(frozen=True, slots=True)
class Fact:
    """What one event adds: to which measure of which agency (None: of nobody alone), in which area, on which day."""

    measure: str
    plan: str
    area: str | None
    agency: str | None
    at: datetime
    number: int = 1


def _one(measure: str, at: str, agency: str = "agency") -> Callable[[Any], Iterable[Fact]]:
    return lambda e: (Fact(measure, e.plan, e.area, getattr(e, agency), getattr(e, at)),)


def _opened(e: CaseOpened) -> Iterable[Fact]:
    yield Fact("cases_opened", e.plan, e.area, None, e.opened_at)
    for agency in sorted({party.agency for party in e.parties if party.role != "coordinator"}):
        yield Fact("cases_joined", e.plan, e.area, agency, e.opened_at)


def _proceeding(e: ProceedingOpened) -> Iterable[Fact]:
    measure = _GROUPS.get(e.group)
    return (Fact(measure, e.plan, e.area, e.agency, e.opened_at),) if measure else ()


_FACTS: Mapping[type[EventData], Callable[[Any], Iterable[Fact]]] = {
    CaseOpened: _opened,
    CaseAccepted: _one("cases_accepted", "accepted_at"),
    CaseClosed: _one("cases_closed", "closed_at"),
    DeadlineMissed: _one("deadlines_missed", "missed_at"),
    DenRecorded: _one("dens_found", "found_at"),
    DenCleared: _one("dens_cleared", "cleared_at"),
    DenSealed: lambda e: (Fact("dens_sealed", e.plan, e.area, e.agency, e.at),) if e.sealed else (),
    PersonRecorded: _one("persons_recorded", "recorded_at"),
    PersonDisposed: _one("persons_disposed", "disposed_at"),
    ProceedingOpened: _proceeding,
    ProceedingDeadlineMissed: lambda e: (Fact("deadlines_missed", e.plan, e.area, e.deadline.agency, e.missed_at),),
    PatrolCompleted: _one("patrols_done", "done_at"),
    PatrolOverdue: _one("patrols_overdue", "overdue_at"),
    AgentVisited: _one("agents_visited", "visited_at"),
    VenueFinding: _one("venue_findings", "found_at"),
    HandoverProposed: _one("handovers_made", "proposed_at", "from_agency"),
    HandoverAccepted: _one("handovers_accepted", "accepted_at", "to_agency"),
}
COUNTED: tuple[type[EventData], ...] = tuple(_FACTS)
"""The events that figures are made of."""


def facts_of(event: EventData) -> list[Fact]:
    """What an event adds to the figures."""
    return list(_FACTS[type(event)](event))


def folded(events: Iterable[Event[Any]]) -> list[dict[str, Any]]:
    """Rows that some events add to the table: one for each day, area, agency and measure.

    `mark` is the sum of the events' own hashes: equal sets of events have equal sums, in whatever order and batches
    they came.
    """
    sums: dict[tuple[str, date, str, str, str], list[int]] = {}
    for event in events:
        for fact in facts_of(event.data):
            key = (fact.plan, local_day(fact.at), fact.area or "", fact.agency or "", fact.measure)
            entry = sums.setdefault(key, [0, 0])
            entry[0] += fact.number
            entry[1] = (entry[1] + mark_of(event.id, fact.measure)) % _SPACE
    return [
        {"plan": p, "day": d, "area": area, "agency": agency, "measure": m, "number": number, "mark": mark}
        for (p, d, area, agency, m), (number, mark) in sorted(sums.items())
    ]


def mark_of(event_id: UUID, measure: str) -> int:
    """An event's share in the sum that tells which events a figure is made of."""
    return int.from_bytes(hashlib.sha256(event_id.bytes + measure.encode()).digest()[:8], "big") % _SPACE


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of a period, the position in the event log they stand at, and the digest of what they are made of."""

    first: date
    last: date
    position: int
    digest: str
    total: dict[str, int]
    by_agency: dict[str, dict[str, int]]
    by_area: dict[str, dict[str, int]]

    def as_record(self) -> dict[str, Any]:
        """As kept with a report or bulletin."""
        return {
            "first": self.first.isoformat(), "last": self.last.isoformat(), "position": self.position, "digest": self.digest,
            "total": self.total, "by_agency": self.by_agency, "by_area": self.by_area,
        }  # fmt: skip


def summed(first: date, last: date, position: int, rows: Iterable[tuple[str, str, str, int, int]]) -> Figures:
    """Figures from (area, agency, measure, number, mark) sums of a period."""
    total: dict[str, int] = {}
    by_agency: dict[str, dict[str, int]] = {}
    by_area: dict[str, dict[str, int]] = {}
    digest = hashlib.sha256(f"{first}|{last}".encode())
    for area, agency, measure, number, mark in sorted(rows):
        digest.update(f"|{area}|{agency}|{measure}|{number}|{mark % _SPACE}".encode())
        total[measure] = total.get(measure, 0) + number
        if agency:
            of_agency = by_agency.setdefault(agency, {})
            of_agency[measure] = of_agency.get(measure, 0) + number
        if area:
            of_area = by_area.setdefault(area, {})
            of_area[measure] = of_area.get(measure, 0) + number
    return Figures(first, last, position, digest.hexdigest(), total, by_agency, by_area)
