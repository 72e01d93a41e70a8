"""Major cases (重特大案件): facts noted by officers and by what other capabilities find."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.commands.proceedings.facts import Noted, note
from services.casework.commands.proceedings.opening import Wanted, open_by_system
from services.casework.commands.reach import case_to_change, repeated
from services.casework.domain.proceedings import AHEAD
from services.casework.tables import case_facts, cases, downlines, kit
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.idempotency import Claim
from shared.kit.problem import Invalid

_MAKE = (open_by_system, Wanted)


async def note_facts(
    conn: AsyncConnection, basis: Basis, case_id: UUID, facts: Mapping[str, int], *, source: str, known_at: datetime,
    now: datetime,
) -> UUID | None:  # fmt: skip
    """Note what a capability found of a case (by `MAJOR_FACTS`: counts, yuan); returns the report opened by it, or None.

    `known_at`: since when it is known; the report's hours run from there. Unknown cases are passed over.
    """
    case = (await conn.execute(select(cases).where(cases.c.id == case_id))).one_or_none()
    if case is None:
        return None
    return await note(conn, basis, case, Noted(facts, source, known_at), now, _MAKE)


async def note_by_officer(
    conn: AsyncConnection, basis: Basis, caller: Caller, case_id: UUID, noted: Noted, *, claim: Claim, now: datetime
) -> None:
    """Note what an officer tells of a case. Raises `NotFound`, `Forbidden`, `Conflict` or `Invalid`."""
    if await repeated(conn, claim, now) is not None:
        return
    case = await case_to_change(conn, caller, case_id, "proceeding.act", closed=True)
    if noted.known_at > now + AHEAD:
        raise Invalid(
            "知悉时间不能晚于现在；未保存。 It cannot become known in the future; nothing was kept.", code="known-ahead"
        )
    if not noted.declared and not any(noted.facts.values()):
        raise Invalid("请至少填写一项；未保存。 Give at least one fact; nothing was kept.", code="nothing-given")
    made = await note(conn, basis, case, noted, now, _MAKE)
    await audit.record(conn, kit, caller, "case.facts", "case", [case_id], now, report=str(made) if made else None)


async def note_downlines(conn: AsyncConnection, basis: Basis, now: datetime, *, limit: int = 100) -> int:
    """Note what evaluated downlines say of their cases (persons, levels), where it is more than was known.

    Returns how many cases, at most `limit`.
    """
    d, f = downlines.c, case_facts.c

    def said(name: str) -> ColumnElement[int]:
        return cast(d.evaluation[name].astext, Integer)

    def known(name: str) -> ColumnElement[int]:
        return func.coalesce(cast(f.facts[name].astext, Integer), 0)

    more = or_(*(said(name) > known(name) for name in ("persons", "levels")))
    query = (
        select(d.case_id, d.evaluated_at, said("persons").label("persons"), said("levels").label("levels"))
        .outerjoin(case_facts, f.case_id == d.case_id)
        .where(d.evaluation.is_not(None), more)
        .order_by(d.case_id)
        .limit(limit)
    )
    found = (await conn.execute(query)).all()
    for one in found:
        facts = {"persons": one.persons or 0, "levels": one.levels or 0}
        await note_facts(conn, basis, one.case_id, facts, source="downline", known_at=one.evaluated_at, now=now)
    return len(found)
