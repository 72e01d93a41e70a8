"""Proceedings through the API: the transfer of a suspected crime from the team's report to filing, refusal and back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.casework.commands.proceedings import mark_proceedings_missed
from shared.kit import clock, db
from shared.kit.ids import new_id
from tests.integration.casework.conftest import DAY, Desk, lead

COMMERCE = {"agency": "commerce", "unit": "enforcement", "posts": ("investigator",)}
COMMERCE_HEAD = {"agency": "commerce", "unit": "enforcement", "posts": ("head",), "principal_id": "head"}
POLICE = {"agency": "police", "unit": "economic_crime", "posts": ("head",), "principal_id": "police-head"}
REPORT = {"officers": 2, "charge": ["organise"], "report": "专案组报告要点"}


async def post(desk: Desk, path: str, who: dict[str, Any], body: dict[str, Any], version: int | None = None) -> Any:
    desk.keys += 1
    headers = desk.bearer(**who) | {"idempotency-key": f"test-key-{desk.keys:05d}"}
    if version is not None:
        headers["if-match"] = f'"{version}"'
    return await desk.client.post(path, headers=headers, json=body)


async def opened(desk: Desk, case_id: UUID, kind: str, who: dict[str, Any], values: dict[str, Any], to: str | None = None) -> Any:
    body: dict[str, Any] = {"kind": kind, "values": values}
    if to:
        body["counterpart"] = {"agency": to}
    answer = await post(desk, f"/v1/cases/{case_id}/proceedings", who, body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def step(desk: Desk, made: Any, name: str, who: dict[str, Any], **values: Any) -> Any:
    current = (await desk.get(f"/v1/proceedings/{made['proceeding_id']}", desk.bearer(**who))).json()
    path = f"/v1/proceedings/{made['proceeding_id']}/steps/{name}"
    answer = await post(desk, path, who, {"values": values}, current["version"])
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_suspected_crime_is_transferred_and_each_side_keeps_its_clock(desk: Desk) -> None:
    """D-A5, D-N3: report, approval by another person, sending; every clock stands on its own article."""
    [case_id] = await desk.open(lead())
    made = await opened(desk, case_id, "suspected_crime", COMMERCE, REPORT, "police")
    assert made["state"] == "reported" and made["awaits_agency"] == "commerce"
    [decide] = made["clocks"]
    assert decide["rule"] == "transfer.decide" and "第五条" in decide["article"] and decide["certainty"] == "T"
    steps = {one["step"]: one for one in made["steps"]}
    assert set(steps) == {"approve", "keep"} and steps["approve"]["approval"] == "transfer.decide"
    assert steps["approve"]["mine"] and not steps["approve"]["approved"]

    path = f"/v1/proceedings/{made['proceeding_id']}/steps/approve"
    no_post = await post(desk, path, COMMERCE, {}, 1)
    assert no_post.status_code == 403 and no_post.json()["approval"] == "transfer.decide"
    other_side = await post(desk, path, POLICE, {}, 1)
    assert other_side.status_code == 403

    after = await step(desk, made, "approve", COMMERCE_HEAD)
    assert after["state"] == "approved"
    assert {one["rule"]: one["state"] for one in after["clocks"]} == {"transfer.decide": "met", "transfer.send": "running"}

    outdated = await post(desk, path, COMMERCE_HEAD, {}, 1)
    assert outdated.status_code == 412 and outdated.json()["changes"][0]["step"] == "approve"
    not_now = await post(desk, path, COMMERCE_HEAD, {}, 2)
    assert not_now.status_code == 409 and not_now.json()["possible"] == ["send"]

    told = [data for _, data in await desk.events() if data.TYPE.startswith("dachuan.proceeding")]
    assert [one.TYPE.split(".")[2] for one in told] == ["opened", "stepped"]
    assert told[0].facts == {"charge": ("organise",)} and told[1].awaits_agency == "commerce"
    assert "专案组" not in "".join(one.model_dump_json() for one in told)


async def test_what_is_missing_or_wrong_is_said_field_by_field(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    body = {"kind": "suspected_crime", "counterpart": {"agency": "police"}, "values": {"officers": 1, "charge": ["x"], "no": 1}}
    answer = await post(desk, f"/v1/cases/{case_id}/proceedings", COMMERCE, body)
    assert answer.status_code == 422
    assert set(answer.json()["fields"]) == {"officers", "charge", "report", "no"}
    assert (await desk.rows("SELECT count(*) AS n FROM proceedings"))[0].n == 0
    for kind, to in (("suspected_crime", "finance"), ("suspected_crime", "nobody"), ("suspected_crime", None)):
        body = {"kind": kind, "values": REPORT} | ({"counterpart": {"agency": to}} if to else {})
        assert (await post(desk, f"/v1/cases/{case_id}/proceedings", COMMERCE, body)).status_code == 409
    unknown = await post(desk, f"/v1/cases/{case_id}/proceedings", COMMERCE, {"kind": "nothing"})
    assert unknown.status_code == 404
    not_theirs = await post(
        desk, f"/v1/cases/{case_id}/proceedings", POLICE, {"kind": "suspected_crime", "counterpart": {"agency": "commerce"}, "values": REPORT}
    )
    assert not_theirs.status_code == 403


async def test_a_clock_that_passes_is_missed_once_and_told(desk: Desk) -> None:
    """D-A5: the head's three days pass; the miss is a fact of its own, and the late approval is met late."""
    [case_id] = await desk.open(lead())
    made = await opened(desk, case_id, "suspected_crime", COMMERCE, REPORT, "police")
    later = clock.now() + 5 * DAY
    for expected in (1, 0):
        async with db.begin(desk.service.engine) as conn:
            assert await mark_proceedings_missed(conn, desk.basis, later) == expected
    [missed] = [data for _, data in await desk.events() if data.TYPE.endswith("proceeding.deadline-missed.v1")]
    assert missed.deadline.rule == "transfer.decide" and missed.deadline.agency == "commerce"
    shown = (await desk.get("/v1/proceedings", desk.bearer(**COMMERCE_HEAD), late="true")).json()
    assert [one["proceeding_id"] for one in shown["items"]] == [made["proceeding_id"]]
    assert (await desk.rows("SELECT missed FROM cases"))[0].missed == 1


