"""Patrols through the API: tasks by tier, check-ins, the overdue list, suspicions, dens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.intake.commands.registers import patrols
from services.intake.consumers import handlers
from services.intake.domain.outcomes import closing_words
from services.intake.domain.registers.tiers import window
from shared.events import Event
from shared.events.casework import CaseClosed, DenFound
from shared.kit import clock, db
from shared.kit.ids import new_id
from shared.rules.calendar import local_day
from tests.integration.intake.conftest import Desk
from tests.integration.intake.test_registers import AREA, enter, office, unit

TIERS = {"301": "放心户", "302": "一般户", "303": "重点户"}


async def make(desk: Desk, now: datetime | None = None) -> int:
    async with db.begin(desk.service.engine) as conn:
        return await patrols.make_tasks(conn, desk.service.plans["dayong"], now or clock.now())


async def late(desk: Desk, now: datetime) -> int:
    async with db.begin(desk.service.engine) as conn:
        return await patrols.pass_due_days(conn, desk.service, desk.service.plans["dayong"], now)


def patroller(desk: Desk, area: str = AREA, name: str = "warden") -> dict[str, str]:
    return desk.bearer(agency="rental_mgmt", posts=("patroller",), areas=(area,), principal_id=name)


async def tasks(desk: Desk, **filters: Any) -> list[dict[str, Any]]:
    return (await desk.get("/v1/patrols/tasks", office(desk), **filters)).json()["items"]


async def check(
    desk: Desk, task: dict[str, Any], result: str = "in_order", who: dict[str, str] | None = None, key: str = "", **more: Any
) -> httpx.Response:
    path = f"/v1/patrols/tasks/{task['id']}/check-ins"
    return await desk.post(path, who or patroller(desk), {"result": result, **more}, key=key)


@pytest.fixture
async def units(desk: Desk) -> list[str]:
    """Three units, one of each tier, entered long enough ago for every window to have them."""
    made = await enter(desk, *(unit(room, tier=tier) for room, tier in TIERS.items()))
    await desk.rows("UPDATE rental_units SET due_from = '2020-01-01' RETURNING id")
    return made


async def test_each_tier_has_its_own_window_and_nothing_doubles(desk: Desk, units: list[str]) -> None:
    """D-E2: 放心户每两月、一般户每月、重点户每半月: the tasks are made from the plan's tiers, once."""
    assert await make(desk) == 3
    assert await make(desk) == 0
    today = local_day(clock.now())
    due = {row["place"].split()[-1]: row["due"] for row in await tasks(desk)}
    for tier in desk.service.plans["dayong"].patrol_tiers:
        room = next(room for room, name in TIERS.items() if name == tier.name.zh)
        assert due[room] == window(tier.every, today).last.isoformat()
    for row in await tasks(desk):
        assert (await check(desk, row)).status_code == 201
    assert await make(desk) == 0, "patrolled in this window"
    after_two_months = clock.now() + timedelta(days=62)
    assert await make(desk, after_two_months) == 3
    assert await make(desk, after_two_months) == 0


async def test_a_unit_of_the_last_day_is_due_in_the_next_window(desk: Desk) -> None:
    await enter(desk, unit(tier="重点户"))
    await desk.rows("UPDATE rental_units SET due_from = '2026-02-16' RETURNING id")
    assert await make(desk, datetime(2026, 2, 15, 4, tzinfo=UTC)) == 0
    assert await make(desk, datetime(2026, 2, 15, 16, 1, tzinfo=UTC)) == 1, "16 February in China"
    assert [row["due"] for row in await tasks(desk)] == ["2026-02-28"]


async def test_a_check_in_sent_twice_counts_once(desk: Desk, units: list[str]) -> None:
    """D-E2: 不重复: the same key is the same check-in, another key on a finished task is refused."""
    await make(desk)
    task = (await tasks(desk))[0]
    first = await check(desk, task, key="phone-0001-aaaa")
    again = await check(desk, task, key="phone-0001-aaaa")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"] and again.json()["replayed"]
    other = await check(desk, task, "not_home", key="phone-0001-aaaa")
    assert other.status_code == 409 and other.json()["type"].endswith("idempotency-key-reused")
    second = await check(desk, task)
    assert second.status_code == 409 and second.json()["type"].endswith("task-finished")
    assert (await desk.rows("SELECT count(*) AS n FROM check_ins"))[0].n == 1
    assert len(await desk.events("dachuan.patrol.completed.v1")) == 1


