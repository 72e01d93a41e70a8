"""Every procedure's table through the engine: every allowed and every forbidden pair of state and step, and its ways on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.casework.domain.guards import GUARDS
from services.casework.domain.procedure_checks import check, ends_from, reachable
from services.casework.domain.procedures import Procedure, Procedures, StepRule, Version
from services.casework.domain.proceedings import (
    Actor,
    Ground,
    Incomplete,
    Proceeding,
    Refused,
    Side,
    decide_step,
    may_take,
)
from shared.rules.calendar import SHANGHAI, WorkingCalendar
from shared.rules.deadlines import open_deadline
from shared.rules.law import CLOCK_UNITS, LawBook
from shared.rules.plan import Plan, load_plan

DEPLOY = Path(__file__).parents[3] / "deploy"
LAW = LawBook.load(DEPLOY / "law")
PLAN: Plan = load_plan(DEPLOY / "plans" / "dayong", LAW)
CALENDAR = WorkingCalendar.load(DEPLOY / "law" / "calendar.yaml")
PROCEDURES = Procedures.load(DEPLOY / "procedures", LAW, GUARDS)
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
SYSTEM = Actor("service:casework", None, system=True)
FREE: dict[str, Any] = dict.fromkeys(GUARDS, lambda asked: None)
"""The table alone: what guards say is tested with each of them."""

VERSIONS = [(p, v) for p in PROCEDURES.by_id.values() for v in p.versions]


def ground() -> Ground:
    return Ground(PLAN, LAW, CALENDAR, uuid4, NOW)


def standing(version: Version, state: str, *, other: bool = True) -> Proceeding:
    """A proceeding in a state, all of whose clocks run, as those of a major case."""
    clocks = {}
    for name, rule in version.clocks.items():
        limit = PLAN.limit(rule.major or rule.rule, NOW.date(), LAW)
        if limit.unit in CLOCK_UNITS:
            clocks[name], _ = open_deadline(id=str(uuid4()), kind=name, rule=limit, start=NOW, calendar=CALENDAR)
    side = Side("police", None) if other else None
    return Proceeding(UUID(int=1), state, Side("commerce", "enforcement"), side, {}, clocks)


def _name(value: object) -> str:
    if isinstance(value, Procedure):
        return value.procedure
    return value.version if isinstance(value, Version) else str(value)


@pytest.mark.parametrize(("procedure", "version"), VERSIONS, ids=_name)
def test_every_pair_of_state_and_step(procedure: Procedure, version: Version) -> None:
    on = ground()
    for state, (step, rule) in product(version.states, version.steps.items()):
        now = standing(version, state)
        if state in rule.sources:
            decision = decide_step(procedure, version, now, step, {}, SYSTEM, on, FREE)
            assert decision.state == (rule.to or state), (state, step)
            continue
        with pytest.raises(Refused) as refused:
            decide_step(procedure, version, now, step, {}, SYSTEM, on, FREE)
        assert refused.value.code == "not-possible-now", (state, step)
        assert refused.value.more == {"state": state, "possible": sorted(version.steps_from(state))}
        assert version.states[state].name.zh in refused.value.zh and rule.name.zh in refused.value.zh


@pytest.mark.parametrize(("procedure", "version"), VERSIONS, ids=_name)
def test_every_state_is_reached_and_has_a_way_to_an_end(procedure: Procedure, version: Version) -> None:
    assert reachable(version) == frozenset(version.states)
    finals = {state for state, rule in version.states.items() if rule.final}
    assert ends_from(version, version.initial) == finals, "every end can be reached"
    assert all(rule.outcome for state, rule in version.states.items() if state in finals), "every end says how it ended"
    assert [str(one) for one in check(procedure)] == []


@pytest.mark.parametrize(("procedure", "version"), VERSIONS, ids=_name)
def test_a_stranger_takes_no_step_and_a_step_says_by_what_law(procedure: Procedure, version: Version) -> None:
    stranger = Actor("officer:x", "finance", None, ("head",))
    for step_id, step in version.steps.items():
        for state in step.sources:
            if "approver" not in step.by:
                assert not may_take(step, standing(version, state), stranger), step_id


def _requests() -> list[tuple[Procedure, Version]]:
    return [(p, v) for p, v in VERSIONS if p.group == "request" and p.counterpart and "escalate" in v.steps]


@pytest.mark.parametrize(("procedure", "version"), _requests(), ids=_name)
def test_a_request_is_accepted_refused_with_a_reason_overdue_and_escalated(procedure: Procedure, version: Version) -> None:
    """Each kind of request has an answer, a refusal that says why, a clock that escalates by itself, and the office's word."""
    steps = version.steps
    assert {"accept", "refuse", "escalate", "office_orders", "office_releases", "withdraw"} <= set(steps)
    assert steps["refuse"].fields["reason"].required and steps["refuse"].by == ("counterpart",)
    assert "system" in steps["escalate"].by
    assert version.clocks["accept"].on_miss == version.clocks["object"].on_miss == "escalate"
    assert steps["office_orders"].by == steps["office_releases"].by == ("office",)
    assert version.clocks["decide"].by == "office" and "decide" in steps["office_orders"].clocks.meet
    assert all(_said(step) for step in steps.values()), "every step shows its article"


