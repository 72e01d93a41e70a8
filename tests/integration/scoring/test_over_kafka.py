"""Scoring as a process over a real Kafka of its own: from casework's topics to the central office's mirror, and back
again by a rebuild."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from deploy.local.cluster import temporary
from deploy.local.databases import plain
from deploy.local.services import Spec
from shared.events import Event
from shared.kit import kafka
from shared.kit.settings import ServiceSettings
from tests.instances import Stack, make_folder, service_specs
from tests.integration.scoring.conftest import Case, case
from tests.patience import PATIENCE_S

MIRROR = Path(__file__).resolve().parents[3] / "examples" / "central_office" / "mirror.py"
OFFICE = "central-office"
TOPICS = ("scoring.ledger.v1", "scoring.feed.v1", "scoring.checkpoint.v1")


class Ground:
    """A cluster, the scoring service as a process when wanted, and a hand that writes casework's topics."""

    def __init__(self, folder: Path) -> None:
        self.cluster = temporary(folder, migrating=True)
        self.cluster.start()
        self.stack = Stack(self.cluster)
        self.folder = folder
        self.running: subprocess.Popen[bytes] | None = None
        self._make_office()

    @property
    def spec(self) -> Spec:
        return next(one for one in service_specs(self.cluster) if one.name == "scoring")

    def up(self) -> None:
        env = dict(self.spec.env) | {"DACHUAN_CHECKPOINT_S": "0.5"}
        self.running = subprocess.Popen(self.spec.command, env=env, stdout=subprocess.DEVNULL)

    def down(self) -> None:
        if self.running:
            self.running.terminate()
            self.running.wait(20)
            self.running = None

    def close(self) -> None:
        self.down()
        self.cluster.stop()

    def rebuild(self, *arguments: str, patience_s: float = 40) -> subprocess.CompletedProcess[str]:
        """The operator's command, with the owner's address."""
        env = dict(self.spec.env) | {
            "DACHUAN_OWNER_DATABASE_URL": self.cluster.secrets.logins["scoring"].owner_url(
                self.cluster.postgres_address
            ),
            "DACHUAN_REBUILD_JOIN_S": str(patience_s),
        }
        return subprocess.run(
            [*self.spec.command, "rebuild", *arguments], env=env, capture_output=True, text=True, timeout=150
        )

    def mirror(self, name: str = "mirror") -> list[dict[str, Any]]:
        """The standings of the central office's mirror."""
        return self.office(name)["standings"]

    @property
    def verifier(self) -> str:
        """The key that the town handed the office once, as its well-known address tells it."""
        from services.scoring.domain.notes import verifier_key
        from shared.kit.crypto import KeyRing

        keys = KeyRing.load(self.cluster.secrets.keys_file("scoring"), "scoring")
        return verifier_key(f"127.0.0.1:{self.spec.port}/ledger", keys.public_key("checkpoint"))

    def office(self, name: str = "mirror", *, status: int = 0) -> dict[str, Any]:
        """The central office's program, run to the present end; with nothing of this project on its path."""
        env = {
            "PATH": os.environ["PATH"], "KAFKA_BOOTSTRAP": self.cluster.kafka.bootstrap,
            "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_USERNAME": OFFICE, "KAFKA_PASSWORD": "a-test-password",
        }  # fmt: skip
        done = subprocess.run(
            [
                sys.executable, "-I", str(MIRROR), "--once", "--json", "--file", str(self.folder / name),
                "--key", self.verifier,
            ],
            env=env, capture_output=True, text=True, timeout=60, cwd=self.folder,
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout)

    async def publish(self, *events: Event[Any]) -> None:
        """Write events as casework's relay does, under casework's principal."""
        settings = ServiceSettings(
            service="casework",
            database_url="postgresql+asyncpg://nobody@127.0.0.1:1/none",
            kafka_bootstrap=self.cluster.kafka.bootstrap,
            kafka_password=self.cluster.secrets.kafka_users["casework"],
            jwks_file=self.cluster.secrets.jwks_file,
            keys_file=self.cluster.secrets.keys_file("casework"),
        )
        producer: AIOKafkaProducer = kafka.make_producer(settings)
        await producer.start()
        try:
            for one in events:
                row = SimpleNamespace(
                    id=one.id, type=one.type, time=one.time, recordedat=one.recordedat, key=one.key,
                    traceparent=one.traceparent, data=one.data.model_dump_json().encode(),
                )  # fmt: skip
                message = kafka.encode(row, "/dachuan/casework")
                await producer.send(
                    one.data.topic, message.value, key=one.key.encode(), headers=list(message.headers.items())
                )
            await producer.flush()
        finally:
            await producer.stop()

    async def sql(self, statement: str) -> list[Any]:
        """As the owner of the database, who can do anything to it."""
        owner = await asyncpg.connect(
            plain(self.cluster.secrets.logins["scoring"].owner_url(self.cluster.postgres_address))
        )
        try:
            return await owner.fetch(statement)
        finally:
            await owner.close()

    async def until(self, entries: int) -> None:
        """Wait for so many entries, all of them published."""
        await self.holds(f"SELECT (SELECT count(*) FROM ledger) >= {entries}")
        await self.holds("SELECT NOT EXISTS (SELECT FROM outbox WHERE sent_at IS NULL)")

    async def holds(self, condition: str) -> None:
        """Wait until a condition in SQL holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not (await self.sql(condition))[0][0]:
                await asyncio.sleep(0.1)

    async def league(self) -> dict[tuple[str, str], tuple[Any, ...]]:
        """The league table by HTTP, as the office sees it."""
        headers = self.stack.bearer(agency="commerce", posts=("office-director",))
        async with httpx.AsyncClient(base_url=self.spec.url, headers=headers) as client:
            items = (await client.get("/v1/standings")).json()["items"]
        return table(items)

    def _make_office(self) -> None:
        admin = AdminClient(self.cluster.kafka_admin)
        user = UserScramCredentialUpsertion(
            OFFICE, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), b"a-test-password"
        )
        for future in admin.alter_user_scram_credentials([user]).values():
            future.result(20)
        rights = [
            AclBinding(
                ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, f"User:{OFFICE}", "*", operation,
                AclPermissionType.ALLOW,
            )
            for topic in TOPICS
            for operation in (AclOperation.READ, AclOperation.DESCRIBE)
        ]  # fmt: skip
        rights.append(
            AclBinding(
                ResourceType.GROUP, OFFICE, ResourcePatternType.LITERAL, f"User:{OFFICE}", "*", AclOperation.READ,
                AclPermissionType.ALLOW,
            )
        )  # fmt: skip
        for future in admin.create_acls(rights).values():
            future.result(20)


def table(items: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[Any, ...]]:
    return {(i["agency"], i["unit"] or ""): (i["points"], i["entries"], i["in_time"], i["late"]) for i in items}


def play(count: int) -> tuple[list[Case], list[Event[Any]]]:
    """Cases of which every third goes late at commerce; one in five is urgent, and its opening takes the fast lane."""
    cases = [case(number=n, urgent=n % 5 == 0) for n in range(count)]
    events: list[Event[Any]] = [one.opened for one in cases]
    for n, one in enumerate(cases):
        events.append(one.accepted("police"))
        if n % 3 == 0:
            events += [one.missed("commerce"), one.accepted("commerce", in_time=False)]
    return cases, events


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    folder = make_folder()
    made = Ground(folder)
    yield made
    made.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def service(ground: Ground) -> Iterator[Callable[[], None]]:
    """Starts the service; the test's end stops it."""
    yield ground.up
    ground.down()


