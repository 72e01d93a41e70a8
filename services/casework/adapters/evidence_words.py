"""Words about evidence (titles, places, people, notes): sealed to their record, never plain in the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from shared.kit.crypto import KeyRing

_KEY = "evidence"


def sealed(keys: KeyRing, record: UUID, said: Mapping[str, Any]) -> bytes:
    """Words sealed to one record."""
    return keys.seal(_KEY, record.bytes, orjson.dumps(said))


def opened(keys: KeyRing, record: UUID, kept: bytes) -> dict[str, Any]:
    """What `sealed` sealed. Whoever shows it records the reading."""
    return orjson.loads(keys.open(_KEY, record.bytes, bytes(kept)))


def sealed_line(keys: KeyRing, item: UUID, line: bytes) -> bytes:
    """A words line of a custody chain, byte for byte, sealed to its item."""
    return keys.seal(_KEY, item.bytes + b"chain", line)


def opened_line(keys: KeyRing, item: UUID, kept: bytes) -> bytes:
    """What `sealed_line` sealed."""
    return keys.open(_KEY, item.bytes + b"chain", bytes(kept))
