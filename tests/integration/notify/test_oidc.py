"""Sign-in at an outside OpenID provider: a small real one, over real HTTP on loopback."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from deploy.local.cluster import Cluster
from services.notify.main import build
from tests.instances import Databases, Stack
from tests.integration.notify.conftest import HOME, House, settings_for

SECRET = "the provider's secret for us"


@dataclass
class ProviderUnderTest:
    """An OpenID provider that signs in whoever `subject` names; `twist` changes the ID token's claims."""

    subject: str = "city-0042"
    twist: dict[str, Any] = field(default_factory=dict)
    issuer: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, auto_kid=True))
    signing_key: RSAKey | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        async def configuration() -> dict[str, Any]:
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
            }

        @app.get("/jwks")
        async def jwks() -> dict[str, Any]:
            return KeySet([self.key]).as_dict(private=False)

        @app.get("/authorize")
        async def authorize(request: Request) -> RedirectResponse:
            asked = dict(request.query_params)
            assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
            code = secrets.token_urlsafe(12)
            self.codes[code] = asked
            return RedirectResponse(f"{asked['redirect_uri']}?code={code}&state={asked['state']}")

        @app.post("/token")
        async def token(
            request: Request, code: str = Form(), code_verifier: str = Form(), redirect_uri: str = Form()
        ) -> JSONResponse:
            basic = base64.b64decode(request.headers["authorization"].split()[1]).decode()
            asked = self.codes.pop(code, None)
            digest = hashlib.sha256(code_verifier.encode()).digest()
            fits = (
                asked is not None
                and basic == f"dachuan:{SECRET}"
                and redirect_uri == asked["redirect_uri"]
                and base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
            )
            if not fits:
                return JSONResponse({"error": "invalid_grant"}, status_code=400)
            claims = {
                "iss": self.issuer, "sub": self.subject, "aud": "dachuan", "nonce": asked["nonce"],
                "iat": int(time.time()), "exp": int(time.time()) + 300,
            }  # fmt: skip
            signer = self.signing_key or self.key
            made = jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims | self.twist, signer, algorithms=["RS256"])
            return JSONResponse({"access_token": "opaque", "token_type": "Bearer", "id_token": made})

        return app

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ProviderUnderTest]:
        import asyncio

        server = uvicorn.Server(uvicorn.Config(self.app(), port=0, log_level="error", lifespan="off"))
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.02)
        self.issuer = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.should_exit = True
            await task


@pytest.fixture
async def city() -> AsyncIterator[ProviderUnderTest]:
    async with ProviderUnderTest().running() as provider:
        yield provider


@pytest.fixture
async def house(cluster: Cluster, database: Databases, city: ProviderUnderTest) -> AsyncIterator[House]:
    settings = settings_for(
        cluster, database.app_url("notify"),
        oidc_issuer=city.issuer, oidc_client_id="dachuan", oidc_client_secret=SECRET, oidc_label="市统一身份认证",
    )  # fmt: skip
    app = build(settings)
    service = app.state.service
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
        yield House(service, settings, client, Stack(cluster))
    await service.engine.dispose()


async def there_and_back(house: House, *, state: str | None = None, next: str = "") -> httpx.Response:
    """Begin here, sign in at the provider, come back; the answer of our callback."""
    begun = await house.client.get("/sign-in/oidc", params={"next": next} if next else None)
    assert begun.status_code == 303
    async with httpx.AsyncClient() as browser:
        answer = await browser.get(begun.headers["location"])
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == f"{HOME}/sign-in/oidc/callback"
    params = {name: values[0] for name, values in parse_qs(back.query).items()}
    if state is not None:
        params["state"] = state
    return await house.client.get("/sign-in/oidc/callback", params=params)


def refused(house: House, answer: httpx.Response) -> bool:
    return answer.headers["location"] == "/sign-in?why=oidc" and "dachuan_session" not in house.client.cookies


async def test_a_known_subject_is_signed_in_to_the_account_that_names_it(house: House, city: ProviderUnderTest) -> None:
    account = await house.officer(subject=city.subject)
    answer = await there_and_back(house, next="http://127.0.0.1:8402/cases")
    assert answer.headers["location"] == "http://127.0.0.1:8402/cases"
    assert (await house.page("/account")).status_code == 200
    payload = house.client.cookies["dachuan_session"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert claims["sub"] == str(account) and claims["agency"] == "police"
    assert "市统一身份认证" in (await house.client.get("/sign-in")).text


async def test_a_subject_without_an_account_is_refused_and_makes_none(house: House, city: ProviderUnderTest) -> None:
    assert refused(house, await there_and_back(house))
    assert await house.rows("SELECT 1 FROM accounts") == []
    await house.officer(subject=city.subject)
    await house.run("UPDATE accounts SET active = false")
    assert refused(house, await there_and_back(house))


async def test_what_the_provider_says_is_checked(house: House, city: ProviderUnderTest) -> None:
    await house.officer(subject=city.subject)
    for twist in (
        {"nonce": "another"},
        {"aud": "another-client"},
        {"iss": "http://127.0.0.1:1"},
        {"exp": int(time.time()) - 120},
        {"sub": None},
        {"azp": "another-client"},
    ):
        city.twist = twist
        assert refused(house, await there_and_back(house)), twist
    city.twist = {}
    city.signing_key = RSAKey.generate_key(2048)
    assert refused(house, await there_and_back(house)), "signed by somebody else"
    city.signing_key = None
    assert refused(house, await there_and_back(house, state="another"))
    house.client.cookies.clear()
    assert refused(house, await house.client.get("/sign-in/oidc/callback?state=a&code=b")), "a callback nobody began"
    assert (await there_and_back(house)).headers["location"] == "/"


async def test_a_provider_that_is_away_is_said_so(house: House, city: ProviderUnderTest) -> None:
    object.__setattr__(house.settings, "oidc_issuer", "http://127.0.0.1:9")
    answer = await house.client.get("/sign-in/oidc")
    assert refused(house, answer)
    assert (await house.page("/sign-in?why=oidc")).status_code == 200
