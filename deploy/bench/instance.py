"""An instance of its own for measuring: other ports, a state folder of its own, the same code and settings."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from deploy.local.databases import plain
from deploy.local.instance import Instance
from deploy.local.state import REPOSITORY, SERVICES, State


class BenchError(RuntimeError):
    """The instance did not start; its log says why."""


def _free_base() -> int:
    """A port base with sixteen free ports."""
    for base in range(21000, 60000, 32):
        sockets = []
        try:
            for offset in range(16):
                one = socket.socket()
                one.bind(("127.0.0.1", base + offset))
                sockets.append(one)
            return base
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
    raise BenchError("no free ports")


@contextmanager
def instance() -> Iterator[tuple[Instance, float]]:
    """A running instance and the seconds `up` took; stopped and removed at the end."""
    jars = State.default().jars
    root = Path(tempfile.mkdtemp(prefix="dachuan-bench-"))
    env = {**os.environ, "DACHUAN_HOME": str(root), "DACHUAN_JARS": str(jars), "PYTHONUNBUFFERED": "1"}
    log = open(root / "up.log", "wb")
    base = str(_free_base())
    try:
        _up(env, base, log, root)  # the first start makes secrets, databases and topics
        started = time.monotonic()
        process = _start(env, base, log)
        try:
            made = _wait(process, root)
            yield made, time.monotonic() - started
        finally:
            _stop(process)
    finally:
        log.close()
        shutil.rmtree(root, ignore_errors=True)


def _up(env: dict[str, str], base: str, log: object, root: Path) -> None:
    process = _start(env, base, log)
    try:
        _wait(process, root)
    finally:
        _stop(process)


def _start(env: dict[str, str], base: str, log: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "deploy.cli", "up", "--port-base", base],
        env=env,
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=log,  # type: ignore[arg-type]
        stderr=subprocess.STDOUT,
    )


def _wait(process: subprocess.Popen[bytes], root: Path) -> Instance:
    until = time.monotonic() + 300
    while time.monotonic() < until:
        made = Instance.read(State(root))
        if made and made.phase == "ready" and made.supervisor.pid == process.pid:
            return made
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise BenchError(f"the instance did not start:\n{(root / 'up.log').read_text()[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def owner_urls(made: Instance) -> dict[str, str]:
    """Plain addresses of the databases in their owners' roles."""
    address = made.backing.postgres_address
    return {name: plain(made.secrets.logins[name].owner_url(address)) for name in SERVICES}


def settled(least: float = 20.0, patience_s: float = 120.0) -> float:
    """Wait until what was begun before (statistics, checkpoints, jobs) has ended.

    The share of the processors still in use then, in per cent; above `least` when that was never reached in time.
    """
    until = time.monotonic() + patience_s
    psutil.cpu_percent()
    while True:
        time.sleep(3)
        busy = psutil.cpu_percent()
        if busy <= least or time.monotonic() > until:
            return busy


def memory(made: Instance) -> dict[str, float]:
    """Resident memory of each part in MiB."""
    found = {}
    for name in (*SERVICES, "kafka"):
        identity = made.records.get(name)
        process = identity.process() if identity else None
        if process:
            whole = [process, *process.children(recursive=True)]
            found[name] = round(sum(p.memory_info().rss for p in whole if _alive(p)) / 2**20, 1)
    return found


def cpu_seconds(made: Instance) -> dict[str, float]:
    """Processor seconds each part has used so far. Unlike times on the wall, these do not grow with a busy machine."""
    found = {}
    for name in (*SERVICES, "postgres", "kafka"):
        identity = made.records.get(name)
        process = identity.process() if identity else None
        if process:
            whole = [process, *process.children(recursive=True)]
            found[name] = sum(sum(p.cpu_times()[:2]) for p in whole if _alive(p))
    return found


def cpu_per_tip(before: dict[str, float], after: dict[str, float], tips: int) -> dict[str, int]:
    """Processor microseconds a tip took in each part."""
    return {name: round((after[name] - before[name]) / tips * 1e6) for name in after if name in before}


def _alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def kafka_arguments(made: Instance) -> dict[str, object]:
    """aiokafka's connection arguments for the administrator."""
    admin = made.kafka_admin
    return {
        "bootstrap_servers": admin["bootstrap.servers"],
        "security_protocol": admin["security.protocol"],
        "sasl_mechanism": admin["sasl.mechanism"],
        "sasl_plain_username": admin["sasl.username"],
        "sasl_plain_password": admin["sasl.password"],
    }


def run_load(orders: dict[str, object]) -> dict[str, float]:
    """Run the load generator as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "deploy.bench.load"],
        input=json.dumps(orders).encode(),
        capture_output=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        timeout=600,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"the load generator failed: {done.stderr.decode()[-800:]}")
    return json.loads(done.stdout)
