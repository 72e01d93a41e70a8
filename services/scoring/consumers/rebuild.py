"""Scoring rebuilt from its topics, from the first event on, into fresh tables beside those in use.

The rebuild joins the service's own consumer groups, so it has all partitions only while no instance consumes; it ends by
setting the groups' offsets to where it has read, and the service goes on from there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from services.scoring import commands
from services.scoring.commands.refilling import QUICK, Message
from services.scoring.commands.rulebooks.shelf import refresh
from services.scoring.consumers import REBUILT, in_turn, rebuilding
from services.scoring.consumers.shards import Shards
from services.scoring.settings import Settings
from shared.events import Event
from shared.events.casework import CaseOpened
from shared.kit import clock, db, kafka

BATCH = 5000
"""Events in one transaction of a rebuild."""


class RebuildRefused(RuntimeError):
    """The rebuild cannot run now; the message says why and what to do. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a rebuild read and found."""

    events: int
    unreadable: int
    seconds: float
    difference: commands.Difference
    added: int

    @property
    def events_per_second(self) -> float:
        return self.events / self.seconds if self.seconds else 0.0


async def rebuild(settings: Settings, books: commands.Books, *, check: bool = False, replace: bool = False) -> Report:
    """Read the topics into fresh tables, compare, and (unless `check`) take over what is missing.

    Raises `RebuildRefused` without the owner's address, while the service runs, or when entries in use differ from the
    rebuilt ones and `replace` was not asked for.
    """
    if not settings.owner_database_url:
        raise RebuildRefused(
            "缺少 DACHUAN_OWNER_DATABASE_URL：重建要用数据库属主。 "
            "DACHUAN_OWNER_DATABASE_URL is missing: a rebuild needs the owner role."
        )
    engine = db.make_engine(settings.model_copy(update={"database_url": settings.owner_database_url}))
    async with db.begin(engine) as conn:
        await refresh(conn, books)
    await engine.dispose()
    # forked before anything is connected: they have the rulebooks, and nothing that is shared with us
    shards = Shards(books, settings.owner_database_url, settings.rebuild_shards)
    readers = {lane: _reader(settings, lane, alone=not check) for lane in REBUILT}
    try:
        for lane, reader in readers.items():
            if not check:
                reader.subscribe(REBUILT[lane])
            await asyncio.wait_for(reader.start(), 30)
        await asyncio.gather(
            *(
                _everything(readers[lane], REBUILT[lane])
                if check
                else _all_partitions(readers[lane], REBUILT[lane], settings.rebuild_join_s)
                for lane in REBUILT
            )
        )
        async with db.begin(engine) as conn:
            await commands.prepare(conn)
        started = time.perf_counter()
        events = unreadable = 0
        for lane, reader in readers.items():
            read, bad = await _read(engine, reader, books, REBUILT[lane], shards if lane != "matters" else None)
            if lane == "urgent":
                # what follows goes the usual way, over what was loaded
                loaded = await shards.load()
                read, bad = read + sum(one.events for one in loaded), bad + sum(one.unreadable for one in loaded)
                async with db.begin(engine) as conn:
                    await commands.settle(conn)
            events, unreadable = events + read, unreadable + bad
        async with db.begin(engine) as conn:
            await commands.sum_up(conn, books)
        seconds = time.perf_counter() - started
        async with db.begin(engine) as conn:
            found = await commands.difference(conn)
            added = 0
            if not check:
                if found.differing and not replace:
                    raise RebuildRefused(
                        f"现用台账有 {found.differing} 条与重建结果不符；核实原因后加 --replace 再执行。 "
                        f"{found.differing} entries in use differ from the rebuilt ones; find out why, then --replace."
                    )
                added = await commands.adopt(conn, clock.now(), replace=replace)
        if not check:
            for reader in readers.values():
                await reader.commit()
        async with db.begin(engine) as conn:
            await commands.discard(conn)
        return Report(events, unreadable, seconds, found, added)
    finally:
        shards.end()
        for reader in readers.values():
            await asyncio.wait_for(reader.stop(), 10)
        await engine.dispose()


def _reader(settings: Settings, lane: str, *, alone: bool) -> AIOKafkaConsumer:
    """A reader in the service's own group; one that only compares may read beside the service, in a group of its own."""
    group = settings.service if lane == "normal" else f"{settings.service}.{lane}"
    return kafka.make_consumer(settings, (), group if alone else f"{settings.service}.rebuild-check")


