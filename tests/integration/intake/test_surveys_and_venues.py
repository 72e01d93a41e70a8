"""Survey rounds, agents visited and venues checked, through the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.kit import clock
from shared.rules.calendar import local_day
from tests.integration.intake.conftest import Desk
from tests.integration.intake.test_patrols import check, make, patroller, tasks
from tests.integration.intake.test_registers import AREA, enter, office, unit


def round_(**more: Any) -> dict[str, Any]:
    today = local_day(clock.now())
    return {
        "plan": "dayong", "title": "出租屋摸底排查（第一轮）", "first": today.isoformat(),
        "due": (today + timedelta(days=20)).isoformat(), **more,
    }  # fmt: skip


async def opened(desk: Desk, **more: Any) -> str:
    answer = await desk.post("/v1/surveys", office(desk), round_(**more))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def shown(desk: Desk, round_id: str, who: dict[str, str] | None = None) -> dict[str, Any]:
    return (await desk.get(f"/v1/surveys/{round_id}", who or office(desk))).json()


def market(desk: Desk) -> dict[str, str]:
    return desk.bearer(agency="commerce", unit="market", posts=("desk",), principal_id="market")


async def venue(desk: Desk) -> str:
    answer = await desk.post("/v1/venues", market(desk), {"area": "安堂社区", "name": "安堂大酒店会议厅", "capacity": "300"})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_a_round_counts_units_of_estates_and_patrols_move_it(desk: Desk) -> None:
    """X-D1a, X-D9: 摸底排查 per community and estate; a patrolled unit is a surveyed one, once."""
    await enter(desk, unit("301"), unit("302"), {**unit("1203"), "estate": "金桥公寓"}, {**unit("88"), "estate": ""})
    made = await opened(desk, areas=["安堂社区"])
    told = await shown(desk, made)
    assert told["progress"] == {"target": 4, "reached": 0, "found": 0, "done": False, "percent": 0}
    assert {part["estate"]: part["target"] for part in told["areas"][0]["parts"]} == {"锦绣花园": 2, "金桥公寓": 1, "": 1}
    await make(desk)
    rows = {row["place"].split()[-1]: row for row in await tasks(desk)}
    await check(desk, rows["301"], "not_home")
    assert (await shown(desk, made))["progress"]["reached"] == 0, "nobody at home is nobody surveyed"
    await check(desk, rows["301"])
    await check(desk, rows["1203"], "suspicion", signs=["many_bedrolls"])
    progress = (await shown(desk, made))["progress"]
    assert (progress["reached"], progress["found"], progress["percent"]) == (2, 1, 50)
    events = [event for _, event in await desk.events("dachuan.survey.progress.v1")]
    assert [(event.area, event.reached, event.target) for event in events] == [(AREA, 0, 4), (AREA, 2, 4)], (
        "told when it begins and when an estate is done"
    )


async def test_a_team_reports_by_hand_and_the_round_is_closed(desk: Desk) -> None:
    """X-D1a: progress on one page, for communities whose flats are not in the register too."""
    await enter(desk, unit("301"))
    made = await opened(desk)
    told = await shown(desk, made)
    assert len(told["areas"]) == len(desk.service.plans["dayong"].communities)
    nanwen = next(area for area in told["areas"] if area["area"] == "dayong-nanwen")
    [part] = nanwen["parts"]
    worker = desk.bearer(agency="c-nanwen", posts=("community-worker",), areas=("dayong-nanwen",))
    path = f"/v1/surveys/parts/{part['id']}/reports"
    assert (await desk.post(path, worker, {"target": 40, "counted": 30}, version=1)).status_code == 204
    assert (await desk.post(path, worker, {"counted": 10}, version=1)).status_code == 412
    assert (await desk.post(path, worker, {"counted": 10, "found": 1}, version=2, key="round-report-1")).status_code == 204
    again = await desk.post(path, worker, {"counted": 10, "found": 1}, version=2, key="round-report-1")
    assert again.status_code == 204
    own = await shown(desk, made, worker)
    assert [area["area"] for area in own["areas"]] == ["dayong-nanwen"]
    assert own["progress"] == {"target": 40, "reached": 40, "found": 1, "done": True, "percent": 100}
    stranger = desk.bearer(agency="c-antang", posts=("community-worker",), areas=(AREA,))
    assert (await desk.post(path, stranger, {"counted": 1}, version=3)).status_code == 404
    assert (await desk.post(f"/v1/surveys/{made}/closure", worker, version=1)).status_code == 403
    assert (await desk.post(f"/v1/surveys/{made}/closure", office(desk), version=1)).status_code == 204
    closed = [event for _, event in await desk.events("dachuan.survey.closed.v1")]
    by_area = {event.area: event for event in closed}
    assert by_area["dayong-nanwen"].done and not by_area[AREA].done
    after = await desk.post(path, worker, {"counted": 1}, version=3)
    assert after.status_code == 409 and after.json()["type"].endswith("round-closed")


@pytest.mark.parametrize(
    "wrong", [{"due": "2020-01-01"}, {"first": "2026-02-30"}, {"areas": ["没有的社区"]}, {"title": ""}, {"first": "soon"}]
)
async def test_a_wrong_round_is_not_opened(desk: Desk, wrong: dict[str, Any]) -> None:
    answer = await desk.post("/v1/surveys", office(desk), round_(**wrong))
    assert answer.status_code == 422, answer.text
    assert (await desk.rows("SELECT count(*) AS n FROM survey_rounds"))[0].n == 0


async def test_the_offices_round_in_a_plan_without_tiers(desk: Desk) -> None:
    """X-D1a, X-D3: Xiyuan has no tiers; its communities are surveyed all the same."""
    office_ = desk.stack.bearer(plan="xiyuan", agency="office", posts=("office-staff",))
    affairs = desk.stack.bearer(plan="xiyuan", agency="social_affairs", posts=("desk",))
    assert (await desk.post("/v1/rentals", affairs, {"area": "光明社区", "room": "101"})).status_code == 201
    answer = await desk.post("/v1/surveys", office_, round_(plan="xiyuan"))
    assert answer.status_code == 201, answer.text
    assert (await shown(desk, answer.json()["id"], office_))["progress"]["target"] == 1
    assert (await desk.post("/v1/surveys", office_, round_(plan="dayong"))).status_code == 403


async def test_agents_are_visited_and_sign(desk: Desk) -> None:
    """D-A1: 中介 in the register, visited and signed for; who signed is sealed."""
    who = market(desk)
    made = (await desk.post("/v1/agents", who, {"area": "安堂社区", "name": "安居房产中介", "contact_phone": "13800138000"})).json()
    wrong = await desk.post("/v1/agents", who, {"area": "安堂社区", "name": "x", "licence": "123"})
    assert wrong.status_code == 422
    path = f"/v1/agents/{made['id']}/visits"
    body = {"materials": ["letter", "notice"], "signed": True, "signer": "王某某"}
    assert (await desk.post(path, who, body, key="visit-0001")).status_code == 201
    assert (await desk.post(path, who, body, key="visit-0001")).status_code == 201
    told = (await desk.get(f"/v1/agents/{made['id']}", who)).json()
    assert len(told["visits"]) == 1 and told["visits"][0]["signed"] and told["signed_at"]
    assert "王某某" not in str(told) and "王某某" not in str(await desk.rows("SELECT row_to_json(v)::text FROM agent_visits v"))
    [(_, event)] = await desk.events("dachuan.agent.visited.v1")
    assert event.signed and event.materials == ("letter", "notice") and event.agency == "commerce"
    [unit_id] = await enter(desk, unit(agent="安居房产中介"))
    rented = (await desk.get("/v1/rentals", office(desk), agent=made["id"])).json()["items"]
    assert [row["id"] for row in rented] == [unit_id]
    unknown = await desk.post("/v1/rentals", office(desk), unit("309", agent="没有的中介"))
    assert unknown.status_code == 422 and unknown.json()["errors"][0]["code"] == "unknown_agent"


async def book(desk: Desk, venue_id: str, start: datetime, hours: int = 3, **more: Any) -> httpx.Response:
    body = {
        "starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=hours)).isoformat(),
        "purpose": "产品说明会", "organiser": "某某健康管理公司", **more,
    }  # fmt: skip
    return await desk.post(f"/v1/venues/{venue_id}/bookings", market(desk), body)


async def test_venues_are_booked_once_and_their_organisers_recognised(desk: Desk) -> None:
    """D-A2: bookings; the same organiser is seen again, and only by those who manage venues."""
    made, start = await venue(desk), datetime(2026, 12, 1, 1, tzinfo=UTC)
    assert (await book(desk, made, start)).status_code == 201
    assert (await book(desk, made, start + timedelta(hours=2))).status_code == 409
    second = await book(desk, made, start + timedelta(hours=3))
    assert second.status_code == 201
    assert (await book(desk, made, start, hours=0)).status_code == 422
    told = (await desk.get(f"/v1/venues/{made}", market(desk))).json()
    assert [one["organiser_bookings"] for one in told["bookings"]] == [2, 2]
    assert told["bookings"][0]["organiser"] == "某某健康管理公司"
    station = desk.bearer(agency="police", unit="station", posts=("desk",))
    assert "某某健康" not in (await desk.get(f"/v1/venues/{made}", station)).text
    cancelled = await desk.post(f"/v1/bookings/{second.json()['id']}/cancellation", market(desk), version=1)
    assert cancelled.status_code == 204
    assert (await book(desk, made, start + timedelta(hours=4))).status_code == 201


async def test_a_finding_at_a_venue_opens_a_lead_and_is_a_fact_for_scoring(desk: Desk) -> None:
    """D-A2, D-Q1.5: 会议场地被用作传销宣传."""
    made = await venue(desk)
    booking = (await book(desk, made, clock.now())).json()["id"]
    path = f"/v1/venues/{made}/checks"
    assert (await desk.post(path, market(desk), {"result": "in_order"})).status_code == 201
    assert await desk.events("dachuan.venue.finding.v1") == []
    assert (await desk.post(path, market(desk), {"result": "finding"})).status_code == 422
    body = {"result": "finding", "signs": ["lectures", "recruiting_words"], "booking_id": booking}
    answer = await desk.post(path, market(desk), body, key="check-0001")
    assert answer.status_code == 201 and answer.json()["lead_id"], answer.text
    again = await desk.post(path, market(desk), body, key="check-0001")
    assert again.json()["id"] == answer.json()["id"]
    [(_, event)] = await desk.events("dachuan.venue.finding.v1")
    assert (event.area, event.agency, str(event.lead_id)) == (AREA, "commerce", answer.json()["lead_id"])
    [(_, lead)] = await desk.events("dachuan.lead.opened.v1")
    assert lead.agency == "police" and {party.agency for party in lead.parties} == {"police", "commerce"}
    told = (await desk.get(f"/v1/venues/{made}", market(desk))).json()
    assert told["findings"] == 1 and told["bookings"][0]["state"] == "checked"
    station = desk.bearer(agency="police", unit="station", posts=("desk",))
    assert (await desk.post(path, station, {"result": "in_order"})).status_code == 403


async def test_a_patroller_reads_only_own_surveys(desk: Desk) -> None:
    """X-D9"""
    await enter(desk, unit())
    made = await opened(desk, areas=["安堂社区"])
    assert (await desk.get(f"/v1/surveys/{made}", patroller(desk))).status_code == 200
    assert (await desk.get(f"/v1/surveys/{made}", patroller(desk, area="dayong-nanwen"))).status_code == 404
    assert (await desk.get("/v1/surveys", patroller(desk, area="dayong-nanwen"))).json()["items"] == []
