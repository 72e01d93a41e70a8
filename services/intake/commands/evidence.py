"""Files with a tip: taken as a stream, sealed, judged and cleaned apart, then recorded; nothing is left half-saved.

The bytes go first, the row last: what breaks off in between leaves objects without a row, which are removed at once or,
after a crash, by the sweeper (`jobs`).
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import ClientDisconnect

from services.intake.domain.evidence import FileState
from services.intake.metrics import FILES_TAKEN
from services.intake.settings import Settings
from services.intake.tables import kit, tip_files, tips
from shared.events.evidence import TipEvidenceAdded
from shared.kit import audit, clock, db, idempotency, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.files.clamav import Finding
from shared.kit.files.cleaning import Verdict
from shared.kit.files.incoming import Incoming
from shared.kit.files.kinds import REFUSALS, TAKEN
from shared.kit.files.room import Room
from shared.kit.files.vault import new_data_key, unwrap, wrap
from shared.kit.ids import new_id
from shared.kit.problem import BadRequest, Conflict, Invalid, Problem, TooLarge, Unavailable, UnsupportedType
from shared.kit.service import Service


class Evidence(Room[Settings]):
    """The room for files of tips."""

    @property
    def largest_body(self) -> int:
        """Bytes of one request with as many files as a tip may have, and some room for its form."""
        return self.settings.most_files * (self.settings.most_file_bytes + 4096) + (1 << 20)


def _busy() -> Unavailable:
    return Unavailable(
        "现在上传的人较多，这个文件还没有收；请过一分钟再传，举报本身不受影响。 "
        "Many files are arriving; this one was not kept. Send it again in a minute; your tip is safe.",
        code="uploads-busy",
        headers={"retry-after": "60"},
    )


def _no_room() -> Unavailable:
    return Unavailable(
        "存储空间不足，这个文件没有收；举报本身不受影响，请稍后再传。 "
        "There is no room for files now; this one was not kept. Your tip is safe; try again later.",
        code="no-room",
        headers={"retry-after": "3600"},
    )


@dataclass(frozen=True, slots=True)
class FileTaken:
    """A recorded file; `replayed` when it had been recorded before."""

    row: Any
    replayed: bool


def refusal(reason: str) -> Problem:
    """The refusal of one file, with what to do instead."""
    zh, en = REFUSALS[reason]
    return UnsupportedType(
        f"这个文件没有收：{zh}。没有保存它的任何部分，其他内容不受影响。 "
        f"This file was not taken: {en}. Nothing of it was kept; everything else stands.",
        code="file-refused",
        reason=reason,
    )


def too_many(most: int) -> Conflict:
    """The refusal of one file more than a tip may have."""
    return Conflict(
        f"一条举报最多 {most} 个文件，这个没有收；已收到的都在。 "
        f"At most {most} files with one tip; this one was not kept, those before it are.",
        code="too-many-files",
        limit=most,
    )


def too_large(most: int) -> TooLarge:
    """The refusal of a file over the limit."""
    return TooLarge(
        f"单个文件最大 {most >> 20} MB，这个没有收；请压缩或截取后再传。 "
        f"A file may have at most {most >> 20} MB; this one was not kept. Make it smaller or send a part of it.",
        code="file-too-large",
        limit=most,
    )


def _judged(media_type: str | None, reason: str) -> None:
    if media_type is None:
        raise refusal(reason)


async def take_file(
    service: Service, evidence: Evidence, caller: Caller, tip_id: UUID, chunks: AsyncIterator[bytes], *, key: str | None
) -> FileTaken:
    """Take one file for a tip that the caller may add to.

    The same content again, or the same key, gives the same answer. Raises the refusals above, BadRequest when the
    sender breaks off, Conflict for another content under a used key.
    """
    file_id, data_key = new_id(), new_data_key()
    vault = evidence.vault
    kept = committing = False
    try:
        async with evidence.seat(_busy, _no_room):
            incoming = Incoming(chunks, evidence.settings.most_file_bytes, too_large, _judged)
            try:
                async with asyncio.timeout(evidence.settings.upload_patience_s):
                    written = await vault.write(file_id, "original", data_key, aiter(incoming))
            except (ClientDisconnect, TimeoutError) as error:
                raise BadRequest(
                    "文件没有传完，没有保存；请重新上传。 The file did not arrive whole; nothing was kept. Send it again.",
                    code="cut-off",
                ) from error
        draft = {
            "id": file_id,
            "tip_id": tip_id,
            "sha256": written.sha256,
            "size": written.size,
            "data_key": wrap(service.settings.keys, file_id, data_key),
            "source": "reporter" if caller.kind == "anonymous" else "agency",
            "attempts": 0,
        }
        claim = (
            idempotency.claim(service.settings.keys, caller, "file", key, tip_id.bytes + written.sha256, file_id)
            if key
            else None
        )
        async with db.begin(service.engine) as conn:
            known = await _known(conn, draft)
            full = known is None and await _count(conn, tip_id) >= evidence.settings.most_files
        if full:
            raise too_many(evidence.settings.most_files)
        if known is None:
            found = await examine(evidence, file_id, data_key, incoming.media_type or "", evidence.settings.cleaning_wait_s)
            if found["state"] == FileState.REFUSED:
                raise refusal(found["reason"])
            draft |= found
        committing = True
        taken = await _recorded(service, evidence, caller, draft, claim)
        kept = not taken.replayed
        return taken
    except BaseException as error:
        # a commit whose answer was lost may have happened: then the row's bytes must stay, and the sweeper decides
        kept = committing and not isinstance(error, Problem)
        raise
    finally:
        if not kept:
            await asyncio.shield(vault.remove(file_id))


async def examine(evidence: Evidence, file_id: UUID, data_key: bytes, media_type: str, wait_s: float) -> dict[str, Any]:
    """Scan and clean a sealed original: the columns that say how it stands. Its bytes are not kept where refused."""
    vault = evidence.vault
    scan: Finding = await evidence.scanner.scan(vault.read(file_id, "original", data_key))
    now = clock.now()
    stands: dict[str, Any] = {
        "media_type": media_type,
        "kind": TAKEN[media_type].kind,
        "state": FileState.RECEIVED.value,
        "reason": None,
        "scan": scan,
        "scanned_at": None if scan in ("not_scanned", "failed") else now,
        "copy_type": None,
        "copy_size": None,
        "cleaned_at": None,
    }
    if scan == "found":
        return stands | {"state": FileState.QUARANTINED.value, "reason": "infected"}

    async def keep(copy: AsyncIterator[bytes]) -> int:
        return (await vault.write(file_id, "copy", data_key, copy)).size

    verdict = await evidence.cleaner.clean(media_type, vault.read(file_id, "original", data_key), keep, wait_s)
    if verdict is None:
        return stands
    if verdict.outcome != "cleaned":
        await vault.remove(file_id, "copy")
    return stands | _columns(verdict, now)


def _columns(verdict: Verdict, now: datetime) -> dict[str, Any]:
    state = {
        "cleaned": FileState.CLEANED,
        "kept": FileState.RECEIVED,
        "refused": FileState.REFUSED,
        "broke": FileState.QUARANTINED,
    }[verdict.outcome]
    return {
        "media_type": verdict.media_type,
        "kind": TAKEN[verdict.media_type].kind,
        "state": state.value,
        "reason": verdict.reason,
        "copy_type": verdict.copy_type,
        "copy_size": verdict.copy_size,
        "cleaned_at": now if verdict.outcome == "cleaned" else None,
    }


async def _count(conn: AsyncConnection, tip_id: UUID) -> int:
    query = select(func.count()).where(tip_files.c.tip_id == tip_id, tip_files.c.state != FileState.REFUSED.value)
    return (await conn.execute(query)).scalar_one()


async def _known(conn: AsyncConnection, draft: dict[str, Any]) -> Any:
    query = select(tip_files).where(tip_files.c.tip_id == draft["tip_id"], tip_files.c.sha256 == draft["sha256"])
    return (await conn.execute(query)).one_or_none()


async def _recorded(
    service: Service, evidence: Evidence, caller: Caller, draft: dict[str, Any], claim: idempotency.Claim | None
) -> FileTaken:
    now, most = clock.now(), evidence.settings.most_files
    async with db.begin(service.engine) as conn:
        # one file of a tip at a time: its number and the limit are decided under this lock
        tip = (
            await conn.execute(
                select(tips.c.plan, tips.c.area, tips.c.lead_id)
                .where(tips.c.id == draft["tip_id"])
                .with_for_update(key_share=True)
            )
        ).one()
        known = await _known(conn, draft)
        if claim:
            if known is not None:
                claim = idempotency.Claim(claim.key_hash, claim.request_hash, known.id)
            used = await idempotency.take(conn, kit.idempotency, claim, now)
            if isinstance(used, Conflict):
                raise used
        if known is not None:
            return FileTaken(known._mapping, replayed=True)
        count = await _count(conn, draft["tip_id"])
        if count >= most:
            raise too_many(most)
        last = (
            await conn.execute(select(func.max(tip_files.c.number)).where(tip_files.c.tip_id == draft["tip_id"]))
        ).scalar()
        row = draft | {"number": (last or 0) + 1, "received_at": now, "version": 1}
        await insert_many(conn, tip_files, [row])
        if tip.lead_id is not None:
            await outbox.put(conn, kit.outbox, [_added(service, tip, row, count + 1)], now)
        await audit.record(
            conn, kit, caller, "file.receive", "tip_file", [row["id"]], now,
            kind=row["kind"], state=row["state"], scan=row["scan"],
        )  # fmt: skip
    FILES_TAKEN.labels(row["kind"], row["state"]).inc()
    return FileTaken(row, replayed=False)


def _added(service: Service, tip: Any, row: dict[str, Any], count: int) -> TipEvidenceAdded:
    return TipEvidenceAdded(
        lead_id=tip.lead_id,
        tip_id=row["tip_id"],
        plan=tip.plan,
        area=tip.area,
        media=row["kind"],
        files=count,
        source=row["source"],
        added_at=row["received_at"],
        dataref=f"{service.settings.base_url('intake')}/v1/tips/{row['tip_id']}/files",
    )


def opened(service: Service, evidence: Evidence, row: Any, part: str) -> AsyncIterator[bytes]:
    """The plain bytes of a part of a file."""
    return evidence.vault.read(row.id, part, unwrap(service.settings.keys, row.id, bytes(row.data_key)))  # type: ignore[arg-type]


def empty() -> Invalid:
    """The refusal of a request without a file."""
    return Invalid("没有选择文件。 There is no file in the request.", code="no-file")
