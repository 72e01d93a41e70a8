"""Which rows of publicity a caller may see or act on: the same condition for lists, figures, single objects and actions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Table

from shared.kit.access import Caller, scope


def within(caller: Caller, right: str, table: Table) -> ColumnElement[bool]:
    """The rows of a table with plan, agency and area (and unit, where it has one) on which a caller holds a right."""
    c: Any = table.c
    return scope(
        caller,
        right,
        plan=c.plan,
        agency=lambda agency: c.agency == agency,
        unit=(lambda agency, unit: (c.agency == agency) & ((c.unit == unit) | c.unit.is_(None))) if "unit" in c else None,
        area=c.area if "area" in c else None,
    )
