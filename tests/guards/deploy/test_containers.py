"""The way of the containers, without an engine: the same commands, entry point and mounted secrets, in the same order,
over a PostgreSQL and the Kafka that deploy/kafka/start.sh starts."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.image import secrets
from deploy.local.jars import class_path
from deploy.local.kafka import answers, java
from deploy.local.postgres import Postgres
from deploy.local.process import finish, spawn
from deploy.local.state import State
from tests.guards.deploy import DEPLOY, ROOT, SERVICES
from tests.instances import make_folder, wait_for

ENTRYPOINT = str(DEPLOY / "image" / "entrypoint.sh")


def free_port() -> int:
    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        return link.getsockname()[1]


@dataclass
class House:
    """The folder of secrets and what containers would be given."""

    folder: Path
    kafka: str
    log: Path

    def mount(self, name: str, files: dict[str, str]) -> dict[str, str]:
        """Secrets as a container sees them: file name there → secret; the environment that points to them."""
        place = self.folder / "mounts" / name
        for target, source in files.items():
            (place / target).parent.mkdir(parents=True, exist_ok=True)
            (place / target).write_bytes((self.folder / "secrets" / source).read_bytes())
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DACHUAN_SECRETS_DIR": str(place),
            "DACHUAN_KAFKA_BOOTSTRAP": self.kafka,
            "DACHUAN_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        }

    def admin(self, *command: str) -> str:
        """Run a command as compose's `init` does."""
        environment = self.mount(
            "admin",
            {
                "DACHUAN_POSTGRES_ADMIN_URL": "postgres_admin_url",
                "DACHUAN_KAFKA_ADMIN_PASSWORD": "kafka_admin_password",
                "home/secrets/passwords.json": "passwords",
            },
        )
        environment |= {
            "DACHUAN_KAFKA_ADMIN_USERNAME": "dachuan-admin",
            "DACHUAN_HOME": str(self.folder / "mounts/admin/home"),
        }
        return self.run(environment, *command)

    def run(self, environment: dict[str, str], *command: str) -> str:
        done = subprocess.run(
            [ENTRYPOINT, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture
def house() -> Iterator[House]:
    """PostgreSQL and Kafka with the secrets that `python -m deploy.image.secrets` makes, and nothing in them yet."""
    folder = make_folder()
    port, controller, postgres_port = free_port(), free_port(), free_port()
    secrets.write(folder / "secrets", f"127.0.0.1:{postgres_port}")
    config = folder / "kafka"
    config.mkdir()
    text = (DEPLOY / "kafka" / "server.properties").read_text()
    for old, new in (
        ("CLIENT://:9092", f"CLIENT://127.0.0.1:{port}"),
        ("CLIENT://kafka:9092", f"CLIENT://127.0.0.1:{port}"),
        ("localhost:9093", f"127.0.0.1:{controller}"),
        ("/run/secrets", str(folder / "secrets")),
        ("/var/lib/kafka/data", str(folder / "kafka-data")),
    ):
        assert old in text
        text = text.replace(old, new)
    (config / "server.properties").write_text(text)
    shutil.copy(DEPLOY / "kafka" / "log4j2.properties", config)
    log = folder / "kafka.log"
    postgres = Postgres(
        folder / "postgres",
        log=folder / "postgres.log",
        port=postgres_port,
        password=(folder / "secrets/postgres_password").read_text(),
    )
    broker = spawn(
        ["sh", DEPLOY / "kafka" / "start.sh"],
        log=log,
        cwd=folder,
        env={
            "PATH": f"{java().parent}:/usr/bin:/bin",
            # Half the processor time of a start that is over soon.
            "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1",
            "KAFKA_LIBS": ":".join(str(jar) for jar in class_path(State.default().jars)),
            "KAFKA_CONFIG": str(config),
            "KAFKA_SECRETS": str(folder / "secrets"),
        },
    )
    try:
        postgres.start()
        assert wait_for(lambda: answers(port) or broker.poll() is not None, timeout=60)
        assert broker.poll() is None, log.read_text()
        yield House(folder, f"127.0.0.1:{port}", log)
    finally:
        broker.kill()
        finish(broker)
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def environment_of(name: str, port: int, house: House) -> dict[str, str]:
    """What compose gives a service."""
    files = {
        "DACHUAN_DATABASE_URL": f"{name}_database_url",
        "DACHUAN_KAFKA_PASSWORD": f"{name}_kafka_password",
        "DACHUAN_KEYS_FILE": f"{name}_keys",
        "DACHUAN_JWKS_FILE": "jwks",
    }
    if name == "notify":
        files["DACHUAN_TOKEN_KEY_FILE"] = "token_key"
    host = "https://dachuan.example.invalid"
    return house.mount(name, files) | {
        "DACHUAN_LISTEN_PORT": str(port),
        "DACHUAN_KAFKA_USERNAME": f"dachuan-{name}",
        "DACHUAN_ROOT_PATH": "" if name == "notify" else f"/{name}",
        **{f"DACHUAN_{n.upper()}_URL": host if n == "notify" else f"{host}/{n}" for n in SERVICES},
    }


def healthy(environment: dict[str, str], which: str) -> bool:
    check = [sys.executable, "-IS", DEPLOY / "image" / "healthcheck.py", which]
    return subprocess.run(check, env=environment, capture_output=True, timeout=20).returncode == 0


def get(port: str, path: str) -> bytes:
    """What a service answers with 200; empty while it does not."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.read()
    except OSError:
        return b""


def test_from_nothing_to_four_ready_services(house: House, need: Callable[[str, str], str]) -> None:
    promtool = need("promtool", "checks metrics (Debian package prometheus)")

    first = house.admin("python", "-m", "deploy.image.provision")
    assert "databases made: dachuan_notify, dachuan_intake, dachuan_casework, dachuan_scoring" in first

    def migrate(name: str) -> None:
        owner = house.mount(f"{name}-owner", {"DACHUAN_OWNER_DATABASE_URL": f"{name}_owner_database_url"})
        house.run(owner, "python", "-m", "shared.kit.migrate", name)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, SERVICES))

    started: dict[str, tuple[dict[str, str], Path, subprocess.Popen[bytes]]] = {}
    for name in SERVICES:
        environment, log = environment_of(name, free_port(), house), house.folder / f"{name}.log"
        command = [ENTRYPOINT, "python", "-m", f"services.{name}.main"]
        started[name] = (environment, log, spawn(command, log=log, env=environment, cwd=ROOT))
    try:
        for environment, log, running in started.values():
            port = environment["DACHUAN_LISTEN_PORT"]
            ready = wait_for(lambda r=running, p=port: r.poll() is not None or get(p, "/healthz/ready"), timeout=90)
            assert ready and running.poll() is None, log.read_text()[-3000:]
            assert healthy(environment, "live") and healthy(environment, "ready")
            exposed = get(port, "/metrics")
            assert b"\ndachuan_ready 1.0\n" in exposed and b'dachuan_build_info{version="' in exposed
            checked = subprocess.run([promtool, "check", "metrics"], input=exposed, capture_output=True, timeout=20)
            assert checked.returncode == 0, checked.stdout + checked.stderr

        assert "none, all were there" in house.admin("python", "-m", "deploy.image.provision"), "not safe to repeat"
        assert json.loads(house.admin("python", "-m", "deploy.cli", "dlq", "list", "--json")) == []
    finally:
        begun = time.monotonic()
        for _, _, running in started.values():
            running.terminate()
        for _, _, running in started.values():
            finish(running, patience=30)
    assert time.monotonic() - begun < 30, "longer than a container is given to stop"

    written = house.log.read_text()
    assert "Kafka Server started" in written
    for name in ("kafka_admin_password", "kafka_controller_password"):
        assert (house.folder / "secrets" / name).read_text() not in written
    assert "ScramCredential" not in written, "the salted credential is a secret too"
