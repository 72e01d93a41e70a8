"""Which cases a caller may see or act on: one condition for lists, single objects, traces and actions."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, literal, or_, select

from services.casework.tables import case_parties, cases, revisits
from shared.kit.access import Caller, scope


def _agency(agency: str) -> tuple[ColumnElement[bool], ...]:
    """An agency is party to the case."""
    return case_parties.c.case_id == cases.c.id, case_parties.c.agency == agency


def _unit(agency: str, unit: str) -> tuple[ColumnElement[bool], ...]:
    """A unit of a party is concerned: it is named, or the whole agency is."""
    return *_agency(agency), or_(case_parties.c.units.contains([unit]), case_parties.c.units == [])


def within_reach(caller: Caller, right: str) -> ColumnElement[bool]:
    """The cases on which the caller holds a right."""
    return scope(
        caller, right, plan=cases.c.plan, agency=lambda *of: exists().where(*_agency(*of)),
        unit=lambda *of: exists().where(*_unit(*of)), area=cases.c.area,
    )  # fmt: skip


def reaches(caller: Caller, right: str) -> ColumnElement[bool]:
    """The same, asked of each row by itself: for a column of a list, or one side of an OR.

    An EXISTS there is answered by a table of all cases of the agency, made anew for each list.
    """
    return scope(
        caller, right, plan=cases.c.plan, agency=lambda *of: one_by_one(*_agency(*of)),
        unit=lambda *of: one_by_one(*_unit(*of)), area=cases.c.area,
    )  # fmt: skip


def one_by_one(*where: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether there is a row, as a question that is never turned into a table of all answers."""
    return select(literal(True)).where(*where).limit(1).scalar_subquery().is_not(None)


def may_revisit(caller: Caller) -> ColumnElement[bool]:
    """The revisits (joined with their case) that the caller may do: their community's, or of cases they record places in."""
    return or_(
        scope(
            caller, "revisit.do", plan=revisits.c.plan, agency=lambda agency: revisits.c.agency == agency,
            area=revisits.c.area,
        ),
        reaches(caller, "place.record"),
    )  # fmt: skip
