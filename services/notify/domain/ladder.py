"""How a notice nobody signs climbs: whom the next rung tells, which rungs are passed over and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid5

from services.notify.domain.notices import SPACE, State, Template, office_of
from services.notify.domain.roster import Roster
from shared.rules.plan import Plan
from shared.rules.plan.ladder import LadderRules, Rung

TEMPLATES = {
    "deputy": Template.UNSIGNED_DEPUTY,
    "head": Template.UNSIGNED_HEAD,
    "office": Template.UNSIGNED_OFFICE,
    "leading_group": Template.UNSIGNED_LEADING,
}
NEVER = (*TEMPLATES.values(), Template.DEADLINE_SOON, Template.DEADLINE_DUE, Template.DEADLINE_OVERDUE, Template.DIGEST)
"""Notices that climb no further themselves: rungs, and reminders, whose matter has its own clock."""

CLOCK = "notice_sign"


def rules_of(plan: Plan) -> LadderRules:
    """The plan's ladder; a plan without one tells its office when the time to sign is over."""
    if plan.ladder is not None:
        return plan.ladder
    return LadderRules(desk="desk", rungs=(Rung(to="office", rule=plan.clock(CLOCK) or CLOCK),))


def rule_of(rung: Rung, urgent: bool) -> str:
    """The rule that says how long the rung below has."""
    return (rung.urgent or rung.rule) if urgent else rung.rule


def climbs(row: Mapping[str, Any]) -> bool:
    """Whether anybody above is told when nobody signs: not of what needs a right of its reader."""
    return row.get("needs") is None and row["state"] == State.WAITING and row["template"] not in NEVER


@dataclass(frozen=True, slots=True)
class Step:
    """One rung reached: whom it tells (agency, unit, post; the leading group may sit in several agencies), or why not."""

    number: int
    rung: str
    rule: str
    to: tuple[tuple[str, str | None, str | None], ...] = ()
    skipped: str | None = None


def steps(row: Mapping[str, Any], plan: Plan, roster: Roster) -> list[Step]:
    """The rungs a notice passes now: those with nobody there are passed over until one tells somebody."""
    passed: list[Step] = []
    rules = rules_of(plan)
    for number in range(row["climbed"], len(rules.rungs)):
        rung = rules.rungs[number]
        to, why = _reached(row, rung, rules, plan, roster)
        passed.append(Step(number + 1, rung.to, rule_of(rung, row["urgent"]), tuple(to), why))
        if to:
            break
    return passed


def _reached(
    row: Mapping[str, Any], rung: Rung, rules: LadderRules, plan: Plan, roster: Roster
) -> tuple[list[tuple[str, str | None, str | None]], str | None]:
    agency, unit, post = row["agency"], row["unit"], row["post"] or rules.desk
    if rung.to == "deputy":
        if roster.deputy(plan.id, agency, unit, post) is None:
            return [], "no-deputy"
        return [(agency, unit, post)], None
    if rung.to == "head":
        if row["post"] == rung.post:
            return [], "already-there"
        if not roster.manned(plan.id, agency, rung.post or ""):
            return [], "nobody-there"
        return [(agency, None, rung.post)], None
    office = office_of(plan)
    if rung.to == "office":
        return ([], "already-there") if (agency, unit) == office else ([(*office, None)], None)
    seats = dict.fromkeys(one.agency for one in roster.holders(plan.id, rung.post or ""))
    told = [(one, None, rung.post) for one in seats] or [(office[0], None, rung.post)]
    return told, None


def rung_row(row: Mapping[str, Any], step: Step, to: tuple[str, str | None, str | None], now: datetime) -> dict[str, Any]:
    """The notice of a rung; the same rung of the same notice makes the same id."""
    agency, unit, post = to
    kept = {
        name: row[name]
        for name in (
            "case_id", "handover_id", "lead_id", "matter", "matter_id", "dataref", "items", "number", "plan", "area",
            "kinds", "urgent", "rule", "due", "provisional",
        )
    }  # fmt: skip
    return kept | {
        "id": uuid5(SPACE, f"climb|{row['id']}|{step.rung}|{agency}|{unit or ''}"),
        "needs": None,
        "agency": agency,
        "unit": unit,
        "post": post,
        "role": None,
        "template": TEMPLATES[step.rung].value,
        "ladder": step.rung,
        "of_notice": row["id"],
        "parts": {"template": row["template"], "agency": row["agency"], "unit": row["unit"]},
        "state": State.WAITING.value,
        "created_at": now,
        "version": 1,
        "raised_at": now,
        "climb_at": None,
    }
