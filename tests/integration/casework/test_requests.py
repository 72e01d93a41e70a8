"""Requests between agencies: each kind accepted, refused, answered, overdue, before the office, and what follows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.events.common import PartyFact
from shared.kit import clock
from tests.integration.casework.conftest import DAY, Desk, lead
from tests.integration.casework.proceedings import (
    COMMERCE,
    COMMERCE_HEAD,
    EDUCATION,
    OFFICE,
    POLICE,
    POLICE_DESK,
    SOCIAL,
    STABILITY,
    Way,
)

MINUTE = timedelta(minutes=1)
RESCUE = {"asked_by": ["family", "school"], "persons": 2, "students": 1, "where": "某小区出租屋，手机被收走"}
RAID = {"people": 80, "where": "某酒店二楼会议室", "seen": "讲课、喊口号、收费登记"}
ASSIST = {"what": ["documents"], "request": "请提供租赁登记"}
PHONE = {
    "purpose": "identify", "legal_basis": "regulation_14", "scope": ["name", "address"], "numbers": 3,
    "which": "三个号码在下线名单中反复出现", "notice": "impede",
}  # fmt: skip


async def one(desk: Desk, kind: str, **more: Any) -> Way:
    [case_id] = await desk.open(lead(**more))
    return Way(desk, case_id, kind)


async def test_police_are_asked_to_come_in_early_and_say_what_they_find(desk: Desk) -> None:
    """D-A5: a large organisation: police answer within hours how they take part, and give an opinion."""
    way = await one(desk, "early_involvement")
    made = await way.open(COMMERCE, "police", why=["organisation", "flight"], persons=60, report="案情")
    assert made["awaits_agency"] == "police" and made["clocks"][0]["rule"] == "plan.early_involvement"
    asked = _open_basis(await _procedure(desk, "early_involvement"))
    assert any("第十条" in line["article"] for line in asked) and any(line["rule"] == "plan.early_involvement" for line in asked)
    assert (await way.attempt("accept", COMMERCE_HEAD, way=["officers"])).status_code == 403
    await way.step("accept", POLICE_DESK, way=["officers", "evidence"])
    done = await way.step("give_opinion", POLICE, finding="crime", opinion="应移送")
    assert done["final"] and done["outcome"] == "answered"
    assert {n: c.state for n, c in (await way.clocks()).items()} == {"accept": "met", "answer": "met"}
    opened, *steps = await way.told_events("dachuan.proceeding")
    assert opened.facts == {"why": ("organisation", "flight"), "persons": 60} and steps[-1].facts == {"finding": "crime"}


async def test_help_with_evidence_is_asked_on_paper_and_refused_only_with_a_reason(desk: Desk) -> None:
    """X-D8c: assistance to police and others, answered in time; the letter first; a refusal goes back and may be settled."""
    way = await one(desk, "assistance_in_evidence")
    drafted = await way.open(POLICE, "commerce", "enforcement", **ASSIST)
    assert drafted["state"] == "drafted" and not drafted["clocks"], "no clock before it is sent"
    unsent = await way.attempt("send", POLICE)
    assert unsent.status_code == 409 and unsent.json()["documents"] == ["assistance_letter"]
    await way.issue("assistance_letter")
    assert (await way.step("send", POLICE))["awaits_agency"] == "commerce"
    bare = await way.attempt("refuse", COMMERCE)
    assert bare.status_code == 422 and set(bare.json()["fields"]) == {"ground", "reason"}
    refused = await way.step("refuse", COMMERCE, ground="not_held", reason="登记在流管办")
    assert refused["awaits_agency"] == "police" and (await way.clocks())["object"].agency == "police"
    settled = await way.step("settle", POLICE)
    assert settled["final"] and settled["outcome"] == "refused"

    again = Way(desk, way.case_id, "assistance_in_evidence")
    await again.open(POLICE, "commerce", "enforcement", **ASSIST)
    await again.issue("assistance_letter")
    await again.step("send", POLICE)
    answered = await again.step("answer", COMMERCE, result="provided", items=4, reply="随函附送")
    assert answered["outcome"] == "answered"
    assert {n: c.state for n, c in (await again.clocks()).items()} == {"accept": "met"}


async def test_what_is_not_answered_comes_before_the_office_by_itself_and_it_decides(desk: Desk) -> None:
    """X-D8c, D-N4: overdue: told as missed, before the office at once; ordered anew; again late; closed by its decision."""
    way = await one(desk, "other_town")
    await way.open(COMMERCE, "town", town="邻镇市监所", direction="ours", what=["inquire"], request="协查")
    way = Way(desk, way.case_id, "early_involvement")
    await way.open(COMMERCE, "police", why=["clue"], report="线索")
    assert await way.miss(clock.now() + 3 * DAY) >= 1
    seen = (await way.read(OFFICE)).json()
    assert seen["state"] == "escalated" and seen["awaits_agency"] == "commerce" and seen["late"]
    assert (seen["history"][-1]["step"], seen["history"][-1]["by_system"]) == ("escalate", True)
    missed = [e for e in await way.told_events("deadline-missed") if e.kind == "early_involvement"]
    assert [(e.deadline.rule, e.deadline.agency) for e in missed] == [("plan.early_involvement", "police")]
    not_office = await way.attempt("office_orders", COMMERCE, reason="x")
    assert not_office.status_code == 403
    ordered = await way.step("office_orders", OFFICE, reason="限期派员")
    assert ordered["awaits_agency"] == "police" and (await way.clocks())["decide"].state == "met"
    late = await way.step("accept", POLICE_DESK, way=["analysis"])
    states = {n: c.state for n, c in (await way.clocks()).items()}
    assert late["state"] == "accepted" and states["accept"] == "met_late" and states["again"] == "cancelled"


async def test_a_refusal_that_nobody_answers_goes_to_the_office_too(desk: Desk) -> None:
    """D-N4: silence after a refusal is no end: the office decides, here that nothing more is done."""
    way = await one(desk, "early_involvement")
    await way.open(COMMERCE, "police", why=["clue"], report="线索")
    await way.step("refuse", POLICE, reason="尚无涉嫌犯罪")
    assert await way.miss(clock.now() + 9 * DAY) == 1
    assert (await way.read(OFFICE)).json()["state"] == "escalated"
    closed = await way.step("office_releases", OFFICE, reason="同意公安意见")
    assert closed["final"] and closed["outcome"] == "released"
    assert {c.state for c in (await way.clocks()).values()} == {"met", "cancelled"}


async def test_a_venue_is_cleared_under_the_offices_command_and_the_city_is_told(desk: Desk) -> None:
    """D-B4: police strength, joint duty where needed, then the town office commands; command centre and detachment told."""
    way = await one(desk, "venue_raid")
    made = await way.open(COMMERCE, "police", "public_order", **RAID)
    assert made["urgent"] and made["clocks"][0]["rule"] == "plan.venue_raid_accept"
    assert (await way.clocks())["accept"].clock_unit == "minutes"
    await way.step("accept", POLICE_DESK, forces=12)
    await way.step("call_joint_duty", POLICE_DESK, joint_duty=True, joint_forces=30)
    uncommanded = await way.attempt("start", POLICE_DESK)
    assert uncommanded.status_code == 409 and uncommanded.json()["type"].endswith("command-missing")
    assert (await way.attempt("take_command", POLICE_DESK, orders="封控出口")).status_code == 403
    await way.step("take_command", OFFICE, orders="封控出口")
    await way.step("start", POLICE_DESK)
    ended = clock.now() - 5 * MINUTE
    await way.step("finish", POLICE_DESK, ended_at=ended.isoformat(), found=63, pyramid=True, result="查获账本")
    report = (await way.clocks())["report"]
    assert (report.rule, report.agency) == ("plan.venue_raid_report", "police") and report.start == ended
    half = await way.attempt("report_to_city", POLICE_DESK, command_centre_at=clock.now().isoformat(), command_centre_no="1")
    assert half.status_code == 422 and set(half.json()["fields"]) == {"public_order_at", "public_order_no"}
    both = {"command_centre_no": "市指〔2026〕77", "public_order_no": "治支〔2026〕12"}
    early = (ended - 60 * MINUTE).isoformat()
    before = await way.attempt("report_to_city", POLICE_DESK, command_centre_at=early, public_order_at=early, **both)
    assert before.status_code == 409
    now = clock.now().isoformat()
    done = await way.step("report_to_city", POLICE_DESK, command_centre_at=now, public_order_at=now, **both)
    assert done["outcome"] == "cleared" and (await way.clocks())["report"].state == "met"
    rows = [row for row, data in await desk.events() if getattr(data, "kind", "") == "venue_raid"]
    assert {row.topic for row in rows} == {"casework.urgent.v1"}
    assert "会议室" not in "".join(str(bytes(row.data)) for row in rows)


async def test_subscribers_data_need_a_basis_an_approver_and_end_by_themselves(desk: Desk) -> None:
    """D-K2a: purpose, legal basis and scope on record, another person approves, carrier answers, it expires; never automatic."""
    way = await one(desk, "telecom_information")
    bare = await way.ask(COMMERCE, "telecom")
    assert bare.status_code == 422
    assert set(bare.json()["fields"]) == {"purpose", "legal_basis", "scope", "numbers", "which", "notice"}
    too_many = await way.ask(COMMERCE, "telecom", **PHONE | {"numbers": 5000})
    assert too_many.status_code == 422 and set(too_many.json()["fields"]) == {"numbers"}
    made = await way.open(COMMERCE, "telecom", **PHONE)
    assert made["state"] == "drafted" and made["to_outside"]
    assert (await way.attempt("approve", COMMERCE)).status_code == 403
    approved = await way.step("approve", COMMERCE_HEAD)
    assert approved["state"] == "approved" and approved["clocks"][0]["rule"] == "plan.information_valid"
    await way.issue("telecom_request")
    await way.step("send", COMMERCE)
    held = await way.step("answer", COMMERCE, found=2)
    assert held["state"] == "held" and not held["final"]
    own = Way(desk, way.case_id, "telecom_information")
    await own.open(COMMERCE_HEAD, "telecom", **PHONE)
    alone = await own.attempt("approve", COMMERCE_HEAD)
    assert alone.status_code == 409 and alone.json()["type"].endswith("four-eyes")

    police = (await way.read(POLICE)).json()
    assert police["open"] is False and police["facts"] == {}, "the two sides and the office read it, not every party"
    assert (await way.read(OFFICE)).json()["facts"]["legal_basis"] == "regulation_14"
    assert "下线名单" not in "".join(e.model_dump_json() for e in await way.told_events("dachuan"))
    assert await way.miss(clock.now() + 40 * DAY) >= 1
    [own_miss] = [e for e in await way.told_events("deadline-missed") if str(e.proceeding_id) == way.id] or [None]
    assert own_miss is None, "an approval that runs out is nobody's lateness"
    gone = (await way.read(COMMERCE)).json()
    assert gone["state"] == "expired" and gone["outcome"] == "expired" and gone["history"][-1]["by_system"]
    used = await way.attempt("close", COMMERCE, used="x", destroyed=True)
    assert used.status_code == 409, "what has expired is not used any more"


async def test_a_site_is_dealt_with_and_its_outcome_recorded(desk: Desk) -> None:
    """D-K2c, D-A3: approved, sent to platform or carriers, which have no account here: the owner records the outcome."""
    way = await one(desk, "site_blocking", kinds=("internet",))
    await way.open(COMMERCE, "platform", what=["site", "account"], targets=3, which="三个网址")
    await way.step("approve", COMMERCE_HEAD)
    sent = await way.step("send", COMMERCE)
    assert sent["awaits_agency"] == "commerce" and (await way.clocks())["accept"].agency == "platform"
    done = await way.step("answer", COMMERCE, outcome="blocked", done=3, done_on=clock.now().date().isoformat())
    assert done["outcome"] == "blocked" and done["facts"]["outcome"] == "blocked"
    assert (await way.told_events("stepped"))[-1].facts["done"] == 3
    refused = Way(desk, way.case_id, "site_blocking")
    await refused.open(COMMERCE, "platform", what=["app"], targets=1, which="一个应用")
    kept = await refused.step("disapprove", COMMERCE_HEAD, reason="证据不足")
    assert kept["outcome"] == "withdrawn"


async def test_whoever_serves_pyramid_sellers_on_the_net_is_named_to_the_authority(desk: Desk) -> None:
    """D-A3: 条例 art. 26, second paragraph: the competent department is told and says what it did."""
    way = await one(desk, "internet_service_notice", kinds=("internet",))
    assert (await way.ask(POLICE, "authority", service="payment", facts="x")).status_code == 403
    made = await way.open(COMMERCE, "authority", service="payment", facts="收款通道")
    assert any("第二十六条" in line["article"] for line in _open_basis(await _procedure(desk, "internet_service_notice")))
    assert made["state"] == "asked"
    await way.step("accept", COMMERCE, their_number="通管〔2026〕8号")
    done = await way.step("answer", COMMERCE, handling="suspended")
    assert done["final"] and (await way.clocks())["answer"].state == "met"


async def _procedure(desk: Desk, kind: str) -> Any:
    shown = (await desk.get("/v1/procedures", desk.bearer(**COMMERCE))).json()["items"]
    return next(one for one in shown if one["kind"] == kind)


def _open_basis(procedure: Any) -> list[Any]:
    return procedure["open"]["basis"]


async def test_a_rescue_takes_minutes_and_the_school_is_party(desk: Desk) -> None:
    """D-I, D-Q1.6: police take it up in minutes; the school's side is brought in and reads it; two people are freed."""
    way = await one(desk, "rescue", urgent=True, kinds=("confinement",))
    made = await way.open(COMMERCE, "police", "criminal_investigation", **RESCUE)
    assert made["urgent"] and made["clocks"][0]["rule"] == "plan.rescue_accept"
    [sign] = (await way.clocks()).values()
    assert (sign.clock_unit, sign.amount) == ("minutes", 10)
    assert (await way.read(EDUCATION)).status_code == 404
    assert (await way.attempt("bring_in", COMMERCE, **{"with": "finance"})).status_code == 422
    await way.step("bring_in", COMMERCE, **{"with": "education", "for_whom": "school", "contact": "班主任"})
    assert (await way.read(EDUCATION)).json()["facts"]["with"] == "education"
    case = (await desk.get(f"/v1/cases/{way.case_id}", desk.bearer(**EDUCATION))).json()
    school = next(party for party in case["parties"] if party["agency"] == "education")
    assert school["part"] == "accepted" and case["history"][-1]["step"] == "party.joined"
    [joined] = await way.told_events("party-joined")
    assert (joined.cause, joined.proceeding_id, joined.deadline) == ("proceeding", UUID(way.id), None)
    await way.step("accept", POLICE_DESK, officers=4)
    await way.step("arrive", POLICE_DESK, arrived_at=clock.now().isoformat())
    freed = await way.step("free", POLICE_DESK, freed=2, freed_at=clock.now().isoformat(), given_to=["school"], account="已救出")
    assert freed["outcome"] == "rescued"
    assert {n: c.state for n, c in (await way.clocks()).items()} == {"accept": "met", "answer": "met"}


