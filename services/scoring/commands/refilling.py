"""The quick way of a rebuild: casework's facts gathered by deadline, merged in memory, and loaded by COPY.

A fact is kept as plain texts until everything has been read; facts of one deadline meet in one bucket, and buckets that
grow go to files. So the order of events, their batches and their repetition cannot matter: what decides is the
earliest fact of each kind by (`recordedat`, event id). The entries come from the same domain functions as always.
"""

from __future__ import annotations

import marshal
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha1
from pathlib import Path
from typing import Any
from uuid import UUID
from zlib import crc32
from zoneinfo import ZoneInfo

import asyncpg
import orjson
from pydantic import ValidationError

from services.scoring.domain.books import Books
from services.scoring.domain.ledger import NAMESPACE, Entry, entries_for
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
_SPECIAL = re.compile(r"[\\\x00-\x1f]").search
_CHINA = ZoneInfo("Asia/Shanghai")
_OBLIGATION_COLUMNS = (
    "deadline_id", "case_id", "number", "plan", "area", "agency", "unit", "kind", "rule", "due", "provisional", "state",
    "opened_recordedat", "accepted_event", "accepted_at", "accepted_recordedat", "in_time", "missed_event", "missed_at",
    "missed_recordedat",
)  # fmt: skip
_OF_FACTS = (
    "entry_id", "deadline_id", "basis_id", "corrects", "case_id", "occurred_on", "fact_event", "fact_at", "recorded_at",
)  # fmt: skip
"""Columns of an entry that its facts give; all others follow from who owed what, and the rulebooks of the days."""
_OF_WORTH = (
    "plan", "rulebook", "line", "clause", "outcome", "agency", "unit", "area", "points", "assumed", "fact_type", "basis",
    "subject_kind", "subject",
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
        self._known: dict[Any, Sequence[_Worth]] = {}
        self.events = self.unreadable = 0

    def take(self, messages: Iterable[Message]) -> None:
        """Keep the facts of events; what is no event of ours, or of no plan of ours, is counted and left out."""
        for type_, event_id, recordedat, value in messages:
            try:
                facts = _quickly(type_, value)
                if facts is None:
                    facts = _slowly(type_, value)
                event_id = _uuid(event_id)
                _moment(recordedat)
            except (ValidationError, ValueError):
                self.unreadable += 1
                continue
            if type_ != CaseOpened.TYPE and facts[0][6] not in self._books:
                self.unreadable += 1
                continue
            for fact in facts:
                self._buckets[crc32(fact[0].encode()) % _BUCKETS].append((recordedat, event_id, *fact))
            self._kept += len(facts)
            self.events += 1
        if self._kept > self._most:
            self._spill()

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
                    (ledger.name, (*_OF_FACTS, *_OF_WORTH), entries),
                ):
                    if records:
                        await conn.copy_to_table(table, source=_sent(records), columns=columns, format="text")
                owed, booked = owed + len(rows), booked + len(entries)
        finally:
            await conn.close()
        return Loaded(self.events, self.unreadable, owed, booked)

    def _merged(self, facts: Sequence[Any]) -> tuple[list[str], list[str]]:
        """Rows of `obligations`, and of `ledger`, as COPY takes them."""
        first: dict[str, list[Any]] = {}
        for fact in facts:
            rank = (_moment(fact[0]), fact[1])
            known = first.get(fact[2])
            if known is None:
                known = first[fact[2]] = [rank, fact, None, None, None, None, None, None]
            elif rank < known[0]:
                known[0], known[1] = rank, fact
            place = 2 + 2 * fact[3]
            if known[place] is None or rank < known[place]:
                known[place], known[place + 1] = rank, fact
        rows: list[str] = []
        entries: list[str] = []
        for deadline_id, (_, base, _, opened, done_rank, done, missed_rank, missed) in first.items():
            rows.append(_obligation_row(deadline_id, base, opened, done, missed))
            if done is not None or missed is not None:
                for worth in self._worth(base, done, missed):
                    entries.append(worth.row(deadline_id, base[6], done_rank, done, missed_rank, missed))
        return rows, entries

    def _worth(self, base: Any, done: Any, missed: Any) -> Sequence[_Worth]:
        """What the obligation's entries are but for their facts. Equal ones are asked of the rulebooks once."""
        plan = base[8]
        accepted_on, missed_on = done and _day(done[4]), missed and _day(missed[4])
        asked = (plan, base[9], base[10], base[11], base[12], done and done[5], accepted_on, missed_on)
        found = self._known.get(asked)
        if found is None:
            if len(self._known) > 200_000:
                self._known.clear()
            obligation = _obligation(base, done, missed)
            found = self._known[asked] = tuple(_Worth.of(entry) for entry in entries_for(obligation, self._books[plan]))
        return found


