"""What follows a report, by receipt: asked, answered, added, contested, rated; read by its reporter in plain words."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.intake.domain.conversation import MOST_MESSAGES
from tests.integration.intake.conftest import Desk

HEADCOUNT = "安堂社区兴华里5栋301有人搞传销，每天几十人听课拉人头，发展下线，每人交3900元"
POTHOLE = "南文社区门口的路坑坑洼洼，下雨天积水，希望修一修"
HELD = "刚知道我表弟也在里面，被控制不让出门，手机也收走了，请马上救人"
MORE = "他们每天早上七点在三楼上课，拉一个人头提成五百，要交三千九百元"

FACT, CONTESTED, DECIDED, RATED = (
    f"dachuan.tip.{name}.v1" for name in ("fact-added", "outcome-contested", "contest-decided", "outcome-rated")
)


async def report(desk: Desk, text: str, **more: Any) -> str:
    answer = await desk.client.post("/v1/public/tips", json={"plan": "dayong", "text": text, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["receipt"]


async def read(desk: Desk, receipt: str) -> dict[str, Any]:
    answer = await desk.client.post("/v1/receipts", json={"receipt": receipt})
    assert answer.status_code == 200, answer.text
    return answer.json()


def office(desk: Desk, who: str = "office") -> dict[str, str]:
    """Staff of the joint conference's office."""
    return desk.bearer("commerce", ("office-staff",), unit="office", principal_id=who)


async def bring(desk: Desk, who: dict[str, str], text: str) -> dict[str, Any]:
    """A tip that somebody brings in by name of their account."""
    body = {"plan": "dayong", "channel": "liaison", "text": text}
    answer = await desk.client.post("/v1/tips", json=body, headers=who)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def the_tip(desk: Desk) -> Any:
    [row] = await desk.rows("SELECT * FROM tips")
    return row


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == f"urn:dachuan:problem:{code}"


async def test_an_officer_asks_and_the_reporter_answers_without_being_known(desk: Desk) -> None:
    """Beyond both plans, 5 and 6: two ways by receipt; words sealed, nobody named, unread told on both sides."""
    receipt = await report(desk, HEADCOUNT)
    tip = await the_tip(desk)
    officer = desk.bearer(agency=tip.agency, unit=tip.unit, posts=("head",), principal_id="asker")
    asked = await desk.post(f"/v1/tips/{tip.id}/messages", officer, {"text": "请问是几单元？大概几点人最多？"})
    assert asked.status_code == 201, asked.text
    told = await read(desk, receipt)
    [question] = told["messages"]
    assert question["text"].startswith("请问是几单元") and question["unread"] and question["author"] == "officer"
    assert "actor" not in question and told["steps"][-1]["code"] == "asked"
    assert not (await read(desk, receipt))["messages"][0]["unread"]

    answer = await desk.client.post("/v1/receipts/messages", json={"receipt": receipt, "text": "二单元，晚上八点以后"})
    assert answer.status_code == 201 and answer.json()["urgent"] is False
    [(_, event)] = await desk.events(FACT)
    assert event.answer and not event.turned_urgent and event.lead_id == tip.lead_id
    assert (await read(desk, receipt))["steps"][-1]["code"] != "asked"
    waiting = (await desk.get("/v1/answers", officer)).json()["items"]
    assert [(one["tip_id"], one["unread"]) for one in waiting] == [(str(tip.id), 1)]
    stranger = desk.bearer("food_drug", ("head",), principal_id="stranger")
    assert (await desk.get("/v1/answers", stranger)).json()["items"] == []
    shown = await desk.get(f"/v1/tips/{tip.id}/messages", officer)
    assert [(m["author"], m["kind"], m["unread"]) for m in shown.json()["items"]] == [
        ("officer", "question", False),
        ("reporter", "answer", True),
    ]
    again = (await desk.get(f"/v1/tips/{tip.id}/messages", officer)).json()
    assert not again["items"][1]["unread"]
    assert (await desk.get("/v1/answers", officer)).json()["items"] == []
    kept = b"".join([bytes(row.sealed) for row in await desk.rows("SELECT sealed FROM tip_messages")])
    assert "二单元".encode() not in kept and "几单元".encode() not in kept
    [row] = await desk.rows("SELECT actor, agency FROM tip_messages WHERE author = 'reporter'")
    assert (row.actor, row.agency) == (None, None)


