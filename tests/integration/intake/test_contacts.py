"""A reporter who wants to be known: sealed apart, opened by two persons with a reason, and told that it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.intake.commands import contacts
from shared.kit import clock, db
from tests.integration.intake.conftest import Desk

TEXT = "安堂社区兴华里5栋301有人搞传销，每天几十人听课拉人头，发展下线，每人交3900元"
CONTACT = {"name": "陈小满", "phone": "13800000000", "address": "岭下里9号"}
ASKED = {"category": "testimony", "reason": "案件需要证人，回执对话中已同意"}


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == f"urn:dachuan:problem:{code}"


@pytest.fixture
def head(desk: Desk) -> dict[str, str]:
    """Who works on it and may ask."""
    return desk.bearer("police", ("head",), unit="economic_crime", principal_id="head-1")


@pytest.fixture
def leader(desk: Desk) -> dict[str, str]:
    """A post that the plan lets approve (X-O1)."""
    return desk.bearer("politics_law", ("leader",), principal_id="leader-1")


async def send(
    desk: Desk, path: str, who: dict[str, str], body: Any, *, version: int | None = None, key: str | None = None
) -> httpx.Response:
    desk.keys += 1
    headers = who | {"idempotency-key": key or f"contacts-{desk.keys:05d}"}
    if version is not None:
        headers["if-match"] = f'"{version}"'
    return await desk.client.post(path, headers=headers, json=body)


async def named(desk: Desk) -> tuple[str, Any]:
    """A report with a contact: its receipt and its row."""
    body = {"plan": "dayong", "text": TEXT, "contact": CONTACT}
    answer = await desk.client.post("/v1/public/reports", json=body)
    assert answer.status_code == 201 and answer.json()["contact_kept"], answer.text
    [row] = await desk.rows("SELECT * FROM tips")
    return answer.json()["receipt"], row


async def test_a_contact_is_sealed_apart_and_stands_in_no_view(desk: Desk, head: dict[str, str]) -> None:
    """Beyond both plans, 6: under a key of its own; not in the tip, the desk, the audit log or an event."""
    receipt, tip = await named(desk)
    shown = [
        (await desk.get(f"/v1/tips/{tip.id}", head)).text,
        (await desk.get("/v1/tips", head)).text,
        (await desk.get(f"/v1/tips/{tip.id}/messages", head)).text,
        (await desk.get(f"/tips/{tip.id}", head)).text,
        (await desk.get(f"/tips/{tip.id}/conversation", head)).text,
        (await desk.client.post("/v1/receipts", json={"receipt": receipt})).text,
    ]
    stored = [str(row) for table in ("audit", "outbox", "tips") for row in await desk.rows(f"SELECT t::text FROM {table} t")]
    for part in CONTACT.values():
        assert not [text for text in shown + stored if part in text]
    [row] = await desk.rows("SELECT * FROM reporter_contacts")
    keys = desk.service.settings.keys
    with pytest.raises(Exception, match="narrative"):
        keys.open("narrative", tip.id.bytes, bytes(row.sealed))
    assert keys.open("reporter", tip.id.bytes, bytes(row.sealed))


async def test_two_persons_with_a_reason_open_it_and_the_reporter_reads_that_they_did(
    desk: Desk, head: dict[str, str], leader: dict[str, str]
) -> None:
    """Four eyes (D-O1, X-O1): asked by one, approved by another whose post may, seen by the first, on record."""
    receipt, tip = await named(desk)
    made = await send(desk, f"/v1/tips/{tip.id}/reveals", head, ASKED)
    assert made.status_code == 201, made.text
    reveal = f"/v1/reveals/{made.json()['id']}"
    refused(await send(desk, f"{reveal}/contact", head, {}), 409, "not-approved")
    [listed] = (await desk.get("/v1/reveals", leader)).json()["items"]
    assert listed["state"] == "requested" and not listed["own"] and listed.get("reason") is None
    assert (await desk.get(reveal, leader)).json()["reason"] == ASKED["reason"]
    done = await send(desk, f"{reveal}/decision", leader, {"decision": "approve"}, version=1)
    assert done.status_code == 200 and done.json()["state"] == "approved" and done.json()["view_until"], done.text
    before = (await desk.client.post("/v1/receipts", json={"receipt": receipt})).json()["revealed"]
    assert len(before) == 1 and before[0]["viewed_at"] is None
    told = await send(desk, f"{reveal}/contact", head, {})
    assert told.json() == CONTACT and told.headers["cache-control"] == "no-store"
    [read] = (await desk.client.post("/v1/receipts", json={"receipt": receipt})).json()["revealed"]
    assert read["agency"] == "police" and read["agency_name"]["zh"] == "公安分局"
    assert (read["category"], read["why"]["zh"]) == ("testimony", "请举报人作证") and read["viewed_at"]
    assert "head-1" not in str(read) and "leader-1" not in str(read)
    acts = [row.action for row in await desk.rows("SELECT action FROM audit WHERE action LIKE 'reveal.%' ORDER BY seq")]
    assert acts == ["reveal.request", "reveal.approve", "reveal.view"]
    refused(await send(desk, f"{reveal}/contact", leader, {}), 403, "forbidden")


async def test_nobody_approves_alone_or_without_the_post(
    desk: Desk, head: dict[str, str], leader: dict[str, str]
) -> None:
    """X-O1: the person who asked cannot approve, however high the post; a post that may not approve cannot either."""
    _, tip = await named(desk)
    both = desk.bearer("police", ("head", "leader"), unit="economic_crime", principal_id="both")
    made = await send(desk, f"/v1/tips/{tip.id}/reveals", both, ASKED)
    reveal = f"/v1/reveals/{made.json()['id']}/decision"
    refused(await send(desk, reveal, both, {"decision": "approve"}, version=1), 403, "same-person")
    office = desk.bearer("commerce", ("office-director",), unit="office", principal_id="office-1")
    refused(await send(desk, reveal, office, {"decision": "approve"}, version=1), 404, "not-found")
    other = desk.bearer("police", ("head",), unit="economic_crime", principal_id="head-2")
    refused(await send(desk, reveal, other, {"decision": "approve"}, version=1), 404, "not-found")
    elsewhere = desk.bearer("politics_law", ("leader",), principal_id="far", plan="xiyuan")
    refused(await send(desk, reveal, elsewhere, {"decision": "approve"}, version=1), 404, "not-found")
    refused(await send(desk, reveal, leader, {"decision": "approve"}, version=9), 412, "outdated")
    assert (await send(desk, reveal, leader, {"decision": "refuse"}, version=1)).json()["state"] == "refused"
    refused(await send(desk, reveal, leader, {"decision": "approve"}, version=2), 409, "decided")
    assert (await desk.rows("SELECT views FROM contact_reveals"))[0].views == 0


async def test_a_request_needs_a_reason_a_contact_and_reach(desk: Desk, head: dict[str, str]) -> None:
    _, tip = await named(desk)
    path = f"/v1/tips/{tip.id}/reveals"
    refused(await send(desk, path, head, {"category": "testimony", "reason": " "}), 422, "invalid")
    refused(await send(desk, path, head, {"category": "curiosity", "reason": "想知道"}), 422, "invalid")
    desk_post = desk.bearer("rental_mgmt", ("head",), principal_id="rental")
    assert (await send(desk, path, desk_post, ASKED)).status_code in (403, 404)
    assert (await send(desk, path, head, ASKED)).status_code == 201
    refused(await send(desk, path, head, ASKED), 409, "asked-before")
    plain = await desk.client.post("/v1/public/tips", json={"plan": "dayong", "text": TEXT})
    assert plain.status_code == 201
    [other] = await desk.rows("SELECT id FROM tips WHERE id <> :id", id=tip.id)
    refused(await send(desk, f"/v1/tips/{other.id}/reveals", head, ASKED), 404, "not-found")


async def test_approvals_and_requests_end_in_time(desk: Desk, head: dict[str, str], leader: dict[str, str]) -> None:
    """The plan's times: seen for a day, decided in three working days; afterwards asked anew."""
    _, tip = await named(desk)
    made = (await send(desk, f"/v1/tips/{tip.id}/reveals", head, ASKED)).json()["id"]
    await send(desk, f"/v1/reveals/{made}/decision", leader, {"decision": "approve"}, version=1)
    [row] = await desk.rows("SELECT * FROM contact_reveals")
    assert row.view_until - row.decided_at == timedelta(hours=24)
    await desk.rows("UPDATE contact_reveals SET view_until = now() - interval '1 second' RETURNING id")
    refused(await send(desk, f"/v1/reveals/{made}/contact", head, {}), 409, "expired")
    again = (await send(desk, f"/v1/tips/{tip.id}/reveals", head, {**ASKED, "reason": "仍需作证，再次申请"})).json()["id"]
    async with db.begin(desk.service.engine) as conn:
        assert await contacts.lapse(conn, desk.service, clock.now()) == 0
        assert await contacts.lapse(conn, desk.service, clock.now() + timedelta(days=30)) == 1
    refused(await send(desk, f"/v1/reveals/{again}/decision", leader, {"decision": "approve"}, version=2), 409, "decided")


