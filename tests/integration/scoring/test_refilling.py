"""The quick way of a rebuild gives the ledger that the service gives, whatever the order, batches and repetition."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from deploy.local.cluster import Cluster
from services.scoring import commands
from services.scoring.commands.refilling import Message, Shard, shard_of
from services.scoring.consumers import handlers, in_turn, rebuilding
from shared.events import Event
from shared.events.findings import AppealDecided, FindingDecided
from shared.events.places import DenRecorded
from shared.kit import clock, db
from shared.kit.ids import new_id
from tests.instances import Databases
from tests.integration.scoring.conftest import Case, Score, case, event
from tests.integration.scoring.test_duties import Duty
from tests.integration.scoring.test_findings import Desk, Rescue

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
async def databases(cluster: Cluster) -> AsyncIterator[Databases]:
    """A database of the test's own: loading anew puts other tables in the place of its tables."""
    made = await Databases(cluster, f"t{uuid4().hex[:12]}").create("scoring")
    yield made
    await made.drop()


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


def merged(events: Sequence[Event[Any]], chance: random.Random) -> list[Event[Any]]:
    """What several partitions can give: the events of one key in their order, the keys in any; the end told twice."""
    queues: dict[str, list[Event[Any]]] = defaultdict(list)
    for one in events:
        queues[one.key].append(one)
    for queue in queues.values():
        queue += queue[chance.randrange(len(queue)) :]
    order = [key for key, queue in queues.items() for _ in queue]
    chance.shuffle(order)
    return [queues[key].pop(0) for key in order]


async def test_human_decisions_duties_and_what_they_rest_on_come_out_the_same_in_twenty_orders(
    score: Score, owner: AsyncEngine
) -> None:
    """Beyond 9: decisions are events. Findings confirmed and overturned, duties given back, dens: told one by one, and
    rebuilt from any batches and orders across partitions, they give the same ledger, bit by bit, and the same facts."""
    desk = Desk(score, score.app.state.findings)
    told: list[Event[Any]] = []
    for number in range(3):
        rescue = Rescue(clock.now() - timedelta(hours=3 + number))
        told += [rescue.opened, rescue.missed, rescue.nobody, rescue.recorded]
        finding, version = await desk.confirmed(rescue)
        await desk.tell(rescue.nobody, rescue.recorded)
        if number:
            appealed = await desk.act(f"{finding}/appeal", desk.police(), version)
            end = "overturn" if number == 1 else "uphold"
            decided = await desk.act(f"{finding}/appeal/{end}", desk.leader(), appealed.json()["version"])
            assert decided.status_code == 200, decided.text
    told += await outbox(score, FindingDecided, AppealDecided)
    assert len(told) == 3 * 4 + 5
    hour = timedelta(hours=1)
    owed: list[Event[Any]] = []
    for number in range(6):
        duty = Duty(("labour", "education", "police")[number % 3])
        owed += [duty.opened, duty.done(-9 * hour), duty.given_back(-8 * hour), duty.done(-7 * hour)]
        if number % 2:
            owed += [duty.given_back(-6 * hour), duty.missed(), duty.done(number * hour)]
    den_id, at = new_id(), clock.now()
    den = DenRecorded(
        den_id=den_id, case_id=new_id(), place_id=new_id(), kind="dwelling", plan="dayong", area="dayong-antang", registered_id=None,
        agency="police", unit=None, officers=3, people=9, again=False, found_at=at, recorded_at=at, dataref="x",
    )  # fmt: skip
    owed.append(event(den, at))
    async with db.begin(score.service.engine) as conn:
        apply = handlers(score.books, desk.basis, score.app.state.certificates)
        for one in owed:
            await apply[one.type](conn, [one], clock.now())
    told += owed
    kept = await score.rows("SELECT count(*) AS n FROM finding_facts")
    assert kept[0].n > 12 and len(await score.rows("SELECT 1 FROM evidence_facts WHERE type = :t", t=den.TYPE)) == 1
    decided = await score.rows("SELECT what FROM evidence_facts WHERE source = 'findings'")
    assert len(decided) == 5 and {row.what for row in decided} == {"confirmed", "dropped"}
    digests = set()
    async with owner.begin() as conn:
        await commands.prepare(conn)
        await commands.settle(conn)
    for seed in range(20):
        chance = random.Random(seed)
        order = merged(told, chance)
        async with owner.begin() as conn:
            await commands.inside(conn)
            await conn.execute(text("TRUNCATE ledger, obligations, outbox, finding_facts, evidence_facts"))
            while order:
                size = chance.choice((4, 30, 1000))
                batch, order = order[:size], order[size:]
                for kind, same in in_turn(batch):
                    await rebuilding(score.books)[kind](conn, same, clock.now())
        async with owner.begin() as conn:
            await commands.sum_up(conn, score.books)
        async with owner.begin() as conn:
            found = await commands.difference(conn)
        assert found.identical, (seed, found)
        digests.add(found.digest)
    assert len(digests) == 1 and found.entries > 6
    async with owner.begin() as conn:
        lost = await conn.execute(text("DELETE FROM evidence_facts"))
        more = await conn.execute(text("DELETE FROM finding_facts"))
        assert lost.rowcount > 5
        assert (await commands.difference(conn)).facts == lost.rowcount + more.rowcount
        await commands.adopt(conn, clock.now())
        assert (await commands.difference(conn)).facts == 0, "what was lost is back"
        await commands.discard(conn)


async def outbox(score: Score, *models: type[Any]) -> list[Event[Any]]:
    """What was told of these kinds, as a reader of the topic has it."""
    types = {model.TYPE: model for model in models}
    rows = await score.rows("SELECT * FROM outbox WHERE type = ANY(:types) ORDER BY seq", types=list(types))
    return [
        Event(row.id, row.type, "/dachuan/scoring", row.key, row.time, row.recordedat, row.traceparent,
              types[row.type].model_validate_json(bytes(row.data)))
        for row in rows
    ]  # fmt: skip


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
