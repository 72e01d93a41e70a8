"""A case as its readers are shown it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from services.casework.queries.cases import CaseFull
from shared.kit.settings import ServiceSettings
from shared.rules.calendar import local_day
from shared.rules.law import LawBook, LimitInForce, Text, UnknownRule
from shared.rules.plan import Plan


class Presenter:
    """Turns rows into `CaseOut`, with names from the plan and words from the law."""

    def __init__(self, plans: Mapping[str, Plan], law: LawBook, settings: ServiceSettings) -> None:
        self._plans, self._law, self._settings = plans, law, settings

    def plan(self, plan_id: str) -> Plan | None:
        """The plan of a case; None when this installation no longer runs it."""
        return self._plans.get(plan_id)

    def case_out(self, full: CaseFull, now: datetime) -> dict[str, Any]:
        """A case in a list."""
        c = full.case
        plan = self._plans.get(c.plan)
        return {
            "case_id": c.id,
            "number": c.number,
            "plan": c.plan,
            "area": c.area,
            "kinds": c.kinds,
            "urgent": c.urgent,
            "state": c.state,
            "received_at": c.received_at,
            "opened_at": c.opened_at,
            "version": c.version,
            "parties": [self._party(plan, row) for row in full.parties],
            "deadlines": [self.deadline_out(plan, row, now) for row in full.deadlines],
            "may_accept": full.mine,
            "links": self._links(full),
        }

    def case_full(self, full: CaseFull, now: datetime) -> dict[str, Any]:
        """One case with its history."""
        steps = [
            {k: step.get(k) for k in ("version", "step", "agency", "unit")} | {"at": datetime.fromisoformat(step["at"])}
            for step in full.case.history
        ]
        together = [
            {"case_id": one.id, "number": one.number, "into": one.into, "since": one.merged_at} for one in full.together
        ]
        return self.case_out(full, now) | {
            "lead_id": full.case.lead_id,
            "outcome": full.case.outcome,
            "closed_at": full.case.closed_at,
            "may_close": full.closable,
            "history": steps,
            "signals": full.signals,
            "together": together,
        }

    def agency_name(self, plan: Plan | None, agency: str) -> dict[str, str]:
        """An agency's name; its code where the plan no longer has it."""
        try:
            name = plan.agency(agency).name if plan else None
        except KeyError:
            name = None
        return {"zh": name.zh, "en": name.en} if name else {"zh": agency, "en": agency}

    def _party(self, plan: Plan | None, row: Any) -> dict[str, Any]:
        return {
            "agency": row.agency,
            "name": self.agency_name(plan, row.agency),
            "unit": row.unit,
            "units": row.units,
            "role": row.role,
            "state": "accepted" if row.accepted_at else "pending",
            "part": row.state,
            "must_accept": row.role != "coordinator" and row.state in ("pending", "accepted"),
            "accepted_at": row.accepted_at,
        }

    def limit(self, plan: Plan, rule: str, day: date) -> LimitInForce:
        """A rule of the plan or the law on a day. Raises `UnknownRule`."""
        return plan.limit(rule, day, self._law)

    def deadline_out(self, plan: Plan | None, row: Any, now: datetime) -> dict[str, Any]:
        """A clock with the rule it rests on."""
        what = self._what(plan, row.rule, row.start)
        return {
            "deadline_id": row.id,
            "kind": row.kind,
            "what": {"zh": what.zh, "en": what.en},
            "agency": row.agency,
            "unit": row.unit,
            "rule": row.rule,
            "article": row.article,
            "certainty": row.certainty,
            "calendar": row.calendar,
            "start": row.start,
            "due": row.due,
            "provisional": row.provisional,
            "provisional_reason": row.basis_reason or None,
            "state": row.state,
            "late": row.state in ("missed", "met_late") or (row.state == "running" and row.due < now),
            "met_at": row.met_at,
            "missed_at": row.missed_at,
        }

    def _what(self, plan: Plan | None, rule: str, start: datetime) -> Text:
        try:
            if plan is not None:
                return plan.limit(rule, local_day(start), self._law).limit.what
        except UnknownRule:
            pass
        return Text(zh=rule, en=rule)

    def _links(self, full: CaseFull) -> dict[str, str]:
        here = f"{self._settings.base_url('casework')}/v1/cases/{full.case.id}"
        links = {
            "self": here,
            "page": f"{self._settings.base_url('casework')}/cases/{full.case.id}",
            "lead": f"{self._settings.base_url('intake')}/v1/leads/{full.case.lead_id}",
        }
        links |= {"acceptance": f"{here}/acceptance"} if full.mine else {}
        return links | {"closing": f"{here}/closing"} if full.closable else links
