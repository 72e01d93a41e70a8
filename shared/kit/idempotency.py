"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a request sent again has its effect once.

Only keyed hashes are kept, and the id of the object that came of the first request; the answer is rendered
anew from that object, so nothing that was answered is stored a second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.kit.db import insert_many
from shared.kit.problem import BadRequest, Conflict

LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Claim:
    """A key as presented: its hash, the hash of what was asked, and the id the object is to have."""

    key_hash: bytes
    request_hash: bytes
    object_id: UUID


def check_key(key: str) -> str:
    """A usable Idempotency-Key: 8 to 200 printable ASCII characters."""
    if not (8 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise BadRequest(
            "Idempotency-Key 须为 8–200 个可见 ASCII 字符。 Idempotency-Key must be 8 to 200 printable ASCII characters.",
            code="bad-idempotency-key",
        )
    return key


def claim(keys: KeyRing, caller: Caller, operation: str, key: str, request: bytes, object_id: UUID) -> Claim:
    """A claim within one caller and operation: others' equal keys are other keys."""
    return Claim(
        keys.token("idempotency", caller.actor, operation, key),
        keys.token("idempotency", b"request", request),
        object_id,
    )


async def take(
    conn: AsyncConnection, table: Table, claims: Sequence[Claim], now: datetime
) -> dict[bytes, UUID | Conflict]:
    """Record new claims; for each key seen before, the object that came of it, or a Conflict.

    A concurrent transaction with the same key is waited for. Keys absent from the answer are new.
    """
    taken = await insert_many(
        conn,
        table,
        [
            {"key_hash": c.key_hash, "request_hash": c.request_hash, "object_id": c.object_id, "created_at": now}
            for c in claims
        ],
        conflict="ON CONFLICT DO NOTHING",
        returning="key_hash",
    )
    if len(taken) == len(claims):
        return {}
    new = {bytes(row.key_hash) for row in taken}
    old = {c.key_hash: c for c in claims if c.key_hash not in new}
    rows = await conn.execute(
        select(table.c.key_hash, table.c.request_hash, table.c.object_id).where(table.c.key_hash.in_(old))
    )
    return {
        bytes(row.key_hash): row.object_id
        if bytes(row.request_hash) == old[bytes(row.key_hash)].request_hash
        else reused()
        for row in rows
    }


def reused() -> Conflict:
    """The refusal of a key that was used for another content."""
    return Conflict(
        "同一 Idempotency-Key 已用于另一内容；原记录未变。请换一个键重新提交。 "
        "This key was used for another content; the first record stands. Send again under a new key.",
        code="idempotency-key-reused",
    )