async def test_a_contact_can_follow_by_receipt_and_the_first_stands(desk: Desk) -> None:
    answer = await desk.client.post("/v1/public/tips", json={"plan": "dayong", "text": TEXT})
    body = {"receipt": answer.json()["receipt"], "phone": "13800000000"}
    assert (await desk.client.post("/v1/receipts/contact", json=body)).status_code == 201
    refused(await desk.client.post("/v1/receipts/contact", json=body), 409, "contact-kept-before")
    told = (await desk.client.post("/v1/receipts", json={"receipt": body["receipt"]})).json()
    assert told["contact_kept"] and told["revealed"] == []


async def test_a_report_with_kinds_and_answers_keeps_the_own_words_and_reaches_who_it_should(desk: Desk) -> None:
    """D-F: what is ticked and answered joins the sealed words, and health-product selling goes to food and drug."""
    book = (await desk.client.get("/v1/public/questions")).json()
    kinds = {kind["id"]: kind for kind in book["kinds"]}
    assert {"headcount", "entry_fee", "downline_sales", "health_products", "internet", "gathering", "confinement"} <= set(kinds)
    assert book["kinds"][0]["id"] == "confinement" and book["kinds"][0]["danger"]
    assert all(question["words"]["en"] for kind in kinds.values() for question in kind["questions"])
    body = {
        "plan": "dayong",
        "text": "楼下门店天天叫老人去",
        "area": "dayong-antang",
        "kinds": ["health_products"],
        "answers": {"health-claim": ["lecture", "cure"], "health-label": ["某某口服液"]},
    }
    answer = await desk.client.post("/v1/public/reports", json=body)
    assert answer.status_code == 201 and not answer.json()["contact_kept"]
    [tip] = await desk.rows("SELECT * FROM tips")
    assert "health_products" in tip.kinds and tip.agency == "food_drug"
    police = desk.bearer("food_drug", ("head",), principal_id="fd")
    text = (await desk.get(f"/v1/tips/{tip.id}", police)).json()["text"]
    assert text.startswith("楼下门店天天叫老人去\n") and "聚众开讲座" in text and "产品和批号：某某口服液" in text