def _said(step: StepRule) -> bool:
    return bool(step.basis or step.article)


def test_the_ten_days_count_from_the_receipt_not_from_the_extension() -> None:
    """Law trap 4: three calendar days are the alarm; ten, and thirty for major cases, are approved states."""
    procedure = PROCEDURES.get("suspected_crime")
    version = procedure.versions[-1]
    under_review = standing(version, "under_review")
    police = Actor("officer:p", "police", None, ("head",))
    longer = decide_step(procedure, version, under_review, "extend_review", {"reason": "账目多"}, police, ground(), GUARDS)
    changes = {(one.name, one.change): one.deadline for one in longer.clocks}
    assert longer.state == "review_extended" and set(changes) == {("review", "cancelled"), ("review_latest", "started")}
    ten = changes["review_latest", "started"]
    assert (ten.start, ten.unit, ten.amount) == (NOW, "calendar_days", 10)
    assert ten.due.astimezone(SHANGHAI).date().isoformat() == "2026-11-30"
    assert [one.side.agency for one in longer.clocks] == ["police", "police"]
    with pytest.raises(Refused, match="another side"):
        other = Actor("officer:c", "commerce", "enforcement", ("head",))
        decide_step(procedure, version, under_review, "extend_review", {"reason": "x"}, other, ground(), GUARDS)


def test_an_agency_field_takes_only_the_kinds_it_names() -> None:
    procedure = PROCEDURES.get("major_coordination")
    version = procedure.versions[-1]
    standing_ = standing(version, "accepted")
    actor = Actor("officer:p", "police", None, ("head",))
    with pytest.raises(Incomplete) as wrong:
        decide_step(procedure, version, standing_, "invite", {"invited": "finance"}, actor, ground(), GUARDS)
    assert "检察院" in wrong.value.fields["invited"]
    assert decide_step(procedure, version, standing_, "invite", {"invited": "court"}, actor, ground(), GUARDS).state == "accepted"


def test_joins_names_a_side_or_an_agency_field() -> None:
    good = {"name": {"zh": "一", "en": "one"}, "from": ["a"], "fields": {"who": {"name": {"zh": "谁", "en": "who"}, "type": "agency"}}}
    assert StepRule.model_validate(good | {"joins": "who"}).joins == "who"
    assert StepRule.model_validate(good | {"joins": "counterpart"}).joins == "counterpart"
    with pytest.raises(ValueError, match="joins"):
        StepRule.model_validate(good | {"joins": "nobody"})
    reference = {"who": {"name": {"zh": "谁", "en": "who"}, "type": "reference"}}
    with pytest.raises(ValueError, match="joins"):
        StepRule.model_validate(good | {"fields": reference, "joins": "who"})


def test_forgotten_clocks_and_dead_ends_are_found() -> None:
    words = {"zh": "一", "en": "one"}
    made = Procedure.model_validate(
        {
            "procedure": "sample", "group": "request", "name": words, "clause": ["D-N3"],
            "versions": [
                {
                    "version": "1", "from": "2020-01-01", "initial": "open",
                    "states": {
                        "open": {"name": words, "awaits": "owner"}, "stuck": {"name": words},
                        "done": {"name": words, "final": True, "outcome": "done"},
                    },
                    "open": {"clocks": {"start": ["first"]}},
                    "clocks": {
                        "first": {"rule": "transfer.decide", "by": "owner", "on_miss": "sit"},
                        "never": {"rule": "transfer.decide", "by": "owner"},
                    },
                    "steps": {
                        "end": {"name": words, "from": ["open"], "to": "done", "needs": ["no_such"]},
                        "sit": {"name": words, "from": ["open"], "to": "stuck"},
                    },
                }
            ],
        }
    )  # fmt: skip
    found = {(one.code, one.about) for one in check(made, documents=("goods_list",))}
    assert found == {
        ("clock-left", "done.first"), ("no-end", "stuck"), ("no-way-on", "stuck"), ("waits-for-nobody", "stuck"),
        ("not-the-systems", "first.sit"), ("never-started", "never"), ("no-such-document", "end.no_such"),
    }  # fmt: skip


def test_the_command_line_names_file_and_line_of_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from deploy.cli.procedures import app

    text = (DEPLOY / "procedures" / "other_town.yaml").read_text(encoding="utf-8")
    (tmp_path / "other_town.yaml").write_text(text.replace("rule: plan.town_answer", "rule: plan.nobody_knows", 1), encoding="utf-8")
    line = next(n for n, one in enumerate((tmp_path / "other_town.yaml").read_text().splitlines(), 1) if "nobody_knows" in one)
    monkeypatch.setenv("DACHUAN_PROCEDURES_DIR", str(tmp_path))
    wrong = CliRunner().invoke(app, ["check", "--json"])
    found = json.loads(wrong.stdout)
    assert (wrong.exit_code, found["ok"]) == (1, False)
    assert found["findings"][0]["where"] == f"other_town.yaml:{line}" and "plan.nobody_knows" in found["findings"][0]["en"]
    (tmp_path / "other_town.yaml").write_text(text, encoding="utf-8")
    right = CliRunner().invoke(app, ["check", "--json"])
    assert right.exit_code == 0 and json.loads(right.stdout) == {"ok": True, "procedures": 1, "findings": []}
