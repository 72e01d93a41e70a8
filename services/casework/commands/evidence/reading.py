"""Files of evidence are looked at: every reading stands in the custody chain before a byte goes out.

What is worked with is a working copy made by the cleaning process, with a mark of its own; originals are opened by a
right of their own, for a reason.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.evidence.chain import Note, append, lock
from services.casework.commands.evidence.room import EvidenceRoom, claim_of, no_item, taken_before
from services.casework.queries import evidence as queries
from services.casework.tables import evidence_copies, evidence_files, kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.files.kinds import REFUSALS, TAKEN, UNCLEANED
from shared.kit.files.vault import Written, new_data_key, unwrap, wrap
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, NotFound, Problem, Unavailable

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: nothing in it is taken for anything else."""
_PATIENCE_S = 60.0


def new_mark() -> str:
    """A working copy's own id, as it is written across it: `DC-7F3K-9QXM-2ABC`, 60 random bits."""
    drawn = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    return f"DC-{drawn[:4]}-{drawn[4:8]}-{drawn[8:]}"


def copyable(row: Any, most: int) -> bool:
    """Whether a working copy can be tried of a file: of a kind that is understood, whole, not too large, no virus."""
    return row.state == "whole" and row.media_type in TAKEN and row.size <= most and row.scan != "found"


def _no_file() -> NotFound:
    return NotFound("没有这个文件，或不在您的权限内。 No such file within your reach.", code="file-not-found")


def _gone(row: Any) -> Conflict:
    if row.state == "damaged":
        return Conflict(
            "复查发现这个文件与收件时的哈希不符，已停止使用；请联系运维从备份恢复。 "
            "This file no longer fits its hash of receipt and is not given out; ask the operators to restore it.",
            code="file-damaged",
        )
    return Conflict("这个文件已依法销毁。 This file was destroyed.", code="file-destroyed")


async def _file(conn: AsyncConnection, caller: Caller, item_id: UUID, file_id: UUID, right: str) -> tuple[Any, Any]:
    item = await queries.item(conn, caller, item_id, right)
    if item is None:
        raise no_item()
    f = evidence_files.c
    row = (await conn.execute(select(evidence_files).where(f.id == file_id, f.item_id == item_id))).one_or_none()
    if row is None:
        raise _no_file()
    if row.state != "whole":
        raise _gone(row)
    return item, row


def _no_copy(reason: str) -> Conflict:
    zh, en = {**UNCLEANED, **REFUSALS}.get(reason, ("这种文件不能做工作副本", "no working copy can be made of such a file"))
    return Conflict(
        f"不能做工作副本：{zh}；原件未动。有“原件”权限的可说明理由后查看原件。 "
        f"No working copy: {en}; the original is untouched. With the right to originals it can be opened for a reason.",
        code="no-copy",
        reason=reason,
    )


