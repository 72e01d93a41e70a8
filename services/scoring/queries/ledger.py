"""Entries of the ledger within a caller's reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.tables import ledger, obligations
from shared.kit.access import Caller, scope

LATE = ("met_late", "missed")
"""Outcomes that count as late."""


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Which entries; what is None does not matter.

    `first` and `last` are China days on which the fact happened, both inclusive; `as_of` asks for the ledger as it was
    known at that moment. `outcome` `late` means done late or not done.
    """

    plan: str | None = None
    rulebook: str | None = None
    agency: str | None = None
    unit: str | None = None
    area: str | None = None
    outcome: str | None = None
    first: date | None = None
    last: date | None = None
    as_of: datetime | None = None
    basis: str | None = None
    subject_kind: str | None = None
    subject: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL. A `unit` of "" means entries of the agency as a whole."""
        found: list[ColumnElement[bool]] = [
            ledger.c[name] == value
            for name in ("plan", "rulebook", "agency", "area", "basis", "subject_kind", "subject")
            if (value := getattr(self, name)) is not None
        ]
        if self.unit is not None:
            found.append(ledger.c.unit == self.unit if self.unit else ledger.c.unit.is_(None))
        if self.outcome is not None:
            found.append(ledger.c.outcome.in_(LATE) if self.outcome == "late" else ledger.c.outcome == self.outcome)
        if self.first is not None:
            found.append(ledger.c.occurred_on >= self.first)
        if self.last is not None:
            found.append(ledger.c.occurred_on <= self.last)
        if self.as_of is not None:
            found.append(ledger.c.recorded_at <= self.as_of)
        return found


def visible(caller: Caller, right: str, of: Any = ledger, area: Any = None) -> ColumnElement[bool]:
    """Entries within a caller's reach; or what is summed up of them, `of` a standing and in an `area`."""
    return scope(
        caller,
        right,
        plan=of.c.plan,
        agency=lambda agency: of.c.agency == agency,
        unit=lambda agency, unit: and_(of.c.agency == agency, of.c.unit == unit),
        area=of.c.area if area is None else area,
    )


async def entries(
    conn: AsyncConnection,
    caller: Caller,
    right: str,
    wanted: LedgerFilter,
    *,
    after: int | None,
    limit: int,
    newest_first: bool = False,
) -> Sequence[Any]:
    """Up to `limit + 1` entries in the order they were recorded (or the other way round), after a `seq`.

    Each row also has the `number` of the case, proceeding or handover, where one is behind it.
    """
    query = (
        select(ledger, obligations.c.number, obligations.c.due, obligations.c.provisional)
        .outerjoin(obligations, obligations.c.deadline_id == ledger.c.deadline_id)
        .where(visible(caller, right), *wanted.conditions())
        .order_by(ledger.c.seq.desc() if newest_first else ledger.c.seq)
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(ledger.c.seq < after if newest_first else ledger.c.seq > after)
    return (await conn.execute(query)).all()
