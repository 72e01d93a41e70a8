"""Lists, searches, look-ups and boards at a small and at the full size: what a caller waits for each, over HTTP.

A room fills its service's database and says what is asked for; `measure` asks. Filling writes rows in the form in which
the service writes them.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import orjson
from joserfc.jwk import OKPKey

from deploy.bench.instance import BenchError, cpu_seconds, owner_urls, settled
from deploy.local.instance import Instance
from shared.kit import clock, tokens

PLAN = "dayong"


def row_id(kind: int, number: str) -> str:
    """An id, as SQL, that grows with its number, as those of the services do."""
    return f"(lpad(to_hex({number}), 12, '0') || '70008000' || lpad('{kind}', 12, '0'))::uuid"


@dataclass(frozen=True, slots=True)
class Look:
    """One thing that is asked for: what it is, who asks, the address, and what is sent, where it is asked by POST."""

    what: str
    who: str
    address: str
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks one service, and keeps the time."""

    http: httpx.AsyncClient
    made: Instance
    service: str
    who: Mapping[str, Mapping[str, Any]]
    rounds: int

    def headers(self, who: str) -> dict[str, str]:
        """A caller's token."""
        key = OKPKey.import_key(orjson.loads(self.made.secrets.token_key_file.read_bytes()))
        token = tokens.issue(
            key, principal_id="bench", kind="officer", plan=PLAN, areas=(), scopes=(), now=clock.now(),
            lifetime=timedelta(hours=2), **self.who[who],
        )  # fmt: skip
        return {"authorization": f"Bearer {token}"}

    async def timed(self, ask: Callable[[], Any]) -> dict[str, float]:
        """Milliseconds at p50 and p95, and of the processor (the service's and PostgreSQL's together).

        Raises BenchError for an answer that is not 200 or 201.
        """
        seconds, used = [], 0.0
        for turn in range(self.rounds + 3):
            if turn == 3:
                used = self._used()
            began = time.perf_counter()
            answer = await ask()
            if turn >= 3:
                seconds.append(time.perf_counter() - began)
            if answer.status_code not in (200, 201):
                raise BenchError(f"{answer.request.url.path}: {answer.status_code} {answer.text[:300]}")
        used = (self._used() - used) / self.rounds
        seconds.sort()
        return {
            "p50_ms": round(seconds[len(seconds) // 2] * 1000, 2),
            "p95_ms": round(seconds[int(len(seconds) * 0.95)] * 1000, 2),
            "cpu_ms": round(used * 1000, 1),
        }

    def _used(self) -> float:
        parts = cpu_seconds(self.made)
        return parts[self.service] + parts["postgres"]


async def _nothing(_ask: Asker) -> dict[str, dict[str, float]]:
    return {}


@dataclass(frozen=True, slots=True)
class Room:
    """A service's part: how its rows are made, what is asked for, and by whom.

    `small` of its objects stand for the size that it is compared with; `share`: how many of the size given make one.
    `fill` makes the objects of a range of numbers; `named` tells what stands for the `{names}` in addresses.
    """

    service: str
    objects: str
    small: int
    share: int
    who: Mapping[str, Mapping[str, Any]]
    looks: Sequence[Look]
    fill: Callable[[asyncpg.Connection, Instance, int, int, int], Awaitable[None]]
    named: Callable[[asyncpg.Connection], Awaitable[Mapping[str, str]]]
    more: Callable[[Asker], Awaitable[dict[str, dict[str, float]]]] = _nothing


async def measure(
    made: Instance, room: Room, size: int, say: Callable[[str], None], *, rounds: int = 40, step: int = 100_000
) -> dict[str, Any]:
    """Fill a service to its small size and to the full one, and ask for everything `rounds` times at each.

    Raises BenchError for an answer that is not 200 (or 201).
    """
    conn = await asyncpg.connect(owner_urls(made)[room.service])
    most = size // room.share
    found: dict[str, Any] = {}
    filled = 0
    try:
        for wanted in (min(room.small, most), most):
            began = time.monotonic()
            for first in range(filled, wanted, step):
                await room.fill(conn, made, first + 1, min(first + step, wanted), most)
            filled = wanted
            await conn.execute("VACUUM ANALYZE")
            say(f"{wanted:,} {room.objects} in {time.monotonic() - began:.0f} s; processors then {settled():.0f} % in use")
            found[str(wanted)] = await _ask(made, room, await room.named(conn), rounds)
            for what, told in found[str(wanted)].items():
                say(
                    f"  {what:<40} p50 {told['p50_ms']:>7.2f} ms   p95 {told['p95_ms']:>7.2f} ms   "
                    f"processor {told['cpu_ms']:>6.1f} ms"
                )
    finally:
        await conn.close()
    return found


async def _ask(made: Instance, room: Room, named: Mapping[str, str], rounds: int) -> dict[str, dict[str, float]]:
    told: dict[str, dict[str, float]] = {}
    async with httpx.AsyncClient(base_url=made.url(room.service), timeout=60) as http:
        ask = Asker(http, made, room.service, room.who, rounds)
        for look in room.looks:
            headers, address = ask.headers(look.who), look.address.format(**named)

            def one(address: str = address, headers: dict[str, str] = headers, body: Any = look.body) -> Any:
                return http.get(address, headers=headers) if body is None else http.post(address, headers=headers, json=body)

            told[look.what] = await ask.timed(one)
        return told | await room.more(ask)


def table(found: dict[str, Any]) -> list[str]:
    """Each look at both sizes, with how much more the larger one costs at p95."""
    small, large = sorted(found, key=int)[0], sorted(found, key=int)[-1]
    lines = [f"{'':<42}{int(small):>12,}{int(large):>14,}   p95, wanted ≤ 50 ms and ≤ 2 times; processor"]
    for what, told in found[large].items():
        before = found[small][what]
        lines.append(
            f"{what:<42}{before['p95_ms']:>9.1f} ms{told['p95_ms']:>11.1f} ms   × {told['p95_ms'] / before['p95_ms']:.1f}"
            f"{before['cpu_ms']:>9.1f} ms{told['cpu_ms']:>9.1f} ms"
        )
    return lines
