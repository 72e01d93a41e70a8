"""Transfer of a suspected crime (行刑衔接), whole ways: filed, refused, reconsidered, ordered by the prosecutor, and back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.kit import clock
from shared.rules.calendar import SHANGHAI, local_day
from tests.integration.casework.conftest import DAY, Desk, lead
from tests.integration.casework.documents import Papers
from tests.integration.casework.proceedings import COMMERCE, COMMERCE_HEAD, OFFICE, POLICE, POLICE_DESK, Way
from tests.unit.casework.documents.samples import sample

REPORT = {"officers": 2, "charge": ["organise"], "report": "专案组报告要点", "persons": 42, "levels": 3}
SEND = {"papers": ["letter", "report", "goods_list"], "copy_to_procurator": True}


async def under_review(desk: Desk, *, track: bool = True) -> Way:
    """A transfer that police have signed for; the administrative track stands where it was."""
    [case_id] = await desk.open(lead())
    if track:
        admin = Way(desk, case_id, "administrative_case")
        await admin.open(COMMERCE, conduct=["organise"])
    way = Way(desk, case_id, "suspected_crime")
    await way.open(COMMERCE, "police", **REPORT)
    await way.step("approve", COMMERCE_HEAD)
    await way.issue("crime_transfer_letter")
    await way.step("send", COMMERCE, **SEND)
    await way.step("sign", POLICE_DESK, their_number="公受2026-7")
    return way


async def refused(desk: Desk) -> Way:
    way = await under_review(desk)
    await way.issue("no_filing_notice")
    await way.step("refuse", POLICE, reason="人数不足")
    return way


async def test_filing_opens_the_criminal_case_and_the_goods_follow(desk: Desk) -> None:
    """D-A5, D-N3: sent and signed, the administrative track stands still; filed, a criminal case runs; goods handed over."""
    way = await under_review(desk)
    assert way.told["state"] == "under_review" and await way.state_of("administrative_case") == "verification_suspended"
    clocks = await way.clocks()
    assert clocks["sign"].state == "met" and clocks["review"].rule == "transfer.police_review"
    assert "第八条" in clocks["review"].article
    [stopped] = await desk.rows("SELECT * FROM deadlines WHERE kind = 'verify'")
    assert stopped.state == "suspended"

    no_paper = await way.attempt("file", POLICE)
    assert no_paper.status_code == 409 and no_paper.json()["documents"] == ["criminal_filing_decision"]
    await way.issue("criminal_filing_decision")
    desk_officer = await way.attempt("file", POLICE_DESK)
    assert desk_officer.status_code == 403 and desk_officer.json()["approval"] == "measure.order"
    filed = await way.step("file", POLICE)
    assert filed["state"] == "filed" and filed["awaits_agency"] == "commerce"
    assert await way.state_of("criminal_case") == "filed", "decided by the transfer, not reviewed a second time"
    [criminal] = await desk.rows("SELECT * FROM proceedings WHERE kind = 'criminal_case'")
    assert (criminal.agency, criminal.parent_id, criminal.confidential) == ("police", UUID(way.id), "criminal")
    assert criminal.facts["charge"] == ["organise"]

    goods = (await way.clocks())["goods"]
    assert (goods.agency, goods.rule, goods.state) == ("commerce", "transfer.hand_over_goods", "running")
    await way.issue("goods_list")
    done = await way.step("hand_over_goods", COMMERCE, items=17)
    assert done["final"] and done["outcome"] == "filed" and (await way.clocks())["goods"].state == "met"
    assert await way.state_of("administrative_case") == "verification_suspended"
    told = await way.told_events("proceeding.stepped")
    assert [one.step for one in told if one.kind == "suspected_crime"][-1] == "hand_over_goods"
    assert told[-1].facts == {"items": 17} and told[-1].outcome == "filed"


async def test_a_refusal_goes_through_reconsideration_and_the_prosecutor_to_filing(desk: Desk) -> None:
    """D-A5: refused, reconsidered, upheld, the prosecutor asks, police explain, the prosecutor orders, police file."""
    way = await refused(desk)
    assert way.told["state"] == "refused" and await way.state_of("administrative_case") == "verification_suspended"
    asked = await way.step("ask_reconsideration", COMMERCE, reason="另有下线名单")
    assert {one["rule"]: one["state"] for one in asked["clocks"]}["transfer.reconsider"] == "met"
    await way.step("uphold", POLICE, reason="仍不足")
    await way.step("suggest_supervision", COMMERCE, reference="市监建〔2026〕3号")
    yesterday = local_day(clock.now()) - DAY
    await way.step("prosecutor_asks", COMMERCE, asked_on=yesterday.isoformat())
    explain = (await way.clocks())["explain"]
    assert (explain.amount, explain.agency, explain.clock_unit) == (7, "police", "calendar_days")
    assert explain.due.astimezone(SHANGHAI).date() == yesterday + timedelta(days=7), "from the day the prosecutor asked"
    await way.step("explain", POLICE, reason="未达标准")
    ordered = await way.step(
        "prosecutor_orders", COMMERCE, ordered_on=yesterday.isoformat(), reference="检通〔2026〕1号"
    )
    assert ordered["awaits_agency"] == "police" and (await way.clocks())["file_on_order"].amount == 15
    await way.issue("criminal_filing_decision")
    assert (await way.step("file", POLICE))["state"] == "filed"
    clocks = await way.clocks()
    assert {n: clocks[n].state for n in ("object", "reconsider", "suggest", "explain", "file_on_order")} == dict.fromkeys(
        ("object", "reconsider", "suggest", "explain", "file_on_order"), "met"
    )
    assert await way.state_of("criminal_case") == "filed"


async def test_a_refusal_that_is_accepted_takes_the_administrative_track_up_again(desk: Desk) -> None:
    """D-A5, D-A4: not filed, commerce handles it administratively (移送规定 art. 10): the stopped clock runs on."""
    way = await refused(desk)
    done = await way.step("accept_refusal", COMMERCE)
    assert done["final"] and done["outcome"] == "returned" and (await way.clocks())["object"].state == "met"
    assert await way.state_of("administrative_case") == "verifying"
    [verify] = await desk.rows("SELECT * FROM deadlines WHERE kind = 'verify'")
    assert verify.state == "running" and len(verify.suspensions) == 1


async def test_a_refusal_that_nobody_answers_lapses_and_nothing_falls_between(desk: Desk) -> None:
    """D-N3: three days without a word: commerce's miss is told, and its own track goes on by itself."""
    way = await refused(desk)
    assert await way.miss(clock.now() + 5 * DAY) == 1
    after = (await way.read(COMMERCE)).json()
    assert after["final"] and after["outcome"] == "returned" and after["history"][-1]["by_system"]
    assert await way.state_of("administrative_case") == "verifying"
    [missed] = await way.told_events("proceeding.deadline-missed")
    assert (missed.deadline.rule, missed.deadline.agency) == ("transfer.reconsider", "commerce")


