"""A whole instance for a test to break: its own PostgreSQL, Kafka and four services, watched by the real supervisor."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil

from deploy.bench import texts
from deploy.local.cluster import Cluster
from deploy.local.databases import plain
from deploy.local.ports import Ports
from deploy.local.process import tail
from deploy.local.state import State
from deploy.local.supervisor import Child, Supervisor
from tests import instances
from tests.patience import PATIENCE_S


class Town:
    """One running instance; `note` by `note` it can be broken and looked at."""

    def __init__(self, folder: Path) -> None:
        self.cluster = Cluster(State(folder), Ports.free())
        self.supervisor = Supervisor(self.cluster, instances.service_specs(self.cluster))
        self.stack = instances.Stack(self.cluster)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tend, name="town")
        self._started: threading.Event = threading.Event()
        self._failure: BaseException | None = None
        self._thread.start()
        self._started.wait()
        if self._failure:
            raise self._failure

    def _tend(self) -> None:
        try:
            self.supervisor.start()
        except BaseException as error:
            self._failure = error
            return
        finally:
            self._started.set()
        try:
            while not self._stop.wait(0.05):
                for child in self.supervisor.children:
                    child.failures = 0  # a test breaks things on purpose: no growing pauses
                self.supervisor.tick()
        except BaseException as error:
            self._failure = error
            raise
        finally:
            self.supervisor.stop()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(90)

    def child(self, service: str) -> Child:
        return next(child for child in self.supervisor.children if child.spec.name == service)

    def set_env(self, service: str, **env: str | None) -> None:
        """Change a service's environment; it takes effect at its next start."""
        child = self.child(service)
        kept = {k: v for k, v in child.spec.env.items() if k not in env}
        child.spec = dataclasses.replace(child.spec, env={**kept, **{k: v for k, v in env.items() if v is not None}})

    def kill(self, name: str) -> None:
        """kill -9 of a service, `postgres` or `kafka`."""

        def killed() -> bool:
            # It may have died by itself, and is about to be started again.
            identity = self.cluster.records.get(name)
            process = identity.process() if identity else None
            with suppress(psutil.NoSuchProcess):
                if process:
                    process.kill()
                    return True
            return False

        self.wait(f"{name} killed", killed)

    def freeze(self, name: str) -> Callable[[], None]:
        """Stop a process without ending it; the answer lets it go on."""
        identity = self.cluster.records.get(name)
        assert identity is not None
        processes = [psutil.Process(identity.pid), *psutil.Process(identity.pid).children(recursive=True)]
        for process in processes:
            process.suspend()

        def thaw() -> None:
            for process in processes:
                if process.is_running():
                    process.resume()

        return thaw

    def count(self, service: str, query: str) -> Any:
        """One value from a service's database."""

        async def ask() -> Any:
            url = plain(self.cluster.secrets.logins[service].owner_url(self.cluster.postgres_address))
            conn = await asyncpg.connect(url)
            try:
                return await conn.fetchval(query)
            finally:
                await conn.close()

        return asyncio.run(ask())

    def wait(self, what: str, holds: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
        """Wait until something holds; fails with what was waited for."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._failure:
                raise AssertionError(f"the supervisor fell while waiting: {what}") from self._failure
            try:
                if holds():
                    return
            except (OSError, asyncpg.PostgresError, httpx.HTTPError):
                pass
            time.sleep(0.1)
        ends = "\n".join(f"{child.spec.name}, running: {child.running}\n{tail(child.log, 5)}" for child in self.supervisor.children)
        raise AssertionError(f"not within {seconds} s: {what}\n{ends}")

    def all_ready(self) -> None:
        """Wait until every service is ready."""
        for child in self.supervisor.children:
            self.wait(
                f"{child.spec.name} ready",
                lambda child=child: httpx.get(f"{child.spec.url}/healthz/ready", timeout=3).status_code == 200,
            )


class Poster:
    """Hands in tips, each under a key of its own, and again under the same key until it is acknowledged."""

    def __init__(self, town: Town, run: str) -> None:
        self._town = town
        self._run = run
        self.receipts: dict[str, str] = {}
        self.refusals: list[int] = []
        self._headers = town.stack.bearer(kind="system", principal_id="poster", posts=("desk",), scopes=("tip.submit",))

    def post(self, number: int, *, patience: float = PATIENCE_S) -> str:
        """The receipt of tip `number`, however often it had to be sent; `patience` (s) is only against hanging."""
        key = f"{self._run}-{number:06d}"
        until = time.monotonic() + patience
        while time.monotonic() < until:
            try:
                answer = self.try_once(number)
            except httpx.TransportError:
                time.sleep(0.1)
                continue
            if answer.status_code in (200, 201):
                receipt = answer.json()["receipt"]
                assert self.receipts.setdefault(key, receipt) == receipt
                return receipt
            assert answer.status_code == 503, answer.text
            assert "receipt" not in answer.json()
            self.refusals.append(answer.status_code)
            time.sleep(0.1)
        raise AssertionError(f"tip {number} was not acknowledged in {patience} s")

    def try_once(self, number: int) -> httpx.Response:
        """Send a tip once."""
        return httpx.post(
            f"{self._town.stack.url('intake')}/v1/tips",
            json={"plan": "dayong", "channel": "hotline", **texts.tip(number)},
            headers={**self._headers, "idempotency-key": f"{self._run}-{number:06d}"},
            timeout=10,
        )


def assert_exactly_once(town: Town, tips: int) -> None:
    """Every acknowledged tip is in one lead, every lead has one case, one notice a party and one obligation a
    deadline; no more."""
    town.all_ready()
    assert town.count("intake", "SELECT count(*) FROM tips WHERE lead_id IS NOT NULL") == tips
    assert town.count("intake", "SELECT sum(tips) FROM leads") == tips
    leads = town.count("intake", "SELECT count(*) FROM leads")
    assert town.count("intake", "SELECT count(*) FROM outbox WHERE type = 'dachuan.lead.opened.v1'") == leads
    town.wait("every lead has its case", lambda: town.count("casework", "SELECT count(*) FROM cases") == leads)
    assert town.count("casework", "SELECT count(DISTINCT lead_id) FROM cases") == leads
    assert town.count("casework", "SELECT count(*) FROM outbox WHERE type = 'dachuan.case.opened.v1'") == leads
    parties = town.count("casework", "SELECT count(*) FROM case_parties")
    deadlines = town.count("casework", "SELECT count(*) FROM deadlines WHERE kind = 'acceptance'")
    town.wait(
        "every case has its notices",
        lambda: town.count("notify", "SELECT count(DISTINCT case_id) FROM notices") == leads,
    )
    town.wait(
        "every acceptance that is due is followed",
        lambda: town.count("scoring", "SELECT count(*) FROM obligations WHERE kind = 'acceptance'") == deadlines,
    )
    assert town.count("notify", "SELECT count(*) FROM notices WHERE template = 'case.opened'") == parties
    for service in ("intake", "casework"):
        town.wait(
            f"the outbox of {service} is empty",
            lambda service=service: town.count(service, "SELECT count(*) FROM outbox WHERE sent_at IS NULL") == 0,
        )


@contextmanager
def a_town() -> Iterator[Town]:
    """A running town, removed afterwards."""
    folder = instances.make_folder()
    town = Town(folder)
    try:
        yield town
    finally:
        town.close()
        shutil.rmtree(folder, ignore_errors=True)