async def test_the_central_office_mirrors_the_league_table__d_c1(ground: Ground, service: Callable[[], None]) -> None:
    """D-C1: a program that knows only the published contract ends with the same table, also after time away."""
    service()
    _, events = play(30)
    await ground.publish(*events)
    await ground.until(60)
    rows = await asyncio.to_thread(ground.mirror)
    assert {row["check"] for row in rows} == {"ok"}
    assert table(rows) == await ground.league()
    _, more = play(9)
    await ground.publish(*more, *events[:20])
    await ground.until(78)
    rows = await asyncio.to_thread(ground.mirror)
    assert {row["check"] for row in rows} == {"ok"}, "what was sent twice is not counted twice"
    assert table(rows) == await ground.league() == table(await asyncio.to_thread(ground.mirror, "fresh"))
    # both lanes are read: the urgent cases' opening came by the other topic
    await ground.holds(
        "SELECT count(*) = 78 AND count(*) FILTER (WHERE opened_recordedat IS NULL) = 0 FROM obligations"
    )


async def test_a_rebuild_from_the_topics_is_bit_identical(ground: Ground) -> None:
    same = await asyncio.to_thread(ground.rebuild, "--check")
    assert same.returncode == 0, same.stdout + same.stderr
    first, second = (line.split()[-1] for line in same.stdout.splitlines()[-2:])
    assert first == second and "unreadable 0" in same.stdout


