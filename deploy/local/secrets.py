"""Secrets of the one-machine runtime: random, made at first start, in `.dachuan/secrets/`, one file per reader.

| file | who reads it |
|---|---|
| `passwords.json` | only the supervisor: database and Kafka passwords, importer client |
| `keys-<service>.json` | that service: its encryption, token and signing keys (`shared.kit.crypto`) |
| `token-key.json` | notify: the private key that signs access tokens (JWK, Ed25519) |
| `jwks.json` | all: the public half |
| `demo-accounts.json` | `up`, to seed and print the demo sign-ins (local mode only) |
"""

from __future__ import annotations

import json
import secrets
from functools import cached_property
from pathlib import Path

from deploy.local.databases import Login
from deploy.local.state import SERVICES, write_private

_PASSWORDS = (
    "postgres-admin",
    "kafka-admin",
    "kafka-controller",
    "importer-client",
    *(f"{kind}-{service}" for service in SERVICES for kind in ("postgres-owner", "postgres-app", "kafka")),
)


class Secrets:
    """The secrets in one folder; whatever is missing is made, whatever is there stays."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ensure(self) -> None:
        """Make every secret that does not exist yet."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = self._read("passwords.json")
        missing = [name for name in _PASSWORDS if name not in known]
        if missing:
            # Without - and _ at the ends these go unquoted through URLs, property files and shells.
            known |= {name: secrets.token_hex(24) for name in missing}
            write_private(self.folder / "passwords.json", json.dumps(known, indent=1))
        for service in SERVICES:
            from shared.kit.crypto import KeyRing

            file = self.keys_file(service)
            if not file.exists():
                write_private(file, KeyRing.generate(service))
            elif more := KeyRing.completed(service, file.read_text(encoding="utf-8")):
                write_private(file, more)
        if not self.token_key_file.exists() or not self.jwks_file.exists():
            self._make_token_key()

    def keys_file(self, service: str) -> Path:
        return self.folder / f"keys-{service}.json"

    @property
    def token_key_file(self) -> Path:
        return self.folder / "token-key.json"

    @property
    def jwks_file(self) -> Path:
        return self.folder / "jwks.json"

    @cached_property
    def passwords(self) -> dict[str, str]:
        """Every generated password by name; `ensure` must have run."""
        return self._read("passwords.json")

    @property
    def logins(self) -> dict[str, Login]:
        """The database logins of the four services."""
        return {
            service: Login(
                service, self.passwords[f"postgres-owner-{service}"], self.passwords[f"postgres-app-{service}"]
            )
            for service in SERVICES
        }

    @property
    def kafka_users(self) -> dict[str, str]:
        """Service → password of its Kafka principal."""
        return {service: self.passwords[f"kafka-{service}"] for service in SERVICES}

    def demo_password(self, account: str) -> str:
        """The password of a demo account, made when first asked for: easy to type, never a default."""
        known = self._read("demo-accounts.json")
        if account not in known:
            letters = "abcdefghjkmnpqrstuvwxyz23456789"
            known[account] = "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(3))
            write_private(self.folder / "demo-accounts.json", json.dumps(known, indent=1))
        return known[account]

    def _make_token_key(self) -> None:
        from joserfc.jwk import OKPKey

        key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "Ed25519"}, private=True, auto_kid=True)
        write_private(self.token_key_file, json.dumps(key.as_dict(private=True)))
        write_private(self.jwks_file, json.dumps({"keys": [key.as_dict(private=False)]}), mode=0o644)

    def _read(self, name: str) -> dict[str, str]:
        try:
            return json.loads((self.folder / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
