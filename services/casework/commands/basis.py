"""What every command decides by: the plans, the law, the calendar, the procedures, and where the service is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.casework.domain.documents.catalogue import Catalogue
from services.casework.domain.guards import GUARDS
from services.casework.domain.procedures import Procedures
from shared.kit.crypto import KeyRing
from shared.kit.service import Service
from shared.rules.calendar import WorkingCalendar
from shared.rules.law import LawBook, Text
from shared.rules.plan import Plan


class UnknownPlan(LookupError):
    """An event names a plan that this installation does not run."""


@dataclass(frozen=True, slots=True)
class Basis:
    """Plans, law, calendar and procedures; `address` is the base under which agencies open a `dataref`; `titles` name
    the kinds of documents."""

    plans: Mapping[str, Plan]
    law: LawBook
    calendar: WorkingCalendar
    procedures: Procedures
    keys: KeyRing
    address: str
    titles: Mapping[str, Text] = field(default_factory=dict)

    @classmethod
    def of(cls, service: Service) -> Basis:
        """The basis of a running service. Raises `YamlProblem` for a wrong calendar table or procedure."""
        settings = service.settings
        shared = [{limit.id for limit in plan.deadlines.limits} for plan in service.plans.values()]
        return cls(
            service.plans,
            service.law,
            WorkingCalendar.load(settings.law_dir / "calendar.yaml"),
            Procedures.load(settings.procedures_dir, service.law, GUARDS, set.intersection(*shared) if shared else ()),
            settings.keys,
            settings.base_url("casework"),
            {one: kind.name for one, kind in Catalogue.load(settings.documents_dir, service.law).kinds.items()},
        )

    def plan(self, plan_id: str) -> Plan:
        """The plan with this id. Raises `UnknownPlan`."""
        try:
            return self.plans[plan_id]
        except KeyError:
            raise UnknownPlan(plan_id) from None

    def dataref(self, case_id: UUID) -> str:
        """Where a caller with rights of their own opens a case."""
        return f"{self.address}/v1/cases/{case_id}"
