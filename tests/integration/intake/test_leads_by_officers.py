"""Officers merge, split, decide what is suggested, and confirm or correct what was read."""

from __future__ import annotations

from typing import Any

import pytest

from shared.events import EVENT_TYPES
from shared.events.intake import LeadOpened
from shared.events.leads import LeadJoined, LeadMerged, LeadSplit
from tests.integration.intake.conftest import Desk

ONE = "安堂社区兴华里5栋301是“宏图伟业”商贸公司的传销窝点，宏图伟业天天拉人头"
TWO = "安堂社区金桥公寓2栋502是“宏图伟业”商贸公司的传销窝点，宏图伟业拉人头发展下线"
SAME = "举报：兴华里五栋301室是传销窝点，天天有人来上课，拉人头交钱入会，安堂社区"
POTHOLE = "安堂社区兴华里5栋301门口的路坑坑洼洼，下雨天积水，希望修一修"


@pytest.fixture
def office(desk: Desk) -> dict[str, str]:
    """The office of the joint conference: it sees all and may join what different agencies have."""
    return desk.bearer("commerce", ("office-staff",), unit="office", principal_id="office")


async def told(desk: Desk, *kinds: type[Any]) -> list[Any]:
    rows = await desk.rows("SELECT type, data FROM outbox ORDER BY seq")
    events = [EVENT_TYPES[row.type].model_validate_json(bytes(row.data)) for row in rows]
    return [event for event in events if isinstance(event, kinds)]


async def seen(desk: Desk, who: dict[str, str], lead_id: str) -> dict[str, Any]:
    answer = await desk.get(f"/v1/leads/{lead_id}", who)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def version_of(desk: Desk, tip_id: str) -> int:
    return (await desk.rows("SELECT version FROM tips WHERE id = :id", id=tip_id))[0].version


async def test_merge_and_undo_keep_every_number_date_and_the_earliest_reporter(
    desk: Desk, office: dict[str, str]
) -> None:
    """D-M6, point 3: merging is reversible and keeps every number and the earliest reporter."""
    one, two = await desk.tip(ONE, external_ref="A-1"), await desk.tip(TWO, external_ref="B-2")
    before = await seen(desk, office, two["lead_id"])
    merged = await desk.post(
        f"/v1/leads/{two['lead_id']}/merges", office, {"lead_id": one["lead_id"]}, version=before["version"]
    )
    assert merged.status_code == 200, merged.text
    full = await seen(desk, office, two["lead_id"])
    assert full["tips"] == 2 and full["received_at"] == one["received_at"]
    assert [tip["tip_id"] for tip in full["all_tips"] if tip["earliest"]] == [one["tip_id"]]
    assert {tip["external_ref"] for tip in full["all_tips"]} == {"A-1", "B-2"}
    assert full["merged_lead_ids"] == [one["lead_id"]]
    gone = await seen(desk, office, one["lead_id"])
    assert gone["state"] == "merged" and gone["merged_into"] == two["lead_id"]
    step = next(item for item in full["timeline"] if item["step"] == "merged")
    assert step["may_undo"] and step["number"] == merged.json()["number"]
    back = await desk.post(
        f"/v1/leads/{two['lead_id']}/splits", office, {"undoes": step["number"]}, version=full["version"]
    )
    assert back.status_code == 200, back.text
    again, first = await seen(desk, office, two["lead_id"]), await seen(desk, office, one["lead_id"])
    assert (again["tips"], again["received_at"]) == (1, two["received_at"])
    assert (first["state"], first["tips"], first["received_at"]) == ("open", 1, one["received_at"])
    assert [item["step"] for item in again["timeline"]] == ["received", "merged", "unmerged"]
    [joined], [split] = await told(desk, LeadMerged), await told(desk, LeadSplit)
    assert split.undoes == joined.join_id and str(split.split_lead_id) == one["lead_id"]
    twice = await desk.post(
        f"/v1/leads/{two['lead_id']}/splits", office, {"undoes": step["number"]}, version=again["version"]
    )
    assert twice.status_code == 409 and twice.json()["type"].endswith("already-undone")


async def test_tips_split_off_become_a_lead_with_their_own_clock(desk: Desk, office: dict[str, str]) -> None:
    """Point 3: what joined by mistake leaves again; casework hears of it with the clock of its first receipt."""
    one, two = await desk.tip(ONE), await desk.tip(SAME)
    assert one["lead_id"] == two["lead_id"]
    full = await seen(desk, office, one["lead_id"])
    path = f"/v1/leads/{one['lead_id']}/splits"
    empty = await desk.post(path, office, {"tip_ids": [one["tip_id"], two["tip_id"]]}, version=full["version"])
    assert empty.status_code == 409 and empty.json()["type"].endswith("nothing-to-split")
    done = await desk.post(path, office, {"tip_ids": [two["tip_id"]]}, version=full["version"])
    assert done.status_code == 200, done.text
    opened = await told(desk, LeadOpened)
    assert [str(event.tip_id) for event in opened] == [one["tip_id"], two["tip_id"]]
    fresh = await seen(desk, office, str(opened[1].lead_id))
    assert fresh["received_at"] == two["received_at"] and fresh["tips"] == 1
    # what the officer told apart is never joined by itself again, nor suggested
    assert not [one for one in fresh["suggestions"] if one["state"] == "open"]


