"""The bare limit: the same durable rows and the same messages, moved with no validation at all.

Four processes, as the services are: each copies the rows that a tip leaves in its database (asyncpg COPY, 500 tips
at a time) into tables of the same shape and indexes, and two topics carry the same events by aiokafka. What this
reaches is what PostgreSQL, Kafka and Python's clients give on this machine; the services are measured against it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

BATCH = 500

ROWS = {
    "intake": ("idempotency", "leads", "tips", "outbox"),
    "casework": ("inbox", "cases", "case_parties", "deadlines", "outbox"),
    "notify": ("inbox", "notices"),
    "scoring": ("inbox", "obligations"),
}
"""The tables in which a tip leaves rows, by service."""

TOPICS = ("bench.lead.v1", "bench.case.v1")
_READS = {"casework": TOPICS[0], "notify": TOPICS[1], "scoring": TOPICS[1]}
_WRITES = {"intake": TOPICS[0], "casework": TOPICS[1]}


@dataclass
class Part:
    """One service's share: where its rows go, and which messages it sends."""

    service: str
    url: str
    kafka: dict[str, Any]
    tips: int


async def _sample(conn: asyncpg.Connection, table: str, tips: int, source_tips: int) -> tuple[list[str], list[Any]]:
    """The rows that `tips` tips left in a table."""
    columns = [
        row["column_name"]
        for row in await conn.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND table_schema = 'public' "
            "AND is_generated = 'NEVER' ORDER BY ordinal_position",
            table,
        )
    ]
    total = await conn.fetchval(f'SELECT count(*) FROM "{table}"')
    wanted = max(1, round(total * tips / source_tips))
    names = ", ".join(f'"{c}"' for c in columns)
    rows = await conn.fetch(f'SELECT {names} FROM "{table}" LIMIT {wanted}')
    return columns, [tuple(row) for row in rows]


def _run(part: Part, source_tips: int, started: Any, ready: Any, done: Any) -> None:
    asyncio.run(_part(part, source_tips, started, ready, done))


async def _part(part: Part, source_tips: int, started: Any, ready: Any, done: Any) -> None:
    conn = await asyncpg.connect(part.url)
    tables = []
    for table in ROWS[part.service]:
        columns, rows = await _sample(conn, table, part.tips, source_tips)
        await conn.execute(f'DROP TABLE IF EXISTS "bench_{table}"')
        await conn.execute(f'CREATE TABLE "bench_{table}" (LIKE "{table}" INCLUDING ALL EXCLUDING IDENTITY)')
        tables.append((table, columns, rows))
    messages = [
        (bytes(row["key"], "utf-8"), bytes(row["data"]))
        for row in (
            await conn.fetch(f"SELECT key, data FROM outbox LIMIT {part.tips}") if part.service in _WRITES else []
        )
    ]
    producer = consumer = None
    if part.service in _WRITES:
        producer = AIOKafkaProducer(**part.kafka, enable_idempotence=True, max_batch_size=512 * 1024)
        await producer.start()
    if part.service in _READS:
        consumer = AIOKafkaConsumer(
            _READS[part.service], **part.kafka, group_id=f"bench.{part.service}", enable_auto_commit=False,
            auto_offset_reset="earliest", max_partition_fetch_bytes=4 * 1024 * 1024,
        )  # fmt: skip
        await consumer.start()
    ready.release()
    while not started.is_set():
        await asyncio.sleep(0.01)
    moved = 0
    while moved < part.tips:
        if consumer is None:
            count = min(BATCH, part.tips - moved)
        else:
            fetched = await consumer.getmany(timeout_ms=500, max_records=BATCH)
            count = sum(len(batch) for batch in fetched.values())
            if not count:
                continue
        async with conn.transaction():
            for table, columns, rows in tables:
                share = len(rows) / part.tips
                records = rows[round(moved * share) : round((moved + count) * share)]
                await conn.copy_records_to_table(f"bench_{table}", records=records, columns=columns)
        if producer is not None:
            await _send(producer, _WRITES[part.service], messages[moved : moved + count])
        if consumer is not None:
            await consumer.commit()
        moved += count
    for client in (producer, consumer):
        if client is not None:
            await client.stop()
    done.put((part.service, time.time()))
    for table, _, _ in tables:
        await conn.execute(f'DROP TABLE "bench_{table}"')
    await conn.close()


async def _send(producer: AIOKafkaProducer, topic: str, messages: list[tuple[bytes, bytes]]) -> None:
    partitions = sorted(await producer.partitions_for(topic))
    pending = []
    for index, partition in enumerate(partitions):
        batch = producer.create_batch()
        for key, value in messages[index :: len(partitions)]:
            if batch.append(timestamp=None, key=key, value=value) is None:
                pending.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                batch.append(timestamp=None, key=key, value=value)
        if batch.record_count():
            pending.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*pending)


def measure(urls: dict[str, str], kafka: dict[str, Any], tips: int, source_tips: int) -> float:
    """Tips a second at the bare limit. `urls` are owners' plain database addresses; `source_tips` how many tips the
    databases hold, from which the rows are taken."""
    context = multiprocessing.get_context("spawn")
    started, ready, done = context.Event(), context.Semaphore(0), context.Queue()
    parts = [Part(service, urls[service], kafka, tips) for service in ROWS]
    running = [
        context.Process(target=_run, args=(part, source_tips, started, ready, done), daemon=True) for part in parts
    ]
    for process in running:
        process.start()
    try:
        for _ in running:
            if not ready.acquire(timeout=120):
                raise RuntimeError("the bare measure did not get ready")
        began = time.time()
        started.set()
        ends = [done.get(timeout=300)[1] for _ in running]
        return tips / (max(ends) - began)
    finally:
        for process in running:
            process.join(20)
            if process.is_alive():
                process.kill()