async def test_only_who_may_ask_asks_and_only_within_reach(desk: Desk) -> None:
    """Beyond both plans, 11: decided by agency, area and purpose."""
    await report(desk, HEADCOUNT)
    tip = await the_tip(desk)
    for who, status in (
        (desk.bearer(agency="education", posts=("head",)), (403, 404)),
        (desk.bearer(agency="food_drug", posts=("head",)), (404,)),
        ({}, (401,)),
    ):
        answer = await desk.post(f"/v1/tips/{tip.id}/messages", who, {"text": "你是谁？"})
        assert answer.status_code in status, answer.text
    assert await desk.rows("SELECT * FROM tip_messages") == []


async def test_an_added_fact_that_shows_somebody_held_takes_the_fast_lane_at_once(desk: Desk) -> None:
    """D-B2, point 2: what is added is read again; the calm lead joins one that rings at the police."""
    receipt = await report(desk, HEADCOUNT)
    calm = await the_tip(desk)
    assert not calm.urgent
    answer = await desk.client.post("/v1/receipts/messages", json={"receipt": receipt, "text": HELD})
    assert answer.json()["urgent"] is True
    tip = await the_tip(desk)
    assert tip.urgent and (tip.agency, tip.unit) == ("police", "criminal_investigation")
    assert tip.lead_id != calm.lead_id and "confinement" in tip.kinds and "headcount" in tip.kinds
    rows = {row.id: row for row in await desk.rows("SELECT * FROM leads")}
    now, before = rows[tip.lead_id], rows[calm.lead_id]
    assert now.urgent and (now.tips, before.tips) == (1, 0) and before.merged_into == now.id
    assert now.received_at == calm.received_at and now.first_tip == tip.id
    opened = await desk.events("dachuan.lead.opened.v1")
    row, event = opened[-1]
    assert (row.lane, row.topic) == ("urgent", "intake.urgent.v1") and event.lead_id == now.id and event.urgent
    [(_, merged)] = await desk.events("dachuan.lead.merged.v1")
    assert (merged.lead_id, merged.merged_lead_id) == (now.id, calm.lead_id)
    [(_, fact)] = await desk.events(FACT)
    assert fact.turned_urgent and fact.lead_id == now.id
    again = await desk.client.post("/v1/receipts/messages", json={"receipt": receipt, "text": "还在里面，快去救人"})
    assert again.status_code == 201
    assert len(await desk.events("dachuan.lead.opened.v1")) == len(opened), "one lead rings once"


async def test_what_is_added_makes_a_lead_of_what_belonged_elsewhere(desk: Desk) -> None:
    """Beyond both plans, 5: a receipt is not the end; new facts count from when they are told."""
    receipt = await report(desk, POTHOLE)
    before = await the_tip(desk)
    assert before.state == "referred"
    await desk.client.post("/v1/receipts/messages", json={"receipt": receipt, "text": "楼上原来是搞传销的。" + MORE})
    tip = await the_tip(desk)
    assert tip.state == "lead" and tip.agency and tip.lead_id and tip.version == before.version + 1
    [lead] = await desk.rows("SELECT * FROM leads")
    assert lead.received_at > before.received_at, "the clock runs from when it was told"
    assert len(await desk.events("dachuan.lead.opened.v1")) == 1
    told = await read(desk, receipt)
    assert told["state"] == "lead" and not told["may_contest"]


async def test_sending_the_same_addition_again_keeps_it_once(desk: Desk) -> None:
    receipt = await report(desk, HEADCOUNT)
    headers = {"idempotency-key": "one-and-the-same"}
    body = {"receipt": receipt, "text": MORE}
    first = await desk.client.post("/v1/receipts/messages", json=body, headers=headers)
    again = await desk.client.post("/v1/receipts/messages", json=body, headers=headers)
    assert first.json() == again.json()
    refused(
        await desk.client.post("/v1/receipts/messages", json={**body, "text": "别的"}, headers=headers),
        409,
        "idempotency-key-reused",
    )
    assert len(await desk.rows("SELECT * FROM tip_messages")) == 1 == len(await desk.events(FACT))


