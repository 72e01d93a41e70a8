"""Packages of evidence: made for a reason, with a signed manifest, on record in every item's chain; taken away as often
as needed, each time on record."""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.adapters import evidence_package as packing
from services.casework.adapters.evidence_words import opened, opened_line
from services.casework.commands.evidence.chain import Note, append, lock
from services.casework.commands.evidence.room import EvidenceRoom, no_case, no_item, taken_before
from services.casework.commands.evidence.upkeep import judged
from services.casework.domain.evidence import bases, in_prosecution
from services.casework.queries import evidence as queries
from services.casework.queries.evidence_present import entry_of
from services.casework.queries.visibility import within_reach
from services.casework.schemas.evidence import ExportIn
from services.casework.tables import cases, evidence_exports, evidence_files, evidence_items, kit
from shared.events.casework_evidence import EvidenceExported
from shared.kit import audit, clock, db, outbox
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing, UnreadableSecretError
from shared.kit.db import insert_many
from shared.kit.files.kinds import TAKEN
from shared.kit.files.vault import unwrap
from shared.kit.idempotency import Claim
from shared.kit.logs import log
from shared.kit.problem import Conflict, NotFound

FORMAT = "dachuan-evidence/1"
KEYS_PATH = "/.well-known/dachuan-evidence-keys"
_KEY = "manifest"


def ending(media_type: str) -> str:
    """How a file of evidence is called at its end."""
    known = TAKEN.get(media_type)
    return known.ending if known else "bin"


def file_name(item_number: int, file: Any) -> str:
    """A file's path in a package."""
    return f"files/{item_number:04d}-{file.number:03d}.{ending(file.media_type)}"


def public_keys(keys: KeyRing) -> list[dict[str, Any]]:
    """The keys that sign manifests, and those that did before."""
    told = []
    for generation, key in keys.public_keys(_KEY).items():
        raw = key.public_bytes_raw()
        told.append(
            {
                "key_id": packing.key_id(key),
                "current": generation == keys.current,
                "pem": packing.pem(key).decode(),
                "jwk": {
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "x": base64.urlsafe_b64encode(raw).rstrip(b"=").decode(),
                    "use": "sig",
                    "alg": "EdDSA",
                    "kid": packing.key_id(key),
                },
            }
        )
    return told


async def make(
    conn: AsyncConnection, room: EvidenceRoom, caller: Caller, case_id: UUID, body: ExportIn, claim: Claim, now: datetime
) -> UUID:
    """Make a package of items: its manifest is signed and frozen now, its files are read when it is taken away.

    Raises `NotFound` (case or items out of reach), `Conflict` (a file is damaged; the key was used for another request).
    """
    if (known := await taken_before(conn, claim, now)) is not None:
        return known
    case = (
        await conn.execute(select(cases).where(cases.c.id == case_id, within_reach(caller, "evidence.export")))
    ).one_or_none()
    if case is None:
        raise no_case()
    ids = list(dict.fromkeys(body.items))
    wanted = queries.items().where(evidence_items.c.id.in_(ids), evidence_items.c.case_id == case_id)
    if len((await conn.execute(wanted.where(queries.seen(caller, "evidence.export")))).all()) != len(ids):
        raise no_item()
    locked = sorted(await lock(conn, ids), key=lambda row: row.number)
    files = [row for row in await queries.files_of(conn, ids) if row.state != "destroyed"]
    _refuse_damaged(locked, files)
    facts = {"export": str(claim.object_id), "reason": body.reason}
    await append(conn, room.keys, caller, [Note(row, "exported", facts, {"note": body.note}) for row in locked], now)
    items = (await conn.execute(wanted.order_by(evidence_items.c.number))).all()
    chains = await queries.chain_of(conn, ids)
    papers = _papers(room, caller, case, claim.object_id, items, files, chains, body, now)
    listed = papers[packing.MANIFEST]
    key = room.keys.public_key(_KEY)
    await insert_many(
        conn,
        evidence_exports,
        [
            {
                "id": claim.object_id,
                "case_id": case_id,
                "items": [str(row.id) for row in items],
                "reason": body.reason,
                "criminal": any(row.track == "criminal" for row in items),
                "agency": caller.agency,
                "made_by": caller.actor,
                "made_at": now,
                "files": len(files),
                "bytes": sum(row.size for row in files),
                "manifest_sha256": hashlib.sha256(listed).digest(),
                "key_id": packing.key_id(key),
                "papers": room.keys.seal(
                    "evidence",
                    claim.object_id.bytes,
                    orjson.dumps({name: base64.b64encode(data).decode() for name, data in papers.items()}),
                ),
            }
        ],
    )
    event = EvidenceExported(
        case_id=case_id, plan=case.plan, area=case.area, urgent=case.urgent, export_id=claim.object_id,
        agency=caller.agency, reason=body.reason, items=len(items), files=len(files), exported_at=now,
        dataref=f"{room.basis.address}/v1/evidence/exports/{claim.object_id}",
    )  # fmt: skip
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(
        conn, kit, caller, "evidence.export", "evidence", [row.id for row in items], now,
        export=str(claim.object_id), reason=body.reason, files=len(files),
    )  # fmt: skip
    return claim.object_id


