"""A den found in a registered rental, through the real services: intake's register → casework → intake's patrol (D-E2)."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.instances import Stack
from tests.patience import until

AREA = "dayong-lantian"


def key() -> dict[str, str]:
    return {"idempotency-key": uuid.uuid4().hex}


def test_a_den_found_makes_its_rental_the_strictest_tier_and_has_it_patrolled__d_e2__x_d7a(stack: Stack) -> None:
    """D-E2, X-D7a, X-D9: the register tells casework of the unit; the den tells intake, which makes it 重点 and patrols it."""
    intake, casework = stack.url("intake"), stack.url("casework")
    rental_office = stack.bearer(agency="rental_mgmt", posts=("head",))
    police = stack.bearer(agency="police", posts=("head",))
    room = str(uuid.uuid4().int % 9000 + 1000)
    made = httpx.post(
        f"{intake}/v1/rentals", headers=rental_office | key(),
        json={"area": AREA, "estate": "岚田新村", "building": "3栋", "room": room},
    )  # fmt: skip
    assert made.status_code == 201, made.text
    unit = made.json()["id"]
    tip = httpx.post(
        f"{intake}/v1/tips", headers=stack.bearer(agency="commerce", posts=("desk",)) | key(),
        json={"plan": "dayong", "text": f"岚田社区岚田新村3栋{room}有人搞传销，每天拉人头听课，发展下线，每人交3900元", "channel": "visit"},
    )  # fmt: skip
    assert tip.status_code in (200, 201, 202), tip.text

    def case() -> Any:
        listed = httpx.get(f"{casework}/v1/cases", headers=police, params={"area": AREA, "limit": 5}).json()["items"]
        return listed[0]["case_id"] if listed else None

    case_id = until("the tip opens a case", case)
    den = {
        "kind": "rental", "address": f"岚田新村3栋{room}", "registered_id": unit, "officers": 8, "persons": 11,
        "found_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    sent = key()

    def record() -> Any:
        answer = httpx.post(f"{casework}/v1/cases/{case_id}/dens", headers=police | sent, json=den)
        if answer.status_code == 422 and "unknown-registered-place" in answer.text:
            return None  # the register's news is on its way
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    found = until("casework hears of the registered unit", record)
    assert found["state"] == "found" and found["area"] == AREA

    def strictest() -> Any:
        one = httpx.get(f"{intake}/v1/rentals/{unit}", headers=rental_office).json()
        return one if one["den_at"] else None

    after = until("intake hears of the den", strictest)
    assert after["tier"] == "key", after["tier"]
    page = httpx.get(f"{intake}/v1/patrols/tasks", headers=rental_office, params={"area": AREA, "limit": 200})
    assert page.status_code == 200, page.text
    tasks = [one for one in page.json()["items"] if one["unit_id"] == unit]
    assert [one["cause"] for one in tasks] == ["den"]
