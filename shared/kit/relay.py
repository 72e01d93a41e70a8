"""The relay: sends outbox rows to Kafka in order, and marks them sent.

One relay is active per service and lane (a PostgreSQL advisory lock), woken by LISTEN; in the normal lane it
lets some milliseconds' events gather, which under load makes tens of requests one. A row is sent at least
once; consumers skip what they know. Rows of one partition go one batch after the other, so a failure cannot
let a later event of a key overtake an earlier one.
"""

import asyncio
import zlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2
from sqlalchemy import Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.events import Lane
from shared.kit import clock, crash, db, kafka, metrics
from shared.kit.health import Component
from shared.kit.logs import log
from shared.kit.settings import ServiceSettings

CHANNEL = "outbox"
"""The NOTIFY channel; the outbox's insert trigger sends on it."""

GATHER_S, MANY, LONGER_S = 0.05, 20, 0.2
"""How long events of the normal lane gather, in seconds; longer after a batch of so many, when more are to come."""

AT_ONCE = 100
"""So many events are encoded before whoever else waits in this process has a turn."""

LANES: tuple[Lane, ...] = ("normal", "urgent")


class Relay:
    """Moves one lane of one service's outbox to Kafka."""

    def __init__(
        self, settings: ServiceSettings, engine: AsyncEngine, outbox: Table, lane: Lane, health: Component
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._outbox = outbox
        self._lane = lane
        self._health = health
        self._wake = asyncio.Event()
        self._producer: AIOKafkaProducer | None = None
        self._limit = 1000 if lane == "normal" else 50
        self._source = f"/dachuan/{settings.service}"
        self._lock = zlib.crc32(f"relay:{settings.service}:{lane}".encode())
        self._fetch = (
            f"SELECT seq, id, topic, key, type, time, recordedat, traceparent, data FROM {outbox.fullname} "
            f"WHERE lane = $1 AND sent_at IS NULL ORDER BY seq LIMIT {self._limit}"
        )
        self._mark = f"UPDATE {outbox.fullname} SET sent_at = $2 WHERE seq = ANY($1)"

    async def run(self) -> None:
        """Run until cancelled; after any failure, start afresh with a new producer."""
        try:
            while True:
                try:
                    await self._lead()
                except Exception as error:
                    self._health.unwell(type(error).__name__)
                    log.warning("relay.failed", lane=self._lane, exc_info=error)
                    await asyncio.sleep(1)
                finally:
                    await self._drop_producer()
        finally:
            await self._drop_producer()

    async def _lead(self) -> None:
        async with self._engine.connect() as conn:
            await conn.execution_options(isolation_level="AUTOCOMMIT")
            while not (await conn.execute(select(func.pg_try_advisory_lock(self._lock)))).scalar():
                self._health.well()
                await asyncio.sleep(2)
            raw = (await conn.get_raw_connection()).driver_connection
            await raw.add_listener(CHANNEL, self._notified)
            try:
                await self._pump(raw)
            finally:
                await raw.remove_listener(CHANNEL, self._notified)
                # the advisory lock must not outlive this round in the pool
                await conn.invalidate()

    def _notified(self, _conn: Any, _pid: int, _channel: str, payload: str) -> None:
        if payload in ("", self._lane):
            self._wake.set()

    async def _pump(self, conn: Any) -> None:
        """Send what is waiting, again and again; over the driver's own connection, which nothing else uses."""
        self._producer = kafka.make_producer(self._settings)
        async with asyncio.timeout(15):
            await self._producer.start()
        while True:
            self._wake.clear()
            rows = db.named(await conn.fetch(self._fetch, self._lane))
            if rows:
                await self._send(rows)
                crash.point("relay.after_send")
                crash.point("relay.before_mark")
                await conn.execute(self._mark, [row.seq for row in rows], clock.now())
            self._health.well()
            if len(rows) < self._limit:
                try:
                    # not wait_for: until Python 3.12 it loses a cancellation that comes with the wake-up
                    async with asyncio.timeout(2):
                        await self._wake.wait()
                    await asyncio.sleep(0 if self._lane == "urgent" else GATHER_S if len(rows) < MANY else LONGER_S)
                except TimeoutError:
                    pass

    async def _send(self, rows: Sequence[Any]) -> None:
        producer = self._producer
        assert producer is not None
        by_partition: dict[tuple[str, int], list[kafka.KafkaMessage]] = defaultdict(list)
        partitions = {topic: len(await producer.partitions_for(topic)) for topic in {row.topic for row in rows}}
        for count, row in enumerate(rows, 1):
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)
            message = kafka.encode(row, self._source)
            number = (murmur2(row.key.encode()) & 0x7FFFFFFF) % partitions[row.topic]
            by_partition[row.topic, number].append(message)
        async with asyncio.timeout(30):
            await asyncio.gather(*(self._send_partition(*place, batch) for place, batch in by_partition.items()))

    async def _send_partition(self, topic: str, partition: int, messages: list[kafka.KafkaMessage]) -> None:
        producer = self._producer
        assert producer is not None
        batch = producer.create_batch()
        waiting = 0
        for message in messages:
            part = {
                "timestamp": None,
                "key": str(message.key).encode(),
                "value": message.value,
                "headers": list(message.headers.items()),
            }
            if batch.append(**part) is None:
                await (await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                waiting = 0
                if batch.append(**part) is None:
                    raise ValueError("an event larger than a Kafka batch")
            waiting += 1
        if waiting:
            await (await producer.send_batch(batch, topic, partition=partition))
        metrics.RELAY_PUBLISHED.labels(topic).inc(len(messages))

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                # stop() can hang while the broker is away
                async with asyncio.timeout(3):
                    await producer.stop()
            except Exception as error:
                log.info("relay.producer_dropped", lane=self._lane, exc_info=error)


async def measure_backlog(conn: AsyncConnection, outbox: Table) -> None:
    """Set the backlog gauges from the outbox itself."""
    for lane in LANES:
        count, oldest = (
            await conn.execute(
                select(func.count(), func.min(outbox.c.recordedat)).where(
                    outbox.c.lane == lane, outbox.c.sent_at.is_(None)
                )
            )
        ).one()
        metrics.OUTBOX_BACKLOG.labels(lane).set(count)
        metrics.OUTBOX_OLDEST.labels(lane).set((clock.now() - oldest).total_seconds() if oldest else 0)