def _refuse_damaged(items: Sequence[Any], files: Sequence[Any]) -> None:
    numbers = {row.id: row.number for row in items}
    damaged = sorted(numbers[row.item_id] for row in files if row.state == "damaged")
    if damaged:
        told = "、".join(map(str, damaged))
        raise Conflict(
            f"第 {told} 号证据的文件已损坏，不能导出；请先从备份恢复，或不选这些证据。 "
            f"Files of evidence {told} are damaged and cannot leave; restore them first, or leave those out.",
            code="file-damaged",
            numbers=damaged,
        )


def _papers(
    room: EvidenceRoom, caller: Caller, case: Any, export_id: UUID, items: Sequence[Any], files: Sequence[Any],
    chains: Sequence[Any], body: ExportIn, now: datetime,
) -> dict[str, bytes]:  # fmt: skip
    key = room.keys.public_key(_KEY)
    of_item: dict[UUID, list[Any]] = defaultdict(list)
    for file in files:
        of_item[file.item_id].append(file)
    lines: dict[UUID, list[Any]] = defaultdict(list)
    for row in chains:
        lines[row.item_id].append(row)
    papers = {
        packing.README: packing.readme(case.number, room.basis.address + KEYS_PATH, packing.key_id(key), now),
        packing.PUBLIC_KEY: packing.pem(key),
    }
    for item in items:
        chain = lines[item.id]
        papers[f"custody/{item.number:04d}.jsonl"] = b"".join(entry_of(row).line() + b"\n" for row in chain)
        said = [opened_line(room.keys, item.id, row.words) for row in chain if row.words is not None]
        papers[f"custody/{item.number:04d}.words.jsonl"] = b"".join(one + b"\n" for one in said)
    told = {
        "format": FORMAT,
        "export": str(export_id),
        "case": case.number,
        "reason": body.reason,
        "note": body.note,
        "made_at": now.astimezone(UTC).isoformat(),
        "made_by": {"actor": caller.actor, "agency": caller.agency, "unit": caller.unit},
        "key_id": packing.key_id(key),
        "keys": room.basis.address + KEYS_PATH,
        "items": [_told(room.keys, item, of_item[item.id]) for item in items],
    }
    papers[packing.DETAILS] = orjson.dumps(told, option=orjson.OPT_INDENT_2)
    numbers = {item.id: item.number for item in items}
    listed = packing.manifest(papers, [(file_name(numbers[one.item_id], one), bytes(one.sha256)) for one in files])
    papers[packing.MANIFEST] = listed
    papers[packing.SIGNATURE] = room.keys.sign(_KEY, listed)
    return papers