async def test_a_rescue_may_come_without_a_case(desk: Desk) -> None:
    """D-I: the education side asks police at once, before any case stands; only the two sides and the office see it."""
    way = Way(desk, None, "rescue")
    made = await way.open(EDUCATION, "police", **RESCUE)
    assert made["case_id"] is None and made["agency"] == "education"
    assert (await way.read(POLICE)).status_code == 200 and (await way.read(OFFICE)).status_code == 200
    assert (await way.read(SOCIAL)).status_code == 404
    other = Way(desk, None, "early_involvement")
    alone = await other.ask(COMMERCE, "police", why=["clue"], report="x")
    assert alone.status_code == 422 and alone.json()["type"].endswith("case-required")


async def test_a_rescue_that_was_missed_is_a_fact_of_its_own(desk: Desk) -> None:
    """D-Q1.6: ten minutes pass: told by the fast lane and before the office; then recorded as missed, with its cause."""
    way = await one(desk, "rescue", urgent=True, kinds=("confinement",))
    await way.open(COMMERCE, "police", "criminal_investigation", **RESCUE)
    assert await way.miss(clock.now() + 9 * MINUTE) == 0
    assert await way.miss(clock.now() + 11 * MINUTE) == 1
    [missed] = [e for e in await way.told_events("deadline-missed") if e.kind == "rescue"]
    assert (missed.deadline.rule, missed.deadline.agency, missed.deadline.unit) == (
        "plan.rescue_accept", "police", "criminal_investigation",
    )  # fmt: skip
    [row] = [row for row, data in await desk.events() if data is not None and data.TYPE.endswith("proceeding.deadline-missed.v1")]
    assert row.topic == "casework.urgent.v1"
    assert (await way.read(OFFICE)).json()["state"] == "escalated"
    assert (await way.attempt("record_missed", COMMERCE, cause="late", harm="none", account="x")).status_code == 403
    over = await way.step("record_missed", OFFICE, cause="not_gone", harm="moved", account="到达时已被转移")
    assert over["final"] and over["outcome"] == "missed_rescue"
    last = (await way.told_events("stepped"))[-1]
    assert (last.outcome, last.facts) == ("missed_rescue", {"cause": "not_gone", "harm": "moved"})


