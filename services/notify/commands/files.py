"""Files as proof (photos, papers): taken as a stream, told by content, freed of hidden data; only that copy is kept, sealed.

The bytes go first, the row last; what breaks off in between is removed at once or, after a crash, by `sweep`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import Request
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import ClientDisconnect

from services.notify.commands.publicity.parts import PublicityRoom
from services.notify.tables import kept_files, kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.files.incoming import Incoming
from shared.kit.files.kinds import REFUSALS, TAKEN
from shared.kit.files.multipart import Upload, parts
from shared.kit.files.vault import PREFIX, file_id_of, new_data_key, unwrap, wrap
from shared.kit.ids import new_id
from shared.kit.problem import BadRequest, Conflict, Invalid, NotFound, Problem, TooLarge, Unavailable, UnsupportedType

_KINDS = ("image", "document")
_GRACE = timedelta(hours=2)
"""Longer than any upload takes: younger objects may belong to a row that is about to be written."""

Owner = Callable[[AsyncConnection], Awaitable[None]]
"""Raises where the caller may not add to the owner; asked before the bytes come, and again with the row."""

k = kept_files.c


@dataclass(frozen=True, slots=True)
class Kept:
    """A file on record; `replayed` when its owner had it already."""

    row: Any
    replayed: bool


def _refused(reason: str) -> UnsupportedType:
    zh, en = REFUSALS.get(reason, ("这种文件不能作证明，请用照片或 PDF", "this kind of file is no proof; send a photo or a PDF"))
    return UnsupportedType(
        f"这个文件没有收：{zh}。没有保存它的任何部分。 This file was not taken: {en}. Nothing of it was kept.",
        code="file-refused",
        reason=reason,
    )


def _judged(media_type: str | None, reason: str) -> None:
    if media_type is None:
        raise _refused(reason)
    if TAKEN[media_type].kind not in _KINDS:
        raise _refused("not-a-proof")


def _too_large(most: int) -> TooLarge:
    return TooLarge(
        f"单个文件最大 {most >> 20} MB，这个没有收；请压缩后再传。 "
        f"A file may have at most {most >> 20} MB; this one was not kept. Make it smaller and send it again.",
        code="file-too-large",
        limit=most,
    )


def _busy() -> Unavailable:
    return Unavailable(
        "现在上传的人较多，这个文件还没有收；请过一分钟再传。 Many files are arriving; this one was not kept. Send it again in a minute.",
        code="uploads-busy",
        headers={"retry-after": "60"},
    )


def _no_room() -> Unavailable:
    return Unavailable(
        "存储空间不足，这个文件没有收；请联系运维后重传。 There is no room for files; this one was not kept. Tell the operators.",
        code="no-room",
        headers={"retry-after": "3600"},
    )


async def take(
    room: PublicityRoom, caller: Caller, owner_kind: str, owner_id: UUID, chunks: AsyncIterator[bytes], may: Owner
) -> Kept:
    """Take one file for an owner to which the caller `may` add. The same content again gives the same answer.

    Raises what `may` raises, and the refusals above; nothing is kept of what is refused.
    """
    settings, vault = room.settings, room.vault
    file_id, data_key = new_id(), new_data_key()
    async with db.begin(room.service.engine) as conn:
        await may(conn)
    kept = committing = False
    try:
        async with room.seat(_busy, _no_room):
            incoming = Incoming(chunks, settings.most_proof_bytes, _too_large, _judged)
            try:
                async with asyncio.timeout(settings.upload_patience_s):
                    written = await vault.write(file_id, "original", data_key, aiter(incoming))
            except (ClientDisconnect, TimeoutError) as error:
                raise BadRequest(
                    "文件没有传完，没有保存；请重新上传。 The file did not arrive whole; nothing was kept. Send it again.",
                    code="cut-off",
                ) from error
        found = await _cleaned(room, file_id, data_key, incoming.media_type or "")
        await vault.remove(file_id, "original")
        row = found | {
            "id": file_id, "owner_kind": owner_kind, "owner_id": owner_id, "sha256": written.sha256,
            "data_key": wrap(settings.keys, file_id, data_key), "received_by": caller.actor,
        }  # fmt: skip
        committing = True
        made = await _recorded(room, caller, row, may)
        kept = not made.replayed
        return made
    except BaseException as error:
        kept = committing and not isinstance(error, Problem)
        raise
    finally:
        if not kept:
            await asyncio.shield(vault.remove(file_id))


async def _cleaned(room: PublicityRoom, file_id: UUID, data_key: bytes, media_type: str) -> dict[str, Any]:
    vault = room.vault
    scan = await room.scanner.scan(vault.read(file_id, "original", data_key))
    if scan == "found":
        raise _refused("infected")

    async def keep(copy: AsyncIterator[bytes]) -> int:
        return (await vault.write(file_id, "copy", data_key, copy)).size

    original = vault.read(file_id, "original", data_key)
    verdict = await room.cleaner.clean(media_type, original, keep, room.settings.proof_cleaning_wait_s)
    if verdict is None:
        raise _busy()
    if verdict.outcome != "cleaned":
        raise _refused(verdict.reason or "broken")
    assert verdict.copy_type is not None and verdict.copy_size is not None
    return {
        "kind": TAKEN[verdict.media_type].kind, "media_type": verdict.copy_type, "size": verdict.copy_size, "scan": scan,
    }  # fmt: skip


async def _recorded(room: PublicityRoom, caller: Caller, row: dict[str, Any], may: Owner) -> Kept:
    now = clock.now()
    async with db.begin(room.service.engine) as conn:
        await may(conn)
        count = (await conn.execute(select(func.count()).where(k.owner_id == row["owner_id"]))).scalar_one()
        if count >= room.settings.most_proof_files:
            most = room.settings.most_proof_files
            raise Conflict(
                f"最多 {most} 个文件，这个没有收。 At most {most} files; this one was not kept.", code="too-many-files"
            )
        made = await insert_many(
            conn, kept_files, [row | {"received_at": now}], conflict="ON CONFLICT DO NOTHING", returning="id"
        )
        query = select(kept_files).where(k.owner_id == row["owner_id"], k.sha256 == row["sha256"])
        kept = (await conn.execute(query)).one()
        if made:
            await audit.record(
                conn, kit, caller, "file.kept", "kept_file", [row["id"]], now, kind=row["kind"], scan=row["scan"]
            )
    return Kept(kept, replayed=not made)


async def take_request(
    request: Request, room: PublicityRoom, caller: Caller, owner_kind: str, owner_id: UUID, may: Owner
) -> list[Kept]:
    """The files of a request: its body, or those of a multipart form. Raises `Invalid` where there is none."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/"):
        return [await take(room, caller, owner_kind, owner_id, request.stream(), may)]
    taken = []
    async for part in parts(kind, request.stream()):
        if isinstance(part, Upload):
            taken.append(await take(room, caller, owner_kind, owner_id, part.chunks, may))
    if not taken:
        raise Invalid("没有选择文件。 There is no file in the request.", code="no-file")
    return taken