async def test_the_criminal_track_is_read_under_a_right_of_its_own(desk: Desk) -> None:
    """D-B1: the office sees number, stage and clocks of a criminal case, not what stands in it."""
    [case_id] = await desk.open(lead())
    made = await opened(desk, case_id, "criminal_case", POLICE, {"charge": ["organise"], "major": True})
    assert made["confidential"] == "criminal" and made["open"] and made["facts"]["charge"] == ["organise"]
    office = desk.bearer(agency="commerce", unit="office", posts=("office-director",))
    seen = (await desk.get(f"/v1/proceedings/{made['proceeding_id']}", office)).json()
    assert not seen["open"] and seen["facts"] == {} and seen["number"] == made["number"] and seen["clocks"]
    assert made["clocks"][0]["rule"] == "economic.review_major"


async def test_a_step_is_taken_from_its_page_and_a_refusal_keeps_what_was_typed(desk: Desk) -> None:
    """D-N3: the desk shows what waits, the page whose step it is, by which article; the case shows both tracks."""
    [case_id] = await desk.open(lead())
    investigator = desk.bearer(**COMMERCE)
    kinds = await desk.get(f"/cases/{case_id}/proceedings/new", investigator)
    assert kinds.status_code == 200 and "涉嫌犯罪案件移送" in kinds.text and "公安刑事案件" not in kinds.text
    form = await desk.get(f"/cases/{case_id}/proceedings/new", investigator, kind="suspected_crime")
    assert "第五条" in form.text and "书面报告要点" in form.text
    headers = investigator | {"sec-fetch-site": "same-origin"}
    path = f"/cases/{case_id}/proceedings/new"
    typed = {"kind": "suspected_crime", "agency": "police", "v_officers": "1", "v_charge": "organise", "v_report": "要点甲"}
    refused = await desk.client.post(path, headers=headers, data=typed | {"idempotency_key": str(new_id())})
    assert refused.status_code == 422 and "不能少于 2" in refused.text and "要点甲" in refused.text
    sent = await desk.client.post(path, headers=headers, data=typed | {"v_officers": "2", "idempotency_key": str(new_id())})
    assert sent.status_code == 303, sent.text
    [made] = (await desk.get("/v1/proceedings", investigator)).json()["items"]
    shown = await desk.get(f"/proceedings/{made['proceeding_id']}", investigator)
    assert shown.status_code == 200 and "要点甲" in shown.text and "批准移送" in shown.text
    step_path = f"/proceedings/{made['proceeding_id']}/steps/keep"
    head = desk.bearer(**COMMERCE_HEAD) | {"sec-fetch-site": "same-origin"}
    answer = {"version": "1", "v_reason": "证据不足", "idempotency_key": str(new_id())}
    assert (await desk.client.post(step_path, headers=head, data=answer)).status_code == 303
    again = await desk.client.post(step_path, headers=head, data=answer | {"idempotency_key": str(new_id())})
    assert again.status_code == 412 and "证据不足" in again.text
    case = await desk.get(f"/cases/{case_id}", investigator)
    assert case.status_code == 200 and made["number"] in case.text and "未批准移送" in case.text
    desk_page = await desk.get("/proceedings", investigator, show="all")
    assert desk_page.status_code == 200 and made["number"] in desk_page.text
