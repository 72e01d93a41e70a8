"""The two commands as a newcomer types them: Python and coreutils in PATH, no HOME, nothing prepared."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from deploy.local.cluster import Cluster
from deploy.local.instance import Instance
from deploy.local.ports import Ports, taken
from deploy.local.state import REPOSITORY, SERVICES, State
from tests.instances import wait_for

COREUTILS = "cat chmod cp date dirname env head id ln ls mkdir mktemp mv rm sleep sort tail tr true uname wc".split()
UNWANTED = ("java", "psql", "postgres", "uv", "git", "pip", "bash")


class Newcomer:
    """Runs ./dachuan with almost nothing around it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "state"
        programs = folder / "bin"
        programs.mkdir(parents=True)
        (programs / "python3").symlink_to(os.path.realpath(sys.executable))
        for name in COREUTILS:
            for place in ("/usr/bin", "/bin"):
                if os.path.exists(f"{place}/{name}"):
                    (programs / name).symlink_to(f"{place}/{name}")
                    break
        told = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "UV_INDEX"))}
        self.env = {**told, "PATH": str(programs), "DACHUAN_HOME": str(self.home)}
        self.base = _free_base()

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(REPOSITORY / "dachuan"), *words],
            env=self.env,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str, expect: int = 0, timeout: float = 300) -> str:
        process = self.start(*words)
        said, _ = process.communicate(timeout=timeout)
        assert process.returncode == expect, f"./dachuan {' '.join(words)} → {process.returncode}\n{said}"
        return said

    def up(self, *words: str, expect: int = 0) -> str:
        return self.run("up", "--port-base", str(self.base), *words, expect=expect)

    def status(self) -> dict[str, Any]:
        process = self.start("status", "--json")
        said, _ = process.communicate(timeout=60)
        return json.loads(said)  # type: ignore[no-any-return]


def _free_base() -> int:
    for base in range(21000, 60000, 100):
        if not any(taken(port) for port in Ports.from_base(base).named().values()):
            return base
    raise AssertionError("no free ports")


@pytest.fixture
def newcomer(state_folder: Path) -> Iterator[Newcomer]:
    made = Newcomer(state_folder)
    yield made
    if (made.home / "venv" / "made-from").exists():
        made.run("down")


def _pids(facts: dict[str, Any]) -> list[int]:
    return [part["pid"] for part in facts["parts"].values()] + [facts["supervisor"]]


@pytest.mark.timeout(900)
def test_from_nothing_to_everything_and_back(newcomer: Newcomer) -> None:
    for name in UNWANTED:
        assert not (Path(newcomer.env["PATH"]) / name).exists()

    # Killed in the middle of the preparation, then started twice at once.
    first = newcomer.start("--help")
    assert wait_for((newcomer.home / "venv.unfinished").exists, timeout=60)
    time.sleep(1)
    first.kill()
    first.wait()
    both = [newcomer.start("--help") for _ in range(2)]
    said = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("waiting for it" in text for text in said) == 1
    assert not (newcomer.home / "venv.unfinished").exists()
    begun = time.monotonic()
    newcomer.run("--help")
    assert time.monotonic() - begun < 10, "a prepared environment is used as it is"

    # Up: one address, the sign-ins, everything ready, each in a process of its own.
    told = newcomer.up("--detach")
    address = f"http://127.0.0.1:{newcomer.base}"
    assert address in told and "本机模式" in told and "local mode only" in told
    assert re.search(r"dayong-office +\S{14}", told)
    facts = newcomer.status()
    assert facts["ready"] and facts["embedded"] and facts["address"] == address
    assert set(facts["parts"]) == {*SERVICES, "postgres", "kafka"}
    assert len(set(_pids(facts))) == 7
    _home_page(address)
    for part in SERVICES:
        assert httpx.get(f"{facts['parts'][part]['url']}/healthz/ready").status_code == 200
    assert "already running" in newcomer.up("--detach")
    assert "service.started" in newcomer.run("logs", "intake", "-n", "500")

    # kill -9 of everything at once; the next start recovers by itself.
    password = json.loads((newcomer.home / "secrets" / "passwords.json").read_text())
    for pid in reversed(_pids(facts)):
        os.kill(pid, signal.SIGKILL)
    assert wait_for(lambda: not any(taken(port) for port in Ports.from_base(newcomer.base).named().values()))
    assert newcomer.status()["phase"] == "failed"
    newcomer.up("--detach")
    assert "nothing was changed" in newcomer.run("feed", "verify"), "the ledger is what was signed"
    again = newcomer.status()
    assert again["ready"] and not set(_pids(again)) & set(_pids(facts))
    assert json.loads((newcomer.home / "secrets" / "passwords.json").read_text()) == password

    # The supervisor alone is killed: nothing is orphaned.
    os.kill(again["supervisor"], signal.SIGKILL)
    assert wait_for(lambda: not any(psutil.pid_exists(pid) and _runs(pid) for pid in _pids(again)), timeout=60)

    # In the foreground, Ctrl-C stops all in order.
    shown = newcomer.start("up", "--port-base", str(newcomer.base))
    assert wait_for(lambda: _greeted(newcomer, shown), timeout=120)
    shown.send_signal(signal.SIGINT)
    text, _ = shown.communicate(timeout=90)
    assert shown.returncode == 0 and "stopped" in text, text
    assert not any(taken(port) for port in Ports.from_base(newcomer.base).named().values())
    assert newcomer.status()["phase"] == "stopped"
    log = (newcomer.home / "logs" / "postgres.log").read_text(encoding="utf-8")
    assert log.rstrip().endswith("database system is shut down")

    # The second command, as far as a test may run tests.
    tested = newcomer.run("test", "--serial", "-q", "tests/unit/local/test_environment.py", timeout=600)
    assert re.search(r"\b\d+ passed\b", tested.strip().splitlines()[-1]), tested

    assert newcomer.run("down") == "nothing was running\n"
    newcomer.run("reset", "--yes")
    assert not (newcomer.home / "postgres").exists() and not (newcomer.home / "secrets").exists()
    assert (newcomer.home / "venv").exists()