async def test_people_in_need_are_taken_in_and_what_became_of_them_is_told(desk: Desk) -> None:
    """D-B5b, X-D3: relief goes to the civil-affairs side, with an outcome; its words are for the two sides."""
    way = await one(desk, "relief")
    await way.open(POLICE, "social_affairs", persons=3, needs=["shelter", "journey"], about="三名外地受骗人员")
    await way.step("accept", SOCIAL, taken=3)
    done = await way.step("answer", SOCIAL, result=["home", "family"], helped=3)
    assert done["outcome"] == "relieved" and done["facts"]["helped"] == 3
    assert (await way.read(COMMERCE)).json()["open"] is False


async def test_people_are_sent_home_by_transport_and_every_home_area_is_told(desk: Desk) -> None:
    """D-B1, X-D3, D-J: dispersal with the civil-affairs side, transport asked beside it, notice to each home area."""
    way = await one(desk, "dispersal")
    await way.open(POLICE, "social_affairs", persons=40, homes=2, educated=40, list="名单（略）")
    ride = Way(desk, way.case_id, "transport_support")
    body = {
        "kind": "transport_support", "counterpart": {"agency": "transport"}, "parent_id": way.id,
        "values": {"persons": 40, "needed_at": clock.now().isoformat(), "from_where": "镇汽车站至火车站"},
    }  # fmt: skip
    made = await ride.post(f"/v1/cases/{way.case_id}/proceedings", POLICE, body)
    assert made.status_code == 201 and made.json()["parent_id"] == way.id
    ride.id = made.json()["proceeding_id"]
    carried = await ride.step("answer", {"agency": "transport", "posts": ("head",)}, carried=40, vehicles=1)
    assert carried["outcome"] == "carried"
    await way.step("accept", SOCIAL, taken=40)
    left = await way.step("send_off", SOCIAL, left=40, means=["coach", "train"])
    assert left["state"] == "leaving" and (await way.clocks())["home"].clock_unit == "working_days"
    today = clock.now().date().isoformat()
    half = await way.attempt("tell_home", SOCIAL, told=1, told_on=today, notice="民函〔2026〕1号")
    assert half.status_code == 409 and half.json()["type"].endswith("homes-not-told")
    done = await way.step("tell_home", SOCIAL, told=2, told_on=today, notice="民函〔2026〕1号")
    assert done["outcome"] == "dispersed" and (await way.clocks())["home"].state == "met"


