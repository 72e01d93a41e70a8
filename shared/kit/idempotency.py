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


@dataclass(frozen=True, slots=True)
class Known:
    """What a key was first used for."""

    object_id: UUID
    request_hash: bytes

    def answer(self, claim: Claim) -> UUID | Conflict:
        """The object of the same request; a Conflict for another one under this key."""
        return self.object_id if self.request_hash == claim.request_hash else reused()


async def take_all(
    conn: AsyncConnection, table: Table, claims: Sequence[Claim], now: datetime
) -> dict[bytes, Known]:
    """Record new claims, one a key; what is known of each key that was used before. Keys absent are new.

    A concurrent transaction with the same key is waited for.
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
    return await look(conn, table, [c for c in claims if c.key_hash not in new])


async def look(conn: AsyncConnection, table: Table, claims: Sequence[Claim]) -> dict[bytes, Known]:
    """What is known of each key that was used before; records nothing."""
    old = {c.key_hash for c in claims}
    if not old:
        return {}
    rows = await conn.execute(
        select(table.c.key_hash, table.c.request_hash, table.c.object_id).where(table.c.key_hash.in_(old))
    )
    return {bytes(row.key_hash): Known(row.object_id, bytes(row.request_hash)) for row in rows}


async def take(conn: AsyncConnection, table: Table, claim: Claim, now: datetime) -> UUID | Conflict | None:
    """Record one claim: None when its key is new, else the object of the first request, or a Conflict."""
    known = await take_all(conn, table, [claim], now)
    return known[claim.key_hash].answer(claim) if known else None


def reused() -> Conflict:
    """The refusal of a key that was used for another content."""
    return Conflict(
        "同一 Idempotency-Key 已用于另一内容；原记录未变。请换一个键重新提交。 "
        "This key was used for another content; the first record stands. Send again under a new key.",
        code="idempotency-key-reused",
    )
