"""Places of cases over a real database: found, cleared, sealed, revisited, seen again; the network around them."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from services.casework import consumers
from services.casework.commands import revisits
from shared.events import Event
from shared.events.intake import PatrolOverdue, VenueFinding
from shared.kit import clock, db
from shared.kit.ids import new_id
from shared.rules.calendar import local_day
from tests.integration.casework.conftest import Desk, lead
from tests.integration.casework.people import (
    ago,
    den,
    den_step,
    found,
    fresh_key,
    identified,
    person,
    post,
    record,
    told,
)

AREA = "dayong-antang"


async def registered(desk: Desk, *, area: str = AREA, plan: str = "dayong", venue: bool = False) -> UUID:
    """A place of intake's registers, as an event of intake tells of it."""
    place, now = new_id(), clock.now()
    common = {"plan": plan, "area": area, "dataref": "https://intake.example/x"}
    data = (
        VenueFinding(**common, check_id=new_id(), venue_id=place, booking_id=None, lead_id=None, agency="commerce", signs=(), found_at=now)
        if venue
        else PatrolOverdue(**common, task_id=new_id(), unit_id=place, tier="key", cause="tier", agency="rental_mgmt", due=now.date(), missed=1, overdue_at=now)
    )  # fmt: skip
    event = Event(new_id(), data.TYPE, "/dachuan/intake", data.key, now, now, None, data)
    async with db.begin(desk.service.engine) as conn:
        await consumers.handlers(desk.basis)[data.TYPE](conn, [event, event], now)
    return place


async def test_a_den_is_found_with_time_place_and_force_and_intake_is_told__x_d7a__d_e2(desk: Desk) -> None:
    """X-D7a, D-E2: a registered rental becomes a den that intake hears of; no address leaves the service."""
    [case] = await desk.open(lead())
    rental = await registered(desk)
    made = await found(desk, case, den(registered_id=str(rental)))
    assert (made["state"], made["officers"], made["persons"], made["again"], made["area"]) == ("found", 6, 9, False, AREA)
    [fact] = await told(desk, "DenFound")
    assert fact.place_id == rental and fact.den_id == UUID(made["den_id"]) and fact.area == AREA
    [recorded] = await told(desk, "DenRecorded")
    assert recorded.registered_id == rental and recorded.officers == 6 and recorded.people == 9
    stored = str([tuple(row) for table in ("places", "dens", "outbox", "audit")
                  for row in await desk.rows(f"SELECT * FROM {table}")])  # fmt: skip
    assert "青岗花园" not in stored and "青岗花园".encode().hex() not in stored
    known = (await desk.get("/v1/registered-places", desk.bearer("police"), area=AREA)).json()["items"]
    assert [one["registered_id"] for one in known] == [str(rental)] and known[0]["page"].endswith(f"/rentals/{rental}")


async def test_an_id_that_no_register_has_is_refused(desk: Desk) -> None:
    [case] = await desk.open(lead())
    elsewhere = await registered(desk, plan="xiyuan", area="xiyuan-meihong")
    other_area = await registered(desk, area="dayong-nanwen")
    for body, code in (
        (den(registered_id=str(new_id())), "unknown-registered-place"),
        (den(registered_id=str(elsewhere)), "unknown-registered-place"),
        (den(registered_id=str(other_area), area=AREA), "other-area"),
        (den(area="nowhere"), "unknown-area"),
        (den(found_at="2004-01-01T00:00:00+08:00"), "before-the-law"),
    ):
        answer = await post(desk, f"/v1/cases/{case}/dens", desk.bearer("police"), body)
        assert answer.status_code == 422 and answer.json()["errors"][0]["code"] == code, answer.text
    assert await desk.rows("SELECT 1 FROM dens") == []


async def test_without_a_register_a_place_is_known_by_its_address(desk: Desk) -> None:
    """The same flat in other words is the same place; its register's id may come later."""
    one, two, three = await desk.open(lead(), lead(), lead())
    first = await found(desk, one, den("青岗花园12幢0301室"))
    second = await found(desk, two, den("青岗花园 12栋301"))
    assert first["place_id"] == second["place_id"] and not second["again"]
    assert await told(desk, "DenFound") == []
    rental = await registered(desk)
    third = await found(desk, three, den("青岗花园12栋301房", registered_id=str(rental)))
    assert third["place_id"] == first["place_id"] and len(await told(desk, "DenFound")) == 1
    twice = await post(desk, f"/v1/cases/{one}/dens", desk.bearer("police"), den("青岗花园12栋301"))
    assert twice.status_code == 409 and twice.json()["den_id"] == first["den_id"]


