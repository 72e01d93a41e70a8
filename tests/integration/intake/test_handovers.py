"""Handovers through the API over a real database: both sides, the office as arbiter, clocks, bounces."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.intake import consumers
from services.intake.commands import handovers as commands
from shared.events import Event
from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed, PartyJoined, PartyLeft
from shared.events.common import DeadlineFact, PartyFact
from shared.kit import clock, db
from tests.integration.intake.conftest import Desk

HELD = "我弟弟被传销组织关在大涌镇安堂社区兴华里一套出租屋里，不准出门，手机被收走，求救"
ELSEWHERE = "楼下路灯坏了一个月，晚上很黑，请尽快维修"


@pytest.fixture
def office(desk: Desk) -> dict[str, str]:
    return desk.bearer("commerce", ("office-staff",), unit="office", principal_id="office-1")


@pytest.fixture
def commerce(desk: Desk) -> dict[str, str]:
    return desk.bearer("commerce", ("desk",), principal_id="commerce-1")


@pytest.fixture
def police(desk: Desk) -> dict[str, str]:
    return desk.bearer("police", ("desk",), principal_id="police-1")


@pytest.fixture
def food(desk: Desk) -> dict[str, str]:
    return desk.bearer("food_drug", ("desk",), principal_id="food-1")


async def police_lead(desk: Desk, **more: Any) -> str:
    """A lead that the plan gave to the police (拉人头 → 公安)."""
    tip = await desk.tip(**more)
    assert tip["agency"] == "police", tip
    return tip["lead_id"]


async def offer(desk: Desk, lead: str, who: dict[str, str], **more: Any) -> dict[str, Any]:
    body = {"to_agency": "commerce", "to_unit": "enforcement", "reason": "not_our_duty"} | more
    made = await desk.post(f"/v1/leads/{lead}/handovers", who, {k: v for k, v in body.items() if v is not None})
    assert made.status_code == 201, made.text
    return made.json()


async def held_by(desk: Desk, lead: str) -> tuple[str, str | None]:
    [row] = await desk.rows("SELECT agency, unit FROM leads WHERE id = :id", id=lead)
    return row.agency, row.unit


async def test_the_sender_answers_until_the_receiver_accepts_under_its_own_number(
    desk: Desk, police: dict[str, str], commerce: dict[str, str]
) -> None:
    """D-A5, points 1 and 7: an object with both sides' numbers; the first receiver stays responsible until another accepts."""
    lead = await police_lead(desk)
    made = await offer(desk, lead, police, note="请查收两份材料")
    assert made["number"].startswith("大涌传交〔") and made["state"] == "proposed"
    assert made["source"]["agency"] == "police" and made["to"]["unit"] == "enforcement"
    assert made["rule"] == "plan.handover_answer" and made["may"] == ["withdraw"]
    assert (await held_by(desk, lead))[0] == "police"

    seen = (await desk.get(f"/v1/handovers/{made['handover_id']}", commerce)).json()
    assert seen["note"] == "请查收两份材料" and set(seen["may"]) == {"accept", "refuse"}
    assert (await desk.get(f"/v1/leads/{lead}", commerce)).status_code == 200, "what is offered can be looked at"
    at = f"/v1/handovers/{made['handover_id']}/accept"
    assert (await desk.post(at, police, {"number": "X"}, version=1)).status_code == 403, "not one's own offer"
    missing = await desk.post(at, commerce, {}, version=1)
    assert missing.status_code == 422 and missing.json()["type"].endswith("number-needed")
    done = await desk.post(at, commerce, {"number": "大市监举〔2026〕88号"}, version=1)
    assert done.status_code == 200 and done.json()["state"] == "accepted"
    assert done.json()["their_number"] == "大市监举〔2026〕88号" and "return" in done.json()["may"]
    assert await held_by(desk, lead) == ("commerce", "enforcement")
    told = [data for _, data in await desk.events() if data.TYPE.startswith("dachuan.handover.")]
    assert [type(one).__name__ for one in told] == ["HandoverProposed", "HandoverAccepted"]
    assert told[1].in_time and "88号" not in told[1].model_dump_json() and "材料" not in told[0].model_dump_json()


