"""Instances for tests: PostgreSQL and Kafka on free ports in a temporary folder, alone or with the four services.

Everything of a run is started by one process, the one that began the run, even when pytest-xdist spreads the tests
over several: the others ask it. What it starts ends with it, also when it is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import Any

import asyncpg

from deploy.local.cluster import Cluster
from deploy.local.databases import Login, clone, drop, plain
from deploy.local.ports import Ports
from deploy.local.process import Identity
from deploy.local.services import Spec, specs
from deploy.local.state import SERVICES, State
from deploy.local.supervisor import Supervisor
from tests.patience import PATIENCE_S

_PREFIX = "dachuan-test-"


class Databases:
    """A fresh, migrated copy of every service's database; the roles and rights are the real ones."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.logins: dict[str, Login] = {}
        self.name = name

    async def create(self, *services: str) -> Databases:
        for service in services or SERVICES:
            template = self.cluster.secrets.logins[service]
            for attempt in range(20):
                try:
                    self.logins[service] = await clone(
                        self.cluster.postgres.admin_url, template, f"{self.name}_{service}"
                    )
                    break
                except asyncpg.ObjectInUseError:
                    # Another worker (or autovacuum) looks at the template at this moment.
                    if attempt == 19:
                        raise
                    await asyncio.sleep(0.1)
        return self

    async def drop(self) -> None:
        for login in self.logins.values():
            await drop(self.cluster.postgres.admin_url, login.name)

    async def empty(self, service: str) -> None:
        """Empty every table of a service, as its owner may; only those with rows, since each costs new files."""
        owner = await asyncpg.connect(plain(self.owner_url(service)))
        try:
            tables = await owner.fetch(
                "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            )
            looks = (f"SELECT '{table['name']}' AS name WHERE EXISTS (SELECT FROM {table['name']})" for table in tables)
            full = [row["name"] for row in await owner.fetch(" UNION ALL ".join(looks))]
            if full:
                await owner.execute(f"TRUNCATE {', '.join(full)} RESTART IDENTITY CASCADE")
        finally:
            await owner.close()

    def app_url(self, service: str) -> str:
        return self.logins[service].app_url(self.cluster.postgres_address)

    def owner_url(self, service: str) -> str:
        return self.logins[service].owner_url(self.cluster.postgres_address)


def service_specs(cluster: Cluster, logins: dict[str, Login] | None = None) -> list[Spec]:
    """The four real services over a cluster, on databases of the given logins."""
    secrets = cluster.secrets
    return specs(
        ports=cluster.ports.services,
        backing=cluster.backing,
        logins=logins or secrets.logins,
        kafka_passwords=secrets.kafka_users,
        keys_file={name: secrets.keys_file(name) for name in SERVICES},
        jwks_file=secrets.jwks_file,
        token_key_file=secrets.token_key_file,
        objects=cluster.state.objects,
    )


class Stack:
    """The four services of a run, as a test sees them: addresses and credentials."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.cluster.ports.services[service]}"

    def pid(self, service: str) -> int:
        """Process id of a service (it changes when it is started again)."""
        identity = self.cluster.records.get(service)
        assert identity is not None
        return identity.pid

    def token(
        self,
        *,
        plan: str = "dayong",
        agency: str = "commerce",
        unit: str | None = None,
        posts: tuple[str, ...] = (),
        areas: tuple[str, ...] = (),
        scopes: tuple[str, ...] = (),
        kind: str = "officer",
        principal_id: str = "test",
    ) -> str:
        """An access token with the instance's real signing key, for any caller a test wants to be."""
        from joserfc.jwk import OKPKey

        from shared.kit import clock, tokens

        key = OKPKey.import_key(json.loads(self.cluster.secrets.token_key_file.read_text()))
        return tokens.issue(
            key,
            principal_id=principal_id,
            kind=kind,
            plan=plan,
            agency=agency,
            unit=unit,
            posts=posts,
            areas=areas,
            scopes=scopes,
            now=clock.now(),
            lifetime=timedelta(hours=1),
        )

    def bearer(self, **caller: Any) -> dict[str, str]:
        """The Authorization header of such a token."""
        return {"Authorization": f"Bearer {self.token(**caller)}"}


def open_cluster(root: str, ports: dict[str, Any]) -> Cluster:
    """The handle of a cluster that another process has started."""
    return Cluster(State(Path(root)), Ports(**ports))


class Run:
    """What one test run shares; lives in the process that began the run, starts things when first asked.

    One thread of its own starts and tends everything, since the kernel ends children with the thread they come from.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.cluster: Cluster | None = None
        self._supervisor: Supervisor | None = None
        self._asked: queue.Queue[tuple[str, queue.Queue[Any]] | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._listener: Listener | None = None

    def listen(self) -> dict[str, str]:
        """Take requests of other processes; what they need to reach us."""
        self._listener = Listener(family="AF_UNIX", authkey=os.urandom(32))
        threading.Thread(target=self._serve, daemon=True, name="test-run-door").start()
        return {"address": str(self._listener.address), "key": self._listener._authkey.hex()}  # type: ignore[attr-defined]

    def ask(self, what: str) -> dict[str, Any]:
        """`cluster` or `stack`: started if need be; where it is. Raises RuntimeError with the reason."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._tend, daemon=True, name="test-run")
            self._thread.start()
        answer: queue.Queue[Any] = queue.Queue()
        self._asked.put((what, answer))
        got = answer.get()
        if isinstance(got, BaseException):
            raise RuntimeError(f"the {what} for the tests did not start: {got}") from got
        return got

    def close(self) -> None:
        """Stop all and remove every trace."""
        if self._listener:
            self._listener.close()
        if self._thread:
            self._asked.put(None)
            self._thread.join(60)
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _serve(self) -> None:
        assert self._listener
        while True:
            try:
                link = self._listener.accept()
            except (OSError, EOFError):
                return
            except Exception:
                continue
            threading.Thread(target=self._answer, args=(link,), daemon=True).start()

    def _answer(self, link: Any) -> None:
        with contextlib.suppress(EOFError, OSError), link:
            try:
                link.send(self.ask(link.recv()))
            except RuntimeError as error:
                link.send(str(error))

    def _tend(self) -> None:
        failed: dict[str, BaseException] = {}
        try:
            while True:
                try:
                    asked = self._asked.get(timeout=0.5)
                except queue.Empty:
                    if self._supervisor:
                        self._supervisor.tick()
                    continue
                if asked is None:
                    return
                what, answer = asked
                try:
                    if what in failed:
                        raise failed[what]
                    answer.put(self._provide(what))
                except BaseException as error:
                    failed[what] = error
                    answer.put(error)
        finally:
            if self._supervisor:
                self._supervisor.stop()
            elif self.cluster:
                self.cluster.stop()

    def _provide(self, what: str) -> dict[str, Any]:
        if self.cluster is None:
            self.folder = make_folder()
            # Databases come and go by the hundred here, and none outlives the run: no waiting for the disk.
            cluster = Cluster(State(self.folder), Ports.free(), postgres_settings={"fsync": "off"})
            cluster.start()
            self.cluster = cluster
        if what == "stack" and self._supervisor is None:
            databases = Databases(self.cluster, "stack")
            asyncio.run(databases.create())
            supervisor = Supervisor(self.cluster, service_specs(self.cluster, databases.logins))
            supervisor.start_services()
            self._supervisor = supervisor
        return {"root": str(self.cluster.state.root), "ports": asdict(self.cluster.ports)}


def ask_run(door: dict[str, str], what: str) -> dict[str, Any]:
    """The same question as `Run.ask`, from another process of the run."""
    with Client(door["address"], family="AF_UNIX", authkey=bytes.fromhex(door["key"])) as link:
        link.send(what)
        got = link.recv()
    if isinstance(got, str):
        raise RuntimeError(got)
    return got


def make_folder() -> Path:
    """A folder of this run; those of runs that were killed are removed first."""
    for old in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, ValueError, TypeError):
            if Identity(**json.loads((old / "owner.json").read_text())).process() is None:
                shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    folder.chmod(0o711)
    (folder / "owner.json").write_text(json.dumps(asdict(Identity.of("run", os.getpid()))))
    return folder


def descendants_gone(folder: Path) -> bool:
    """Whether no recorded process of a state folder runs any more."""
    from deploy.local.process import Records

    return all(identity.process() is None for identity in Records(folder / "run").all())


def wait_for(condition: Callable[[], bool], *, timeout: float = PATIENCE_S) -> bool:
    """Poll until a condition holds; whether it did."""
    from deploy.local.process import wait_until

    return wait_until(condition, timeout=timeout, alive=lambda: True)


__all__ = ["Databases", "Run", "Stack", "ask_run", "open_cluster", "service_specs"]
