"""A real S3 server on loopback (`rclone serve s3`), which checks signatures as a bucket's owner would."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.ports import taken

KEY, SECRET, BUCKET = "dachuan-test", "only-for-this-test", "evidence"
_START_S = 20.0


@dataclass(frozen=True)
class S3:
    """A running server: its address, and the folder where its buckets lie."""

    endpoint: str
    folder: Path

    def options(self, **other: str) -> dict[str, str]:
        """What the settings give obstore."""
        return {"endpoint": self.endpoint, "access_key_id": KEY, "secret_access_key": SECRET, **other}

    def environment(self, **other: str) -> dict[str, str]:
        """The same as a service's environment."""
        told = {"url": f"s3://{BUCKET}/dachuan", **self.options(), **other}
        return {f"DACHUAN_OBJECTS_{name.upper()}": value for name, value in told.items()}


@contextmanager
def serving(folder: Path) -> Iterator[S3]:
    """A server with one empty bucket."""
    (folder / BUCKET).mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    rclone = Path(sys.executable).parent / "rclone"
    command = [rclone, "serve", "s3", "--config", "", "--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY},{SECRET}"]
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen([*command, folder], stdout=log, stderr=log)
    try:
        until = time.monotonic() + _START_S
        while not taken(port):
            assert server.poll() is None and time.monotonic() < until, (folder / "log").read_text()
            time.sleep(0.02)
        yield S3(f"http://127.0.0.1:{port}", folder)
    finally:
        server.terminate()
        server.wait()
