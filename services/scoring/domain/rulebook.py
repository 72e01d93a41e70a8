"""A rulebook (记分细则): what each outcome of an obligation is worth, with the clause it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from services.scoring.domain.subjects import SubjectKind
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


Facts = Mapping[str, Any]
"""What a line's `where` can ask for."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One rulebook under one plan, as the ledger asks it. `homes` gives each agency's own area, where it has one.

    `id` is what entries call it; `version` names the very text. A `source` has lines that depend on facts, too.
    """

    plan: str
    id: str
    lines: Mapping[tuple[str, str], Line]
    homes: Mapping[str, str | None]
    communities: frozenset[str] = frozenset()
    source: Source | None = None
    office: str | None = None
    memory: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """What was asked before; a rulebook's answers never change."""

    def line(self, kind: str, outcome: Outcome, facts: Facts | None = None) -> Line | Worth | None:
        """The line for an outcome of obligations of a kind (`acceptance`, …); None when it is worth nothing."""
        if self.source is not None:
            return self.source.line_for(kind, outcome.value, facts)
        return self.lines.get((kind, outcome.value))

    def decided(self, condition_or_line: str, facts: Facts | None = None) -> Line | Worth | None:
        """The line for a confirmed finding of a condition or its detector (`c6`, `missed_rescue`), for a decision of
        this name, or the line with this id; None without one."""
        if self.source is not None:
            return (
                self.source.line_for("finding", condition_or_line, facts)
                or self.source.line_for("decision", condition_or_line, facts)
                or self.source.line(condition_or_line)
            )
        found = self.lines.get((condition_or_line, "found"))
        return found or next((line for line in self.lines.values() if line.id == condition_or_line), None)

    def scored(self, kind: SubjectKind) -> SubjectKind | None:
        """Who is scored here for what a subject of this kind did; None: nobody.

        What a town answers for is booked on the agency behind it, too, where agencies are scored, and what a unit did on
        its agency where units are not; what an agency did is booked on the town where nobody else is scored.
        """
        if self.source is None or kind in self.source.subjects:
            return kind
        wider: tuple[SubjectKind, ...] = ("agency", "unit") if kind == "town" else ("agency",) if kind == "unit" else ()
        found = next((one for one in wider if one in self.source.subjects), None)
        return found or ("town" if self.source.subjects == ("town",) else None)

    def at(self, moment: datetime) -> tuple[Rulebook, ...]:
        """Itself, whenever."""
        return (self,)


class Worth(Protocol):
    """A line of a rulebook as entries need it."""

    @property
    def id(self) -> str: ...
    @property
    def points(self) -> Decimal | None: ...
    @property
    def clause(self) -> str | None: ...
    @property
    def assumed(self) -> bool: ...


class Source(Protocol):
    """A version of a rulebook, as far as the ledger asks it."""

    @property
    def subjects(self) -> tuple[str, ...]: ...
    def line_for(self, on: str, what: str, facts: Facts | None = None) -> Worth | None: ...
    def line(self, line_id: str) -> Worth | None: ...


class InForce(Protocol):
    """What says which rulebooks are in force at a moment."""

    def at(self, moment: datetime) -> tuple[Rulebook, ...]: ...


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
        office=plan.office,
    )
