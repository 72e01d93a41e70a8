"""A file brought into a downline: tried first, every wrong row told, the same content again changes nothing."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.adapters.downline_file import Sheet, read_file
from services.casework.commands.downline.writing import record_rows
from services.casework.commands.reach import case_to_change
from services.casework.tables import downline_imports, kit
from shared.kit import audit, db
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.kit.db import insert_many
from shared.kit.ids import new_id
from shared.kit.service import Service
from shared.rules.calendar import local_day

MOST_TOLD = 500
"""Rejected rows listed in one answer."""
CHUNK = 5_000


class _Undo(Exception):
    """Ends the transaction of a trial without a trace."""


async def bring_in(
    service: Service,
    caller: Caller,
    case_id: UUID,
    content: bytes,
    now: datetime,
    *,
    kind: str,
    evidence_id: UUID | None = None,
    columns: Mapping[str, int] | None = None,
    dry_run: bool,
) -> dict[str, Any]:
    """Bring a file in, in one transaction; a dry run tells the same and keeps nothing.

    Raises what `read_file` and `case_to_change` raise.
    """
    async with db.begin(service.engine) as conn:
        await case_to_change(conn, caller, case_id, "downline.edit")
    sheet = await asyncio.to_thread(read_file, content, kind, local_day(now), columns)
    mark = _mark(service.settings.keys, content, kind, evidence_id, columns)
    told: dict[str, Any] = {}
    try:
        async with db.begin(service.engine) as conn:
            await case_to_change(conn, caller, case_id, "downline.edit")
            before = await conn.scalar(
                select(downline_imports.c.told).where(
                    downline_imports.c.case_id == case_id, downline_imports.c.content_hash == mark
                )
            )
            if before is not None:
                return before | {"dry_run": dry_run, "repeated": True, "preview": sheet.preview}
            told = await _keep(conn, service.settings.keys, caller, case_id, sheet, evidence_id, mark, now)
            if dry_run:
                raise _Undo
    except _Undo:
        pass
    return told | {"dry_run": dry_run, "repeated": False, "preview": sheet.preview}


def _mark(
    keys: KeyRing, content: bytes, kind: str, evidence_id: UUID | None, columns: Mapping[str, int] | None
) -> bytes:
    asked = orjson.dumps([kind, evidence_id and str(evidence_id), dict(columns or {})], option=orjson.OPT_SORT_KEYS)
    return keys.token("person_lookup", "downline-file", hashlib.sha256(content).digest(), asked)


async def _keep(
    conn: AsyncConnection, keys: KeyRing, caller: Caller, case_id: UUID, sheet: Sheet, evidence_id: UUID | None,
    mark: bytes, now: datetime,
) -> dict[str, Any]:  # fmt: skip
    import_id = new_id()
    members = facts = same = two = version = 0
    rejects = [
        {"row": one.row, "field": one.field, "code": one.code, "message": one.message} for one in sheet.rejects
    ]
    for start in range(0, len(sheet.rows), CHUNK):
        await asyncio.sleep(0)  # a long import must not keep a held person's tip waiting
        part = await record_rows(
            conn, keys, caller, case_id, sheet.rows[start : start + CHUNK], now,
            evidence_id=evidence_id, import_id=import_id,
        )  # fmt: skip
        members, facts, same, two = members + part.members, facts + part.facts, same + part.same, two + part.two_uplines
        version = part.version
        rejects += [{"row": row, "field": f, "code": code, "message": said} for row, f, code, said in part.refused]
    rejects.sort(key=lambda one: (one["row"], one["field"]))
    told = {
        "import_id": str(import_id), "columns": sheet.columns, "rows": sheet.count, "members": members, "facts": facts,
        "same": same, "rejected": len(rejects), "disputed": two, "rejects": rejects[:MOST_TOLD], "version": version,
    }  # fmt: skip
    if sheet.rows:
        await insert_many(
            conn,
            downline_imports,
            [
                {
                    "id": import_id, "case_id": case_id, "content_hash": mark, "evidence_id": evidence_id, "told": told,
                    "imported_by": caller.actor, "imported_at": now,
                }
            ],
        )  # fmt: skip
    await audit.record(
        conn, kit, caller, "downline.import", "case", [case_id], now,
        rows=sheet.count, members=members, facts=facts, rejected=len(rejects),
    )  # fmt: skip
    return told
