"""The central office's mirror: away for a month, told twice, stopped anywhere, over compacted topics: no gap, no double."""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zlib import crc32

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.commands.booking import published, recorded
from services.scoring.domain import notes
from services.scoring.domain.ledger import Entry
from services.scoring.domain.merkle import Frontier, leaf_hash
from services.scoring.domain.notes import Checkpoint
from services.scoring.domain.rulebook import Outcome
from services.scoring.domain.standings import standings_of
from shared.events import EventData
from shared.events.scoring import CheckpointTaken

PROGRAM = Path(__file__).resolve().parents[3] / "examples" / "central_office" / "mirror.py"
_spec = importlib.util.spec_from_file_location("central_office_mirror", PROGRAM)
assert _spec and _spec.loader
program = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = program
_spec.loader.exec_module(program)

KEY = Ed25519PrivateKey.generate()
ORIGIN = "town.example/ledger"
VERIFIER = notes.verifier_key(ORIGIN, KEY.public_key())
T0 = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Record:
    """A record of Kafka, as the client's library hands it over."""

    data: EventData
    where: tuple[str, int]
    place: int

    def topic(self) -> str:
        return self.where[0]

    def partition(self) -> int:
        return self.where[1]

    def offset(self) -> int:
        return self.place

    def headers(self) -> list[tuple[str, bytes]]:
        return [("ce_type", self.data.TYPE.encode())]

    def value(self) -> bytes:
        return self.data.model_dump_json().encode()


def entry(number: int, agency: str, points: Decimal) -> Entry:
    return Entry(
        entry_id=UUID(int=number), deadline_id=UUID(int=number), plan="dayong", rulebook="v1", line="late", clause="D-M2",
        outcome=Outcome.MET_LATE, corrects=None, agency=agency, unit=None, area=None, points=points, assumed=True,
        occurred_on=T0.date(), case_id=UUID(int=7), fact_event=UUID(int=number + 10**6), fact_type="x", fact_at=T0,
        recorded_at=T0 + timedelta(minutes=number), basis="deadline", basis_id=UUID(int=number), subject_kind="agency",
        subject=agency,
    )  # fmt: skip


def stream(worth: list[tuple[int, Decimal]]) -> Iterator[EventData]:
    """What a town tells: each entry with the standing after it, a checkpoint after every third."""
    booked: list[Entry] = []
    tree = Frontier()
    for number, (agency, points) in enumerate(worth, 1):
        one = entry(number, ("police", "commerce", "labour")[agency], points)
        booked.append(one)
        told = recorded(one, number)
        yield told
        mine = [each for each in booked if each.agency == one.agency]
        [standing] = standings_of(mine).values()
        yield published(standing)
        data = json.loads(told.model_dump_json())
        tree.push(leaf_hash(json.dumps({name: data[name] for name in program.LEAF}, separators=(",", ":")).encode()))
        if number % 3 == 0:
            made = Checkpoint(ORIGIN, tree.size, tree.root(), T0 + timedelta(hours=number), number)
            note = notes.signed(made, KEY.sign, KEY.public_key())
            yield CheckpointTaken(
                number=number // 3, origin=ORIGIN, size=made.size, root=note.split("\n")[2], seq=made.seq,
                taken_at=made.taken_at, note=note, plan=None, period=None,
            )  # fmt: skip


def records(events: Iterator[EventData]) -> list[Record]:
    ends: dict[tuple[str, int], int] = {}
    made = []
    for data in events:
        where = (data.topic, crc32(data.key.encode()) % 2 if data.topic != program.CHECKPOINTS else 0)
        made.append(Record(data, where, ends.get(where, 0)))
        ends[where] = ends.get(where, 0) + 1
    return made


def compacted(log: list[Record]) -> list[Record]:
    """The feed's topic as its broker may leave it: of each key the newest record only."""
    newest = {one.data.key: one for one in log if one.topic() == program.FEED}
    return [one for one in log if one.topic() != program.FEED or newest[one.data.key] is one]


def interleaved(log: list[Record], chance: Any) -> list[Record]:
    """Partitions in any order, each in its own."""
    queues: dict[tuple[str, int], list[Record]] = {}
    for one in log:
        queues.setdefault(one.where, []).append(one)
    order = [where for where, queue in queues.items() for _ in queue]
    chance.shuffle(order)
    return [queues[where].pop(0) for where in order]


worths = st.lists(
    st.tuples(st.integers(0, 2), st.decimals(Decimal("-20"), Decimal("20"), places=2)), min_size=1, max_size=24
)


@settings(deadline=None, max_examples=30)
@given(worths, st.lists(st.integers(0, 60), max_size=4), st.randoms(use_true_random=False))
def test_stopped_anywhere_told_twice_and_away_while_topics_were_compacted(worth: Any, stops: list[int], chance: Any) -> None:
    log = records(stream(worth))
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/mirror.sqlite3"
        for end in sorted({*(min(one, len(log)) for one in stops), len(log)}):
            mirror = program.Mirror(file, [VERIFIER])  # started anew: its place stands in its file
            if chance.random() < 0.3:
                with mirror.db:  # set back by hand: everything from there comes a second time
                    mirror.db.execute("UPDATE place SET next = next / 2")
            places = mirror.places()
            there = compacted(log[:end]) if chance.random() < 0.5 else log[:end]
            todo = interleaved([one for one in there if one.place >= places.get(one.where, 0)], chance)
            while todo:
                size = chance.choice((1, 5, 500))
                mirror.take(todo[:size])
                mirror.verify()
                todo = todo[size:]
            mirror.db.close()
        mirror = program.Mirror(file, [VERIFIER])
        table, covered = mirror.table(), mirror.checkpoints()
        (count,) = mirror.db.execute("SELECT count(*) FROM entry").fetchone()
        mirror.db.close()
    assert count == len(worth), "no gap, no double"
    assert {row["check"] for row in table} == {"ok"}
    expected: dict[str, Decimal] = {}
    for agency, points in worth:
        name = ("police", "commerce", "labour")[agency]
        expected[name] = expected.get(name, Decimal(0)) + points
    assert {row["agency"]: Decimal(row["points"]) for row in table} == expected
    assert covered["wrong"] == [] and covered["waiting"] == 0
    assert covered["verified"] == len(worth) // 3 and covered["entries"] == len(worth) // 3 * 3


def test_a_changed_entry_a_foreign_signature_and_an_entry_too_many_are_found() -> None:
    worth = [(0, Decimal(1))] * 6
    log = records(stream(worth))
    for attack in ("changed", "foreign", "more"):
        told = list(log)
        keys = [VERIFIER]
        if attack == "changed":
            data = told[0].data.model_copy(update={"points": Decimal(2)})
            told[0] = Record(data, told[0].where, 0)
        elif attack == "foreign":
            keys = [notes.verifier_key(ORIGIN, Ed25519PrivateKey.generate().public_key())]
        else:
            more = told[0].data.model_copy(update={"entry_id": UUID(int=99)})
            told.insert(1, Record(more, told[0].where, 77))
        mirror = program.Mirror(":memory:", keys)
        mirror.take(told)
        mirror.verify()
        wrong = {one["state"].partition(":")[0] for one in mirror.checkpoints()["wrong"]}
        assert wrong == {"WRONG"}, attack
        mirror.db.close()
