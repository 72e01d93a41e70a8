"""A notice nobody signs for climbs: deputy, head, office, leading group; whoever is away is stood in for."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import Any

from services.notify.commands import ladder
from services.notify.jobs import climb
from shared.events.casework import CaseAccepted, CaseOpened
from shared.events.common import DeadlineFact, PartyFact
from shared.kit import clock, db
from shared.kit.ids import new_id
from shared.rules.calendar import local_day
from tests.integration.notify.conftest import House

UNIT = "command_centre"


def opened(*, urgent: bool = False, number: str = "涌传〔2026〕0031号") -> CaseOpened:
    """A case whose lead is the police command centre."""
    now = clock.now()
    due = DeadlineFact(
        deadline_id=new_id(), kind="accept", agency="police", unit=UNIT, rule="plan.police_acceptance", calendar="c",
        start=now, due=now + timedelta(hours=24),
    )  # fmt: skip
    return CaseOpened(
        case_id=new_id(), plan="dayong", area="dayong-antang", urgent=urgent, number=number, lead_id=new_id(),
        kinds=("confinement",) if urgent else ("headcount",), parties=(PartyFact(agency="police", unit=UNIT, role="lead"),),
        deadlines=(due,), received_at=now, opened_at=now, dataref="http://127.0.0.1:8300/v1/cases/x",
    )  # fmt: skip


async def up(house: House, at: datetime) -> int:
    async with db.begin(house.service.engine) as conn:
        return await ladder.climb(conn, house.service, at)


async def rungs(house: House) -> list[tuple[Any, ...]]:
    """The rungs told so far."""
    rows = await house.rows(
        "SELECT ladder, agency, unit, post, state FROM notices WHERE ladder IS NOT NULL ORDER BY seq"
    )
    return [tuple(row) for row in rows]


async def next_climb(house: House) -> datetime | None:
    [row] = await house.rows("SELECT climb_at FROM notices WHERE template = 'case.opened'")
    return row.climb_at


async def test_an_unsigned_notice_climbs_rung_by_rung(house: House) -> None:
    """D-N4, D-O1: one working day each for desk, deputy and head, two for the office; a rung without anyone is passed over."""
    await house.officer("head", unit=None, posts=("head",))
    await house.officer("leader", agency="politics_law", unit=None, posts=("leader",))
    deputy = await house.officer("deputy", posts=("investigator",))
    await seat(house, deputy)
    await house.tell(opened())
    at = await next_climb(house)
    assert at is not None and await up(house, at - timedelta(minutes=1)) == 0, "the plan's time to sign runs first"
    wanted = [
        ("deputy", "police", UNIT, "desk"), ("head", "police", None, "head"), ("office", "commerce", "office", None),
        ("leading_group", "politics_law", None, "leader"),
    ]  # fmt: skip
    for count, _ in enumerate(wanted, start=1):
        assert at is not None
        assert await up(house, at) == 1
        assert await up(house, at) == 0, "each rung once"
        assert [row[:4] for row in await rungs(house)] == wanted[:count]
        before, at = at, await next_climb(house)
        assert at is None or local_day(at) > local_day(before)
    assert at is None, "above the leading group there is nobody"
    kept = await house.rows("SELECT step, rung, rule, skipped FROM climbs ORDER BY step")
    assert [tuple(row) for row in kept] == [
        (1, "deputy", "plan.notice_sign", None), (2, "head", "plan.climb_head", None),
        (3, "office", "plan.climb_office", None), (4, "leading_group", "plan.climb_leading", None),
    ]  # fmt: skip
    told = await house.client.get("/v1/notices", headers=house.bearer(agency="politics_law", posts=("leader",)))
    [one] = told.json()["items"]
    assert (one["ladder"], one["number"], one["parts"]["agency"]) == ("leading_group", "涌传〔2026〕0031号", "police")


async def seat(house: House, deputy: uuid.UUID, *, unit: str | None = UNIT, post: str = "desk", agency: str = "police") -> None:
    """Make an account the standing deputy of a seat, as the office does."""
    answer = await house.client.put(
        "/v1/seats",
        json={"agency": agency, "unit": unit, "post": post, "deputy_id": str(deputy)},
        headers=house.bearer(agency="commerce", unit="office", posts=("office-director",)) | {"if-match": '"0"', "idempotency-key": str(new_id())},
    )
    assert answer.status_code == 200, answer.text


async def test_rungs_with_nobody_there_are_passed_over(house: House) -> None:
    """D-N4: no deputy and no head on file: the office is told at once, and the reason for each gap is kept."""
    await house.tell(opened())
    at = await next_climb(house)
    assert at is not None and await up(house, at) == 1
    assert [row[0] for row in await rungs(house)] == ["office"]
    kept = await house.rows("SELECT rung, skipped FROM climbs ORDER BY step")
    assert [tuple(row) for row in kept] == [("deputy", "no-deputy"), ("head", "nobody-there"), ("office", None)]


async def test_a_signature_stops_the_climb(house: House) -> None:
    """D-N4: whoever signs at a rung has taken it up; the desk's own signature ends every rung."""
    await house.officer("head", unit=None, posts=("head",))
    await house.tell(opened())
    at = await next_climb(house)
    assert at is not None and await up(house, at) == 1
    await sign(house, "head", house.bearer(agency="police", posts=("head",)))
    assert await next_climb(house) is None and await up(house, at + timedelta(days=30)) == 0
    desk = house.bearer(agency="police", unit=UNIT, posts=("desk",))
    await sign(house, None, desk)
    assert [(row[0], row[4]) for row in await rungs(house)] == [("head", "done")]


