"""An embedded PostgreSQL and Kafka together: made, secured and started in parallel, stopped in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from deploy.local import archive
from deploy.local.databases import provision
from deploy.local.kafka import ADMIN as KAFKA_ADMIN
from deploy.local.kafka import Kafka
from deploy.local.migrations import migrate
from deploy.local.ports import Ports
from deploy.local.postgres import Postgres
from deploy.local.process import Records
from deploy.local.secrets import Secrets
from deploy.local.services import Backing
from deploy.local.state import State
from shared.kit import topics


class Cluster:
    """PostgreSQL and Kafka of one state folder.

    `start` returns when both take clients, every service has its roles and database, and the topics, users and
    rights of the contract exist. It must be called from a thread that lives as long as the servers should: the
    kernel ends them with it.

    Args:
        state: the folder. ports: where to listen.
        contract: topics to make; default the committed contract.
        note: called with a phase's name and the seconds since the start, when it is over.
        migrating: also bring the services' databases to their newest version.
    """

    def __init__(
        self,
        state: State,
        ports: Ports,
        *,
        contract: Sequence[topics.Topic] | None = None,
        note: Callable[[str, float], None] = lambda phase, seconds: None,
        migrating: bool = True,
        postgres_settings: Mapping[str, str] | None = None,
    ) -> None:
        self.migrating = migrating
        self.state, self.ports = state, ports
        self.contract = tuple(topics.load() if contract is None else contract)
        self._note = note
        state.prepare()
        self.secrets = Secrets(state.secrets)
        self.secrets.ensure()
        self.records = Records(state.run)
        passwords = self.secrets.passwords
        self.postgres = Postgres(
            state.postgres,
            log=state.logs / "postgres.log",
            port=ports.postgres,
            password=passwords["postgres-admin"],
            settings=postgres_settings,
        )
        self.kafka = Kafka(
            state.kafka,
            repository=state.jars,
            log=state.logs / "kafka.log",
            port=ports.kafka,
            controller_port=ports.controller,
            admin_password=passwords["kafka-admin"],
            controller_password=passwords["kafka-controller"],
        )

    @property
    def backing(self) -> Backing:
        """What the services are told."""
        return Backing(
            self.postgres_address,
            {"DACHUAN_KAFKA_BOOTSTRAP": self.kafka.bootstrap, "DACHUAN_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"},
        )

    @property
    def postgres_address(self) -> str:
        return f"127.0.0.1:{self.ports.postgres}"

    def kafka_client(self, user: str, password: str) -> dict[str, str]:
        """librdkafka settings for one principal."""
        return {
            "bootstrap.servers": self.kafka.bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": password,
        }

    @property
    def kafka_admin(self) -> dict[str, str]:
        """librdkafka settings of the administrator."""
        return self.kafka_client(KAFKA_ADMIN, self.secrets.passwords["kafka-admin"])

    def start(self) -> None:
        """Start both, in parallel; on any failure stop what had started.

        Raises:
            PostgresError, KafkaError, JarError, TopicsError: with the reason.
        """
        begun = time.monotonic()
        try:
            with ThreadPoolExecutor(2) as pool:
                broker = pool.submit(self._prepare_kafka)
                self.postgres.prepare()
                self.records.add(self.postgres.spawn())
                database = pool.submit(self._finish_postgres, begun)
                broker.result()
                self.records.add(self.kafka.spawn())
                pool.submit(self._finish_kafka, begun).result()
                database.result()
        except BaseException:
            self.stop()
            raise

    def revive(self) -> list[str]:
        """Start again, without waiting, what has ended by itself since. Names of those started."""
        revived = []
        for server, name in ((self.postgres, "postgres"), (self.kafka, "kafka")):
            if server.poll() is not None:
                self.records.add(server.spawn())
                revived.append(name)
        return revived

    def stop(self) -> None:
        """Kafka first, then PostgreSQL."""
        for server, name in ((self.kafka, "kafka"), (self.postgres, "postgres")):
            with suppress(ProcessLookupError):
                server.stop()
            self.records.remove(name)

    def _prepare_kafka(self) -> None:
        self.kafka.prepare()
        started = archive.options(self.state.jars)
        self.kafka.options = tuple(started)

    def _finish_postgres(self, begun: float) -> None:
        self.postgres.wait_ready()
        self._note("postgresql", time.monotonic() - begun)
        asyncio.run(provision(self.postgres.admin_url, self.secrets.logins))
        self._note("databases", time.monotonic() - begun)
        if self.migrating:
            asyncio.run(migrate(self.secrets.logins, self.postgres_address))
            self._note("migrations", time.monotonic() - begun)

    def _finish_kafka(self, begun: float) -> None:
        self.kafka.wait_ready()
        self._note("kafka", time.monotonic() - begun)
        users = self.secrets.kafka_users
        # Beside the data, so that wiping the broker's data wipes the mark with it.
        mark = self.kafka.data / "dachuan-contract"
        fingerprint = topics.digest(self.contract, *sorted(users.values()))
        if not mark.exists() or mark.read_text() != fingerprint:
            topics.apply(self.kafka_admin, self.contract, passwords=users)
            mark.write_text(fingerprint)
        self._note("topics", time.monotonic() - begun)


def temporary(folder: Path, *, contract: Sequence[topics.Topic] | None = None, migrating: bool = False) -> Cluster:
    """A cluster on free ports in `folder` (for tests and trials; DACHUAN_JARS spares fetching the jars again)."""
    return Cluster(State(folder), Ports.free(), contract=contract, migrating=migrating)
