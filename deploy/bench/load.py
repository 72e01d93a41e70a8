"""The load generator: a process of its own that posts tips over keep-alive connections to loopback, and stops itself.

`python -m deploy.bench.load` reads its orders as JSON on standard input and prints its findings as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any
from urllib.parse import urlsplit

import orjson

from deploy.bench import texts


class LoadError(RuntimeError):
    """The service refused or closed."""


class _Connection:
    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, head: bytes, body: bytes) -> int:
        if self._writer is None or self._reader is None or self._reader.at_eof():
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        self._writer.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        status = int(answer[9:12])
        at = answer.lower().find(b"content-length:")
        length = int(answer[at + 15 : answer.index(b"\r\n", at)])
        if length:
            await self._reader.readexactly(length)
        return status

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _head(url: str, path: str, token: str) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nhost: {urlsplit(url).netloc}\r\nauthorization: Bearer {token}\r\n"
        "content-type: application/json\r\n"
    ).encode()


def _bodies(first: int, count: int, plan: str, urgent: bool) -> list[bytes]:
    make = texts.held_person if urgent else texts.tip
    return [orjson.dumps({"plan": plan, "channel": "hotline", **make(first + i)}) for i in range(count)]


async def closed_loop(orders: dict[str, Any]) -> dict[str, Any]:
    """Every connection sends its next tip when the last is answered."""
    place = urlsplit(orders["url"])
    head = _head(orders["url"], "/v1/tips", orders["token"])
    bodies = _bodies(orders["first"], orders["tips"], orders["plan"], False)
    rest = iter(enumerate(bodies))
    seconds: list[float] = []

    async def work() -> None:
        connection = _Connection(place.hostname or "", place.port or 0)
        for number, body in rest:
            began = time.perf_counter()
            status = await connection.post(
                head + f"idempotency-key: {orders['run']}-{orders['first'] + number}\r\n".encode(), body
            )
            seconds.append(time.perf_counter() - began)
            if status != 201:
                raise LoadError(f"status {status}")
        connection.close()

    began = time.perf_counter()
    started_at = time.time()
    await asyncio.gather(*(work() for _ in range(orders["connections"])))
    return _findings(seconds, time.perf_counter() - began, started_at)


async def open_loop(orders: dict[str, Any]) -> dict[str, Any]:
    """Tips at a fixed rate, whether or not the last was answered; latency counts from when each was due."""
    place = urlsplit(orders["url"])
    head = _head(orders["url"], "/v1/tips", orders["token"])
    bodies = _bodies(orders["first"], orders["tips"], orders["plan"], orders.get("urgent", False))
    idle = [_Connection(place.hostname or "", place.port or 0) for _ in range(orders["connections"])]
    free: asyncio.LifoQueue[_Connection] = asyncio.LifoQueue()
    for connection in idle:
        free.put_nowait(connection)
    seconds: list[float] = []

    async def one(number: int, body: bytes, due: float) -> None:
        connection = await free.get()
        status = await connection.post(
            head + f"idempotency-key: {orders['run']}-{orders['first'] + number}\r\n".encode(), body
        )
        seconds.append(time.perf_counter() - due)
        free.put_nowait(connection)
        if status != 201:
            raise LoadError(f"status {status}")

    began = time.perf_counter()
    started_at = time.time()
    under_way = []
    for number, body in enumerate(bodies):
        due = began + number / orders["rate"]
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        under_way.append(asyncio.create_task(one(number, body, due)))
    await asyncio.gather(*under_way)
    return _findings(seconds, time.perf_counter() - began, started_at)


def _findings(seconds: list[float], took: float, started_at: float) -> dict[str, Any]:
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 2)

    return {
        "tips": len(seconds),
        "seconds": round(took, 3),
        "per_second": round(len(seconds) / took, 1),
        "p50_ms": at(0.5),
        "p95_ms": at(0.95),
        "p99_ms": at(0.99),
        "started_at": started_at,
    }


def main() -> None:
    """Read orders, generate the load, print the findings."""
    import uvloop

    orders = json.load(sys.stdin)
    work = open_loop if orders["mode"] == "open" else closed_loop
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        findings = runner.run(work(orders))
    sys.stdout.write(json.dumps(findings))


if __name__ == "__main__":
    main()