@dataclass(frozen=True, slots=True)
class _Worth:
    """An entry but for its facts. `name` and `corrects` are what its id, and that of the entry it takes back, are
    made of; `accepted`: whether its fact is the acceptance, else the miss."""

    before: str
    after: str
    taken_back: bool
    accepted: bool
    rest: str

    @classmethod
    def of(cls, entry: Entry) -> _Worth:
        rest = "\t".join(_text(getattr(entry, name)) for name in _OF_WORTH)
        return cls(
            f"{entry.rulebook}:", f":{entry.outcome.value}", entry.corrects is not None,
            entry.fact_type == CaseAccepted.TYPE, f"{rest}\n",
        )  # fmt: skip

    def row(self, deadline_id: str, case_id: str, done_rank: Any, done: Any, missed_rank: Any, missed: Any) -> str:
        """The row in the order of `_OF_FACTS` and `_OF_WORTH`."""
        entry_id, corrects = _named(f"{self.before}{deadline_id}{self.after}"), "\\N"
        fact = done if self.accepted else missed
        recorded_at = fact[0]
        if self.taken_back:
            entry_id, corrects = _named(f"{self.before}{deadline_id}{self.after}:taken-back"), entry_id
            if done_rank[0] < missed_rank[0]:
                recorded_at = missed[0]
        at = fact[4]
        return (
            f"{entry_id}\t{deadline_id}\t{deadline_id}\t{corrects}\t{case_id}\t{_day(at)}\t{fact[1]}\t{at}\t"
            f"{recorded_at}\t{self.rest}"
        )


def _named(name: str) -> str:
    """The text of `uuid5(NAMESPACE, name)`."""
    made = bytearray(sha1(NAMESPACE.bytes + name.encode(), usedforsecurity=False).digest()[:16])
    made[6] = made[6] & 0x0F | 0x50
    made[8] = made[8] & 0x3F | 0x80
    text = made.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


async def _sent(rows: Sequence[str]) -> AsyncIterator[bytes]:
    for first in range(0, len(rows), _AT_ONCE):
        yield "".join(rows[first : first + _AT_ONCE]).encode()


def _text(value: Any) -> str:
    """A value as COPY takes it."""
    if value is None:
        return "\\N"
    if value is True or value is False:
        return "t" if value else "f"
    text = str(value)
    return _escaped(text) if _SPECIAL(text) else text


def _escaped(text: str) -> str:
    return (
        text.replace("\\", "\\\\").replace("\b", "\\b").replace("\f", "\\f").replace("\n", "\\n")
        .replace("\r", "\\r").replace("\t", "\\t").replace("\v", "\\v")
    )  # fmt: skip


def _uuid(text: str) -> str:
    """A UUID as it is written everywhere. ValueError for something else."""
    return text if _CANONICAL(text) else str(UUID(text))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


_days: dict[str, date] = {}


def _day(text: str) -> date:
    """The China day of a moment. In UTC the hour decides, and China's clock is whole hours from it since 1900."""
    if text[-1] != "Z":
        return _moment(text).astimezone(_CHINA).date()
    found = _days.get(text[:13])
    if found is None:
        day = _moment(text).astimezone(_CHINA).date()
        if text < "1991":
            return day
        if len(_days) > 200_000:
            _days.clear()
        found = _days[text[:13]] = day
    return found


def _obligation_row(deadline_id: str, base: Any, opened: Any, done: Any, missed: Any) -> str:
    """In the order of `_OBLIGATION_COLUMNS`."""
    state = ("met" if done[5] else "met_late") if done else "missed" if missed else "open"
    owed = "\t".join(map(_text, base[7:14]))
    acted = f"{done[1]}\t{done[4]}\t{done[0]}\t{'t' if done[5] else 'f'}" if done else _NOTHING_DONE
    failed = f"{missed[1]}\t{missed[4]}\t{missed[0]}" if missed else _NOTHING_MISSED
    return (
        f"{deadline_id}\t{base[6]}\t{owed}\t{base[14]}\t{'t' if base[15] else 'f'}\t{state}\t"
        f"{opened[0] if opened else _NULL}\t{acted}\t{failed}\n"
    )


_NULL = "\\N"
_NOTHING_DONE = "\t".join([_NULL] * 4)
_NOTHING_MISSED = "\t".join([_NULL] * 3)


def _obligation(base: Any, done: Any, missed: Any) -> Obligation:
    def fact(told: Any, type_: str) -> Fact:
        return Fact(UUID(told[1]), type_, _moment(told[4]), _moment(told[0]))

    return Obligation(
        deadline_id=UUID(base[2]),
        case_id=UUID(base[6]),
        plan=base[8],
        area=base[9],
        agency=base[10],
        unit=base[11],
        kind=base[12],
        accepted=done and fact(done, CaseAccepted.TYPE),
        in_time=done[5] if done else None,
        missed=missed and fact(missed, DeadlineMissed.TYPE),
    )


def _object(fields: Mapping[str, str]) -> str:
    return r"\{" + ",".join(f'"{name}":{pattern}' for name, pattern in fields.items()) + r"\}"


