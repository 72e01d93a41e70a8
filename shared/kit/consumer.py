"""The batch consumer: one transaction takes a batch of events, their inbox rows and all their effects.

The Kafka offset is committed after the database. What cannot be decoded or keeps failing goes to
`<topic>.<group>.dlq` with a reason; while the database is away, the consumer waits and loses nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.events import Event
from shared.kit import clock, crash, db, inbox, kafka, metrics, tracing
from shared.kit.health import Component
from shared.kit.logs import log
from shared.kit.settings import ServiceSettings

Handler = Callable[[AsyncConnection, Sequence[Event[Any]], datetime], Awaitable[None]]
"""Applies new events of one type, in order, within the given transaction; it never commits."""

ATTEMPTS = 3
"""How often one event is tried alone before it goes to the DLQ, 0.2 s and 0.4 s apart."""

AT_ONCE = 100
"""So many events are decoded before whoever else waits in this process has a turn."""


class Consumer:
    """Consumes some topics as one group and applies their events through handlers."""

    def __init__(
        self,
        settings: ServiceSettings,
        engine: AsyncEngine,
        inbox_table: Table,
        topics: Sequence[str],
        handlers: Mapping[str, Handler],
        health: Component,
        *,
        lane: str = "normal",
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._inbox = inbox_table
        self._topics = tuple(topics)
        self._handlers = handlers
        self._health = health
        self._gather = lane == "normal"
        self.group = settings.service if lane == "normal" else f"{settings.service}.{lane}"
        self._dead: AIOKafkaProducer | None = None
        self._position: dict[tuple[str, int], int] = {}

    async def run(self) -> None:
        """Run until cancelled; after a failure, join the group anew."""
        while True:
            consumer = kafka.make_consumer(self._settings, self._topics, self.group, gather=self._gather)
            try:
                async with asyncio.timeout(30):
                    await consumer.start()
                await self._loop(consumer)
            except Exception as error:
                self._health.unwell(type(error).__name__)
                log.warning("consumer.failed", component=self._health.name, exc_info=error)
                await asyncio.sleep(1)
            finally:
                for client in (consumer, self._dead):
                    if client is not None:
                        try:
                            async with asyncio.timeout(3):
                                await client.stop()
                        except Exception as error:
                            log.info("consumer.client_dropped", exc_info=error)
                self._dead = None

    async def _loop(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            fetched = await consumer.getmany(timeout_ms=500, max_records=self._settings.batch_events)
            records = [record for batch in fetched.values() for record in batch]
            if records:
                await self._apply(records)
                crash.point("consumer.before_offset_commit")
                await consumer.commit({tp: batch[-1].offset + 1 for tp, batch in fetched.items() if batch})
            self._health.well()
            self._measure(consumer, records)

    def _measure(self, consumer: AIOKafkaConsumer, records: Sequence[Any]) -> None:
        last: dict[str, int] = {}
        for record in records:
            self._position[record.topic, record.partition] = record.offset + 1
            last[record.topic] = record.timestamp
        behind = dict.fromkeys(self._topics, 0)
        for tp in consumer.assignment():
            high = consumer.highwater(tp) or 0
            lag = max(0, high - self._position.get((tp.topic, tp.partition), high))
            behind[tp.topic] += lag
            metrics.CONSUMER_LAG.labels(tp.topic, str(tp.partition)).set(lag)
        for topic, lag in behind.items():
            age = clock.now().timestamp() - last[topic] / 1000 if lag and topic in last else 0.0
            metrics.CONSUMER_AGE.labels(topic).set(max(0.0, age))

    async def _apply(self, records: Sequence[Any]) -> None:
        events: list[tuple[Any, Event[Any]]] = []
        for count, record in enumerate(records, 1):
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                event = kafka.decode(record)
            except kafka.UndecodableError as error:
                await self._bury(record, f"undecodable:{error.reason}")
                continue
            if event is None or event.type not in self._handlers:
                metrics.CONSUMER_EVENTS.labels(record.topic, "ignored").inc()
            else:
                events.append((record, event))
        if not events:
            return
        try:
            await self._until_available(lambda: self._transaction([event for _, event in events]))
        except Exception as error:
            log.warning("consumer.batch_failed", count=len(events), exc_info=error)
            for record, event in events:
                await self._apply_alone(record, event)
            return
        for record, _ in events:
            metrics.CONSUMER_EVENTS.labels(record.topic, "applied").inc()

    async def _apply_alone(self, record: Any, event: Event[Any]) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._until_available(lambda: self._transaction([event]))
                metrics.CONSUMER_EVENTS.labels(record.topic, "applied").inc()
                return
            except Exception as error:
                log.warning(
                    "consumer.event_failed", event_id=event.id, type=event.type, attempt=attempt, exc_info=error
                )
                if attempt == ATTEMPTS:
                    await self._bury(record, f"failed:{type(error).__name__}")
                else:
                    await asyncio.sleep(0.2 * attempt)

    async def _until_available(self, work: Callable[[], Awaitable[None]]) -> None:
        delay = 0.2
        while True:
            try:
                return await work()
            except Exception as error:
                if not db.unavailable(error):
                    raise
                self._health.unwell("database")
                log.warning("consumer.database_unavailable", exc_info=error)
                await asyncio.sleep(delay)
                delay = min(delay * 2, 5)

    async def _transaction(self, events: Sequence[Event[Any]]) -> None:
        async with db.begin(self._engine) as conn:
            new = await inbox.take_new(conn, self._inbox, self.group, events)
            duplicates = len(events) - len(new)
            now = clock.now()
            for event_type, run in groupby(new, key=lambda event: event.type):
                same_type = list(run)
                tracing.set_current(same_type[0].traceparent if len(same_type) == 1 else None)
                await self._handlers[event_type](conn, same_type, now)
        if duplicates:
            metrics.INBOX_DUPLICATES.labels(self._topics[0]).inc(duplicates)
        crash.point("consumer.after_effect")

    async def _bury(self, record: Any, reason: str) -> None:
        """Move a message to the DLQ; until Kafka has it, its offset is not committed."""
        if self._dead is None:
            producer = kafka.make_producer(self._settings)
            async with asyncio.timeout(15):
                await producer.start()
            self._dead = producer
        headers = [(k, v) for k, v in record.headers if not k.startswith("dlq_")]
        headers += [
            ("dlq_reason", reason.encode()),
            ("dlq_at", clock.now().isoformat().encode()),
            ("dlq_origin", f"{record.topic}/{record.partition}/{record.offset}".encode()),
        ]
        async with asyncio.timeout(15):
            await self._dead.send_and_wait(
                f"{record.topic}.{self._settings.service}.dlq", record.value, key=record.key, headers=headers
            )
        metrics.DLQ_MESSAGES.labels(record.topic).inc()
        metrics.CONSUMER_EVENTS.labels(record.topic, "dead").inc()
        log.error(
            "consumer.dead_letter", topic=record.topic, partition=record.partition, offset=record.offset, reason=reason
        )