async def test_a_rebuild_finds_what_was_changed_and_restores_what_was_lost(
    ground: Ground, service: Callable[[], None]
) -> None:
    before = await ground.sql("SELECT * FROM ledger ORDER BY recorded_at, entry_id")
    standings = await ground.sql("SELECT points, entries, in_time, late FROM standings ORDER BY agency")
    await ground.sql("DELETE FROM ledger WHERE seq % 4 = 0")
    await ground.sql("DELETE FROM obligations")
    assert (await asyncio.to_thread(ground.rebuild, "--check")).returncode == 1
    done = await asyncio.to_thread(ground.rebuild)
    assert done.returncode == 0, done.stdout + done.stderr
    after = await ground.sql("SELECT * FROM ledger ORDER BY recorded_at, entry_id")
    assert [tuple(row)[1:] for row in after] == [tuple(row)[1:] for row in before]
    kept = {row["entry_id"]: row["seq"] for row in before if row["seq"] % 4}
    assert all(row["seq"] == kept.get(row["entry_id"], row["seq"]) for row in after), "cursors of readers still hold"
    assert await ground.sql("SELECT points, entries, in_time, late FROM standings ORDER BY agency") == standings

    await ground.sql("UPDATE ledger SET points = 100 WHERE entry_id = (SELECT entry_id FROM ledger LIMIT 1)")
    refused = await asyncio.to_thread(ground.rebuild)
    assert refused.returncode == 2 and "--replace" in refused.stderr
    assert (await asyncio.to_thread(ground.rebuild, "--replace")).returncode == 0
    assert await ground.sql("SELECT points, entries, in_time, late FROM standings ORDER BY agency") == standings

    service()
    _, more = play(3)
    await ground.publish(*more)
    await ground.until(len(before) + 6)
    rows = await asyncio.to_thread(ground.mirror)
    assert {row["check"] for row in rows} == {"ok"}, "the mirror took the restored entries without a double"
    assert table(rows) == await ground.league()
    refused = await asyncio.to_thread(ground.rebuild, patience_s=6)
    assert refused.returncode == 2 and "stop it first" in refused.stderr, "an instance has the partitions"


async def test_the_office_may_read_its_topics_and_no_other(ground: Ground) -> None:
    settings = ground.cluster.kafka_client(OFFICE, "a-test-password") | {"group.id": "x", "log_level": 0}
    reader = Consumer(settings)
    seen = reader.list_topics(timeout=10).topics
    assert {name for name, topic in seen.items() if topic.error is None} == set(TOPICS)
    reader.close()


async def test_the_office_checks_every_entry_under_signed_checkpoints__beyond_9(
    ground: Ground, service: Callable[[], None]
) -> None:
    """Beyond 9: the mirror hashes what it was told and compares with what was signed; a slipped-in entry is found."""
    service()
    _, more = play(8)
    await ground.publish(*more)
    entries = (await ground.sql("SELECT count(*) AS n FROM ledger"))[0]["n"] + 14
    await ground.until(entries)
    await ground.holds("SELECT (SELECT max(seq) FROM checkpoints) = (SELECT max(seq) FROM ledger)")
    await ground.holds("SELECT NOT EXISTS (SELECT FROM outbox WHERE sent_at IS NULL)")
    for name in ("mirror", "quite-fresh"):
        covered = (await asyncio.to_thread(ground.office, name))["checkpoints"]
        assert covered["signatures"] == "checked" and covered["wrong"] == [] and covered["waiting"] == 0
        assert covered["verified"] >= 1
        # what a rebuild took back under other numbers is not told again to who has it
        assert covered["entries"] == (await ground.sql("SELECT max(size) AS n FROM checkpoints"))[0]["n"]
    settings = ground.cluster.kafka_client("dachuan-scoring", ground.cluster.secrets.kafka_users["scoring"])
    forger = Producer(settings | {"log_level": 0})
    example = json.loads((MIRROR.parents[2] / "shared/contracts/examples/ledger.entry.v1.json").read_text())
    example["data"]["seq"] = 3
    forger.produce(
        "scoring.ledger.v1", json.dumps(example["data"]).encode(), key=b"forged",
        headers=[(name, value.encode()) for name, value in example["headers"].items()],
    )  # fmt: skip
    forger.flush(20)
    _, more = play(2)
    await ground.publish(*more)
    await ground.until(entries + 4)
    await ground.holds("SELECT (SELECT max(seq) FROM checkpoints) = (SELECT max(seq) FROM ledger)")
    await ground.holds("SELECT NOT EXISTS (SELECT FROM outbox WHERE sent_at IS NULL)")
    found = await asyncio.to_thread(ground.office, "mirror", status=1)
    assert found["checkpoints"]["wrong"]
    assert {one["state"] for one in found["checkpoints"]["wrong"]} == {"WRONG: other entries"}