async def test_materials_are_asked_for_while_the_review_stands_still__d_a5(desk: Desk) -> None:
    """D-A5: receipt cannot be refused; missing materials are asked for within 24 hours and supplied in three days."""
    way = await under_review(desk, track=False)
    assert "refuse" not in {one["step"] for one in (await way.read(POLICE)).json()["steps"] if one["from"] == ["sent"]}
    before = (await way.clocks())["review"].due
    await way.step("ask_materials", POLICE_DESK, what="缺物品清单附件")
    clocks = await way.clocks()
    assert clocks["review"].state == "suspended" and clocks["ask_materials"].state == "met"
    assert clocks["supply"].agency == "commerce" and clocks["supply"].rule == "transfer.supply_materials"
    await way.step("supply", COMMERCE, what="已补")
    clocks = await way.clocks()
    assert clocks["review"].state == "running" and clocks["review"].due >= before and clocks["supply"].state == "met"


async def test_a_longer_review_is_an_approved_state__law_trap_4(desk: Desk) -> None:
    """D-A5: three calendar days are the alarm, ten the latest, thirty for major cases, thirty more from the level above."""
    way = await under_review(desk, track=False)
    three = (await way.clocks())["review"]
    assert three.clock_unit == "calendar_days" and three.amount == 3 and not three.rolls
    start = local_day(three.start)
    assert three.due.astimezone(SHANGHAI).date() == start + timedelta(days=3), "weekends count: 3日 is no working time"
    no_post = await way.attempt("extend_review", POLICE_DESK, reason="账目多")
    assert no_post.status_code == 403 and no_post.json()["approval"] == "period.extend"
    ten = await way.step("extend_review", POLICE, reason="账目多")
    assert ten["state"] == "review_extended"
    clocks = await way.clocks()
    assert clocks["review"].state == "cancelled" and clocks["review_latest"].start == three.start
    assert clocks["review_latest"].due.astimezone(SHANGHAI).date() == start + timedelta(days=10)
    assert (await way.attempt("extend_review", POLICE, reason="再延")).status_code == 409
    await way.step("extend_major", POLICE, reason="跨省", approved_by="公批〔2026〕2号")
    assert (await way.clocks())["review_major"].due.astimezone(SHANGHAI).date() == start + timedelta(days=30)
    await way.step("extend_special", POLICE, reason="特别复杂", approved_by="市公批〔2026〕9号")
    longest = (await way.clocks())["review_major"]
    assert longest.due.astimezone(SHANGHAI).date() == start + timedelta(days=60)
    assert longest.extensions[0]["approver"] == "上一级公安机关负责人"
    again = await way.attempt("extend_special", POLICE, reason="再延", approved_by="市公批〔2026〕10号")
    assert again.status_code == 409 and again.json()["type"].endswith("no-extension")