async def test_a_suggestion_is_accepted_or_rejected_once(desk: Desk, office: dict[str, str]) -> None:
    """D-M6: candidates with score and reason; an officer's word decides."""
    one, two = await desk.tip(ONE), await desk.tip(TWO)
    full = await seen(desk, office, two["lead_id"])
    [asked] = full["suggestions"]
    assert asked["lead_id"] == one["lead_id"] and "宏图伟业" in asked["reasons"][0]["zh"] and asked["score"] == 50
    path = f"/v1/suggestions/{asked['suggestion_id']}"
    no = await desk.post(f"{path}/reject", office, version=asked["version"])
    assert no.status_code == 200, no.text
    stale = await desk.post(f"{path}/accept", office, version=asked["version"])
    assert stale.status_code == 412
    yes = await desk.post(f"{path}/accept", office, version=asked["version"] + 1, key="the-same-key-twice")
    assert yes.status_code == 200, yes.text
    replay = await desk.post(f"{path}/accept", office, version=asked["version"] + 1, key="the-same-key-twice")
    assert replay.status_code == 200
    assert len(await told(desk, LeadMerged)) == 1
    full = await seen(desk, office, yes.json()["lead_id"])
    assert full["tips"] == 2 and full["lead_id"] == one["lead_id"]


async def test_acts_need_the_right_the_version_and_a_key(desk: Desk, office: dict[str, str]) -> None:
    """Point 11: who sees only one of the two leads cannot join them; nothing is changed."""
    one, two = await desk.tip(ONE), await desk.tip(TWO)
    path = f"/v1/leads/{one['lead_id']}/merges"
    body = {"lead_id": two["lead_id"]}
    stranger = desk.bearer("food_drug", ("desk", "head"), principal_id="fd")
    assert (await desk.post(path, stranger, body, version=1)).status_code == 404
    reader = desk.bearer("police", ("investigator",), unit="economic_crime", principal_id="inv")
    assert (await desk.post(path, reader, body, version=1)).status_code == 403
    assert (await desk.post(path, office, body)).status_code == 428
    assert (await desk.post(path, office, body, version=7)).status_code == 412
    assert (await desk.post(path, office, {"lead_id": one["lead_id"]}, version=1)).status_code == 409
    assert {row.tips for row in await desk.rows("SELECT tips FROM leads")} == {1}
    assert not await told(desk, LeadMerged, LeadSplit)


async def test_a_correction_makes_a_referred_tip_a_lead_from_its_first_receipt(
    desk: Desk, office: dict[str, str]
) -> None:
    """D-M5, point 1: what was sent elsewhere by mistake becomes a lead; its clock starts with its first receipt."""
    wrong = await desk.tip(POTHOLE)
    assert wrong["state"] == "referred"
    stranger = desk.bearer("food_drug", ("desk", "head"), principal_id="fd")
    path, relevant = f"/v1/tips/{wrong['tip_id']}/reviews", {"relevant": True, "kinds": ["recruiting"]}
    assert (await desk.post(path, stranger, relevant, version=1)).status_code == 404
    done = await desk.post(path, office, relevant, version=1)
    assert done.status_code == 200 and done.json()["effect"] == "open", done.text
    [opened] = await told(desk, LeadOpened)
    assert str(opened.tip_id) == wrong["tip_id"] and opened.agency == "police" and opened.unit == "economic_crime"
    assert opened.received_at.isoformat() == wrong["received_at"].replace("Z", "+00:00")
    later = await desk.tip(SAME)
    assert later["lead_id"] == str(opened.lead_id)


async def test_a_corrected_tip_joins_the_lead_about_its_target_as_its_earliest_reporter(
    desk: Desk, office: dict[str, str]
) -> None:
    """Points 3 and 6: the earliest reporter is whoever was first, also when that was understood late."""
    wrong = await desk.tip(POTHOLE)
    lead = await desk.tip(SAME)
    done = await desk.post(f"/v1/tips/{wrong['tip_id']}/reviews", office, {"relevant": True}, version=1)
    assert done.json()["lead_id"] == lead["lead_id"], done.text
    full = await seen(desk, office, lead["lead_id"])
    assert full["tips"] == 2 and full["received_at"] == wrong["received_at"]
    assert [tip["tip_id"] for tip in full["all_tips"] if tip["earliest"]] == [wrong["tip_id"]]
    assert len(await told(desk, LeadOpened)) == 1