async def of_owner(conn: AsyncConnection, owner_id: UUID) -> Sequence[Any]:
    """The files of an owner, the first first."""
    return (await conn.execute(select(kept_files).where(k.owner_id == owner_id).order_by(k.received_at, k.id))).all()


async def open_copy(
    conn: AsyncConnection, room: PublicityRoom, caller: Caller, owner_id: UUID, file_id: UUID
) -> tuple[Any, AsyncIterator[bytes]]:
    """A file of an owner that the caller was allowed to see, and its bytes; the reading is recorded. NotFound else."""
    row = (await conn.execute(select(kept_files).where(k.id == file_id, k.owner_id == owner_id))).one_or_none()
    if row is None:
        raise NotFound("没有这个文件。 There is no such file.", code="file-not-found")
    await audit.record(conn, kit, caller, "file.read", "kept_file", [file_id], clock.now())
    key = unwrap(room.settings.keys, row.id, bytes(row.data_key))
    return row, room.vault.read(row.id, "copy", key)


async def sweep(room: PublicityRoom, now: datetime) -> int:
    """Remove objects whose rows never came; how many files that were."""
    found = {file_id_of(key) for key in await room.vault.objects.older(PREFIX, now - _GRACE)}
    ids = sorted(file_id for file_id in found if file_id is not None)
    removed = 0
    for at in range(0, len(ids), 1000):
        some = ids[at : at + 1000]
        async with db.begin(room.service.engine) as conn:
            known = {row.id for row in await conn.execute(select(k.id).where(k.id.in_(some)))}
        for file_id in some:
            if file_id not in known:
                await room.vault.remove(file_id)
                removed += 1
    return removed
