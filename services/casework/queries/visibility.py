"""Which cases a caller may see or act on: one condition for lists, single objects, traces and actions."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, or_

from services.casework.tables import case_parties, cases, revisits
from shared.kit.access import Caller, scope


def of_agency(agency: str) -> ColumnElement[bool]:
    """An agency is party to the case."""
    return exists().where(case_parties.c.case_id == cases.c.id, case_parties.c.agency == agency)


def of_unit(agency: str, unit: str) -> ColumnElement[bool]:
    """A unit of a party is concerned: it is named, or the whole agency is."""
    return exists().where(
        case_parties.c.case_id == cases.c.id,
        case_parties.c.agency == agency,
        or_(case_parties.c.units.contains([unit]), case_parties.c.units == []),
    )


def within_reach(caller: Caller, right: str) -> ColumnElement[bool]:
    """The cases on which the caller holds a right."""
    return scope(caller, right, plan=cases.c.plan, agency=of_agency, unit=of_unit, area=cases.c.area)


def may_revisit(caller: Caller) -> ColumnElement[bool]:
    """The revisits (joined with their case) that the caller may do: their community's, or of cases they record places in."""
    return or_(
        scope(
            caller, "revisit.do", plan=revisits.c.plan, agency=lambda agency: revisits.c.agency == agency,
            area=revisits.c.area,
        ),
        within_reach(caller, "place.record"),
    )  # fmt: skip
