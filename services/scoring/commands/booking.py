"""Obligations with news, and decisions, become ledger entries, standings and events, in one transaction, once only."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring import metrics
from services.scoring.commands.rulebooks.shelf import refresh
from services.scoring.domain.books import Books
from services.scoring.domain.decisions import Decided, Judgement, entries_of
from services.scoring.domain.ledger import Entry, entries_for, given_back, take_back
from services.scoring.domain.obligations import Fact, Obligation
from services.scoring.domain.rulebook import Outcome
from services.scoring.domain.rulebooks import Rulebook as Version
from services.scoring.domain.standings import Key, standings_of
from services.scoring.tables import kit, ledger, standings
from shared.events import EventData
from shared.events.scoring import LedgerEntryRecorded, StandingPublished
from shared.kit import audit, outbox
from shared.kit.access import service_caller
from shared.kit.db import insert_many
from shared.rules.plan import Plan

_TURN = select(func.pg_advisory_xact_lock(zlib.crc32(b"scoring:ledger")))
_BOOKED = select(ledger).where(ledger.c.entry_id == func.any(bindparam("entries", expanding=False)))
COLUMNS = tuple(column.name for column in ledger.c if column.name != "seq")
_SUM_UP = (
    "ON CONFLICT (plan, rulebook, agency, unit, subject_kind, subject) DO UPDATE SET area = excluded.area, "
    "points = standings.points + excluded.points, entries = standings.entries + excluded.entries, "
    "in_time = standings.in_time + excluded.in_time, late = standings.late + excluded.late, "
    "version = standings.version + excluded.version, as_of = greatest(standings.as_of, excluded.as_of), "
    "changed_seq = excluded.changed_seq"
)
_STANDING = "plan, rulebook, agency, unit, points, entries, in_time, late, version, as_of, subject_kind, subject"


class UnknownPlan(LookupError):
    """An event names a plan that this installation does not run."""


def books_of(plans: Mapping[str, Plan], versions: Iterable[Version] = ()) -> Books:
    """The rulebooks of all plans; for a plan without one, the lines in its own files."""
    return Books(plans, versions)


async def book(
    conn: AsyncConnection,
    books: Books,
    obligations: Sequence[Obligation],
    traces: Mapping[UUID, str | None],
    now: datetime,
) -> int:
    """Add the entries these obligations give that are not in the ledger yet; returns how many there were.

    `traces` gives the traceparent of the events in hand. Raises `UnknownPlan`.
    """
    await refresh(conn, books)
    wanted: list[Entry] = []
    for obligation in obligations:
        in_force = books.get(obligation.plan)
        if in_force is None:
            raise UnknownPlan(obligation.plan)
        wanted += entries_for(obligation, in_force)
    return await _put(conn, books, wanted, traces, now)


async def book_given_back(
    conn: AsyncConnection,
    books: Books,
    changed: Sequence[tuple[Obligation, Obligation]],
    traces: Mapping[UUID, str | None],
    now: datetime,
) -> int:
    """Take back what obligations gave before they were given back, and add what they give since; returns how many entries
    are new. Raises `UnknownPlan`.
    """
    await refresh(conn, books)
    wanted: list[Entry] = []
    for before, after in changed:
        in_force = books.get(after.plan)
        if in_force is None:
            raise UnknownPlan(after.plan)
        if after.back is not None:
            wanted += given_back(before, after.back, in_force)
        wanted += entries_for(after, in_force)
    return await _put(conn, books, wanted, traces, now)


async def book_decisions(
    conn: AsyncConnection,
    books: Books,
    decisions: Sequence[Decided],
    now: datetime,
    traces: Mapping[UUID, str | None] | None = None,
) -> int:
    """Add what these acts of persons give under the rulebook of the day things happened; returns how many are new.

    `traces` gives the traceparent by the act's own event (the last of its `fact_events`). Raises `UnknownPlan`.
    """
    await refresh(conn, books)
    wanted: list[Entry] = []
    for decided in decisions:
        in_force = books.get(decided.plan)
        if in_force is None:
            raise UnknownPlan(decided.plan)
        wanted += entries_of(decided, in_force)
    return await _put(conn, books, wanted, traces or {}, now)


async def take_turn(conn: AsyncConnection) -> None:
    """Be the only writer of the ledger until the commit; who books later in the same transaction takes it first."""
    await conn.execute(_TURN)


async def _put(
    conn: AsyncConnection, books: Books, wanted: list[Entry], traces: Mapping[UUID, str | None], now: datetime
) -> int:
    if not wanted:
        return 0
    # Writers take turns from here to their commit, so that seq grows in the order of commits and a reader's cursor
    # never passes an entry that is still to come.
    await take_turn(conn)
    wanted = await _as_booked(conn, wanted)
    numbered = {
        row.entry_id: row.seq
        for row in await insert_many(
            conn, ledger, [entry_row(entry) for entry in wanted], conflict="ON CONFLICT DO NOTHING",
            returning="entry_id, seq",
        )
    }  # fmt: skip
    new = [entry for entry in wanted if entry.entry_id in numbered]
    if not new:
        return 0
    changed = await _sum_up(conn, books, new, numbered)
    news: list[EventData] = [recorded(entry, numbered[entry.entry_id]) for entry in new]
    news += [published(row) for row in changed]
    await outbox.put(
        conn,
        kit.outbox,
        news,
        now,
        times=[entry.fact_at for entry in new] + [now] * len(changed),
        traceparents=[traces.get(entry.fact_event) for entry in new] + [None] * len(changed),
    )
    await audit.record(
        conn, kit, service_caller("scoring"), "ledger.record", "ledger_entry", list(numbered), now, count=len(new)
    )
    for outcome, count in Counter(entry.outcome for entry in new).items():
        metrics.LEDGER_ENTRIES.labels(outcome.value).inc(count)
    return len(new)


async def _as_booked(conn: AsyncConnection, wanted: list[Entry]) -> list[Entry]:
    """Corrections take back what stands in the ledger, even if the rulebook has other points for it by now."""
    corrected = [entry.corrects for entry in wanted if entry.corrects is not None]
    if not corrected:
        return wanted
    rows = await conn.execute(_BOOKED, {"entries": corrected})
    standing = {row.entry_id: entry_of(row) for row in rows}
    made = []
    for entry in wanted:
        booked = standing.get(entry.corrects) if entry.corrects is not None else None
        if booked is None or (booked.points, booked.line) == (-entry.points, entry.line):
            pass
        elif entry.basis != "deadline":
            entry = replace(
                entry, points=-booked.points, line=booked.line, clause=booked.clause, assumed=booked.assumed
            )
        else:
            entry = take_back(booked, Fact(entry.fact_event, entry.fact_type, entry.fact_at, entry.recorded_at))
        made.append(entry)
    return made


async def _sum_up(conn: AsyncConnection, books: Books, new: Sequence[Entry], numbered: Mapping[UUID, int]) -> list[Any]:
    newest: dict[Key, int] = {}
    for entry in new:
        key = (entry.plan, entry.rulebook, entry.agency, entry.unit, entry.subject_kind, entry.subject)
        newest[key] = max(newest.get(key, 0), numbered[entry.entry_id])
    return await insert_many(
        conn,
        standings,
        [
            {
                "plan": one.plan,
                "rulebook": one.rulebook,
                "agency": one.agency,
                "unit": one.unit,
                "area": books[one.plan].homes.get(one.agency),
                "points": one.points,
                "entries": one.entries,
                "in_time": one.in_time,
                "late": one.late,
                "version": one.version,
                "as_of": one.as_of,
                "changed_seq": newest[key],
                "subject_kind": one.subject_kind,
                "subject": one.subject,
            }
            for key, one in standings_of(new).items()
        ],
        conflict=_SUM_UP,
        returning=_STANDING,
    )


def entry_row(entry: Entry) -> dict[str, Any]:
    """An entry as a row of the `ledger` table, without its seq."""
    row: dict[str, Any] = {name: getattr(entry, name) for name in COLUMNS}
    row["outcome"] = entry.outcome.value
    row["facts"] = [str(one) for one in entry.facts]
    return row


def entry_of(row: Any) -> Entry:
    """The entry a row keeps."""
    values = {name: getattr(row, name) for name in COLUMNS}
    values["outcome"] = Outcome(row.outcome) if row.basis == "deadline" else Judgement(row.outcome)
    values["facts"] = tuple(UUID(one) for one in row.facts)
    return Entry(**values)


def recorded(entry: Entry, seq: int) -> LedgerEntryRecorded:
    """An entry as the feed tells it: what its leaf in the tree is made of (domain/leaves.py), text for text."""
    return LedgerEntryRecorded(
        entry_id=entry.entry_id,
        plan=entry.plan,
        rulebook=entry.rulebook,
        line=entry.line,
        clause=entry.clause,
        agency=entry.agency,
        unit=entry.unit,
        area=entry.area,
        points=Decimal(f"{entry.points:f}"),
        assumed=entry.assumed,
        occurred_on=entry.occurred_on,
        case_id=entry.case_id or entry.basis_id,
        fact_event=entry.fact_event,
        fact_type=entry.fact_type,
        recorded_at=entry.recorded_at.astimezone(UTC),
        outcome=entry.outcome.value,
        corrects=entry.corrects,
        basis=entry.basis,
        basis_id=entry.basis_id,
        scored_kind=entry.subject_kind,
        scored=entry.subject,
        seq=seq,
        fact_at=entry.fact_at.astimezone(UTC),
        facts=entry.facts,
    )


def published(row: Any) -> StandingPublished:
    """A row of `standings` as the feed tells it."""
    return StandingPublished(
        plan=row.plan,
        rulebook=row.rulebook,
        agency=row.agency,
        unit=row.unit,
        points=row.points,
        entries=row.entries,
        in_time=row.in_time,
        late=row.late,
        version=row.version,
        as_of=row.as_of,
        scored_kind=row.subject_kind,
        scored=row.subject,
    )
