"""Keeps the four services and their servers running: starts them, restarts what fails, stops all in order.

Everything is started from the thread that calls `start` and `run`, because the kernel ends the children with it.
"""

from __future__ import annotations

import http.client
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.local.cluster import Cluster
from deploy.local.outside import Outside
from deploy.local.process import Identity, finish, spawn, tail
from deploy.local.services import Spec
from deploy.local.state import REPOSITORY

LOG_BYTES, LOG_KEPT = 20_000_000, 3
"""A log is turned over beyond this size; so many old ones are kept."""

_HEALTHY_AFTER = 60.0
_LIVE_EVERY, _LIVE_MISSES = 5.0, 6


class StartError(RuntimeError):
    """A service did not become ready; the message carries the end of its log."""


@dataclass
class Child:
    """One service process and how often it had to be started."""

    spec: Spec
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restarts: int = 0
    failures: int = 0
    next_start: float = 0.0
    misses: int = 0

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """The processes of one instance.

    Args:
        cluster: the servers, not yet started.
        specs: the services to run.
        log: called with one line for people when something happens.
    """

    def __init__(
        self, cluster: Cluster | Outside, specs: Sequence[Spec], *, log: Callable[[str], None] = lambda line: None
    ) -> None:
        self.cluster = cluster
        self.children = [Child(spec, cluster.state.logs / f"{spec.name}.log") for spec in specs]
        self._log = log
        self._pool = ThreadPoolExecutor(max(1, len(specs)), thread_name_prefix="probe")
        self._next_live = 0.0
        self._next_rotate = 0.0
        self._revive_at = 0.0
        self._stopping = False

    def start(self, *, timeout: float = 90.0) -> None:
        """Servers, then services, until all are ready. On failure everything is stopped again.

        Raises:
            StartError: a service ended or was not ready in `timeout` seconds; and what `Cluster.start` raises.
        """
        try:
            self.cluster.start()
            self.start_services(timeout=timeout)
        except BaseException:
            self.stop()
            raise

    def start_services(self, *, timeout: float = 90.0) -> None:
        """The services alone, over servers that run already."""
        for child in self.children:
            self._spawn(child)
        self._wait_ready(timeout)

    def run(self, until: Callable[[], bool]) -> None:
        """Watch over everything until `until` says to stop (asked several times a second)."""
        while not until():
            self.tick()
            time.sleep(0.2)

    def tick(self) -> None:
        """One round: restart what ended, probe liveness, turn over logs."""
        now = time.monotonic()
        self._revive(now)
        for child in self.children:
            self._tend(child, now)
        if now >= self._next_live:
            self._next_live = now + _LIVE_EVERY
            self._probe_live()
        if now >= self._next_rotate:
            self._next_rotate = now + 10
            for log in self.cluster.state.logs.glob("*.log"):
                turn_over(log)

    def stop(self) -> None:
        """Services first (all at once), then Kafka, then PostgreSQL."""
        self._stopping = True
        running = [child for child in self.children if child.running]
        for child in running:
            assert child.process is not None
            child.process.send_signal(signal.SIGTERM)
        for child in running:
            assert child.process is not None
            finish(child.process)
        for child in self.children:
            self.cluster.records.remove(child.spec.name)
        self.cluster.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _spawn(self, child: Child) -> None:
        child.process = spawn(
            child.spec.command, log=child.log, env=child.spec.env, cwd=REPOSITORY, stop=signal.SIGTERM
        )
        child.started_at = time.monotonic()
        child.misses = 0
        self.cluster.records.add(Identity.of(child.spec.name, child.process.pid))

    def _wait_ready(self, timeout: float) -> None:
        begun = time.monotonic()
        waiting = list(self.children)
        while waiting:
            for child in waiting:
                if not child.running:
                    code = child.process.returncode if child.process else None
                    raise StartError(f"{child.spec.name} ended with code {code}:\n{tail(child.log)}")
            answers = self._pool.map(lambda child: probe(child.spec.port, "ready"), waiting)
            done = [child for child, ready in zip(list(waiting), answers, strict=True) if ready]
            for child in done:
                waiting.remove(child)
                self._log(f"{child.spec.name} ready after {time.monotonic() - begun:.1f} s")
            if time.monotonic() - begun > timeout:
                names = ", ".join(child.spec.name for child in waiting)
                raise StartError(f"not ready after {timeout:.0f} s: {names}\n{tail(waiting[0].log)}")
            if waiting:
                time.sleep(0.1)

    def _tend(self, child: Child, now: float) -> None:
        if child.running:
            if child.failures and now - child.started_at > _HEALTHY_AFTER:
                child.failures = 0
            return
        if not child.next_start:
            child.failures += 1
            # 0.5, 1, 2 … 30 s, each up to a quarter longer, so that services that fell together do not rise together.
            pause = min(30.0, 0.5 * 2 ** (child.failures - 1)) * random.uniform(1.0, 1.25)
            code = child.process.returncode if child.process else None
            child.next_start = now + pause
            self._log(f"{child.spec.name} ended with code {code}; started again in {pause:.1f} s")
        elif now >= child.next_start:
            child.next_start = 0.0
            child.restarts += 1
            self._spawn(child)

    def _revive(self, now: float) -> None:
        if now < self._revive_at:
            return
        self._revive_at = now + 1.0
        for name in self.cluster.revive():
            self._revive_at = now + 5.0
            self._log(f"{name} had ended; started again")

    def _probe_live(self) -> None:
        running = [child for child in self.children if child.running]
        for child, alive in zip(
            running, self._pool.map(lambda child: probe(child.spec.port, "live"), running), strict=True
        ):
            child.misses = 0 if alive else child.misses + 1
            if child.misses >= _LIVE_MISSES:
                self._log(f"{child.spec.name} does not answer; ended")
                assert child.process is not None
                child.process.kill()


def probe(port: int, kind: str, host: str = "127.0.0.1") -> bool:
    """Whether a service answers 200 on `/healthz/<kind>` within two seconds."""
    link = http.client.HTTPConnection(host, port, timeout=2)
    try:
        link.request("GET", f"/healthz/{kind}")
        return link.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()


def turn_over(log: Path, limit: int = LOG_BYTES, kept: int = LOG_KEPT) -> None:
    """Turn over a log beyond `limit` bytes: copied to `.1`, then emptied in place, since its writer holds it open
    (and appends). What is written between the two steps, microseconds apart, is lost."""
    try:
        if log.stat().st_size <= limit:
            return
    except OSError:
        return
    for number in range(kept - 1, 0, -1):
        old = log.with_name(f"{log.name}.{number}")
        if old.exists():
            old.replace(log.with_name(f"{log.name}.{number + 1}"))
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    with open(log, "r+b") as file:
        file.truncate(0)