async def test_what_does_not_concern_the_lead_leaves_it_and_the_last_tip_stays(
    desk: Desk, office: dict[str, str]
) -> None:
    """D-A5: a tip that is all a lead has is declined by decision, never made to vanish by a label."""
    one, two = await desk.tip(ONE), await desk.tip(SAME)
    police = desk.bearer("police", ("desk", "head"), unit="economic_crime", principal_id="p1")
    assert one["agency"] == two["agency"] == "police"
    wrong = {"relevant": False, "belongs_to": "housing"}
    left = await desk.post(
        f"/v1/tips/{two['tip_id']}/reviews", police, wrong, version=await version_of(desk, two["tip_id"])
    )
    assert left.json()["effect"] == "leave" and left.json()["lead_id"] is None, left.text
    kept = await desk.post(
        f"/v1/tips/{one['tip_id']}/reviews", police, wrong, version=await version_of(desk, one["tip_id"])
    )
    assert kept.json()["effect"] == "keep" and kept.json()["lead_id"] == one["lead_id"], kept.text
    full = await seen(desk, police, one["lead_id"])
    assert full["tips"] == 1 and full["state"] == "open"
    assert [row.state for row in await desk.rows("SELECT state FROM tips ORDER BY received_at")] == ["lead", "referred"]


async def test_kinds_area_and_place_are_corrected_and_kept_as_an_example(desk: Desk, office: dict[str, str]) -> None:
    """D-M5: corrections are kept as training examples, without a word of the tip."""
    police = desk.bearer("police", ("desk", "head"), unit="economic_crime", principal_id="p1")
    tip = await desk.tip("有人搞传销，每天拉人头听课，发展下线交人头费，安堂社区")
    path = f"/v1/tips/{tip['tip_id']}/reviews"
    agreed = await desk.post(path, police, version=1)
    assert agreed.status_code == 200 and agreed.json()["effect"] == "none", agreed.text
    fixed = await desk.post(
        path, police, {"places": ["兴华里5栋301"], "kinds": ["headcount", "entry_fee"]}, version=agreed.json()["version"]
    )
    assert fixed.status_code == 200 and fixed.json()["effect"] == "change", fixed.text
    full = await seen(desk, police, tip["lead_id"])
    assert full["kinds"] == ["headcount", "entry_fee"]
    assert {"kind": "place", "words": "兴华里5栋301", "mentioned_only": False} in full["targets"]
    near = await desk.tip(SAME)
    assert near["lead_id"] == tip["lead_id"], "the corrected place is looked up from now on"
    listed = (await desk.get("/v1/reading-examples", police)).json()["items"]
    assert [one["agreed"] for one in listed] == [True, False]
    assert listed[1]["after"]["places"] == ["兴华里5栋301"] and "听课" not in str(listed)


async def test_names_of_two_characters_are_found(desk: Desk, office: dict[str, str]) -> None:
    """Search: part of a place's or organisation's name, from two characters on, and only within reach."""
    one = await desk.tip(ONE)
    await desk.tip("安堂社区翠湖花园2栋502有人搞传销，拉人头，发展下线")
    for words, found in (("宏图", 1), ("兴华", 1), ("翠湖", 1), ("安徽", 0), ("%%", 0)):
        answer = await desk.get("/v1/leads", office, q=words)
        assert len(answer.json()["items"]) == found, (words, answer.text)
    assert (await desk.get("/v1/leads", office, q="宏图")).json()["items"][0]["lead_id"] == one["lead_id"]
    assert (await desk.get("/v1/leads", office, q="宏")).status_code == 422
    stranger = desk.bearer("food_drug", ("desk", "head"), principal_id="fd")
    assert (await desk.get("/v1/leads", stranger, q="宏图")).json()["items"] == []


async def test_the_lead_shows_the_rules_tried_matched_and_skipped(desk: Desk, office: dict[str, str]) -> None:
    """D-B2: routing inside the police with its reason; a later change of rules is told and moves nothing."""
    tip = await desk.tip("安堂社区有人用手机APP搞传销，注册会员充值投资，拉人头有推荐奖，发展下线团队返利")
    full = await seen(desk, office, tip["lead_id"])
    outcomes = {step["rule"]: step["outcome"] for step in full["routing"]["steps"]}
    assert outcomes["internet"] == "matched" and outcomes["confinement"] == "skipped"
    assert outcomes["otherwise"] == "not_reached" and not full["routing"]["rules_changed"]
    await desk.rows("UPDATE tips SET rule = 'older-rule', agency = 'commerce', unit = 'office' RETURNING 1")
    await desk.rows("UPDATE leads SET rule = 'older-rule', agency = 'commerce', unit = 'office' RETURNING 1")
    full = await seen(desk, office, tip["lead_id"])
    assert full["routing"]["rules_changed"] and full["agency"] == "commerce" and full["unit"] == "office"


async def test_joining_tips_of_one_batch_tell_casework_of_no_second_case(desk: Desk) -> None:
    """D-N3, point 3: LeadOpened is what opens a case; a joined tip sends LeadJoined alone."""
    await desk.tip(ONE)
    await desk.tip(SAME)
    assert len(await told(desk, LeadOpened)) == 1 and len(await told(desk, LeadJoined)) == 1
