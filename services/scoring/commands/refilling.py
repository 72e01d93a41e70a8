"""The quick way of a rebuild: casework's facts gathered by deadline, merged in memory, and loaded by COPY.

A fact is kept as plain texts until everything has been read; facts of one deadline meet in one bucket, and buckets that
grow go to files. So the order of events, their batches and their repetition cannot matter: what decides is the
earliest fact of each kind by (`recordedat`, event id). The entries come from the same domain functions as always.
"""

from __future__ import annotations

import marshal
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any
from uuid import UUID
from zlib import crc32

import asyncpg
import orjson
from pydantic import ValidationError

from services.scoring.commands.booking import COLUMNS
from services.scoring.domain.books import Books
from services.scoring.domain.ledger import Entry, entries_for
from services.scoring.domain.obligations import Fact, Obligation
from services.scoring.tables import ledger, obligations
from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed

Message = tuple[str, str, str, bytes]
"""Type, id and recordedat of an event as its headers tell them, and its data."""

QUICK = {model.TYPE: model for model in (CaseOpened, CaseAccepted, DeadlineMissed)}
"""The events that this way is for."""

SCHEMA = "rebuild"
IN_MEMORY = 400_000
"""Facts that one shard keeps before its buckets go to files."""
_BUCKETS = 64
_AT_ONCE = 20_000
_OPENED, _DONE, _MISSED = 0, 1, 2
_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_ENTRY_COLUMNS = [name for name in COLUMNS if name not in ("outcome", "facts")]
_of_entry = attrgetter(*_ENTRY_COLUMNS)
_OBLIGATION_COLUMNS = (
    "deadline_id", "case_id", "number", "plan", "area", "agency", "unit", "kind", "rule", "due", "provisional", "state",
    "opened_recordedat", "accepted_event", "accepted_at", "accepted_recordedat", "in_time", "missed_event", "missed_at",
    "missed_recordedat",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a shard read and wrote."""

    events: int
    unreadable: int
    obligations: int
    entries: int


class Shard:
    """The facts of a part of all cases."""

    def __init__(self, books: Books, folder: Path, *, in_memory: int = IN_MEMORY) -> None:
        self._books = books
        self._folder = folder
        self._most = in_memory
        self._buckets: list[list[Any]] = [[] for _ in range(_BUCKETS)]
        self._kept = 0
        self.events = self.unreadable = 0

    def take(self, messages: Iterable[Message]) -> None:
        """Keep the facts of events; what is no event of ours, or of no plan of ours, is counted and left out."""
        for type_, event_id, recordedat, value in messages:
            try:
                model = QUICK[type_]
                model.model_validate_json(value)
                event_id = _uuid(event_id)
                datetime.fromisoformat(recordedat)
            except (ValidationError, ValueError):
                self.unreadable += 1
                continue
            data = orjson.loads(value)
            if model is CaseOpened:
                for deadline in data["deadlines"]:
                    self._keep(data, deadline, _OPENED, recordedat, event_id, None, None)
            elif data["plan"] not in self._books:
                self.unreadable += 1
                continue
            elif model is CaseAccepted:
                self._keep(data, data["deadline"], _DONE, recordedat, event_id, data["accepted_at"], data["in_time"])
            else:
                self._keep(data, data["deadline"], _MISSED, recordedat, event_id, data["missed_at"], None)
            self.events += 1
        if self._kept > self._most:
            self._spill()

    def _keep(
        self, data: Any, deadline: Any, what: int, recordedat: str, event_id: str, at: str | None, in_time: bool | None
    ) -> None:
        deadline_id = _uuid(deadline["deadline_id"])
        get = deadline.get
        self._buckets[crc32(deadline_id.encode()) % _BUCKETS].append(
            (
                deadline_id, what, recordedat, event_id, at, in_time, _uuid(data["case_id"]), data["number"],
                data["plan"], data["area"], deadline["agency"], get("unit"), deadline["kind"], deadline["rule"],
                deadline["due"], get("provisional", False),
            )
        )  # fmt: skip
        self._kept += 1

    def _spill(self) -> None:
        for number, facts in enumerate(self._buckets):
            if facts:
                with (self._folder / f"{number}").open("ab") as file:
                    marshal.dump(facts, file)
                facts.clear()
        self._kept = 0

    def _gathered(self) -> Iterator[list[Any]]:
        for number, facts in enumerate(self._buckets):
            file = self._folder / f"{number}"
            if file.exists():
                with file.open("rb") as spilled:
                    while spilled.peek(1):
                        facts += marshal.load(spilled)
                file.unlink()
            yield facts
            self._buckets[number] = []

    async def load(self, database_url: str) -> Loaded:
        """Merge everything and write it to the rebuilt tables."""
        conn = await asyncpg.connect(database_url, server_settings={"search_path": SCHEMA, "timezone": "UTC"})
        owed = booked = 0
        try:
            for facts in self._gathered():
                rows, entries = self._merged(facts)
                for table, columns, records in (
                    (obligations.name, _OBLIGATION_COLUMNS, rows),
                    (ledger.name, [*_ENTRY_COLUMNS, "outcome", "facts"], entries),
                ):
                    for first in range(0, len(records), _AT_ONCE):
                        await conn.copy_records_to_table(
                            table, columns=columns, records=records[first : first + _AT_ONCE]
                        )
                owed, booked = owed + len(rows), booked + len(entries)
        finally:
            await conn.close()
        return Loaded(self.events, self.unreadable, owed, booked)

    def _merged(self, facts: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Rows of `obligations`, and of `ledger`."""
        first: dict[str, list[Any]] = {}
        for fact in facts:
            rank = (datetime.fromisoformat(fact[2]), fact[3])
            known = first.get(fact[0])
            if known is None:
                known = first[fact[0]] = [(rank, fact), None, None, None]
            elif rank < known[0][0]:
                known[0] = (rank, fact)
            told = known[1 + fact[1]]
            if told is None or rank < told[0]:
                known[1 + fact[1]] = (rank, fact)
        rows, entries = [], []
        for deadline_id, (base, opened, done, missed) in first.items():
            rows.append(_obligation_row(deadline_id, base[1], opened, done, missed))
            if done is None and missed is None:
                continue
            plan = base[1][8]
            for entry in entries_for(_obligation(deadline_id, base[1], done, missed), self._books[plan]):
                entries.append(_entry_row(entry))
        return rows, entries


def _uuid(text: str) -> str:
    """A UUID as it is written everywhere. ValueError for something else."""
    return text if _CANONICAL(text) else str(UUID(text))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _obligation_row(deadline_id: str, base: Any, opened: Any, done: Any, missed: Any) -> tuple[Any, ...]:
    """In the order of `_OBLIGATION_COLUMNS`."""
    state = ("met" if done[1][5] else "met_late") if done else "missed" if missed else "open"
    acted = (done[1][3], _moment(done[1][4]), done[0][0], done[1][5]) if done else (None, None, None, None)
    failed = (missed[1][3], _moment(missed[1][4]), missed[0][0]) if missed else (None, None, None)
    return (
        deadline_id, base[6], base[7], base[8], base[9], base[10], base[11], base[12], base[13], _moment(base[14]),
        base[15], state, opened[0][0] if opened else None, *acted, *failed,
    )  # fmt: skip


def _obligation(deadline_id: str, base: Any, done: Any, missed: Any) -> Obligation:
    # ids stay texts: the ids of entries are made from their text, and COPY takes texts
    return Obligation(
        deadline_id=deadline_id,  # type: ignore[arg-type]
        case_id=base[6],
        plan=base[8],
        area=base[9],
        agency=base[10],
        unit=base[11],
        kind=base[12],
        accepted=done and Fact(done[1][3], CaseAccepted.TYPE, _moment(done[1][4]), done[0][0]),
        in_time=done[1][5] if done else None,
        missed=missed and Fact(missed[1][3], DeadlineMissed.TYPE, _moment(missed[1][4]), missed[0][0]),
    )


def _entry_row(entry: Entry) -> tuple[Any, ...]:
    return (*_of_entry(entry), entry.outcome.value, "[]")


def shard_of(key: bytes | None, shards: int) -> int:
    """Which shard an event belongs to: all events of a case have its key."""
    return crc32(key or b"") % shards