async def test_no_seal_of_commerce_runs_longer_than_45_days__law_trap_3(desk: Desk) -> None:
    """X-D8b: 条例 art. 18 gives 30 + 15 days; the 30 + 30 of 行政强制法 art. 25 yield to it."""
    limit = desk.basis.law.in_force("prohibition.seal_period", local_day(clock.now())).limit
    assert (limit.amount, [one.amount for one in limit.extensions]) == (30, [15])


async def test_no_penalty_takes_the_place_of_a_transfer(desk: Desk) -> None:
    """D-A4, D-A5: 移送规定 art. 11: while the transfer is under way no penalty is decided."""
    [case_id] = await desk.open(lead())
    admin = Way(desk, case_id, "administrative_case")
    await admin.open(COMMERCE, conduct=["organise"])
    await admin.step("ask_filing", COMMERCE, officers=2, evidence=True, reason="有证据")
    await admin.issue("filing_approval")
    await admin.step("approve_filing", COMMERCE_HEAD)
    await admin.step("send_to_review", COMMERCE)
    await admin.issue("penalty_notice", "penalty_decision")
    await admin.step("notify", COMMERCE_HEAD, hearing_right=False)
    way = Way(desk, case_id, "suspected_crime")
    await way.open(COMMERCE, "police", **REPORT)
    stopped = await admin.attempt("decide", COMMERCE_HEAD | {"principal_id": "other-head"})
    assert stopped.status_code == 409 and stopped.json()["proceeding"] == way.id
    assert "第十一条" in stopped.json()["detail"]
    await way.step("keep", COMMERCE_HEAD, reason="尚不涉嫌犯罪")
    assert (await admin.step("decide", COMMERCE_HEAD | {"principal_id": "other-head"}))["state"] == "decided"


async def test_a_step_waits_for_its_document_and_takes_a_real_one(desk: Desk) -> None:
    """D-A5, X-D8b: the letter has to be issued for this transfer; one drafted, approved and issued through the API is."""
    [case_id] = await desk.open(lead())
    way = Way(desk, case_id, "suspected_crime")
    await way.open(COMMERCE, "police", **REPORT)
    await way.step("approve", COMMERCE_HEAD)
    missing = await way.attempt("send", COMMERCE, **SEND)
    assert missing.status_code == 409 and missing.json()["documents"] == ["crime_transfer_letter"]
    assert missing.json()["named"]["crime_transfer_letter"]["zh"] in missing.json()["detail"]
    [need] = way.told["steps"][0]["needs"]
    assert need["kind"] == "crime_transfer_letter" and need["name"]["zh"] == "涉嫌犯罪案件移送书" and not need["issued"]
    papers = Papers(desk)
    kind = desk.client._transport.app.state.documents.desk.catalogue.kinds["crime_transfer_letter"]  # type: ignore[attr-defined]
    fields = sample(kind)
    made = (await papers.draft(case_id, "crime_transfer_letter", fields, COMMERCE, body={"proceeding_id": way.id})).json()
    draft_only = await way.attempt("send", COMMERCE, **SEND)
    assert draft_only.status_code == 409, "a draft is no document"
    approved = (await papers.act("approve", made["document_id"], made["version"], COMMERCE_HEAD)).json()
    issued = await papers.act("issue", made["document_id"], approved["version"], COMMERCE)
    assert issued.status_code == 200, issued.text
    lacking = await way.attempt("send", COMMERCE, papers=["letter", "report"], copy_to_procurator=True)
    assert lacking.status_code == 409 and lacking.json()["missing"] == ["goods_list"]
    assert (await way.step("send", COMMERCE, **SEND))["state"] == "sent"


async def test_police_pass_it_on_in_writing_and_the_transfer_goes_on_there(desk: Desk) -> None:
    """D-A5: another police's case is passed on within 24 hours, told in writing; filed there, goods still follow."""
    way = await under_review(desk)
    gone = await way.step("forward", POLICE_DESK, forwarded_to="邻镇公安分局", told_in_writing=True)
    assert gone["state"] == "forwarded" and gone["awaits_agency"] == "commerce"
    assert (await way.step("filed_there", COMMERCE, their_number="邻公立〔2026〕5号"))["state"] == "filed"
    assert await way.state_of("criminal_case") is None, "not our police's case"


