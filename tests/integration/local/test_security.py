"""Between the parts: each service may reach what is its own, and is refused everything else."""

from __future__ import annotations

import asyncio
import json
import stat
import uuid
from pathlib import Path

import asyncpg
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from deploy.local.cluster import Cluster
from deploy.local.databases import plain
from deploy.local.ports import Ports
from deploy.local.postgres import Postgres
from deploy.local.state import SERVICES
from shared.kit import topics
from tests.instances import Databases


def _client(cluster: Cluster, service: str, **more: object) -> dict[str, object]:
    user = topics.principal(service)
    return {"log_level": 0, **cluster.kafka_client(user, cluster.secrets.kafka_users[service]), **more}


def _write(cluster: Cluster, service: str, topic: str) -> KafkaError | None:
    """What Kafka says to one record; None when it takes it."""
    said: list[KafkaError | None] = []
    producer = Producer(_client(cluster, service, **{"message.timeout.ms": 5000}))
    producer.produce(topic, b"x", key=b"k", on_delivery=lambda error, _message: said.append(error))
    producer.flush(10)
    assert said, f"no answer for {topic}"
    return said[0]


def _read(cluster: Cluster, service: str, topic: str, group: str) -> KafkaError | None:
    """What Kafka says to reading as a group; None when it gives a record.

    A group of its own within the service's, since the run's services read as the service's group at the same time.
    """
    group = f"{group}.{uuid.uuid4().hex[:8]}"
    consumer = Consumer(_client(cluster, service, **{"group.id": group, "auto.offset.reset": "earliest"}))
    try:
        consumer.subscribe([topic])
        for _ in range(100):
            message = consumer.poll(0.1)
            if message is not None:
                return message.error()
        raise AssertionError(f"neither a record nor a refusal from {topic}")
    finally:
        consumer.close()


def _refused(error: KafkaError | None) -> bool:
    return error is not None and error.code() in (
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    )


@pytest.mark.parametrize("topic", topics.load(), ids=lambda topic: topic.topic)
def test_only_producers_write_and_only_consumers_read(cluster: Cluster, topic: topics.Topic) -> None:
    assert _write(cluster, topic.producers[0], topic.topic) is None
    for service in SERVICES:
        if service not in topic.producers:
            assert _refused(_write(cluster, service, topic.topic)), f"{service} could write {topic.topic}"
        if service in topic.consumers:
            assert _read(cluster, service, topic.topic, service) is None
        else:
            assert _refused(_read(cluster, service, topic.topic, service)), f"{service} could read {topic.topic}"


def test_a_service_cannot_join_as_another(cluster: Cluster) -> None:
    assert _refused(_read(cluster, "notify", "casework.case.v1", "scoring"))


def test_dead_letters_are_their_consumers_own(cluster: Cluster) -> None:
    name = topics.dead_letter("casework.case.v1", "scoring")
    assert _write(cluster, "scoring", name) is None
    assert _refused(_write(cluster, "notify", name))
    assert _refused(_read(cluster, "casework", name, "casework"))


def test_services_may_not_administer_kafka(cluster: Cluster) -> None:
    from confluent_kafka.admin import NewTopic

    admin = AdminClient(_client(cluster, "intake"))
    with pytest.raises(KafkaException) as refused:
        admin.create_topics([NewTopic("intake.own.v1", 1, 1)])["intake.own.v1"].result(10)
    assert _refused(refused.value.args[0])


@pytest.mark.parametrize(
    "settings",
    [
        {"sasl.password": "wrong"},
        {"sasl.username": "dachuan-nobody"},
        {"sasl.username": "controller", "sasl.mechanism": "PLAIN"},
    ],
    ids=["wrong password", "unknown user", "the controller's way in"],
)
def test_kafka_admits_nobody_without_the_right_password(cluster: Cluster, settings: dict[str, str]) -> None:
    with pytest.raises(KafkaException):
        AdminClient({**_client(cluster, "intake"), **settings}).list_topics(timeout=2)