async def test_nobody_at_home_is_an_attempt_and_the_patrol_stays_owed(desk: Desk, units: list[str]) -> None:
    """D-E2"""
    await make(desk)
    task = (await tasks(desk))[0]
    for _ in range(2):
        assert (await check(desk, task, "not_home")).status_code == 201
    [still] = [row for row in await tasks(desk) if row["id"] == task["id"]]
    assert still["attempts"] == 2 and still["state"] == "open"
    assert await desk.events("dachuan.patrol.completed.v1") == []
    assert (await check(desk, task, "occupants_changed", occupants=9)).status_code == 201
    told = (await desk.get(f"/v1/rentals/{task['unit_id']}", office(desk))).json()
    assert told["occupants"] == 9 and len(told["check_ins"]) == 3
    [(_, event)] = await desk.events("dachuan.patrol.completed.v1")
    assert event.result == "occupants_changed" and event.in_time and event.missed == 0


async def test_a_check_in_of_hours_ago_counts_when_it_was_made(desk: Desk, units: list[str]) -> None:
    """D-E2: a weak connection makes nobody late; a clock that cannot be believed helps nobody."""
    start = clock.now() - timedelta(days=1)
    await desk.rows("SELECT 1")
    await make(desk, start)
    rows = await tasks(desk)
    await desk.rows("UPDATE patrol_tasks SET due = :day, next_miss = :day RETURNING id", day=local_day(start))
    assert await late(desk, clock.now()) == 3
    in_time = (await check(desk, rows[0], at=start.isoformat())).json()
    assert in_time["in_time"] and in_time["at"] != in_time["received_at"]
    told = (await check(desk, rows[1], at=(clock.now() - timedelta(days=9)).isoformat())).json()
    assert not told["in_time"] and told["at"] == told["received_at"]
    ahead = (await check(desk, rows[2], at=(clock.now() + timedelta(days=9)).isoformat())).json()
    assert not ahead["in_time"]


async def test_what_is_overdue_is_listed_and_told_once_for_each_window(desk: Desk, units: list[str]) -> None:
    """D-E2: the overdue list, and the fact for scoring: once a window, without doubling."""
    start = datetime(2026, 1, 3, 2, tzinfo=UTC)
    await make(desk, start)
    assert await late(desk, datetime(2026, 1, 15, 15, 59, tzinfo=UTC)) == 0
    half = datetime(2026, 1, 15, 16, 1, tzinfo=UTC)
    assert await late(desk, half) == 1 and await late(desk, half) == 0
    month = datetime(2026, 2, 1, 4, tzinfo=UTC)
    assert await late(desk, month) == 2, "the key unit again, the ordinary one for the first time"
    events = [event for _, event in await desk.events("dachuan.patrol.overdue.v1")]
    assert (events[0].tier, events[0].missed) == ("key", 1)
    assert {(event.tier, event.missed) for event in events[1:]} == {("key", 2), ("ordinary", 1)}
    assert all(event.agency == "rental_mgmt" and event.area == AREA for event in events)
    overdue = await tasks(desk, state="overdue")
    assert [row["due"] for row in overdue] == ["2026-01-15", "2026-01-31"]
    assert await make(desk, month) == 0, "one unfinished task a unit, however late"
    [route] = (await desk.get("/v1/patrols/routes", office(desk))).json()["routes"]
    assert (route["estate"], route["open"], route["overdue"]) == ("锦绣花园", 1, 2)
    assert (await check(desk, overdue[0])).status_code == 201
    [(_, done)] = await desk.events("dachuan.patrol.completed.v1")
    assert not done.in_time and done.missed == 2
    assert len(await tasks(desk, state="overdue")) == 1


async def test_a_suspicion_is_a_lead_at_the_police_at_once_and_its_finder_sees_it(desk: Desk, units: list[str]) -> None:
    """D-E2, D-E4: 发现涉嫌传销线索，及时报公安: same transaction, the patrol as its origin, feedback to the patroller."""
    await make(desk)
    task = (await tasks(desk))[0]
    who = patroller(desk)
    answer = await check(desk, task, "suspicion", who, signs=["many_bedrolls", "lectures"], note="晚上七点后人最多")
    assert answer.status_code == 201, answer.text
    [row] = await desk.rows("SELECT agency, unit, urgent, area, kinds FROM leads")
    assert (row.agency, row.unit, row.urgent, row.area) == ("police", "station", False, AREA)
    [(_, lead)] = await desk.events("dachuan.lead.opened.v1")
    assert lead.origin == "patrol" and lead.channel == "patrol"
    assert str(lead.lead_id) == answer.json()["lead_id"]
    assert lead.parties[0].agency == "police"
    [seen] = (await desk.get("/v1/patrols/findings", who)).json()["items"]
    assert (seen["lead_id"], seen["agency"], seen["unit"]) == (answer.json()["lead_id"], "police", "station")
    assert (await desk.get("/v1/patrols/findings", patroller(desk, name="another"))).json()["items"] == []
    [(_, done)] = await desk.events("dachuan.patrol.completed.v1")
    assert done.result == "suspicion" and done.lead_id == lead.lead_id
    assert "七点" not in str(await desk.rows("SELECT row_to_json(c)::text FROM check_ins c"))


