"""The quick way of a rebuild gives the ledger that the service gives, whatever the order, batches and repetition."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from services.scoring import commands
from services.scoring.commands.refilling import Message, Shard, shard_of
from shared.events import Event
from tests.instances import Databases
from tests.integration.scoring.conftest import Case, Score, case

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def told(count: int) -> tuple[list[Case], list[Event[Any]]]:
    """Cases with every way an obligation can end, on days of several months and of two plans."""
    chance = random.Random(5)
    cases, events = [], []
    for number in range(count):
        at = T0 + timedelta(hours=number * 7, microseconds=number)
        one = case(
            number=number, at=at, plan=("dayong", "dayong", "xiyuan")[number % 3], urgent=number % 5 == 0,
            area=(None, "dayong-antang", "dayong-nanwen")[number % 3] if number % 3 != 2 else None,
            parties=(("police", "economic_crime"), ("commerce", None)) if number % 3 != 2 else (("police", None),),
        )  # fmt: skip
        cases.append(one)
        if chance.random() < 0.9:
            events.append(one.opened)
        for fact in one.opened.data.deadlines:
            ending = chance.randrange(5)
            later = at + timedelta(hours=chance.randrange(400))
            if ending in (0, 3):
                events.append(one.missed(fact.agency, at=later))
            if ending in (1, 2, 3):
                events.append(one.accepted(fact.agency, in_time=ending == 1, at=later + timedelta(hours=1)))
    return cases, events


def message(event: Event[Any]) -> tuple[bytes, Message]:
    """An event as a record of Kafka has it."""
    return event.key.encode(), (
        event.type, str(event.id), event.recordedat.isoformat(), event.data.model_dump_json().encode()
    )  # fmt: skip


@pytest.fixture
async def owner(databases: Databases) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(databases.owner_url("scoring"))
    yield engine
    await engine.dispose()


async def refill(
    score: Score, owner: AsyncEngine, url: str, folder: Path, events: Sequence[Event[Any]], chance: random.Random
) -> tuple[commands.Difference, int]:
    """Load events into fresh tables by several shards in batches of any size, and compare with the ledger in use."""
    async with owner.begin() as conn:
        await commands.prepare(conn)
    count = chance.choice((1, 2, 3))
    shards = []
    for number in range(count):
        (folder / str(number)).mkdir(exist_ok=True)
        shards.append(Shard(score.books, folder / str(number), in_memory=chance.choice((1, 40, 10**6))))
    at = 0
    while at < len(events):
        batch = events[at : at + chance.choice((1, 7, 100))]
        at += len(batch)
        parts: dict[int, list[Message]] = {}
        for key, sent in map(message, batch):
            parts.setdefault(shard_of(key, count), []).append(sent)
        for number, sent in parts.items():
            shards[number].take(sent)
    unreadable = 0
    for shard in shards:
        loaded = await shard.load(url.replace("+asyncpg", ""))
        unreadable += loaded.unreadable
    async with owner.begin() as conn:
        await commands.settle(conn)
    async with owner.begin() as conn:
        await commands.sum_up(conn, score.books)
    async with owner.begin() as conn:
        found = await commands.difference(conn)
    async with owner.begin() as conn:
        await commands.discard(conn)
    return found, unreadable


async def test_twenty_orders_and_batchings_give_the_same_bits(
    score: Score, owner: AsyncEngine, databases: Databases, tmp_path: Path
) -> None:
    """Beyond 9: the ledger is a pure function of its events; repeated, late and shuffled ones change no bit."""
    _, events = told(120)
    for one in events:
        await score.tell(one)
    in_use = await score.rows("SELECT count(*) AS entries FROM ledger")
    digests = set()
    for seed in range(20):
        chance = random.Random(seed)
        order = [*events, *chance.sample(events, 40)]
        chance.shuffle(order)
        found, unreadable = await refill(score, owner, databases.owner_url("scoring"), tmp_path, order, chance)
        assert found.identical and not unreadable, found
        assert found.entries == in_use[0].entries > 100 and not found.missing and not found.differing
        digests.add(found.digest)
    assert len(digests) == 1


async def test_what_is_lost_or_changed_is_told(
    score: Score, owner: AsyncEngine, databases: Databases, tmp_path: Path
) -> None:
    _, events = told(30)
    for one in events:
        await score.tell(one)
    chance = random.Random(1)
    lost = next(n for n, one in enumerate(events) if one.type == "dachuan.case.accepted.v1")
    found, _ = await refill(
        score, owner, databases.owner_url("scoring"), tmp_path, events[:lost] + events[lost + 1 :], chance
    )
    assert not found.identical and found.differing >= 1 and found.standings


async def test_what_is_no_event_of_ours_is_left_out_and_counted(score: Score, tmp_path: Path) -> None:
    one = case(at=T0, plan="dayong")
    (_, good), (_, foreign) = message(one.accepted("police")), message(case(at=T0, plan="nowhere").accepted("police"))
    shard = Shard(score.books, tmp_path)
    shard.take(
        [
            good,
            foreign,
            (good[0], good[1], good[2], b"{}"),
            (good[0], good[1], good[2], b"not json"),
            (good[0], "no-id", good[2], good[3]),
            (good[0], good[1], "yesterday", good[3]),
        ]
    )
    assert (shard.events, shard.unreadable) == (1, 5)