_UUID_ = '"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"'
_MOMENT_ = r'"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z"'
_TEXT_ = r'"[^"\\\x00-\x1f]*"'
_TEXT_OR_NONE, _FLAG, _TEXTS = f"(?:null|{_TEXT_})", "(?:true|false)", rf"\[(?:{_TEXT_}(?:,(?!\])|(?=\])))*\]"


def _asked(pattern: str) -> str:
    return f"({pattern})"


_DEADLINE = {
    "deadline_id": _asked(_UUID_), "kind": _asked(_TEXT_), "agency": _asked(_TEXT_), "unit": _asked(_TEXT_OR_NONE),
    "rule": _asked(_TEXT_), "calendar": _TEXT_, "start": _asked(_MOMENT_), "due": _asked(_MOMENT_),
    "provisional": _asked(_FLAG),
}  # fmt: skip
_CASE = {"case_id": _asked(_UUID_), "plan": _asked(_TEXT_), "area": _asked(_TEXT_OR_NONE), "urgent": _FLAG}
_ACT = {
    **_CASE, "number": _asked(_TEXT_), "agency": _TEXT_, "unit": _TEXT_OR_NONE, "deadline": _object(_DEADLINE),
}  # fmt: skip
_PARTY = _object({"agency": _TEXT_, "unit": _TEXT_OR_NONE, "role": _TEXT_})
_LIST_OF = r"\[(?:{one}(?:,(?!\])|(?=\])))*\]"
_FORMS = {
    CaseOpened.TYPE: {
        **_CASE, "number": _asked(_TEXT_), "lead_id": _UUID_, "kinds": _TEXTS,
        "parties": _LIST_OF.replace("{one}", _PARTY),
        "deadlines": _asked(_LIST_OF.replace("{one}", re.sub(r"\((?!\?)", "(?:", _object(_DEADLINE)))),
        "received_at": _asked(_MOMENT_), "opened_at": _asked(_MOMENT_), "dataref": _TEXT_,
    },
    CaseAccepted.TYPE: {**_ACT, "accepted_at": _asked(_MOMENT_), "in_time": _asked(_FLAG)},
    DeadlineMissed.TYPE: {**_ACT, "missed_at": _asked(_MOMENT_)},
}  # fmt: skip
"""Our events as our services write them, field by field. What has this form is valid; what has not may be, and is asked
of its model."""
_FORM = {type_: re.compile(_object(fields), re.ASCII).fullmatch for type_, fields in _FORMS.items()}
_EACH_DEADLINE = re.compile(_object(_DEADLINE), re.ASCII).finditer


def _quickly(type_: str, value: bytes) -> list[tuple[Any, ...]] | None:
    """The facts of an event as our services write it, in the order of `_fact`; None for one in another form.

    Raises ValueError where a time in it is none.
    """
    text = value.decode()
    found = _FORM[type_](text)
    if found is None:
        return None
    groups = found.groups()
    if type_ == CaseOpened.TYPE:
        case_id, plan, area, number, _, received, opened = groups
        _moment(received[1:-1])
        _moment(opened[1:-1])
        facts = [one.groups() for one in _EACH_DEADLINE(text, found.start(5), found.end(5))]
        what, at, in_time = _OPENED, None, None
    else:
        case_id, plan, area, number = groups[:4]
        facts = [groups[4:12]]
        what, at, in_time = _MISSED, groups[12][1:-1], None
        _moment(at)
        if type_ == CaseAccepted.TYPE:
            what, in_time = _DONE, groups[13] == "true"
    case = (case_id[1:-1], number[1:-1], plan[1:-1], None if area == "null" else area[1:-1])
    made = []
    for deadline_id, kind, agency, unit, rule, start, due, provisional in facts:
        _moment(start[1:-1])
        _moment(due[1:-1])
        made.append(
            (
                deadline_id[1:-1], what, at, in_time, *case, agency[1:-1], None if unit == "null" else unit[1:-1],
                kind[1:-1], rule[1:-1], due[1:-1], provisional == "true",
            )
        )  # fmt: skip
    return made


def _slowly(type_: str, value: bytes) -> list[tuple[Any, ...]]:
    """The same of any valid event. Raises ValidationError."""
    data = orjson.loads(QUICK[type_].model_validate_json(value).model_dump_json())
    what, at, in_time = _OPENED, None, None
    if type_ == CaseAccepted.TYPE:
        what, at, in_time = _DONE, data["accepted_at"], data["in_time"]
    elif type_ == DeadlineMissed.TYPE:
        what, at = _MISSED, data["missed_at"]
    return [
        (
            one["deadline_id"], what, at, in_time, data["case_id"], data["number"], data["plan"], data["area"],
            one["agency"], one["unit"], one["kind"], one["rule"], one["due"], one["provisional"],
        )
        for one in (data["deadlines"] if type_ == CaseOpened.TYPE else (data["deadline"],))
    ]  # fmt: skip


def shard_of(key: bytes | None, shards: int) -> int:
    """Which shard an event belongs to: all events of a case have its key."""
    return crc32(key or b"") % shards
