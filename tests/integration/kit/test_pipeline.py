"""Outbox, relay, consumer, inbox and DLQ, on a real PostgreSQL and a real Kafka."""

from __future__ import annotations

import json
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from sqlalchemy import func, select, update

from shared.kit import clock, db, kafka
from shared.kit.health import Component
from tests.integration.kit.conftest import Lab
from tests.patience import PATIENCE_S


async def _dead(lab: Lab, count: int) -> list:
    consumer = AIOKafkaConsumer(lab.dlq, **kafka.connection(lab.settings), auto_offset_reset="earliest")
    await consumer.start()
    try:
        found: list = []
        until = time.monotonic() + PATIENCE_S
        while len(found) < count and time.monotonic() < until:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += records
        return found
    finally:
        await consumer.stop()


async def test_events_of_a_key_arrive_in_order_and_once(lab: Lab) -> None:
    lab.start_relay()
    lab.start_consumer()
    for number in range(20):
        await lab.put(*(lab.event(f"k{key}", number) for key in range(10)))
    await lab.until("all applied", lambda: len(lab.applied) >= 200)
    for key in range(10):
        assert [a for a in lab.applied if a.startswith(f"k{key}/")] == [f"k{key}/{n}" for n in range(20)]
    assert len(lab.calls) < 100, "events are applied in batches"


async def test_everything_sent_again_changes_nothing(lab: Lab) -> None:
    lab.start_relay()
    lab.start_consumer()
    await lab.put(*(lab.event("k", n) for n in range(30)))
    await lab.until("applied", lambda: len(lab.applied) == 30)
    async with db.begin(lab.engine) as conn:
        await conn.execute(update(lab.kit.outbox).values(sent_at=None))
        await conn.execute(select(func.pg_notify("outbox", "")))
    await lab.put(lab.event("k", 30))
    await lab.until("the one new is applied", lambda: lab.applied[-1] == "k/30")
    assert lab.applied == [f"k/{n}" for n in range(31)]
    assert await lab.unsent() == 0


async def test_a_poison_event_goes_to_the_dlq_and_its_neighbours_are_applied(lab: Lab) -> None:
    lab.poison.add("k/5")
    lab.start_relay()
    await lab.put(*(lab.event("k", n) for n in range(10)))
    lab.start_consumer()
    await lab.until("the neighbours", lambda: len(lab.applied) == 9)
    assert lab.applied == [f"k/{n}" for n in range(10) if n != 5]
    dead = await _dead(lab, 1)
    headers = {name: value.decode() for name, value in dead[0].headers}
    assert headers["dlq_reason"] == "failed:ValueError" and headers["ce_type"] == "dachuan.standing.v1"
    assert json.loads(dead[0].value)["version"] == 5
    lab.poison.clear()
    producer = AIOKafkaProducer(**kafka.connection(lab.settings))
    await producer.start()
    kept = [(name, value) for name, value in dead[0].headers if not name.startswith("dlq_")]
    await producer.send_and_wait(lab.topic, dead[0].value, key=dead[0].key, headers=kept)
    await producer.stop()
    await lab.until("redriven", lambda: "k/5" in lab.applied)


async def test_what_is_no_event_of_ours_goes_to_the_dlq_and_stops_nothing(lab: Lab) -> None:
    producer = AIOKafkaProducer(**kafka.connection(lab.settings))
    await producer.start()
    good = [("ce_specversion", b"1.0"), ("ce_type", b"dachuan.standing.v1"), ("ce_source", b"/x"), ("ce_id", b"no-uuid"),
            ("ce_time", b"2026-01-01T00:00:00Z"), ("ce_recordedat", b"2026-01-01T00:00:00+00:00")]  # fmt: skip
    for value, headers in ((b"\xff\x00", []), (b"{}", good), (b"not json", good), (b'{"plan":1}', good)):
        await producer.send_and_wait(lab.topic, value, key=b"k", headers=headers)
    unknown = [(n, b"dachuan.later.v9" if n == "ce_type" else v) for n, v in good]
    await producer.send_and_wait(lab.topic, b"{}", key=b"k", headers=unknown)
    await producer.stop()
    lab.start_relay()
    lab.start_consumer()
    await lab.put(lab.event("k", 1))
    await lab.until("the good one", lambda: lab.applied == ["k/1"])
    dead = await _dead(lab, 4)
    assert len(dead) == 4
    for record in dead:
        reason = dict(record.headers)["dlq_reason"].decode()
        assert reason.startswith("undecodable:") and " " not in reason, "a reason is a code, never content"


async def test_the_relay_goes_on_where_it_stopped(lab: Lab) -> None:
    await lab.put(*(lab.event("k", n) for n in range(5)))
    assert await lab.unsent() == 5
    lab.start_relay()
    lab.start_consumer()
    await lab.until("first five", lambda: len(lab.applied) == 5)
    await lab.stop_tasks()
    await lab.put(*(lab.event("k", n) for n in range(5, 9)))
    lab.start_relay()
    lab.start_consumer()
    await lab.until("the rest", lambda: len(lab.applied) == 9)
    assert lab.applied == [f"k/{n}" for n in range(9)]


async def test_two_relays_of_one_service_do_not_send_twice(lab: Lab) -> None:
    lab.start_relay()
    lab.start_relay()
    await lab.put(*(lab.event("k", n) for n in range(50)))
    lab.start_consumer()
    await lab.until("applied", lambda: len(lab.applied) >= 50)
    consumer = AIOKafkaConsumer(lab.topic, **kafka.connection(lab.settings), auto_offset_reset="earliest")
    await consumer.start()
    ends = await consumer.end_offsets(consumer.assignment())
    await consumer.stop()
    assert sum(ends.values()) == 50


async def test_trace_and_times_travel_with_the_event(lab: Lab) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    happened = clock.now()
    from shared.kit import outbox

    async with db.begin(lab.engine) as conn:
        await outbox.put(conn, lab.kit.outbox, [lab.event("k", 1)], clock.now(), times=[happened], traceparents=[trace])
    lab.start_relay()
    consumer = AIOKafkaConsumer(lab.topic, **kafka.connection(lab.settings), auto_offset_reset="earliest")
    await consumer.start()
    event = kafka.decode(await consumer.getone())
    await consumer.stop()
    assert event is not None
    assert (event.traceparent, event.time, event.key) == (trace, happened, "k:r:a:")
    assert event.recordedat >= event.time and event.source == f"/dachuan/{lab.name}"


def test_a_stuck_part_is_not_ready_and_then_not_alive() -> None:
    part = Component("consumer", patience_s=10, may_end_process=True)
    part.well()
    assert part.ready and not part.dead
    part.last_well -= 11
    part.last_heard -= 11
    assert not part.ready and not part.dead
    part.last_heard -= 11
    assert part.dead


def test_a_part_whose_broker_is_away_is_not_ready_but_alive() -> None:
    part = Component("consumer", patience_s=10, may_end_process=True)
    part.well()
    part.last_well -= 1000
    part.unwell("KafkaConnectionError")
    assert not part.ready and not part.dead
