"""Procedures, documents and plans agree: what a step needs can be issued, what a clock runs by stands in every plan."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from services.casework.domain.guards import GUARDS
from services.casework.domain.procedure_checks import check
from services.casework.domain.procedures import Procedures
from shared.rules.law import LawBook

DEPLOY = Path(__file__).parents[2] / "deploy"
LAW = LawBook.load(DEPLOY / "law")
PROCEDURES = Procedures.load(DEPLOY / "procedures", LAW, GUARDS)


def kinds_of_documents() -> set[str]:
    files = (DEPLOY / "documents" / "kinds").glob("*.yaml")
    return {kind["id"] for path in files for kind in yaml.safe_load(path.read_text(encoding="utf-8"))["kinds"]}


def test_every_document_that_a_step_needs_can_be_issued() -> None:
    known = kinds_of_documents()
    assert len(known) > 20
    wrong = [one for procedure in PROCEDURES.by_id.values() for one in check(procedure, known)]
    assert wrong == []


def test_every_rule_of_a_procedure_stands_in_every_plan_and_in_the_template() -> None:
    asked: set[str] = set()
    for procedure in PROCEDURES.by_id.values():
        for version in procedure.versions:
            for part in (version.open, *version.steps.values()):
                asked |= {*part.basis, *(one.limit for one in part.fields.values() if one.limit)}
            asked |= {rule for clock in version.clocks.values() for rule in (clock.rule, clock.major) if rule}
    of_plans = {rule for rule in asked if rule not in LAW}
    assert of_plans and all(rule.startswith("plan.") for rule in of_plans)
    files = [*(DEPLOY / "plans").glob("*/deadlines.yaml"), DEPLOY / "plans" / "template" / "deadlines.yaml.j2"]
    for path in files:
        there = set(re.findall(r"id: (plan\.[a-z0-9_]+)", path.read_text(encoding="utf-8")))
        assert of_plans <= there, (path, sorted(of_plans - there))


def test_guards_are_used_and_their_names_are_theirs() -> None:
    """A guard that no table names judges nothing."""
    named = {
        guard
        for procedure in PROCEDURES.by_id.values()
        for version in procedure.versions
        for part in (version.open, *version.steps.values())
        for guard in part.guards
    }
    assert {name for name in GUARDS if name not in named} <= {"no_day_before_the_rule"}
    assert all(GUARDS[name].__name__ == name for name in named)
