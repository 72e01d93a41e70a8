"""Notices of consequences: who is told of which step, and what ends what was asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.notify.domain import matters
from services.notify.domain.notices import Template
from shared.events.consequences import MeasureStepped, ToolStepped
from shared.rules.plan import load_plan

DAYONG = load_plan(Path(__file__).resolve().parents[3] / "deploy" / "plans" / "dayong")
NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)


def tool(step: str, **more: Any) -> ToolStepped:
    return ToolStepped(**({
        "plan": "dayong", "rulebook": "dayong-units", "edition": "2015.1", "clause": "D-C1", "dataref": "http://s/v1/tools/1",
        "tool_id": UUID(int=1), "tool": "admonition", "rung": 2, "step": step, "state": "standing", "stands": True,
        "scored_kind": "agency", "scored": "police", "agency": "police", "unit": None, "area": None, "blocks": (),
        "findings": (), "public": False, "starts_at": NOW, "ends_at": None, "rectify_by": NOW + timedelta(days=30), "at": NOW,
        "version": 3,
    } | more))  # fmt: skip


def measure(step: str, **more: Any) -> MeasureStepped:
    return MeasureStepped(**({
        "plan": "dayong", "rulebook": "dayong-units", "edition": "2015.1", "clause": "D-Q2",
        "dataref": "http://s/v1/measures/2", "measure_id": UUID(int=2), "measure": "accountability",
        "kind": "accountability", "step": step, "state": "sent", "scored_kind": "agency", "scored": "police",
        "agency": "police", "unit": None, "area": None, "post": None, "sent_to": ("discipline", "organisation"),
        "findings": (), "yuan": None, "fund": None, "decision": None, "points": None, "occurred_at": NOW, "at": NOW, "version": 2,
    } | more))  # fmt: skip


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (tool("trigger"), [("commerce", Template.TOOL_CALLED_FOR, "consequence.propose")]),
        (tool("propose"), [("commerce", Template.TOOL_TO_DECIDE, "consequence.decide")]),
        (tool("approve"), [("police", Template.TOOL_IN_EFFECT, None)]),
        (tool("report"), [("commerce", Template.TOOL_REPORTED, "consequence.propose")]),
        (tool("lift"), [("police", Template.TOOL_OVER, None)]),
        (tool("accept"), []),
        (measure("propose"), [("commerce", Template.MEASURE_TO_DECIDE, "consequence.decide")]),
        (measure("send"), [("discipline", Template.ACCOUNTABILITY_SENT, None), ("organisation", Template.ACCOUNTABILITY_SENT, None)]),
    ],
)
def test_each_step_tells_whom_it_concerns__d_q1__d_q2(event: Any, expected: list[Any]) -> None:
    """D-Q1, D-Q2: the notice of a tool goes to its unit, a proposal of accountability to those it is addressed to."""
    assert [(one.to[0], one.template, one.needs) for one in matters.told_of(event, DAYONG)] == expected


def test_the_notice_of_a_tool_is_due_with_its_rectification_and_done_by_its_report() -> None:
    [told] = matters.told_of(tool("approve"), DAYONG)
    assert told.due == NOW + timedelta(days=30)
    found = matters.ended_by(tool("report", at=NOW + timedelta(days=31)))
    assert found is not None and told.template in found[1] and found[3] is False
    assert matters.ended_by(tool("trigger")) is None