async def test_filing_joins_a_criminal_case_that_police_had_opened_themselves(desk: Desk) -> None:
    """D-N3: one criminal case to a joint case: what police opened by themselves is filed, none is opened beside it."""
    way = await under_review(desk)
    own = Way(desk, way.case_id, "criminal_case")
    await own.open(POLICE, charge=["confinement"])
    await way.issue("criminal_filing_decision")
    await way.step("file", POLICE)
    found = await desk.rows("SELECT id, state FROM proceedings WHERE kind = 'criminal_case'")
    assert [(str(one.id), one.state) for one in found] == [(own.id, "filed")]


async def test_police_find_no_crime_and_commerce_takes_it_back(desk: Desk) -> None:
    """D-N3, D-A5: 条例 art. 13: returned only once the criminal case has ended; commerce accepts, its track runs on."""
    way = await under_review(desk)
    await way.issue("criminal_filing_decision", "goods_list")
    await way.step("file", POLICE)
    await way.step("hand_over_goods", COMMERCE, items=0)
    back = Way(desk, way.case_id, "no_crime_return")
    why = {"finding": "dropped", "papers": 3, "reason": "事实显著轻微"}
    early = await back.ask(POLICE, "commerce", "enforcement", **why)
    assert early.status_code == 409 and early.json()["type"].endswith("criminal-case-open")
    [criminal] = await desk.rows("SELECT id FROM proceedings WHERE kind = 'criminal_case'")
    drop = Way(desk, way.case_id, "criminal_case", str(criminal.id))
    await drop.step("drop", POLICE, reason="事实显著轻微")
    not_theirs = await back.ask(COMMERCE, "police", **why)
    assert not_theirs.status_code == 403
    await back.open(POLICE, "commerce", "enforcement", **why)
    assert await back.state_of("administrative_case") == "verification_suspended"
    await back.step("accept", COMMERCE)
    assert await back.state_of("administrative_case") == "verifying"
    closed = await back.step("answer", COMMERCE, handling="resumed")
    assert closed["final"] and (await back.clocks())["answer"].state == "met"


async def test_a_return_without_an_administrative_case_opens_one(desk: Desk) -> None:
    """D-A5: nothing falls between: what police return becomes a case of commerce, with its own clock."""
    [case_id] = await desk.open(lead())
    back = Way(desk, case_id, "no_crime_return")
    await back.open(POLICE, "commerce", finding="below", papers=0, reason="未达标准")
    assert await back.state_of("administrative_case") is None
    await back.step("accept", COMMERCE)
    [opened] = await desk.rows("SELECT * FROM proceedings WHERE kind = 'administrative_case'")
    assert (opened.agency, opened.state) == ("commerce", "verifying")
    [verify] = await desk.rows("SELECT * FROM deadlines WHERE kind = 'verify'")
    assert (verify.agency, verify.state, verify.clock_unit) == ("commerce", "running", "working_days")


@pytest.mark.parametrize("who", [COMMERCE, OFFICE], ids=["commerce", "office"])
async def test_the_criminal_track_stays_closed_in_every_list_and_reading(desk: Desk, who: dict[str, Any]) -> None:
    """D-B1, D-O1: of a criminal case others learn number, stage and clocks, in lists, on the case, and one by one."""
    way = await under_review(desk)
    await way.issue("criminal_filing_decision")
    await way.step("file", POLICE)
    [criminal] = await desk.rows("SELECT id FROM proceedings WHERE kind = 'criminal_case'")
    bearer = desk.bearer(**who)
    one = (await desk.get(f"/v1/proceedings/{criminal.id}", bearer)).json()
    assert (one["open"], one["facts"], one["state"]) == (False, {}, "filed")
    assert all(line["facts"] == {} and line["words"] == {} for line in one["history"])
    for params in ({"kind": "criminal_case"}, {"case_id": str(way.case_id)}, {"category": "track"}):
        shown = (await desk.get("/v1/proceedings", bearer, **params)).json()["items"]
        line = next(item for item in shown if item["proceeding_id"] == str(criminal.id))
        assert "facts" not in line and "organise" not in str(line)
    police = (await desk.get(f"/v1/proceedings/{criminal.id}", desk.bearer(**POLICE))).json()
    assert police["open"] and police["facts"]["charge"] == ["organise"]
    stranger = desk.bearer(agency="education", posts=("head",))
    assert (await desk.get(f"/v1/proceedings/{criminal.id}", stranger)).status_code == 404
