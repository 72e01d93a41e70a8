"""Files of tips from the database, within what the caller may see."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.queries.tips import visible_tips
from services.intake.tables import tip_files, tip_flags, tips
from shared.kit.access import Caller
from shared.kit.files.kinds import REFUSALS, UNCLEANED


def may_add(caller: Caller) -> ColumnElement[bool]:
    """Tips an officer or system may add files to: those they may read, and those their own agency handed in."""
    handed_in = (tips.c.plan == caller.plan) & (tips.c.source_agency == caller.agency)
    return or_(visible_tips(caller), handed_in) if caller.agency else visible_tips(caller)


async def tip_to_add_to(conn: AsyncConnection, caller: Caller, tip_id: UUID) -> Row[Any] | None:
    """The tip, if the caller may add files to it."""
    return (await conn.execute(select(tips).where(tips.c.id == tip_id, may_add(caller)))).one_or_none()


async def files_of(conn: AsyncConnection, tip_id: UUID) -> Sequence[Row[Any]]:
    """A tip's files in order of their numbers; whether the tip may be seen was asked before."""
    query = select(tip_files).where(tip_files.c.tip_id == tip_id).order_by(tip_files.c.number)
    return (await conn.execute(query)).all()


async def visible_file(
    conn: AsyncConnection, caller: Caller, tip_id: UUID, file_id: UUID, right: str
) -> Row[Any] | None:
    """One file of a tip within the reach of a right; none once retention has destroyed its keys."""
    query = (
        select(tip_files)
        .join(tips, tips.c.id == tip_files.c.tip_id)
        .where(tip_files.c.id == file_id, tip_files.c.tip_id == tip_id, visible_tips(caller, right))
        .where(tips.c.anonymised_at.is_(None))
    )
    return (await conn.execute(query)).one_or_none()


async def flags_of(conn: AsyncConnection, tip_id: UUID) -> list[str]:
    """What an officer should know of how a tip came."""
    return list((await conn.execute(select(tip_flags.c.flag).where(tip_flags.c.tip_id == tip_id))).scalars())


async def file_counts(conn: AsyncConnection) -> Sequence[Row[Any]]:
    """How many files stand in which state, by kind and scan."""
    columns = (tip_files.c.kind, tip_files.c.state, tip_files.c.scan)
    return (await conn.execute(select(*columns, func.count().label("n")).group_by(*columns))).all()


def file_out(row: Any) -> dict[str, Any]:
    """A file (a mapping) as `FileOut`."""
    words = {**UNCLEANED, **REFUSALS}.get(row["reason"] or "")
    return {
        "file_id": row["id"],
        "number": row["number"],
        "kind": row["kind"],
        "media_type": row["media_type"],
        "size": row["size"],
        "state": row["state"],
        "reason": {"zh": words[0], "en": words[1]} if words else None,
        "source": row["source"],
        "received_at": row["received_at"],
    }


def officer_file_out(row: Any) -> dict[str, Any]:
    """A file (a mapping) as `OfficerFileOut`."""
    return {
        **file_out(row),
        "sha256": bytes(row["sha256"]).hex(),
        "scan": row["scan"],
        "copy_type": row["copy_type"],
        "copy_size": row["copy_size"],
    }
