"""Sealed streams: whole, in order, of this record and key, or not at all."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from shared.kit import clock
from shared.kit.crypto import UnreadableSecretError
from shared.kit.files.objects import Objects
from shared.kit.files.sealing import CHUNK, SEALED_CHUNK, Opener, Sealer
from shared.kit.files.vault import Vault, new_data_key
from shared.kit.ids import new_id

KEY, RECORD = os.urandom(32), b"record"


def seal(data: bytes, step: int = 10_000) -> bytes:
    sealer = Sealer(KEY, RECORD)
    return b"".join(sealer.feed(data[at : at + step]) for at in range(0, len(data), step)) + sealer.finish()


def unseal(sealed: bytes, *, key: bytes = KEY, record: bytes = RECORD, step: int = 77_777) -> bytes:
    opener = Opener(key, record)
    return b"".join(opener.feed(sealed[at : at + step]) for at in range(0, len(sealed), step)) + opener.finish()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5])
def test_what_was_sealed_opens_again_at_every_border(size: int) -> None:
    data = os.urandom(size)
    sealed = seal(data)
    assert unseal(sealed) == data
    assert len(sealed) == size + 16 * max(1, -(-size // CHUNK))


def test_a_stream_changed_cut_reordered_or_moved_does_not_open() -> None:
    sealed = seal(os.urandom(3 * CHUNK + 5))
    chunks = [sealed[at : at + SEALED_CHUNK] for at in range(0, len(sealed), SEALED_CHUNK)]
    for wrong in (
        sealed[:100] + bytes([sealed[100] ^ 1]) + sealed[101:],
        b"".join(chunks[:-1]),
        b"".join([chunks[1], chunks[0], *chunks[2:]]),
        b"".join([*chunks[:2], *chunks[3:]]),
        sealed + chunks[-1],
        sealed[:-1],
        b"",
    ):
        with pytest.raises(UnreadableSecretError):
            unseal(wrong)
    for options in ({"key": os.urandom(32)}, {"record": b"another"}):
        with pytest.raises(UnreadableSecretError):
            unseal(sealed, **options)


async def streamed(data: bytes, step: int = 64_000) -> AsyncIterator[bytes]:
    for at in range(0, len(data), step):
        yield data[at : at + step]


async def test_the_vault_keeps_only_sealed_pieces_and_gives_them_back(tmp_path: Path) -> None:
    vault, file_id, key = Vault(Objects(tmp_path)), new_id(), new_data_key()
    data = b"plain words in the file " * 120_000
    written = await vault.write(file_id, "original", key, streamed(data))
    assert written.size == len(data)
    pieces = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(pieces) == 3 and not any(b"plain words" in path.read_bytes() for path in pieces)
    assert b"".join([chunk async for chunk in vault.read(file_id, "original", key)]) == data
    other = new_id()
    for path in pieces:
        moved = Path(str(path).replace(str(file_id), str(other)))
        moved.parent.mkdir(parents=True, exist_ok=True)
        moved.write_bytes(path.read_bytes())
    with pytest.raises(UnreadableSecretError):
        _ = [chunk async for chunk in vault.read(other, "original", key)]
    pieces[-1].unlink()
    with pytest.raises(UnreadableSecretError):
        _ = [chunk async for chunk in vault.read(file_id, "original", key)]
    assert await vault.objects.older("files", clock.now() - timedelta(hours=1)) == []
    await vault.remove(file_id)
    await vault.remove(other)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with pytest.raises(FileNotFoundError):
        _ = [chunk async for chunk in vault.read(file_id, "original", key)]