async def test_unknown_choices_are_told_and_keep_nothing(desk: Desk) -> None:
    body = {"plan": "dayong", "text": "楼上搞传销", "kinds": ["weather"], "answers": {"fee-how": ["shells"], "no-such": ["x"]}}
    answer = await desk.client.post("/v1/public/reports", json=body)
    refused(answer, 422, "unknown-choice")
    assert {e["field"] for e in answer.json()["errors"]} == {"kinds.0", "answers.fee-how", "answers.no-such"}
    assert await desk.rows("SELECT 1 FROM tips") == []


async def test_places_are_picked_from_town_to_community_to_estate(desk: Desk) -> None:
    """Places by the plan, and estates when the registers know some."""
    towns = (await desk.client.get("/v1/public/places", params={"plan": "dayong"})).json()["items"]
    assert {"id": "dayong-antang", "level": "community", "words": {"zh": "安堂社区", "en": "Antang community"}} in towns
    await desk.rows(
        "INSERT INTO estates (id, plan, area, words, created_at, updated_at, version, name, name_key, kind)"
        " VALUES (gen_random_uuid(), 'dayong', 'dayong-antang', '兴华里', now(), now(), 1, '兴华里', '兴华里', 'estate'),"
        " (gen_random_uuid(), 'dayong', 'dayong-nanwen', '金桥公寓', now(), now(), 1, '金桥公寓', '金桥公寓', 'estate')"
        " RETURNING id"
    )
    query = {"plan": "dayong", "area": "dayong-antang"}
    found = (await desk.client.get("/v1/public/places", params=query)).json()["items"]
    assert [place["words"]["zh"] for place in found] == ["兴华里"] and found[0]["level"] == "estate"
    assert (await desk.client.get("/v1/public/places", params={**query, "find": "金桥"})).json()["items"] == []
    refused(await desk.client.get("/v1/public/places", params={"plan": "dayong", "area": "nowhere"}), 422, "unknown-area")


async def test_both_persons_hear_of_a_request_by_events_that_name_nobody(
    desk: Desk, head: dict[str, str], leader: dict[str, str]
) -> None:
    """Reporters: a request and its decision are told with ids and codes, so that the second person knows at once."""
    _, tip = await named(desk)
    made = (await send(desk, f"/v1/tips/{tip.id}/reveals", head, ASKED)).json()["id"]
    await send(desk, f"/v1/reveals/{made}/decision", leader, {"decision": "refuse"}, version=1)
    told = [event for _, event in await desk.events("dachuan.reveal.requested.v1", "dachuan.reveal.decided.v1")]
    assert [str(one.reveal_id) for one in told] == [made, made] and told[1].outcome == "refused"
    assert all(one.dataref.endswith(f"/v1/reveals/{made}") and ASKED["reason"] not in str(one) for one in told)
