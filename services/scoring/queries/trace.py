"""Scoring's part of a tip's journey: obligations and entries by the ids of a case, a deadline or an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.tables import ledger, obligations
from shared.kit.access import Caller, scope


@dataclass(frozen=True, slots=True)
class Traced:
    """What was found."""

    obligations: Sequence[Any]
    entries: Sequence[Any]


def _visible(caller: Caller, table: Table) -> ColumnElement[bool]:
    return scope(
        caller,
        "trace.read",
        plan=table.c.plan,
        agency=lambda agency: table.c.agency == agency,
        unit=lambda agency, unit: and_(table.c.agency == agency, table.c.unit == unit),
        area=table.c.area,
    )


async def for_trace(conn: AsyncConnection, caller: Caller, ids: Sequence[UUID]) -> Traced:
    """Obligations and entries of these cases, deadlines and entries, within the caller's reach."""
    by_entry = (await conn.execute(select(ledger.c.deadline_id).where(ledger.c.entry_id.in_(ids)))).scalars().all()
    found = (
        await conn.execute(
            select(obligations)
            .where(
                _visible(caller, obligations),
                or_(
                    obligations.c.deadline_id.in_([*ids, *(one for one in by_entry if one)]),
                    obligations.c.case_id.in_(ids),
                ),
            )
            .order_by(obligations.c.opened_recordedat, obligations.c.deadline_id)
            .limit(500)
        )
    ).all()
    booked = (
        await conn.execute(
            select(ledger)
            .where(
                _visible(caller, ledger),
                or_(
                    ledger.c.deadline_id.in_([row.deadline_id for row in found]),
                    and_(ledger.c.basis != "deadline", ledger.c.case_id.in_(ids)),
                    and_(ledger.c.basis != "deadline", ledger.c.basis_id.in_(ids)),
                    and_(ledger.c.basis != "deadline", ledger.c.entry_id.in_(ids)),
                ),
            )
            .order_by(ledger.c.recorded_at, ledger.c.entry_id)
        )
    ).all()
    return Traced(found, booked)
