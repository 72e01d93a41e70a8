"""How persons and addresses are kept: sealed, and found again by keyed tokens, never by plain words."""

from __future__ import annotations

from base64 import b85encode
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from services.casework.domain.persons import Identity, grams, plain
from shared.kit.crypto import KeyRing

_KEY, _LOOKUP = "person", "person_lookup"


def seal(keys: KeyRing, record: UUID, details: dict[str, Any]) -> bytes:
    """Details sealed to one record."""
    return keys.seal(_KEY, record.bytes, orjson.dumps(details))


def opened(keys: KeyRing, record: UUID, sealed: bytes) -> dict[str, Any]:
    """What `seal` sealed. Whoever shows it records the reading in the audit log."""
    return orjson.loads(keys.open(_KEY, record.bytes, bytes(sealed)))


def id_token(keys: KeyRing, who: Identity) -> bytes | None:
    """The token of a document's number; None without one."""
    return keys.token(_LOOKUP, "document", who.kind.value, who.number) if who.number else None


def name_token(keys: KeyRing, name: str) -> bytes | None:
    """The token of a whole name; None for nobody's."""
    folded = plain(name)
    return keys.token(_LOOKUP, "name", folded) if folded else None


def phone_token(keys: KeyRing, number: str) -> bytes:
    """The token of a phone number as `domain.persons.phone` gives it."""
    return keys.token(_LOOKUP, "phone", number)


def address_token(keys: KeyRing, area: str, key: str) -> bytes:
    """The token of a place's address in its area."""
    return keys.token(_LOOKUP, "address", area, key)


def gram_tokens(keys: KeyRing, what: str, texts: Sequence[str]) -> list[str]:
    """Short keyed tokens of all two-character parts; equal ones are rechecked on the opened words."""
    parts = dict.fromkeys(part for text in texts for part in grams(text))
    return [b85encode(keys.token(_LOOKUP, what, part)[:8]).decode() for part in parts]