async def test_twice_refused_goes_before_the_office_which_decides(
    desk: Desk, police: dict[str, str], commerce: dict[str, str], food: dict[str, str], office: dict[str, str]
) -> None:
    """Points 1 and 7, D-Q1.3: refusing does not move the matter; the second refusal brings it before the arbiter."""
    lead = await police_lead(desk)
    first = await offer(desk, lead, police)
    refused = await desk.post(
        f"/v1/handovers/{first['handover_id']}/refuse", commerce, {"reason": "not_our_duty", "note": "归公安"}, version=1
    )
    assert refused.status_code == 200 and refused.json()["state"] == "refused"
    second = await offer(desk, lead, police, to_agency="food_drug", to_unit=None)
    assert second["attempt"] == 2
    wrong = await desk.post(f"/v1/handovers/{second['handover_id']}/refuse", food, {"reason": "nah"}, version=1)
    assert wrong.status_code == 422
    sent_up = await desk.post(
        f"/v1/handovers/{second['handover_id']}/refuse", food, {"reason": "not_our_duty"}, version=1
    )
    assert sent_up.json()["state"] == "escalated" and sent_up.json()["rule"] == "plan.handover_decide"
    assert (await held_by(desk, lead))[0] == "police", "nobody has taken it, so it is still theirs"
    at = f"/v1/handovers/{second['handover_id']}/decide"
    version = sent_up.json()["version"]
    assert (await desk.post(at, police, {"agency": "food_drug"}, version=version)).status_code == 403
    assert (await desk.post(at, office, {"agency": "navy"}, version=version)).status_code == 422
    decided = await desk.post(at, office, {"agency": "commerce", "unit": "market"}, version=version)
    assert decided.status_code == 200 and decided.json()["assigned"]["agency"] == "commerce"
    assert await held_by(desk, lead) == ("commerce", "market"), "the decision binds"
    names = [type(data).__name__ for _, data in await desk.events() if data.TYPE.startswith("dachuan.handover.")]
    assert names == [
        "HandoverProposed", "HandoverRefused", "HandoverProposed", "HandoverRefused", "HandoverEscalated",
        "HandoverDecided",
    ]  # fmt: skip
    figures = (await desk.get("/v1/handovers/figures", office)).json()
    by_agency = {one["agency"]: one for one in figures["agencies"]}
    assert by_agency["commerce"]["refused"] == 1 and by_agency["food_drug"]["refused"] == 1
    assert by_agency["police"]["sent"] == 2 and by_agency["police"]["sent_back"] == 2
    assert by_agency["commerce"]["answer_seconds_mean"] >= 0 and figures["bounced_more_than_once"] == 1
    [matter] = (await desk.get("/v1/handovers/bounced", office, least=2)).json()["items"]
    assert matter["lead_id"] == lead and matter["bounces"] == 2 and matter["holder"]["agency"] == "commerce"


async def test_an_unanswered_handover_is_late_and_goes_before_the_office_by_itself(
    desk: Desk, police: dict[str, str], commerce: dict[str, str], office: dict[str, str]
) -> None:
    """Points 1 and 8, D-Q1.3: time limits of both the receiver and the arbiter."""
    lead = await police_lead(desk)
    made = await offer(desk, lead, police)
    rules = desk.app.state.handover_rules

    async def at(days: int) -> int:
        async with db.begin(desk.service.engine) as conn:
            return await commands.mark_late(conn, rules, clock.now() + timedelta(days=days))

    assert await at(0) == 0
    assert await at(20) == 1 and await at(20) == 0, "once"
    now = (await desk.get(f"/v1/handovers/{made['handover_id']}", office)).json()
    assert now["state"] == "escalated" and now["late"] and "decide" in now["may"]
    assert await at(60) == 1 and await at(60) == 0
    late = [data for _, data in await desk.events("dachuan.handover.late.v1")]
    assert [(one.stage, one.late_agency) for one in late] == [("answer", "commerce"), ("decision", "commerce")]
    assert late[0].due < late[0].late_at
    # the receiver may still take it while the office thinks
    taken = await desk.post(
        f"/v1/handovers/{made['handover_id']}/accept", commerce, {"number": "A-1"}, version=now["version"]
    )
    assert taken.json()["state"] == "accepted"
    [event] = [data for _, data in await desk.events("dachuan.handover.accepted.v1")]
    assert event.in_time is False
    [page] = (await desk.get("/v1/handovers", office, late=True)).json()["items"]
    assert page["handover_id"] == made["handover_id"]


