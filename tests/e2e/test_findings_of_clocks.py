"""Findings of clocks that nobody stops: acts over the real services, then sixty days later on every service's clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared.kit import clock
from shared.rules.calendar import local_day
from tests.e2e.people import People
from tests.e2e.town import Town, a_town
from tests.patience import until

LATER_S = 60 * 86_400


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with a_town() as made:
        made.all_ready()
        yield made
    clock.set_offset(0)


def decided(people: People) -> str:
    """A duty that a meeting set."""
    starts = clock.now() + timedelta(seconds=6)
    called = {
        "kind": "joint_conference", "title": "联席会议", "place": "会议室", "agenda": ["部署下阶段工作"],
        "starts_at": starts.isoformat(), "ends_at": (starts + timedelta(seconds=2)).isoformat(), "agencies": ["labour"],
    }  # fmt: skip
    made = people.send("notify", "/v1/meetings", people.director, called)
    path = f"/v1/meetings/{made['meeting_id']}"
    time.sleep(max(0.0, (starts - clock.now()).total_seconds() + 1))
    held = people.send("notify", f"{path}/steps/hold", people.director, {"present": ["labour"]}, made["version"])
    what = {"agency": "labour", "due": str(local_day(clock.now()) + timedelta(days=10)), "what": "核查全部求职中介"}
    return people.send("notify", f"{path}/decisions", people.director, what, held["version"])["decisions"][0]["duty_id"]


def test_clocks_that_ran_out_become_findings__d_q1_1__d_q1_3__d_q1_4__d_m2__d_r(town: Town) -> None:
    """D-Q1.4: a major lead nobody verified; D-Q1.3, D-M2: an order and duties nobody did; D-R: reports; D-Q1.1: no certificate."""
    people = People(town.stack)
    held = "我弟弟被传销组织关在大涌镇安堂社区兴华里一套出租屋里，不准出门，手机被收走，求救"
    lead = people.send("intake", "/v1/tips", people.staff, {"plan": "dayong", "channel": "hotline", "text": held})["lead_id"]
    order = people.opened("supervision", people.director, {"level": "office", "matter": "tip", "order": "请核查"}, "labour")
    people.step(order, "issue_office", people.director)
    answered = people.opened("supervision", people.director, {"level": "office", "matter": "tip", "order": "请核查"}, "labour")
    people.step(answered, "issue_office", people.director)
    people.step(answered, "reply", people.labour, result="done", reply="已核查")
    duty = decided(people)
    today = local_day(clock.now())
    days = {"day": str(today + timedelta(days=1)), "first_day": str(today - timedelta(days=13))}
    report = people.send("notify", "/v1/reports", people.staff, days | {"agencies": ["labour"]})[0]["report_id"]
    dues = "SELECT count(*) FROM certificate_dues WHERE state = 'open'"
    town.wait("the day of the certificates stands", lambda: town.count("scoring", dues) > 0)

    for service in ("intake", "casework", "notify", "scoring"):
        town.set_env(service, DACHUAN_CLOCK_OFFSET_S=str(LATER_S))
        town.kill(service)
    clock.set_offset(LATER_S)
    town.all_ready()
    people = People(town.stack)
    found = people.finding("unverified_lead", lead)
    assert found["clause"] == "D-Q1.4" and found["measure"]["verified"] == "no"
    assert people.finding("neglected_order", order["proceeding_id"])["agency"] == "labour"
    people.no_finding("neglected_order", answered["proceeding_id"])
    late = people.finding("late_duty", duty)
    assert (late["clause"], late["agency"], late["measure"]["done"]) == ("D-Q1.3", "labour", "no")
    assert people.finding("late_report", report)["clause"] == "D-R"
    assert people.finding("missed_creation", "creation:")["clause"] == "D-Q1.1"

    def waits() -> bool:
        page = people.read("scoring", "/v1/findings", people.labour, show="mine", limit=200) or {"items": []}
        return any(one["condition"] == "neglected_order" for one in page["items"])

    until("the unit may answer", waits)
