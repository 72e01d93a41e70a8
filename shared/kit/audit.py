"""The audit log: every change and every read of protected data, append-only, in a signed hash chain.

Entries are plain inserts. A sealer takes the entries of finished transactions in (transaction, sequence) order,
chains their digests to the previous seal and signs the result, so writers never wait for each other. An edited,
removed, inserted or reordered entry under a seal breaks the chain.
"""

import hashlib
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidSignature
from sqlalchemy import func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.kit import clock, metrics, tracing
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.kit.db import begin, insert_many
from shared.kit.tables import KitTables

SEAL_AT_MOST = 5000
"""Entries under one seal."""


async def record(
    conn: AsyncConnection,
    kit: KitTables,
    caller: Caller,
    action: str,
    object_type: str,
    object_ids: Sequence[UUID | str],
    now: datetime,
    **facts: Any,
) -> None:
    """Write one entry, in the caller's transaction, about one or many objects treated alike.

    `facts` holds codes, counts and ids; never names, contacts or free text.
    """
    await insert_many(
        conn,
        kit.audit,
        [
            {
                "at": now,
                "actor": caller.actor,
                "agency": caller.agency,
                "action": action,
                "object_type": object_type,
                "object_ids": [str(i) for i in object_ids],
                "facts": facts,
                "trace_id": tracing.trace_id(),
            }
        ],
    )


def _digest(row: Any) -> bytes:
    canonical = [
        row.seq, row.xid, row.at.isoformat(), row.actor, row.agency, row.action,
        row.object_type, row.object_ids, row.facts, row.trace_id,
    ]  # fmt: skip
    return hashlib.sha256(orjson.dumps(canonical, option=orjson.OPT_SORT_KEYS)).digest()


def _chain(previous: bytes, digests: Sequence[bytes]) -> bytes:
    link = hashlib.sha256(previous)
    for digest in digests:
        link.update(digest)
    return link.digest()


async def seal(engine: AsyncEngine, kit: KitTables, keys: KeyRing, service: str) -> int:
    """Seal what is finished and not yet sealed; returns how many entries were covered."""
    a, s = kit.audit, kit.audit_seal
    async with begin(engine) as conn:
        lock = zlib.crc32(f"audit:{service}".encode())
        if not (await conn.execute(select(func.pg_try_advisory_xact_lock(lock)))).scalar():
            return 0
        last = (await conn.execute(select(s).order_by(s.c.number.desc()).limit(1))).one_or_none()
        after = (last.last_xid, last.last_seq) if last else (0, 0)
        horizon = (
            await conn.execute(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))
        ).scalar_one()
        rows = (
            await conn.execute(
                select(a)
                .where(tuple_(a.c.xid, a.c.seq) > tuple_(*after), a.c.xid < horizon)
                .order_by(a.c.xid, a.c.seq)
                .limit(SEAL_AT_MOST)
            )
        ).all()
        metrics.AUDIT_UNSEALED.set(0 if len(rows) < SEAL_AT_MOST else SEAL_AT_MOST)
        if not rows:
            return 0
        previous = last.hash if last else b"\0" * 32
        link = _chain(previous, [_digest(row) for row in rows])
        await insert_many(
            conn,
            s,
            [
                {
                    "number": last.number + 1 if last else 1,
                    "entries": [rows[0].seq, rows[-1].seq],
                    "count": len(rows),
                    "last_xid": rows[-1].xid,
                    "last_seq": rows[-1].seq,
                    "previous": previous,
                    "hash": link,
                    "signature": keys.sign("audit", link),
                    "sealed_at": clock.now(),
                }
            ],
        )
        return len(rows)


async def verify(conn: AsyncConnection, kit: KitTables, keys: KeyRing) -> list[str]:
    """Recompute the whole chain; returns what is wrong, in words, or nothing."""
    a, s = kit.audit, kit.audit_seal
    wrong: list[str] = []
    previous, after, expected = b"\0" * 32, (0, 0), 1
    for one in (await conn.execute(select(s).order_by(s.c.number))).all():
        if one.number != expected or one.previous != previous:
            wrong.append(f"seal {one.number}: does not follow the seal before it")
        rows = (
            await conn.execute(
                select(a)
                .where(
                    tuple_(a.c.xid, a.c.seq) > tuple_(*after),
                    tuple_(a.c.xid, a.c.seq) <= tuple_(one.last_xid, one.last_seq),
                )
                .order_by(a.c.xid, a.c.seq)
            )
        ).all()
        if len(rows) != one.count or _chain(one.previous, [_digest(row) for row in rows]) != one.hash:
            wrong.append(f"seal {one.number}: the entries it covers were changed")
        try:
            keys.public_key("audit").verify(one.signature, one.hash)
        except InvalidSignature:
            wrong.append(f"seal {one.number}: its signature is not ours")
        previous, after, expected = one.hash, (one.last_xid, one.last_seq), one.number + 1
    return wrong