async def test_what_was_accepted_can_be_returned_and_nobody_drops_it(
    desk: Desk, police: dict[str, str], commerce: dict[str, str]
) -> None:
    """Point 1: a return is a handover the other way; who returns answers until it is accepted."""
    lead = await police_lead(desk)
    made = await offer(desk, lead, police)
    accepted = await desk.post(f"/v1/handovers/{made['handover_id']}/accept", commerce, {"number": "A-1"}, version=1)
    back = await desk.post(
        f"/v1/handovers/{made['handover_id']}/return", commerce, {"reason": "papers_missing"},
        version=accepted.json()["version"],
    )  # fmt: skip
    assert back.json()["state"] == "returned" and (await held_by(desk, lead))[0] == "commerce"
    old, new = (await desk.get(f"/v1/leads/{lead}/handovers", police)).json()["items"]
    assert old["state"] == "returned" and new["state"] == "proposed" and new["to"]["agency"] == "police"
    taken = await desk.post(f"/v1/handovers/{new['handover_id']}/accept", police, {"number": "P-1"}, version=1)
    assert taken.status_code == 200 and (await held_by(desk, lead))[0] == "police"
    [returned] = [data for _, data in await desk.events("dachuan.handover.returned.v1")]
    assert str(returned.successor_id) == new["handover_id"] and returned.bounces == 1


async def test_what_a_line_distributed_goes_back_through_it(
    desk: Desk, police: dict[str, str], office: dict[str, str]
) -> None:
    """D-A5, D-B6, point 1: through 12315 back to 12315, never sideways (令121 art. 40, 41); crime goes to the police."""
    lead = await police_lead(desk, channel="12315", external_ref="12315-2026-1")
    sideways = await desk.post(
        f"/v1/leads/{lead}/handovers", police, {"to_agency": "food_drug", "reason": "not_our_duty"}
    )
    assert sideways.status_code == 422 and sideways.json()["type"].endswith("through-distributor")
    back = await offer(desk, lead, police, to_agency=None, to_unit=None, to_distributor=True)
    assert back["distributor"] == "12315" and back["to"]["name"]["zh"] == "全国12315平台"
    taken = await desk.post(
        f"/v1/handovers/{back['handover_id']}/accept", police, {"number": "退 12315-77"}, version=1
    )
    assert taken.json()["state"] == "accepted" and taken.json()["their_number"] == "退 12315-77"

    tip = await desk.tip(ELSEWHERE, channel="12345", external_ref="12345-9")
    assert tip["state"] == "referred"
    wrong = await desk.post(
        f"/v1/tips/{tip['tip_id']}/handovers", office, {"to_agency": "social_affairs", "reason": "not_pyramid"}
    )
    assert wrong.status_code == 422 and wrong.json()["type"].endswith("through-distributor")
    returned = await desk.post(
        f"/v1/tips/{tip['tip_id']}/handovers", office, {"to_distributor": True, "reason": "not_pyramid"}
    )
    assert returned.status_code == 201 and returned.json()["tip_id"] == tip["tip_id"]


async def test_not_accepted_says_where_it_belongs_and_hands_it_over(
    desk: Desk, police: dict[str, str], commerce: dict[str, str]
) -> None:
    """D-A5, D-B6: a decision with reason; without a taker it ends only for a reason that the plan lets end it."""
    lead = await police_lead(desk)
    alone = await desk.post(f"/v1/leads/{lead}/decline", police, {"reason": "not_our_duty"})
    assert alone.status_code == 422 and alone.json()["type"].endswith("place-needed")
    on = await desk.post(
        f"/v1/leads/{lead}/decline", police,
        {"reason": "not_our_duty", "to_agency": "commerce", "to_unit": "enforcement"},
    )  # fmt: skip
    assert on.status_code == 200 and on.json()["ends"] is False and on.json()["handover"]["state"] == "proposed"
    assert (await held_by(desk, lead))[0] == "police"

    other = await police_lead(desk, said="大涌镇安堂社区隔壁301有人拉人头发展下线，每人交2800元入会")
    ended = await desk.post(
        f"/v1/leads/{other}/decline", police, {"reason": "not_pyramid", "belongs_to": "consumer"}
    )
    assert ended.json()["ends"] is True and ended.json()["handover"] is None
    told = [data for _, data in await desk.events("dachuan.lead.declined.v1")]
    assert [(one.ends, one.belongs_to) for one in told] == [(False, None), (True, "consumer")]
    held = (await desk.tip(HELD))["lead_id"]
    refused = await desk.post(f"/v1/leads/{held}/decline", police, {"reason": "not_pyramid"})
    assert refused.status_code == 409, "a held person is never sent away (point 2)"


