"""Servers that stand for the world outside: chat robots, an SMS gateway, a mail server, and targets that misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.integration.notify.conftest import House
from tests.integration.notify.test_webhooks import AGENCY


@dataclass
class Talker:
    """An HTTP server that answers JSON, and keeps what it was asked: path, query, headers, body."""

    answer: Any = None
    status: int = 200
    got: list[tuple[str, dict[str, str], dict[str, str], Any]] = field(default_factory=list)
    port: int = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in head[1:] if ": " in line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                address = urlsplit(head[0].split(" ")[1])
                query = {k: v[0] for k, v in parse_qs(address.query).items()}
                self.got.append((address.path, query, headers, json.loads(body) if body else None))
                said = json.dumps(self.answer).encode()
                writer.write(f"HTTP/1.1 {self.status} X\r\ncontent-length: {len(said)}\r\n\r\n".encode() + said)
                await writer.drain()
        writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Talker]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


@dataclass
class MailServer:
    """A receiver's mail server over real SMTP; `says` is its answer to each recipient."""

    says: str = "250 OK"
    hangs_after_data: bool = False
    got: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, _: Any) -> str:
        if self.says.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.says

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        self.got.append((envelope.rcpt_tos[0], bytes(envelope.content or b"").decode()))
        if self.hangs_after_data:
            await asyncio.sleep(30)
        return "250 OK"

    @asynccontextmanager
    async def running(self, house: House) -> AsyncIterator[MailServer]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(self, hostname="mail.example", loop=loop), "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        setting(house, smtp_host="127.0.0.1", smtp_port=self.port, smtp_security="none", smtp_from="notice@town.example")
        try:
            yield self
        finally:
            server.close()


Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def misbehaving(behaviour: Behaviour) -> AsyncIterator[str]:
    """The address of a server that reads a request's head and then does as it likes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await behaviour(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()


def setting(house: House, **values: Any) -> None:
    """Change settings of a house that runs."""
    for name, value in values.items():
        object.__setattr__(house.settings, name, value)


async def target(house: House, url: str, channel: str = "webhook", *, agency: str = "police", **more: Any) -> dict[str, Any]:
    """Register a target as the agency's head."""
    who = house.bearer(**(AGENCY | {"agency": agency}))
    made = await house.client.post("/v1/webhooks", json={"url": url, "channel": channel, **more}, headers=who)
    assert made.status_code == 201, made.text
    return made.json()


def rules(house: House, **values: Any) -> None:
    """Change what the plan of Dayong says of messages outside."""
    plan = house.service.plans["dayong"]
    house.service.plans["dayong"] = plan.model_copy(update={"delivery": plan.delivery.model_copy(update=values)})
