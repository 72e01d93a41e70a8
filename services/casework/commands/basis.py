"""What every command decides by: the plans, the law, the calendar, and where the service is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from shared.kit.service import Service
from shared.rules.calendar import WorkingCalendar
from shared.rules.law import LawBook
from shared.rules.plan import Plan


class UnknownPlan(LookupError):
    """An event names a plan that this installation does not run."""


@dataclass(frozen=True, slots=True)
class Basis:
    """Plans, law and calendar; `address` is the base under which agencies open a `dataref`."""

    plans: Mapping[str, Plan]
    law: LawBook
    calendar: WorkingCalendar
    address: str

    @classmethod
    def of(cls, service: Service) -> Basis:
        """The basis of a running service. Raises `YamlProblem` for a wrong calendar table."""
        return cls(
            service.plans,
            service.law,
            WorkingCalendar.load(service.settings.law_dir / "calendar.yaml"),
            service.settings.base_url("casework"),
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