async def test_a_patroller_reads_how_it_ended_in_plain_words(desk: Desk, units: list[str]) -> None:
    """D-E4, D-E2, point 5: what a patrol found is followed to its end, on the API and on the page, by its finder alone."""
    await make(desk)
    who = patroller(desk)
    brought = await check(desk, (await tasks(desk))[0], "suspicion", who, signs=["many_bedrolls", "lectures"])
    [before] = (await desk.get("/v1/patrols/findings", who)).json()["items"]
    assert before["outcome"] is None and before["words"]["zh"] and [step["code"] for step in before["steps"]] == [
        "received", "read", "with_agency",
    ]  # fmt: skip
    now = clock.now()
    data = CaseClosed(
        case_id=new_id(), plan="dayong", area=AREA, urgent=False, number="大涌传〔2026〕0003号",
        lead_id=UUID(brought.json()["lead_id"]), kinds=("gathering",), outcome="dispersed", agency="police", unit="station",
        closed_at=now, dataref="http://casework.example/v1/cases/1",
    )  # fmt: skip
    event = Event(
        id=new_id(), type=CaseClosed.TYPE, source="/dachuan/casework", key=data.key, time=now, recordedat=now,
        traceparent=None, data=data,
    )  # fmt: skip
    async with db.begin(desk.service.engine) as conn:
        await handlers(desk.service)[CaseClosed.TYPE](conn, [event], now)
    [ended] = (await desk.get("/v1/patrols/findings", who)).json()["items"]
    words = closing_words("dispersed", ("公安分局", "Public security branch"))
    assert (ended["outcome"], ended["words"]) == ("dispersed", {"zh": words[0], "en": words[1]})
    assert ended["words"] != before["words"] and ended["steps"][-1]["code"] == "closed"
    assert words[0] in (await desk.client.get("/patrol/findings", headers=who)).text
    assert words[0] not in (await desk.client.get("/patrol/findings", headers=patroller(desk, name="another"))).text


async def test_somebody_held_takes_the_fast_lane(desk: Desk, units: list[str]) -> None:
    """D-E2, D-B2: a cry for help on a patrol is minutes, not a task list."""
    await make(desk)
    await check(desk, (await tasks(desk))[0], "suspicion", signs=["locked_in"])
    [(row, lead)] = await desk.events("dachuan.lead.opened.v1")
    assert lead.urgent and row.lane == "urgent" and (lead.agency, lead.unit) == ("police", "criminal_investigation")


async def test_a_suspicion_is_never_turned_away_by_a_finished_task(desk: Desk, units: list[str]) -> None:
    """D-E2: somebody else was there first; what was seen still reaches the police."""
    await make(desk)
    task = (await tasks(desk))[0]
    await check(desk, task)
    late_one = await check(desk, task, "suspicion", patroller(desk, name="second"), signs=["other"])
    assert late_one.status_code == 201 and late_one.json()["lead_id"]
    assert len(await desk.events("dachuan.patrol.completed.v1")) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"result": "suspicion"},
        {"result": "suspicion", "signs": ["false_organiser"]},
        {"result": "in_order", "signs": ["made_up"]},
        {"result": "fine"},
        {"result": "in_order", "occupants": 501},
        {"result": "in_order", "at": "2026-11-23T10:00:00"},
        {"result": "in_order", "more": 1},
    ],
)
async def test_a_wrong_check_in_keeps_nothing(desk: Desk, units: list[str], body: dict[str, Any]) -> None:
    await make(desk)
    task = (await tasks(desk))[0]
    answer = await desk.post(f"/v1/patrols/tasks/{task['id']}/check-ins", patroller(desk), body)
    assert answer.status_code == 422, answer.text
    assert (await desk.rows("SELECT count(*) AS n FROM check_ins"))[0].n == 0
    assert (await desk.rows("SELECT count(*) AS n FROM idempotency WHERE object_id <> :x", x=UUID(int=0)))[0].n == 0