async def test_cleared_sealed_unsealed_and_not_otherwise__x_d8b(desk: Desk) -> None:
    """X-D7a, X-D8b: cleared with time and force, sealed and unsealed; a step that does not fit is refused."""
    [case] = await desk.open(lead())
    made = await found(desk, case)
    wrong = await post(desk, f"/v1/dens/{made['den_id']}/steps", desk.bearer("police"), {"step": "unseal", "at": clock.now().isoformat()}, version=1)
    assert wrong.status_code == 409 and wrong.json()["state"] == "found"
    early = {"step": "clear", "at": ago(hours=3).isoformat()}
    assert (await post(desk, f"/v1/dens/{made['den_id']}/steps", desk.bearer("police"), early, version=1)).status_code == 422
    made = await den_step(desk, made, "clear")
    made = await den_step(desk, made, "seal", who=desk.bearer("commerce"))
    assert made["state"] == "cleared_sealed"
    made = await den_step(desk, made, "unseal", who=desk.bearer("commerce"))
    assert [one["step"] for one in made["history"]] == ["found", "clear", "seal", "unseal"]
    [cleared] = await told(desk, "DenCleared")
    assert cleared.officers == 4 and cleared.agency == "police"
    assert [one.sealed for one in await told(desk, "DenSealed")] == [True, False]
    late = await post(desk, f"/v1/dens/{made['den_id']}/steps", desk.bearer("police"), {"step": "seal", "at": clock.now().isoformat()}, version=1)
    assert late.status_code == 412 and len(late.json()["changes"]) == 3


def community(desk: Desk, area: str = AREA, agency: str = "c-antang") -> dict[str, str]:
    return desk.bearer(agency, ("community-worker",), areas=(area,))


async def test_the_community_revisits_a_cleared_den_on_the_plans_days__x_d9(desk: Desk) -> None:
    """X-D9: 7, 30 and 90 days after; the community sees its own tasks alone, and no case or person."""
    [case] = await desk.open(lead())
    made = await den_step(desk, await found(desk, case), "clear")
    tasks = (await desk.get("/v1/revisits", community(desk))).json()["items"]
    today = local_day(clock.now())
    assert [one["due"] for one in tasks] == [(today + timedelta(days=days)).isoformat() for days in (7, 30, 90)]
    assert {one["agency"] for one in tasks} == {"c-antang"} and tasks[0]["address"] == "青岗花园12栋301"
    assert (await desk.get("/v1/revisits", community(desk, "dayong-nanwen", "c-nanwen"))).json()["items"] == []
    for path in (f"/v1/places/{made['place_id']}", "/v1/persons", f"/v1/cases/{case}"):
        assert (await desk.get(path, community(desk))).status_code == 403, path
    task, path = tasks[0], f"/v1/revisits/{tasks[0]['revisit_id']}/outcome"
    body = {"outcome": "quiet", "at": clock.now().isoformat()}
    stranger = await post(desk, path, community(desk, "dayong-nanwen", "c-nanwen"), body, version=1)
    assert stranger.status_code == 404
    done = await post(desk, path, community(desk), body, version=task["version"])
    assert done.status_code == 200, done.text
    [fact] = await told(desk, "DenRevisited")
    assert (fact.outcome, fact.in_time, fact.number, fact.agency) == ("quiet", True, 1, "c-antang")
    assert await told(desk, "PlaceSeenAgain") == []
    async with db.begin(desk.service.engine) as conn:
        assert await revisits.mark_revisits(conn, desk.basis, clock.now() + timedelta(days=31)) == 1
        assert await revisits.mark_revisits(conn, desk.basis, clock.now() + timedelta(days=31)) == 0
    [late] = await told(desk, "RevisitOverdue")
    assert late.number == 2
    tasks = (await desk.get("/v1/revisits", community(desk))).json()["items"]
    assert [(one["state"], one["late"]) for one in tasks] == [("overdue", True), ("open", False)]


