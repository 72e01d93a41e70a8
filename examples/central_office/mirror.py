#!/usr/bin/env python3
"""A central office's mirror of the scores of many towns, made from the published contract alone.

It reads three Kafka topics: `scoring.ledger.v1` (every entry), `scoring.feed.v1` (the newest standing of each unit) and
`scoring.checkpoint.v1` (signed Merkle roots over the entries), all CloudEvents 1.0 in Kafka binary mode with JSON data.
It keeps what it reads and the place it has read to in one SQLite file, in one transaction, so it can be stopped at any
moment and goes on without a gap or a double. Every standing is checked against the entries it is the sum of, and all
entries against the checkpoints: a town that changes, removes or slips in an entry later is found out.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LEDGER, FEED, CHECKPOINTS = "scoring.ledger.v1", "scoring.feed.v1", "scoring.checkpoint.v1"
ENTRY, STANDING = "dachuan.ledger.entry.v1", "dachuan.standing.v1"
CHECKPOINT, CLOSED = "dachuan.ledger.checkpoint.v1", "dachuan.ledger.period-closed.v1"

LEAF = (
    "agency", "area", "assumed", "basis", "basis_id", "case_id", "clause", "corrects", "entry_id", "fact_at",
    "fact_event", "fact_type", "facts", "line", "occurred_on", "outcome", "plan", "points", "recorded_at", "rulebook",
    "scored", "scored_kind", "seq", "unit",
)  # fmt: skip
"""The fields of an entry that its leaf is made of: canonical JSON, sorted by name, without spaces."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS place (topic TEXT, partition INTEGER, next INTEGER, PRIMARY KEY (topic, partition));
CREATE TABLE IF NOT EXISTS entry (
    entry_id TEXT PRIMARY KEY, plan TEXT, rulebook TEXT, agency TEXT, unit TEXT, line TEXT, clause TEXT, points TEXT,
    assumed INTEGER, occurred_on TEXT, case_id TEXT, recorded_at TEXT, scored_kind TEXT, scored TEXT, seq INTEGER,
    leaf TEXT
);
CREATE INDEX IF NOT EXISTS entry_place ON entry (seq);
CREATE TABLE IF NOT EXISTS standing (
    plan TEXT, rulebook TEXT, agency TEXT, unit TEXT, points TEXT, entries INTEGER, in_time INTEGER, late INTEGER,
    version INTEGER, as_of TEXT, scored_kind TEXT, scored TEXT,
    PRIMARY KEY (plan, rulebook, agency, unit, scored_kind, scored)
);
CREATE TABLE IF NOT EXISTS checkpoint (
    number INTEGER PRIMARY KEY, note TEXT, size INTEGER, root TEXT, seq INTEGER, taken_at TEXT, period TEXT,
    digest TEXT, state TEXT
);
CREATE TABLE IF NOT EXISTS closed (period TEXT PRIMARY KEY, digest TEXT, checkpoint INTEGER);
CREATE TABLE IF NOT EXISTS tree (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER, seq INTEGER, stack TEXT);
"""


class Tree:
    """A Merkle tree (RFC 9162, section 2) that grows to the right, kept as the roots of its perfect subtrees."""

    def __init__(self, size: int = 0, stack: list[tuple[int, str]] | None = None) -> None:
        self.size, self.stack = size, [(height, bytes.fromhex(one)) for height, one in stack or []]

    def add(self, leaf: bytes) -> None:
        """The next entry."""
        node, height = hashlib.sha256(b"\0" + leaf).digest(), 0
        while self.stack and self.stack[-1][0] == height:
            node, height = hashlib.sha256(b"\1" + self.stack.pop()[1] + node).digest(), height + 1
        self.stack.append((height, node))
        self.size += 1

    def root(self) -> str:
        """In base64, as checkpoints say it."""
        if not self.stack:
            return base64.b64encode(hashlib.sha256(b"").digest()).decode()
        node = self.stack[-1][1]
        for _, left in reversed(self.stack[:-1]):
            node = hashlib.sha256(b"\1" + left + node).digest()
        return base64.b64encode(node).decode()

    def kept(self) -> str:
        """To go on from later."""
        return json.dumps([(height, node.hex()) for height, node in self.stack])


def signed_by(note: str, keys: list[str]) -> bool:
    """Whether a note is signed by one of the keys (`name+hash+base64`, as `/.well-known/dachuan-ledger-keys` has them)."""
    text, _, lines = note.rpartition("\n\n")
    for line in lines.splitlines():
        name, _, signature = line.removeprefix("— ").rpartition(" ")
        raw = base64.b64decode(signature)
        for key in keys:
            known, hash_, public = key.split("+", 2)
            if known == name == text.split("\n", 1)[0] and raw[:4].hex() == hash_:
                try:
                    Ed25519PublicKey.from_public_bytes(base64.b64decode(public)[1:]).verify(raw[4:], (text + "\n").encode())
                except InvalidSignature:
                    continue
                return True
    return False


class Mirror:
    """The office's own copy, in one SQLite file. `keys` are the verifier keys of the towns' ledgers."""

    def __init__(self, path: str, keys: list[str]) -> None:
        self.keys = keys
        self.db = sqlite3.connect(path)
        self.db.executescript(SCHEMA)

    def places(self) -> dict[tuple[str, int], int]:
        """The next offset to read of each partition read so far."""
        return {(t, p): n for t, p, n in self.db.execute("SELECT topic, partition, next FROM place")}

    def take(self, messages: list[Message]) -> None:
        """Apply messages and note how far we have read, together. A message seen before changes nothing."""
        with self.db:
            for message in messages:
                kind = header(message, "ce_type")
                if kind == ENTRY:
                    self._entry(json.loads(message.value()))
                elif kind == STANDING:
                    self._standing(json.loads(message.value()))
                elif kind == CHECKPOINT:
                    self._checkpoint(json.loads(message.value()))
                elif kind == CLOSED:
                    data = json.loads(message.value())
                    self.db.execute(
                        "INSERT INTO closed VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                        (f"{data['plan']}/{data['period']}", data["digest"], data["checkpoint"]),
                    )
                # other types may come within this version of the contract: they are passed over
                self.db.execute(
                    "INSERT INTO place VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next",
                    (message.topic(), message.partition(), message.offset() + 1),
                )

    def _entry(self, data: dict) -> None:
        self.db.execute(
            f"INSERT INTO entry VALUES ({', '.join('?' * 16)}) ON CONFLICT DO NOTHING",
            (
                data["entry_id"], data["plan"], data["rulebook"], data["agency"], data["unit"] or "", data["line"],
                data["clause"], data["points"], data["assumed"], data["occurred_on"], data["case_id"],
                data["recorded_at"], data.get("scored_kind") or "", data.get("scored") or "", data.get("seq"),
                json.dumps({name: data.get(name) for name in LEAF}, separators=(",", ":"), ensure_ascii=False),
            ),
        )  # fmt: skip

    def _standing(self, data: dict) -> None:
        self.db.execute(
            f"INSERT INTO standing VALUES ({', '.join('?' * 12)}) ON CONFLICT DO UPDATE SET "
            "points = excluded.points, entries = excluded.entries, in_time = excluded.in_time, late = excluded.late, "
            "version = excluded.version, as_of = excluded.as_of WHERE excluded.version > standing.version",
            (
                data["plan"], data["rulebook"], data["agency"], data["unit"] or "", data["points"], data["entries"],
                data["in_time"], data["late"], data["version"], data["as_of"], data.get("scored_kind") or "",
                data.get("scored") or "",
            ),
        )  # fmt: skip

    def _checkpoint(self, data: dict) -> None:
        """Keep a checkpoint as its note says it; a note that nobody we know has signed is WRONG from the start."""
        text = data["note"].rpartition("\n\n")[0]
        _, size, root, *more = text.split("\n")
        told = dict(line.split(" ", 1) for line in more)
        period, _, digest = told.get("period", "").rpartition(" ")
        state = "waiting" if not self.keys or signed_by(data["note"], self.keys) else "WRONG: not signed by a known key"
        known = self.db.execute("SELECT note FROM checkpoint WHERE number = ?", (data["number"],)).fetchone()
        if known and known[0] != data["note"]:
            state = "WRONG: two checkpoints under one number"
            self.db.execute("UPDATE checkpoint SET state = ? WHERE number = ?", (state, data["number"]))
        self.db.execute(
            "INSERT INTO checkpoint VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (data["number"], data["note"], int(size), root, int(told["seq"]), told["time"], period, digest, state),
        )

    def verify(self) -> None:
        """Check waiting checkpoints, oldest first, as far as all of their entries have come."""
        with self.db:
            row = self.db.execute("SELECT size, seq, stack FROM tree").fetchone() or (0, 0, "[]")
            tree, seq = Tree(row[0], json.loads(row[2])), row[1]
            waiting = self.db.execute(
                "SELECT number, size, root, seq FROM checkpoint WHERE state = 'waiting' ORDER BY number"
            ).fetchall()
            for number, size, root, upto in waiting:
                # from the entries' numbers alone: one that slips in later among those that were checked is found, too
                (count,) = self.db.execute("SELECT count(*) FROM entry WHERE seq <= ?", (upto,)).fetchone()
                if count < size:
                    break
                for (leaf,) in self.db.execute(
                    "SELECT leaf FROM entry WHERE seq > ? AND seq <= ? ORDER BY seq", (seq, upto)
                ).fetchall():
                    tree.add(leaf.encode())
                seq = max(seq, upto)
                state = "ok" if (count, tree.size, tree.root()) == (size, size, root) else "WRONG: other entries"
                self.db.execute("UPDATE checkpoint SET state = ? WHERE number = ?", (state, number))
            self.db.execute("INSERT OR REPLACE INTO tree VALUES (1, ?, ?, ?)", (tree.size, seq, tree.kept()))

    def checkpoints(self) -> dict:
        """How far the entries are under checkpoints that we have checked ourselves."""
        states = dict(self.db.execute("SELECT state, count(*) FROM checkpoint GROUP BY state"))
        size, at = self.db.execute("SELECT max(size), max(taken_at) FROM checkpoint WHERE state = 'ok'").fetchone()
        wrong = [
            {"number": number, "state": state}
            for number, state in self.db.execute(
                "SELECT number, state FROM checkpoint WHERE state LIKE 'WRONG%' UNION "
                "SELECT c.number, 'WRONG: another closed period' FROM checkpoint AS c JOIN closed AS d "
                "ON d.checkpoint = c.number WHERE (d.period, d.digest) <> (c.period, c.digest)"
            )
        ]
        return {
            "verified": states.get("ok", 0), "waiting": states.get("waiting", 0), "wrong": wrong,
            "entries": size or 0, "newest": at, "signatures": "checked" if self.keys else "no key given",
        }  # fmt: skip

    def table(self) -> list[dict]:
        """Standings, best first, each with `check`: `ok`, `waiting` (entries still to come) or `WRONG`."""
        sums: dict[tuple[str, ...], tuple[int, Decimal]] = {}
        for *key, points in self.db.execute("SELECT plan, rulebook, agency, unit, scored_kind, scored, points FROM entry"):
            count, total = sums.get(tuple(key), (0, Decimal(0)))
            sums[tuple(key)] = (count + 1, total + Decimal(points))
        rows = []
        for plan, rulebook, agency, unit, kind, scored, points, entries, in_time, late, as_of in self.db.execute(
            "SELECT plan, rulebook, agency, unit, scored_kind, scored, points, entries, in_time, late, as_of FROM standing"
        ):
            count, total = sums.get((plan, rulebook, agency, unit, kind, scored), (0, Decimal(0)))
            check = "waiting" if count != entries else "ok" if total == Decimal(points) else "WRONG"
            rows.append({
                "plan": plan, "rulebook": rulebook, "agency": agency, "unit": unit, "scored_kind": kind,
                "scored": scored, "points": points,
                "entries": entries, "in_time": in_time, "late": late, "as_of": as_of, "check": check,
            })  # fmt: skip
        return sorted(rows, key=lambda r: (r["plan"], r["rulebook"], -Decimal(r["points"]), r["agency"], r["unit"]))


def header(message: Message, name: str) -> str | None:
    """One header of a message, as text."""
    return next((value.decode() for key, value in message.headers() or [] if key == name and value), None)


def connect() -> Consumer:
    """A reader with the settings of the environment; its place stands in the mirror, and nothing is committed to Kafka."""
    protocol = os.environ.get("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    settings = {
        "bootstrap.servers": os.environ["KAFKA_BOOTSTRAP"],
        "security.protocol": protocol,
        "group.id": "central-office",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
    }
    if protocol.startswith("SASL"):
        settings |= {
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": os.environ["KAFKA_USERNAME"],
            "sasl.password": os.environ["KAFKA_PASSWORD"],
        }
    if os.environ.get("KAFKA_CA_FILE"):
        settings["ssl.ca.location"] = os.environ["KAFKA_CA_FILE"]
    return Consumer(settings)


def follow(consumer: Consumer, mirror: Mirror) -> Iterator[bool]:
    """Read on for ever from where the mirror stands; yields whether all that exists now has been read."""
    known = mirror.places()
    partitions = []
    for topic in (LEDGER, FEED, CHECKPOINTS):
        found = consumer.list_topics(topic, timeout=15).topics[topic]
        if found.error:
            raise KafkaException(found.error)
        partitions += [
            TopicPartition(topic, number, known.get((topic, number), OFFSET_BEGINNING)) for number in found.partitions
        ]
    consumer.assign(partitions)
    at_end: set[tuple[str, int]] = set()
    while True:
        messages = []
        for message in consumer.consume(500, timeout=1.0):
            where = (message.topic(), message.partition())
            if message.error() is None:
                at_end.discard(where)
                messages.append(message)
            elif message.error().code() == KafkaError._PARTITION_EOF:
                at_end.add(where)
            else:
                raise KafkaException(message.error())
        if messages:
            mirror.take(messages)
            mirror.verify()
        yield len(at_end) == len(partitions)


def show(rows: list[dict]) -> None:
    """Print the table."""
    print(f"{'plan':10} {'agency':16} {'unit':18} {'points':>7} {'in time':>8} {'late':>6} {'entries':>8}  check")
    for r in rows:
        print(
            f"{r['plan']:10} {r['agency']:16} {r['unit']:18} {r['points']:>7} {r['in_time']:>8} {r['late']:>6} "
            f"{r['entries']:>8}  {r['check']}"
        )


def main() -> int:
    """Follow and print; with `--once` read to the present end, print and go (1: a sum or a checkpoint is wrong)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", default="mirror.sqlite3", help="where the mirror is kept")
    parser.add_argument("--once", action="store_true", help="read to the present end, print, and go")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--key", action="append", default=[], help="a town's verifier key: name+hash+key")
    chosen = parser.parse_args()
    mirror = Mirror(chosen.file, chosen.key)
    shown: tuple[list[dict], dict] | None = None
    with closing(connect()) as consumer:
        for complete in follow(consumer, mirror):
            rows, covered = mirror.table(), mirror.checkpoints()
            if complete and (chosen.once or (rows, covered) != shown):
                if chosen.json:
                    print(json.dumps({"standings": rows, "checkpoints": covered}, ensure_ascii=False))
                else:
                    show(rows)
                    print(
                        f"checkpoints: {covered['verified']} verified ({covered['entries']} entries, to "
                        f"{covered['newest']}), {covered['waiting']} waiting, {len(covered['wrong'])} WRONG; "
                        f"signatures: {covered['signatures']}"
                    )
                shown = (rows, covered)
            if complete and chosen.once:
                return 1 if covered["wrong"] or any(row["check"] == "WRONG" for row in rows) else 0
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(0)
