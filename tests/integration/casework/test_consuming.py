"""Casework's consumers over real Kafka: batches, repeats, a bad event, the urgent lane."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.casework import consumers
from services.intake.settings import Settings as IntakeSettings
from shared.events.intake import LeadOpened
from shared.kit import clock, kafka
from shared.kit.consumer import Consumer
from shared.kit.health import Health
from shared.kit.ids import new_id
from tests.integration.casework.conftest import Desk, lead
from tests.patience import PATIENCE_S


@dataclass
class _Row:
    id: Any
    type: str
    time: Any
    recordedat: Any
    key: str
    traceparent: str | None
    data: bytes


def _message(data: LeadOpened, traceparent: str | None) -> tuple[Any, Any]:
    now = clock.now()
    made = kafka.encode(
        _Row(new_id(), data.TYPE, now, now, data.key, traceparent, data.model_dump_json().encode()), "/dachuan/intake"
    )
    return data.topic, made


class Intake:
    """Sends as intake's relay does, under intake's own principal."""

    def __init__(self, producer: Any) -> None:
        self._producer = producer

    async def send(self, messages: Sequence[tuple[str, Any]]) -> None:
        for topic, made in messages:
            await self._producer.send(
                topic, made.value, key=made.key if isinstance(made.key, bytes) else str(made.key).encode(),
                headers=[(k, v if isinstance(v, bytes) else str(v).encode()) for k, v in made.headers.items()],
            )  # fmt: skip
        await self._producer.flush()


@pytest.fixture
async def intake(desk: Desk) -> AsyncIterator[Intake]:
    cluster = desk.stack.cluster
    settings = IntakeSettings(
        database_url="postgresql+asyncpg://unused",
        kafka_bootstrap=cluster.kafka.bootstrap,
        kafka_password=cluster.secrets.kafka_users["intake"],
        jwks_file=cluster.secrets.jwks_file,
        keys_file=cluster.secrets.keys_file("intake"),
    )
    producer = kafka.make_producer(settings)
    await producer.start()
    yield Intake(producer)
    await producer.stop()


@pytest.fixture
async def consuming(desk: Desk) -> AsyncIterator[None]:
    """Both consumers of casework, as main composes them, until the test is over.

    They read as groups of their own: the run's casework may be up beside them and would take their partitions.
    """
    handlers = consumers.handlers(desk.basis)
    tasks = []
    own = new_id().hex
    for topics, lane in ((consumers.NORMAL_TOPICS, "normal"), (consumers.URGENT_TOPICS, "urgent")):
        part = Health().component(lane, 60)
        consumer = Consumer(
            desk.service.settings, desk.service.engine, desk.service.kit.inbox, topics, handlers, part, lane=lane
        )
        consumer.group = f"casework.{own}.{lane}"
        tasks.append(asyncio.create_task(consumer.run()))
    yield
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=15)


async def _until(desk: Desk, leads: Sequence[LeadOpened], seconds: float = PATIENCE_S) -> None:
    wanted = [str(one.lead_id) for one in leads]
    for _ in range(int(seconds * 10)):
        found = await desk.rows("SELECT count(*) FROM cases WHERE lead_id::text = ANY(:ids)", ids=wanted)
        if found[0][0] == len(wanted):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"after {seconds} s only {found[0][0]} of {len(wanted)} leads have a case")


async def test_leads_become_cases_once_a_bad_one_is_buried_alone_and_urgent_ones_come_by_their_lane(
    desk: Desk, intake: Intake, consuming: None
) -> None:
    good, urgent = [lead() for _ in range(30)], lead(urgent=True)
    bad = lead(plan="nowhere")
    trace = f"00-{'ab' * 16}-{'cd' * 8}-01"
    messages = [_message(one, trace) for one in good]
    # the relay may send a message twice: the same id, skipped by the inbox
    await intake.send([*messages[:15], _message(bad, None), *messages[15:], *messages[:5], _message(urgent, None)])
    # and the same lead may be told under another id
    await intake.send([_message(good[0], None)])
    await _until(desk, [*good, urgent])
    told = await desk.events()
    assert {row.topic for row, data in told if data.urgent} == {"casework.urgent.v1"}
    assert {row.traceparent for row, data in told if data.lead_id in {g.lead_id for g in good}} == {trace}
    lanes = {r[0].rsplit(".", 1)[1] for r in await desk.rows("SELECT DISTINCT consumer FROM inbox")}
    assert lanes == {"normal", "urgent"}
    assert len([1 for _, data in told if data.lead_id in {g.lead_id for g in good}]) == 30
    reasons = await _dead_letters(desk, bad.key)
    assert set(reasons) == {"failed:UnknownPlan"}


async def _dead_letters(desk: Desk, key: str, seconds: float = PATIENCE_S) -> list[str]:
    """Reasons of the dead letters with a key, read as the operator would."""
    settings = desk.service.settings
    topic = f"intake.lead.v1.{settings.service}.dlq"
    consumer = AIOKafkaConsumer(**kafka.connection(settings), enable_auto_commit=False)
    await consumer.start()
    try:
        for _ in range(int(seconds * 2)):
            parts = [TopicPartition(topic, p) for p in (consumer.partitions_for_topic(topic) or {0})]
            consumer.assign(parts)
            await consumer.seek_to_beginning(*parts)
            fetched = await consumer.getmany(timeout_ms=1000)
            found = [
                dict(record.headers)["dlq_reason"].decode()
                for records in fetched.values()
                for record in records
                if record.key == key.encode()
            ]
            if found:
                return found
            await asyncio.sleep(0.5)
    finally:
        await consumer.stop()
    return []
