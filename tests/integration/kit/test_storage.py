"""The one adapter of files, evidence and checkpoints, on a folder and on a real S3 server alike."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from shared.kit import clock
from shared.kit.crypto import UnreadableSecretError
from shared.kit.files.objects import Objects, StorageError
from shared.kit.files.vault import Vault, new_data_key
from shared.kit.ids import new_id
from tests.integration.kit.storage import BUCKET, S3, serving


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with serving(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(params=["folder", "s3"])
def objects(request: pytest.FixtureRequest, s3: S3, tmp_path: Path) -> Objects:
    if request.param == "folder":
        return Objects(tmp_path / "objects")
    return Objects(tmp_path, f"s3://{BUCKET}/{new_id()}", s3.options())


async def test_put_get_list_and_remove(objects: Objects) -> None:
    for key in ("files/b/00001", "files/b/00000", "files/a/00000"):
        await objects.put(key, key.encode())
    await objects.put("files/a/00000", b"written over")
    assert await objects.get("files/a/00000") == b"written over"
    assert await objects.under("files/b") == ["files/b/00000", "files/b/00001"]
    assert await objects.under("files/none") == []
    later = clock.now() + timedelta(minutes=1)
    assert len(await objects.older("files", later)) == 3
    assert await objects.older("files", later - timedelta(hours=1)) == []
    await objects.remove(["files/b/00000", "files/none/00000"])
    await objects.remove(["files/b/00000"])
    assert await objects.under("files") == ["files/a/00000", "files/b/00001"]
    with pytest.raises(FileNotFoundError):
        await objects.get("files/b/00000")


async def test_a_file_streams_through_the_vault_sealed(objects: Objects, s3: S3) -> None:
    """D-B6, X-D7b: what is brought along and what is seized: whole when read, unreadable where it lies, gone when removed."""
    vault, file_id, key = Vault(objects), new_id(), new_data_key()
    block = b"MARK" + os.urandom(199_996)

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(13):
            yield block

    written = await vault.write(file_id, "original", key, stream())
    assert (written.size, written.sha256) == (13 * len(block), hashlib.sha256(block * 13).digest())
    segments = await objects.under(f"files/{file_id}")
    assert len(segments) == 3
    assert not any([b"MARK" in await objects.get(one) for one in segments])
    read = hashlib.sha256()
    async for chunk in vault.read(file_id, "original", key):
        read.update(chunk)
    assert read.digest() == written.sha256
    await objects.put(segments[1], (await objects.get(segments[1]))[:-1] + b"\0")
    with pytest.raises(UnreadableSecretError):
        _ = [chunk async for chunk in vault.read(file_id, "original", key)]
    await vault.remove(file_id)
    assert await objects.under(f"files/{file_id}") == []
    with pytest.raises(FileNotFoundError):
        _ = [chunk async for chunk in vault.read(file_id, "original", key)]


@pytest.mark.parametrize(
    ("reason", "bucket", "changed"),
    [
        ("credentials", BUCKET, {"secret_access_key": "not-the-secret"}),
        ("credentials", BUCKET, {"access_key_id": "nobody"}),
        ("bucket", "not-there", {}),
        ("unreachable", BUCKET, {"endpoint": "http://127.0.0.1:9"}),
    ],
    ids=["wrong secret", "wrong key", "no bucket", "nobody answers"],
)
async def test_a_bucket_that_cannot_be_used_says_why(
    s3: S3, tmp_path: Path, reason: str, bucket: str, changed: dict[str, str]
) -> None:
    """Told apart from a file that is gone, at once, in both languages, and without the secret."""
    objects = Objects(tmp_path, f"s3://{bucket}/x", s3.options(**changed))
    begun = time.monotonic()
    calls = (lambda: objects.put("files/a", b"x"), lambda: objects.get("files/a"), lambda: objects.under("files"))
    for call in calls:
        with pytest.raises(StorageError) as told:
            await call()
        assert told.value.reason == reason and int(told.value.status) == 503
        said = str(told.value.marshal())
        assert "文件存储" in said and "storage" in said and "secret" not in said and "127.0.0.1" not in said
    assert time.monotonic() - begun < 30
