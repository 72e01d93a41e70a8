"""Supervision, major cases, incidents and what was not reported, through the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.casework.commands import major
from services.casework.commands.proceedings import mark_proceedings_missed
from shared.kit import clock, db
from tests.integration.casework.conftest import Desk, lead

OFFICE = {"agency": "commerce", "unit": "office", "posts": ("office-director",), "principal_id": "director"}
STAFF = {"agency": "commerce", "unit": "office", "posts": ("office-staff",), "principal_id": "staff"}
LEADER = {"agency": "politics_law", "posts": ("leader",), "principal_id": "leader"}
DEPUTY = {"agency": "police", "posts": ("deputy-leader",), "principal_id": "deputy"}
LABOUR = {"agency": "labour", "posts": ("head",), "principal_id": "labour"}
POLICE = {"agency": "police", "unit": "economic_crime", "posts": ("investigator",), "principal_id": "ecid"}
JUSTICE = {"agency": "social_affairs", "posts": ("desk",), "principal_id": "affairs"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def post(desk: Desk, path: str, who: dict[str, Any], body: Any, version: int | None = None) -> Any:
    desk.keys += 1
    headers = desk.bearer(**who) | {"idempotency-key": f"test-key-{desk.keys:05d}"}
    if version is not None:
        headers["if-match"] = f'"{version}"'
    return await desk.client.post(path, headers=headers, json=body)


async def opened(desk: Desk, kind: str, who: dict[str, Any], values: dict[str, Any], to: str = "", expect: int = 201, case: Any = None) -> Any:
    body: dict[str, Any] = {"kind": kind, "values": values, "area": "dayong-antang"}
    if to:
        body["counterpart"] = {"agency": to}
    path = f"/v1/cases/{case}/proceedings" if case else "/v1/proceedings"
    answer = await post(desk, path, who, body)
    assert answer.status_code == expect, answer.text
    return answer.json()


async def step(desk: Desk, made: Any, name: str, who: dict[str, Any], expect: int = 200, **values: Any) -> Any:
    path = f"/v1/proceedings/{made['proceeding_id']}"
    version = (await desk.get(path, desk.bearer(**OFFICE))).json()["version"]
    answer = await post(desk, f"{path}/steps/{name}", who, {"values": values}, version)
    assert answer.status_code == expect, answer.text
    return answer.json()


async def late(desk: Desk, after: timedelta) -> int:
    async with db.begin(desk.service.engine) as conn:
        return await mark_proceedings_missed(conn, desk.basis, clock.now() + after)


async def events(desk: Desk, ending: str) -> list[Any]:
    return [data for _, data in await desk.events() if data.TYPE.endswith(ending)]


def ago(amount: timedelta) -> str:
    return (clock.now() - amount).isoformat()


ORDER = {"level": "office", "matter": "tip", "order": "请核查并答复"}


async def test_a_supervision_order_is_answered_extended_sent_back_and_accepted(desk: Desk) -> None:
    """D-N4, D-M2: order, time-limited reply, approved extension, return, acceptance; each by whom it is for."""
    refused = await opened(desk, "supervision", LABOUR, ORDER, "commerce", expect=403)
    assert refused["right"] == "supervision.open"
    made = await opened(desk, "supervision", STAFF, ORDER, "labour")
    assert (await step(desk, made, "issue_office", STAFF, expect=403))["approval"] == "supervision.order"
    made = await step(desk, made, "issue_office", OFFICE)
    assert made["awaits_agency"] == "labour" and made["clocks"][0]["rule"] == "plan.supervision_reply"
    due = made["clocks"][0]["due"]
    nothing_asked = await step(desk, made, "extend", OFFICE, expect=409)
    assert "not-asked" in nothing_asked["type"]
    await step(desk, made, "ask_extension", LABOUR, why="资料在外单位", asked=True)
    made = await step(desk, made, "extend", OFFICE)
    assert made["clocks"][0]["due"] > due
    assert "no-extension" in (await step(desk, made, "extend", LEADER, expect=409))["type"]
    made = await step(desk, made, "reply", LABOUR, result="done", reply="已核查")
    assert made["awaits_agency"] == "commerce"
    made = await step(desk, made, "return", OFFICE, reason="未附材料")
    assert made["state"] == "returned"
    made = await step(desk, made, "reply", LABOUR, result="done", reply="已补材料")
    assert "was-in-time" in (await step(desk, made, "accept_late", OFFICE, expect=409))["type"]
    made = await step(desk, made, "accept", OFFICE)
    assert made["outcome"] == "settled" and made["final"]
    told = await events(desk, "proceeding.stepped.v1")
    assert [one.step for one in told][-2:] == ["reply", "accept"] and told[0].to_agency == "labour"
    assert "核查" not in "".join(one.model_dump_json() for one in told)


async def test_an_order_that_nobody_answers_escalates_to_a_listed_supervision_with_an_end(desk: Desk) -> None:
    """D-N4, D-Q1.3: overdue is a fact and a state; the leaders list it, the period ends, and it is delisted or failed."""
    made = await opened(desk, "supervision", OFFICE, ORDER, "labour")
    made = await step(desk, made, "issue_office", OFFICE)
    assert await late(desk, 20 * DAY) == 1
    assert (await desk.get(f"/v1/proceedings/{made['proceeding_id']}", desk.bearer(**OFFICE))).json()["state"] == "overdue"
    [missed] = await events(desk, "deadline-missed.v1")
    assert missed.kind == "supervision" and missed.deadline.agency == "labour"
    assert (await step(desk, made, "list", OFFICE, expect=403, reason="x"))["approval"] == "supervision.list"
    done = await step(desk, made, "list", LEADER, reason="长期不办")
    assert done["outcome"] == "listed"
    shown = (await desk.get("/v1/proceedings", desk.bearer(**OFFICE), kind="listed_supervision")).json()["items"]
    [listed] = shown
    assert listed["parent_id"] == made["proceeding_id"] and listed["to_agency"] == "labour"
    listed = await step(desk, listed, "list", LEADER, goals="三个月内清零")
    await step(desk, listed, "progress", LABOUR, progress="已排查")
    assert await late(desk, 200 * DAY) == 1
    listed = (await desk.get(f"/v1/proceedings/{listed['proceeding_id']}", desk.bearer(**LABOUR))).json()
    assert listed["state"] == "expired"
    await step(desk, listed, "apply", LABOUR, summary="已整治")
    assert (await step(desk, listed, "delist", LEADER))["outcome"] == "delisted"


async def test_orders_of_three_levels_are_issued_and_judged_at_their_level(desk: Desk) -> None:
    """D-N4: the office issues its own; a leader the leaders' and what comes from the city, which names its source."""
    assert "whose-order" in (await opened(desk, "supervision", OFFICE, ORDER | {"level": "higher"}, "police", expect=409))["type"]
    city = ORDER | {"level": "higher", "from_agency": "city_office", "reference": "市督 8 号"}
    made = await opened(desk, "supervision", OFFICE, city, "police")
    assert "level" in (await step(desk, made, "issue_office", OFFICE, expect=409))["type"]
    made = await step(desk, made, "issue_leader", LEADER)
    made = await step(desk, made, "reply", POLICE, result="under_way", reply="正在侦办")
    assert "level" in (await step(desk, made, "accept", OFFICE, expect=409))["type"]
    assert (await step(desk, made, "accept", LEADER))["outcome"] == "settled"
    own = await opened(desk, "supervision", OFFICE, ORDER, "commerce", expect=409)
    assert "same-side" in own["type"] or "own-agency" in own["type"]


