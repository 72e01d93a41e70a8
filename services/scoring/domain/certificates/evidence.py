"""What scoring keeps of events as evidence of a community or town: one row an event, with its kind and its object.

Only facts that certificates rest on are kept: no case opened, no tip, nothing of which there are thousands a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EvidenceFact:
    """One event as evidence: `source` is where it comes from, `what` it tells, of which object, when."""

    event_id: UUID
    type: str
    plan: str
    area: str | None
    agency: str | None
    unit: str | None
    source: str
    what: str
    object_id: UUID
    at: datetime
    recorded_at: datetime
    dataref: str | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    source: str
    what: Callable[[Data], str | None]
    object: str
    at: str


def _always(what: str) -> Callable[[Data], str | None]:
    return lambda data: what


def _timely(data: Data) -> str:
    return "in_time" if data["in_time"] else "late"


def _not_late(data: Data) -> str:
    return "late" if data["late"] else "in_time"


def _round(data: Data) -> str:
    return "done" if data["done"] else "undone"


def _place(data: Data) -> str:
    return str(data["kind"])


def _verified(data: Data) -> str | None:
    return None if data["in_time"] is None else _timely(data)


def _exposure(data: Data) -> str:
    # discovering never hurts: what the area itself had found and reported before is told apart
    return "known_before" if data["found_before"] else "exposed"


_TABLE: Mapping[str, _Row] = {
    "dachuan.patrol.completed.v1": _Row("patrols", _timely, "task_id", "done_at"),
    "dachuan.patrol.overdue.v1": _Row("patrols", _always("overdue"), "task_id", "overdue_at"),
    "dachuan.survey.closed.v1": _Row("survey", _round, "", "closed_at"),
    "dachuan.place.registered.v1": _Row("rentals", _place, "place_id", "registered_at"),
    "dachuan.venue.finding.v1": _Row("venues", _always("found"), "check_id", "found_at"),
    "dachuan.agent.visited.v1": _Row("publicity", _always("visited"), "visit_id", "visited_at"),
    "dachuan.lead.gathering-found.v1": _Row("gatherings", _always("found"), "gathering_id", "found_at"),
    "dachuan.lead.verification-missed.v1": _Row("leads", _always("missed"), "lead_id", "missed_at"),
    "dachuan.lead.verified.v1": _Row("leads", _verified, "lead_id", "verified_at"),
    "dachuan.den.recorded.v1": _Row("dens", _always("found"), "den_id", "found_at"),
    "dachuan.den.cleared.v1": _Row("dens", _always("cleared"), "den_id", "cleared_at"),
    "dachuan.den.revisited.v1": _Row("revisits", _timely, "revisit_id", "revisited_at"),
    "dachuan.den.revisit-overdue.v1": _Row("revisits", _always("overdue"), "revisit_id", "overdue_at"),
    "dachuan.place.seen-again.v1": _Row("relapses", _always("again"), "place_id", "seen_at"),
    "dachuan.case.closed.v1": _Row("cases", _always("closed"), "case_id", "closed_at"),
    "dachuan.duty.done.v1": _Row("duties", _not_late, "duty_id", "done_at"),
    "dachuan.duty.missed.v1": _Row("duties", _always("missed"), "duty_id", "missed_at"),
    "dachuan.duty.dropped.v1": _Row("duties", _always("dropped"), "duty_id", "dropped_at"),
    "dachuan.report.submitted.v1": _Row("reports", _not_late, "report_id", "submitted_at"),
    "dachuan.report.missed.v1": _Row("reports", _always("missed"), "report_id", "missed_at"),
    "dachuan.report.dropped.v1": _Row("reports", _always("dropped"), "report_id", "dropped_at"),
    "dachuan.publicity.campaign-done.v1": _Row("publicity", _not_late, "item_id", "done_at"),
    "dachuan.publicity.campaign-missed.v1": _Row("publicity", _always("missed"), "item_id", "missed_at"),
    "dachuan.publicity.exposure-recorded.v1": _Row("exposures", _exposure, "exposure_id", "happened_at"),
    "dachuan.publicity.exposure-withdrawn.v1": _Row("exposures", _always("dropped"), "exposure_id", "withdrawn_at"),
    "dachuan.publicity.warning-published.v1": _Row("publicity", _always("warned"), "warning_id", "published_at"),
}

TYPES = tuple(_TABLE)
"""Types of events that are kept as evidence."""

DROPPED = "dropped"
"""What takes an object out of every figure: it was not asked after all, or never was."""

SOURCES = tuple(dict.fromkeys([row.source for row in _TABLE.values()] + ["findings"]))
"""Where evidence comes from; `findings` are scoring's own."""


def fact_of(type_: str, data: Data, event_id: UUID, recorded_at: datetime) -> EvidenceFact | None:
    """What is kept of an event; None for one that is no evidence."""
    row = _TABLE.get(type_)
    what = row.what(data) if row is not None else None
    if row is None or what is None:
        return None
    # a survey round is one object in each community
    object_id = data[row.object] if row.object else event_id
    return EvidenceFact(
        event_id=event_id,
        type=type_,
        plan=data["plan"],
        area=data.get("area"),
        agency=data.get("agency"),
        unit=data.get("unit"),
        source=row.source,
        what=what,
        object_id=UUID(str(object_id)),
        at=_moment(data[row.at]),
        recorded_at=recorded_at,
        dataref=data.get("dataref"),
    )


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return datetime.fromisoformat(str(value))
