"""A lead of the net patrol, from the police's own system to its worth in scoring."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from tests.e2e.people import People
from tests.instances import Stack
from tests.patience import until


def test_a_net_patrols_lead_is_acted_on_and_how_soon_is_measured_and_scored__d_m5(stack: Stack) -> None:
    """D-M5, D-A3, D-M2: handed in by the patrol's system, accepted in time: a figure of casework, and points of the agency."""
    people = People(stack)
    app = f"com.example.mall{uuid.uuid4().hex[:8]}"
    sheet = (
        "线索编号,发现时间,类型,名称,地址或账号,平台,情况,属地,巡查单位\n"
        f"WX-{app[-8:]},2026-11-20 06:52:00,APP,某某商城{app[-8:]},{app},应用市场,"
        "该APP以消费返利为名发展多级下线，收取入门费3980元，拉人头按团队业绩返利。,大涌镇,网监中队\n"
    )
    patrol = stack.bearer(kind="system", principal_id="net", agency="police", plan="dayong", scopes=("tip.submit",))
    handed = httpx.post(
        f"{stack.url('intake')}/v1/handins/net-patrol", content=sheet.encode(), headers=patrol, timeout=30
    )
    assert handed.status_code in (200, 201), handed.text
    [row] = handed.json()["rows"]
    assert "internet" in row["tip"]["kinds"]
    case = people.case(row["tip"]["lead_id"])
    version = people.read("casework", f"/v1/cases/{case}", people.police)["version"]
    people.send("casework", f"/v1/cases/{case}/acceptance", people.police, {}, version)

    months = people.read("casework", "/v1/statistics/cases", people.police, by="kind")["items"]
    internet = next(one for one in months if one["code"] == "internet")
    assert internet["accepted_median"] is not None and internet["accepted_median"] < 1, (
        "hours from the lead to the acceptance"
    )

    def entry() -> Any:
        page = people.read("scoring", "/v1/ledger", people.director, limit=200) or {"items": []}
        return next((one for one in page["items"] if one["case_id"] == case and one["agency"] == "police"), None)

    scored = until("the acceptance is worth something", entry)
    assert scored["line"] == "acceptance-timely" and float(scored["points"]) > 0
