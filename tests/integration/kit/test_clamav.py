"""The scanner against the real clamd of Debian, with a signature of our own: no virus database is needed."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import time
import zipfile
from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.cli import tools
from shared.kit.files.clamav import Scanner

CLAMD = shutil.which("clamd", path=tools.search_path())
MARK = b"DACHUAN-SIGNATURE-OF-OUR-OWN"
MOST = 1 << 20
_START_S = 30.0

pytestmark = pytest.mark.skipif(CLAMD is None, reason="clamd is not installed: apt-get install clamav-daemon")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A clamd that knows one signature."""
    folder = tmp_path_factory.mktemp("clamd")
    database, socket, config = folder / "db", folder / "clamd.sock", folder / "clamd.conf"
    database.mkdir()
    (database / "own.ndb").write_text(f"Dachuan.Test:0:*:{MARK.hex()}\n")
    config.write_text(
        f"DatabaseDirectory {database}\nLocalSocket {socket}\nForeground yes\nStreamMaxLength {MOST}\n"
        f"TemporaryDirectory {folder}\nMaxThreads 2\n"
    )
    assert CLAMD is not None
    log = (folder / "log").open("wb")
    # unpacked beside the environment, it finds its library there
    libraries = [str(one.parent) for one in tools.folder().rglob("libclamav.so.*")]
    env = os.environ | {"LD_LIBRARY_PATH": os.pathsep.join(libraries)}
    clamd = subprocess.Popen([CLAMD, f"--config-file={config}"], stdout=log, stderr=log, env=env)
    try:
        until = time.monotonic() + _START_S
        while not socket.exists():
            assert clamd.poll() is None and time.monotonic() < until, (folder / "log").read_text()
            time.sleep(0.02)
        yield f"unix://{socket}"
    finally:
        clamd.terminate()
        clamd.wait(10)
        log.close()


async def streamed(data: bytes, piece: int = 300_000) -> AsyncIterator[bytes]:
    for at in range(0, len(data), piece):
        yield data[at : at + piece]


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.txt", data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "piece", "finding"),
    [
        pytest.param(b"", 1, "clean", id="nothing"),
        pytest.param("普通的笔记".encode(), 7, "clean", id="a note"),
        pytest.param(b"notes " + MARK, 300_000, "found", id="marked"),
        pytest.param(os.urandom(299_990) + MARK + b"end", 300_000, "found", id="across two pieces"),
        pytest.param(zipped(b"notes " + MARK * 3), 300_000, "found", id="within an archive"),
        pytest.param(zipped(b"notes"), 300_000, "clean", id="a clean archive"),
        pytest.param(os.urandom(3 * MOST), 300_000, "failed", id="more than clamd takes"),
    ],
)
async def test_what_the_real_clamd_says(address: str, data: bytes, piece: int, finding: str) -> None:
    """D-A5: what cannot be scanned is never taken for clean."""
    assert await Scanner(address).scan(streamed(data, piece)) == finding


async def test_many_files_at_once_are_told_apart(address: str) -> None:
    import asyncio

    scanner = Scanner(address)
    asked = [scanner.scan(streamed(MARK if number % 2 else b"clean" * number)) for number in range(16)]
    assert await asyncio.gather(*asked) == ["clean", "found"] * 8