async def test_people_back_at_a_revisit_is_told_at_once__x_g2(desk: Desk) -> None:
    """X-G2, X-D9: 死灰复燃 seen by the community: on the place, as an event, in the trend of its community."""
    [case] = await desk.open(lead())
    made = await den_step(desk, await found(desk, case), "clear", at=ago(hours=1))
    [task, *_] = (await desk.get("/v1/revisits", community(desk))).json()["items"]
    body = {"outcome": "people_back", "at": clock.now().isoformat()}
    assert (await post(desk, f"/v1/revisits/{task['revisit_id']}/outcome", community(desk), body, version=1)).status_code == 200
    [again] = await told(desk, "PlaceSeenAgain")
    assert (again.what, again.cause, again.area) == ("place", "revisit", AREA)
    place = (await desk.get(f"/v1/places/{made['place_id']}", desk.bearer("police"))).json()
    assert place["again"] == 1 and [one["cause"] for one in place["recurrences"]] == ["revisit"]


async def test_a_place_and_a_landlord_that_come_back_are_seen__x_g2(desk: Desk) -> None:
    """X-G2, point 4: the place found after it was cleared, the landlord's next den, the person: counted per community."""
    one, two, three = await desk.open(lead(), lead(), lead())
    first = await found(desk, one, den(found_at=ago(days=40).isoformat()))
    landlord = await record(desk, one, identified(7, role="landlord", place_id=first["place_id"], name="壬某"))
    await den_step(desk, first, "clear", at=ago(days=39))
    again = await found(desk, two, den("青岗花园12幢301"))
    assert again["again"] and again["place_id"] == first["place_id"]
    # the revisits of the first clearing are dropped: the place is in work again
    states = await desk.rows("SELECT DISTINCT state FROM revisits")
    assert [row.state for row in states] == ["dropped"]
    other = await found(desk, three, den("南文路8号501"))
    await record(desk, three, identified(7, role="landlord", place_id=other["place_id"], name="壬某"))
    events = {(one.what, one.cause): one for one in await told(desk, "PlaceSeenAgain")}
    assert set(events) == {("place", "case"), ("landlord", "case")}
    assert events["landlord", "case"].place_id == UUID(other["place_id"])
    place = (await desk.get(f"/v1/places/{first['place_id']}", desk.bearer("police"))).json()
    assert place["again"] == 1 and place["landlord"] == {"person_id": landlord["person_id"], "name": "壬某"}
    assert len(place["dens"]) == 2
    listed = (await desk.get("/v1/places", desk.bearer("police"), again=True)).json()["items"]
    assert [one["place_id"] for one in listed] == [first["place_id"]]
    trend = (await desk.get("/v1/recurrences", desk.bearer("commerce", ("office-director",)))).json()
    month = [one for one in trend if one["area"] == AREA and one["places"]]
    assert len(month) == 1 and (month[0]["places"], month[0]["landlords"], month[0]["persons"]) == (1, 1, 1)
    assert sum(one["dens"] for one in trend) == 3 and sum(one["cleared"] for one in trend) == 1
    assert (await desk.get("/v1/recurrences", desk.bearer(plan="xiyuan", agency="police"))).json() == []
    assert (await desk.get("/v1/recurrences", community(desk))).status_code == 403


async def test_a_landlord_named_on_the_place_is_seen_too(desk: Desk) -> None:
    one, two = await desk.open(lead(), lead())
    first = await found(desk, one, den(found_at=ago(days=40).isoformat()))
    await den_step(desk, first, "clear", at=ago(days=39))
    second = await found(desk, two, den("另一处3号101"))
    who = await record(desk, two, person(name="癸某", role="landlord", phones=["13600136000"]))
    me = desk.bearer("police")

    async def name(place: dict, version: int) -> int:
        answer = await desk.client.put(
            f"/v1/places/{place['place_id']}/landlord", json={"person_id": who["person_id"]},
            headers=me | fresh_key() | {"if-match": f'"{version}"'},
        )  # fmt: skip
        return answer.status_code

    assert await name(first, 1) == 412, "cleared since"
    assert await name(first, 2) == 200
    assert await told(desk, "PlaceSeenAgain") == []
    assert await name(second, 1) == 200
    [event] = await told(desk, "PlaceSeenAgain")
    assert (event.what, event.place_id) == ("landlord", UUID(second["place_id"]))


