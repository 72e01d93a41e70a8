"""Files of an item come in as streams: hashed at receipt, told by content, sealed, scanned, then recorded.

The bytes go first, the row last: what breaks off in between leaves objects without a row, removed at once or, after a
crash, by the sweeper. Nothing that was answered for is ever without its row.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SM3, Hash
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import ClientDisconnect

from services.casework.commands.evidence.chain import Note, append
from services.casework.commands.evidence.room import (
    EvidenceRoom,
    busy,
    claim_of,
    held_item,
    no_room,
    taken_before,
    too_large,
)
from services.casework.domain.evidence import ItemAction, media_kind
from services.casework.metrics import EVIDENCE_TAKEN
from services.casework.tables import evidence_files, evidence_items, kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.files.incoming import Incoming
from shared.kit.files.kinds import TAKEN
from shared.kit.files.vault import new_data_key, wrap
from shared.kit.ids import new_id
from shared.kit.problem import BadRequest, Conflict, Invalid, Problem

_KINDS = {media_type: told.kind for media_type, told in TAKEN.items()}


@dataclass(frozen=True, slots=True)
class FileTaken:
    """A recorded file; `replayed` when the same request had recorded it before."""

    row: Any
    replayed: bool


def _judged(media_type: str | None, reason: str) -> None:
    if reason == "empty":
        raise Invalid("文件是空的，没有保存。 The file is empty; nothing was kept.", code="file-empty")


def _mismatch(told: bytes, found: bytes) -> Invalid:
    return Invalid(
        "收到的内容与所报的 SHA-256 不符，没有保存任何内容；请核对后重传。 "
        "What arrived does not fit the SHA-256 you gave; nothing was kept. Check it and send again.",
        code="digest-mismatch", told=told.hex(), found=found.hex(),
    )  # fmt: skip


async def take_file(
    room: EvidenceRoom, caller: Caller, item_id: UUID, chunks: AsyncIterator[bytes], *,
    key: str | None = None, expected: bytes | None = None,
) -> FileTaken:  # fmt: skip
    """Take one file for an item that the caller's agency keeps; any kind of file is evidence.

    `expected` is the SHA-256 that the sender told, if any. Raises the refusals of
    `room`, `Invalid` (empty, another hash), `BadRequest` (cut off), `Conflict` (the case has this file already: says
    under which number; too many; the key was used for another content). Nothing is kept of what is refused.
    """
    async with db.begin(room.service.engine) as conn:
        await held_item(conn, caller, item_id, "evidence.manage", ItemAction.ADD_FILE)
    file_id, data_key, sm3 = new_id(), new_data_key(), Hash(SM3())
    kept = committing = False
    try:
        async with room.seat(busy, no_room):
            incoming = Incoming(chunks, room.settings.most_evidence_file_bytes, too_large, _judged)

            async def hashed() -> AsyncIterator[bytes]:
                async for chunk in incoming:
                    sm3.update(chunk)
                    yield chunk

            try:
                async with asyncio.timeout(room.settings.upload_patience_s):
                    written = await room.vault.write(file_id, "original", data_key, hashed())
            except (ClientDisconnect, TimeoutError) as error:
                raise BadRequest(
                    "文件没有传完，没有保存；请重新上传。 The file did not arrive whole; nothing was kept. Send it again.",
                    code="cut-off",
                ) from error
        if expected is not None and expected != written.sha256:
            raise _mismatch(expected, written.sha256)
        scan = await room.scanner.scan(room.vault.read(file_id, "original", data_key))
        media_type, kind = media_kind(incoming.media_type, incoming.reason, _KINDS)
        draft = {
            "id": file_id,
            "item_id": item_id,
            "sha256": written.sha256,
            "sm3": sm3.finalize(),
            "size": written.size,
            "media_type": media_type,
            "kind": kind,
            "scan": scan,
            "data_key": wrap(room.keys, file_id, data_key),
            "received_by": caller.actor,
            "state": "whole",
        }
        committing = True
        taken = await _recorded(room, caller, draft, key)
        kept = not taken.replayed
        return taken
    except BaseException as error:
        # a commit whose answer was lost may have happened: then the row's bytes must stay, and the sweeper decides
        kept = committing and not isinstance(error, (Problem, IntegrityError))
        if _disk_full(error):
            kept = False
            raise no_room() from error
        if isinstance(error, IntegrityError):
            # the same file came twice at the very same time: the other one stands
            raise Conflict(
                "本案已有同一文件，没有重复保存。 The case has this very file already; nothing was kept twice.", code="file-known"
            ) from error
        raise
    finally:
        if not kept:
            await asyncio.shield(room.vault.remove(file_id))


def _disk_full(error: BaseException) -> bool:
    """The storage's own word that nothing fits any more; obstore tells it in its message alone."""
    return not isinstance(error, Problem) and "No space left on device" in str(error)


