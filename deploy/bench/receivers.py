"""Agencies' systems for measuring: ports that take webhooks and note when each came, and one that never answers."""

from __future__ import annotations

import asyncio
import time
from multiprocessing.connection import Connection

_ANSWER = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"


class _Taker(asyncio.Protocol):
    """Takes requests over a kept connection. `came` is a list of (port index, message id, time)."""

    def __init__(self, index: int, came: list[tuple[int, str, float]], silent: bool) -> None:
        self._index, self._came, self._silent = index, came, silent
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._silent:
            return
        self._held += data
        while True:
            end = self._held.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._held[:end].lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            if len(self._held) < end + 4 + length:
                return
            self._held = self._held[end + 4 + length :]
            self._came.append((self._index, head.partition(b"webhook-id: ")[2].partition(b"\r\n")[0].decode(), time.time()))
            self._transport.write(_ANSWER)  # type: ignore[attr-defined]


def run(ordered: Connection, healthy: int) -> None:
    """Open the ports and tell them (the last is the one that never answers); then tell what came, each time asked."""
    asyncio.run(_run(ordered, healthy))


async def _run(ordered: Connection, healthy: int) -> None:
    loop = asyncio.get_running_loop()
    came: list[tuple[int, str, float]] = []
    ports = []
    for index in range(healthy + 1):
        silent = index == healthy
        server = await loop.create_server(
            lambda index=index, silent=silent: _Taker(index, came, silent), "127.0.0.1", 0, backlog=256  # type: ignore[misc]
        )
        ports.append(server.sockets[0].getsockname()[1])
    ordered.send(ports)
    over = asyncio.Event()

    def asked() -> None:
        try:
            told = ordered.recv()
        except (EOFError, OSError):
            told = "end"
        if told == "end":
            loop.remove_reader(ordered.fileno())
            over.set()
        elif told == "count":
            ordered.send(len(came))
        else:
            ordered.send(came.copy())
            came.clear()

    loop.add_reader(ordered.fileno(), asked)
    await over.wait()

