"""Query parameters that several routes share."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime

from services.scoring.domain.periods import PATTERN, period_of
from services.scoring.queries import LedgerFilter

Code = Annotated[str | None, Query(max_length=64, pattern=r"^[\w-]*$")]
From = Annotated[date | None, Query(alias="from", description="First China day of the facts that count, inclusive")]
To = Annotated[date | None, Query(alias="to", description="Last China day of the facts that count, inclusive")]
Span = Annotated[str | None, Query(alias="period", pattern=PATTERN, description="In place of from and to: 2026, 2026-Q4, 2026-11")]
AsOf = Annotated[AwareDatetime | None, Query(description="The ledger as it was known at this moment")]


def days(period: str | None, first: date | None, last: date | None) -> tuple[date | None, date | None]:
    """The China days that are asked for: of the period, where one is named."""
    if period is None:
        return first, last
    found = period_of(period)
    return max(found.first, first or found.first), min(found.last, last or found.last)


async def ledger_filter(
    plan: Code = None,
    rulebook: Code = None,
    agency: Code = None,
    unit: Annotated[str | None, Query(max_length=64, description="Empty: entries of the agency as a whole")] = None,
    area: Code = None,
    outcome: Annotated[str | None, Query(pattern="^(met|met_late|missed|late|found|decided)$")] = None,
    first: From = None,
    last: To = None,
    as_of: AsOf = None,
    basis: Annotated[str | None, Query(pattern="^(deadline|finding|decision)$")] = None,
    scored_kind: Annotated[str | None, Query(pattern="^(town|community|agency|unit|post)$")] = None,
    scored: Annotated[str | None, Query(max_length=130)] = None,
    period: Span = None,
) -> LedgerFilter:
    """The entries that a request asks for."""
    first, last = days(period, first, last)
    return LedgerFilter(plan, rulebook, agency, unit, area, outcome, first, last, as_of, basis, scored_kind, scored)
