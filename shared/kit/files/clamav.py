"""ClamAV's clamd by its INSTREAM command (clamd(8)): a stream is scanned without a file being written for it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Literal

Finding = Literal["not_scanned", "clean", "found", "failed"]

_PATIENCE_S = 60.0


class Scanner:
    """`address` is `tcp://host:port` or `unix:///run/clamav/clamd.ctl`; empty means that there is no scanner."""

    def __init__(self, address: str) -> None:
        self._address = address

    @property
    def present(self) -> bool:
        """Whether a scanner is set up at all."""
        return bool(self._address)

    async def scan(self, chunks: AsyncIterator[bytes]) -> Finding:
        """What clamd finds. `failed` when it cannot be reached or refuses the stream: never taken for clean."""
        if not self._address:
            return "not_scanned"
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._ask(chunks)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return "failed"

    async def _ask(self, chunks: AsyncIterator[bytes]) -> Finding:
        reader, writer = await self._connect()
        try:
            writer.write(b"zINSTREAM\0")
            with contextlib.suppress(ConnectionError):
                # clamd may answer (over its size limit, say) and close before it has read everything
                async for chunk in chunks:
                    for at in range(0, len(chunk), 1 << 18):
                        piece = chunk[at : at + (1 << 18)]
                        writer.write(len(piece).to_bytes(4, "big") + piece)
                        await writer.drain()
                writer.write(bytes(4))
                await writer.drain()
            answer = (await reader.readuntil(b"\0")).rstrip(b"\0").strip()
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        if answer.endswith(b" FOUND"):
            return "found"
        return "clean" if answer == b"stream: OK" else "failed"

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        scheme, _, place = self._address.partition("://")
        if scheme == "unix":
            return await asyncio.open_unix_connection(place)
        host, _, port = place.rpartition(":")
        return await asyncio.open_connection(host, int(port))
