"""All rulebooks an installation knows, and which of them is in force for a plan at a moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.scoring.domain.rulebooks.model import Rulebook
from services.scoring.domain.rulebooks.parts import Line
from shared.rules.plan import Plan

CHINA = ZoneInfo("Asia/Shanghai")


class Rulebooks:
    """Rulebooks by plan. It only grows: a version that is published is added, none is ever changed."""

    def __init__(self, plans: Mapping[str, Plan], rulebooks: Iterable[Rulebook] = ()) -> None:
        self.homes: Mapping[str, Mapping[str, str | None]] = {
            name: {agency.id: agency.area for agency in plan.agencies} for name, plan in plans.items()
        }
        """Plan → agency → its own area, where it has one."""
        self.communities: Mapping[str, frozenset[str]] = {
            name: frozenset(agency.id for agency in plan.agencies if agency.kind == "community")
            for name, plan in plans.items()
        }
        """Plan → the agencies that are communities."""
        self._plans = dict(plans)
        self._all: dict[tuple[str, str], Rulebook] = {}
        self._of_plan: dict[str, tuple[tuple[Rulebook, date, date | None], ...]] = {}
        self._memory: dict[tuple[str, date], tuple[Rulebook, ...]] = {}
        self.add(rulebooks)

    def add(self, rulebooks: Iterable[Rulebook]) -> None:
        """Add versions. One known already stays as it is."""
        for rulebook in rulebooks:
            self._all.setdefault((rulebook.id, rulebook.version), rulebook)
        spans: dict[str, list[tuple[Rulebook, date, date | None]]] = {}
        ordered = sorted(self._all.values(), key=lambda one: (one.id, one.valid_from, one.version))
        for index, one in enumerate(ordered):
            following = ordered[index + 1] if index + 1 < len(ordered) else None
            until = following.valid_from if following is not None and following.id == one.id else None
            for plan in one.plans:
                spans.setdefault(plan, []).append((one, one.valid_from, until))
        for plan in self._plans.values():
            own = own_rulebook(plan)
            if own is not None and not any(own.name == one.name for one, _, _ in spans.get(plan.id, ())):
                spans.setdefault(plan.id, []).append((own, date.min, None))
        self._of_plan = {plan: tuple(found) for plan, found in spans.items()}
        self._memory = {}

    def __contains__(self, plan_id: object) -> bool:
        """Whether this installation runs the plan."""
        return plan_id in self._plans

    def __iter__(self) -> Iterator[Rulebook]:
        return iter(self._all.values())

    def in_force(self, plan_id: str, at: datetime | date) -> tuple[Rulebook, ...]:
        """The rulebooks in force for a plan at a moment (a day is a China day); a change counts from midnight in China.

        Empty where a plan has none.
        """
        day = at.astimezone(CHINA).date() if isinstance(at, datetime) else at
        found = self._memory.get((plan_id, day))
        if found is None:
            found = tuple(
                one
                for one, first, until in self._of_plan.get(plan_id, ())
                if first <= day and (until is None or day < until) and (one.valid_to is None or day <= one.valid_to)
            )
            if len(self._memory) > 5000:
                self._memory.clear()
            self._memory[(plan_id, day)] = found
        return found

    def line_of(self, plan_id: str, name: str, line_id: str, at: datetime | date) -> tuple[Rulebook, Line] | None:
        """The rulebook entries call `name` that was in force, and its line; for explanations."""
        for one in self.in_force(plan_id, at):
            if one.name == name and (line := one.line(line_id)) is not None:
                return one, line
        return None

    def get(self, rulebook_id: str, version: str) -> Rulebook | None:
        """One version, or None."""
        return self._all.get((rulebook_id, version))

    def versions(self, rulebook_id: str) -> tuple[Rulebook, ...]:
        """All versions of a rulebook, oldest first."""
        return tuple(
            sorted((one for one in self._all.values() if one.id == rulebook_id), key=lambda one: one.valid_from)
        )


def own_rulebook(plan: Plan) -> Rulebook | None:
    """The rulebook that the lines in a plan's own files make, for plans that have no file of their own yet."""
    if not plan.scoring.lines:
        return None
    return Rulebook(
        id=f"{plan.id}-plan",
        version="1",
        title={"zh": "方案自带的记分", "en": "The plan's own lines"},
        plans=(plan.id,),
        valid_from=date.min,
        ledger_name=f"v{plan.version}",
        subjects=("agency", "unit", "community"),
        lines=tuple(
            {
                "id": line.id, "on": line.on, "outcome": line.outcome, "points": line.points, "text": line.text,
                "clause": line.clause, "assumed": line.assumed,
            }
            for line in plan.scoring.lines
        ),
    )  # fmt: skip
