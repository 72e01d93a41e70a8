"""Leads become joint cases: batches, repeats, parties, clocks, numbers."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from services.casework.commands import UnknownPlan, open_cases
from services.casework.domain.parties import UnknownParty
from services.casework.tables import number_register
from shared.events.common import PartyFact
from shared.kit import audit, clock, db
from shared.kit.access import service_caller
from shared.rules.calendar import WorkingCalendar, end_of_day, local_day
from tests.integration.casework.conftest import Desk, lead
from tests.sealing import until_sealed


async def test_a_lead_opens_a_joint_case_with_police_and_commerce_and_a_clock_for_each__d_n3(desk: Desk) -> None:
    """D-N3 (部门联动), D-F: police and commerce are parties and have their clocks, though the routing named food and drug only."""
    received = clock.now() - timedelta(hours=3)
    given = lead(parties=(PartyFact(agency="food_drug", role="lead"),), received_at=received)
    [case_id] = await desk.open(given)
    case = (await desk.get(f"/v1/cases/{case_id}", desk.bearer("police"))).json()
    assert [(p["agency"], p["role"], p["state"]) for p in case["parties"]] == [
        ("food_drug", "lead", "pending"),
        ("commerce", "co", "pending"),
        ("police", "co", "pending"),
    ]
    clocks = {d["agency"]: d for d in case["deadlines"]}
    assert set(clocks) == {"food_drug", "commerce", "police"}
    assert {d["start"] for d in clocks.values()} == {received.isoformat()}
    assert clocks["police"]["rule"] == "plan.police_acceptance"
    assert clocks["police"]["due"] == (received + timedelta(hours=24)).isoformat()
    assert clocks["commerce"]["rule"] == "complaint.accept"
    assert clocks["commerce"]["article"] and clocks["commerce"]["certainty"] in "TSM"
    limit = desk.basis.plans["dayong"].limit("complaint.accept", local_day(received), desk.basis.law)
    due = end_of_day(desk.basis.calendar.add_working_days(local_day(received), int(limit.value or 0)).day)
    assert clocks["commerce"]["due"] == due.astimezone(received.tzinfo).isoformat()
    published = (await desk.events())[0][1]
    assert published.received_at == received and len(published.deadlines) == 3


async def test_units_of_one_agency_are_one_party_and_are_all_told(desk: Desk) -> None:
    given = lead(
        kinds=("confinement",),
        urgent=True,
        parties=(
            PartyFact(agency="police", unit="command_centre", role="coordinator"),
            PartyFact(agency="police", unit="criminal_investigation", role="lead"),
            PartyFact(agency="commerce", unit="enforcement", role="co"),
        ),
    )
    [case_id] = await desk.open(given)
    rows = await desk.rows("SELECT agency, unit, units, role FROM case_parties ORDER BY agency")
    assert [tuple(r) for r in rows] == [
        ("commerce", "enforcement", ["enforcement"], "co"),
        ("police", "criminal_investigation", ["command_centre", "criminal_investigation"], "lead"),
    ]
    row, told = (await desk.events())[0]
    assert told.parties == given.parties
    assert {d.agency: d.rule for d in told.deadlines} == {
        "police": "plan.confinement_sign",
        "commerce": "plan.urgent_sign",
    }
    assert (row.topic, row.lane, row.key) == ("casework.urgent.v1", "urgent", str(case_id))


async def test_a_coordinator_has_no_clock_and_nothing_to_accept(desk: Desk) -> None:
    parties = (
        PartyFact(agency="politics_law", role="coordinator"),
        PartyFact(agency="police", unit="command_centre", role="lead"),
        PartyFact(agency="commerce", unit="office", role="co"),
    )
    [case_id] = await desk.open(lead(parties=parties))
    case = (await desk.get(f"/v1/cases/{case_id}", desk.bearer("politics_law"))).json()
    assert {d["agency"] for d in case["deadlines"]} == {"police", "commerce"}
    assert not case["may_accept"]
    refused = await desk.accept(case_id, desk.bearer("politics_law"))
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:dachuan:problem:nothing-to-accept")


async def test_a_batch_with_duplicates_and_the_batch_again_open_each_lead_once(desk: Desk) -> None:
    first, second, third = lead(), lead(urgent=True), lead(area=None)
    assert len(await desk.open(first, second, first, third, second)) == 3
    assert await desk.open(first, second, third) == []
    late_comer = lead()
    assert len(await desk.open(third, late_comer)) == 1
    counts = await desk.rows(
        "SELECT (SELECT count(*) FROM cases), (SELECT count(*) FROM outbox), (SELECT count(*) FROM deadlines), "
        "(SELECT count(*) FROM case_parties), (SELECT count(*) FROM audit)"
    )
    assert tuple(counts[0]) == (4, 4, 8, 8, 2)


async def test_two_consumers_with_the_same_lead_open_one_case(desk: Desk) -> None:
    one = lead()
    results = await asyncio.gather(*(desk.open(one, lead()) for _ in range(4)))
    assert sorted(len(r) for r in results) == [1, 1, 1, 2]
    assert (await desk.rows("SELECT count(*) FROM cases"))[0][0] == 5


async def test_numbers_follow_each_other_per_plan_year_and_series(desk: Desk) -> None:
    now = clock.now()
    await desk.open(lead(), lead(urgent=True), lead(), now=now)
    await desk.open(lead(plan="xiyuan", area=None, parties=()), lead(), now=now)
    year = local_day(now).year
    numbers = [r.number for r in await desk.rows("SELECT number FROM cases ORDER BY number")]
    assert numbers == sorted(
        [
            f"大涌传联〔{year}〕0001号",
            f"大涌传联〔{year}〕0002号",
            f"大涌传联〔{year}〕0003号",
            f"大涌传急〔{year}〕0001号",
            f"西园传联〔{year}〕0001号",
        ]
    )
    next_year = now.replace(year=year + 1)
    await desk.open(lead(), now=next_year)
    assert (await desk.rows("SELECT number FROM cases ORDER BY id DESC LIMIT 1"))[0][0].endswith(
        f"〔{local_day(next_year).year}〕0001号"
    )


async def test_a_batch_in_parallel_with_another_gives_no_number_twice(desk: Desk) -> None:
    await asyncio.gather(*(desk.open(*(lead() for _ in range(20))) for _ in range(5)))
    numbers = [r.number for r in await desk.rows("SELECT number FROM cases ORDER BY number")]
    tails = [int(n[-5:-1]) for n in numbers]
    assert tails[0] == 1 and all(b == a + 1 for a, b in pairwise(tails)) and len(tails) == 100


async def test_a_lead_that_cannot_become_a_case_raises_and_leaves_nothing(desk: Desk) -> None:
    """The kit then tries the others alone and buries only this one."""
    with pytest.raises(UnknownPlan):
        await desk.open(lead(), lead(plan="nowhere"))
    with pytest.raises(UnknownParty):
        await desk.open(lead(), lead(parties=(PartyFact(agency="nobody", role="lead"),)))
    counts = await desk.rows(
        "SELECT (SELECT count(*) FROM cases) + (SELECT count(*) FROM outbox) + (SELECT count(*) FROM number_register)"
    )
    assert counts[0][0] == 0


async def test_each_case_continues_the_trace_of_its_lead(desk: Desk) -> None:
    traces = [f"00-{i:032x}-{i:016x}-01" for i in (1, 2, 3)]
    async with db.begin(desk.service.engine) as conn:
        await open_cases(conn, desk.basis, [(lead(), trace) for trace in traces], clock.now())
    assert [row.traceparent for row, _ in await desk.events()] == traces


async def test_the_statements_of_a_batch_do_not_grow_with_it(desk: Desk) -> None:
    seen: list[str] = []
    sqlalchemy_event.listen(
        desk.service.engine.sync_engine,
        "before_cursor_execute",
        lambda _c, _cur, statement, *_: seen.append(statement),
    )
    sizes = []
    for count in (1, 60):
        seen.clear()
        await desk.open(*(lead(plan=p, parties=()) for p in ("dayong", "xiyuan") for _ in range(count)))
        sizes.append(len(seen))
    assert sizes == [7, 6], "and two COPYs, which go past SQLAlchemy; three when the events are many"


async def test_a_year_without_a_published_calendar_makes_the_clock_provisional(desk: Desk) -> None:
    calendar = WorkingCalendar()
    received = clock.now()
    while calendar.published(local_day(received).year):
        received += timedelta(days=300)
    [case_id] = await desk.open(lead(received_at=received))
    case = (await desk.get(f"/v1/cases/{case_id}", desk.bearer())).json()
    provisional = {d["agency"]: d["provisional"] for d in case["deadlines"]}
    assert provisional == {"commerce": True, "police": False}


async def test_opening_is_in_the_audit_log_once_a_batch_and_seals_hold(desk: Desk) -> None:
    ids = await desk.open(lead(), lead())
    rows = await desk.rows("SELECT * FROM audit")
    assert [(r.actor, r.action, r.object_ids) for r in rows] == [
        (service_caller("casework").actor, "case.open", [str(i) for i in ids])
    ]
    kit = desk.service.kit
    await until_sealed(desk.service.engine, kit, desk.service.settings.keys, "casework", 1)
    async with db.begin(desk.service.engine) as conn:
        assert await audit.verify(conn, kit, desk.service.settings.keys) == []


@pytest.mark.parametrize("write", [db.copy_many, db.insert_many])
async def test_past_sqlalchemy_errors_are_its_own_and_a_lost_connection_is_told_from_bad_rows(desk: Desk, write) -> None:  # type: ignore[no-untyped-def]
    """Else the consumer would bury good events while the database is away."""
    row = {"plan": "dayong", "series": "normal", "year": 2026, "last": 1}
    with pytest.raises(IntegrityError) as twice:
        async with db.begin(desk.service.engine) as conn:
            await conn.execute(text("SELECT 1"))
            await write(conn, number_register, [row, row])
    assert not db.unavailable(twice.value)
    assert (await desk.rows("SELECT count(*) FROM number_register"))[0][0] == 0
    with pytest.raises(DBAPIError) as lost:
        async with db.begin(desk.service.engine) as conn:
            pid = (await conn.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            await desk.rows("SELECT pg_terminate_backend(:pid)", pid=pid)
            await write(conn, number_register, [row])
    assert db.unavailable(lost.value)
    async with db.begin(desk.service.engine) as conn:
        await write(conn, number_register, [row])
    assert (await desk.rows("SELECT last FROM number_register"))[0][0] == 1
