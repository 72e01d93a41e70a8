"""Files of evidence on record: read again and compared with their hash, scanned when that was not possible, swept up."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.evidence.chain import Note, append, lock
from services.casework.commands.evidence.room import EvidenceRoom
from services.casework.metrics import EVIDENCE_CHECKED
from services.casework.tables import evidence_copies, evidence_files, kit
from shared.kit import audit, clock, db
from shared.kit.access import service_caller
from shared.kit.crypto import UnreadableSecretError
from shared.kit.files.vault import PREFIX, file_id_of, unwrap

_F = evidence_files.c
_ROWS = 200
_GRACE = timedelta(hours=3)
"""Longer than any upload takes: younger objects may belong to a row that is about to be written."""
ME = service_caller("casework")


async def whole(room: EvidenceRoom, row: Any) -> bool:
    """Whether a file's bytes are there, open under its key and fit both its hash and its size."""
    digest, size = hashlib.sha256(), 0
    try:
        key = unwrap(room.keys, row.id, bytes(row.data_key))
        async for chunk in room.vault.read(row.id, "original", key):
            digest.update(chunk)
            size += len(chunk)
    except (UnreadableSecretError, InvalidTag, FileNotFoundError):
        return False
    return digest.digest() == bytes(row.sha256) and size == row.size


async def recheck(room: EvidenceRoom, now: datetime) -> int:
    """Read again what was not read for the longest time, about so many bytes a round; returns how many were damaged.

    What does not fit any more is not given out, stands in its item's chain and rings (metric, alert). A file that
    was found damaged is tried again each round: one that was restored from a backup is whole again.
    """
    before = now - timedelta(days=room.settings.evidence_recheck_days)
    query = (
        select(evidence_files).where(_F.state == "whole", _F.checked_at < before).order_by(_F.checked_at).limit(_ROWS)
    )
    async with db.begin(room.service.engine) as conn:
        due = (await conn.execute(query)).all()
        broken = (await conn.execute(select(evidence_files).where(_F.state == "damaged").limit(_ROWS))).all()
    found, left = 0, room.settings.evidence_recheck_bytes
    for row in [*broken, *due]:
        if left <= 0:
            break
        left -= row.size
        found += await judged(room, row, await whole(room, row))
    return found


async def judged(room: EvidenceRoom, row: Any, fits: bool) -> int:
    """Record how a file was found; 1 when it turned out damaged now."""
    EVIDENCE_CHECKED.labels("whole" if fits else "damaged").inc()
    state, now = "whole" if fits else "damaged", clock.now()
    async with db.begin(room.service.engine) as conn:
        [item] = await lock(conn, [row.item_id])
        changed = await conn.execute(
            update(evidence_files)
            .where(_F.id == row.id, _F.state == row.state)
            .values(state=state, **({"checked_at": now} if fits else {}))
        )
        if changed.rowcount == 0 or state == row.state:
            return 0
        action = "damage_found" if not fits else "damage_mended"
        facts = {"file": row.number, "sha256": bytes(row.sha256).hex()}
        await append(conn, room.keys, ME, [Note(item, action, facts)], now)
        await audit.record(conn, kit, ME, f"evidence.{action.replace('_', '-')}", "evidence_file", [row.id], now)
    return int(not fits)


async def scan_unscanned(room: EvidenceRoom) -> int:
    """Scan files that came while no scanner answered."""
    if not room.scanner.present:
        return 0
    query = select(evidence_files).where(_F.scan.in_(("not_scanned", "failed")), _F.state == "whole")
    async with db.begin(room.service.engine) as conn:
        rows = (await conn.execute(query.order_by(_F.received_at).limit(10))).all()
    for row in rows:
        key = unwrap(room.keys, row.id, bytes(row.data_key))
        scan = await room.scanner.scan(room.vault.read(row.id, "original", key))
        if scan == "failed":
            break
        async with db.begin(room.service.engine) as conn:
            await conn.execute(update(evidence_files).where(_F.id == row.id).values(scan=scan))
            await audit.record(conn, kit, ME, "evidence.scan", "evidence_file", [row.id], clock.now(), scan=scan)
    return len(rows)


async def sweep(room: EvidenceRoom, now: datetime) -> int:
    """Remove objects whose rows never came (a crash in between) or whose keys were destroyed; never one with a key.

    Returns how many files and copies were removed.
    """
    found = {file_id_of(key) for key in await room.vault.objects.older(PREFIX, now - _GRACE)}
    ids = sorted(file_id for file_id in found if file_id is not None)
    removed = 0
    for at in range(0, len(ids), 1000):
        some = ids[at : at + 1000]
        async with db.begin(room.service.engine) as conn:
            known = await _known(conn, some)
        for file_id in some:
            if file_id not in known:
                await room.vault.remove(file_id)
                removed += 1
    return removed


async def _known(conn: AsyncConnection, ids: Sequence[UUID]) -> set[UUID]:
    known: set[UUID] = set()
    for table in (evidence_files, evidence_copies):
        query = select(table.c.id).where(table.c.id.in_(ids), table.c.data_key.is_not(None))
        known |= set((await conn.execute(query)).scalars())
    return known
