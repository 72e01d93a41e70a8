"""Programs that tests use and Debian ships: installed, or unpacked beside the environment, where that can be done."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.local.state import State


@dataclass(frozen=True)
class Tool:
    """One need of the tests; `package` may name several.

    `unpack`: take only the program out of the package; installing a server's package would also start the server.
    """

    name: str
    package: str
    what_for: str
    there: Callable[[], bool]
    unpack: bool = False


def folder() -> Path:
    """Where unpacked programs lie."""
    return State.default().root / "tools"


def _program(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name, path=search_path()) for name in names)


def search_path() -> str:
    """PATH with the unpacked programs at its end."""
    unpacked = [str(folder() / "usr" / part) for part in ("bin", "sbin")]
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", *unpacked])


def _han_font() -> bool:
    return any(Path("/usr/share/fonts").rglob("*CJK*")) or any(Path("/usr/share/fonts").rglob("wqy*"))


TOOLS = (
    Tool("chromium", "chromium", "pages in a browser", _program("chromium", "chromium-browser", "google-chrome")),
    Tool("Han font", "fonts-noto-cjk", "Chinese text in screenshots", _han_font),
    Tool("promtool", "prometheus", "alert rules and metrics", _program("promtool"), unpack=True),
    Tool("amtool", "prometheus-alertmanager", "alert routes", _program("amtool"), unpack=True),
    Tool("clamd", "clamav-daemon libclamav12 libmspack0", "the virus scanner", _program("clamd"), unpack=True),
    Tool("nginx", "nginx", "the ingress", _program("nginx"), unpack=True),
    Tool("kubectl", "kubernetes-client", "Kubernetes files", _program("kubectl"), unpack=True),
)


def ensure(say: Callable[[str], None]) -> list[str]:
    """Install what is missing. One line per tool that is still missing: what its tests would have shown, and why."""
    lacking = [tool for tool in TOOLS if not tool.there()]
    if not lacking:
        return []
    reason = _reason()
    if not reason:
        say("getting from Debian: " + ", ".join(tool.package for tool in lacking))
        reason = _get(lacking)
    return [
        f"{tool.name} is missing ({tool.what_for}; Debian package {tool.package}): {reason}"
        for tool in lacking
        if not tool.there()
    ]


def _reason() -> str:
    if not shutil.which("apt-get"):
        return "this is no Debian system"
    if os.geteuid() != 0:
        return "only root can install it"
    return ""


def _get(tools: list[Tool]) -> str:
    """Install and unpack; why it did not work, if it did not."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    problem = _run(["apt-get", "update", "-qq"], env)
    install = [name for tool in tools if not tool.unpack for name in tool.package.split()]
    if install:
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *install]
        problem = _run(command, env) or problem
    for tool in tools:
        if tool.unpack:
            with tempfile.TemporaryDirectory(prefix="dachuan-deb-") as place:
                os.chmod(place, 0o777)
                failed = _run(["apt-get", "download", "-qq", *tool.package.split()], env, place)
                for package in Path(place).glob("*.deb"):
                    folder().mkdir(parents=True, exist_ok=True)
                    failed = failed or _run(["dpkg", "-x", str(package), str(folder())], env)
                problem = failed or problem
    return problem or "its package does not hold it"


def _run(command: list[str], env: dict[str, str], cwd: str | None = None) -> str:
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True)
    said = (done.stderr or done.stdout).strip().splitlines()
    return f"{' '.join(command[:2])} failed: {said[-1] if said else done.returncode}" if done.returncode else ""
