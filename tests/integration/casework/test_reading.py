"""Lists, single cases and journeys: who sees what, in which order, page by page."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from shared.events.common import PartyFact
from shared.kit import clock
from tests.integration.casework.conftest import DAY, POLICE_LEADS, Desk, lead

FOOD = (
    PartyFact(agency="food_drug", role="lead"),
    PartyFact(agency="commerce", unit="market", role="co"),
    PartyFact(agency="police", unit="economic_crime", role="co"),
)
CYBER = (
    PartyFact(agency="police", unit="cyber", role="lead"),
    PartyFact(agency="commerce", unit="market", role="co"),
)

CALLERS = {
    "office": {"agency": "commerce", "posts": ("office-director",), "unit": "office"},
    "leader": {"agency": "politics_law", "posts": ("leader",)},
    "police head": {"agency": "police", "posts": ("head",)},
    "food head": {"agency": "food_drug", "posts": ("head",)},
    "food desk": {"agency": "food_drug", "posts": ("desk",)},
    "cyber investigator": {"agency": "police", "posts": ("investigator",), "unit": "cyber"},
    "education head": {"agency": "education", "posts": ("head",)},
    "other plan": {"agency": "police", "posts": ("head",), "plan": "xiyuan"},
    "system": {"agency": "food_drug", "kind": "system", "scopes": ("case.read",), "posts": ()},
}


async def test_the_office_sees_all_members_see_theirs_in_lists_single_objects_and_traces_alike__d_o1(
    desk: Desk,
) -> None:
    """D-O1: the office and the leader see every case of the plan, a member those it is party to, a unit its own."""
    ids = await desk.open(
        lead(parties=POLICE_LEADS), lead(parties=FOOD), lead(parties=CYBER), lead(plan="xiyuan", area=None, parties=())
    )
    headcount, food, cyber, xiyuan = ids
    expected = {
        "office": {headcount, food, cyber},
        "leader": {headcount, food, cyber},
        "police head": {headcount, food, cyber},
        "food head": {food},
        "food desk": {food},
        "cyber investigator": {cyber},
        "education head": set(),
        "other plan": {xiyuan},
        "system": {food},
    }
    for name, caller in CALLERS.items():
        who = desk.stack.bearer(**caller)
        listed = {item["case_id"] for item in (await desk.get("/v1/cases", who)).json()["items"]}
        single = {str(i) for i in ids if (await desk.get(f"/v1/cases/{i}", who)).status_code == 200}
        assert listed == single == {str(i) for i in expected[name]}, name
        page = await desk.client.get("/cases?show=all", headers=who | {"accept": "text/html"})
        assert {str(i) for i in ids if str(i) in page.text} == listed, name
        traced = await desk.client.post("/v1/trace", headers=who, json={"ids": [str(i) for i in ids]})
        if traced.status_code == 200:
            assert {s["object_id"] for s in traced.json()["steps"]} == listed, name
        else:
            assert traced.status_code == 403, name


async def test_a_list_shows_number_stage_and_clocks_and_nothing_of_the_tip(desk: Desk) -> None:
    await desk.open(lead())
    [item] = (await desk.get("/v1/cases", desk.bearer("commerce", posts=("office-staff",), unit="office"))).json()[
        "items"
    ]
    assert set(item) == {
        "case_id", "number", "plan", "area", "kinds", "urgent", "state", "received_at", "opened_at", "version",
        "parties", "deadlines", "may_accept", "links",
    }  # fmt: skip
    assert set(item["parties"][0]) == {
        "agency", "name", "unit", "units", "role", "state", "part", "must_accept", "accepted_at",
    }  # fmt: skip


async def test_filters_narrow_the_list(desk: Desk) -> None:
    late = lead(area="dayong-nanwen", kinds=("entry_fee",), received_at=clock.now() - 60 * DAY)
    fresh, urgent = lead(kinds=("internet", "entry_fee")), lead(urgent=True, area=None)
    ids = dict(zip(("late", "fresh", "urgent"), await desk.open(late, fresh, urgent), strict=True))
    police = desk.bearer()
    await desk.accept(ids["fresh"], police)
    await desk.accept(ids["fresh"], desk.bearer("commerce"), version=2)

    async def found(**params: str) -> set[str]:
        answer = await desk.get("/v1/cases", police, **params)
        assert answer.status_code == 200, answer.text
        names = {str(v): k for k, v in ids.items()}
        return {names[item["case_id"]] for item in answer.json()["items"]}

    assert await found() == {"late", "fresh", "urgent"}
    assert await found(state="accepted") == {"fresh"}
    assert await found(area="dayong-nanwen") == {"late"}
    assert await found(kind="entry_fee") == {"late", "fresh"}
    assert await found(urgent="true") == {"urgent"}
    assert await found(late="true") == set()
    await desk.miss(clock.now())
    assert await found(late="true") == {"late"}
    assert await found(mine="true") == {"late", "urgent"}
    assert await found(mine="true", late="true") == {"late"}
    assert await found(kind="entry_fee", state="opened") == {"late"}
    assert (await desk.get("/v1/cases", police, state="nonsense")).status_code == 422
    assert (await desk.get("/v1/cases", police, cursor="nonsense")).status_code == 400


@pytest.mark.parametrize("mine", ["false", "true"])
async def test_pages_skip_nothing_and_show_nothing_twice_while_cases_come_in(desk: Desk, mine: str) -> None:
    now = clock.now()
    ids = await desk.open(*(lead(received_at=now - timedelta(minutes=i % 3)) for i in range(23)))
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": "5", "mine": mine} | ({"cursor": cursor} if cursor else {})
        page = (await desk.get("/v1/cases", desk.bearer(), **params)).json()
        seen += [item["case_id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
        if mine == "false":
            await desk.open(lead())
    assert sorted(seen) == sorted(map(str, ids)) and len(set(seen)) == 23


async def test_what_waits_for_me_comes_longest_overdue_first(desk: Desk) -> None:
    now = clock.now()
    hours = (2, 30, 50, 1)
    ids = await desk.open(*(lead(received_at=now - timedelta(hours=h)) for h in hours))
    items = (await desk.get("/v1/cases", desk.bearer(), mine="true")).json()["items"]
    by_due = sorted(zip(hours, ids, strict=True), reverse=True)
    assert [item["case_id"] for item in items] == [str(i) for _, i in by_due]
    assert [next(d["late"] for d in i["deadlines"] if d["agency"] == "police") for i in items] == [
        True, True, False, False,
    ]  # fmt: skip
    assert all(item["may_accept"] for item in items)


async def test_a_journey_is_found_by_lead_case_deadline_and_number(desk: Desk) -> None:
    given = lead(received_at=clock.now() - 2 * DAY)
    other = lead()
    case_id, _ = await desk.open(given, other)
    await desk.miss(clock.now())
    office = desk.bearer("commerce", posts=("office-staff",), unit="office")
    case = (await desk.get(f"/v1/cases/{case_id}", office)).json()
    await desk.accept(case_id, desk.bearer("police"), version=case["version"])
    deadline = next(d["deadline_id"] for d in case["deadlines"] if d["agency"] == "police")
    answers = []
    for sought in (str(given.lead_id), str(case_id), deadline, case["number"]):
        answer = await desk.client.post("/v1/trace", headers=office, json={"ids": [sought, "R-1234", str(uuid4())]})
        answers.append(answer.json())
    assert answers[0] == answers[1] == answers[2] == answers[3]
    steps = [s["step"] for s in answers[0]["steps"] if s["facts"].get("agency") in (None, "police")]
    assert steps == ["case.opened", "deadline.missed", "party.accepted"]
    assert {str(given.lead_id), str(case_id), deadline, case["number"]} <= set(answers[0]["related"])
    assert str(other.lead_id) not in answers[0]["related"]
    accepted = next(s for s in answers[0]["steps"] if s["step"] == "party.accepted")
    assert accepted["facts"]["in_time"] is False and "逾期" in accepted["title_zh"]


async def test_a_trace_needs_its_right_and_is_audited(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    desk_officer = desk.bearer("education", posts=("desk",))
    assert (await desk.client.post("/v1/trace", headers=desk_officer, json={"ids": ["x"]})).status_code == 403
    await desk.client.post("/v1/trace", headers=desk.bearer(), json={"ids": [str(case_id)]})
    assert (await desk.rows("SELECT object_ids FROM audit WHERE action = 'case.trace'"))[0][0] == [str(case_id)]
