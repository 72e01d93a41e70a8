#!/usr/bin/env python3
"""A central office's mirror of the scores of many towns, made from the published contract alone.

It reads two Kafka topics: `scoring.ledger.v1` (every entry) and `scoring.feed.v1` (the newest standing of each unit),
both CloudEvents 1.0 in Kafka binary mode with JSON data. It keeps entries, standings and the place it has read to in
one SQLite file, in one transaction, so it can be stopped at any moment and goes on without a gap or a double. Every
standing is checked against the entries it is the sum of.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

LEDGER, FEED = "scoring.ledger.v1", "scoring.feed.v1"
ENTRY, STANDING = "dachuan.ledger.entry.v1", "dachuan.standing.v1"

SCHEMA = """
CREATE TABLE IF NOT EXISTS place (topic TEXT, partition INTEGER, next INTEGER, PRIMARY KEY (topic, partition));
CREATE TABLE IF NOT EXISTS entry (
    entry_id TEXT PRIMARY KEY, plan TEXT, rulebook TEXT, agency TEXT, unit TEXT, line TEXT, clause TEXT, points TEXT,
    assumed INTEGER, occurred_on TEXT, case_id TEXT, recorded_at TEXT
);
CREATE TABLE IF NOT EXISTS standing (
    plan TEXT, rulebook TEXT, agency TEXT, unit TEXT, points TEXT, entries INTEGER, in_time INTEGER, late INTEGER,
    version INTEGER, as_of TEXT, PRIMARY KEY (plan, rulebook, agency, unit)
);
"""


class Mirror:
    """The office's own copy, in one SQLite file."""

    def __init__(self, path: str) -> None:
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
                # other types may come within this version of the contract: they are passed over
                self.db.execute(
                    "INSERT INTO place VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next",
                    (message.topic(), message.partition(), message.offset() + 1),
                )

    def _entry(self, data: dict) -> None:
        self.db.execute(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                data["entry_id"], data["plan"], data["rulebook"], data["agency"], data["unit"] or "", data["line"],
                data["clause"], data["points"], data["assumed"], data["occurred_on"], data["case_id"],
                data["recorded_at"],
            ),
        )  # fmt: skip

    def _standing(self, data: dict) -> None:
        self.db.execute(
            "INSERT INTO standing VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "points = excluded.points, entries = excluded.entries, in_time = excluded.in_time, late = excluded.late, "
            "version = excluded.version, as_of = excluded.as_of WHERE excluded.version > standing.version",
            (
                data["plan"], data["rulebook"], data["agency"], data["unit"] or "", data["points"], data["entries"],
                data["in_time"], data["late"], data["version"], data["as_of"],
            ),
        )  # fmt: skip

    def table(self) -> list[dict]:
        """Standings, best first, each with `check`: `ok`, `waiting` (entries still to come) or `WRONG`."""
        sums: dict[tuple[str, ...], tuple[int, Decimal]] = {}
        for *key, points in self.db.execute("SELECT plan, rulebook, agency, unit, points FROM entry"):
            count, total = sums.get(tuple(key), (0, Decimal(0)))
            sums[tuple(key)] = (count + 1, total + Decimal(points))
        rows = []
        for plan, rulebook, agency, unit, points, entries, in_time, late, as_of in self.db.execute(
            "SELECT plan, rulebook, agency, unit, points, entries, in_time, late, as_of FROM standing"
        ):
            count, total = sums.get((plan, rulebook, agency, unit), (0, Decimal(0)))
            check = "waiting" if count != entries else "ok" if total == Decimal(points) else "WRONG"
            rows.append({
                "plan": plan, "rulebook": rulebook, "agency": agency, "unit": unit, "points": points,
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
    for topic in (LEDGER, FEED):
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
    """Follow and print; with `--once` read to the present end, print and go (1: a sum is wrong)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", default="mirror.sqlite3", help="where the mirror is kept")
    parser.add_argument("--once", action="store_true", help="read to the present end, print, and go")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    chosen = parser.parse_args()
    mirror = Mirror(chosen.file)
    shown: list[dict] | None = None
    with closing(connect()) as consumer:
        for complete in follow(consumer, mirror):
            rows = mirror.table()
            if complete and (chosen.once or rows != shown):
                print(json.dumps(rows, ensure_ascii=False)) if chosen.json else show(rows)
                shown = rows
            if complete and chosen.once:
                return 1 if any(row["check"] == "WRONG" for row in rows) else 0
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(0)