async def test_one_report_holds_a_bounded_number_of_additions(desk: Desk) -> None:
    receipt = await report(desk, HEADCOUNT)
    tip = await the_tip(desk)
    await desk.rows(
        "INSERT INTO tip_messages (id, tip_id, author, kind, sealed, urgent, at)"
        " SELECT gen_random_uuid(), :tip, 'reporter', 'fact', '', false, now() FROM generate_series(1, :n) RETURNING id",
        tip=tip.id,
        n=MOST_MESSAGES,
    )
    answer = await desk.client.post("/v1/receipts/messages", json={"receipt": receipt, "text": "再加一条"})
    refused(answer, 409, "too-many-messages")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("messages", {"text": ""}),
        ("messages", {"text": "长" * 5_001}),
        ("contests", {"text": " "}),
        ("ratings", {"stars": 0}),
        ("ratings", {"stars": 6}),
        ("ratings", {"stars": 3, "text": "长" * 1_001}),
        ("contact", {"phone": "1" * 31}),
        ("contact", {}),
    ],
)
async def test_bad_input_by_receipt_is_refused_and_keeps_nothing(desk: Desk, path: str, body: dict[str, Any]) -> None:
    receipt = await report(desk, POTHOLE)
    answer = await desk.client.post(f"/v1/receipts/{path}", json={"receipt": receipt, **body})
    refused(answer, 422, "invalid")
    for table in ("tip_messages", "closing_contests", "closing_ratings", "reporter_contacts"):
        assert await desk.rows(f"SELECT 1 FROM {table}") == []


@pytest.mark.parametrize("path", ["", "/messages", "/contests", "/ratings", "/contact"])
async def test_guessing_receipts_stays_limited_on_every_way(desk: Desk, path: str) -> None:
    """Beyond both plans, 6: a wrong receipt says nothing, and after too many everybody waits a minute."""
    limit = desk.app.state.receipt_misses
    body = {"receipt": "0000000000000000", "text": "x", "stars": 3, "phone": "1"}
    wanted = {"": {"receipt"}, "/messages": {"receipt", "text"}, "/contests": {"receipt", "text"},
              "/ratings": {"receipt", "stars"}, "/contact": {"receipt", "phone"}}[path]  # fmt: skip
    sent = {name: body[name] for name in wanted}
    refused(await desk.client.post(f"/v1/receipts{path}", json=sent), 404, "not-found")
    while not limit.reached(__import__("time").monotonic()):
        limit.miss(__import__("time").monotonic())
    refused(await desk.client.post(f"/v1/receipts{path}", json=sent), 429, "too-many")


async def test_a_closing_is_contested_once_and_another_person_looks_again(desk: Desk) -> None:
    """D-N4, beyond both plans, 5: closed is not solved; upheld, the matter is taken up as of its first day."""
    receipt = await report(desk, POTHOLE)
    told = await read(desk, receipt)
    assert told["outcome"] == "referred" and told["may_contest"] and told["may_rate"] and told["words"]["zh"]
    words = "楼里就是传销，我只是没说清楚"
    made = await desk.client.post("/v1/receipts/contests", json={"receipt": receipt, "text": words})
    assert made.status_code == 201
    refused(
        await desk.client.post("/v1/receipts/contests", json={"receipt": receipt, "text": words}), 409, "contested-before"
    )
    [(_, event)] = await desk.events(CONTESTED)
    assert (event.closing, event.outcome) == ("triage", "referred")
    staff = office(desk)
    listed = (await desk.get("/v1/contests", staff)).json()["items"]
    assert [one["id"] for one in listed] == [made.json()["id"]] and listed[0].get("text") is None
    one = await desk.get(f"/v1/contests/{made.json()['id']}", staff)
    assert one.json()["text"] == words and one.json()["tip_text"] == POTHOLE
    path = f"/v1/contests/{made.json()['id']}/decision"
    body = {"decision": "uphold", "text": "您说得对，已交公安核查。"}
    refused(await desk.post(path, desk.bearer("education", ("head",)), body, version=1), 403, "forbidden")
    refused(await desk.post(path, staff, body, version=7), 412, "outdated")
    done = await desk.post(path, staff, body, version=1)
    assert done.status_code == 200 and done.json()["state"] == "upheld", done.text
    refused(await desk.post(path, staff, body, version=2), 409, "decided")
    tip = await the_tip(desk)
    [lead] = await desk.rows("SELECT * FROM leads")
    assert tip.state == "lead" and lead.received_at == tip.received_at, "the clock runs as if it had been seen at once"
    [(_, decided)] = await desk.events(DECIDED)
    assert decided.upheld and decided.lead_id == lead.id
    told = await read(desk, receipt)
    assert [step["code"] for step in told["steps"]][-2:] == ["contested", "upheld"]
    assert told["messages"][-1]["text"].startswith("您说得对")
    assert not told["may_contest"]


async def test_a_confirmed_closing_stands_and_says_so(desk: Desk) -> None:
    receipt = await report(desk, POTHOLE)
    made = await desk.client.post("/v1/receipts/contests", json={"receipt": receipt, "text": "请再看看"})
    path = f"/v1/contests/{made.json()['id']}/decision"
    body = {"decision": "confirm", "text": "我们又看了一遍，这件事由住建部门负责。"}
    done = await desk.post(path, office(desk), body, version=1)
    assert done.json()["state"] == "confirmed"
    told = await read(desk, receipt)
    assert told["contest"] == "confirmed" and not told["may_contest"] and told["outcome"] == "referred"
    assert (await the_tip(desk)).state == "referred"


