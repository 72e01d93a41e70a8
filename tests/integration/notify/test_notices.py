"""Notices: made once for everyone concerned, ended by acceptance, signed by those they are for."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed
from shared.events.common import DeadlineFact, PartyFact
from shared.kit import clock, db
from shared.kit.ids import new_id
from tests.integration.notify.conftest import House

HEAD = {"agency": "police", "posts": ("head", "conference-member")}


def fact(agency: str, unit: str | None, due: datetime) -> DeadlineFact:
    return DeadlineFact(
        deadline_id=new_id(), kind="acceptance", agency=agency, unit=unit, rule="plan.police_acceptance",
        calendar="2026.1", start=due - timedelta(hours=24), due=due,
    )  # fmt: skip


def opened(
    *, number: str = "DY-2026-0001", unit: str | None = "economic_crime", due: datetime | None = None, urgent: bool = False,
    case_id: UUID | None = None,
) -> CaseOpened:  # fmt: skip
    """A case as casework publishes it: police lead, commerce assist, the office coordinates."""
    due = due or clock.now() + timedelta(hours=24)
    case_id = case_id or new_id()
    return CaseOpened(
        case_id=case_id, plan="dayong", area="dayong-antang", urgent=urgent, number=number, lead_id=new_id(),
        kinds=("headcount", "gathering"),
        parties=(
            PartyFact(agency="police", unit=unit, role="lead"),
            PartyFact(agency="commerce", unit="enforcement", role="co"),
            PartyFact(agency="commerce", unit="office", role="coordinator"),
        ),
        deadlines=(fact("police", unit, due), fact("commerce", "enforcement", due + timedelta(days=7))),
        received_at=clock.now(), opened_at=clock.now(), dataref=f"http://casework.example/v1/cases/{case_id}",
    )  # fmt: skip


def accepted(case: CaseOpened, agency: str = "police", *, in_time: bool = True) -> CaseAccepted:
    return CaseAccepted(
        case_id=case.case_id, plan=case.plan, area=case.area, urgent=case.urgent, number=case.number, agency=agency,
        unit=None, deadline=case.deadlines[0], accepted_at=clock.now(), in_time=in_time,
    )  # fmt: skip


def missed(case: CaseOpened) -> DeadlineMissed:
    return DeadlineMissed(
        case_id=case.case_id, plan=case.plan, area=case.area, urgent=case.urgent, number=case.number, agency="police",
        unit="economic_crime", deadline=case.deadlines[0], missed_at=clock.now(),
    )  # fmt: skip


async def test_each_party_gets_one_notice_with_its_own_deadline(house: House) -> None:
    case = opened()
    await house.tell(case)
    rows = {(r.agency, r.unit): r for r in await house.rows("SELECT * FROM notices")}
    assert set(rows) == {("police", "economic_crime"), ("commerce", "enforcement"), ("commerce", "office")}
    assert rows["police", "economic_crime"].due == case.deadlines[0].due
    assert rows["commerce", "enforcement"].due == case.deadlines[1].due
    assert rows["commerce", "office"].due is None, "the coordinator has nothing to accept"
    assert all(r.state == "waiting" and r.number == case.number for r in rows.values())


async def test_the_same_news_again_makes_no_second_notice(house: House) -> None:
    case = opened()
    await house.tell(case, case)
    await house.tell(case)
    (row,) = await house.rows("SELECT count(*) AS n FROM notices")
    assert row.n == 3


async def test_acceptance_ends_the_agencys_notices_and_nobody_elses(house: House) -> None:
    case = opened()
    await house.tell(case)
    await house.tell(missed(case))
    await house.tell(accepted(case, in_time=False), accepted(case, "commerce"))
    state = {
        (r.agency, r.unit, r.template): (r.state, r.in_time)
        for r in await house.rows("SELECT agency, unit, template, state, in_time FROM notices")
    }
    assert state == {
        ("police", "economic_crime", "case.opened"): ("done", False),
        ("police", "economic_crime", "deadline.missed"): ("done", False),
        ("commerce", "enforcement", "case.opened"): ("done", True),
        ("commerce", "office", "case.opened"): ("waiting", None),
        ("commerce", "office", "deadline.missed.office"): ("waiting", None),
    }


async def test_acceptance_may_be_heard_of_before_the_case(house: House) -> None:
    case = opened(urgent=True)
    await house.tell(accepted(case))
    await house.tell(case)
    await house.tell(missed(case))
    rows = await house.rows("SELECT template, state FROM notices WHERE agency = 'police'")
    assert {(r.template, r.state) for r in rows} == {("case.opened", "done"), ("deadline.missed", "done")}


async def test_two_lanes_at_once_do_not_miss_each_other(house: House) -> None:
    for _ in range(5):
        case = opened(urgent=True)
        await asyncio.gather(house.tell(case), house.tell(accepted(case)))
        rows = await house.rows("SELECT state FROM notices WHERE case_id = :id AND agency = 'police'", id=case.case_id)
        assert [r.state for r in rows] == ["done"]


async def test_a_batch_costs_a_fixed_number_of_statements(house: House) -> None:
    from sqlalchemy import event

    async def statements(count: int) -> int:
        seen: list[str] = []

        def note(_c, _cur, statement, *_rest) -> None:  # type: ignore[no-untyped-def]
            seen.append(statement)

        event.listen(house.service.engine.sync_engine, "before_cursor_execute", note)
        await house.tell(*(opened() for _ in range(count)))
        event.remove(house.service.engine.sync_engine, "before_cursor_execute", note)
        return len(seen)

    await house.tell(opened())
    assert await statements(200) == await statements(1) <= 6


async def sign(house: House, notice: str, who: dict[str, str], version: int = 1, key: str = "a-key-of-mine") -> object:
    headers = who | {"if-match": f'"{version}"', "idempotency-key": key}
    return await house.client.post(f"/v1/notices/{notice}/signature", headers=headers)


async def police_notice(house: House) -> str:
    await house.tell(opened())
    (row,) = await house.rows("SELECT id FROM notices WHERE agency = 'police'")
    return str(row.id)


async def test_signing_needs_the_version_and_happens_once(house: House) -> None:
    notice = await police_notice(house)
    head = house.bearer(**HEAD)
    assert (
        await house.client.post(f"/v1/notices/{notice}/signature", headers=head | {"idempotency-key": "a-key-1"})
    ).status_code == 428
    assert (await sign(house, notice, head, version=9, key="another-key")).status_code == 412
    done = await sign(house, notice, head)
    assert done.status_code == 200 and done.json()["state"] == "signed" and done.headers["etag"] == '"2"'
    again = await sign(house, notice, head)
    assert again.status_code == 200 and again.json()["signed_at"] == done.json()["signed_at"]
    other = await sign(house, notice, head, version=2, key="yet-another-key")
    assert other.status_code == 409
    (row,) = await house.rows("SELECT count(*) AS n FROM audit WHERE action = 'notice.signed'")
    assert row.n == 1


async def test_notices_are_seen_and_signed_within_ones_reach_only(house: House) -> None:
    notice = await police_notice(house)
    own_unit = house.bearer(agency="police", unit="economic_crime", posts=())
    other_unit = house.bearer(agency="police", unit="cyber", posts=())
    other_agency = house.bearer(agency="education", posts=("head",))
    other_plan = house.bearer(plan="xiyuan", agency="police", posts=("head",))
    office = house.bearer(agency="commerce", unit="office", posts=("office-director",))
    for who, status in ((own_unit, 200), (other_unit, 404), (other_agency, 404), (other_plan, 404), (office, 200)):
        assert (await house.client.get(f"/v1/notices/{notice}", headers=who)).status_code == status
        listed = (await house.client.get("/v1/notices", headers=who)).json()["items"]
        assert (notice in {item["id"] for item in listed}) == (status == 200)
    assert (await sign(house, notice, office)).status_code == 404, "the office sees it, but it is the police's to sign"
    assert (await house.client.get("/v1/notices")).status_code == 401


async def test_pages_of_a_list_skip_and_repeat_nothing(house: House) -> None:
    for _ in range(3):
        await house.tell(*(opened() for _ in range(4)))
    head = house.bearer(**HEAD)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": 5} | ({"cursor": cursor} if cursor else {})
        page = (await house.client.get("/v1/notices", headers=head, params=params)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 12
    assert (await house.client.get("/v1/notices", headers=head, params={"cursor": "xxxx"})).status_code == 400


async def test_the_feed_misses_nothing_that_commits_late(house: House) -> None:
    head = house.bearer(**HEAD)
    first, second = opened(), opened()
    async with db.begin(house.service.engine) as slow:
        await house.apply(slow, first)
        await house.tell(second)
        early = (await house.client.get("/v1/notices/feed", headers=head)).json()
        assert early["items"] == [], "the later one waits for the earlier transaction"
    got: list[str] = []
    cursor = early["cursor"]
    # a snapshot's oldest transaction is the whole server's: another test's database may hold the feed back as well
    async with asyncio.timeout(30):
        while len(got) < 2:
            params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
            answer = (await house.client.get("/v1/notices/feed", headers=head, params=params)).json()
            got += [item["case_id"] for item in answer["items"]]
            cursor = answer["cursor"]
            await asyncio.sleep(0 if answer["items"] else 0.05)
    assert got == [str(first.case_id), str(second.case_id)] and cursor


async def test_the_journey_tells_of_notices_and_signatures(house: House) -> None:
    case = opened()
    await house.tell(case)
    (row,) = await house.rows("SELECT id FROM notices WHERE agency = 'police'")
    await sign(house, str(row.id), house.bearer(**HEAD))
    ask = {"ids": [str(case.case_id), "not-a-uuid"]}
    answer = await house.client.post(
        "/v1/trace", json=ask, headers=house.bearer(agency="commerce", unit="office", posts=("office-director",))
    )
    assert answer.status_code == 200
    told = answer.json()
    assert [s["step"] for s in told["steps"]] == ["notice.created"] * 3 + ["notice.signed"]
    assert str(case.case_id) in told["related"]
    police = await house.client.post("/v1/trace", json=ask, headers=house.bearer(**HEAD))
    assert {s["facts"]["agency"] for s in police.json()["steps"]} == {"police"}
    nobody = await house.client.post("/v1/trace", json=ask, headers=house.bearer(agency="education", posts=()))
    assert nobody.status_code == 403
