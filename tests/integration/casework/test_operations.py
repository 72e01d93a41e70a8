"""Joint operations through the API: need-to-know to the hour, emergency plan, roll-call, results from the scene, report."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.casework.commands.proceedings import release_due
from shared.kit import clock, db
from tests.integration.casework.conftest import Desk, lead

PLANNER = {"agency": "police", "unit": "public_order", "posts": ("investigator",), "principal_id": "planner"}
POLICE_HEAD = {"agency": "police", "unit": None, "posts": ("head",), "principal_id": "police-head"}
ECONOMIC = {"agency": "police", "unit": "economic_crime", "posts": ("investigator",), "principal_id": "ecid"}
COMMERCE = {"agency": "commerce", "unit": "enforcement", "posts": ("investigator",), "principal_id": "commerce-1"}
OFFICE = {"agency": "commerce", "unit": "office", "posts": ("office-director",), "principal_id": "office"}
LEADER = {"agency": "politics_law", "posts": ("leader",), "principal_id": "leader"}
DEPUTY = {"agency": "police", "posts": ("deputy-leader",), "principal_id": "deputy"}
COMMUNITY = {"agency": "c-antang", "posts": ("community-worker",), "principal_id": "antang", "areas": ("dayong-antang",)}
OUTSIDERS = (POLICE_HEAD, ECONOMIC, COMMERCE, OFFICE, LEADER, DEPUTY, COMMUNITY)
HOUR = timedelta(hours=1)


async def send(desk: Desk, method: str, path: str, who: dict[str, Any], body: Any = None, version: int | None = None, key: str = "") -> Any:
    desk.keys += 1
    headers = desk.bearer(**who) | {"idempotency-key": key or f"test-key-{desk.keys:05d}"}
    if version is not None:
        headers["if-match"] = f'"{version}"'
    return await desk.client.request(method, path, headers=headers, json=body)


def wanted(starts: datetime, meets: datetime | None = None) -> dict[str, Any]:
    values = {
        "aim": "raid", "starts_at": starts.isoformat(), "meets_at": (meets or starts - HOUR / 2).isoformat(),
        "plan": "分三组同时进入", "commander": "police",
    }  # fmt: skip
    return {"kind": "operation", "area": "dayong-antang", "values": values}


async def planned(desk: Desk, case_id: UUID | None = None, starts: datetime | None = None, meets: datetime | None = None) -> Any:
    path = f"/v1/cases/{case_id}/proceedings" if case_id else "/v1/proceedings"
    answer = await send(desk, "POST", path, PLANNER, wanted(starts or clock.now() + HOUR, meets))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def step(desk: Desk, made: Any, name: str, who: dict[str, Any], expect: int = 200, **values: Any) -> Any:
    path = f"/v1/proceedings/{made['proceeding_id']}"
    version = (await desk.get(path, desk.bearer(**PLANNER))).json()["version"]
    answer = await send(desk, "POST", f"{path}/steps/{name}", who, {"values": values}, version)
    assert answer.status_code == expect, answer.text
    return answer.json()


async def change(desk: Desk, made: Any, path: str, who: dict[str, Any], body: Any = None, expect: int = 201, **more: Any) -> Any:
    answer = await send(desk, "POST", f"/v1/operations/{made['proceeding_id']}/{path}", who, body, **more)
    assert answer.status_code == expect, answer.text
    return answer.json()


EMERGENCY = {"emergency": "如遇围堵，由预备队接应撤离", "medical": True, "reserve": 6}


async def approved(desk: Desk, case_id: UUID | None = None, **hours: Any) -> Any:
    """A planned operation with its forces, approved by the leader."""
    made = await planned(desk, case_id, **hours)
    await change(desk, made, "members", PLANNER, {"post": "leader"})
    await change(desk, made, "forces", PLANNER, {"agency": "police", "unit": "public_order", "people": 12, "vehicles": 3})
    await change(desk, made, "forces", PLANNER, {"agency": "commerce", "unit": "enforcement", "people": 6, "task": "查账封存"})
    await step(desk, made, "emergency_plan", PLANNER, **EMERGENCY)
    await step(desk, made, "submit", PLANNER)
    await step(desk, made, "approve", LEADER)
    return made


async def seen(desk: Desk, made: Any, case_id: UUID, who: dict[str, Any]) -> set[str]:
    """Every way in which a caller could learn of an operation, by the name of the way."""
    bearer, found = desk.bearer(**who), set()
    one, number = made["proceeding_id"], made["number"]
    answers: dict[str, Any] = {
        "proceedings": await desk.get("/v1/proceedings", bearer),
        "by kind": await desk.get("/v1/proceedings", bearer, kind="operation"),
        "by category": await desk.get("/v1/proceedings", bearer, category="operation"),
        "of the case": await desk.get("/v1/proceedings", bearer, case_id=str(case_id)),
        "waiting": await desk.get("/v1/proceedings", bearer, waiting="true"),
        "late": await desk.get("/v1/proceedings", bearer, late="true"),
        "direct id": await desk.get(f"/v1/proceedings/{one}", bearer),
        "operations": await desk.get("/v1/operations", bearer),
        "operation": await desk.get(f"/v1/operations/{one}", bearer),
        "entries": await desk.get(f"/v1/operations/{one}/entries", bearer),
        "case": await desk.get(f"/v1/cases/{case_id}", bearer),
        "cases": await desk.get("/v1/cases", bearer),
        "late cases": await desk.get("/v1/cases", bearer, late="true"),
        "documents": await desk.get(f"/v1/cases/{case_id}/documents", bearer),
        "evidence": await desk.get(f"/v1/cases/{case_id}/evidence", bearer),
        "case page": await desk.get(f"/cases/{case_id}", bearer),
        "cases page": await desk.get("/cases", bearer),
        "proceedings page": await desk.get("/proceedings", bearer),
        "proceeding page": await desk.get(f"/proceedings/{one}", bearer),
        "operations page": await desk.get("/operations", bearer),
        "operation page": await desk.get(f"/operations/{one}", bearer),
    }
    for id in (one, number, str(case_id)):
        answers[f"trace {id}"] = await desk.client.post("/v1/trace", headers=bearer, json={"ids": [id]})
    for way, answer in answers.items():
        assert answer.status_code < 500, (way, answer.text)
        text = answer.text if answer.status_code == 200 else ""
        if one in text or number in text:
            found.add(way)
    return found


async def test_before_its_hour_only_those_named_know_that_an_operation_exists(desk: Desk) -> None:
    """X-D1b, X-D7a: lists, counts, direct ids, case pages, traces and events tell nobody else; after the hour they do."""
    [case_id] = await desk.open(lead())
    made = await planned(desk, case_id)
    assert "operations" in await seen(desk, made, case_id, PLANNER)
    for who in OUTSIDERS:
        assert await seen(desk, made, case_id, who) == set(), who
    step_of_another = await send(desk, "POST", f"/v1/proceedings/{made['proceeding_id']}/steps/submit", ECONOMIC, {"values": {}}, 1)
    assert step_of_another.status_code == 404
    under_it = {"kind": "operation", "parent_id": made["proceeding_id"], "values": wanted(clock.now() + HOUR)["values"]}
    assert (await send(desk, "POST", f"/v1/cases/{case_id}/proceedings", ECONOMIC, under_it)).status_code == 404
    assert (await send(desk, "POST", f"/v1/cases/{case_id}/proceedings", PLANNER, under_it)).status_code == 409
    assert not [row for row, _ in await desk.events() if row.type.startswith("dachuan.proceeding")]

    await change(desk, made, "members", PLANNER, {"post": "leader"})
    await change(desk, made, "forces", PLANNER, {"agency": "commerce", "unit": "enforcement", "people": 6})
    await change(desk, made, "forces", PLANNER, {"agency": "c-antang", "people": 2})
    assert {"operations", "operation", "proceedings"} <= await seen(desk, made, case_id, LEADER)
    assert {"operations", "operation"} <= await seen(desk, made, case_id, COMMERCE)
    assert {"operations", "operation"} <= await seen(desk, made, case_id, COMMUNITY)
    for who in (POLICE_HEAD, ECONOMIC, OFFICE, DEPUTY):
        assert await seen(desk, made, case_id, who) == set(), who
    await step(desk, made, "emergency_plan", PLANNER, **EMERGENCY)
    await step(desk, made, "submit", PLANNER)
    await step(desk, made, "approve", LEADER)
    for who in (POLICE_HEAD, ECONOMIC, OFFICE, DEPUTY):
        assert await seen(desk, made, case_id, who) == set(), who
    assert not [row for row, _ in await desk.events() if row.type.startswith("dachuan.proceeding")]
    async with db.begin(desk.service.engine) as conn:
        assert await release_due(conn, clock.now()) == 0

    await desk.rows("UPDATE operations SET known_from = now() - interval '1 second' RETURNING proceeding_id")
    for expected in (1, 0):
        async with db.begin(desk.service.engine) as conn:
            assert await release_due(conn, clock.now()) == expected
    told = [data for _, data in await desk.events() if data.TYPE.startswith("dachuan.proceeding")]
    assert [getattr(one, "step", "open") for one in told] == ["open", "emergency_plan", "submit", "approve"]
    assert "分三组" not in "".join(one.model_dump_json() for one in told)
    assert {"operations", "proceedings", "direct id"} <= await seen(desk, made, case_id, OFFICE)
    assert {"operation", "proceedings"} <= await seen(desk, made, case_id, ECONOMIC)


async def test_an_operation_without_case_before_its_hour_is_nobodys_but_those_named(desk: Desk) -> None:
    """X-D1b: an operation dropped before its hour is never told of."""
    [case_id] = await desk.open(lead())
    made = await planned(desk)
    for who in OUTSIDERS:
        assert await seen(desk, made, case_id, who) == set(), who
    await step(desk, made, "cancel", PLANNER, reason="消息走漏")
    for who in OUTSIDERS:
        assert await seen(desk, made, case_id, who) == set(), who
    async with db.begin(desk.service.engine) as conn:
        assert await release_due(conn, clock.now() + timedelta(days=400)) == 0


async def test_nothing_starts_without_an_emergency_plan_and_a_second_person(desk: Desk) -> None:
    """X-D7a, X-O1: approval asks for the emergency plan, a post that may start operations, and another person."""
    made = await planned(desk)
    for one in ({"post": "leader"}, {"agency": "police", "principal": "police-head"}, {"principal": "deputy"}):
        await change(desk, made, "members", PLANNER, one)
    await step(desk, made, "submit", PLANNER)
    refused = await step(desk, made, "approve", LEADER, expect=409)
    assert refused["code"] == "no-emergency-plan" if "code" in refused else "no-emergency-plan" in refused["type"]
    await step(desk, made, "emergency_plan", POLICE_HEAD, **EMERGENCY)
    no_post = await step(desk, made, "approve", POLICE_HEAD, expect=403)
    assert no_post["approval"] == "operation.start"
    also_planner = dict(PLANNER, posts=("leader", "investigator"))
    own = await step(desk, made, "approve", also_planner, expect=409)
    assert "four-eyes" in own["type"]
    after = await step(desk, made, "approve", DEPUTY)
    assert after["state"] == "approved"
    wrong = wanted(clock.now() - HOUR)
    assert (await send(desk, "POST", "/v1/proceedings", PLANNER, wrong)).status_code == 409


async def test_the_roll_call_says_who_is_missing(desk: Desk) -> None:
    """X-D1b, X-D6: each unit answers on its phone around the meeting time; who did not come is named in numbers."""
    made = await approved(desk, starts=clock.now() + 4 * HOUR, meets=clock.now() + 3 * HOUR)
    shown = (await desk.get(f"/v1/operations/{made['proceeding_id']}", desk.bearer(**COMMERCE))).json()
    assert (shown["people"], shown["present"], shown["missing"]) == (18, 0, 18) and shown["secret"]
    police, commerce = shown["forces"]
    assert commerce["task"] == "查账封存" and commerce["mine"] and not police["mine"]
    early = await change(desk, made, "presence", COMMERCE, {"force_id": commerce["force_id"], "people": 5}, expect=409)
    assert "too-early" in early["type"]
    await step(
        desk, made, "postpone", LEADER, reason="提前集合",
        starts_at=(clock.now() + HOUR).isoformat(), meets_at=(clock.now() + HOUR / 2).isoformat(),
    )  # fmt: skip
    not_theirs = await change(desk, made, "presence", COMMERCE, {"force_id": police["force_id"], "people": 12}, expect=403)
    assert "not-your-force" in not_theirs["type"]
    for people in (4, 5):
        shown = await change(desk, made, "presence", COMMERCE, {"force_id": commerce["force_id"], "people": people}, expect=200)
    assert (shown["present"], shown["missing"]) == (5, 13)
    second = dict(PLANNER, principal_id="second")
    await change(desk, made, "presence", PLANNER, {"force_id": police["force_id"], "people": 7}, expect=200)
    shown = await change(desk, made, "presence", second, {"force_id": police["force_id"], "people": 4}, expect=200)
    assert [(one["present"], one["missing"], one["answered"]) for one in shown["forces"]] == [(11, 1, True), (5, 1, True)]


async def test_results_from_the_scene_add_up_and_each_sum_opens_to_its_entries(desk: Desk) -> None:
    """X-D7a, D-A4, D-B4, X-G1, X-D1d: a den needs place, time and force; figures are sums; the report has its receipt."""
    [case_id] = await desk.open(lead())
    made = await approved(desk, case_id)
    path = f"/v1/operations/{made['proceeding_id']}"
    police, _ = (await desk.get(path, desk.bearer(**PLANNER))).json()["forces"]
    den = {"kind": "den", "at": clock.now().isoformat(), "place": "安堂某楼 301", "force_id": police["force_id"]}
    too_soon = await change(desk, made, "entries", PLANNER, den, expect=409)
    assert "not-on-the-scene" in too_soon["type"]
    await step(desk, made, "start", PLANNER)
    den["at"] = clock.now().isoformat()
    no_force = await change(desk, made, "entries", PLANNER, den | {"force_id": None}, expect=409)
    assert "den-needs-force-and-place" in no_force["type"]
    no_place = await change(desk, made, "entries", PLANNER, den | {"place": None}, expect=409)
    assert "den-needs-force-and-place" in no_place["type"]
    for _ in range(2):  # the phone sends again
        await change(desk, made, "entries", PLANNER, den, key="offline-entry-0001")
    at = clock.now().isoformat()
    await change(desk, made, "entries", PLANNER, {"kind": "place", "at": at, "area": "dayong-antang"})
    persons = {"kind": "persons", "at": at, "counts": {"organiser": 1, "participant": 9, "minors": 2}}
    await change(desk, made, "entries", PLANNER, persons)
    more = await change(desk, made, "entries", COMMERCE, {"kind": "persons", "at": at, "counts": {"deceived": 3}})
    await change(desk, made, "entries", COMMERCE, {"kind": "items", "at": at, "counts": {"phones": 12, "cash_yuan": 3500}})
    wrong = await change(desk, made, "entries", COMMERCE, persons | {"counts": {"organiser": 1, "minors": 2}}, expect=409)
    assert "more-than-found" in wrong["type"]
    outside = await change(desk, made, "entries", OFFICE, persons, expect=404)
    assert "operation-not-found" in outside["type"]
    figures = (await desk.get(path, desk.bearer(**PLANNER))).json()["figures"]
    assert {name: n for name, n in figures.items() if n} == {
        "places": 1, "dens": 1, "persons": 13, "organiser": 1, "participant": 9, "deceived": 3, "minors": 2, "phones": 12,
        "cash_yuan": 3500,
    }  # fmt: skip
    behind = (await desk.get(f"{path}/entries", desk.bearer(**PLANNER), figure="persons")).json()["items"]
    assert sorted(sum(v for k, v in one["counts"].items() if k != "minors") for one in behind) == [3, 10]
    assert (await desk.get(f"{path}/entries", desk.bearer(**PLANNER), figure="nothing")).status_code == 400
    mistaken = next(one["entry_id"] for one in more["entries"] if one["counts"] == {"deceived": 3})
    assert (await send(desk, "POST", f"{path}/entries/{mistaken}/withdrawal", COMMERCE)).json()["figures"]["persons"] == 10

    ended = await step(desk, made, "end", PLANNER)
    assert [(one["rule"], one["state"]) for one in ended["clocks"]] == [("plan.operation_report", "running")]
    reported = await step(
        desk, made, "report", PLANNER, to="city_command", also_to=["city_public_order"],
        reported_at=clock.now().isoformat(), reference="值班 26-118",
    )  # fmt: skip
    assert reported["clocks"][0]["state"] == "met" and reported["facts"]["also_to"] == ["city_public_order"]
    late = await change(desk, made, "entries", PLANNER, persons, expect=409)
    assert "not-on-the-scene" in late["type"]
    done = await step(desk, made, "receipt", PLANNER, received_at=clock.now().isoformat(), receipt="指 0091")
    assert done["outcome"] == "done"
    told = [data for _, data in await desk.events() if data.TYPE.endswith("operation-result.v1")]
    assert [one.state for one in told] == ["ended", "reported"]
    assert told[1].figures["dens"] == 1 and told[1].figures["persons"] == 10
    assert told[1].agencies == ("commerce", "police") and told[1].officers == 18
    assert "安堂" not in told[1].model_dump_json()


async def test_a_report_that_is_late_is_a_miss_of_its_own(desk: Desk) -> None:
    """D-B4: the city command hears of the operation within the plan's hours, or the miss is a fact."""
    from services.casework.commands.proceedings import mark_proceedings_missed

    made = await approved(desk)
    await step(desk, made, "start", PLANNER)
    await step(desk, made, "end", PLANNER)
    async with db.begin(desk.service.engine) as conn:
        assert await mark_proceedings_missed(conn, desk.basis, clock.now() + 30 * HOUR) == 1
    [missed] = [data for _, data in await desk.events() if data.TYPE.endswith("deadline-missed.v1")]
    assert missed.kind == "operation" and missed.deadline.rule == "plan.operation_report"


