"""Sending one webhook: signed by Standard Webhooks, to a checked address, without redirects."""

import asyncio
import base64
import os
import socket
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

import httpx
from standardwebhooks import Webhook

from services.notify.domain.targets import BadTargetError, parsed, permitted

PREFIX = "whsec_"
MESSAGE_PREFIX = "msg_"


def new_secret() -> bytes:
    """A signing secret of 256 bits."""
    return os.urandom(32)


def shown_secret(secret: bytes) -> str:
    """A secret as an agency's developer is given it."""
    return PREFIX + base64.b64encode(secret).decode()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt: a code such as `204`, `timeout`, `private-address`; whether it arrived."""

    code: str
    delivered: bool
    gone: bool = False


async def checked_address(url: str, *, local: bool) -> tuple[str, str, str]:
    """The address to connect to, the Host header and the TLS name. BadTargetError when it is not permitted.

    Every address a name resolves to is checked, and the connection goes to the one that was checked: a name that
    resolves otherwise a moment later (DNS rebinding) gains nothing.
    """
    parts = parsed(url, local=local)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise BadTargetError("unresolvable") from error
    addresses = [ip_address(info[4][0].partition("%")[0]) for info in found]
    if not addresses:
        raise BadTargetError("unresolvable")
    if not all(permitted(address, local=local) for address in addresses):
        raise BadTargetError("private-address")
    chosen = f"[{addresses[0]}]" if addresses[0].version == 6 else str(addresses[0])
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return f"{parts.scheme}://{chosen}:{port}{path}", parts.netloc, host


class Sender:
    """Sends webhooks. No connection is kept: a kept one to a shared address would stand for another host's name."""

    def __init__(self, timeout_s: float, *, local: bool) -> None:
        self._timeout_s = timeout_s
        self._local = local
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=timeout_s,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def send(self, url: str, secret: bytes, message_id: str, body: str, now: datetime) -> Outcome:
        """One attempt; whatever goes wrong is an outcome, not an exception."""
        try:
            async with asyncio.timeout(self._timeout_s):
                address, host, tls_name = await checked_address(url, local=self._local)
                return await self._post(address, host, tls_name, secret, message_id, body, now)
        except BadTargetError as error:
            return Outcome(str(error), False)
        except (TimeoutError, httpx.TimeoutException):
            return Outcome("timeout", False)
        except httpx.ConnectError:
            return Outcome("unreachable", False)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
            return Outcome("broken", False)

    async def _post(
        self, address: str, host: str, tls_name: str, secret: bytes, message_id: str, body: str, now: datetime
    ) -> Outcome:
        headers = {
            "host": host,
            "content-type": "application/json",
            "user-agent": "dachuan-webhooks/1",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign(message_id, now, body),
        }
        request = self._client.build_request(
            "POST", address, content=body.encode(), headers=headers, extensions={"sni_hostname": tls_name}
        )
        request.extensions["timeout"] = httpx.Timeout(self._timeout_s).as_dict()
        # the answer's body is never read: only its status counts
        response = await self._client.send(request, stream=True)
        await response.aclose()
        status = response.status_code
        return Outcome(str(status), 200 <= status < 300, gone=status == 410)
