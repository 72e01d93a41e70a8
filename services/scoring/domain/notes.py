"""Checkpoints as signed notes (C2SP tlog-checkpoint over signed-note), so that tools made for them can check ours too.

    scoring.example/ledger          the origin: which ledger
    1234                            how many entries it covers
    <base64 of the root hash>
    time 2026-11-23T09:00:00Z       when it was taken
    seq 1300                        the number of the last entry it covers
    period dayong/2026-10 <SHA-256> only where it closes a period: of the frozen document
                                    (an empty line)
    — scoring.example/ledger <base64 of four bytes of the key's hash, and the Ed25519 signature>
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_ED25519 = b"\x01"


class BadNote(ValueError):
    """A text that is no checkpoint of ours, or whose signature is by none of the keys."""


@dataclass(frozen=True, slots=True)
class Closing:
    """The period a checkpoint closes, and the SHA-256 of its frozen document."""

    plan: str
    label: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The ledger's first `size` entries, up to `seq`, have this root."""

    origin: str
    size: int
    root: bytes
    taken_at: datetime
    seq: int
    closing: Closing | None = None

    def text(self) -> str:
        """What is signed."""
        lines = [
            self.origin,
            str(self.size),
            base64.b64encode(self.root).decode(),
            f"time {self.taken_at.astimezone(UTC).isoformat().replace('+00:00', 'Z')}",
            f"seq {self.seq}",
        ]
        if self.closing:
            lines.append(f"period {self.closing.plan}/{self.closing.label} {self.closing.digest.hex()}")
        return "\n".join(lines) + "\n"


def key_hash(name: str, key: Ed25519PublicKey) -> bytes:
    """The four bytes that tell which key signed."""
    return sha256(name.encode() + b"\n" + _ED25519 + key.public_bytes_raw()).digest()[:4]


def verifier_key(name: str, key: Ed25519PublicKey) -> str:
    """A public key as signed-note tools take it."""
    raw = base64.b64encode(_ED25519 + key.public_bytes_raw()).decode()
    return f"{name}+{key_hash(name, key).hex()}+{raw}"


def signed(checkpoint: Checkpoint, sign: Callable[[bytes], bytes], key: Ed25519PublicKey) -> str:
    """The note: text and signature."""
    text = checkpoint.text()
    signature = key_hash(checkpoint.origin, key) + sign(text.encode())
    return f"{text}\n— {checkpoint.origin} {base64.b64encode(signature).decode()}\n"


def opened(note: str, keys: Iterable[Ed25519PublicKey]) -> Checkpoint:
    """The checkpoint of a note signed by one of the keys. Raises `BadNote`."""
    head, gap, tail = note.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise BadNote("no signed note")
    text = head + "\n"
    checkpoint = parsed(text)
    for line in tail.rstrip("\n").split("\n"):
        mark, _, rest = line.partition(" ")
        name, _, encoded = rest.rpartition(" ")
        if mark != "—":
            raise BadNote("no signature line")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise BadNote("the signature is not base64") from None
        for key in keys:
            if raw[:4] == key_hash(name, key) and name == checkpoint.origin:
                try:
                    key.verify(raw[4:], text.encode())
                except InvalidSignature:
                    raise BadNote("the signature does not fit the text") from None
                return checkpoint
    raise BadNote("signed by no key that is known here")


def parsed(text: str) -> Checkpoint:
    """The checkpoint of a note's text. Raises `BadNote`."""
    try:
        origin, size, root, *more = text.rstrip("\n").split("\n")
        told = dict(line.split(" ", 1) for line in more)
        made = Checkpoint(
            origin,
            int(size),
            base64.b64decode(root, validate=True),
            datetime.fromisoformat(told["time"]),
            int(told["seq"]),
        )
        if "period" in told:
            period, digest = told["period"].rsplit(" ", 1)
            plan, label = period.split("/", 1)
            made = replace(made, closing=Closing(plan, label, bytes.fromhex(digest)))
    except (ValueError, KeyError):
        raise BadNote("no checkpoint") from None
    if made.text() != text:
        raise BadNote("not written as ours are")
    return made