async def test_only_the_planning_agency_arranges_forces_and_names(desk: Desk) -> None:
    """X-D1b: two officers changing one force: the second is told what changed."""
    made = await planned(desk)
    shown = await change(desk, made, "forces", PLANNER, {"agency": "commerce", "unit": "enforcement", "people": 6})
    [force] = shown["forces"]
    await change(desk, made, "members", COMMERCE, {"post": "head"}, expect=403)
    for wrong in ({}, {"agency": "nobody"}, {"agency": "police", "unit": "nothing"}, {"post": "nothing"}):
        await change(desk, made, "members", PLANNER, wrong, expect=422)
    path = f"/v1/operations/{made['proceeding_id']}/forces/{force['force_id']}"
    body = {"agency": "commerce", "unit": "enforcement", "people": 8, "meeting_point": "镇政府后院"}
    assert (await send(desk, "PUT", path, PLANNER, body)).status_code == 428
    changed = await send(desk, "PUT", path, PLANNER, body, 1)
    assert changed.json()["forces"][0]["people"] == 8 and changed.json()["forces"][0]["meeting_point"] == "镇政府后院"
    assert (await send(desk, "PUT", path, PLANNER, body, 1)).status_code == 412
    assert (await send(desk, "DELETE", path, PLANNER, version=2)).json()["forces"] == []
    lines = {one["agency"]: one["member_id"] for one in changed.json()["members"]}
    members = f"/v1/operations/{made['proceeding_id']}/members"
    assert (await send(desk, "DELETE", f"{members}/{lines['police']}", PLANNER)).status_code == 409
    assert (await send(desk, "DELETE", f"{members}/{lines['commerce']}", PLANNER)).status_code == 200
    assert (await desk.get(f"/v1/operations/{made['proceeding_id']}", desk.bearer(**COMMERCE))).status_code == 404


