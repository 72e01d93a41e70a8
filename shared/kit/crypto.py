"""Keys outside the database: narrative encryption, keyed tokens, receipts, signatures."""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

KEY_NAMES: Mapping[str, tuple[str, ...]] = {
    "intake": ("narrative", "receipt", "receipt_lookup", "target", "reporter", "file", "work", "idempotency", "audit"),
    "casework": ("case", "person", "person_lookup", "file", "evidence", "manifest", "document", "idempotency", "audit"),
    "notify": ("contact", "report", "file", "idempotency", "webhook", "audit"),
    "scoring": ("finding", "idempotency", "checkpoint", "audit"),
}
"""The keys each service needs in its key file; each is 32 random bytes."""


class UnreadableSecretError(Exception):
    """A ciphertext could not be opened: wrong record, wrong key, or changed bytes."""


@dataclass(frozen=True)
class KeyRing:
    """The keys of one service: `{"current": "k1", "keys": {"k1": {name: base64 of 32 bytes}}}`.

    New ciphertexts use the current generation and carry its id, so keys can be rotated without rewriting.
    Tokens and receipts are looked up under the current generation.
    """

    current: str
    generations: Mapping[str, Mapping[str, bytes]]

    @cached_property
    def _macs(self) -> dict[str, HMAC]:
        """One prepared state a key, copied for each message: preparing costs more than a short message."""
        return {}

    @classmethod
    def load(cls, path: Path, service: str | None = None) -> "KeyRing":
        """Read a key file; ValueError says which key is not 32 bytes, or which one the named service lacks."""
        raw = json.loads(path.read_text())
        generations = {
            gen: {name: base64.b64decode(value) for name, value in keys.items()} for gen, keys in raw["keys"].items()
        }
        for gen, keys in generations.items():
            for name, value in keys.items():
                if len(value) != 32:
                    raise ValueError(f"{path}: key {gen}/{name} is {len(value)} bytes, not 32")
            missing = [name for name in KEY_NAMES.get(service or "", ()) if name not in keys]
            if missing:
                raise ValueError(
                    f"{path}: generation {gen} lacks the keys {', '.join(missing)}: make them as docs/ops/running.md says "
                    "(Upgrade), then start again"
                )
        return cls(raw["current"], generations)

    @staticmethod
    def generate(service: str) -> str:
        """The text of a fresh key file for a service."""
        keys = {name: base64.b64encode(os.urandom(32)).decode() for name in KEY_NAMES[service]}
        return json.dumps({"current": "k1", "keys": {"k1": keys}}, indent=1)

    @staticmethod
    def completed(service: str, text: str) -> str | None:
        """A key file's text with the keys that the service has come to need since; None when none is missing.

        They join every generation, so that what an older generation sealed stays readable; none is replaced.
        """
        raw = json.loads(text)
        missing = False
        for keys in raw["keys"].values():
            for name in KEY_NAMES[service]:
                if name not in keys:
                    keys[name], missing = base64.b64encode(os.urandom(32)).decode(), True
        return json.dumps(raw, indent=1) if missing else None

    def key(self, name: str, generation: str | None = None) -> bytes:
        """The raw key of a name."""
        return self.generations[generation or self.current][name]

    def token(self, name: str, *parts: str | bytes) -> bytes:
        """A keyed token (HMAC-SHA-256, RFC 2104) over the parts: equal parts give equal tokens, nothing more."""
        message = b"".join(
            len(data).to_bytes(4, "big") + data
            for data in (part.encode() if isinstance(part, str) else part for part in parts)
        )
        mac = self._macs.get(name)
        if mac is None:
            mac = self._macs[name] = HMAC(self.key(name), SHA256())
        mac = mac.copy()
        mac.update(message)
        return mac.finalize()

    def seal(self, name: str, record_id: bytes, plaintext: bytes) -> bytes:
        """Encrypt under a data key of its own, wrapped by the named key (AES-256-GCM, NIST SP 800-38D).

        The record's id is bound in as associated data, so a ciphertext cannot be moved to another record.
        Layout: id length, key id, nonce, wrapped data key, nonce, ciphertext.
        """
        random = os.urandom(56)
        data_key, n1, n2 = random[:32], random[32:44], random[44:]
        wrapped = AESGCM(self.key(name)).encrypt(n1, data_key, record_id)
        body = AESGCM(data_key).encrypt(n2, plaintext, record_id)
        generation = self.current.encode()
        return bytes([len(generation)]) + generation + n1 + wrapped + n2 + body

    def open(self, name: str, record_id: bytes, sealed: bytes) -> bytes:
        """Decrypt what `seal` made; UnreadableSecretError when key, record or bytes do not fit."""
        try:
            length = sealed[0]
            generation = sealed[1 : 1 + length].decode()
            rest = sealed[1 + length :]
            data_key = AESGCM(self.key(name, generation)).decrypt(rest[:12], rest[12:60], record_id)
            return AESGCM(data_key).decrypt(rest[60:72], rest[72:], record_id)
        except (InvalidTag, KeyError, IndexError, UnicodeDecodeError, ValueError) as error:
            raise UnreadableSecretError(name) from error

    def sign(self, name: str, message: bytes) -> bytes:
        """An Ed25519 signature (RFC 8032) by the key derived from the named 32 bytes."""
        return Ed25519PrivateKey.from_private_bytes(self.key(name)).sign(message)

    def public_key(self, name: str) -> Ed25519PublicKey:
        """The public half of the named signing key."""
        return Ed25519PrivateKey.from_private_bytes(self.key(name)).public_key()

    def public_keys(self, name: str) -> dict[str, Ed25519PublicKey]:
        """The public halves of the named signing key of every generation, so that old signatures stay verifiable."""
        return {
            generation: Ed25519PrivateKey.from_private_bytes(keys[name]).public_key()
            for generation, keys in self.generations.items()
        }
