"""Notify's environment."""

import json
from functools import cached_property
from pathlib import Path

from joserfc.jwk import OKPKey

from shared.kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """What notify needs beside the common settings.

    The `oidc_…` settings name an outside OpenID provider for officers' sign-in; without an issuer there is none.
    """

    service: str = "notify"

    token_key_file: Path
    """The private JWK that signs access tokens; no other service can read it."""

    session_hours: float = 8
    """How long an officer's sign-in lasts."""
    token_minutes: float = 60
    """How long an agency system's token lasts."""

    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = None
    oidc_client_secret_file: Path | None = None
    oidc_scope: str = "openid"
    oidc_subject_claim: str = "sub"
    """The claim of the ID token that is compared with an account's `oidc_subject`."""
    oidc_label: str = "统一身份认证 / Single sign-on"

    webhook_timeout_s: float = 10
    webhook_concurrency: int = 64
    """Deliveries under way at once, over all targets."""
    webhook_per_target: int = 4

    @cached_property
    def token_key(self) -> OKPKey:
        """The key that signs access tokens."""
        return OKPKey.import_key(json.loads(self.token_key_file.read_text()))

    @property
    def oidc_secret(self) -> str | None:
        """The client secret at the outside provider, from its file if one is named."""
        if self.oidc_client_secret_file is not None:
            return self.oidc_client_secret_file.read_text().strip()
        return self.oidc_client_secret

    @property
    def bases(self) -> list[str]:
        """The base addresses of all our pages."""
        return [self.base_url(name) for name in ("notify", "intake", "casework", "scoring")]