def test_the_controller_listener_takes_no_service(cluster: Cluster) -> None:
    where = f"127.0.0.1:{cluster.ports.controller}"
    for mechanism in ("SCRAM-SHA-512", "PLAIN"):
        admin = AdminClient({**_client(cluster, "intake"), "bootstrap.servers": where, "sasl.mechanism": mechanism})
        with pytest.raises(KafkaException):
            admin.list_topics(timeout=2)


async def test_no_role_connects_to_another_services_database(cluster: Cluster, databases: Databases) -> None:
    address = cluster.postgres_address
    for service, login in databases.logins.items():
        for other in SERVICES:
            foreign = databases.logins[other]
            for user, password in ((login.app, login.app_password), (login.owner, login.owner_password)):
                url = f"postgresql://{user}:{password}@{address}/{foreign.name}"
                if other == service:
                    await (await asyncpg.connect(url)).close()
                else:
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await asyncpg.connect(url)


async def test_the_application_role_changes_rows_but_not_the_schema(databases: Databases) -> None:
    for service in SERVICES:
        app = await asyncpg.connect(plain(databases.app_url(service)))
        try:
            for statement in ("CREATE TABLE own (a int)", "DROP TABLE alembic_version", "CREATE EXTENSION pg_trgm"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await app.execute(statement)
            assert not await app.fetchval(
                "SELECT bool_or(rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls) FROM pg_roles "
                "WHERE rolname LIKE 'dachuan%'"
            )
        finally:
            await app.close()


async def test_postgresql_asks_everyone_for_a_password(cluster: Cluster) -> None:
    for user in ("postgres", "dachuan_intake"):
        with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError)):
            await asyncpg.connect(f"postgresql://{user}:wrong@{cluster.postgres_address}/postgres")


async def test_postgresql_is_durable_and_knows_chinese(state_folder: Path) -> None:
    server = Postgres(state_folder / "data", log=state_folder / "log", port=Ports.free().postgres, password="p" * 40)
    server.start()
    try:
        admin = await asyncpg.connect(server.admin_url)
        for setting in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
            assert await admin.fetchval("SELECT setting FROM pg_settings WHERE name = $1", setting) == "on"
        assert await admin.fetchval("SELECT '传销' ~ '^\\w+$'")
        await admin.execute("CREATE EXTENSION pg_trgm")
        assert len(await admin.fetchval("SELECT show_trgm('传销窝点')")) == 5
        await admin.close()
    finally:
        server.stop()


def test_secrets_are_private_and_differ(cluster: Cluster) -> None:
    folder = cluster.state.secrets
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert path.name == "jwks.json" or stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert "d" not in json.loads(cluster.secrets.jwks_file.read_text())["keys"][0]
    passwords = list(cluster.secrets.passwords.values())
    assert len(set(passwords)) == len(passwords)
    assert stat.S_IMODE((cluster.state.kafka / "server.properties").stat().st_mode) == 0o600


def test_no_secret_stands_on_a_command_line(cluster: Cluster) -> None:
    secrets = [*cluster.secrets.passwords.values()]
    for identity in cluster.records.all():
        process = identity.process()
        assert process is not None
        line = " ".join(process.cmdline())
        assert not any(secret in line for secret in secrets)


async def test_postgresql_writes_no_content_to_its_log(cluster: Cluster, databases: Databases) -> None:
    owner = await asyncpg.connect(plain(databases.owner_url("intake")))
    marker = "十二个人住在三楼"
    try:
        await owner.execute("CREATE TABLE once (a text PRIMARY KEY)")
        await owner.execute("INSERT INTO once VALUES ($1)", marker)
        with pytest.raises(asyncpg.UniqueViolationError):
            await owner.execute("INSERT INTO once VALUES ($1)", marker)
        with pytest.raises(asyncpg.PostgresError):
            await owner.execute(f"SELECT '{marker}' FROM missing")
    finally:
        await owner.close()
    await asyncio.sleep(0.2)
    log = (cluster.state.logs / "postgres.log").read_text(encoding="utf-8", errors="replace")
    assert "duplicate key" in log
    assert marker not in log
