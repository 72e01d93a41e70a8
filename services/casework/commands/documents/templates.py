"""Word templates that an office edited: checked, kept by their hash, newest in use; and the defaults again."""

from __future__ import annotations

import asyncio
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.documents.desk import Desk, sha256
from services.casework.domain.documents.kinds import Kind
from services.casework.tables import document_files, document_templates, kit
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.problem import Invalid, Outdated
from shared.rules.plan import Plan


async def current_template(conn: AsyncConnection, desk: Desk, plan: str, issuer: str, kind: Kind) -> bytes:
    """The template in use: the office's own, else the default."""
    t = document_templates.c
    sha = await conn.scalar(
        select(t.sha256).where(t.plan == plan, t.issuer == issuer, t.kind == kind.id).order_by(t.version.desc()).limit(1)
    )
    return await kept_file(conn, sha) if sha else desk.default_template(kind)


async def keep_file(conn: AsyncConnection, content: bytes) -> str:
    """Keep a template or layout under its hash, once."""
    sha = sha256(content)
    await insert_many(
        conn, document_files, [{"sha256": sha, "content": content, "size": len(content)}], conflict="ON CONFLICT DO NOTHING"
    )
    return sha


async def kept_file(conn: AsyncConnection, sha: str) -> bytes:
    """What was kept under a hash."""
    return bytes(await conn.scalar(select(document_files.c.content).where(document_files.c.sha256 == sha)))


async def checked(kind: Kind, content: bytes) -> list[dict[str, str | bool]]:
    """What the check of a template says, as answers tell it."""
    from services.casework.adapters.documents import templates

    found = await asyncio.to_thread(templates.check, content, kind)
    return [
        {
            "field": one.placeholder, "where": one.where, "code": one.code, "warning": one.warning,
            "message": f"{one.where}：{one.zh} / {one.en}",
        }
        for one in found
    ]  # fmt: skip


async def set_template(
    conn: AsyncConnection, caller: Caller, plan: Plan, issuer: str, kind: Kind, content: bytes | None, *,
    version: int, now: datetime, faults: list[dict[str, str | bool]],
) -> int:  # fmt: skip
    """Take an edited template into use for an issuer (None: back to the default); documents issued before keep theirs.

    `faults`: what `checked` said of it. Raises `Invalid` with every error of it, or `Outdated`. Returns its version.
    """
    wrong = [one for one in faults if not one["warning"]]
    if wrong:
        raise Invalid(
            "模板有误，未启用；请按 errors 所列改好再传。 The template is not taken into use; mend what errors lists.",
            code="bad-template",
            errors=wrong,
        )
    t = document_templates.c
    query = select(t.version).where(t.plan == plan.id, t.issuer == issuer, t.kind == kind.id)
    latest = await conn.scalar(query.order_by(t.version.desc()).limit(1)) or 0
    stale = Outdated(
        "模板已被他人更换，您的更改未保存；请看过现用的模板再传。 "
        "Somebody changed the template meanwhile; nothing was saved. Look at it, then send yours again.",
        current=str(latest),
    )
    if latest != version:
        raise stale
    sha = await keep_file(conn, content) if content is not None else None
    made = await insert_many(
        conn,
        document_templates,
        [{
            "plan": plan.id, "issuer": issuer, "kind": kind.id, "version": version + 1, "sha256": sha, "set_at": now,
            "set_by": caller.actor,
        }],
        conflict="ON CONFLICT DO NOTHING",
        returning="version",
    )  # fmt: skip
    if not made:
        raise stale
    await audit.record(conn, kit, caller, "document.template", "kind", [f"{plan.id}/{issuer}/{kind.id}"], now, sha256=sha)
    return version + 1
