"""The running (or last) local instance: where it is and how to reach its parts, for every other command."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import IO, Any, Literal

from deploy.local.kafka import ADMIN as KAFKA_ADMIN
from deploy.local.outside import Servers
from deploy.local.process import Identity, Records
from deploy.local.secrets import Secrets
from deploy.local.services import Backing
from deploy.local.state import SERVICES, State, write_private

Phase = Literal["starting", "ready", "stopping", "failed", "stopped"]


class NotRunningError(RuntimeError):
    """No local instance is ready; start one with `./dachuan up`."""


@dataclass
class Instance:
    """What `up` writes down about itself (`run/instance.json`, private)."""

    state: State
    ports: dict[str, int]
    supervisor: Identity
    phase: Phase = "starting"
    postgres_port: int | None = None
    kafka_port: int | None = None
    servers: Servers | None = None
    trouble: str = ""
    phases: dict[str, float] = field(default_factory=dict)
    greeted: bool = False
    """Whether `up` has said everything it has to say."""

    @classmethod
    def read(cls, state: State | None = None) -> Instance | None:
        """The instance of a state folder, running or not; None if there has been none."""
        state = state or State.default()
        try:
            raw: dict[str, Any] = json.loads((state.run / "instance.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        raw["supervisor"] = Identity(**raw["supervisor"])
        raw["servers"] = Servers(**raw["servers"]) if raw["servers"] else None
        made = cls(state, **raw)
        if made.phase in ("starting", "ready", "stopping") and not made.alive:
            made.phase, made.trouble = "failed", "the supervisor was ended from outside"
        return made

    @classmethod
    def running(cls, state: State | None = None) -> Instance:
        """The instance that is ready now. Where none was started but the settings name outside servers (in
        containers), one without ports: enough for the commands that work on databases and topics.

        Raises:
            NotRunningError: there is none.
        """
        made = cls.read(state)
        if made is None and (servers := Servers.from_settings(os.environ)):
            me = Identity.of("administration", os.getpid())
            return cls(state or State.default(), {}, me, "ready", servers=servers)
        if made is None or made.phase != "ready":
            raise NotRunningError("no instance is running here; start one with ./dachuan up")
        return made

    def write(self, phase: Phase | None = None, trouble: str = "") -> None:
        """Save, with a new phase if given."""
        self.phase, self.trouble = phase or self.phase, trouble
        raw = {
            "ports": self.ports,
            "supervisor": asdict(self.supervisor),
            "phase": self.phase,
            "postgres_port": self.postgres_port,
            "kafka_port": self.kafka_port,
            "servers": asdict(self.servers) if self.servers else None,
            "trouble": self.trouble,
            "phases": self.phases,
            "greeted": self.greeted,
        }
        write_private(self.state.run / "instance.json", json.dumps(raw, indent=1))

    @property
    def alive(self) -> bool:
        return self.supervisor.process() is not None

    @property
    def address(self) -> str:
        """The one address: notify's home page."""
        return self.url("notify")

    def url(self, service: str) -> str:
        """Base address of a service."""
        return f"http://127.0.0.1:{self.ports[service]}"

    @property
    def secrets(self) -> Secrets:
        return Secrets(self.state.secrets)

    @property
    def records(self) -> Records:
        return Records(self.state.run)

    @property
    def backing(self) -> Backing:
        """PostgreSQL's host:port and the Kafka settings that services share."""
        if self.servers:
            return self.servers.backing
        kafka = {
            "DACHUAN_KAFKA_BOOTSTRAP": f"127.0.0.1:{self.kafka_port}",
            "DACHUAN_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        }
        return Backing(f"127.0.0.1:{self.postgres_port}", kafka)

    @property
    def kafka_admin(self) -> dict[str, str]:
        """librdkafka settings of Kafka's administrator."""
        if self.servers:
            return self.servers.kafka_admin
        return {
            "bootstrap.servers": f"127.0.0.1:{self.kafka_port}",
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": KAFKA_ADMIN,
            "sasl.password": self.secrets.passwords["kafka-admin"],
        }

    def database_url(self, service: str) -> str:
        """SQLAlchemy address of a service's database, in its application role."""
        return self.secrets.logins[service].app_url(self.backing.postgres_address)


@contextmanager
def only_one(state: State) -> Iterator[IO[str] | None]:
    """Hold the state folder's lock; yields None when another `up` holds it. The kernel frees it with its holder."""
    state.prepare()
    descriptor = os.open(state.run / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield file


def known_services() -> tuple[str, ...]:
    """Names that `logs` takes."""
    return (*SERVICES, "postgres", "kafka", "up")