async def same_content(conn: AsyncConnection, case_id: UUID, sha256: bytes) -> Any:
    """The file of a case with this content, with its item's number; None without one."""
    query = (
        select(evidence_files, evidence_items.c.number.label("item_number"))
        .join(evidence_items, evidence_items.c.id == evidence_files.c.item_id)
        .where(
            evidence_files.c.case_id == case_id, evidence_files.c.sha256 == sha256, evidence_files.c.state != "destroyed"
        )
    )
    return (await conn.execute(query)).one_or_none()


async def _recorded(room: EvidenceRoom, caller: Caller, draft: dict[str, Any], key: str | None) -> FileTaken:
    now, item_id = clock.now(), draft["item_id"]
    async with db.begin(room.service.engine) as conn:
        if key:
            claim = claim_of(room, caller, "evidence.file", key, item_id.bytes + draft["sha256"], draft["id"])
            before = await taken_before(conn, claim, now)
            if before is not None:
                query = select(evidence_files).where(evidence_files.c.id == before)
                return FileTaken((await conn.execute(query)).one(), replayed=True)
        item, _ = await held_item(conn, caller, item_id, "evidence.manage", ItemAction.ADD_FILE)
        known = await same_content(conn, item.case_id, draft["sha256"])
        if known is not None:
            raise Conflict(
                f"本案已有同一文件：第 {known.item_number} 号证据的第 {known.number} 个文件；没有重复保存。 "
                f"The case has this very file already: file {known.number} of evidence {known.item_number}; nothing was kept twice.",
                code="file-known", item_id=str(known.item_id), item_number=known.item_number, file_number=known.number,
            )  # fmt: skip
        if item.files >= room.settings.most_evidence_files:
            raise Conflict(
                f"一件证据最多 {room.settings.most_evidence_files} 个文件，这个没有收。 "
                f"At most {room.settings.most_evidence_files} files with one item; this one was not kept.",
                code="too-many-files",
            )
        last = (
            await conn.execute(select(func.max(evidence_files.c.number)).where(evidence_files.c.item_id == item_id))
        ).scalar()
        row = draft | {"case_id": item.case_id, "number": (last or 0) + 1, "received_at": now, "checked_at": now}
        [made] = await insert_many(conn, evidence_files, [row], returning="id")
        facts = {
            "file": row["number"], "sha256": draft["sha256"].hex(), "sm3": draft["sm3"].hex(), "size": draft["size"],
            "type": draft["media_type"], "scan": draft["scan"],
        }  # fmt: skip
        await append(
            conn, room.keys, caller, [Note(item, "file_received", facts, changes={"files": item.files + 1})], now
        )
        await audit.record(
            conn, kit, caller, "evidence.file", "evidence_file", [made.id], now, kind=row["kind"], scan=row["scan"]
        )
        recorded = (await conn.execute(select(evidence_files).where(evidence_files.c.id == made.id))).one()
    EVIDENCE_TAKEN.labels(row["kind"]).inc()
    return FileTaken(recorded, replayed=False)
