"""From a report to its end and back, through all four services: closed, read by receipt, contested, taken up again."""

from __future__ import annotations

from typing import Any

import httpx

from tests.e2e.people import People
from tests.instances import Stack
from tests.patience import until


def test_a_report_is_ended_contested_and_taken_up_again(stack: Stack) -> None:
    """Beyond both plans, 5: closed is not solved, and never mute; D-A4, D-N4: a second person looks, the case is open again."""
    people = People(stack)
    sent = people.tip()
    receipt = sent["receipt"]

    def read() -> dict[str, Any]:
        return httpx.post(f"{stack.url('intake')}/v1/receipts", json={"receipt": receipt}, timeout=30).json()

    heads = {
        agency: stack.bearer(agency=agency, unit=None, posts=("head", "desk"), principal_id=f"head-{agency}")
        for agency in ("police", "commerce")
    }
    case_id = people.case(sent["lead_id"])

    def shown(agency: str = "police") -> Any:
        return httpx.get(f"{stack.url('casework')}/v1/cases/{case_id}", headers=heads[agency], timeout=30).json()

    for agency in ("police", "commerce"):
        people.send("casework", f"/v1/cases/{case_id}/acceptance", heads[agency], {}, shown()["version"])
    lead = next(one["agency"] for one in shown()["parties"] if one["role"] == "lead")
    people.send("casework", f"/v1/cases/{case_id}/closing", heads[lead], {"outcome": "unfounded"}, shown(lead)["version"])
    told = until("the end, by receipt", lambda: (now := read()).get("outcome") == "unfounded" and now)
    assert told["may_contest"] and "没有发现传销的证据" in told["words"]["zh"]

    contest = httpx.post(
        f"{stack.url('intake')}/v1/receipts/contests", json={"receipt": receipt, "text": "他们还在上课"}, timeout=30
    ).json()
    second = stack.bearer(agency="commerce", unit="office", posts=("office-director",), principal_id="second")
    people.send("intake", f"/v1/contests/{contest['id']}/decision", second, {"decision": "uphold", "text": "重新核查"}, 1)
    until("the case is open again", lambda: shown()["state"] == "accepted")
    until("the receipt says so", lambda: read().get("outcome") is None)