async def sign(house: House, rung: str | None, who: dict[str, str]) -> Any:
    """Sign for what waits for somebody: the notice itself or a rung."""
    listed = await house.client.get("/v1/notices", headers=who)
    [one] = [n for n in listed.json()["items"] if n["ladder"] == rung and n["state"] == "waiting"]
    headers = who | {"if-match": f'"{one["version"]}"', "idempotency-key": str(new_id())}
    answer = await house.client.post(f"/v1/notices/{one['id']}/signature", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_acceptance_ends_the_rungs(house: House) -> None:
    """D-B6: the case is accepted without a signature: nobody above is bothered any more."""
    case = opened()
    await house.tell(case)
    at = await next_climb(house)
    assert at is not None
    await up(house, at)
    await house.tell(
        CaseAccepted(
            case_id=case.case_id, plan="dayong", area=None, urgent=False, number=case.number, agency="police", unit=UNIT,
            deadline=case.deadlines[0], accepted_at=clock.now(), in_time=True,
        )
    )  # fmt: skip
    await climb(house.service)
    assert [row[4] for row in await rungs(house)] == ["done"]
    assert await up(house, at + timedelta(days=30)) == 0


async def test_a_held_persons_notice_climbs_within_minutes(house: House) -> None:
    """Point 2: minutes, not working days: two, three, five and ten, up to the leading group."""
    await house.tell(opened(urgent=True))
    at = await next_climb(house)
    assert at is not None and at - clock.now() <= timedelta(minutes=2)
    seen = [at]
    while at is not None:
        await up(house, at)
        at = await next_climb(house)
        seen += [at] if at else []
    assert seen[-1] - seen[0] == timedelta(minutes=10), "deputy and head are not there: the office at once, then the top"
    assert [row[0] for row in await rungs(house)] == ["office", "leading_group"]
    assert (await house.rows("SELECT bool_and(urgent) AS all_urgent FROM notices"))[0].all_urgent


async def test_the_deputy_reads_and_signs_for_the_desk(house: House) -> None:
    """D-N4: only the deputy sees the rung; their signature is the desk's."""
    deputy = await house.officer("deputy", posts=("investigator",), unit="economic_crime")
    await seat(house, deputy)
    await house.tell(opened())
    at = await next_climb(house)
    assert at is not None
    await up(house, at)
    other = house.bearer(agency="police", unit="economic_crime", posts=("investigator",))
    assert (await house.client.get("/v1/notices", headers=other)).json()["items"] == []
    mine = house.bearer(agency="police", unit="economic_crime", posts=("investigator",), principal_id=str(deputy))
    done = await sign(house, "deputy", mine)
    assert done["state"] == "signed"
    [row] = await house.rows("SELECT state, signed_by FROM notices WHERE template = 'case.opened'")
    assert (row.state, row.signed_by) == ("signed", f"officer:{deputy}")


async def test_who_is_on_leave_is_stood_in_for(house: House) -> None:
    """D-O1: while the desk officer is away, the deputy reads and signs what is sent to the desk; not before, not after."""
    away = await house.officer("away")
    deputy = await house.officer("deputy", unit="economic_crime", posts=("investigator",))
    today = local_day(clock.now())
    await house.tell(opened())
    mine = house.bearer(agency="police", unit="economic_crime", posts=("investigator",), principal_id=str(deputy))
    assert (await house.client.get("/v1/notices", headers=mine)).json()["items"] == []
    leave = await grant_leave(house, away, deputy, today, today + timedelta(days=3))
    [one] = (await house.client.get("/v1/notices", headers=mine)).json()["items"]
    assert one["template"] == "case.opened" and one["progress"] == "delivered"
    page = await house.client.get("/", headers=mine | {"accept": "text/html"})
    assert "涌传〔2026〕0031号" in page.text and f"/notices/{one['id']}/sign" in page.text and "代理" in page.text
    headers = house.bearer(agency="commerce", unit="office", posts=("office-director",)) | {"if-match": '"1"', "idempotency-key": str(new_id())}
    ended = await house.client.post(f"/v1/leaves/{leave}/cancellation", headers=headers)
    assert ended.status_code == 200, ended.text
    assert (await house.client.get("/v1/notices", headers=mine)).json()["items"] == []


async def grant_leave(house: House, who: uuid.UUID, deputy: uuid.UUID | None, first: date, last: date) -> str:
    """Record a leave, as the office does."""
    answer = await house.client.post(
        "/v1/leaves",
        json={"account_id": str(who), "deputy_id": str(deputy) if deputy else None, "first_day": first.isoformat(), "last_day": last.isoformat()},
        headers=house.bearer(agency="commerce", unit="office", posts=("office-director",)) | {"idempotency-key": str(new_id())},
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_a_head_on_leave_without_deputy_is_passed_over(house: House) -> None:
    """D-N4: the rung of the head waits for nobody who is away; with a deputy it is told, and the deputy reads it."""
    head = await house.officer("head", unit=None, posts=("head",))
    today = local_day(clock.now())
    await grant_leave(house, head, None, today, today + timedelta(days=60))
    await house.tell(opened())
    at = await next_climb(house)
    assert at is not None
    await up(house, at)
    assert [row[0] for row in await rungs(house)] == ["office"]
    deputy = await house.officer("deputy", unit="economic_crime", posts=("investigator",))
    await seat(house, deputy, unit=None, post="head")
    await house.tell(opened(number="涌传〔2026〕0032号"))
    [later] = await house.rows("SELECT climb_at FROM notices WHERE number LIKE '%0032%' AND ladder IS NULL")
    await up(house, later.climb_at)
    mine = house.bearer(agency="police", unit="economic_crime", posts=("investigator",), principal_id=str(deputy))
    seen = (await house.client.get("/v1/notices", headers=mine)).json()["items"]
    assert [one["post"] for one in seen if one["ladder"]] == ["head"], "what the head would read, and nothing of the office's"
