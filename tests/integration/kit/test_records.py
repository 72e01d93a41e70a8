"""Group commit, idempotency and the audit chain, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from shared.kit import audit, clock, db, idempotency
from shared.kit.access import ANONYMOUS, service_caller
from shared.kit.committer import Committer
from shared.kit.problem import Conflict
from tests.instances import Databases
from tests.integration.kit.conftest import Lab
from tests.sealing import until_sealed


async def test_requests_together_share_a_commit_and_a_bad_one_fails_alone(lab: Lab) -> None:
    transactions: list[int] = []

    async def apply(conn: AsyncConnection, commands: Sequence[int], _now: datetime) -> list[int]:
        transactions.append(len(commands))
        for command in commands:
            await conn.execute(text("INSERT INTO inbox (consumer, event_id) VALUES ('t', :id)"), {"id": uuid4()})
            if command == 13:
                await conn.execute(text("SELECT 1/0"))
        return [command * 2 for command in commands]

    committer: Committer[int, int] = Committer(lab.engine, apply)
    worker = asyncio.create_task(committer.run())
    answers = await asyncio.gather(*(committer.submit(n) for n in range(40)), return_exceptions=True)
    assert await committer.submit(50) == 100, "one that comes later is applied as well"
    worker.cancel()
    assert [a for n, a in enumerate(answers) if n != 13] == [n * 2 for n in range(40) if n != 13]
    assert isinstance(answers[13], Exception)
    assert max(transactions) > 1
    async with db.begin(lab.engine) as conn:
        assert (await conn.execute(text("SELECT count(*) FROM inbox WHERE consumer = 't'"))).scalar() == 40


async def test_an_unreachable_database_is_told_apart_from_bad_input(lab: Lab) -> None:
    async def apply(conn: AsyncConnection, commands: Sequence[int], _now: datetime) -> list[int]:
        await conn.execute(text("SELECT 1"))
        return list(commands)

    away = create_async_engine("postgresql+asyncpg://nobody:x@127.0.0.1:1/none", connect_args={"timeout": 2})
    committer: Committer[int, int] = Committer(away, apply)
    worker = asyncio.create_task(committer.run())
    with pytest.raises(Exception) as caught:
        await committer.submit(1)
    worker.cancel()
    assert db.unavailable(caught.value)
    with pytest.raises(Exception) as bad:
        async with db.begin(lab.engine) as conn:
            await conn.execute(text("SELECT 1/0"))
    assert not db.unavailable(bad.value)
    await away.dispose()


async def test_a_key_counts_once_however_many_ask_at_the_same_time(lab: Lab) -> None:
    keys = lab.settings.keys
    claims = [idempotency.claim(keys, ANONYMOUS, "op", "the-key-itself", b"body", uuid4()) for _ in range(8)]
    other = idempotency.claim(keys, ANONYMOUS, "op", "the-key-itself", b"another body", uuid4())

    async def take(claim: idempotency.Claim) -> object:
        async with db.begin(lab.engine) as conn:
            return await idempotency.take(conn, lab.kit.idempotency, claim, clock.now())

    answers = await asyncio.gather(*(take(claim) for claim in claims))
    assert answers.count(None) == 1
    winner = claims[answers.index(None)].object_id
    assert {a for a in answers if a is not None} <= {winner}
    assert isinstance(await take(other), Conflict)


async def _audited(lab: Lab, count: int) -> None:
    for number in range(count):
        async with db.begin(lab.engine) as conn:
            await audit.record(
                conn, lab.kit, service_caller("lab"), "thing.change", "thing", [uuid4()], clock.now(), number=number
            )
    await until_sealed(lab.engine, lab.kit, lab.settings.keys, lab.name, count)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE audit SET action = 'nothing' WHERE seq = (SELECT min(seq) + 2 FROM audit)",
        "DELETE FROM audit WHERE seq = (SELECT min(seq) + 3 FROM audit)",
        "UPDATE audit SET actor = 'officer:other' WHERE seq = (SELECT max(seq) FROM audit)",
        "INSERT INTO audit (xid, at, actor, action, object_type, object_ids, facts) "
        "SELECT xid, at, actor, action, object_type, object_ids, facts FROM audit ORDER BY seq LIMIT 1",
        "DELETE FROM audit_seal WHERE number = 1",
        "UPDATE audit_seal SET count = count + 1 WHERE number = (SELECT max(number) FROM audit_seal)",
        "UPDATE audit_seal SET signature = decode(repeat('00', 64), 'hex') WHERE number = 1",
    ],
)
async def test_any_change_under_a_seal_is_found(lab: Lab, attack: str) -> None:
    await _audited(lab, 6)
    await _audited(lab, 5)
    async with db.begin(lab.engine) as conn:
        assert await audit.verify(conn, lab.kit, lab.settings.keys) == []
    async with db.begin(lab.engine) as conn:
        done = await conn.execute(text(attack))
        assert done.rowcount == 1
    async with db.begin(lab.engine) as conn:
        assert await audit.verify(conn, lab.kit, lab.settings.keys)


async def test_the_services_own_role_can_only_append(databases: Databases) -> None:
    """The audit log and the outbox cannot be changed by the service that writes them."""
    engine = create_async_engine(databases.app_url("intake"))
    for statement in (
        "UPDATE audit SET actor = 'x'",
        "DELETE FROM audit",
        "DELETE FROM outbox",
        "UPDATE outbox SET data = ''",
        "TRUNCATE audit_seal",
    ):
        with pytest.raises(Exception, match="permission denied"):
            async with engine.begin() as conn:
                await conn.execute(text(statement))
    async with engine.begin() as conn:
        await conn.execute(text("UPDATE outbox SET sent_at = now()"))
    await engine.dispose()