async def test_a_case_is_raised_to_the_city_which_becomes_its_party(desk: Desk) -> None:
    """X-G1: the higher level takes part: it joins the case, reads it, and the lead stays with who had it."""
    way = await one(desk, "raise_to_higher")
    await way.open(COMMERCE, "city_office", why=["size", "area"], persons=300, report="跨三镇")
    city = {"agency": "city_office", "posts": ("head",), "principal_id": "city"}
    before = await desk.get(f"/v1/cases/{way.case_id}", desk.bearer(**city))
    assert before.status_code == 404
    await way.step("accept", city, part="operation")
    case = (await desk.get(f"/v1/cases/{way.case_id}", desk.bearer(**city))).json()
    parts = {party["agency"]: party["role"] for party in case["parties"]}
    assert parts["city_office"] == "co" and parts["police"] == "lead"
    done = await way.step("answer", city, outcome="由市统一行动", sent=25)
    assert done["outcome"] == "joined"


async def test_the_file_goes_to_court_counted_and_signed_for(desk: Desk) -> None:
    """X-D5: file list issued, volumes counted on both sides, the court signs and becomes party."""
    way = await one(desk, "court_handover")
    await way.open(POLICE, "court", volumes=4, pages=612, evidence_items=9)
    assert (await way.attempt("send", POLICE)).json()["documents"] == ["court_file_list"]
    await way.issue("court_file_list")
    await way.step("send", POLICE)
    short = await way.attempt("accept", POLICE, volumes_received=3)
    assert short.status_code == 409 and short.json()["type"].endswith("volumes-differ")
    await way.step("accept", POLICE, volumes_received=4, their_number="收〔2026〕40号")
    parties = await desk.rows("SELECT agency, state FROM case_parties WHERE case_id = :id", id=way.case_id)
    assert ("court", "accepted") in {(one.agency, one.state) for one in parties}
    assert (await way.step("answer", POLICE, result="taken", reference_no="受〔2026〕40号"))["final"]


