"""What the central office's board shows of many towns: sums of standings, and what is open beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, func, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.certificates.states import IN_FORCE
from services.scoring.domain.findings import WAITING
from services.scoring.queries.standings import visible
from services.scoring.tables import certifications, findings, periods, tools
from services.scoring.tables import standings as table
from shared.kit.access import Caller

WIDE = ("plan", "all")
"""Reaches that take in whole towns."""

_OPEN = {
    "findings": (findings, "finding.read", tuple(WAITING)),
    "tools": (tools, "consequence.read", ("standing", "reported", "rectified")),
    "certificates": (certifications, "certificate.read", tuple(IN_FORCE)),
}
"""What is counted beside the points → its table, the right to read it, and the states that count."""


async def sums(conn: AsyncConnection, caller: Caller, right: str) -> Sequence[Any]:
    """Standings summed up by plan and rulebook."""
    town = table.c.subject_kind == "town"
    return (
        await conn.execute(
            select(
                table.c.plan,
                table.c.rulebook,
                func.count().filter(~town).label("units"),
                func.count().filter(town).label("towns"),
                func.coalesce(func.sum(table.c.points).filter(town), 0).label("item"),
                func.sum(table.c.in_time).label("in_time"),
                func.sum(table.c.late).label("late"),
                func.max(table.c.as_of).label("as_of"),
            )
            .where(visible(caller, right))
            .group_by(table.c.plan, table.c.rulebook)
            .order_by(table.c.plan, table.c.rulebook)
        )
    ).all()


async def counted(conn: AsyncConnection, caller: Caller) -> Mapping[str, Mapping[str, int]]:
    """Findings that wait, tools that stand and certificates in force, by plan: those a caller may see whole."""
    found: dict[str, Mapping[str, int]] = {}
    for name, (of, right, states) in _OPEN.items():
        if caller.reach(right) in WIDE:
            query = (
                select(of.c.plan, func.count())
                .where(of.c.state.in_([str(one) for one in states]), _mine(caller, right, of.c.plan))
                .group_by(of.c.plan)
            )
            found[name] = {plan: count for plan, count in await conn.execute(query)}
    return found


async def newest_closed(conn: AsyncConnection, caller: Caller, right: str) -> Mapping[str, str]:
    """The period that each plan closed last."""
    query = (
        select(periods.c.plan, periods.c.label)
        .ext(distinct_on(periods.c.plan))
        .where(_mine(caller, right, periods.c.plan))
        .order_by(periods.c.plan, periods.c.last.desc(), periods.c.first)
    )
    return {plan: label for plan, label in await conn.execute(query)}


def _mine(caller: Caller, right: str, plan: Column[Any]) -> Any:
    return true() if caller.reach(right) == "all" else plan == caller.plan