async def test_an_inspection_notice_is_rectified_and_checked(desk: Desk) -> None:
    """D-N4: findings, notice, rectification in time, check; without problems it is a pass."""
    values = {"inspected_on": clock.now().date().isoformat(), "way": "unannounced", "problems": 2, "findings": "台账不全"}
    made = await opened(desk, "inspection", OFFICE, values, "labour")
    assert "problems" in (await step(desk, made, "pass", OFFICE, expect=409))["type"]
    await step(desk, made, "notify", OFFICE)
    await step(desk, made, "rectify", LABOUR, rectified=1, reply="已补一项")
    made = await step(desk, made, "return", OFFICE, reason="仍缺一项")
    assert await late(desk, 40 * DAY) == 1
    await step(desk, made, "rectify", LABOUR, rectified=2, reply="已补全")
    made = await step(desk, made, "confirm", OFFICE)
    assert made["outcome"] == "rectified"
    clean = await opened(desk, "inspection", OFFICE, values | {"problems": 0}, "police")
    assert (await step(desk, clean, "pass", OFFICE))["outcome"] == "passed"


async def test_facts_that_make_a_case_major_start_the_clock_of_its_report(desk: Desk) -> None:
    """D-Q1.8, D-C2: the plan's bounds decide; the hours run from when it became known; a late report is its own miss."""
    [case_id] = await desk.open(lead())
    path, bearer = f"/v1/cases/{case_id}/major", desk.bearer(**POLICE)
    below = await post(desk, path, POLICE, {"persons": 119, "injured": 2, "known_at": ago(HOUR)})
    assert below.status_code == 201 and not below.json()["major"] and below.json()["report_id"] is None
    assert {one["fact"] for one in below.json()["bounds"] if one["assumed"]} >= {"persons", "deaths", "media"}
    known = clock.now() - HOUR
    async with db.begin(desk.service.engine) as conn:
        report = await major.note_facts(
            conn, desk.basis, case_id, {"persons": 120}, source="downline", known_at=known, now=clock.now()
        )
        again = await major.note_facts(
            conn, desk.basis, case_id, {"persons": 150, "deaths": 1}, source="downline", known_at=known, now=clock.now()
        )
    assert report is not None and again is None
    shown = (await desk.get(path, bearer)).json()
    assert shown["major"] and shown["because"] == ["persons", "deaths"] and shown["report_state"] == "due"
    one = (await desk.get(f"/v1/proceedings/{report}", bearer)).json()
    assert one["agency"] == "police" and one["clocks"][0]["start"].startswith(known.isoformat()[:16])
    assert one["clocks"][0]["rule"] == "plan.major_report" and one["clocks"][0]["certainty"] == "M"
    assert await late(desk, 2 * HOUR) == 1
    [missed] = await events(desk, "deadline-missed.v1")
    assert (missed.kind, missed.group, missed.deadline.rule) == ("major_report", "report", "plan.major_report")
    made = await step(
        desk, one, "report", POLICE, to=["city_office"], way="phone", reported_at=clock.now().isoformat(), summary="要点"
    )
    assert {c["kind"]: c["state"] for c in made["clocks"]} == {"report": "met_late", "receipt": "running"}
    made = await step(desk, made, "receipt", OFFICE, received_at=clock.now().isoformat(), receipt="市 12")
    assert made["outcome"] == "reported"


