"""HTTP to addresses that others gave us: checked before each connection, no redirects, bounded in time and size."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from services.notify.domain.outcomes import Outcome
from services.notify.domain.targets import BadTargetError, parsed, permitted

MOST_READ = 16 * 1024
"""Of an answer, so many bytes are read at most."""


async def resolved(host: str, port: int, *, local: bool) -> list[tuple[int, str]]:
    """Family and address of everything a name resolves to; BadTargetError unless every one of them is permitted."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise BadTargetError("unresolvable") from error
    addresses = list(dict.fromkeys((int(info[0]), str(info[4][0]).partition("%")[0]) for info in found))
    if not addresses:
        raise BadTargetError("unresolvable")
    if not all(permitted(ip_address(address), local=local) for _, address in addresses):
        raise BadTargetError("private-address")
    return addresses


async def checked_address(url: str, *, local: bool) -> None:
    """BadTargetError unless an address is one that we may send to, as far as can be said now."""
    parts = parsed(url, local=local)
    await resolved(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), local=local)


class _Checked(AbstractResolver):
    """Gives the connector addresses that were checked, and it connects to these.

    A name that resolves otherwise a moment later (DNS rebinding) gains nothing.
    """

    def __init__(self, *, local: bool) -> None:
        self._local = local

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=family, proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for family, address in await resolved(host, port, local=self._local)
        ]  # fmt: skip

    async def close(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: its status, Retry-After, and the first bytes of its body."""

    status: int
    retry_after: str | None
    body: bytes


class Outside:
    """A client for such addresses. Connections are kept for a quarter of a minute, each for its own host alone."""

    def __init__(self, timeout_s: float, *, local: bool, guarded: bool = True) -> None:
        """`guarded=False` is for addresses that the operator set up: they may lie in our own network."""
        self._timeout_s = timeout_s
        self._local = local
        self._guarded = guarded
        self._session: aiohttp.ClientSession | None = None

    def _socket(self, address: tuple[Any, ...]) -> socket.socket:
        """The last look before a connection, whatever way the address came."""
        family, kind, proto, _, where = address
        if not permitted(ip_address(str(where[0]).partition("%")[0]), local=self._local):
            raise OSError("private-address")
        return socket.socket(family=family, type=kind, proto=proto)

    def _client(self) -> aiohttp.ClientSession:
        # made in the loop that uses it
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=_Checked(local=self._local) if self._guarded else None,
                    socket_factory=self._socket if self._guarded else None,
                    use_dns_cache=False,
                    limit=0,
                    keepalive_timeout=15,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                skip_auto_headers=("accept-encoding", "user-agent"),
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _look_at(self, host: str, port: int) -> None:
        """BadTargetError unless an address in numbers is permitted; only what is short for one needs the system's help."""
        try:
            address = ip_address(host)
        except ValueError:
            await resolved(host, port, local=self._local)
            return
        if not permitted(address, local=self._local):
            raise BadTargetError("private-address")

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, read: bool = False) -> Answer:
        """One POST, over within the time limit however slowly the other side talks.

        Raises:
            BadTargetError: the address is not permitted. TimeoutError, aiohttp.ClientError, OSError, ValueError: as
            `failed` tells apart.
        """
        async with asyncio.timeout(self._timeout_s):
            parsed(url, local=self._local)
            address = URL(url)
            if self._guarded and _looks_numeric(address.host or ""):
                # the connector asks the resolver for names only
                await self._look_at(address.host or "", address.port or 443)
            async with self._client().post(address, data=body, headers=headers, allow_redirects=False) as response:
                kept = b""
                if read:
                    while len(kept) < MOST_READ and (chunk := await response.content.read(MOST_READ - len(kept))):
                        kept += chunk
                return Answer(response.status, response.headers.get("retry-after"), kept)


def _looks_numeric(host: str) -> bool:
    """Whether the connector takes a host for an address: `127.1` and `2130706433` too, which the system understands."""
    return ":" in host or host.replace(".", "").isdigit()


_TROUBLE: Mapping[type[BaseException], str] = {TimeoutError: "timeout", aiohttp.ClientConnectorError: "unreachable"}


def failed(error: BaseException) -> Outcome:
    """What came of an attempt that ended in an exception."""
    if isinstance(error, BadTargetError):
        return Outcome(str(error), False)
    for kind, code in _TROUBLE.items():
        if isinstance(error, kind):
            return Outcome(code, False)
    return Outcome("broken", False)


FAILURES: tuple[type[Exception], ...] = (BadTargetError, TimeoutError, aiohttp.ClientError, OSError, ValueError)
"""What sending may raise. Anything else is a mistake of ours."""


def json_of(body: bytes) -> Any:
    """An answer's JSON; None for what is none."""
    try:
        return orjson.loads(body)
    except ValueError:
        return None
