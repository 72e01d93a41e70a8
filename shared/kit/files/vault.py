"""Sealed files in the object storage: written and read as streams, a file as a row of objects of at most 1 MiB."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.kit.crypto import KeyRing
from shared.kit.files.objects import Objects
from shared.kit.files.sealing import CHUNK, Opener, Sealer

PREFIX = "files"
_SEGMENT = 16 * CHUNK

Part = Literal["original", "copy"]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: its size in bytes and its SHA-256, both of the plain content."""

    size: int
    sha256: bytes


def new_data_key() -> bytes:
    """Two fresh keys, one for each part of a file."""
    return os.urandom(64)


def wrap(keys: KeyRing, file_id: UUID, data_key: bytes) -> bytes:
    """The data keys, wrapped under the key ring as a tip's narrative is, bound to the file."""
    return keys.seal("file", file_id.bytes, data_key)


def unwrap(keys: KeyRing, file_id: UUID, wrapped: bytes) -> bytes:
    """What `wrap` wrapped."""
    return keys.open("file", file_id.bytes, wrapped)


def _key(data_key: bytes, part: Part) -> bytes:
    return data_key[:32] if part == "original" else data_key[32:]


def _record(file_id: UUID, part: Part) -> bytes:
    return file_id.bytes + part.encode()


def folder(file_id: UUID, part: Part | None = None) -> str:
    """Where a file (or a part of it) stands."""
    return f"{PREFIX}/{file_id}" + (f"/{part}" if part else "")


def file_id_of(key: str) -> UUID | None:
    """The file an object belongs to; None for an object that is none of ours."""
    try:
        return UUID(key.split("/")[1])
    except (IndexError, ValueError):
        return None


class Vault:
    """Seals streams into the storage and opens them again; never holds more than some 3 MiB of a file."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    async def write(self, file_id: UUID, part: Part, data_key: bytes, chunks: AsyncIterator[bytes]) -> Written:
        """Seal a stream. What was written of one that breaks off is for the caller to `remove`."""
        sealer, digest = Sealer(_key(data_key, part), _record(file_id, part)), hashlib.sha256()
        waiting, size, number = bytearray(), 0, 0

        def sealed(data: bytes) -> bytes:
            digest.update(data)
            return sealer.feed(data)

        async for chunk in chunks:
            size += len(chunk)
            waiting += chunk
            while len(waiting) >= _SEGMENT:
                segment = bytes(waiting[:_SEGMENT])
                del waiting[:_SEGMENT]
                await self.objects.put(
                    f"{folder(file_id, part)}/{number:05d}", await asyncio.to_thread(sealed, segment)
                )
                number += 1
        last = sealed(bytes(waiting)) + sealer.finish()
        await self.objects.put(f"{folder(file_id, part)}/{number:05d}", last)
        return Written(size, digest.digest())

    async def read(self, file_id: UUID, part: Part, data_key: bytes) -> AsyncIterator[bytes]:
        """A file's plain bytes. UnreadableSecretError when anything was changed, FileNotFoundError when it is gone."""
        names = await self.objects.under(folder(file_id, part))
        if not names:
            raise FileNotFoundError(folder(file_id, part))
        opener = Opener(_key(data_key, part), _record(file_id, part))
        for name in names:
            plain = await asyncio.to_thread(opener.feed, await self.objects.get(name))
            if plain:
                yield plain
        yield opener.finish()

    async def remove(self, file_id: UUID, part: Part | None = None) -> None:
        """Delete a file's objects, or those of one part."""
        await self.objects.remove(await self.objects.under(folder(file_id, part)))