async def _everything(reader: AIOKafkaConsumer, topics: Sequence[str]) -> None:
    """Read the topics from their beginning, whoever else does."""
    found = [TopicPartition(topic, number) for topic in topics for number in await _numbers(reader, topic)]
    reader.assign(found)
    await reader.seek_to_beginning(*found)


async def _numbers(reader: AIOKafkaConsumer, topic: str) -> set[int]:
    await reader._client.add_topic(topic)
    for _ in range(50):
        if found := reader.partitions_for_topic(topic):
            return found
        await asyncio.sleep(0.2)
    raise RebuildRefused(f"没有主题 {topic}。 There is no topic {topic}.")


async def _all_partitions(reader: AIOKafkaConsumer, topics: Sequence[str], patience_s: float) -> None:
    """Wait until this reader alone has the topics, and go to their beginning."""
    deadline = time.monotonic() + patience_s
    while True:
        there = [reader.partitions_for_topic(topic) for topic in topics]
        if all(there) and len(reader.assignment()) == sum(len(one) for one in there):
            break
        if time.monotonic() > deadline:
            raise RebuildRefused(
                f"记分服务仍在读取 {', '.join(topics)}；先停止它再重建。 "
                f"The service still consumes {', '.join(topics)}; stop it first."
            )
        await asyncio.sleep(0.2)
    await reader.seek_to_beginning()


async def _read(
    engine: AsyncEngine, reader: AIOKafkaConsumer, books: commands.Books, topics: Sequence[str], shards: Shards | None
) -> tuple[int, int]:
    """Read all events up to the present end: into the shards, or applied as the service does.

    Returns how many were applied here, and how many could not be (no event, or no plan of ours).
    """
    partitions = reader.assignment()
    ends = await reader.end_offsets(partitions)
    begun = await reader.beginning_offsets(partitions)
    left = {tp for tp in partitions if ends[tp] > begun[tp]}
    apply = rebuilding(books)
    events = unreadable = 0
    while left:
        if reader.assignment() != partitions:
            raise RebuildRefused(
                f"重建时有实例开始读取 {', '.join(topics)}；停止它后重来。 "
                f"An instance began to consume {', '.join(topics)}; stop it and repeat."
            )
        fetched = await reader.getmany(*left, timeout_ms=1000, max_records=BATCH)
        usual: list[Event[Any]] = []
        for tp, records in fetched.items():
            for record in records:
                if shards is not None and (quick := _quick(record)) is not None:
                    shards.put(record.key, quick)
                    continue
                if _of_no_use(record, apply):
                    continue
                try:
                    event = kafka.decode(record)
                except kafka.UndecodableError:
                    unreadable += 1
                    continue
                if event is None or event.type not in apply:
                    continue
                if event.type != CaseOpened.TYPE and event.data.plan not in books:
                    unreadable += 1
                elif shards is not None and event.type in QUICK:
                    # readable, but not written as we write: no shard has it
                    unreadable += 1
                else:
                    usual.append(event)
                    events += 1
            if records and records[-1].offset + 1 >= ends[tp]:
                left.discard(tp)
        if shards is not None:
            await shards.send()
        if usual:
            async with db.begin(engine) as conn:
                await commands.inside(conn)
                now = clock.now()
                for event_type, same in in_turn(usual):
                    await apply[event_type](conn, same, now)
    return events, unreadable


def _of_no_use(record: Any, apply: Mapping[str, Any]) -> bool:
    """Whether a record tells its type, and nothing is done with it: reading the rest would cost more than all else."""
    type_ = next((value for name, value in record.headers if name == "ce_type"), None)
    return type_ is not None and type_.decode(errors="replace") not in apply


def _quick(record: Any) -> Message | None:
    """What a shard needs of a record; None where it is not for them, or not as we write it."""
    headers = dict(record.headers)
    try:
        type_ = headers["ce_type"].decode()
        if type_ in QUICK and headers["ce_specversion"] == b"1.0" and headers["ce_source"] and headers["ce_time"]:
            return type_, headers["ce_id"].decode(), headers["ce_recordedat"].decode(), record.value
    except (KeyError, UnicodeDecodeError, AttributeError):
        return None
    return None
