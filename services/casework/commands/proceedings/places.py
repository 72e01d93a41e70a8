"""Places that a proceeding names are known: of a case, or of intake's registers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.domain.procedures import FieldRule
from services.casework.domain.proceedings import Incomplete
from services.casework.tables import places, registered_places


async def check_places(
    conn: AsyncConnection, plan: str, rules: Mapping[str, FieldRule], given: Mapping[str, Any]
) -> None:
    """Raises `Incomplete` for the id of no place of the plan."""
    asked = {
        name: [given[name]] if isinstance(given[name], str) else list(given[name])
        for name, rule in rules.items()
        if rule.type == "place" and not rule.derived and given.get(name)
    }
    if not asked:
        return
    wanted = [UUID(one) for ids in asked.values() for one in ids]
    found = union(
        *(select(t.c.id).where(t.c.id.in_(wanted), t.c.plan == plan) for t in (places, registered_places))
    )
    known = {str(one) for one in (await conn.execute(found)).scalars()}
    wrong = {
        name: "没有这个场所：请用本案场所或出租屋、会场登记中的编号 / no such place: use the id of a place or of a register"
        for name, ids in asked.items()
        if not known.issuperset(ids)
    }
    if wrong:
        raise Incomplete(wrong)
