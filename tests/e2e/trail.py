"""Looking for canaries everywhere a trail could be left: files raw, tables decoded, topics unpacked."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import asyncpg
from ahocorasick_rs import BytesAhoCorasick
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from deploy.local.databases import plain
from deploy.local.state import SERVICES


def shapes(canary: str) -> dict[str, bytes]:
    """The ways in which a text may stand in bytes: plain, hex, base64 at each of its three beginnings, UTF-16."""
    raw = canary.encode()
    found = {
        "plain": raw,
        "upper case": canary.upper().encode(),
        "hex": raw.hex().encode(),
        "hex upper case": raw.hex().upper().encode(),
        "utf-16-le": canary.encode("utf-16-le"),
        "utf-16-be": canary.encode("utf-16-be"),
    }
    for shift in range(3):
        # the first and last digits depend on what stands before and after
        whole = base64.b64encode(bytes(shift) + raw)
        found[f"base64+{shift}"] = whole[-(-shift * 8 // 6) : len(whole) - 4 if len(whole) % 4 == 0 else None]
        found[f"base64url+{shift}"] = found[f"base64+{shift}"].translate(bytes.maketrans(b"+/", b"-_"))
    return found


class Searcher:
    """All canaries in all shapes, looked for at once."""

    def __init__(self, canaries: Iterable[str]) -> None:
        self._named: list[str] = []
        patterns: list[bytes] = []
        for canary in canaries:
            for name, shape in shapes(canary).items():
                assert len(shape) >= 6, f"{canary}: too short to look for as {name}"
                self._named.append(f"{canary} ({name})")
                patterns.append(shape)
        self._automaton = BytesAhoCorasick(patterns)
        self._longest = max(len(pattern) for pattern in patterns)

    def within(self, data: bytes) -> set[str]:
        """Which canaries stand in some bytes, in which shape."""
        return {self._named[at] for at, *_ in self._automaton.find_matches_as_indexes(data)}

    def in_file(self, path: Path) -> set[str]:
        """Which stand in a file, however large."""
        found: set[str] = set()
        with path.open("rb") as file:
            rest = b""
            for piece in _written(file):
                found |= self.within(rest + piece)
                rest = piece[-self._longest :]
        return found

    def below(self, folder: Path) -> dict[str, set[str]]:
        """Which stand in which file below a folder."""
        found = {}
        for path in folder.rglob("*"):
            try:
                if path.is_file() and not path.is_symlink() and (hits := self.in_file(path)):
                    found[str(path.relative_to(folder))] = hits
            except FileNotFoundError:
                continue
        return found


def _written(file: BinaryIO) -> Iterator[bytes]:
    """A file's content without the holes that were never written (Kafka's index files are mostly such), and without
    runs of zeros (the log's unused part)."""
    at, end = 0, os.fstat(file.fileno()).st_size
    while at < end:
        try:
            at = os.lseek(file.fileno(), at, os.SEEK_DATA)
        except OSError:
            return
        hole = os.lseek(file.fileno(), at, os.SEEK_HOLE)
        while at < hole:
            piece = os.pread(file.fileno(), min(1 << 20, hole - at), at)
            if not piece:
                return
            at += len(piece)
            yield piece.strip(b"\0") and piece


def rows_of(login_url: str) -> Iterator[tuple[str, bytes]]:
    """Every row of every table of a database as its columns' bytes: compressed and out-of-line values unpacked."""

    async def read() -> list[tuple[str, bytes]]:
        conn = await asyncpg.connect(plain(login_url))
        try:
            names = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            told = []
            for (name,) in names:
                for row in await conn.fetch(f'SELECT * FROM "{name}"'):
                    told.append((name, b"\n".join(_bytes(value) for value in row.values())))
            return told
        finally:
            await conn.close()

    yield from asyncio.run(read())


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def messages(admin: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    """Every record of every topic: key, headers and value, whatever compression its batch has."""
    topics = AdminClient(admin).list_topics(timeout=10).topics
    consumer = Consumer({**admin, "group.id": "trail", "enable.auto.commit": False, "enable.partition.eof": True})
    try:
        for name, topic in topics.items():
            for number in topic.partitions:
                low, high = consumer.get_watermark_offsets(TopicPartition(name, number), timeout=10)
                if high <= low:
                    continue
                consumer.assign([TopicPartition(name, number, low)])
                at = low
                while at < high:
                    record = consumer.poll(10)
                    if record is None or record.error():
                        break
                    at = record.offset() + 1
                    headers = [part for pair in record.headers() or [] for part in pair]
                    yield name, b"\n".join(_bytes(part) for part in (record.key(), record.value(), *headers) if part)
    finally:
        consumer.close()


def everywhere(searcher: Searcher, cluster: Any) -> dict[str, set[str]]:
    """Where in an instance canaries stand: its folder (data files, WAL, Kafka's logs, objects, logs, temporary files),
    its databases decoded, its topics unpacked."""
    found = searcher.below(cluster.state.root)
    for service in SERVICES:
        for table, row in rows_of(cluster.secrets.logins[service].owner_url(cluster.postgres_address)):
            if hits := searcher.within(row):
                found.setdefault(f"database {service}.{table}", set()).update(hits)
    for topic, record in messages(cluster.kafka_admin):
        if hits := searcher.within(record):
            found.setdefault(f"topic {topic}", set()).update(hits)
    return found
