"""The supervisor over real processes: restarts, order, leftovers, logs, ports."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from deploy.local.cluster import Cluster
from deploy.local.outside import Outside, OutsideError, Servers
from deploy.local.ports import Ports, conflicts, taken
from deploy.local.postgres import PostgresError
from deploy.local.process import Identity, Records
from deploy.local.services import Spec, base_environment, passed_on
from deploy.local.state import REPOSITORY, State
from deploy.local.supervisor import StartError, Supervisor, probe, turn_over
from tests.instances import wait_for

PROGRAM = """
import http.server, os, sys
from pathlib import Path
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if Path(os.environ["BAD"]).exists() else 200); self.end_headers()
    def log_message(self, *_): pass
print("listening", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


class _Servers(Outside):
    """Servers that need no preparation: these tests are about processes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(State(folder), Servers("postgresql://nowhere", "nowhere"), contract=())

    def start(self) -> None:
        pass


def _specs(folder: Path, count: int = 2, program: str = PROGRAM) -> list[Spec]:
    ports = list(Ports.free().services.values())
    env = {**base_environment(), "BAD": str(folder / "bad")}
    return [Spec(f"part{i}", ports[i], env, (sys.executable, "-c", program, str(ports[i]))) for i in range(count)]


def _watch(supervisor: Supervisor, condition: object) -> bool:
    def round_() -> bool:
        supervisor.tick()
        return condition()  # type: ignore[operator, no-any-return]

    return wait_for(round_)


def test_a_killed_service_is_started_again_and_all_end_with_stop(state_folder: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(_Servers(state_folder), _specs(state_folder), log=said.append)
    supervisor.start()
    try:
        first, second = supervisor.children
        assert first.process and second.process
        old, other = first.process.pid, second.process.pid
        os.kill(old, signal.SIGKILL)
        assert _watch(supervisor, lambda: first.running and first.process.pid != old and probe(first.spec.port, "live"))
        assert second.process.pid == other
        assert first.restarts == 1
        assert any("part0 ended with code -9" in line for line in said)
    finally:
        supervisor.stop()
    assert not any(child.running for child in supervisor.children)
    assert not any(taken(child.spec.port) for child in supervisor.children)
    assert Records(state_folder / "run").all() == []


def test_restarts_come_slower_and_slower(state_folder: Path) -> None:
    supervisor = Supervisor(_Servers(state_folder), _specs(state_folder, 1))
    supervisor.start()
    child = supervisor.children[0]
    pauses = []
    try:
        for _ in range(3):
            assert child.process
            child.process.kill()
            child.process.wait()
            begun = time.monotonic()
            assert _watch(supervisor, lambda: child.running)
            pauses.append(time.monotonic() - begun)
    finally:
        supervisor.stop()
    assert 0.4 < pauses[0] < pauses[1] < pauses[2], pauses


def test_a_service_that_hangs_is_ended_and_started_again(state_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.supervisor._LIVE_EVERY", 0.1)
    supervisor = Supervisor(_Servers(state_folder), _specs(state_folder, 1))
    supervisor.start()
    child = supervisor.children[0]
    try:
        (state_folder / "bad").touch()
        assert _watch(supervisor, lambda: child.failures > 0)
        (state_folder / "bad").unlink()
        assert _watch(supervisor, lambda: child.running and probe(child.spec.port, "live"))
        assert child.restarts == 1
    finally:
        supervisor.stop()


def test_a_service_that_cannot_start_is_reported_with_its_log(state_folder: Path) -> None:
    supervisor = Supervisor(
        _Servers(state_folder), _specs(state_folder, 1, "raise SystemExit('no such plan: atlantis')")
    )
    with pytest.raises(StartError, match=r"part0 ended with code 1(.|\n)*no such plan: atlantis"):
        supervisor.start()
    assert Records(state_folder / "run").all() == []


def test_children_end_when_the_supervisor_is_killed(state_folder: Path) -> None:
    """PR_SET_PDEATHSIG where the system has it; the records of the next start everywhere else."""
    script = (
        "import sys, time; from pathlib import Path; from tests.integration.local.test_supervisor import *\n"
        "from tests.integration.local.test_supervisor import _Servers, _specs\n"
        f"folder = Path({str(state_folder)!r}); s = Supervisor(_Servers(folder), _specs(folder)); s.start()\n"
        "print('up', flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], env=base_environment(), cwd=REPOSITORY, stdout=subprocess.PIPE
    )
    assert parent.stdout and parent.stdout.readline() == b"up\n"
    children = Records(state_folder / "run").all()
    assert len(children) == 2
    parent.kill()
    parent.wait()
    assert wait_for(lambda: all(child.process() is None for child in children))


def test_leftovers_are_known_by_id_and_start_time_only(state_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    State(state_folder).prepare()
    records = Records(state_folder / "run")
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        real = Identity.of("casework", sleeper.pid)
        # The same process id with another start time is somebody else's process.
        for other in (replace(real, started=real.started - 100), replace(real, boot="before the machine began anew")):
            records.add(other)
            assert records.end_leftovers() == []
            assert sleeper.poll() is None
        # A day is put on the clock: it is the same process.
        began = psutil.boot_time() + 86_400
        monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: began)
        assert psutil.Process(sleeper.pid).create_time() > time.time() + 80_000
        records.add(real)
        assert records.end_leftovers() == ["casework"]
        assert real.process() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_taken_port_is_named_with_its_holder() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        assert conflicts({"notify": port}) == [
            f"port {port} (for notify) is taken by {psutil.Process().name()} (process {os.getpid()})"
        ]
    assert conflicts({"notify": port}) == []


def test_logs_are_turned_over_in_place(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    with open(log, "ab") as writer:
        for number in range(5):
            writer.write(b"%d" % number * 100)
            writer.flush()
            turn_over(log, limit=50, kept=3)
            assert log.stat().st_size == 0
        writer.write(b"end")
    assert log.read_bytes() == b"end"
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["x.log", "x.log.1", "x.log.2", "x.log.3"]
    assert (tmp_path / "x.log.1").read_bytes() == b"4" * 100


def test_services_see_settings_but_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DACHUAN_PLANS", "dayong")
    for name in ("DACHUAN_POSTGRES_ADMIN_URL", "DACHUAN_KAFKA_ADMIN_PASSWORD", "DACHUAN_OWNER_DATABASE_URL"):
        monkeypatch.setenv(name, "secret")
    assert passed_on()["DACHUAN_PLANS"] == "dayong"
    assert "secret" not in passed_on().values()


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"DACHUAN_POSTGRES_ADMIN_URL": "postgresql://a"}, "DACHUAN_KAFKA_BOOTSTRAP"),
        ({"DACHUAN_KAFKA_BOOTSTRAP": "b:1"}, "DACHUAN_POSTGRES_ADMIN_URL"),
    ],
)
def test_outside_servers_come_in_pairs(settings: dict[str, str], missing: str) -> None:
    with pytest.raises(OutsideError, match=f"^{missing} is missing"):
        Servers.from_settings(settings)
    assert Servers.from_settings({}) is None


def test_the_servers_recover_from_kill_9_of_everything(state_folder: Path) -> None:
    """PostgreSQL replays its journal past a stale lock file, Kafka its log; what was committed is there."""
    import asyncio

    import asyncpg
    from confluent_kafka import Producer

    ports = Ports.free()
    cluster = Cluster(State(state_folder), ports, migrating=False)
    cluster.start()

    async def count(change: str | None = None) -> int:
        admin = await asyncpg.connect(cluster.postgres.admin_url)
        try:
            if change:
                await admin.execute(change)
            return int(await admin.fetchval("SELECT count(*) FROM kept"))
        finally:
            await admin.close()

    assert asyncio.run(count("CREATE TABLE kept AS SELECT generate_series(1, 1000)")) == 1000
    producer = Producer({"log_level": 0, **cluster.kafka_admin})
    producer.produce("intake.lead.v1", b"x", key=b"k", partition=0)
    assert producer.flush(10) == 0
    del producer
    for identity in cluster.records.all():
        os.kill(identity.pid, signal.SIGKILL)
    assert wait_for(lambda: cluster.postgres.poll() is not None and cluster.kafka.poll() is not None)
    assert (state_folder / "postgres" / "postmaster.pid").exists()

    again = Cluster(State(state_folder), ports, migrating=False)
    again.records.end_leftovers()
    again.start()
    try:
        assert asyncio.run(count()) == 1000
        from confluent_kafka import Consumer, KafkaException, TopicPartition

        consumer = Consumer({"log_level": 0, "group.id": "x", **again.kafka_admin})

        def kept() -> bool:
            try:
                return consumer.get_watermark_offsets(TopicPartition("intake.lead.v1", 0), timeout=10) == (0, 1)
            except KafkaException:
                return False  # its leader is still being elected

        assert wait_for(kept, timeout=30)
        consumer.close()
        # While it runs, either server is brought back alone.
        assert again.postgres.pid
        os.kill(again.postgres.pid, signal.SIGKILL)
        assert wait_for(lambda: again.postgres.poll() is not None)

        def back() -> bool:
            again.revive()
            with contextlib.suppress(PostgresError):
                again.postgres.wait_ready(timeout=5)
                return True
            return False

        assert wait_for(back, timeout=30)
        assert asyncio.run(count()) == 1000
    finally:
        again.stop()
    assert not taken(ports.postgres) and not taken(ports.kafka)


@pytest.mark.parametrize("kind", ["another program", "a zombie"])
def test_postgresql_starts_past_the_lock_of_a_server_whose_number_somebody_else_has(
    state_folder: Path, kind: str
) -> None:
    """After kill -9 the number may be taken by another program, or the dead server not be collected yet."""
    made = Cluster(State(state_folder), Ports.free(), migrating=False).postgres
    made.prepare()
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)" if kind == "another program" else ""])
    try:
        if kind == "a zombie":
            assert wait_for(lambda: psutil.Process(other.pid).status() == psutil.STATUS_ZOMBIE)
        lock = made.data / "postmaster.pid"
        lock.write_text(f"{other.pid}\n{made.data}\n1\n1\n\nlocalhost\n1 1\nready   \n")
        os.chown(lock, made.data.stat().st_uid, made.data.stat().st_gid)
        lock.chmod(0o600)
        made.spawn()
        made.wait_ready()
    finally:
        made.stop()
        other.kill()
        other.wait()


def test_postgresql_waits_for_what_a_killed_server_left_behind(state_folder: Path) -> None:
    """A checkpointer that is still writing holds the memory of its server: the next one would refuse to start."""
    made = Cluster(State(state_folder), Ports.free(), migrating=False).postgres
    made.start()
    server = psutil.Process(made.pid)
    slow = next(child for child in server.children() if "checkpointer" in " ".join(child.cmdline()))
    slow.suspend()
    try:
        server.kill()
        assert wait_for(lambda: made.poll() is not None)
        threading.Timer(2.0, slow.kill).start()
        begun = time.monotonic()
        made.start()
        assert time.monotonic() - begun > 1.5
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            slow.kill()
        made.stop()
