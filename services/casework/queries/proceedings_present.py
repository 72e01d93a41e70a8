"""A proceeding as its readers are shown it: with names from its procedure, and the law beside each step."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from services.casework.domain.procedures import FieldRule, Procedure, Procedures, StepRule, UnknownProcedure, Version
from services.casework.domain.proceedings import Actor, Proceeding, Side, may_take
from services.casework.queries.present import Presenter
from services.casework.queries.proceedings import Full
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.rules.calendar import local_day
from shared.rules.law import Text, UnknownRule
from shared.rules.plan import Plan

SEALED_BY = "case"


def _words(text: Text | None) -> dict[str, str] | None:
    return {"zh": text.zh, "en": text.en} if text else None


class ProceedingPresenter:
    """Turns rows into `ProceedingOut` and `ProceedingFullOut`."""

    def __init__(
        self, base: Presenter, procedures: Procedures, keys: KeyRing, address: str, titles: Mapping[str, Text]
    ) -> None:
        self._base, self._procedures, self._keys, self._address = base, procedures, keys, address
        self._titles = titles

    @property
    def keys(self) -> KeyRing:
        """What opens the rows that belong to a proceeding."""
        return self._keys

    def procedure_out(self, plan: Plan, procedure: Procedure, day: Any) -> dict[str, Any]:
        """A procedure as agencies' developers and forms read it."""
        version = procedure.in_force(day)
        return {
            "kind": procedure.procedure,
            "name": _words(procedure.name),
            "category": procedure.group,
            "clause": list(procedure.clause),
            "case": procedure.case,
            "confidential": procedure.confidential,
            "version": version.version,
            "opened_by": list(version.open.by),
            "counterpart": procedure.counterpart.model_dump() if procedure.counterpart else None,
            "states": {k: {"name": _words(s.name), "final": s.final, "awaits": s.awaits} for k, s in version.states.items()},
            "open": {
                "fields": self._fields(version.open.fields),
                "basis": self._basis(plan, version.open.basis, day, version.open.article),
                "approval": version.open.approval,
            },
            "steps": [self._step(plan, k, s, day, frozenset()) for k, s in version.steps.items() if s.by != ("system",)],
        }

    def out(self, full: Full, now: datetime) -> dict[str, Any]:
        """A proceeding in a list: kind, state, sides, clocks; nothing of what stands in it."""
        row = full.row
        plan = self._base.plan(row.plan)
        name, state = self._names(row)
        return {
            "proceeding_id": row.id,
            "number": row.number,
            "kind": row.kind,
            "name": name,
            "category": row.category,
            "procedure_version": row.procedure_version,
            "plan": row.plan,
            "area": row.area,
            "case_id": row.case_id,
            "case_number": full.case_number,
            "parent_id": row.parent_id,
            "urgent": row.urgent,
            "confidential": row.confidential,
            "agency": row.agency,
            "agency_name": self._base.agency_name(plan, row.agency),
            "unit": row.unit,
            "to_agency": row.to_agency,
            "to_agency_name": self._base.agency_name(plan, row.to_agency) if row.to_agency else None,
            "to_unit": row.to_unit,
            "to_outside": row.to_outside,
            "state": row.state,
            "state_name": state,
            "awaits_agency": row.awaits_agency,
            "awaits_unit": row.awaits_unit,
            "final": row.final,
            "outcome": row.outcome,
            "opened_at": row.opened_at,
            "ended_at": row.ended_at,
            "late": row.missed > 0,
            "version": row.version,
            "clocks": [self._base.deadline_out(plan, one, now) for one in full.clocks],
            "links": {
                "self": f"{self._address}/v1/proceedings/{row.id}",
                "page": f"{self._address}/proceedings/{row.id}",
            },
        }

    def full(self, caller: Caller, full: Full, documents: frozenset[str], parties: frozenset[str], now: datetime) -> dict[str, Any]:
        """One proceeding with its facts, its history and the steps that can be taken from here."""
        row, shown = full.row, self.out(full, now)
        plan = self._base.plan(row.plan)
        try:
            procedure = self._procedures.get(row.kind)
            version = procedure.version(row.procedure_version)
        except UnknownProcedure:
            procedure = version = None
        words = [self._opened(full, step) if full.open else {} for step in full.steps]
        history = [
            {
                "seq": step.seq,
                "step": step.step,
                "name": self._step_name(version, step.step, procedure),
                "from_state": step.from_state,
                "to_state": step.to_state,
                "at": step.at,
                "agency": step.agency,
                "unit": step.unit,
                "by_system": step.actor.startswith("service:"),
                "facts": step.facts if full.open else {},
                "words": said,
            }
            for step, said in zip(full.steps, words, strict=True)
        ]
        possible: list[dict[str, Any]] = []
        if version is not None and plan is not None:
            day = local_day(now)
            self_ = Proceeding(
                row.id, row.state, Side(row.agency, row.unit),
                Side(row.to_agency, row.to_unit, row.to_outside) if row.to_agency else None, row.facts,
            )  # fmt: skip
            actor = Actor(
                caller.actor, caller.agency, caller.unit, caller.posts,
                office=caller.reach("proceeding.coordinate") in ("plan", "all"), party=caller.agency in parties,
            )  # fmt: skip
            for step_id, step in version.steps_from(row.state).items():
                mine = may_take(step, self_, actor) and caller.reach("proceeding.act") is not None
                approved = step.approval is None or plan.may_approve(caller.posts, step.approval)
                possible.append(self._step(plan, step_id, step, day, documents) | {"mine": mine, "approved": approved})
        return shown | {
            "open": full.open,
            "facts": dict(row.facts) if full.open else {},
            "labels": self._labels(version) if version else {},
            "history": history,
            "steps": possible,
        }

    def _names(self, row: Any) -> tuple[dict[str, str], dict[str, str]]:
        try:
            procedure = self._procedures.get(row.kind)
            version = procedure.version(row.procedure_version)
            return _words(procedure.name) or {}, _words(version.states[row.state].name) or {}
        except (UnknownProcedure, KeyError):
            return {"zh": row.kind, "en": row.kind}, {"zh": row.state, "en": row.state}

    def _step_name(self, version: Version | None, step: str, procedure: Procedure | None) -> dict[str, str]:
        if step == "open":
            return {"zh": "提出", "en": "opened"}
        rule = version.steps.get(step) if version else None
        return (_words(rule.name) if rule else None) or {"zh": step, "en": step}

    def _opened(self, full: Full, step: Any) -> dict[str, str]:
        if not step.words:
            return {}
        plain = self._keys.open(SEALED_BY, full.row.id.bytes, bytes(step.words))
        return dict(orjson.loads(plain))

    def _labels(self, version: Version) -> dict[str, Any]:
        """Each field's name and, for codes, the names of its choices: what facts are shown by."""
        rules: dict[str, FieldRule] = dict(version.open.fields)
        for step in version.steps.values():
            rules |= step.fields
        return {
            name: {"name": _words(rule.name), "type": rule.type, "choices": {k: _words(v) for k, v in rule.choices.items()}}
            for name, rule in rules.items()
        }

    def _step(self, plan: Plan, step_id: str, step: StepRule, day: Any, documents: frozenset[str]) -> dict[str, Any]:
        return {
            "step": step_id,
            "name": _words(step.name),
            "from": list(step.sources),
            "to": step.to,
            "by": list(step.by),
            "approval": step.approval,
            "fields": self._fields(step.fields),
            "basis": self._basis(plan, step.basis, day, step.article),
            "needs": [
                {"kind": kind, "name": _words(self._titles.get(kind)), "issued": kind in documents} for kind in step.needs
            ],
            "help": _words(step.help),
        }

    def _fields(self, rules: Mapping[str, FieldRule]) -> list[dict[str, Any]]:
        return [
            {
                "field": name,
                "name": _words(rule.name),
                "type": rule.type,
                "required": rule.required,
                "many": rule.many,
                "choices": {k: _words(v) for k, v in rule.choices.items()},
                "at_least": rule.at_least,
                "at_most": rule.at_most,
                "limit": rule.limit,
                "help": _words(rule.help),
            }
            for name, rule in rules.items()
            if not rule.derived
        ]

    def _basis(self, plan: Plan, rules: tuple[str, ...], day: Any, article: Text | None) -> list[dict[str, Any]]:
        """The law beside a step: article, what it says, how sure it is (a limit not verified says so)."""
        found: list[dict[str, Any]] = []
        for rule in rules:
            try:
                line = self._base.limit(plan, rule, day)
            except UnknownRule:
                continue
            found.append(
                {
                    "rule": rule,
                    "article": line.article,
                    "what": _words(line.limit.what),
                    "certainty": line.certainty,
                    "verified": line.limit.verified,
                    "provisional": line.provisional,
                    "value": line.value,
                    "unit": line.unit.value,
                }
            )
        if article is not None:
            found.append({"rule": None, "article": article.zh, "what": _words(article), "certainty": None, "verified": False, "provisional": False, "value": None, "unit": None})
        return found