async def test_procurator_and_court_join_a_major_case(desk: Desk) -> None:
    """D-C2: the stability office coordinates police, procurator and court; who is invited becomes party."""
    way = await one(desk, "major_coordination")
    await way.open(POLICE, "politics_law", why=["qualify", "assets"], report="涉案人数多")
    assert (await desk.get(f"/v1/cases/{way.case_id}", desk.bearer(**STABILITY))).status_code == 404
    await way.step("accept", STABILITY)
    assert (await desk.get(f"/v1/cases/{way.case_id}", desk.bearer(**STABILITY))).status_code == 200
    wrong = await way.attempt("invite", STABILITY, invited="finance")
    assert wrong.status_code == 422 and "检察院" in wrong.json()["fields"]["invited"]
    await way.step("invite", STABILITY, invited="procuratorate")
    await way.step("invite", STABILITY, invited="court")
    await way.step("invite", STABILITY, invited="court")
    done = await way.step("answer", STABILITY, held_on=clock.now().date().isoformat(), agreed="统一证据标准")
    assert done["outcome"] == "coordinated"
    joined = [event.agency for event in await way.told_events("party-joined")]
    assert joined == ["politics_law", "procuratorate", "court"], "who is party already joins once"
    [case] = await desk.rows("SELECT version, history, state FROM cases WHERE id = :id", id=way.case_id)
    assert [line["agency"] for line in case.history] == joined and case.version == 1 + len(joined)
    assert case.state == "opened", "a party that joins by a step changes nothing about who must accept"