async def test_the_reporter_reads_what_is_asked_and_an_answer_ends_it(desk: Desk, police: dict[str, str]) -> None:
    """D-A5, point 5: asked by receipt, answered by receipt; then the clock runs again."""
    told = await desk.report()
    [tip] = await desk.rows("SELECT lead_id, agency FROM tips")
    assert tip.agency == "police"
    asked = await desk.post(f"/v1/leads/{tip.lead_id}/supplement-requests", police, {"question": "请说明具体房号"})
    assert asked.status_code == 201, asked.text
    [message] = await desk.rows("SELECT author, kind FROM tip_messages")
    assert (message.author, message.kind) == ("officer", "question")
    answer = await desk.client.post(
        "/v1/receipts/messages", json={"receipt": told["receipt"], "text": "5栋301"}, headers=desk.key()
    )
    assert answer.status_code in (200, 201), answer.text
    [event] = [data for _, data in await desk.events("dachuan.supplement.received.v1")]
    assert event.outcome == "received"


async def test_more_is_asked_once_at_a_time_and_its_end_is_told(desk: Desk, police: dict[str, str]) -> None:
    """D-A5: supplement requests; the clocks that the plan names are in the event, and run again at the end of its time."""
    lead = await police_lead(desk)
    at = f"/v1/leads/{lead}/supplement-requests"
    asked = await desk.post(at, police, {"question": "请说明上课的具体房号"})
    assert asked.status_code == 201 and asked.json()["state"] == "asked"
    assert (await desk.post(at, police, {"question": "再问一次"})).status_code == 409
    [event] = [data for _, data in await desk.events("dachuan.supplement.requested.v1")]
    assert "complaint.accept" in event.suspends and "房号" not in event.model_dump_json()
    async with db.begin(desk.service.engine) as conn:
        assert await commands.supplement_received(conn, UUID(lead), clock.now()) == 1
    again = await desk.post(at, police, {"question": "请补充人数"})
    assert again.status_code == 201
    async with db.begin(desk.service.engine) as conn:
        assert await commands.expire_supplements(conn, clock.now() + timedelta(days=30)) == 1
    ends = [data.outcome for _, data in await desk.events("dachuan.supplement.received.v1")]
    assert ends == ["received", "expired"]
    assert (await desk.post(at, police, {"question": "第三次"})).status_code == 409, "the plan allows two"


async def test_repeats_conflicts_and_old_versions_change_nothing(
    desk: Desk, police: dict[str, str], commerce: dict[str, str], food: dict[str, str]
) -> None:
    lead = await police_lead(desk)
    body = {"to_agency": "commerce", "reason": "not_our_duty"}
    path = f"/v1/leads/{lead}/handovers"
    one = await desk.post(path, police, body, key="the-same-key")
    two = await desk.post(path, police, body, key="the-same-key")
    assert one.json()["handover_id"] == two.json()["handover_id"]
    assert (await desk.post(path, police, body | {"reason": "other_area"}, key="the-same-key")).status_code == 409
    assert (await desk.post(path, police, body)).json()["type"].endswith("handover-open")
    assert len(await desk.rows("SELECT 1 FROM handovers")) == 1
    at = f"/v1/handovers/{one.json()['handover_id']}"
    assert (await desk.get(at, food)).status_code == 404, "not theirs to see"
    assert (await desk.post(f"{at}/accept", food, {"number": "1"}, version=1)).status_code == 404
    assert (await desk.client.post(f"{at}/accept", json={"number": "1"}, headers=commerce | desk.key())).status_code == 428
    assert (await desk.post(f"{at}/withdraw", police, {}, version=7)).status_code == 412
    assert (await desk.post(f"{at}/withdraw", police, {}, version=1)).json()["state"] == "withdrawn"
    late = await desk.post(f"{at}/accept", commerce, {"number": "1"}, version=2)
    assert late.status_code == 409 and late.json()["type"].endswith("not-possible-now")
    assert (await desk.post(path, food, body)).status_code == 404, "who has no part in it hands nothing over"
    sealed = await desk.rows("SELECT 1 FROM audit WHERE action = 'handover.read'")
    assert sealed, "reading the words is on record"


def _event(data: Any) -> Event[Any]:
    return Event(uuid4(), data.TYPE, "/dachuan/casework", data.key, clock.now(), clock.now(), None, data)


