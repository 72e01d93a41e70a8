"""Measures that lapse soon, as they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from services.casework.domain.procedures import Procedures, UnknownProcedure
from services.casework.queries.measures import Lapsing
from shared.kit.access import Caller
from shared.rules.calendar import local_day
from shared.rules.law import LawBook, UnknownRule
from shared.rules.plan import Plan

WARNING = "plan.measure_warning"
"""The plan's rule: so many days before a measure lapses it is listed."""

_WITHOUT_RULE = 5


class Grounds(Protocol):
    """What it is shown by: `commands.Basis` is one."""

    @property
    def plans(self) -> Mapping[str, Plan]: ...
    @property
    def law(self) -> LawBook: ...
    @property
    def procedures(self) -> Procedures: ...
    @property
    def address(self) -> str: ...


def warning_days(basis: Grounds, caller: Caller, now: datetime) -> tuple[int, str]:
    """How many days ahead the caller's plan warns, and its rule."""
    plan = basis.plans.get(caller.plan or "") or next(iter(basis.plans.values()))
    try:
        return int(plan.limit(WARNING, local_day(now), basis.law).value or 0), WARNING
    except UnknownRule:
        return _WITHOUT_RULE, WARNING


def lapsing_out(basis: Grounds, one: Lapsing, now: datetime) -> dict[str, Any]:
    """A measure that lapses soon."""
    row = one.row
    try:
        name = basis.procedures.get(row.kind).name
    except UnknownProcedure:
        name = None
    return {
        "proceeding_id": row.id,
        "number": row.number,
        "kind": row.kind,
        "name": {"zh": name.zh, "en": name.en} if name else {"zh": row.kind, "en": row.kind},
        "case_id": row.case_id,
        "case_number": row.case_number,
        "agency": row.agency,
        "unit": row.unit,
        "until": one.until,
        "due": one.due,
        "days_left": (one.until - local_day(now)).days,
        "article": one.article,
        "provisional": one.provisional,
        "links": {"self": f"{basis.address}/v1/proceedings/{row.id}", "page": f"{basis.address}/proceedings/{row.id}"},
    }
