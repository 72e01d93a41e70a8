"""Acts in the other services become findings in scoring, over the real services and topics: never a posted event."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.e2e.people import AREA, People
from tests.instances import Stack
from tests.patience import until

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def ago(amount: timedelta) -> str:
    return (datetime.now(UTC) - amount).isoformat()


@pytest.fixture(scope="module")
def people(stack: Stack) -> People:
    return People(stack)


def test_a_missed_rescue_is_found_heard_confirmed_appealed_and_taken_back__d_q1_6(people: People) -> None:
    """D-Q1.6, D-Q1, D-M2: from the rescue that nobody made to the notice, the answer, the ledger, the appeal and its end."""
    rescue = people.opened("rescue", people.staff, {"asked_by": ["family"], "persons": 2, "where": "某小区出租屋"}, "police")
    people.step(rescue, "record_missed", people.director, cause="not_gone", harm="none", account="未出警")
    found = people.finding("missed_rescue", rescue["proceeding_id"])
    assert (found["agency"], found["scored_kind"], found["clause"]) == ("police", "town", "D-Q1.6")
    finding = found["finding_id"]

    def told(who: dict[str, str], template: str) -> Any:
        page = people.read("notify", "/v1/notices", who, limit=200) or {"items": []}
        return [one for one in page["items"] if one["template"] == template and one["matter_id"] == finding]

    until("the unit is told", lambda: told(people.police, "finding.proposed"))
    shown = people.read("scoring", f"/v1/findings/{finding}", people.police)
    assert {one["type"] for one in shown["facts"]} == {"dachuan.proceeding.opened.v1", "dachuan.proceeding.stepped.v1"}
    early = people.send("scoring", f"/v1/findings/{finding}/decision/confirm", people.director, {}, shown["version"], 409)
    assert early["type"].endswith("answer-awaited")
    after = people.send("scoring", f"/v1/findings/{finding}/answer", people.police, {"words": "警力不足"}, shown["version"])
    after = people.send("scoring", f"/v1/findings/{finding}/decision/confirm", people.director, {}, after["version"])

    def entries() -> list[Any]:
        page = people.read("scoring", "/v1/ledger", people.leader, limit=200, plan="dayong") or {"items": []}
        return [one for one in page["items"] if one.get("basis_id") == finding]

    booked = entries()
    assert booked and sum(float(one["points"]) for one in booked) < 0
    until("the unit is told of the decision", lambda: told(people.police, "finding.confirmed"))
    after = people.send("scoring", f"/v1/findings/{finding}/appeal", people.police, {"words": "接报时已解救"}, after["version"])
    same = people.send("scoring", f"/v1/findings/{finding}/appeal/overturn", people.director, {"words": "属实"}, after["version"], 403)
    assert same["type"].endswith("second-person")
    after = people.send("scoring", f"/v1/findings/{finding}/appeal/overturn", people.leader, {"words": "属实"}, after["version"])
    assert after["state"] == "overturned" and sum(float(one["points"]) for one in entries()) == 0
    until("the unit is told of the end", lambda: told(people.police, "finding.appeal-decided"))


def test_nobody_was_held_so_nothing_was_missed__d_q1_6(people: People) -> None:
    """D-Q1.6: a rescue where the place was empty is no finding."""
    rescue = people.opened("rescue", people.staff, {"asked_by": ["family"], "persons": 1, "where": "某小区"}, "police")
    people.step(rescue, "accept", people.police, officers=4)
    people.step(rescue, "arrive", people.police, arrived_at=ago(timedelta(0)))
    people.step(rescue, "nobody_there", people.police, reason="房内无人")
    other = people.opened("rescue", people.staff, {"asked_by": ["self"], "persons": 1, "where": "某小区"}, "police")
    people.step(other, "record_missed", people.director, cause="late", harm="none", account="迟到")
    people.finding("missed_rescue", other["proceeding_id"])
    people.no_finding("missed_rescue", rescue["proceeding_id"])


def test_confinement_with_grave_effect_and_how_it_became_known__d_q1_2(people: People) -> None:
    """D-Q1.2; point 10: found by media it is exposed; found by the area and reported in its hour it is told apart."""
    facts = {"what": "confinement", "persons": 12, "confined": 4, "influence": "serious", "account": "经过"}
    times = {"occurred_at": ago(HOUR), "known_at": ago(timedelta(minutes=5))}
    exposed = people.opened("incident", people.police, facts | times | {"source": "media"})
    own = people.opened("incident", people.police, facts | times | {"source": "self"})
    people.step(own, "first_report", people.police, to=["city_office"], reported_at=ago(timedelta(0)))
    assert people.finding("grave_incident", exposed["proceeding_id"])["origin"] == "exposed"
    people.finding("grave_incident", own["proceeding_id"])
    until(
        "reported by the area itself",
        lambda: people.finding("grave_incident", own["proceeding_id"])["origin"] == "self_reported",
    )


def test_a_case_made_by_a_higher_level__d_q1_4(people: People) -> None:
    """D-Q1.4: confirmed by another than who recorded it; what the area had asked for is none."""
    values = {
        "made_by": "city_public_order", "made_on": datetime.now(UTC).date().isoformat(), "source": "notice",
        "lead_known": True, "lead_verified": False, "persons": 22, "account": "市局直接查处",
    }  # fmt: skip
    asked = people.opened("higher_case", people.staff, values)
    people.step(asked, "asked_for", people.director, reference="大涌请〔2026〕3 号")
    made = people.opened("higher_case", people.staff, values)
    people.step(made, "confirm", people.director)
    found = people.finding("made_by_higher", made["proceeding_id"])
    assert found["origin"] == "exposed" and found["measure"]["lead_known"] == "yes"
    people.no_finding("made_by_higher", asked["proceeding_id"])


def test_a_major_case_not_reported_in_its_hours__d_q1_8(people: People) -> None:
    """D-Q1.8: known since three hours, and nobody has reported; reported after all, the area did it itself."""
    case = people.case(people.tip()["lead_id"])
    noted = people.send("casework", f"/v1/cases/{case}/major", people.police, {"declared": True, "known_at": ago(3 * HOUR)})
    report = noted["report_id"]
    found = people.finding("late_major_report", report)
    assert found["origin"] == "self_found" and found["case_id"] == case
    people.step(
        {"proceeding_id": report}, "report", people.police, to=["city_office"], way="phone",
        reported_at=ago(timedelta(0)), summary="要点",
    )  # fmt: skip
    until("reported after all", lambda: people.finding("late_major_report", report)["origin"] == "self_reported")


def test_what_was_concealed_and_what_was_reported_late_by_the_area_itself__d_q1_7(people: People) -> None:
    """D-Q1.7; point 10: silence is concealment; an own report, late, is told apart."""
    values = {"what": "incident", "source": "media", "occurred_at": ago(3 * DAY), "known_at": ago(DAY), "account": "媒体报道"}
    silent = people.opened("concealment", people.director, values, "police")
    people.step(silent, "explain", people.police, knew=True, explanation="情况说明")
    people.step(silent, "find_concealed", people.leader, reason="依据")
    own = people.opened("concealment", people.director, values, "police")
    people.step(own, "explain", people.police, knew=True, explanation="情况说明", reported_at=ago(2 * HOUR))
    people.step(own, "find_reported_late", people.leader, reason="依据")
    assert people.finding("concealment", silent["proceeding_id"])["origin"] == "exposed"
    assert people.finding("reported_late", own["proceeding_id"])["origin"] == "self_reported"
    people.no_finding("concealment", own["proceeding_id"])


def test_a_venue_that_was_used__d_q1_5(people: People) -> None:
    """D-Q1.5: a check of a meeting venue finds what it was used for."""
    market = people.stack.bearer(agency="commerce", posts=("head",), principal_id="market-head")
    name = f"安堂大酒店会议厅{uuid.uuid4().int % 10_000}"
    venue = people.send("intake", "/v1/venues", market, {"area": "安堂社区", "name": name, "capacity": "300"})
    check = people.send(
        "intake", f"/v1/venues/{venue['id']}/checks", market, {"result": "finding", "signs": ["lectures", "recruiting_words"]}
    )
    found = people.finding("venue_used", check["id"])
    assert (found["agency"], found["measure"]["signs"]) == ("commerce", 2)


def test_a_tip_that_was_bounced__point_1(people: People) -> None:
    """D-N4; beyond both plans, 1: refused twice; each who refused answers until the office has decided."""
    lead = people.tip()["lead_id"]
    for to, who in (("commerce", people.commerce), ("food_drug", people.food)):
        made = people.send("intake", f"/v1/leads/{lead}/handovers", people.police, {"to_agency": to, "reason": "not_our_duty"})
        people.send("intake", f"/v1/handovers/{made['handover_id']}/refuse", who, {"reason": "not_our_duty"}, 1)

    def named() -> set[str]:
        page = people.read("scoring", "/v1/findings", people.leader, condition="bounced", limit=200)
        return {one["agency"] for one in page["items"] if lead in one["matter"] and one["state"] == "proposed"}

    until("both answer for it", lambda: named() == {"commerce", "food_drug"})
    last = people.read("intake", f"/v1/handovers/{made['handover_id']}", people.director)
    people.send(
        "intake", f"/v1/handovers/{made['handover_id']}/decide", people.staff, {"agency": "commerce", "unit": "market"},
        last["version"],
    )  # fmt: skip
    until("only who had refused what was theirs", lambda: named() == {"commerce"})


def test_records_that_came_late__d_m7(people: People) -> None:
    """D-M7: a person recorded days after being found; one recorded at once is none."""
    case = people.case(people.tip()["lead_id"])
    person = {"name": "甲小明", "role": "participant", "found_at": ago(3 * DAY)}
    people.send("casework", f"/v1/cases/{case}/persons", people.police, person)
    found = people.finding("late_recording", case)
    assert found["case_id"] == case and found["measure"]["records"] >= 1
    prompt = people.case(people.tip()["lead_id"])
    people.send("casework", f"/v1/cases/{prompt}/persons", people.police, person | {"found_at": ago(HOUR)})
    people.no_finding("late_recording", prompt)


def test_a_complaint_that_was_right__d_q1_3(people: People) -> None:
    """D-Q1.3: closed as unfounded, contested, and the second look takes the matter up again."""
    sent = people.tip()
    case = people.case(sent["lead_id"])

    def shown() -> Any:
        return people.read("casework", f"/v1/cases/{case}", people.police)

    for who in (people.police, people.commerce):
        people.send("casework", f"/v1/cases/{case}/acceptance", who, {}, shown()["version"])
    lead = next(one["agency"] for one in shown()["parties"] if one["role"] == "lead")
    closer = people.police if lead == "police" else people.commerce
    people.send("casework", f"/v1/cases/{case}/closing", closer, {"outcome": "unfounded"}, shown()["version"])

    def read() -> Any:
        return httpx.post(f"{people.stack.url('intake')}/v1/receipts", json={"receipt": sent["receipt"]}, timeout=30).json()

    until("the end, by receipt", lambda: read().get("may_contest"))
    contest = httpx.post(
        f"{people.stack.url('intake')}/v1/receipts/contests", timeout=30,
        json={"receipt": sent["receipt"], "text": "他们还在上课"},
    ).json()  # fmt: skip
    people.send("intake", f"/v1/contests/{contest['id']}/decision", people.director, {"decision": "uphold", "text": "重新核查"}, 1)
    found = people.finding("upheld_complaint", contest["id"])
    assert found["clause"] == "D-Q1.3" and found["measure"]["outcome"] == "unfounded"


def test_media_made_it_known_and_what_the_area_had_found_itself__d_q1_3(people: People) -> None:
    """D-Q1.3; point 10: an exposure of an omission counts; of what the area had found and reported itself, it does not."""
    body = {
        "agency": "commerce", "area": AREA, "source": "media", "medium": "television", "level": "city", "outlet": "某电视台",
        "summary": "播出暗访", "grounds": ["complaint_unhandled"], "happened_at": ago(DAY),
    }  # fmt: skip
    one = people.send("notify", "/v1/exposures", people.director, body)
    own = people.send(
        "notify", "/v1/exposures", people.director,
        body | {"grounds": ["activity"], "found_before": True, "own_found_at": ago(5 * DAY)},
    )  # fmt: skip
    found = people.finding("exposure", one["exposure_id"])
    assert (found["origin"], found["agency"]) == ("exposed", "commerce")
    people.no_finding("exposure", own["exposure_id"])
    people.send(
        "notify", f"/v1/exposures/{one['exposure_id']}/withdraw", people.director, {"reason": "mistaken"}, one["version"]
    )
    until("a withdrawn exposure never was", lambda: people.finding("exposure", one["exposure_id"])["state"] == "lapsed")
