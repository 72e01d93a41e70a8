"""Who gets a notice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from services.notify.domain import notices
from services.notify.domain.notices import Template, notice_id
from shared.events.casework import CaseOpened, DeadlineMissed
from shared.events.common import DeadlineFact, PartyFact
from shared.rules.plan import Plan, load_plan

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
CASE = UUID("0190a5c0-0000-7000-8000-000000000001")
PLANS = Path(__file__).resolve().parents[3] / "deploy" / "plans"


def deadline(agency: str, unit: str | None) -> DeadlineFact:
    return DeadlineFact(
        deadline_id=UUID("0190a5c0-0000-7000-8000-0000000000d1"), kind="acceptance", agency=agency, unit=unit,
        rule="complaint.accept", calendar="2026.1", start=NOW, due=NOW + timedelta(days=7), provisional=True,
    )  # fmt: skip


def missed(agency: str, unit: str | None, plan: str = "dayong") -> DeadlineMissed:
    return DeadlineMissed(
        case_id=CASE, plan=plan, area=None, urgent=False, number="DY-1", agency=agency, unit=unit,
        deadline=deadline(agency, unit), missed_at=NOW,
    )  # fmt: skip


def test_ids_follow_from_what_the_notice_is() -> None:
    one = notice_id(CASE, "police", None, Template.CASE_OPENED)
    assert one == notice_id(CASE, "police", None, Template.CASE_OPENED)
    others = {
        notice_id(CASE, "police", "cyber", Template.CASE_OPENED),
        notice_id(CASE, "commerce", None, Template.CASE_OPENED),
        notice_id(CASE, "police", None, Template.DEADLINE_MISSED),
        notice_id(CASE, "police", None, Template.CASE_OPENED, CASE),
        one,
    }
    assert len(others) == 5


def test_a_party_named_without_its_unit_still_finds_its_deadline() -> None:
    case = CaseOpened(
        case_id=CASE, plan="dayong", area=None, urgent=False, number="DY-1", lead_id=CASE, kinds=("gathering",),
        parties=(PartyFact(agency="police", role="lead"), PartyFact(agency="education", role="co")),
        deadlines=(deadline("police", "economic_crime"),), received_at=NOW, opened_at=NOW, dataref="http://x.example/",
    )  # fmt: skip
    police, education = notices.of_opened(case, NOW)
    assert police["due"] == NOW + timedelta(days=7) and police["provisional"] is True
    assert education["due"] is None


@pytest.fixture(params=["dayong", "xiyuan"])
def plan(request: pytest.FixtureRequest) -> Plan:
    return load_plan(PLANS / request.param)


def test_a_missed_deadline_is_told_to_the_agency_and_the_office(plan: Plan) -> None:
    rows = notices.of_missed(missed("police", None, plan.id), plan, NOW)
    assert {(r["agency"], r["unit"]): r["template"] for r in rows} == {
        ("police", None): "deadline.missed",
        notices.office_of(plan): "deadline.missed.office",
    }


def test_the_office_is_told_once_of_its_own_lateness(plan: Plan) -> None:
    agency, unit = notices.office_of(plan)
    (row,) = notices.of_missed(missed(agency, unit, plan.id), plan, NOW)
    assert row["template"] == "deadline.missed"


def test_an_unknown_plan_loses_no_notice() -> None:
    assert len(notices.of_missed(missed("police", None), None, NOW)) == 1
