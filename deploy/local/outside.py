"""A PostgreSQL and a Kafka that run elsewhere, prepared as the embedded ones are: the production path of `up`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from deploy.local.databases import address_of, provision
from deploy.local.migrations import migrate
from deploy.local.process import Records
from deploy.local.secrets import Secrets
from deploy.local.services import Backing
from deploy.local.state import State
from shared.kit import topics


class OutsideError(ValueError):
    """The settings for an outside PostgreSQL and Kafka are incomplete."""


@dataclass(frozen=True)
class Servers:
    """Where the servers are and who administers them."""

    postgres_admin_url: str
    kafka_bootstrap: str
    kafka_username: str = ""
    kafka_password: str = ""
    kafka_protocol: str = "SASL_SSL"
    kafka_ca_file: str = ""
    replication: int = 1

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> Servers | None:
        """None when the settings name no outside server.

        Raises:
            OutsideError: only one of the two is named, or a number is none.
        """
        postgres = settings.get("DACHUAN_POSTGRES_ADMIN_URL", "")
        kafka = settings.get("DACHUAN_KAFKA_BOOTSTRAP", "")
        if not postgres and not kafka:
            return None
        if not (postgres and kafka):
            missing = "DACHUAN_KAFKA_BOOTSTRAP" if postgres else "DACHUAN_POSTGRES_ADMIN_URL"
            raise OutsideError(f"{missing} is missing: name both servers, or neither to run them embedded")
        username = settings.get("DACHUAN_KAFKA_ADMIN_USERNAME", "")
        replication = settings.get("DACHUAN_KAFKA_REPLICATION", "1")
        if not replication.isdigit():
            raise OutsideError(f"DACHUAN_KAFKA_REPLICATION: {replication!r} is no number")
        return cls(
            postgres,
            kafka,
            username,
            settings.get("DACHUAN_KAFKA_ADMIN_PASSWORD", ""),
            settings.get("DACHUAN_KAFKA_SECURITY_PROTOCOL", "SASL_SSL" if username else "PLAINTEXT"),
            settings.get("DACHUAN_KAFKA_CA_FILE", ""),
            int(replication),
        )

    @property
    def kafka_admin(self) -> dict[str, str]:
        """librdkafka settings of the administrator."""
        made = {"bootstrap.servers": self.kafka_bootstrap, "security.protocol": self.kafka_protocol}
        if self.kafka_protocol.startswith("SASL"):
            made |= {
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.username": self.kafka_username,
                "sasl.password": self.kafka_password,
            }
        if self.kafka_ca_file:
            made["ssl.ca.location"] = self.kafka_ca_file
        return made

    @property
    def backing(self) -> Backing:
        """What the services are told."""
        kafka = {
            "DACHUAN_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "DACHUAN_KAFKA_SECURITY_PROTOCOL": self.kafka_protocol,
        }
        if self.kafka_ca_file:
            kafka["DACHUAN_KAFKA_CA_FILE"] = self.kafka_ca_file
        return Backing(address_of(self.postgres_admin_url), kafka)


class Outside:
    """The same interface as `Cluster`, over servers that are not ours to start or stop."""

    def __init__(
        self,
        state: State,
        servers: Servers,
        *,
        contract: Sequence[topics.Topic] | None = None,
        note: Callable[[str, float], None] = lambda phase, seconds: None,
    ) -> None:
        self.state, self.servers = state, servers
        self.contract = tuple(topics.load() if contract is None else contract)
        self._note = note
        state.prepare()
        self.secrets = Secrets(state.secrets)
        self.secrets.ensure()
        self.records = Records(state.run)

    @property
    def kafka_admin(self) -> dict[str, str]:
        return self.servers.kafka_admin

    @property
    def backing(self) -> Backing:
        return self.servers.backing

    def start(self) -> None:
        """Make roles, databases, topics, users and rights there, and migrate.

        Raises:
            asyncpg.PostgresError, OSError, TopicsError, MigrationError: with the reason.
        """
        begun = time.monotonic()
        asyncio.run(self._databases())
        self._note("databases", time.monotonic() - begun)
        users = self.secrets.kafka_users if self.servers.kafka_protocol.startswith("SASL") else None
        topics.apply(self.kafka_admin, self.contract, passwords=users, replication=self.servers.replication)
        self._note("topics", time.monotonic() - begun)

    async def _databases(self) -> None:
        logins = self.secrets.logins
        await provision(self.servers.postgres_admin_url, logins)
        await migrate(logins, self.backing.postgres_address)

    def revive(self) -> list[str]:
        """Nothing of ours to revive."""
        return []

    def stop(self) -> None:
        """Nothing of ours to stop."""
