"""Facts of casework's and notify's events are kept with their obligation: a batch of any size in a fixed number of statements.

An event may come early (before its case), late or again: each carries all that its obligation needs, and a fact that is
known already changes nothing. Rows are taken in the order of their ids, so two batches cannot wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.booking import Books, book, book_given_back
from services.scoring.domain.obligations import Fact, Obligation, State
from services.scoring.tables import kit, obligations
from shared.events import Event
from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed
from shared.events.common import DeadlineFact
from shared.events.duties import DutyDone, DutyGivenBack, DutyMissed, DutySet
from shared.events.reports import ReportMissed, ReportOwed, ReportSubmitted
from shared.kit import audit
from shared.kit.access import service_caller
from shared.kit.db import insert_many

_BY_DEADLINE = itemgetter("deadline_id")

_OPENED = (
    "ON CONFLICT (deadline_id) DO UPDATE SET opened_recordedat = excluded.opened_recordedat "
    "WHERE obligations.opened_recordedat IS NULL"
)
_ACCEPTED = (
    "ON CONFLICT (deadline_id) DO UPDATE SET accepted_event = excluded.accepted_event, "
    "accepted_at = excluded.accepted_at, accepted_recordedat = excluded.accepted_recordedat, "
    "in_time = excluded.in_time, state = excluded.state WHERE obligations.accepted_event IS NULL "
    "AND (obligations.back_at IS NULL OR excluded.accepted_at > obligations.back_at)"
)
_MISSED = (
    "ON CONFLICT (deadline_id) DO UPDATE SET missed_event = excluded.missed_event, missed_at = excluded.missed_at, "
    "missed_recordedat = excluded.missed_recordedat, "
    "state = CASE WHEN obligations.accepted_event IS NULL THEN excluded.state ELSE obligations.state END "
    "WHERE obligations.missed_event IS NULL"
)
_FACTS = (
    "deadline_id, case_id, plan, area, agency, unit, kind, accepted_event, accepted_at, accepted_recordedat, in_time, "
    "missed_event, missed_at, missed_recordedat, back_event, back_at, back_recordedat"
)


async def open_obligations(conn: AsyncConnection, events: Sequence[Event[CaseOpened]], now: datetime) -> None:
    """Keep one obligation for each deadline of the opened cases (D-M2). Nothing is scored yet."""
    rows: dict[UUID, dict[str, Any]] = {}
    cases: list[UUID] = []
    for event in events:
        data = event.data
        cases.append(data.case_id)
        for deadline in data.deadlines:
            row = _row(data, deadline)
            row["opened_recordedat"] = event.recordedat
            rows.setdefault(deadline.deadline_id, row)
    if not rows:
        return
    await insert_many(conn, obligations, sorted(rows.values(), key=_BY_DEADLINE), conflict=_OPENED)
    await audit.record(conn, kit, service_caller("scoring"), "obligation.open", "case", cases, now, count=len(rows))


async def record_acceptances(
    conn: AsyncConnection, books: Books, events: Sequence[Event[CaseAccepted]], now: datetime
) -> int:
    """Keep acceptances (受理) and book what they are worth (D-A5, D-Q1.3); returns how many entries are new.

    Raises `UnknownPlan` when an event's plan is not run here; nothing of the batch is written then.
    """
    rows: dict[UUID, dict[str, Any]] = {}
    for event in events:
        data = event.data
        row = _row(data, data.deadline)
        row["accepted_event"] = event.id
        row["accepted_at"] = data.accepted_at
        row["accepted_recordedat"] = event.recordedat
        row["in_time"] = data.in_time
        row["state"] = (State.MET if data.in_time else State.MET_LATE).value
        rows.setdefault(data.deadline.deadline_id, row)
    return await _keep_and_book(conn, books, rows, _ACCEPTED, events, now)


async def record_misses(
    conn: AsyncConnection, books: Books, events: Sequence[Event[DeadlineMissed]], now: datetime
) -> int:
    """Keep misses as the deadline's owner told them and book what they are worth; returns how many entries are new.

    Raises `UnknownPlan` when an event's plan is not run here; nothing of the batch is written then.
    """
    rows: dict[UUID, dict[str, Any]] = {}
    for event in events:
        data = event.data
        row = _row(data, data.deadline)
        row["missed_event"] = event.id
        row["missed_at"] = data.missed_at
        row["missed_recordedat"] = event.recordedat
        row["state"] = State.MISSED.value
        rows.setdefault(data.deadline.deadline_id, row)
    return await _keep_and_book(conn, books, rows, _MISSED, events, now)


async def open_duties(conn: AsyncConnection, events: Sequence[Event[DutySet | ReportOwed]], now: datetime) -> None:
    """Keep one obligation for each duty and each report that is owed (D-M1, D-R). Nothing is scored yet."""
    rows: dict[UUID, dict[str, Any]] = {}
    for event in events:
        row = _owed(event.data)
        row["opened_recordedat"] = event.recordedat
        rows.setdefault(row["deadline_id"], row)
    await insert_many(conn, obligations, sorted(rows.values(), key=_BY_DEADLINE), conflict=_OPENED)
    await audit.record(conn, kit, service_caller("scoring"), "obligation.open", "duty", list(rows), now, count=len(rows))


async def record_done(
    conn: AsyncConnection, books: Books, events: Sequence[Event[DutyDone | ReportSubmitted]], now: datetime
) -> int:
    """Keep that duties were done and reports came, and book what that is worth; returns how many entries are new."""
    rows: dict[UUID, dict[str, Any]] = {}
    for event in events:
        data = event.data
        row = _owed(data)
        row["accepted_event"] = event.id
        row["accepted_at"] = data.done_at if isinstance(data, DutyDone) else data.submitted_at
        row["accepted_recordedat"] = event.recordedat
        row["in_time"] = not data.late
        row["state"] = (State.MET_LATE if data.late else State.MET).value
        rows.setdefault(row["deadline_id"], row)
    return await _keep_and_book(conn, books, rows, _ACCEPTED, events, now)


async def record_undone(
    conn: AsyncConnection, books: Books, events: Sequence[Event[DutyMissed | ReportMissed]], now: datetime
) -> int:
    """Keep that duties were not done and reports did not come in time, and book it; returns how many entries are new."""
    rows: dict[UUID, dict[str, Any]] = {}
    for event in events:
        row = _owed(event.data)
        row["missed_event"] = event.id
        row["missed_at"] = event.data.missed_at
        row["missed_recordedat"] = event.recordedat
        row["state"] = State.MISSED.value
        rows.setdefault(row["deadline_id"], row)
    return await _keep_and_book(conn, books, rows, _MISSED, events, now)


async def reopen_duties(
    conn: AsyncConnection, books: Books, events: Sequence[Event[DutyGivenBack]], now: datetime
) -> int:
    """The office did not find a duty done as it was said: it is owed again, only what follows counts, and a miss from
    before counts again (D-M2). Returns how many entries are new."""
    o = obligations.c
    new = 0
    for event in events:
        at = event.data.given_back_at
        where = o.deadline_id == event.data.duty_id
        row = (await conn.execute(select(obligations).where(where).with_for_update())).one_or_none()
        if row is None or (row.back_at is not None and row.back_at >= at):
            continue
        values: dict[str, Any] = {"back_event": event.id, "back_at": at, "back_recordedat": event.recordedat}
        undone = row.accepted_at is not None and row.accepted_at <= at
        if undone:
            values |= {"accepted_event": None, "accepted_at": None, "accepted_recordedat": None, "in_time": None}
            values["state"] = (State.OPEN if row.missed_event is None else State.MISSED).value
        after = (await conn.execute(update(obligations).where(where).values(**values).returning(obligations))).one()
        if undone:
            pair = (obligation_of(row), obligation_of(after))
            new += await book_given_back(conn, books, [pair], {event.id: event.traceparent}, now)
    ids = [event.data.duty_id for event in events]
    await audit.record(conn, kit, service_caller("scoring"), "obligation.reopen", "duty", ids, now, count=len(ids))
    return new


def _owed(data: Any) -> dict[str, Any]:
    """A duty or a report as an obligation: no case is behind it."""
    duty = isinstance(data, DutySet | DutyDone | DutyMissed)
    return {
        "deadline_id": data.duty_id if duty else data.report_id,
        "case_id": None,
        "number": None,
        "plan": data.plan,
        "area": data.area,
        "agency": data.agency,
        "unit": data.unit if duty else None,
        "kind": "duty" if duty else "report",
        "rule": (data.duty or data.origin) if duty else data.kind,
        "due": data.due,
        "provisional": False,
    }


async def _keep_and_book(
    conn: AsyncConnection,
    books: Books,
    rows: dict[UUID, dict[str, Any]],
    conflict: str,
    events: Iterable[Event[Any]],
    now: datetime,
) -> int:
    changed = await insert_many(
        conn, obligations, sorted(rows.values(), key=_BY_DEADLINE), conflict=conflict, returning=_FACTS
    )
    traces = {event.id: event.traceparent for event in events}
    return await book(conn, books, [obligation_of(row) for row in changed], traces, now)


def _row(data: CaseOpened | CaseAccepted | DeadlineMissed, deadline: DeadlineFact) -> dict[str, Any]:
    return {
        "deadline_id": deadline.deadline_id,
        "case_id": data.case_id,
        "number": data.number,
        "plan": data.plan,
        "area": data.area,
        "agency": deadline.agency,
        "unit": deadline.unit,
        "kind": deadline.kind,
        "rule": deadline.rule,
        "due": deadline.due,
        "provisional": deadline.provisional,
    }


_TYPES = {
    "duty": (DutyDone.TYPE, DutyMissed.TYPE),
    "report": (ReportSubmitted.TYPE, ReportMissed.TYPE),
}
"""Kind of an obligation → what tells that it was done, and that it was not; else casework's own."""


def obligation_of(row: Any) -> Obligation:
    """The obligation a row keeps, with the facts known."""
    done, missed = _TYPES.get(row.kind, (CaseAccepted.TYPE, DeadlineMissed.TYPE))
    return Obligation(
        deadline_id=row.deadline_id,
        case_id=row.case_id,
        plan=row.plan,
        area=row.area,
        agency=row.agency,
        unit=row.unit,
        kind=row.kind,
        accepted=row.accepted_event and Fact(row.accepted_event, done, row.accepted_at, row.accepted_recordedat),
        in_time=row.in_time,
        missed=row.missed_event and Fact(row.missed_event, missed, row.missed_at, row.missed_recordedat),
        back=row.back_event and Fact(row.back_event, DutyGivenBack.TYPE, row.back_at, row.back_recordedat),
    )