async def test_places_are_found_by_part_of_their_address_within_reach(desk: Desk) -> None:
    [case] = await desk.open(lead())
    await found(desk, case, den("青岗花园12栋301"))
    await found(desk, case, {**den("https://www.Quick-Money.test/"), "kind": "site"})
    me = desk.bearer("police")
    for words, number in (("青岗", 1), ("花园12栋", 1), ("quick-money", 1), ("园青", 0)):
        assert len((await post(desk, "/v1/places/search", me, {"words": words})).json()) == number, words
    stranger = desk.bearer(plan="xiyuan", agency="police")
    assert (await post(desk, "/v1/places/search", stranger, {"words": "青岗"})).json() == []
    assert (await desk.get("/v1/places", stranger)).json()["items"] == []


async def test_the_network_of_persons_places_phones_and_organisations(desk: Desk) -> None:
    """X-G2: two persons in two cases, bound by a phone, a place, a landlord and what was stated; as far as I may see."""
    one, two = await desk.open(lead(), lead())
    [far] = await desk.open(lead(plan="xiyuan", area=None))
    place = await found(desk, one)
    a = await record(desk, one, identified(1, name="甲某", role="organiser", phones=["13800138000"], place_id=place["place_id"]))
    b = await record(desk, two, identified(2, name="乙某", phones=["13800138000", "13911112222"]))
    c = await record(desk, one, identified(3, name="丙某", role="landlord", place_id=place["place_id"]))
    beyond = await record(desk, far, identified(4, name="丁某", phones=["13800138000"]), desk.bearer(plan="xiyuan", agency="police"))
    me = desk.bearer("police")
    link = {"kind": "recruited_by", "from_type": "person", "from_id": b["person_id"], "to_type": "person", "to_id": a["person_id"]}
    stated = await post(desk, f"/v1/cases/{two}/links", me, link)
    assert stated.status_code == 201, stated.text
    assert (await post(desk, f"/v1/cases/{two}/links", me, link)).status_code == 409
    assert (await post(desk, f"/v1/cases/{two}/links", me, link | {"to_id": b["person_id"]})).status_code == 422
    assert (await post(desk, f"/v1/cases/{two}/links", me, link | {"kind": "rents"})).status_code == 422
    member = {"kind": "member_of", "from_type": "person", "from_id": a["person_id"], "to_type": "organisation", "organisation": "某某商贸"}
    assert (await post(desk, f"/v1/cases/{one}/links", me, member)).status_code == 201

    async def net(depth: int, **start: str) -> tuple[set[str], set[tuple[str, bool]], dict]:
        answer = await desk.get("/v1/network", me, depth=depth, **start)
        assert answer.status_code == 200, answer.text
        whole = answer.json()
        return {node["label"] for node in whole["nodes"]}, {(e["kind"], e["stated"]) for e in whole["edges"]}, whole

    labels, kinds, _ = await net(1, person=b["person_id"])
    assert labels == {"乙某", "甲某"} and kinds == {("recruited_by", True)}, "a phone binds two, and is shown when it does"
    labels, kinds, whole = await net(3, person=b["person_id"])
    assert labels == {"乙某", "甲某", "丙某", "青岗花园12栋301", "…8000", "某某商贸"}
    assert kinds == {("recruited_by", True), ("phone", False), ("found_at", False), ("landlord", False), ("member_of", True)}
    assert beyond["person_id"] not in str(whole) and "13911112222" not in str(whole)
    labels, _, _ = await net(2, place=place["place_id"])
    assert {"甲某", "丙某", "某某商贸", "乙某"} <= labels
    assert (await desk.get("/v1/network", me, person=beyond["person_id"])).status_code == 404
    assert (await desk.get("/v1/network", me, person=b["person_id"], depth=4)).status_code == 422
    gone = await post(desk, f"/v1/links/{stated.json()['link_id']}/removal", me, None)
    assert gone.status_code == 200
    assert ("recruited_by", True) not in (await net(3, person=b["person_id"]))[1]
    assert c["person_id"]
