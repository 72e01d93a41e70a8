"""What is recorded of a member: part played, earlier penalties, leaving, money taken; and facts entered by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.downline.writing import Outcome, lock_downline, record_rows, touched
from services.casework.commands.reach import case_to_change, repeated, same_version, wrong
from services.casework.domain.downline.rows import Row
from services.casework.tables import downline_members, kit
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.kit.idempotency import Claim
from shared.kit.problem import Invalid, NotFound


async def change_member(
    conn: AsyncConnection, caller: Caller, case_id: UUID, no: int, changes: dict[str, Any], version: int, claim: Claim,
    now: datetime,
) -> None:  # fmt: skip
    """Change what is recorded of a member (columns of its row). Raises NotFound, Forbidden, Outdated, Invalid."""
    if await repeated(conn, claim, now) is not None:
        return
    await case_to_change(conn, caller, case_id, "downline.edit")
    await lock_downline(conn, case_id, now)
    t = downline_members
    row = (await conn.execute(select(t).where(t.c.case_id == case_id, t.c.no == no))).one_or_none()
    if row is None:
        raise NotFound("本案没有这个成员编号。 The case has no member of this number.", code="no-such-member")
    same_version(row, version)
    left = changes.get("left_on", row.left_on)
    if changes.get("still_paid", row.still_paid) and left is None:
        raise wrong(
            "still_paid", "not-left", "没有填写脱离日期，不能填“仍领取报酬”。",
            "Nobody draws pay after leaving who has not left: give the day.",
        )  # fmt: skip
    await conn.execute(
        update(t).where(t.c.case_id == case_id, t.c.no == no).values(**changes, version=row.version + 1, updated_at=now)
    )
    await touched(conn, case_id, now)
    await audit.record(conn, kit, caller, "downline.member", "case", [case_id], now, no=no, fields=sorted(changes))


async def record_fact(
    conn: AsyncConnection, keys: KeyRing, caller: Caller, case_id: UUID, row: Row, claim: Claim, now: datetime,
    *, evidence_id: UUID | None = None,
) -> tuple[UUID | None, Outcome | None]:  # fmt: skip
    """One fact entered by hand. Returns the claim's object when the request had been carried out before.

    Raises NotFound, Forbidden, Conflict, and Invalid for a row that cannot be kept.
    """
    known = await repeated(conn, claim, now)
    if known is not None:
        return known, None
    await case_to_change(conn, caller, case_id, "downline.edit")
    outcome = await record_rows(
        conn, keys, caller, case_id, [row], now, evidence_id=evidence_id, once=claim.object_id.bytes
    )
    if outcome.refused:
        _, field, code, said = outcome.refused[0]
        raise Invalid(
            f"{said} 未保存任何内容。 Nothing was kept.",
            code=code,
            errors=[{"field": field, "code": code, "message": said}],
        )
    await audit.record(conn, kit, caller, "downline.fact", "case", [case_id], now, kind=row.kind, denies=row.denies)
    return None, outcome
