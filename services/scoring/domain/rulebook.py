"""A rulebook (记分细则): what each outcome of an obligation is worth, with the clause it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from shared.rules.law import Text
from shared.rules.plan import Plan


class Outcome(StrEnum):
    """How an obligation ended, as its owner told it: done in time, done late, or not done by its time."""

    MET = "met"
    MET_LATE = "met_late"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: an outcome of obligations of a kind gives points. `assumed`: the plan's text names no value."""

    id: str
    points: Decimal
    clause: str | None
    assumed: bool
    text: Text


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One plan's lines under one version. `homes` gives each agency's own area, where it has one."""

    plan: str
    id: str
    lines: Mapping[tuple[str, str], Line]
    homes: Mapping[str, str | None]
    communities: frozenset[str] = frozenset()

    def line(self, kind: str, outcome: Outcome) -> Line | None:
        """The line for an outcome of obligations of a kind (`acceptance`, …); None when it is worth nothing."""
        return self.lines.get((kind, outcome.value))

    def decided(self, condition_or_line: str) -> Line | None:
        """The line for a confirmed finding of a condition (`c6`, …), or the line with this id; None without one."""
        found = self.lines.get((condition_or_line, "found"))
        return found or next((line for line in self.lines.values() if line.id == condition_or_line), None)


def rulebook_of(plan: Plan) -> Rulebook:
    """The rulebook that a plan's `scoring.lines` make (D-C1, D-M2); its id is the plan's version."""
    return Rulebook(
        plan=plan.id,
        id=f"v{plan.version}",
        lines={
            (line.on, line.outcome): Line(line.id, Decimal(line.points), line.clause, line.assumed, line.text)
            for line in plan.scoring.lines
        },
        homes={agency.id: agency.area for agency in plan.agencies},
        communities=frozenset(agency.id for agency in plan.agencies if agency.kind == "community"),
    )
