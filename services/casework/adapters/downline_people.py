"""What names people in a downline: sealed, and found again by keyed tokens."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from services.casework.adapters.people import id_token, name_token
from services.casework.domain.downline.rows import Named, Row, folded
from shared.kit.crypto import KeyRing

_KEY, _LOOKUP = "person", "person_lookup"


def code_token(keys: KeyRing, case_id: UUID, code: str) -> bytes:
    """The token of a code within its case."""
    return keys.token(_LOOKUP, "downline-code", case_id.bytes, folded(code))


def tokens(keys: KeyRing, named: Named) -> dict[str, bytes | None]:
    """The tokens by which a person is met again, in any case; names and numbers as those of the register of persons."""
    return {
        "name_token": name_token(keys, named.name) if named.name else None,
        "identity_token": id_token(keys, named.identity) if named.identity else None,
        "account_token": keys.token(_LOOKUP, "account", folded(named.account)) if named.account else None,
    }


def _record(case_id: UUID, no: int) -> bytes:
    return case_id.bytes + no.to_bytes(4, "big")


def seal_member(keys: KeyRing, case_id: UUID, no: int, words: dict[str, Any]) -> bytes:
    """A member's words, sealed to its number in the case."""
    return keys.seal(_KEY, _record(case_id, no), orjson.dumps(words))


def open_member(keys: KeyRing, case_id: UUID, no: int, sealed: bytes) -> dict[str, Any]:
    """What `seal_member` sealed. Whoever shows it records the reading."""
    return orjson.loads(keys.open(_KEY, _record(case_id, no), bytes(sealed)))


def seal_source(keys: KeyRing, fact_id: UUID, source: str | None) -> bytes | None:
    """Where a fact stands, in words that may name people."""
    return keys.seal(_KEY, fact_id.bytes, source.encode()) if source else None


def open_source(keys: KeyRing, fact_id: UUID, sealed: bytes | None) -> str | None:
    """What `seal_source` sealed."""
    return keys.open(_KEY, fact_id.bytes, bytes(sealed)).decode() if sealed else None


def row_key(keys: KeyRing, row: Row, evidence_id: UUID | None, once: bytes | None) -> bytes:
    """Equal for the same row of the same evidence, whichever file brings it and on which line."""
    content = [
        row.upline and folded(row.upline.code), folded(row.downline.code), row.kind, row.denies, row.on and str(row.on),
        row.amount, row.source, row.occurrence, evidence_id and str(evidence_id),
    ]  # fmt: skip
    return keys.token(_LOOKUP, "downline-fact", orjson.dumps(content), once or b"")