async def test_nobody_patrols_in_another_area(desk: Desk, units: list[str]) -> None:
    """D-M3: own area only; another's task is not even there."""
    await make(desk)
    task = (await tasks(desk))[0]
    stranger = patroller(desk, area="dayong-nanwen")
    assert (await check(desk, task, who=stranger)).status_code == 404
    assert (await desk.get("/v1/patrols/tasks", stranger)).json()["items"] == []
    assert (await desk.get("/v1/patrols/routes", stranger)).json()["routes"] == []
    assert (await check(desk, task, who=desk.bearer(agency="police", posts=("desk",)))).status_code == 403
    keyless = await desk.client.post(
        f"/v1/patrols/tasks/{task['id']}/check-ins", json={"result": "in_order"}, headers=patroller(desk)
    )
    assert keyless.status_code == 400


def den(unit_id: str, case_id: UUID | None = None, plan: str = "dayong") -> Event[DenFound]:
    """What casework tells when a den is found."""
    now = clock.now()
    data = DenFound(
        case_id=case_id or new_id(), plan=plan, area=AREA, urgent=False, den_id=new_id(), place_id=UUID(unit_id),
        found_at=now, dataref="http://casework.example/v1/cases/1",
    )  # fmt: skip
    return Event(
        id=new_id(), type=DenFound.TYPE, source="/dachuan/casework", key=data.key, time=now, recordedat=now,
        traceparent=None, data=data,
    )  # fmt: skip


async def found(desk: Desk, *events: Event[DenFound]) -> None:
    async with db.begin(desk.service.engine) as conn:
        await handlers(desk.service)[DenFound.TYPE](conn, list(events), clock.now())


async def test_a_den_makes_its_unit_the_strictest_tier_and_has_it_patrolled(desk: Desk, units: list[str]) -> None:
    """D-E2, X-D9: by the event from casework; told twice it is done once, and an import cannot undo it."""
    trusted, ordinary, _ = units
    event = den(trusted)
    await found(desk, event, den(str(new_id())), den(ordinary, plan="nowhere"))
    row = (await desk.get(f"/v1/rentals/{trusted}", office(desk))).json()
    assert row["tier"] == "key" and row["den_at"] and row["den_case"] == str(event.data.case_id)
    [(_, told)] = await desk.events("dachuan.rental.tier-changed.v1")
    assert (told.before, told.after, told.cause, told.case_id) == ("trusted", "key", "den", event.data.case_id)
    [task] = await tasks(desk, cause="den")
    tier = desk.service.plans["dayong"].patrol_tiers[-1]
    assert task["unit_id"] == trusted and task["tier"] == "key"
    assert task["due"] == window(tier.every, local_day(clock.now()) + timedelta(days=1)).last.isoformat()
    await found(desk, event)
    assert len(await desk.events("dachuan.rental.tier-changed.v1")) == 1
    assert len(await tasks(desk, cause="den")) == 1
    await enter(desk, unit("301", tier="放心户"))
    assert (await desk.get(f"/v1/rentals/{trusted}", office(desk))).json()["tier"] == "key"
    worker = desk.bearer(agency="c-antang", posts=("community-worker",), areas=(AREA,))
    version = row["version"]
    lower = worker | desk.key() | {"if-match": f'"{version}"'}
    refused = await desk.client.patch(f"/v1/rentals/{trusted}", json={"tier": "trusted"}, headers=lower)
    assert refused.status_code == 403, refused.text


async def test_a_den_in_a_unit_with_an_open_task_hurries_that_task(desk: Desk, units: list[str]) -> None:
    """D-E2: one task, due sooner; none doubled."""
    await make(desk)
    before = {row["unit_id"]: row for row in await tasks(desk)}
    await found(desk, den(units[0]))
    after = {row["unit_id"]: row for row in await tasks(desk)}
    assert len(after) == 3
    hurried = after[units[0]]
    assert hurried["id"] == before[units[0]]["id"] and hurried["cause"] == "den"
    assert hurried["due"] <= before[units[0]]["due"]


async def test_a_tier_changed_by_an_officer_moves_the_task_and_is_told(desk: Desk, units: list[str]) -> None:
    """D-E2"""
    await make(desk)
    who = office(desk)
    headers = who | desk.key() | {"if-match": '"1"'}
    assert (
        await desk.client.patch(f"/v1/rentals/{units[0]}", json={"tier": "重点户"}, headers=headers)
    ).status_code == 204
    [(_, told)] = await desk.events("dachuan.rental.tier-changed.v1")
    assert (told.before, told.after, told.cause) == ("trusted", "key", "officer")
    [task] = [row for row in await tasks(desk) if row["unit_id"] == units[0]]
    assert task["tier"] == "key"
    headers = who | desk.key() | {"if-match": '"1"'}
    await desk.client.patch(f"/v1/rentals/{units[1]}", json={"state": "ended"}, headers=headers)
    assert units[1] not in {row["unit_id"] for row in await tasks(desk)}, "nobody goes to a flat no longer let"
    assert await make(desk) == 0
