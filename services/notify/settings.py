"""Notify's environment."""

import json
from functools import cached_property
from pathlib import Path
from typing import Literal

from joserfc.jwk import OKPKey

from shared.kit.files.settings import FileSettings


class Settings(FileSettings):
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
    webhook_concurrency: int = 256
    """Deliveries under way at once, over all targets."""
    webhook_per_target: int = 8
    """Deliveries under way at once to one target; it gets more in a go while it answers quickly."""

    smtp_host: str | None = None
    """The relay for e-mail; without one, e-mail targets cannot be added."""
    smtp_port: int = 25
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_username: str | None = None
    smtp_password_file: Path | None = None
    smtp_from: str = "dachuan@localhost"

    sms_url: str | None = None
    """The SMS gateway's address, in the shape of Alibaba Cloud's SendSms (2017-05-25)."""
    sms_key_id: str = ""
    sms_key_secret_file: Path | None = None
    sms_sign_name: str = ""
    sms_template: str = ""
    """The gateway's template; its slots are `number`, `urgency` and `link`."""
    sms_record: Path | None = None
    """For trials without a gateway: a file that takes a line for each SMS, its number not readable."""

    documents_dir: Path = Path(__file__).resolve().parents[2] / "deploy" / "documents"
    fonts_dir: Path | None = None
    """A folder of fonts beside the system's, for PDF."""

    most_proof_bytes: int = 20 * 1024 * 1024
    """Bytes of one file that proves something: a photo, a scanned paper."""
    most_proof_files: int = 20
    """Files of one thing."""
    proof_cleaning_wait_s: float = 20.0
    """How long a file waits for its turn to be freed of hidden data; then its sender is asked to come back."""

    warnings_embedded_by: str = "*"
    """Sites that may show the public warnings in a frame, as CSP `frame-ancestors` lists them."""

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
    def smtp_password(self) -> str | None:
        """The password at the relay, from its file."""
        return self.smtp_password_file.read_text().strip() if self.smtp_password_file else None

    @property
    def sms_key_secret(self) -> str:
        """The key at the SMS gateway, from its file."""
        return self.sms_key_secret_file.read_text().strip() if self.sms_key_secret_file else ""

    @property
    def bases(self) -> list[str]:
        """The base addresses of all our pages."""
        return [self.base_url(name) for name in ("notify", "intake", "casework", "scoring")]