async def test_an_agency_may_hold_a_case_to_be_major_and_a_leader_that_it_is_not(desk: Desk) -> None:
    """D-Q1.8: declared by the officer; found not to be major by a leader; a further fact opens it again."""
    [case_id] = await desk.open(lead())
    path = f"/v1/cases/{case_id}/major"
    nothing = await post(desk, path, POLICE, {"known_at": ago(HOUR)})
    assert nothing.status_code == 422
    ahead = await post(desk, path, POLICE, {"declared": True, "known_at": (clock.now() + DAY).isoformat()})
    assert ahead.status_code == 422
    assert (await post(desk, path, LABOUR, {"declared": True, "known_at": ago(HOUR)})).status_code == 404
    shown = (await post(desk, path, POLICE, {"declared": True, "known_at": ago(HOUR / 2)})).json()
    assert shown["because"] == ["officer"]
    first = {"proceeding_id": shown["report_id"]}
    assert (await step(desk, first, "not_major", POLICE, expect=403, reason="x"))["approval"] == "supervision.list"
    assert (await step(desk, first, "not_major", LEADER, reason="一般案件"))["outcome"] == "not_major"
    same = (await post(desk, path, POLICE, {"persons": 12, "known_at": ago(HOUR / 2)})).json()
    assert same["report_id"] == shown["report_id"]
    more = (await post(desk, path, POLICE, {"deaths": 1, "known_at": ago(HOUR / 2)})).json()
    assert more["report_id"] != shown["report_id"] and more["because"] == ["deaths", "officer"]


INCIDENT = {
    "what": "confinement", "source": "self", "persons": 60, "confined": 4, "influence": "town", "account": "约六十人聚集",
}  # fmt: skip


async def test_an_incident_is_reported_first_continued_and_finally(desk: Desk) -> None:
    """D-M4, X-D5, D-Q1.2: facts, first report, continued reports, disposition, final report; its case becomes major."""
    [case_id] = await desk.open(lead())
    times = {"occurred_at": ago(HOUR), "known_at": ago(HOUR / 2)}
    wrong = await opened(desk, "incident", POLICE, INCIDENT | {"occurred_at": ago(HOUR), "known_at": ago(2 * HOUR)}, expect=409)
    assert "known-before" in wrong["type"]
    made = await opened(desk, "incident", POLICE, INCIDENT | times, case=case_id)
    assert made["clocks"][0]["rule"] == "plan.incident_first"
    shown = (await desk.get(f"/v1/cases/{case_id}/major", desk.bearer(**POLICE))).json()
    assert shown["because"] == ["confined"] and shown["notes"][0]["source"] == "incident"
    made = await step(desk, made, "first_report", POLICE, to=["city_office"], reported_at=clock.now().isoformat())
    made = await step(desk, made, "continued_report", POLICE, deaths=1, influence="serious", account="一人死亡")
    shown = (await desk.get(f"/v1/cases/{case_id}/major", desk.bearer(**POLICE))).json()
    assert shown["because"] == ["deaths", "confined", "media"]
    await step(desk, made, "settle", POLICE, disposition=["rescued", "police"], account="已解救")
    made = await step(
        desk, made, "final_report", OFFICE, to=["city_office"], reported_at=clock.now().isoformat(), lessons="巡查不到位"
    )
    assert made["outcome"] == "settled" and not [c for c in made["clocks"] if c["state"] == "running"]
    [told] = [one for one in await events(desk, "proceeding.opened.v1") if one.kind == "incident"]
    assert told.facts["source"] == "self" and told.facts["confined"] == 4 and "聚集" not in told.model_dump_json()


