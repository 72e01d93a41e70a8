"""An outside OpenID provider (OpenID Connect Core 1.0): the code flow with PKCE (RFC 7636), by Authlib's client."""

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.notify.settings import Settings

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import AsyncOAuth2Client

ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"]
_KNOWN_FOR_S = 600


class ProviderError(Exception):
    """The provider could not be reached, or what it said cannot be trusted; the message is a code."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in under way at the provider; kept sealed in a cookie."""

    state: str
    nonce: str
    verifier: str
    next: str


class Provider:
    """The configured provider; its metadata and keys are fetched when first needed and every ten minutes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._callback = f"{settings.base_url('notify')}/sign-in/oidc/callback"
        self._metadata: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._until = 0.0

    @property
    def configured(self) -> bool:
        """Whether there is an outside provider."""
        return bool(self._settings.oidc_issuer and self._settings.oidc_client_id)

    async def begin(self, then: str) -> tuple[str, Pending]:
        """Where to send the browser, and what to remember until it is back."""
        await self._discover()
        pending = Pending(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), then)
        async with self._client() as client:
            address, _ = client.create_authorization_url(
                self._metadata["authorization_endpoint"],
                state=pending.state,
                nonce=pending.nonce,
                code_verifier=pending.verifier,
            )
        return address, pending

    async def finish(self, pending: Pending, state: str, code: str) -> str:
        """The subject who signed in there. ProviderError when anything does not fit."""
        if not secrets.compare_digest(state, pending.state):
            raise ProviderError("state")
        await self._discover()
        try:
            async with self._client() as client:
                answer = await client.fetch_token(
                    self._metadata["token_endpoint"], code=code, code_verifier=pending.verifier
                )
        except Exception as error:
            raise ProviderError("token") from error
        return self._subject(answer.get("id_token"), pending.nonce)

    def _client(self) -> "AsyncOAuth2Client":
        # imported when first needed: most installations have no outside provider
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        s = self._settings
        return AsyncOAuth2Client(
            client_id=s.oidc_client_id,
            client_secret=s.oidc_secret,
            scope=s.oidc_scope,
            redirect_uri=self._callback,
            code_challenge_method="S256",
            timeout=10,
        )

    def _subject(self, id_token: Any, nonce: str) -> str:
        if not isinstance(id_token, str) or self._keys is None:
            raise ProviderError("no-id-token")
        try:
            claims = jwt.decode(id_token, self._keys, algorithms=ALGORITHMS).claims
            audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
            fits = (
                claims["iss"] == self._settings.oidc_issuer
                and self._settings.oidc_client_id in audience
                and claims.get("azp", self._settings.oidc_client_id) == self._settings.oidc_client_id
                and claims["exp"] > time.time() - 30
                and claims["iat"] < time.time() + 120
                and secrets.compare_digest(str(claims.get("nonce", "")), nonce)
            )
            subject = claims[self._settings.oidc_subject_claim]
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise ProviderError("id-token") from error
        if not fits or not isinstance(subject, str) or not subject:
            raise ProviderError("claims")
        return subject

    async def _discover(self) -> None:
        if self._keys is not None and time.monotonic() < self._until:
            return
        issuer = str(self._settings.oidc_issuer)
        try:
            async with httpx.AsyncClient(timeout=10) as client:
                found = (await client.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")).raise_for_status()
                metadata = found.json()
                keys = (await client.get(metadata["jwks_uri"])).raise_for_status().json()
            if metadata["issuer"] != issuer:
                raise ValueError("issuer")
            self._keys = KeySet.import_key_set(keys)
        except (httpx.HTTPError, KeyError, ValueError, TypeError, JoseError) as error:
            raise ProviderError("discovery") from error
        self._metadata, self._until = metadata, time.monotonic() + _KNOWN_FOR_S