def _told(keys: KeyRing, item: Any, files: Sequence[Any]) -> dict[str, Any]:
    law = in_prosecution(item.kind, item.track)
    said = opened(keys, item.id, item.particulars)
    said.pop("destroy_files", None)
    return {
        "id": str(item.id),
        "number": item.number,
        "kind": item.kind,
        "track": item.track,
        "basis": bases()[item.basis].article,
        "in_prosecution": {"use": law.use, "article": law.article, "certainty": law.certainty},
        "collected_at": item.collected_at.isoformat(),
        "received_at": item.received_at.isoformat(),
        "agency": item.agency,
        "unit": item.unit,
        "holder": {"agency": item.holder_agency, "unit": item.holder_unit},
        "state": item.state,
        **said,
        "files": [
            {
                "path": file_name(item.number, one),
                "sha256": bytes(one.sha256).hex(),
                "sm3": bytes(one.sm3).hex(),
                "size": one.size,
                "media_type": one.media_type,
                "received_at": one.received_at.isoformat(),
                "received_by": one.received_by,
            }
            for one in files
        ],
        "custody": f"custody/{item.number:04d}.jsonl",
        "custody_length": item.custody_length,
        "custody_head": bytes(item.custody_head).hex(),
    }


@dataclass(frozen=True, slots=True)
class Parcel:
    """A package as it is taken away: its row, its papers, its files with the names they have in it."""

    row: Any
    papers: Mapping[str, bytes]
    files: Sequence[tuple[str, Any]]


async def take_away(room: EvidenceRoom, caller: Caller, export_id: UUID) -> Parcel:
    """Open a package for download; who took it stands in every item's chain first.

    Raises `NotFound`, or `Conflict` when files of it were destroyed or damaged since it was made.
    """
    now = clock.now()
    async with db.begin(room.service.engine) as conn:
        row = await queries.export(conn, caller, export_id)
        if row is None:
            raise NotFound("没有这个证据包，或不在您的权限内。 No such package within your reach.", code="export-not-found")
        ids = [UUID(one) for one in row.items]
        items = await lock(conn, ids)
        numbers = {item.id: item.number for item in items}
        found = [one for one in await queries.files_of(conn, ids) if one.received_at <= row.made_at]
        papers = {
            name: base64.b64decode(data)
            for name, data in orjson.loads(room.keys.open("evidence", row.id.bytes, bytes(row.papers))).items()
        }
        listed = {line.split("  ", 1)[1] for line in papers[packing.MANIFEST].decode().splitlines()}
        files = [(file_name(numbers[one.item_id], one), one) for one in found]
        files = [(name, one) for name, one in files if name in listed]
        _refuse_damaged(items, [one for _, one in files])
        if any(one.state == "destroyed" for _, one in files):
            raise Conflict(
                "包里有文件已依法销毁，这个包不能再取；请重新制作。 Files of it were destroyed since; make a new package.",
                code="file-destroyed",
            )
        facts = {"export": str(export_id)}
        await append(conn, room.keys, caller, [Note(item, "package_read", facts) for item in items], now)
        await audit.record(conn, kit, caller, "evidence.package-read", "evidence_export", [export_id], now)
    return Parcel(row, papers, sorted(files, key=lambda one: one[0]))


def stream(room: EvidenceRoom, parcel: Parcel) -> AsyncIterator[bytes]:
    """The bytes of a package. A file that does not fit its hash breaks it off: no whole ZIP with a false file."""

    async def checked(file: Any) -> AsyncIterator[bytes]:
        digest = hashlib.sha256()
        try:
            async for chunk in room.vault.read(file.id, "original", unwrap(room.keys, file.id, bytes(file.data_key))):
                digest.update(chunk)
                yield chunk
        except (UnreadableSecretError, FileNotFoundError):
            await _damaged(room, file)
            raise
        if digest.digest() != bytes(file.sha256):
            await _damaged(room, file)
            raise UnreadableSecretError("file")

    files = ((name, file.size, checked(file)) for name, file in parcel.files)
    return packing.package(parcel.papers, files, parcel.row.made_at)


async def _damaged(room: EvidenceRoom, file: Any) -> None:
    log.error("evidence.damaged", file=str(file.id))
    async with db.begin(room.service.engine) as conn:
        row = (await conn.execute(select(evidence_files).where(evidence_files.c.id == file.id))).one()
    await judged(room, row, False)