async def test_whoever_closed_it_cannot_look_again(desk: Desk) -> None:
    """Four eyes: the second look is another person's."""
    receipt = await report(desk, POTHOLE)
    made = await desk.client.post("/v1/receipts/contests", json={"receipt": receipt, "text": "请再看看"})
    await desk.rows("UPDATE closing_contests SET closed_by = 'officer:office' RETURNING id")
    body = {"decision": "confirm", "text": "维持"}
    answer = await desk.post(f"/v1/contests/{made.json()['id']}/decision", office(desk), body, version=1)
    refused(answer, 403, "same-person")
    other = desk.bearer("commerce", ("office-staff",), unit="office", principal_id="another")
    assert (await desk.post(f"/v1/contests/{made.json()['id']}/decision", other, body, version=1)).status_code == 200


async def test_an_outcome_is_rated_once_and_the_words_stay_sealed(desk: Desk) -> None:
    """Beyond both plans, 5: rated by who reported it; the event carries the stars and no words."""
    receipt = await report(desk, POTHOLE)
    body = {"receipt": receipt, "stars": 4, "text": "答复很快"}
    assert (await desk.client.post("/v1/receipts/ratings", json=body)).status_code == 201
    refused(await desk.client.post("/v1/receipts/ratings", json=body), 409, "rated-before")
    [(row, event)] = await desk.events(RATED)
    assert event.stars == 4 and "答复很快".encode() not in bytes(row.data)
    told = await read(desk, receipt)
    assert told["stars"] == 4 and not told["may_rate"]


async def test_what_is_still_open_can_be_neither_contested_nor_rated(desk: Desk) -> None:
    receipt = await report(desk, HEADCOUNT)
    for path, body in (("contests", {"text": "慢"}), ("ratings", {"stars": 1})):
        answer = await desk.client.post(f"/v1/receipts/{path}", json={"receipt": receipt, **body})
        refused(answer, 409, "not-closed")


async def test_the_reporter_reads_who_has_it_who_took_it_up_and_who_is_late(desk: Desk) -> None:
    """Beyond both plans, 1 and 5: where it is now, in plain words, from what casework told."""
    receipt = await report(desk, HEADCOUNT)
    tip = await the_tip(desk)
    await desk.rows(
        "INSERT INTO lead_parties (case_id, agency, lead_id, number, plan, urgent, role, state, accepted_at, late_at, seen_at)"
        " VALUES (gen_random_uuid(), 'commerce', :lead, '1', 'dayong', false, 'co', 'accepted', now(), NULL, now()),"
        " (gen_random_uuid(), 'police', :lead, '1', 'dayong', false, 'lead', 'pending', NULL, now() + interval '1 minute',"
        " now()) RETURNING agency",
        lead=tip.lead_id,
    )
    steps = (await read(desk, receipt))["steps"]
    assert [step["code"] for step in steps] == ["received", "read", "with_agency", "accepted", "late"]
    assert steps[3]["words"]["zh"] == "工商分局已受理" and "公安分局没有按时办理" in steps[4]["words"]["zh"]
    assert all(step["words"]["en"] for step in steps)


async def test_liaison_persons_see_what_became_of_what_they_brought_and_nothing_else(desk: Desk) -> None:
    """D-E4: feedback to whoever brought it, own tips only."""
    mine = desk.bearer("rental_mgmt", ("liaison",), principal_id="liaison-1", areas=("dayong-antang",))
    other = desk.bearer("rental_mgmt", ("liaison",), principal_id="liaison-2", areas=("dayong-antang",))
    first = await bring(desk, mine, HEADCOUNT)
    second = await bring(desk, mine, POTHOLE)
    await bring(desk, other, "南文社区有人搞传销拉人头")
    await report(desk, HEADCOUNT)
    told = (await desk.get("/v1/brought", mine)).json()["items"]
    assert [one["tip_id"] for one in told] == [second["tip_id"], first["tip_id"]]
    assert told[0]["words"]["zh"] and told[1]["steps"][2]["code"] == "with_agency"
    assert len((await desk.get("/v1/brought", other)).json()["items"]) == 1
    page = (await desk.get("/v1/brought", mine, limit=1)).json()
    rest = (await desk.get("/v1/brought", mine, limit=1, cursor=page["next"])).json()
    assert [page["items"][0]["tip_id"], rest["items"][0]["tip_id"]] == [second["tip_id"], first["tip_id"]]
    assert (await desk.get("/v1/brought", desk.bearer("education", ("head",)))).status_code == 403


