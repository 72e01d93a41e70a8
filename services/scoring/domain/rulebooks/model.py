"""One version of a rulebook: a frozen model of its file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from services.scoring.domain.rulebooks.parts import (
    Band,
    Condition,
    Department,
    LadderStep,
    Line,
    Measure,
    Period,
    Procedure,
    Scale,
    Section,
    SelfScore,
    Standard,
    Subject,
    Weight,
)
from shared.rules.law import Text
from shared.rules.plan.parts import Code, Id, Part

Version = Annotated[str, StringConstraints(pattern=r"^[0-9][0-9a-z.]{0,15}$")]


class Rulebook(Part):
    """A version of a rulebook. In force from midnight in China of `valid_from`, until the next version of its id is.

    `ledger_name` is what entries and standings call it, whatever its version (its id where none is given): facts keep
    the ids of their entries when only the version changes.
    """

    id: Id
    version: Version
    title: Text
    plans: tuple[Id, ...] = Field(min_length=1)
    valid_from: date
    valid_to: date | None = None
    ledger_name: Code | None = None
    clause: str | None = None
    assumed: bool = False
    note: Text | None = None
    subjects: tuple[Subject, ...] = Field(min_length=1)
    period: Period = Period()
    scale: Scale = Scale()
    weight: Weight | None = None
    self_score: SelfScore | None = None
    sections: tuple[Section, ...] = ()
    lines: tuple[Line, ...] = ()
    bands: tuple[Band, ...] = ()
    procedure: Procedure = Procedure(assumed=True)
    conditions: tuple[Condition, ...] = ()
    ladder: tuple[LadderStep, ...] = ()
    standards: tuple[Standard, ...] = ()
    departments: tuple[Department, ...] = ()
    measures: tuple[Measure, ...] = ()
    accountability_to: tuple[Code, ...] = ()

    @property
    def name(self) -> str:
        """What entries and standings call it."""
        return self.ledger_name or self.id

    @property
    def ref(self) -> str:
        """This very version: `id@version`."""
        return f"{self.id}@{self.version}"

    @cached_property
    def _by_match(self) -> dict[tuple[str, str], list[Line]]:
        found: dict[tuple[str, str], list[Line]] = {}
        for line in self.lines:
            found.setdefault(line.matches, []).append(line)
        return found

    @cached_property
    def _by_id(self) -> dict[str, Line]:
        return {line.id: line for line in self.lines}

    @cached_property
    def _found_by(self) -> dict[str, str]:
        found = {one.id: one.id for one in self.conditions}
        for one in self.conditions:
            for detector in one.detectors:
                found.setdefault(detector.id, one.id)
        return found

    def line_for(self, on: str, what: str, facts: Mapping[str, Any] | None = None) -> Line | None:
        """The first line for the outcome of a deadline of a kind (`acceptance`, `missed`), a confirmed condition or
        what its detector is called (`finding`, `c6` or `missed_rescue`), a figure or a decision, whose `where` the
        facts fulfil; None: worth nothing here.

        The facts may say the scored subject as `subject_kind`; a line that is for others does not fit then. The
        detector is among the facts a line may ask for (`detector`).
        """
        known = dict(facts or {})
        if on == "finding":
            known.setdefault("detector", what)
            what = self._found_by.get(what, what)
        for line in self._by_match.get((on, what), ()):
            subject = known.get("subject_kind")
            if (subject is None or not line.subjects or subject in line.subjects) and line.fits(known):
                return line
        return None

    def line(self, line_id: str) -> Line | None:
        """The line with this id, or None."""
        return self._by_id.get(line_id)

    def condition(self, condition_or_detector: str) -> Condition | None:
        """The condition with this id, or the one that this detector finds, or None."""
        wanted = self._found_by.get(condition_or_detector)
        return next((one for one in self.conditions if one.id == wanted), None)

    def tool(self, tool_id: str) -> LadderStep | None:
        """The tool of the ladder with this id, or None."""
        return next((one for one in self.ladder if one.id == tool_id), None)

    def standard(self, standard_id: str) -> Standard | None:
        """The certificate standard with this id, or None."""
        return next((one for one in self.standards if one.id == standard_id), None)

    def period_of(self, day: date) -> tuple[date, date]:
        """The assessment year a China day falls in: its first and its last day."""
        first = self._start(day.year)
        if day < first:
            first = self._start(day.year - 1)
        return first, self._start(first.year + 1) - timedelta(days=1)

    def _start(self, year: int) -> date:
        month, day = (int(part) for part in self.period.starts.split("-"))
        return date(year, month, day)
