"""An agency's day without a database: decisions of the procedures by the real tables, law, plan and calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from services.casework.domain.guards import GUARDS
from services.casework.domain.procedures import Procedure, Procedures, Version
from services.casework.domain.proceedings import (
    Actor,
    Decision,
    Ground,
    Proceeding,
    Sibling,
    Side,
    Taken,
    decide_miss,
    decide_opening,
    decide_step,
)
from shared.rules.calendar import SHANGHAI, WorkingCalendar
from shared.rules.deadlines import State
from shared.rules.law import LawBook
from shared.rules.plan import Plan, load_plan

ROOT = Path(__file__).resolve().parents[3] / "deploy"


@cache
def law() -> LawBook:
    return LawBook.load(ROOT / "law")


@cache
def plan() -> Plan:
    return load_plan(ROOT / "plans" / "dayong", law())


@cache
def calendar() -> WorkingCalendar:
    return WorkingCalendar.load(ROOT / "law" / "calendar.yaml")


@cache
def procedures() -> Procedures:
    return Procedures.load(ROOT / "procedures", law(), GUARDS, {one.id for one in plan().deadlines.limits})


OFFICER = {"commerce": Actor("c1", "commerce", "enforcement", ("investigator",), party=True), "police": Actor("p1", "police", "station", ("investigator",), party=True)}
HEAD = {"commerce": Actor("c9", "commerce", "enforcement", ("head",), party=True), "police": Actor("p9", "police", "station", ("head",), party=True)}
SYSTEM = Actor("service:casework", None, system=True)
PAPERS = frozenset(
    {
        "seal_decision", "seal_list", "seal_extension", "seal_lifting", "penalty_notice", "hearing_rights_notice",
        "police_preservation_decision", "police_preservation_list", "hearing_notice", "penalty_decision", "proof_of_service", "public_order_decision",
    }
)  # fmt: skip


def at(day: str, hour: int = 10) -> datetime:
    """A local moment."""
    return datetime.fromisoformat(day).replace(hour=hour, tzinfo=SHANGHAI)


@dataclass
class Matter:
    """One proceeding as its steps change it, with what stands beside it."""

    kind: str
    now: datetime
    agency: str = "commerce"
    siblings: tuple[Sibling, ...] = ()
    documents: frozenset[str] = PAPERS
    tallies: dict[str, int] = field(default_factory=dict)
    proceeding: Proceeding | None = None
    told: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    lapses: int = 0

    @property
    def procedure(self) -> Procedure:
        return procedures().get(self.kind)

    @property
    def version(self) -> Version:
        return self.procedure.versions[-1]

    @property
    def state(self) -> str:
        assert self.proceeding is not None
        return self.proceeding.state

    @property
    def facts(self) -> Mapping[str, Any]:
        assert self.proceeding is not None
        return self.proceeding.facts

    def ground(self) -> Ground:
        return Ground(
            plan(), law(), calendar(), uuid4, self.now, self.siblings, self.documents, tallies=self.tallies,
            area="dayong-antang",
        )  # fmt: skip

    def open(self, to: str | None = None, who: Actor | None = None, **values: Any) -> Matter:
        """Open it as the agency's officer."""
        actor = who or OFFICER[self.agency]
        other = Side(to, outside=True) if to else None
        new = Proceeding(UUID(int=1), self.version.initial, Side(self.agency, "enforcement"), other, {})
        decision = decide_opening(self.procedure, self.version, new, values, actor, self.ground(), GUARDS)
        self.proceeding = new
        self._keep("open", decision, actor)
        return self

    def take(self, step: str, who: Actor | None = None, **values: Any) -> Decision:
        """Take a step as the agency's officer, or its head where the step is approved."""
        assert self.proceeding is not None
        rule = self.version.steps.get(step)
        actor = who or (HEAD if rule is not None and rule.approval else OFFICER)[self.agency]
        decision = decide_step(
            self.procedure, self.version, self.proceeding, step, values, actor, self.ground(), GUARDS
        )
        self._keep(step, decision, actor)
        return decision

    def go(self, days: float) -> None:
        """Time passes; what the system does when clocks run out is done."""
        self.now += timedelta(days=days)
        self.job()

    def job(self) -> None:
        """Mark clocks that passed, and take the step that follows."""
        assert self.proceeding is not None
        for name, clock in list(self.proceeding.clocks.items()):
            if clock.state is State.RUNNING and clock.due < self.now:
                after, step = decide_miss(self.version, self.proceeding, name, self.now)
                self.proceeding = replace(self.proceeding, clocks={**self.proceeding.clocks, name: after})
                if step is not None:
                    self.lapses += step == "lapse"
                    self.take(step, SYSTEM)

    def _keep(self, step: str, decision: Decision, actor: Actor) -> None:
        assert self.proceeding is not None
        clocks = dict(self.proceeding.clocks)
        for change in decision.clocks:
            clocks[change.name] = change.deadline
        self.proceeding = replace(
            self.proceeding, state=decision.state, facts=decision.facts, clocks=clocks,
            history=(*self.proceeding.history, Taken(step, actor.id)),
        )  # fmt: skip
        self.told.append((step, decision.given))


def sibling(kind: str, state: str, *, final: bool = False, outcome: str | None = None, agency: str = "commerce", **facts: Any) -> Sibling:
    """Another proceeding of the case."""
    return Sibling(uuid4(), kind, state, final, outcome, facts, agency)
