"""An agency system's view of Dachuan: base addresses, a token by OAuth2 client credentials, requests that retry."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import stamina

from deploy.local.instance import Instance, NotRunningError
from deploy.local.state import SERVICES

IMPORTER = "dachuan-importer"
"""OAuth2 client id of the local importer."""


class ClientError(RuntimeError):
    """The services cannot be reached or refuse; the message says what to do."""


@dataclass
class Client:
    """Calls the public API as one OAuth2 client. Reads DACHUAN_*_URL, DACHUAN_CLIENT_ID and DACHUAN_CLIENT_SECRET;
    without them, the local instance and its importer."""

    urls: dict[str, str]
    client_id: str
    secret: str
    _token: str = ""
    _until: float = 0.0
    http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=60))

    @classmethod
    def here(cls) -> Client:
        """The client for this environment."""
        urls = {name: os.environ.get(f"DACHUAN_{name.upper()}_URL", "") for name in SERVICES}
        client_id, secret = os.environ.get("DACHUAN_CLIENT_ID", ""), os.environ.get("DACHUAN_CLIENT_SECRET", "")
        if all(urls.values()) and client_id and secret:
            return cls(urls, client_id, secret)
        try:
            instance = Instance.running()
        except NotRunningError as error:
            raise ClientError(str(error)) from None
        passwords = instance.secrets.passwords
        return cls({name: instance.url(name) for name in SERVICES}, IMPORTER, passwords["importer-client"])

    async def token(self) -> str:
        """An access token for all the client's scopes, fetched anew shortly before it ends."""
        if time.monotonic() > self._until:
            answer = await self._post(
                f"{self.urls['notify']}/oauth2/token",
                data={"grant_type": "client_credentials"},
                auth=(self.client_id, self.secret),
            )
            if answer.status_code != 200:
                raise ClientError(f"no access token: {answer.status_code} {_told(answer)}")
            made = answer.json()
            self._token, self._until = made["access_token"], time.monotonic() + made["expires_in"] - 60
        return self._token

    async def call(self, service: str, path: str, body: Any, **params: Any) -> httpx.Response:
        """POST JSON to a service; the answer whatever its status, except that passing trouble is tried again."""
        return await self._post(
            f"{self.urls[service]}{path}",
            content=orjson.dumps(body, default=str),
            headers={
                "content-type": "application/json",
                "authorization": f"Bearer {await self.token()}",
            },
            params=params,
        )

    async def _post(self, url: str, **kwargs: Any) -> httpx.Response:
        answer: httpx.Response | None = None
        try:
            async for attempt in stamina.retry_context(
                on=(httpx.TransportError, _Again), attempts=8, timeout=90, wait_initial=0.3, wait_max=10
            ):
                with attempt:
                    answer = await self.http.post(url, **kwargs)
                    if answer.status_code in (429, 502, 503, 504):
                        raise _Again
        except _Again:
            assert answer is not None
        except httpx.TransportError as error:
            raise ClientError(f"cannot reach {url.split('/v1')[0]}: {type(error).__name__}") from error
        assert answer is not None
        return answer

    async def close(self) -> None:
        """Close connections."""
        await self.http.aclose()


class _Again(Exception):
    """The service asks to try again later."""


def _told(answer: httpx.Response) -> str:
    try:
        told = answer.json()
        return told.get("detail") or told.get("error_description") or told.get("error") or ""
    except ValueError:
        return ""


def problem_text(answer: httpx.Response) -> str:
    """A refusal in one line, for people."""
    return f"{answer.status_code} {_told(answer)}".strip()
