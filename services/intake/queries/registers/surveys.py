"""Survey rounds and their progress; the community's own page of prevention (X-D1a, X-D9)."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, false, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain.registers.surveys import Progress, progress, total
from services.intake.queries.registers import plain
from services.intake.tables import survey_parts, survey_rounds
from shared.kit.access import Caller, scope
from shared.kit.problem import NotFound


def _visible(caller: Caller) -> ColumnElement[bool]:
    p = survey_parts.c
    return scope(caller, "survey.read", plan=p.plan, agency=lambda agency: false(), area=p.area)


async def rounds(conn: AsyncConnection, caller: Caller, area: str | None = None, limit: int = 30) -> list[dict[str, Any]]:
    """Rounds with parts in reach, open ones first, each with the progress of what is in reach."""
    r, p = survey_rounds.c, survey_parts.c
    inside = _visible(caller) if area is None else _visible(caller) & (p.area == area)
    query = (
        select(survey_rounds)
        .where(exists().where(p.round_id == r.id, inside))
        .order_by(r.state.desc(), r.due.desc(), r.id)
        .limit(limit)
    )
    found = (await conn.execute(query)).mappings().all()
    made = await _parts(conn, [row["id"] for row in found], inside)
    return [{**plain(row), "progress": _total(made[row["id"]])} for row in found]


async def one(conn: AsyncConnection, caller: Caller, round_id: UUID) -> dict[str, Any]:
    """One round: its communities, and in each its estates with their progress. NotFound when none is in reach."""
    made = (await _parts(conn, [round_id], _visible(caller)))[round_id]
    if not made:
        raise NotFound("没有这轮排查，或不在您的权限内。 No such survey round within your reach.")
    row = (await conn.execute(select(survey_rounds).where(survey_rounds.c.id == round_id))).mappings().one()
    areas: dict[str, list[Any]] = defaultdict(list)
    for part in made:
        areas[part["area"]].append(part)
    return {
        **plain(row),
        "progress": _total(made),
        "areas": [
            {
                "area": area,
                "progress": _total(parts),
                "parts": [{**part, "progress": of(part)} for part in sorted(parts, key=lambda part: part["estate"])],
            }
            for area, parts in sorted(areas.items())
        ],
    }


async def _parts(
    conn: AsyncConnection, round_ids: Sequence[UUID], inside: ColumnElement[bool]
) -> dict[UUID, list[Any]]:
    parts: dict[UUID, list[Any]] = defaultdict(list)
    if round_ids:
        query = select(survey_parts).where(survey_parts.c.round_id.in_(round_ids), inside)
        for part in (await conn.execute(query)).mappings():
            parts[part["round_id"]].append(plain(part))
    return parts


def of(part: Any) -> Progress:
    """One part's progress."""
    return progress(part["target"], part["visited"], part["counted"], part["found"], part["done"])


def _total(parts: Sequence[Any]) -> Progress:
    """Parts together; the rest of a community counts only where there is something in it."""
    return total([of(p) for p in parts if p["estate_id"] is not None or p["target"] or p["counted"] or p["done"]])