async def test_what_casework_tells_stands_on_the_lead_in_any_order(
    desk: Desk, police: dict[str, str], office: dict[str, str]
) -> None:
    """D-B6, point 8: case number, who accepted when, what is late; acceptance may come before the case."""
    lead, case, now = await police_lead(desk), uuid4(), clock.now()

    def due(agency: str, days: int) -> DeadlineFact:
        return DeadlineFact(
            deadline_id=uuid4(), kind="acceptance", agency=agency, rule="plan.police_acceptance", calendar="c",
            start=now, due=now + timedelta(days=days),
        )  # fmt: skip

    same = {"case_id": case, "plan": "dayong", "area": None, "urgent": False, "number": "大涌传联〔2026〕0009号"}
    clocks = (due("police", 1), due("commerce", -1))
    opened = CaseOpened(
        **same, lead_id=lead, kinds=("headcount",), deadlines=clocks, received_at=now, opened_at=now, dataref="x",
        parties=(PartyFact(agency="police", unit="economic_crime", role="lead"), PartyFact(agency="commerce", role="co")),
    )  # fmt: skip
    accepted = CaseAccepted(**same, agency="police", unit="economic_crime", deadline=clocks[0], accepted_at=now, in_time=True)
    missed = DeadlineMissed(**same, agency="commerce", unit=None, deadline=clocks[1], missed_at=now)
    handlers = consumers.handlers(desk.service)

    async def tell(*events: Any) -> None:
        async with db.begin(desk.service.engine) as conn:
            for event in events:
                await handlers[event.TYPE](conn, [_event(event)], now)

    await tell(missed, accepted, opened, accepted, opened)
    rows = await desk.rows("SELECT * FROM lead_parties WHERE lead_id = :id ORDER BY agency", id=lead)
    assert [(r.agency, r.state, r.late_at is not None) for r in rows] == [
        ("commerce", "pending", True), ("police", "accepted", False),
    ]  # fmt: skip
    assert rows[0].number == "大涌传联〔2026〕0009号" and rows[1].in_time
    [late] = (await desk.get("/v1/acceptances", office, late=True)).json()["items"]
    assert late["agency"] == "commerce" and late["late"] and late["lead_id"] == lead
    assert (await desk.get("/v1/acceptances", police)).json()["items"] == []
    # the same party hands over and a new one comes
    later = now + timedelta(hours=1)
    left = PartyLeft(
        **same, lead_id=lead, agency="commerce", unit=None, cause="handed_over", reason=None, to_agency="food_drug",
        to_unit=None, had_accepted=False, deadline=clocks[1], state="cancelled", left_at=later,
    )  # fmt: skip
    joined = PartyJoined(
        **same, lead_id=lead, kinds=("headcount",), agency="food_drug", unit=None, role="co", cause="handed_over",
        handover_id=None, deadline=due("food_drug", 3), joined_at=later,
    )  # fmt: skip
    await tell(joined, left, missed)
    states = await desk.rows("SELECT agency, state FROM lead_parties ORDER BY agency")
    assert [(r.agency, r.state) for r in states] == [
        ("commerce", "handed_over"), ("food_drug", "pending"), ("police", "accepted"),
    ]  # fmt: skip


async def test_the_pages_show_and_do_it(
    desk: Desk, police: dict[str, str], commerce: dict[str, str], office: dict[str, str]
) -> None:
    """D-A5, D-B6, point 1: from the lead's page to the receiver's and the office's board, whose numbers open to lists."""
    english = {"accept": "text/html", "accept-language": "en", "sec-fetch-site": "same-origin"}
    lead = await police_lead(desk)
    page = await desk.get(f"/leads/{lead}", police | english)
    assert page.status_code == 200 and f"/leads/{lead}/handovers" in page.text, page.text[:500]
    sent = await desk.client.post(
        f"/leads/{lead}/handovers", headers=police | english,
        data={"idempotency_key": str(uuid4()), "place": "commerce/enforcement", "reason": "not_our_duty", "note": "看附件"},
    )  # fmt: skip
    assert sent.status_code == 303, sent.text
    at = sent.headers["location"].partition("?")[0]
    shown = await desk.get(at, commerce | english)
    assert shown.status_code == 200 and "看附件" in shown.text and f"{at}/accept" in shown.text
    short = await desk.client.post(
        f"{at}/accept", headers=commerce | english, data={"idempotency_key": str(uuid4()), "version": "1"}
    )
    assert short.status_code == 422 and "未办成" in short.text, "without a number it is not taken, and the page says so"
    refused = await desk.client.post(
        f"{at}/refuse", headers=commerce | english,
        data={"idempotency_key": str(uuid4()), "version": "1", "reason": "papers_missing"},
    )  # fmt: skip
    assert refused.status_code == 303
    board = await desk.get("/handovers", office | english, show="bounced")
    assert board.status_code == 200 and "show=bounced-twice" in board.text and f"/leads/{lead}" in board.text
    for show in ("waiting", "late", "handovers", "handovers-late", "bounced-twice"):
        assert (await desk.get("/handovers", office | english, show=show)).status_code == 200
    chinese = await desk.get("/handovers", office | english | {"accept-language": "zh-CN"})
    assert chinese.status_code == 200
