"""Start, recognise and end processes: never by name, always by process id together with its start time."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from deploy.local.state import write_private

_PR_SET_PDEATHSIG = 1
_ACCOUNT = "dachuan"


@dataclass(frozen=True)
class Identity:
    """One process for certain: a process id is reused by the system, an id with its start time is not.

    `started` is the kernel's start time in seconds since the machine began, `boot` which beginning that was: a clock
    that is set (as after a pause of a virtual machine) moves neither. `stop` is the signal that ends it gently.
    """

    name: str
    pid: int
    started: float
    stop: int = signal.SIGTERM
    boot: str = ""

    @classmethod
    def of(cls, name: str, pid: int, stop: int = signal.SIGTERM) -> Identity:
        """Identify a running process.

        Raises:
            psutil.NoSuchProcess: there is none with that id.
        """
        return cls(name, pid, _started(psutil.Process(pid)), int(stop), _boot())

    def process(self) -> psutil.Process | None:
        """The process if it still runs (a zombie does not)."""
        try:
            process = psutil.Process(self.pid)
            same = abs(_started(process) - self.started) < 0.1 and self.boot == _boot()
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None

    def end(self, patience: float = 10.0) -> bool:
        """End it: the gentle signal, and after `patience` seconds SIGKILL. True when it had been running."""
        process = self.process()
        if process is None:
            return False
        with contextlib.suppress(psutil.Error):
            process.send_signal(self.stop)
            try:
                process.wait(patience)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait(5)
        return True


def _started(process: psutil.Process) -> float:
    # both are told by the clock of the wall, each time anew
    return process.create_time() - psutil.boot_time()


def _boot() -> str:
    """Which beginning of the machine this is; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


class Records:
    """The processes one `up` has started, on disk, so that the next command can find what was left over."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, identity: Identity) -> None:
        write_private(self._folder / f"{identity.name}.pid.json", json.dumps(asdict(identity)))

    def remove(self, name: str) -> None:
        (self._folder / f"{name}.pid.json").unlink(missing_ok=True)

    def get(self, name: str) -> Identity | None:
        try:
            return Identity(**json.loads((self._folder / f"{name}.pid.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def all(self) -> list[Identity]:
        names = sorted(path.name.removesuffix(".pid.json") for path in self._folder.glob("*.pid.json"))
        return [identity for name in names if (identity := self.get(name))]

    def end_leftovers(self, *, keep: Sequence[str] = ()) -> list[str]:
        """End what an earlier run left behind, services before broker and database; names of those ended."""
        last = {"kafka": 1, "postgres": 2}
        ended = []
        for identity in sorted(self.all(), key=lambda one: last.get(one.name, 0)):
            if identity.name in keep:
                continue
            if identity.end():
                ended.append(identity.name)
            self.remove(identity.name)
        return ended


def tie_to_parent(stop: int) -> Callable[[], None]:
    """A `preexec_fn`: the kernel sends the child `stop` when the thread that started it dies (Linux).

    It holds even when the parent is killed outright. The starter must be a thread that lives as long as the
    child should. Elsewhere than on Linux it does nothing, and the records find leftovers at the next start.
    """
    if not sys.platform.startswith("linux"):
        return lambda: None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(stop), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return tie


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str],
    cwd: Path,
    stop: int = signal.SIGTERM,
    account: Account | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child tied to this thread, in a session of its own (Ctrl-C reaches only the parent, which then
    stops all in order), both outputs appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as output:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=tie_to_parent(stop),
            **(account.options() if account else {}),
        )


def finish(child: subprocess.Popen[bytes], *, stop: int = signal.SIGTERM, patience: float = 15.0) -> None:
    """Stop a child that `spawn` started and collect it: the gentle signal first; after `patience` seconds SIGKILL
    for it and whatever it started."""
    if child.poll() is None:
        child.send_signal(stop)
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    child.wait()


@dataclass(frozen=True)
class Account:
    """An unprivileged system account that a root caller starts PostgreSQL under (it refuses to be root)."""

    name: str
    uid: int
    gid: int

    def options(self) -> dict[str, object]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, folder: Path) -> None:
        """Give `folder` itself to the account."""
        os.chown(folder, self.uid, self.gid)

    @classmethod
    def needed(cls) -> Account | None:
        """None for an ordinary caller. For root: the system account `dachuan`, made if the machine can, else
        `nobody`."""
        if os.geteuid() != 0:
            return None
        with contextlib.suppress(KeyError):
            return cls._named(_ACCOUNT)
        useradd = shutil.which("useradd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if useradd:
            subprocess.run(
                [useradd, "--system", "--no-create-home", "--shell", "/bin/false", _ACCOUNT],
                capture_output=True,
                check=False,
            )
            with contextlib.suppress(KeyError):
                return cls._named(_ACCOUNT)
        return cls._named("nobody")

    @classmethod
    def _named(cls, name: str) -> Account:
        entry = pwd.getpwnam(name)
        return cls(name, entry.pw_uid, entry.pw_gid)


def let_through(path: Path) -> None:
    """Let another account pass (not read) the folders above `path`, where they do not allow it yet."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            os.chmod(folder, mode | 0o001)


def wait_until(ready: Callable[[], bool], *, timeout: float, alive: Callable[[], bool], pause: float = 0.05) -> bool:
    """Poll `ready` until it holds (True), or the process is gone or `timeout` seconds are over (False)."""
    end = time.monotonic() + timeout
    while time.monotonic() < end and alive():
        if ready():
            return True
        time.sleep(pause)
    return False


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for an error message."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    except OSError:
        return ""