async def test_another_town_answers_through_the_one_that_asked(desk: Desk) -> None:
    """D-N3: work with another town, in both directions; it has no account here, its answer is recorded."""
    way = await one(desk, "other_town")
    nobody = await way.ask(COMMERCE, "village", town="x", direction="ours", what=["inquire"], request="x")
    assert nobody.status_code == 409
    asked = {"town": "邻镇市监所", "direction": "theirs", "their_case": "邻市监〔2026〕1号", "what": ["evidence"]}
    made = await way.open(COMMERCE, "town", request="协助取证", **asked)
    assert made["to_agency"] == "town" and made["to_outside"] and made["awaits_agency"] == "commerce"
    await way.step("accept", COMMERCE)
    done = await way.step("answer", COMMERCE, result="done", reply="已取证")
    assert done["final"] and "邻镇" not in (await way.told_events("opened"))[-1].model_dump_json()


async def test_two_officers_at_one_proceeding_the_second_is_told_what_changed(desk: Desk) -> None:
    """X-D8c: both read version 1; the first accepts; the second gets 412 with the step, nothing of theirs is kept."""
    way = await one(desk, "early_involvement")
    made = await way.open(COMMERCE, "police", why=["clue"], report="线索")
    first = await way.attempt("accept", POLICE_DESK, version=made["version"], way=["officers"])
    assert first.status_code == 200
    second = await way.attempt("refuse", POLICE, version=made["version"], reason="没空")
    assert second.status_code == 412
    assert [(c["step"], c["agency"]) for c in second.json()["changes"]] == [("accept", "police")]
    assert (await way.read(POLICE)).json()["state"] == "accepted"
    out_of_order = await way.attempt("settle", COMMERCE)
    assert out_of_order.status_code == 409
    assert out_of_order.json()["possible"] == ["escalate", "give_opinion", "refuse", "withdraw"]
    assert "不能" in out_of_order.json()["detail"]


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ({"agency": "finance", "posts": ("head",)}, 404),
        ({"agency": "police", "posts": ("head",), "plan": "xiyuan"}, 404),
        ({"agency": "food_drug", "posts": ("head",)}, 403),
        ({"agency": "commerce", "posts": ("reporter",)}, 403),
    ],
    ids=["no party", "another plan", "a party but no side", "no right"],
)
async def test_a_step_is_for_its_side_alone(desk: Desk, who: dict[str, Any], expected: int) -> None:
    """D-N3, D-O1: outside the case it does not exist; a party that is no side of it is told so; without a right, no."""
    parties = (
        PartyFact(agency="police", unit="economic_crime", role="lead"),
        PartyFact(agency="commerce", unit="enforcement", role="co"),
        PartyFact(agency="food_drug", role="co"),
    )
    way = await one(desk, "early_involvement", parties=parties)
    await way.open(COMMERCE, "police", why=["clue"], report="线索")
    answer = await way.attempt("accept", who, way=["officers"])
    assert answer.status_code == expected, answer.text
    [row] = await desk.rows("SELECT state, version FROM proceedings")
    assert (row.state, row.version) == ("asked", 1)


async def test_the_office_asks_in_any_case_of_its_plan_and_others_only_in_theirs(desk: Desk) -> None:
    """D-O1, D-N4: the office may open in every case; the stability office in none that it is not party to."""
    way = await one(desk, "early_involvement")
    assert (await way.ask(STABILITY, "police", why=["clue"], report="x")).status_code == 404
    assert (await way.open(OFFICE, "police", why=["clue"], report="x"))["unit"] == "office"
