"""Notices of handovers, and the ringing of a held person's case until someone signs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from services.notify.commands import rings
from shared.events.casework import PartyJoined, PartyLeft
from shared.events.handovers import (
    HandoverAccepted,
    HandoverDecided,
    HandoverEscalated,
    HandoverLate,
    HandoverProposed,
    HandoverRefused,
)
from shared.kit import clock, db
from shared.kit.ids import new_id
from tests.integration.notify.conftest import House, told
from tests.integration.notify.test_notices import accepted, fact, opened
from tests.integration.notify.test_notices import sign as sign_notice


def of(handover: Any, **more: Any) -> dict[str, Any]:
    """What every event of one handover carries."""
    return {
        "lead_id": handover, "tip_id": None, "plan": "dayong", "area": "dayong-antang", "urgent": False,
        "handover_id": handover, "number": "大涌传交〔2026〕0001号", "from_agency": "police",
        "from_unit": "economic_crime", "to_agency": "food_drug", "to_unit": None, "distributor": None, "attempt": 1,
        "bounces": 0, "dataref": "http://intake.example",
    } | more  # fmt: skip


def proposed(handover: Any) -> HandoverProposed:
    now = clock.now()
    return HandoverProposed(
        **of(handover), kinds=("headcount",), reason="not_our_duty", previous_id=None, rule="plan.handover_answer",
        due=now + timedelta(days=1), provisional=False, proposed_at=now,
    )  # fmt: skip


async def templates(house: House) -> list[tuple[str, str, str]]:
    rows = await house.rows("SELECT agency, template, state FROM notices WHERE handover_id IS NOT NULL ORDER BY agency, template")
    return [(row.agency, row.template, row.state) for row in rows]


async def test_the_receiver_is_told_and_its_answer_comes_back(house: House) -> None:
    """Points 7 and 12: the receiver reads what is offered, the sender what became of it."""
    one, now = new_id(), clock.now()
    await house.tell(proposed(one))
    await house.tell(proposed(one))
    assert await templates(house) == [("food_drug", "handover.proposed", "waiting")]
    await house.tell(
        HandoverRefused(**of(one, bounces=1), reason="not_our_duty", proposed_at=now, refused_at=now, in_time=True)
    )
    assert await templates(house) == [
        ("food_drug", "handover.proposed", "done"), ("police", "handover.refused", "waiting"),
    ]  # fmt: skip
    two = new_id()
    await house.tell(proposed(two))
    await house.tell(HandoverAccepted(**of(two), proposed_at=now, accepted_at=now, in_time=True))
    assert ("police", "handover.accepted", "waiting") in await templates(house)
    food = house.bearer(agency="food_drug", posts=("head", "conference-member"))
    listed = (await house.client.get("/v1/notices", headers=food)).json()["items"]
    assert {one["number"] for one in listed} == {"大涌传交〔2026〕0001号"}
    assert all(UUID(one["case_id"]).int == 0 and one["handover_href"].endswith(one["handover_id"]) for one in listed)
    page = await house.client.get("/?show=done", headers=food | {"accept": "text/html"})
    assert page.status_code == 200 and "大涌传交〔2026〕0001号" in told(page.text)


async def test_the_office_is_asked_to_decide_and_told_of_lateness(house: House) -> None:
    """Point 1, D-Q1.3: escalation to the arbiter; lateness of the answer and of the decision."""
    one, now = new_id(), clock.now()
    due = now - timedelta(hours=1)
    await house.tell(proposed(one))
    await house.tell(
        HandoverLate(
            **of(one), stage="answer", late_agency="food_drug", late_unit=None, rule="plan.handover_answer", due=due,
            late_at=now,
        )
    )  # fmt: skip
    await house.tell(
        HandoverEscalated(
            **of(one), cause="late", office="commerce", rule="plan.handover_decide", due=now, provisional=False,
            escalated_at=now,
        )
    )  # fmt: skip
    found = await templates(house)
    assert ("commerce", "handover.to-decide", "waiting") in found
    assert ("commerce", "handover.late.office", "waiting") in found
    assert ("food_drug", "handover.late", "waiting") in found
    await house.tell(
        HandoverDecided(
            **of(one), assigned_agency="food_drug", assigned_unit=None, escalated_at=now, decided_at=now, in_time=True
        )
    )
    found = await templates(house)
    assert ("commerce", "handover.to-decide", "done") in found and ("food_drug", "handover.late", "done") in found
    assert ("police", "handover.decided", "waiting") in found and ("food_drug", "handover.decided", "waiting") in found


async def test_a_party_that_comes_by_a_handover_is_told_and_one_that_left_has_no_open_notice(house: House) -> None:
    """Point 1: the new party has its own due moment; the former one's request ends only now."""
    case, now = opened(), clock.now()
    await house.tell(case)
    same = {
        "case_id": case.case_id, "plan": "dayong", "area": case.area, "urgent": False, "number": case.number,
        "lead_id": case.lead_id,
    }  # fmt: skip
    clock_of_it = fact("food_drug", None, now + timedelta(days=7))
    await house.tell(
        PartyJoined(
            **same, kinds=("headcount",), agency="food_drug", unit=None, role="lead", cause="handed_over",
            handover_id=new_id(), deadline=clock_of_it, joined_at=now,
        ),
        PartyLeft(
            **same, agency="police", unit="economic_crime", cause="handed_over", reason=None, to_agency="food_drug",
            to_unit=None, had_accepted=False, deadline=case.deadlines[0], state="cancelled", left_at=clock.now(),
        ),
    )  # fmt: skip
    rows = {r.agency + (r.unit or ""): r for r in await house.rows("SELECT * FROM notices")}
    assert rows["food_drug"].due == clock_of_it.due and rows["food_drug"].state == "waiting"
    assert rows["policeeconomic_crime"].state == "done" and rows["commerceenforcement"].state == "waiting"