async def test_a_supplement_is_read_by_receipt_and_its_answer_starts_the_clocks_again(desk: Desk) -> None:
    """D-A5, points 5 and 8: what an agency needs before it decides is asked by receipt, and answered there."""
    receipt = await report(desk, HEADCOUNT)
    tip = await the_tip(desk)
    officer = desk.bearer(tip.agency, ("head",), unit=tip.unit, principal_id="decider")
    asked = await desk.post(f"/v1/leads/{tip.lead_id}/supplement-requests", officer, {"question": "请补充具体门牌号"})
    assert asked.status_code in (200, 201), asked.text
    told = await read(desk, receipt)
    assert told["messages"][0]["text"] == "请补充具体门牌号" and told["messages"][0]["unread"]
    assert told["steps"][-1]["code"] == "asked"
    await desk.client.post("/v1/receipts/messages", json={"receipt": receipt, "text": "兴华里5栋301室"})
    [(_, received)] = await desk.events("dachuan.supplement.received.v1")
    assert (received.outcome, received.lead_id) == ("received", tip.lead_id)
    told = await read(desk, receipt)
    assert [m["kind"] for m in told["messages"]] == ["question", "answer"] and told["steps"][-1]["code"] != "asked"


async def test_a_declined_lead_is_contested_and_taken_up_again_by_another_person(desk: Desk) -> None:
    """D-A5, D-N4: not accepted is not the end; who declined cannot look again, upheld its clock restarts."""
    receipt = await report(desk, HEADCOUNT)
    tip = await the_tip(desk)
    await desk.rows(
        "INSERT INTO lead_declines (lead_id, agency, actor, at) VALUES (:lead, 'police', 'officer:decliner', now())"
        " RETURNING lead_id",
        lead=tip.lead_id,
    )
    await desk.rows(
        "INSERT INTO lead_parties (case_id, agency, lead_id, number, plan, urgent, unit, role, state, ended_at, seen_at)"
        " VALUES (gen_random_uuid(), 'police', :lead, '1', 'dayong', false, 'economic_crime', 'lead', 'declined', now(),"
        " now()) RETURNING agency",
        lead=tip.lead_id,
    )
    told = await read(desk, receipt)
    assert told["outcome"] == "not_accepted" and told["may_contest"] and "公安分局" in told["words"]["zh"]
    made = await desk.client.post("/v1/receipts/contests", json={"receipt": receipt, "text": "他们还在上课"})
    path = f"/v1/contests/{made.json()['id']}/decision"
    body = {"decision": "uphold", "text": "已请公安重新受理。"}
    decliner = desk.bearer("police", ("head",), unit="economic_crime", principal_id="decliner")
    refused(await desk.post(path, decliner, body, version=1), 403, "same-person")
    second = desk.bearer("police", ("head",), unit="economic_crime", principal_id="second")
    assert (await desk.post(path, second, body, version=1)).status_code == 200
    [(_, reopened)] = await desk.events("dachuan.lead.reopened.v1")
    assert (reopened.lead_id, reopened.agency, reopened.unit) == (tip.lead_id, "police", "economic_crime")


async def test_the_reporter_reads_that_it_travels_and_who_took_it(desk: Desk) -> None:
    """Beyond both plans, 1 and 7: on its way it is still somebody's, and the reporter sees whose."""
    receipt = await report(desk, HEADCOUNT)
    tip = await the_tip(desk)
    police = desk.bearer("police", ("head",), unit="economic_crime", principal_id="sender")
    commerce = desk.bearer("commerce", ("head",), unit="enforcement", principal_id="taker")
    body = {"to_agency": "commerce", "to_unit": "enforcement", "reason": "not_our_duty"}
    made = await desk.post(f"/v1/leads/{tip.lead_id}/handovers", police, body)
    assert made.status_code == 201, made.text
    told = await read(desk, receipt)
    assert told["steps"][-1]["code"] == "handing_over" and "仍由现在的单位负责" in told["words"]["zh"]
    path = f"/v1/handovers/{made.json()['handover_id']}/accept"
    taken = await desk.post(path, commerce, {"number": "A-1"}, version=1)
    assert taken.status_code == 200, taken.text
    told = await read(desk, receipt)
    assert told["steps"][-1]["code"] == "handed_over" and "工商分局" in told["words"]["zh"]