async def make_copy(room: EvidenceRoom, caller: Caller, item_id: UUID, file_id: UUID, key: str) -> UUID:
    """Make a working copy of a file: without hidden data, with its own mark where its kind can carry one.

    Raises `NotFound`, or `Conflict` (none can be made, and why; the file is damaged or destroyed; the key was used
    for another request), `Unavailable`.
    """
    async with db.begin(room.service.engine) as conn:
        _, source = await _file(conn, caller, item_id, file_id, "evidence.read")
    claim = claim_of(room, caller, "evidence.copy", key, item_id.bytes + file_id.bytes, new_id())
    if not copyable(source, room.settings.most_copied_bytes):
        raise _no_copy("infected" if source.scan == "found" else "too-large-to-clean" if source.media_type in TAKEN else "")
    copy_id, data_key, mark = claim.object_id, new_data_key(), new_mark()
    kept = committing = False
    made: list[Written] = []

    async def keep(copy: AsyncIterator[bytes]) -> int:
        made.append(await room.vault.write(copy_id, "copy", data_key, copy))
        return made[0].size

    try:
        plain = room.vault.read(file_id, "original", unwrap(room.keys, file_id, bytes(source.data_key)))
        verdict = await room.cleaner.clean(source.media_type, plain, keep, _PATIENCE_S, mark)
        if verdict is None:
            raise Unavailable("正在处理的文件较多，请稍后再试。 Many files are being worked on; try again shortly.")
        if verdict.outcome != "cleaned" or verdict.copy_type is None:
            raise _no_copy(verdict.reason or "")
        now = clock.now()
        committing = True
        async with db.begin(room.service.engine) as conn:
            before = await taken_before(conn, claim, now)
            if before is None:
                row = {
                    "id": copy_id,
                    "file_id": file_id,
                    "item_id": item_id,
                    "mark": mark,
                    "marked": verdict.marked,
                    "sha256": made[0].sha256,
                    "size": made[0].size,
                    "media_type": verdict.copy_type,
                    "data_key": wrap(room.keys, copy_id, data_key),
                    "made_at": now,
                    "made_by": caller.actor,
                    "agency": caller.agency,
                }
                await insert_many(conn, evidence_copies, [row])
                [item] = await lock(conn, [item_id])
                facts = {
                    "file": source.number, "of_sha256": bytes(source.sha256).hex(), "copy_sha256": made[0].sha256.hex(),
                    "mark": mark, "marked": verdict.marked,
                }  # fmt: skip
                await append(conn, room.keys, caller, [Note(item, "copy_made", facts)], now)
                await audit.record(conn, kit, caller, "evidence.copy", "evidence_file", [file_id], now, mark=mark)
        kept = before is None
        return before or copy_id
    except BaseException as error:
        kept = committing and not isinstance(error, Problem)
        raise
    finally:
        if not kept:
            await asyncio.shield(room.vault.remove(copy_id))


async def open_copy(
    room: EvidenceRoom, caller: Caller, item_id: UUID, copy_id: UUID
) -> tuple[Any, AsyncIterator[bytes]]:
    """A working copy's row and bytes; that it was read is in the chain first. Raises `NotFound` or `Conflict`."""
    now = clock.now()
    async with db.begin(room.service.engine) as conn:
        if await queries.item(conn, caller, item_id) is None:
            raise no_item()
        c = evidence_copies.c
        row = (await conn.execute(select(evidence_copies).where(c.id == copy_id, c.item_id == item_id))).one_or_none()
        if row is None:
            raise _no_file()
        if row.data_key is None:
            raise Conflict("这个文件已依法销毁。 This file was destroyed.", code="file-destroyed")
        [item] = await lock(conn, [item_id])
        await append(conn, room.keys, caller, [Note(item, "copy_read", {"mark": row.mark})], now)
        await audit.record(conn, kit, caller, "evidence.copy-read", "evidence_copy", [copy_id], now, mark=row.mark)
    return row, room.vault.read(copy_id, "copy", unwrap(room.keys, copy_id, bytes(row.data_key)))


async def open_original(
    room: EvidenceRoom, caller: Caller, item_id: UUID, file_id: UUID, reason: str
) -> tuple[Any, AsyncIterator[bytes]]:
    """An original's row and bytes, for a reason; who opened it and why is in the chain first. Raises as `open_copy`."""
    now = clock.now()
    async with db.begin(room.service.engine) as conn:
        _, row = await _file(conn, caller, item_id, file_id, "evidence.original")
        [item] = await lock(conn, [item_id])
        note = Note(item, "original_read", {"file": row.number, "sha256": bytes(row.sha256).hex(), "reason": reason})
        await append(conn, room.keys, caller, [note], now)
        await audit.record(conn, kit, caller, "evidence.original", "evidence_file", [file_id], now, reason=reason)
    return row, room.vault.read(file_id, "original", unwrap(room.keys, file_id, bytes(row.data_key)))
