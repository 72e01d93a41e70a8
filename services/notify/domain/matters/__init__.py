"""Who is told of what happens beside cases and handovers, and what ends such a notice. Rows are made here.

A matter is a kind, an id and where it is opened (`dataref`). Its notice goes to an agency or unit, or, with `needs`, to
whoever holds a right within reach: a request to see a reporter's contact is nobody else's business.

One module a publisher; each tells its makers of notices, what ends them, and the events they come by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from services.notify.domain.matters import consequences, duties, findings, intake, proceedings
from services.notify.domain.matters.parts import NEEDS, DueOf, Makers, Matter, Place, Told
from services.notify.domain.matters.proceedings import turn_taken
from services.notify.domain.notices import SPACE, State, Template, office_of
from shared.events.rewards import RewardBudgetShort
from shared.rules.plan import Plan

__all__ = ["NEEDS", "TOLD", "DueOf", "Matter", "News", "Own", "Place", "Told", "ended_by", "own_rows", "rows_of", "told_of", "turn_taken", "unsigned"]

News = consequences.News | duties.News | findings.News | intake.News | proceedings.News

_HEARD: Makers = {**consequences.MAKERS, **findings.MAKERS, **intake.MAKERS, **proceedings.MAKERS}
_MAKERS: Makers = {**_HEARD, **duties.MAKERS}
_ENDS = (intake.ended_by, duties.ended_by, findings.ended_by, consequences.ended_by)
TOLD: tuple[type, ...] = (*_HEARD, *findings.ENDING, *intake.ENDING)
"""Events that make such notices or end them, as consumers hear of them."""


def told_of(event: News, plan: Plan | None) -> list[Told]:
    """The notices of one event. Without the plan nobody can be named but those the event names."""
    maker = _MAKERS.get(type(event))
    return maker(event, plan) if maker else []


def rows_of(event: News, plan: Plan | None, due_of: DueOf, now: datetime) -> list[dict[str, Any]]:
    """The notices of one event as rows; the same event makes the same ids."""
    return [_row(event, one, plan, due_of, now) for one in told_of(event, plan)]


@dataclass(frozen=True, slots=True)
class Own:
    """What notify tells of its own work, as an event of another would: a report owed, a bulletin to release."""

    plan: str
    area: str | None = None
    due: date | None = None
    """A day that stands for a number."""


def own_rows(own: Own, told: Sequence[Told], plan: Plan, due_of: DueOf, now: datetime) -> list[dict[str, Any]]:
    """The notices of notify's own matters as rows."""
    return [_row(own, one, plan, due_of, now) for one in told]


def ended_by(event: News) -> tuple[UUID, Sequence[Template], datetime, bool] | None:
    """Which matter's requests an event fulfils, when, and whether in time; None: none."""
    return next((found for ends in _ENDS if (found := ends(event)) is not None), None)


def _row(event: News | Own, one: Told, plan: Plan | None, due_of: DueOf, now: datetime) -> dict[str, Any]:
    agency, unit = one.to
    rule, due, provisional = one.rule, one.due, one.provisional
    if due is None and one.signs and plan is not None:
        rule, due, provisional = due_of(plan, now)
    return {
        "id": uuid5(SPACE, f"matter|{one.matter}|{one.matter_id}|{agency}|{unit or ''}|{one.template}{one.turn}"),
        "case_id": None,
        "handover_id": None,
        "lead_id": one.lead_id,
        "matter": one.matter.value,
        "matter_id": one.matter_id,
        "dataref": one.dataref,
        "needs": one.needs,
        "items": one.items,
        "number": _number(event),
        "plan": event.plan,
        "area": getattr(event, "area", None),
        "kinds": list(one.kinds),
        "urgent": one.urgent,
        "agency": agency,
        "unit": unit,
        "role": None,
        "template": one.template.value,
        "state": State.WAITING.value,
        "rule": rule,
        "due": due,
        "provisional": provisional,
        "created_at": now,
        "version": 1,
    }


def _number(event: Any) -> str:
    """What stands for a number: a fund with its year, a day; nothing for what has none."""
    if isinstance(event, RewardBudgetShort):
        return str(event.year)
    if hasattr(event, "proceeding_id"):
        return event.number
    due = getattr(event, "due", None)
    return due.isoformat() if isinstance(due, date) and not isinstance(due, datetime) else ""


def unsigned(row: Mapping[str, Any], plan: Plan, now: datetime) -> dict[str, Any] | None:
    """The office's notice that an agency has not signed in time; None for the office's own and what is not for it."""
    office = office_of(plan)
    if row["needs"] is not None or (row["agency"], row["unit"]) == office:
        return None
    kept = {
        name: row[name]
        for name in ("lead_id", "matter", "matter_id", "dataref", "items", "number", "plan", "area", "kinds", "urgent", "rule", "due",
            "provisional")
    }  # fmt: skip
    return kept | {
        "id": uuid5(SPACE, f"unsigned|{row['id']}"),
        "case_id": None,
        "handover_id": None,
        "needs": None,
        "agency": office[0],
        "unit": office[1],
        "role": None,
        "template": Template.UNSIGNED_OFFICE.value,
        "state": State.WAITING.value,
        "created_at": now,
        "version": 1,
        "raised_at": now,
    }
