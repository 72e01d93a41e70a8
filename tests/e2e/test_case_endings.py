"""From a report to its end and back, through all four services: closed, read by receipt, contested, taken up again."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx

from tests.instances import Stack


def until(what: str, look: Callable[[], Any], seconds: float = 60) -> Any:
    """What `look` finds at last; fails with what was waited for."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, what
        time.sleep(0.3)
    return found


def act(stack: Stack, service: str, path: str, who: dict[str, str], body: dict[str, Any], version: Any = None) -> Any:
    headers = {**who, "idempotency-key": uuid.uuid4().hex} | ({"if-match": f'"{version}"'} if version else {})
    done = httpx.post(f"{stack.url(service)}{path}", headers=headers, json=body, timeout=30)
    assert done.status_code in (200, 201), done.text
    return done.json()


def test_a_report_is_ended_contested_and_taken_up_again(stack: Stack) -> None:
    """Beyond both plans, 5: closed is not solved, and never mute; D-A4, D-N4: a second person looks, the case is open again."""
    place = f"安堂社区兴华里{uuid.uuid4().int % 900 + 100}栋{uuid.uuid4().int % 900 + 100}"
    text = f"{place}有人搞传销，每天拉人头听课，发展下线，每人交3900元"
    office = stack.bearer(agency="commerce", unit="office", posts=("office-staff",), principal_id="office")
    body = {"plan": "dayong", "channel": "hotline", "text": text}
    sent = act(stack, "intake", "/v1/tips", office, body)
    receipt = sent["receipt"]

    def read() -> dict[str, Any]:
        return httpx.post(f"{stack.url('intake')}/v1/receipts", json={"receipt": receipt}, timeout=30).json()

    heads = {
        agency: stack.bearer(agency=agency, unit=None, posts=("head", "desk"), principal_id=f"head-{agency}")
        for agency in ("police", "commerce")
    }
    def case() -> Any:
        page = httpx.get(
            f"{stack.url('casework')}/cases/of-lead/{sent['lead_id']}", headers=heads["police"], timeout=30
        )
        return page.headers.get("location", "").rsplit("/", 1)[-1] if page.status_code == 303 else None

    case_id = until("a case of the tip", case)

    def shown(agency: str = "police") -> Any:
        return httpx.get(f"{stack.url('casework')}/v1/cases/{case_id}", headers=heads[agency], timeout=30).json()

    for agency in ("police", "commerce"):
        act(stack, "casework", f"/v1/cases/{case_id}/acceptance", heads[agency], {}, shown()["version"])
    lead = next(one["agency"] for one in shown()["parties"] if one["role"] == "lead")
    act(stack, "casework", f"/v1/cases/{case_id}/closing", heads[lead], {"outcome": "unfounded"}, shown(lead)["version"])
    told = until("the end, by receipt", lambda: (now := read()).get("outcome") == "unfounded" and now)
    assert told["may_contest"] and "没有发现传销的证据" in told["words"]["zh"]

    contest = httpx.post(
        f"{stack.url('intake')}/v1/receipts/contests", json={"receipt": receipt, "text": "他们还在上课"}, timeout=30
    ).json()
    second = stack.bearer(agency="commerce", unit="office", posts=("office-director",), principal_id="second")
    act(stack, "intake", f"/v1/contests/{contest['id']}/decision", second, {"decision": "uphold", "text": "重新核查"}, 1)
    until("the case is open again", lambda: shown()["state"] == "accepted")
    until("the receipt says so", lambda: read().get("outcome") is None)
