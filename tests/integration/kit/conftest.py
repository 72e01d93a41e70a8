"""A small service of the test's own over the run's PostgreSQL and Kafka: its outbox, topics and consumer."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from sqlalchemy import MetaData, select
from sqlalchemy.ext.asyncio import AsyncConnection

from deploy.local.cluster import Cluster
from deploy.local.kafka import ADMIN
from shared.events import Event
from shared.events.scoring import StandingPublished
from shared.kit import clock, db, outbox
from shared.kit.consumer import Consumer
from shared.kit.health import Health
from shared.kit.relay import Relay
from shared.kit.settings import ServiceSettings
from shared.kit.tables import KitTables, kit_tables
from tests.instances import Databases
from tests.patience import PATIENCE_S


class Lab:
    """One producing and consuming service of a test."""

    def __init__(self, cluster: Cluster, databases: Databases) -> None:
        self.name = f"lab{uuid.uuid4().hex[:8]}"
        self.topic = f"{self.name}.thing.v1"
        self.dlq = f"{self.topic}.{self.name}.dlq"
        self.metadata = MetaData()
        self.kit: KitTables = kit_tables(self.metadata)
        self.settings = ServiceSettings(
            service=self.name,
            database_url=databases.owner_url("scoring"),
            kafka_bootstrap=cluster.kafka.bootstrap,
            kafka_username=ADMIN,
            kafka_password=cluster.secrets.passwords["kafka-admin"],
            jwks_file=cluster.secrets.jwks_file,
            keys_file=cluster.secrets.keys_file("scoring"),
        )
        self.engine = db.make_engine(self.settings)
        self.health = Health()
        self.applied: list[str] = []
        self.calls: list[int] = []
        self.poison: set[str] = set()
        self.admin = AdminClient(cluster.kafka_admin)
        for future in self.admin.create_topics(
            [NewTopic(self.topic, num_partitions=3, replication_factor=1), NewTopic(self.dlq, 1, 1)]
        ).values():
            future.result(30)
        self._tasks: list[asyncio.Task[None]] = []

    def event(self, key: str, number: int) -> StandingPublished:
        topic = self.topic

        class Thing(StandingPublished):
            @property
            def topic(self) -> str:
                return topic

        return Thing(
            plan=key, rulebook="r", agency="a", unit=None, points=0, entries=number, in_time=0, late=0, version=number,
            as_of=clock.now(),
        )  # fmt: skip

    async def put(self, *events: StandingPublished) -> None:
        async with db.begin(self.engine) as conn:
            await outbox.put(conn, self.kit.outbox, events, clock.now())

    async def _apply(self, _conn: AsyncConnection, events: Sequence[Event[Any]], _now: datetime) -> None:
        self.calls.append(len(events))
        for event in events:
            if f"{event.data.plan}/{event.data.version}" in self.poison:
                raise ValueError("cannot be handled")
        self.applied += [f"{event.data.plan}/{event.data.version}" for event in events]

    def start_relay(self) -> None:
        part = self.health.component("relay", 30)
        self._tasks.append(
            asyncio.create_task(Relay(self.settings, self.engine, self.kit.outbox, "normal", part).run())
        )

    def start_consumer(self) -> Consumer:
        part = self.health.component("consumer", 30)
        consumer = Consumer(
            self.settings, self.engine, self.kit.inbox, [self.topic], {StandingPublished.TYPE: self._apply}, part
        )
        self._tasks.append(asyncio.create_task(consumer.run()))
        return consumer

    async def stop_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def until(self, what: str, holds: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not holds():
                    await asyncio.sleep(0.05)
        assert holds(), f"not within {seconds} s: {what}"

    async def unsent(self) -> int:
        async with db.begin(self.engine) as conn:
            return len(
                (await conn.execute(select(self.kit.outbox.c.seq).where(self.kit.outbox.c.sent_at.is_(None)))).all()
            )


@pytest.fixture
async def databases(cluster: Cluster) -> AsyncIterator[Databases]:
    """Of two services only, as making each takes its time."""
    made = await Databases(cluster, f"t{uuid.uuid4().hex[:12]}").create("intake", "scoring")
    yield made
    await made.drop()


@pytest.fixture
async def lab(cluster: Cluster, databases: Databases) -> AsyncIterator[Lab]:
    made = Lab(cluster, databases)
    yield made
    await made.stop_tasks()
    await made.engine.dispose()
    for future in made.admin.delete_topics([made.topic, made.dlq]).values():
        future.result(30)