async def ring(house: House, now: Any) -> int:
    async with db.begin(house.service.engine) as conn:
        return await rings.ring(conn, house.service, now)


async def test_a_held_persons_case_rings_every_minute_until_a_desk_of_its_agency_signs(house: House) -> None:
    """D-B2, point 2: nobody signs, so it rings again and again, then at everybody's; a signature of another's desk is
    not enough, one of the police is. The notice keeps its id; attempts are append-only."""
    case = opened(urgent=True)
    await house.tell(case)
    start = clock.now()
    assert await ring(house, start) == 0, "the notice itself was the first ring"
    ids = {row.id for row in await house.rows("SELECT id FROM notices")}
    for minute in range(1, 9):
        assert await ring(house, start + timedelta(minutes=minute, seconds=minute)) == 1
        assert await ring(house, start + timedelta(minutes=minute, seconds=minute)) == 0, "once a minute"
    attempts = await house.rows("SELECT * FROM ring_attempts ORDER BY attempt")
    assert [row.attempt for row in attempts] == list(range(1, 9))
    assert [row.wide for row in attempts] == [False] * 4 + [True] * 4, "after five minutes every desk of the case rings"
    assert len(attempts[0].notices) == 1 and len(attempts[-1].notices) == 3
    rows = await house.rows("SELECT id, agency, unit, rung FROM notices")
    assert {row.id for row in rows} == ids and {row.rung for row in rows if row.agency == "police"} == {8}

    async def sign(agency: str, unit: str) -> None:
        [row] = await house.rows(
            "SELECT id, version FROM notices WHERE agency = :a AND unit = :u", a=agency, u=unit
        )
        who = house.bearer(agency=agency, posts=("head", "conference-member"))
        done = await sign_notice(house, str(row.id), who, version=row.version, key=f"sign-{agency}-{unit}")
        assert done.status_code == 200, done.text

    await sign("commerce", "enforcement")
    assert await ring(house, start + timedelta(minutes=20)) == 1, "the police have not signed"
    await sign("police", "economic_crime")
    assert await ring(house, start + timedelta(minutes=40)) == 0
    [one] = await house.rows("SELECT * FROM rings")
    assert one.state == "answered" and one.attempts == 9 and one.answered_by.startswith("officer:")


async def test_acceptance_ends_the_ringing_also_when_its_news_came_first(house: House) -> None:
    """Point 2: the two topics of an urgent case keep no order between them."""
    case = opened(urgent=True)
    await house.tell(accepted(case))
    await house.tell(case)
    assert await ring(house, clock.now() + timedelta(minutes=5)) == 0
    calm = opened(number="DY-2026-0002")
    await house.tell(calm)
    assert await ring(house, clock.now() + timedelta(minutes=5)) == 0, "what is not urgent does not ring"