def _greeted(newcomer: Newcomer, process: subprocess.Popen[str]) -> bool:
    made = Instance.read(State(newcomer.home))
    return made is not None and made.greeted and made.supervisor.pid == process.pid


def _home_page(address: str) -> None:
    """What a browser sees that opens the address: a page to sign in."""
    page = httpx.get(address, follow_redirects=True, headers={"Accept": "text/html"})
    assert page.status_code == 200 and "password" in page.text, (page.status_code, str(page.url))


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _dachuan(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The command in the environment of the tests, with a state folder of its own."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "deploy.cli", *words],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "DACHUAN_HOME": str(home), **more},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
    )


def test_a_taken_port_is_told_before_anything_starts(state_folder: Path) -> None:
    base = _free_base()
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # an instance of the tests before may have had it
        held.bind(("127.0.0.1", base + 11))
        held.listen()
        refused = _dachuan(state_folder, "up", "--port-base", str(base))
    assert refused.returncode == 2
    assert f"port {base + 11} (for kafka) is taken by" in refused.stderr
    assert f"(process {os.getpid()})" in refused.stderr
    assert "--port-base" in refused.stderr
    assert not (state_folder / "postgres").exists() and not (state_folder / "kafka").exists()


def test_servers_elsewhere_are_used_instead_of_embedded_ones(state_folder: Path) -> None:
    """The production path: only addresses and administrators are given; everything else is made there."""
    elsewhere = Cluster(State(state_folder / "elsewhere"), Ports.free(), contract=(), migrating=False)
    elsewhere.start()
    home = state_folder / "here"
    base = _free_base()
    settings = state_folder / "settings.env"
    settings.write_text(
        f"DACHUAN_POSTGRES_ADMIN_URL={elsewhere.postgres.admin_url}\n"
        f"DACHUAN_KAFKA_BOOTSTRAP={elsewhere.kafka.bootstrap}\n"
        "DACHUAN_KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT\n"
        f"DACHUAN_KAFKA_ADMIN_USERNAME={elsewhere.kafka_admin['sasl.username']}\n"
        f"DACHUAN_KAFKA_ADMIN_PASSWORD={elsewhere.kafka_admin['sasl.password']}\n"
    )
    try:
        made = _dachuan(home, "up", "--detach", "--port-base", str(base), "--env-file", str(settings))
        assert made.returncode == 0, made.stdout + made.stderr
        facts = json.loads(_dachuan(home, "status", "--json").stdout)
        assert facts["ready"] and not facts["embedded"] and set(facts["parts"]) == set(SERVICES)
        assert not (home / "postgres").exists() and not (home / "kafka").exists()
        _home_page(facts["address"])
        for service in SERVICES:
            process = psutil.Process(facts["parts"][service]["pid"])
            told = " ".join(process.environ().values())
            assert elsewhere.secrets.passwords["postgres-admin"] not in told
            assert elsewhere.secrets.passwords["kafka-admin"] not in told
        assert _dachuan(home, "down").returncode == 0
        assert elsewhere.postgres.pid and elsewhere.kafka.pid, "they are not ours to stop"
    finally:
        _dachuan(home, "down")
        elsewhere.stop()


def test_each_service_process_holds_only_its_own_secrets(stack: Any) -> None:
    secrets = stack.cluster.secrets
    own = {
        name: {secrets.logins[name].app_password, secrets.kafka_users[name], str(secrets.keys_file(name))}
        for name in SERVICES
    }
    never = {login.owner_password for login in secrets.logins.values()}
    never |= {secrets.passwords[name] for name in ("postgres-admin", "kafka-admin", "kafka-controller")}
    for name in SERVICES:
        told = "\0".join(psutil.Process(stack.pid(name)).environ().values())
        assert all(secret in told for secret in own[name])
        others = set().union(*(own[other] for other in SERVICES if other != name)) | never
        assert not any(secret in told for secret in others), name
        assert (str(secrets.token_key_file) in told) == (name == "notify")


def test_an_old_python_is_told_what_is_needed(tmp_path: Path) -> None:
    script = f"import sys; sys.version_info = (3, 9, 2); exec(open({str(REPOSITORY / 'dachuan')!r}).read())"
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1
    assert "needs Python 3.11 or newer; this is 3.9" in done.stderr
