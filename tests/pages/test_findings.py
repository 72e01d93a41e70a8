"""Findings in a real browser: from the incident in casework to the unit's answer on a phone."""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import expect

from shared.kit.access import SESSION_COOKIE
from tests.e2e.test_findings import HOUR, People, ago
from tests.instances import Stack
from tests.pages.conftest import DESKTOP, PHONE, Screens


def signed_in(screens: Screens, stack: Stack, size: dict[str, int], **who: Any) -> Any:
    page = screens.open(size)
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": stack.token(**who), "url": stack.url("scoring")}])
    return page


def test_a_finding_is_answered_on_a_phone_and_decided_at_a_desk(screens: Screens, stack: Stack) -> None:
    """D-Q1.2, D-Q1: what waits for me comes first; the unit answers, the office confirms with the facts beside it."""
    people = People(stack)
    facts = {"what": "confinement", "persons": 12, "confined": 4, "influence": "serious", "account": "经过", "source": "media"}
    made = people.opened("incident", people.police, facts | {"occurred_at": ago(HOUR), "known_at": ago(HOUR / 2)})
    found = people.finding("grave_incident", made["proceeding_id"])
    time.sleep(1)
    unit = signed_in(screens, stack, PHONE, agency="police", posts=("head",), principal_id="phone-head")
    unit.goto(f"{stack.url('scoring')}/findings?condition=grave_incident")
    expect(unit.get_by_text("被他人曝光").first).to_be_visible()
    screens.keep(unit, "findings-desk-390")
    screens.check(unit)
    unit.goto(f"{stack.url('scoring')}/findings/{found['finding_id']}")
    unit.get_by_label("贵单位的说明").fill("已在第一时间解救，见处置记录")
    screens.keep(unit, "finding-answer-390")
    screens.check(unit)
    unit.get_by_role("button", name="申辩").click()
    expect(unit.get_by_text("申辩已记录")).to_be_visible()
    office = signed_in(
        screens, stack, DESKTOP, agency="commerce", unit="office", posts=("office-director",), principal_id="desk-director"
    )
    office.goto(f"{stack.url('scoring')}/findings/{found['finding_id']}")
    expect(office.get_by_text("已在第一时间解救")).to_be_visible()
    screens.keep(office, "finding-decide-1280")
    screens.check(office)
    office.locator("summary", has_text="确认").first.click()
    office.get_by_role("button", name="确认", exact=True).click()
    expect(office.get_by_text("已计入台账").first).to_be_visible()
