"""Supervision, incidents, what was not reported and major cases: tables over every pair, guards, bounds."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.casework.domain.guards import GUARDS
from services.casework.domain.proceedings import Actor, Asked, Proceeding, Refused, Side, Taken, decide_step
from shared.rules.plan.load import load_plan
from shared.rules.plan.major import MAJOR_FACTS, Bound, MajorRules
from tests.unit.casework.test_operations import LAW, NOW, PROCEDURES, ROOT, ground

KINDS = (
    "operation", "supervision", "listed_supervision", "inspection", "major_report", "incident", "concealment", "higher_case",
)  # fmt: skip
SYSTEM = Actor("service:casework", None, system=True)


@pytest.mark.parametrize("kind", KINDS)
def test_every_pair_of_state_and_step_is_allowed_or_refused_as_the_table_says(kind: str) -> None:
    procedure = PROCEDURES.get(kind)
    version = procedure.versions[-1]
    free = {name: (lambda asked: None) for name in GUARDS}
    pairs = [(state, step) for state in version.states for step in version.steps]
    for state, step in pairs:
        facts = {"starts_at": NOW.isoformat(), "known_at": NOW.isoformat()}
        now = Proceeding(UUID(int=1), state, Side("police"), Side("commerce"), facts)
        allowed = state in version.steps[step].sources
        try:
            decided = decide_step(procedure, version, now, step, {}, SYSTEM, ground(), free)
        except Refused as error:
            assert error.code == ("no-clock" if allowed else "not-possible-now"), (state, step)
        else:
            assert allowed and decided.state == (version.steps[step].to or state), (state, step)


@pytest.mark.parametrize("kind", KINDS)
def test_every_state_that_is_no_end_has_a_way_out_for_people(kind: str) -> None:
    version = PROCEDURES.get(kind).versions[-1]
    for name, state in version.states.items():
        assert state.final or version.steps_from(name), f"{kind}.{name} waits for ever"


def ask(guard: str, kind: str, facts: dict[str, Any], *, history: tuple[str, ...] = (), posts: tuple[str, ...] = (), to: str = "labour", unit: str | None = None) -> str:
    """The code of a guard's refusal, or an empty text."""
    procedure = PROCEDURES.get(kind)
    now = Proceeding(
        UUID(int=1), "x", Side("commerce", "office"), Side(to, unit), facts, {}, tuple(Taken(one, "a") for one in history)
    )
    actor = Actor("b", "commerce", posts=posts)
    try:
        GUARDS[guard](Asked(procedure, procedure.versions[-1], now, "s", {}, facts, actor, ground()))
    except Refused as error:
        return error.code
    return ""


def test_the_level_says_who_issues_and_who_judges() -> None:
    office, leader, higher = ({"level": one} for one in ("office", "leader", "higher"))
    assert ask("level_office", "supervision", office) == "" and ask("level_office", "supervision", leader) == "level"
    assert ask("level_above_office", "supervision", office) == "level"
    assert ask("level_above_office", "supervision", higher) == ""
    assert ask("judge_of_the_level", "supervision", office) == ""
    assert ask("judge_of_the_level", "supervision", leader, posts=("office-director",)) == "level"
    assert ask("judge_of_the_level", "supervision", leader, posts=("leader",)) == ""
    assert ask("no_order_to_oneself", "supervision", higher) == "whose-order"
    assert ask("no_order_to_oneself", "supervision", higher | {"from_agency": "city_office"}) == ""
    assert ask("no_order_to_oneself", "supervision", office, to="commerce") == "own-agency"
    assert ask("no_order_to_oneself", "supervision", office, to="commerce", unit="market") == ""


def test_late_and_in_time_are_told_apart() -> None:
    for history, late in (((), False), (("escalate", "reply_late"), True)):
        assert (ask("replied_in_time", "supervision", {}, history=history) == "was-late") is late
        assert (ask("replied_late", "supervision", {}, history=history) == "was-in-time") is not late
    assert ask("extension_asked", "supervision", {}) == "not-asked"
    assert ask("problems_found", "inspection", {"problems": 0}) == "no-problems"
    assert ask("no_problems_found", "inspection", {"problems": 1}) == "problems"


def test_concealed_reported_late_and_reported_exclude_each_other() -> None:
    known = NOW.isoformat()
    told = {"never": None, "before": (NOW - timedelta(hours=1)).isoformat(), "after": (NOW + timedelta(hours=1)).isoformat()}
    refused = {
        name: tuple(
            bool(ask(guard, "concealment", {"known_at": known} | ({"reported_at": at} if at else {})))
            for guard in ("not_self_reported", "report_told", "self_reported_first")
        )
        for name, at in told.items()
    }
    assert refused == {"never": (False, True, True), "before": (True, True, False), "after": (False, False, True)}
    assert ask("occurred_before_known", "incident", {"occurred_at": told["after"], "known_at": known}) == "known-before"


def test_a_bound_is_reached_from_its_number_on_in_its_days() -> None:
    rules = MajorRules(
        bounds=(
            Bound.model_validate({"fact": "persons", "at_least": 30, "to": "2025-12-31"}),
            Bound.model_validate({"fact": "persons", "at_least": 120, "from": "2026-01-01"}),
            Bound(fact="deaths", at_least=1),
        )
    )
    assert rules.reached({"persons": 30}, date(2025, 12, 31)) == ("persons",)
    assert rules.reached({"persons": 119}, date(2026, 1, 1)) == ()
    assert rules.reached({"deaths": 2, "persons": 120}, date(2026, 1, 1)) == ("persons", "deaths")
    assert MajorRules().reached({"deaths": 9}, date(2026, 1, 1)) == ()
    with pytest.raises(ValueError, match="from"):
        Bound.model_validate({"fact": "deaths", "at_least": 1, "from": "2026-01-02", "to": "2026-01-01"})


@pytest.mark.parametrize("plan", ["dayong", "xiyuan"])
def test_both_plans_have_bounds_for_every_fact_and_mark_them_assumed(plan: str) -> None:
    bounds = load_plan(Path(ROOT) / "plans" / plan, LAW).major.bounds
    assert {one.fact for one in bounds} == set(MAJOR_FACTS) and all(one.assumed for one in bounds)
