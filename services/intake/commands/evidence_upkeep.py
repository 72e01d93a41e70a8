"""Files on record: opened for officers, cleaned and scanned when that could not be done at once, swept up."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from services.intake import queries
from services.intake.commands.evidence import Evidence, examine, opened
from services.intake.domain.evidence import ORIGINAL_REASONS, FileState, may_become
from services.intake.tables import kit, tip_files, tips
from shared.kit import audit, clock, db
from shared.kit.access import Caller, service_caller
from shared.kit.files.vault import PREFIX, file_id_of, folder, unwrap
from shared.kit.problem import Conflict, NotFound
from shared.kit.service import Service

_MOST_ATTEMPTS = 3
_ROWS = 10
_GRACE = timedelta(hours=2)
"""Longer than any upload takes: younger objects may belong to a row that is about to be written."""


def _not_there() -> NotFound:
    return NotFound("没有这个文件，或不在您的权限内。 No such file within your reach.")


async def open_copy(
    service: Service, evidence: Evidence, caller: Caller, tip_id: UUID, file_id: UUID
) -> tuple[Any, AsyncIterator[bytes]]:
    """The copy without metadata; that it was read is recorded first.

    NotFound outside the caller's reach, Conflict where there is no such copy.
    """
    async with db.begin(service.engine) as conn:
        row = await queries.visible_file(conn, caller, tip_id, file_id, "tip.read")
        if row is None:
            raise _not_there()
        if row.state != FileState.CLEANED.value:
            raise Conflict(
                "这个文件没有去除隐藏信息的副本，不能直接查看。确有需要且有“原件”权限的，可说明理由后下载原件。 "
                "There is no copy without hidden data, so it cannot be looked at. With the right to originals, it can be "
                "downloaded for a reason.",
                code="no-copy",
            )
        await audit.record(conn, kit, caller, "file.read", "tip_file", [file_id], clock.now())
    return row, opened(service, evidence, row, "copy")


async def open_original(
    service: Service, evidence: Evidence, caller: Caller, tip_id: UUID, file_id: UUID, reason: str
) -> tuple[Any, AsyncIterator[bytes]]:
    """The sealed original, for a reason of `ORIGINAL_REASONS`; who opened it and why is recorded first."""
    assert reason in ORIGINAL_REASONS
    async with db.begin(service.engine) as conn:
        row = await queries.visible_file(conn, caller, tip_id, file_id, "file.original")
        if row is None or row.state == FileState.REFUSED.value:
            raise _not_there()
        await audit.record(conn, kit, caller, "file.original", "tip_file", [file_id], clock.now(), reason=reason)
    return row, opened(service, evidence, row, "original")


async def clean_waiting(service: Service, evidence: Evidence) -> int:
    """Clean files that were taken while too many waited; after three tries that broke off, one is quarantined."""
    waiting = (tip_files.c.state == FileState.RECEIVED.value) & tip_files.c.reason.is_(None)
    rows = await _claimed(service, waiting)
    for row in rows:
        if row.attempts > _MOST_ATTEMPTS:
            await _stands(service, row, {"state": FileState.QUARANTINED.value, "reason": "cleaning-failed"})
            continue
        key = unwrap(service.settings.keys, row.id, bytes(row.data_key))
        found = await examine(evidence, row.id, key, row.media_type, wait_s=60)
        if await _stands(service, row, found) and found["state"] == FileState.REFUSED.value:
            await evidence.vault.remove(row.id)
    return len(rows)


async def scan_unscanned(service: Service, evidence: Evidence) -> int:
    """Scan files that came while no scanner answered; what it finds is no longer shown."""
    if not evidence.scanner.present:
        return 0
    unscanned = tip_files.c.scan.in_(("not_scanned", "failed")) & (tip_files.c.state != FileState.REFUSED.value)
    rows = await _claimed(service, unscanned, counted=False)
    for row in rows:
        scan = await evidence.scanner.scan(opened(service, evidence, row, "original"))
        if scan == "failed":
            break
        found: dict[str, Any] = {"scan": scan, "scanned_at": clock.now()}
        if scan == "found" and row.state != FileState.QUARANTINED.value:
            found |= {
                "state": FileState.QUARANTINED.value, "reason": "infected", "copy_type": None, "copy_size": None,
                "cleaned_at": None,
            }  # fmt: skip
        if await _stands(service, row, found) and scan == "found":
            await evidence.vault.remove(row.id, "copy")
    return len(rows)


async def _claimed(service: Service, which: Any, *, counted: bool = True) -> Sequence[Any]:
    """The oldest such files. `counted` notes the attempt before it is made, so that one which kills us is not
    tried for ever."""
    async with db.begin(service.engine) as conn:
        query = select(tip_files).where(which).order_by(tip_files.c.received_at).limit(_ROWS)
        rows = (await conn.execute(query.with_for_update(skip_locked=True))).all()
        if not (rows and counted):
            return rows
        change = (
            update(tip_files)
            .where(tip_files.c.id.in_([row.id for row in rows]))
            .values(attempts=tip_files.c.attempts + 1)
            .returning(tip_files)
        )
        return (await conn.execute(change)).all()


async def _stands(service: Service, row: Any, found: dict[str, Any]) -> bool:
    """Record how a file stands now, unless somebody else did meanwhile."""
    state = found.get("state", row.state)
    if state != row.state and not may_become(FileState(row.state), FileState(state)):
        return False
    async with db.begin(service.engine) as conn:
        changed = await conn.execute(
            update(tip_files)
            .where(tip_files.c.id == row.id, tip_files.c.version == row.version)
            .values(**found, version=row.version + 1)
        )
        if changed.rowcount == 0:
            return False
        await audit.record(
            conn, kit, service_caller("intake"), "file.examine", "tip_file", [row.id], clock.now(),
            state=state, scan=found.get("scan", row.scan),
        )  # fmt: skip
    return True


async def sweep(service: Service, evidence: Evidence, now: datetime) -> int:
    """Remove objects whose rows never came, were refused or are gone, or whose keys retention has destroyed.

    Returns how many files were removed.
    """
    found = {file_id_of(key) for key in await evidence.vault.objects.older(PREFIX, now - _GRACE)}
    ids = sorted(file_id for file_id in found if file_id is not None)
    removed = 0
    for at in range(0, len(ids), 1000):
        some = ids[at : at + 1000]
        query = (
            select(tip_files.c.id, tip_files.c.copy_size)
            .join(tips, tips.c.id == tip_files.c.tip_id)
            .where(
                tip_files.c.id.in_(some),
                tip_files.c.state != FileState.REFUSED.value,
                tips.c.anonymised_at.is_(None),
            )
        )
        async with db.begin(service.engine) as conn:
            known = {row.id: row.copy_size for row in (await conn.execute(query)).all()}
        for file_id in some:
            if file_id not in known:
                await evidence.vault.remove(file_id)
                removed += 1
            elif known[file_id] is None and await evidence.vault.objects.under(folder(file_id, "copy")):
                await evidence.vault.remove(file_id, "copy")
    return removed
