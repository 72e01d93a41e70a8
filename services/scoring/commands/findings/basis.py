"""What findings are made and decided by: plans with their ground, rulebooks, the calendar, keys, the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.scoring.domain.books import Books
from services.scoring.domain.detectors import Ground
from services.scoring.domain.rulebooks.parts import Procedure
from shared.kit.crypto import KeyRing
from shared.kit.service import Service
from shared.rules.calendar import WorkingCalendar, end_of_day, local_day
from shared.rules.plan import Plan

SEALED_BY = "finding"
"""The key that seals answers, reasons and grounds."""

_REFUSALS = 2
"""So many refusals are too many where neither the plan's findings nor its handovers say."""


@dataclass(frozen=True, slots=True)
class Basis:
    """`address` is the base under which a finding is opened."""

    books: Books
    plans: Mapping[str, Plan]
    grounds: Mapping[str, Ground]
    calendar: WorkingCalendar
    keys: KeyRing
    address: str

    @classmethod
    def of(cls, service: Service, books: Books) -> Basis:
        """The basis of a running service. Raises `YamlProblem` for a wrong calendar table."""
        settings = service.settings
        return cls(
            books,
            service.plans,
            {name: ground_of(plan) for name, plan in service.plans.items()},
            WorkingCalendar.load(settings.law_dir / "calendar.yaml"),
            settings.keys,
            settings.base_url("scoring"),
        )

    def procedure(self, plan_id: str, condition: str, at: datetime) -> Procedure:
        """How a finding of a condition is heard, by the rulebook in force; one that knows the condition comes first."""
        in_force = self.books.shelf.in_force(plan_id, at)
        known = [one for one in in_force if one.condition(condition) is not None]
        return next((one.procedure for one in (*known, *in_force)), Procedure(assumed=True))

    def by(self, start: datetime, days: int) -> tuple[datetime, bool]:
        """The end of the so-manieth working day after a moment, and whether a year it touches has no calendar yet."""
        found = self.calendar.add_working_days(local_day(start), days)
        return end_of_day(found.day), found.provisional

    def dataref(self, finding_id: UUID) -> str:
        """Where a caller with rights of their own opens a finding."""
        return f"{self.address}/v1/findings/{finding_id}"

    def seal(self, finding_id: UUID, words: str | None) -> bytes | None:
        """Words as they are kept."""
        return self.keys.seal(SEALED_BY, finding_id.bytes, words.encode()) if words else None

    def open(self, finding_id: UUID, sealed: bytes | None) -> str | None:
        """Kept words, opened; whoever calls this records the reading."""
        return self.keys.open(SEALED_BY, finding_id.bytes, bytes(sealed)).decode() if sealed else None


def ground_of(plan: Plan) -> Ground:
    """What a plan gives the detectors."""
    rules = plan.findings
    refusals = rules.refusals or (plan.handover.refusals if plan.handover is not None else _REFUSALS)
    return Ground(
        plan=plan.id,
        town=next((area.id for area in plan.areas if area.parent is None), None),
        office=plan.office,
        communities={agency.area: agency.id for agency in plan.agencies if agency.kind == "community" and agency.area},
        rules=rules,
        refusals=refusals,
    )