async def test_a_first_report_that_is_late_is_told(desk: Desk) -> None:
    """D-M4: an incident that stands alone; its first report is due in the plan's hour."""
    times = {"occurred_at": ago(3 * HOUR), "known_at": ago(2 * HOUR)}
    await opened(desk, "incident", JUSTICE, INCIDENT | times)
    assert await late(desk, timedelta(0)) == 1
    [missed] = await events(desk, "deadline-missed.v1")
    assert missed.kind == "incident" and missed.area == "dayong-antang" and missed.deadline.agency == "social_affairs"


@pytest.mark.parametrize(
    ("told", "finding", "refused"),
    [
        (None, "find_concealed", ("find_reported", "find_reported_late")),
        (timedelta(hours=30), "find_reported", ("find_concealed", "find_reported_late")),
        (timedelta(hours=2), "find_reported_late", ("find_reported",)),
    ],
)
async def test_what_was_known_elsewhere_is_found_concealed_only_where_the_area_was_silent(
    desk: Desk, told: timedelta | None, finding: str, refused: tuple[str, ...]
) -> None:
    """D-Q1.7: the finding tells what was concealed from what the area itself reported, before or after."""
    values = {
        "what": "incident", "source": "media", "occurred_at": ago(3 * DAY), "known_at": ago(DAY), "account": "媒体报道",
    }  # fmt: skip
    await opened(desk, "concealment", LABOUR, values, "police", expect=403)
    made = await opened(desk, "concealment", OFFICE, values, "police")
    given = {"reported_at": ago(told)} if told else {}
    await step(desk, made, "explain", POLICE, knew=True, explanation="情况说明", **given)
    for one in refused:
        await step(desk, made, one, LEADER, expect=409, reason="依据")
    assert (await step(desk, made, finding, POLICE, expect=403, reason="依据"))["approval"] == "supervision.list"
    done = await step(desk, made, finding, LEADER, reason="依据")
    assert done["final"]
    last = (await events(desk, "proceeding.stepped.v1"))[-1]
    assert last.outcome == {"find_concealed": "concealed", "find_reported": "self_reported", "find_reported_late": "reported_late"}[finding]
    opening = (await events(desk, "proceeding.opened.v1"))[-1]
    assert opening.facts["source"] == "media" and opening.to_agency == "police"


async def test_silence_about_what_was_not_reported_is_a_miss_and_can_be_judged(desk: Desk) -> None:
    """D-Q1.7: who does not explain in time is judged on what there is."""
    values = {"what": "major_case", "source": "higher", "occurred_at": ago(3 * DAY), "known_at": ago(DAY), "account": "市里通报"}
    made = await opened(desk, "concealment", OFFICE, values, "police")
    assert await late(desk, 10 * DAY) == 1
    assert (await step(desk, made, "find_concealed", LEADER, reason="未说明"))["outcome"] == "concealed"


async def test_a_case_made_by_a_higher_level_is_recorded_with_its_source(desk: Desk) -> None:
    """D-Q1.4, X-G1: with whether the area had a lead; made at the area's own request it is another thing."""
    values = {
        "made_by": "city_public_order", "made_on": clock.now().date().isoformat(), "source": "notice", "lead_known": True,
        "lead_verified": False, "persons": 22, "account": "市局直接查处",
    }  # fmt: skip
    made = await opened(desk, "higher_case", STAFF, values)
    assert (await step(desk, made, "confirm", OFFICE))["outcome"] == "made_by_higher"
    last = (await events(desk, "proceeding.stepped.v1"))[-1]
    opening = (await events(desk, "proceeding.opened.v1"))[-1]
    assert last.outcome == "made_by_higher" and opening.facts["lead_known"] is True and opening.area == "dayong-antang"
    other = await opened(desk, "higher_case", STAFF, values)
    assert (await step(desk, other, "asked_for", OFFICE, reference="大涌请〔2026〕3 号"))["outcome"] == "asked_for"
