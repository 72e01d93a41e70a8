"""Notices about gatherings, funds, answers, contests, requests, patrols, surveys and major leads."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from services.notify.commands import ladder
from shared.events import EventData
from shared.events.common import DeadlineFact
from shared.events.followups import (
    LeadMarkedMajor,
    LeadVerificationMissed,
    LeadVerified,
    RevealDecided,
    RevealRequested,
)
from shared.events.intake import ContestDecided, FactAdded, OutcomeContested, PatrolOverdue, SurveyRoundClosed
from shared.events.leads import GatheringFound
from shared.events.proceedings import ClockFact, ProceedingDeadlineMissed, ProceedingOpened, ProceedingStepped
from shared.events.rewards import RewardApproved, RewardBudgetShort, RewardProposed
from shared.kit import clock, db
from shared.kit.ids import new_id
from tests.integration.notify.conftest import House, told

BASE = "http://127.0.0.1:8401"
LEAD, TIP = new_id(), new_id()


def of_lead(**more: Any) -> dict[str, Any]:
    return {
        "lead_id": LEAD, "plan": "dayong", "area": "dayong-antang", "agency": "police", "unit": "public_order",
        "dataref": f"{BASE}/v1/leads/{LEAD}",
    } | more  # fmt: skip


def of_tip(**more: Any) -> dict[str, Any]:
    return of_lead(tip_id=TIP, dataref=f"{BASE}/v1/tips/{TIP}") | more


def gathering() -> GatheringFound:
    return GatheringFound(
        **of_lead(), gathering_id=new_id(), level="building", signals=3, window_days=30, found_at=clock.now()
    )


def verification() -> DeadlineFact:
    now = clock.now()
    return DeadlineFact(
        deadline_id=LEAD, kind="verification", agency="police", unit="public_order", rule="penalty.verify",
        calendar="cn-2026", start=now, due=now + timedelta(days=20),
    )  # fmt: skip


async def kept(house: House) -> list[tuple[str, str | None, str, str]]:
    rows = await house.rows("SELECT agency, unit, template, state FROM notices ORDER BY template, agency")
    return [(row.agency, row.unit, row.template, row.state) for row in rows]


async def listed(house: House, **who: Any) -> list[dict[str, Any]]:
    answer = await house.client.get("/v1/notices", headers=house.bearer(**who))
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_a_gathering_is_told_to_all_who_must_clear_it(house: House) -> None:
    """D-M6: the unit that has the lead, the rental office and the community of the place; no other community."""
    found = gathering()
    await house.tell(found)
    await house.tell(found)
    assert await kept(house) == [
        ("c-antang", None, "gathering.found", "waiting"),
        ("police", "public_order", "gathering.found", "waiting"),
        ("rental_mgmt", None, "gathering.found", "waiting"),
    ]
    [one] = await listed(house, agency="rental_mgmt", posts=("desk",))
    assert one["matter"] == "gathering" and one["matter_href"].endswith(f"/v1/leads/{LEAD}") and one["items"] == 3
    assert one["rule"] == "plan.notice_sign" and one["due"], "the plan's time to sign runs"
    assert await listed(house, agency="c-nanwen", posts=("community-worker",), areas=("dayong-nanwen",)) == []
    # who may not open the lead is told of it without a link that would be refused
    for who, opens in (("police", True), ("rental_mgmt", False)):
        page = await house.client.get("/", headers=house.bearer(agency=who, posts=("desk",)) | {"accept": "text/html"})
        assert "聚集" in told(page.text) and (f"{BASE}/leads/{LEAD}" in page.text) == opens


async def test_what_nobody_signs_for_comes_before_the_office(house: House) -> None:
    """D-O1, D-N4: the ladder of every notice: the agency, then the office, which is told once."""
    await house.tell(gathering())
    async with db.begin(house.service.engine) as conn:
        assert await ladder.climb(conn, house.service, clock.now()) == 0
    later = clock.now() + timedelta(days=15)
    for expected in (3, 0):
        async with db.begin(house.service.engine) as conn:
            assert await ladder.climb(conn, house.service, later) == expected
    office = [row for row in await kept(house) if row[2] == "notice.unsigned.office"]
    assert office == [("commerce", "office", "notice.unsigned.office", "waiting")] * 3
    async with db.begin(house.service.engine) as conn:
        await ladder.climb(conn, house.service, later + timedelta(days=30))
    again = [row for row in await kept(house) if row[2] == "notice.unsigned.office"]
    assert len(again) == 3, "the office is not told that the office has not signed"


async def test_the_fund_running_short_is_told_to_its_keeper_and_the_office(house: House) -> None:
    """D-L: who must find the money knows before it is gone."""
    warning = RewardBudgetShort(
        warning_id=new_id(), plan="dayong", fund="campaign", keeper="finance", year=2026, budget=Decimal(100),
        committed=Decimal(90), paid=Decimal(0), expected=Decimal(500), at=clock.now(),
        dataref=f"{BASE}/funds/campaign/2026",
    )  # fmt: skip
    await house.tell(warning)
    assert {row[0] for row in await kept(house)} == {"finance", "commerce"}
    page = await house.client.get("/", headers=house.bearer(agency="finance", posts=("desk",)) | {"accept": "text/html"})
    assert f"{BASE}/funds/campaign/2026" in page.text


async def test_answers_and_additions_reach_whoever_has_the_tip(house: House) -> None:
    """D-A5: the desk that asked reads that the reporter answered; what nobody has goes to the office."""
    facts = {"message_id": new_id(), "answer": True, "turned_urgent": False, "added_at": clock.now()}
    await house.tell(FactAdded(**of_tip(), **facts))
    await house.tell(FactAdded(**of_tip(agency=None, unit=None), **(facts | {"message_id": new_id(), "answer": False})))
    assert await kept(house) == [
        ("commerce", "office", "tip.added", "waiting"), ("police", "public_order", "tip.answered", "waiting"),
    ]  # fmt: skip


async def test_a_contested_closing_asks_for_a_second_look_and_ends_with_it(house: House) -> None:
    """D-N4, D-Q1.3: those who may look a second time are told; decided, nobody is asked any more, in any order."""
    for first in (True, False):
        one, now = new_id(), clock.now()
        contested = OutcomeContested(**of_tip(), contest_id=one, closing="x", outcome="declined", contested_at=now)
        decided = ContestDecided(
            **of_tip(), contest_id=one, closing="x", outcome="declined", upheld=True, contested_at=now, decided_at=now
        )
        await house.tell(*((contested, decided) if first else (decided,)))
        if not first:
            await house.tell(contested)
    assert await kept(house) == [("police", None, "contest.opened", "done")] * 2
    [one, _] = await listed(house, agency="commerce", unit="office", posts=("office-director",))
    assert one["matter_href"].startswith(f"{BASE}/v1/contests/")
    assert await listed(house, agency="police", unit="economic_crime", posts=("investigator",)) == [], (
        "an investigator may not look a second time"
    )


async def test_a_request_for_a_contact_is_known_to_the_two_persons_posts_alone(house: House) -> None:
    """D-R, reporters: who may decide is told at once, who asked is told the decision, the office sees neither."""
    one = new_id()
    facts = {"reveal_id": one, "tip_id": TIP, "plan": "dayong", "area": None, "agency": "commerce", "dataref": f"{BASE}/v1/reveals/{one}"}
    now = clock.now()
    await house.tell(RevealRequested(**facts, category="verify", lapses_at=now + timedelta(days=3), requested_at=now))
    leader = {"agency": "politics_law", "posts": ("leader",)}
    [seen] = await listed(house, **leader)
    assert seen["template"] == "reveal.requested" and seen["due"]
    assert await listed(house, agency="commerce", unit="office", posts=("office-director",)) == []
    assert await listed(house, agency="commerce", unit="market", posts=("reporter",)) == []
    signed = await house.client.post(
        f"/v1/notices/{seen['id']}/signature",
        headers=house.bearer(**leader) | {"if-match": '"1"', "idempotency-key": "reveal-1"},
    )
    assert signed.status_code == 200, signed.text
    await house.tell(RevealDecided(**facts, outcome="approved", decided_at=now))
    [asked] = await listed(house, agency="commerce", unit="enforcement", posts=("desk",))
    assert asked["template"] == "reveal.decided" and asked["matter_href"].endswith(str(one))
    assert next(row for row in await kept(house) if row[2] == "reveal.requested")[3] == "done"


async def test_a_proposed_reward_waits_for_those_who_approve(house: House) -> None:
    """D-L: two persons approve; then the notice is done with."""
    one = new_id()
    facts = {"lead_id": LEAD, "plan": "dayong", "area": None, "agency": "commerce", "at": clock.now(), "reward_id": one}
    money = {"amount": Decimal(500), "fund": "campaign", "year": 2026}
    await house.tell(
        RewardProposed(**facts, **money, scheme="den", level=None, shares=1, dataref=f"{BASE}/v1/rewards/{one}")
    )
    deputy = {"agency": "police", "posts": ("deputy-leader",)}
    assert [row["template"] for row in await listed(house, **deputy)] == ["reward.proposed"]
    assert await listed(house, agency="commerce", unit="enforcement", posts=("desk",)) == []
    await house.tell(RewardApproved(**facts, **money))
    assert [row["state"] for row in await listed(house, **deputy)] == ["done"]


def overdue(unit: Any, **more: Any) -> PatrolOverdue:
    return PatrolOverdue(
        **{
            "plan": "dayong", "area": "dayong-antang", "task_id": new_id(), "unit_id": unit, "tier": "key",
            "cause": "tier", "agency": "rental_mgmt", "due": date(2026, 11, 15), "missed": 1,
            "overdue_at": clock.now(), "dataref": f"{BASE}/v1/rentals/{unit}",
        }
        | more
    )  # fmt: skip


async def test_patrols_of_one_day_are_one_notice_that_counts_them(house: House) -> None:
    """D-E2: the overdue list of a community, not a notice a flat."""
    await house.tell(overdue(new_id()), overdue(new_id()))
    await house.tell(overdue(new_id()), overdue(new_id(), area="dayong-nanwen"))
    rows = await house.rows("SELECT area, items, state FROM notices ORDER BY area")
    assert [tuple(row) for row in rows] == [("dayong-antang", 3, "waiting"), ("dayong-nanwen", 1, "waiting")]
    page = await house.client.get("/", headers=house.bearer(agency="rental_mgmt", posts=("desk",)) | {"accept": "text/html"})
    assert f"{BASE}/patrol/overdue" in page.text and "3" in told(page.text)


async def test_an_unfinished_survey_is_told_to_the_community_and_the_office(house: House) -> None:
    """X-D1a, D-M3: what a round left open is somebody's."""
    facts = {
        "plan": "dayong", "area": "dayong-antang", "round_id": new_id(), "target": 100, "due": date(2026, 11, 15),
        "closed_at": clock.now(), "dataref": f"{BASE}/v1/surveys/{TIP}", "found": 0,
    }  # fmt: skip
    await house.tell(SurveyRoundClosed(**facts, reached=100, done=True))
    assert await kept(house) == []
    await house.tell(SurveyRoundClosed(**(facts | {"round_id": new_id()}), reached=60, done=False))
    rows = await house.rows("SELECT agency, items FROM notices ORDER BY agency")
    assert [tuple(row) for row in rows] == [("c-antang", 40), ("commerce", 40)]


async def test_a_major_lead_is_told_missed_and_ended(house: House) -> None:
    """D-Q1.4: its agency is told of the clock, then with the office that it was missed; verified, it is done with."""
    major = of_lead(urgent=True, causes=("urgent",))
    deadline, now = verification(), clock.now()
    news: list[EventData] = [
        LeadMarkedMajor(**major, deadline=deadline, marked_at=now),
        LeadVerificationMissed(**major, deadline=deadline, missed_at=now),
    ]
    await house.tell(*news)
    assert await kept(house) == [
        ("police", "public_order", "lead.major", "waiting"),
        ("police", "public_order", "verification.missed", "waiting"),
        ("commerce", "office", "verification.missed.office", "waiting"),
    ]
    await house.tell(LeadVerified(**major, outcome="founded", in_time=False, verified_at=now))
    states = {row[2]: row[3] for row in await kept(house)}
    assert states == {"lead.major": "done", "verification.missed": "done", "verification.missed.office": "waiting"}


async def test_no_page_of_a_matter_fails(house: House) -> None:
    """Every template has its words, in both languages."""
    now = clock.now()
    await house.tell(gathering(), overdue(new_id()))
    await house.tell(FactAdded(**of_tip(), message_id=new_id(), answer=True, turned_urgent=False, added_at=now))
    await house.tell(LeadMarkedMajor(**of_lead(urgent=False, causes=("tips",)), deadline=verification(), marked_at=now))
    head = house.bearer(agency="commerce", unit="office", posts=("office-director",)) | {"accept": "text/html"}
    for path in ("/?show=all", "/?show=all&lang=en"):
        answer = await house.client.get(path, headers=head)
        assert answer.status_code == 200 and "A notice" not in answer.text


def proceeding(one: Any, **more: Any) -> dict[str, Any]:
    return {
        "proceeding_id": one, "number": "大涌传移〔2026〕0001号", "kind": "crime_transfer", "group": "transfers",
        "procedure_version": "1", "plan": "dayong", "area": None, "urgent": False, "case_id": None,
        "case_number": None, "parent_id": None, "agency": "commerce", "unit": "enforcement", "to_agency": "police",
        "to_unit": "economic_crime", "dataref": f"http://127.0.0.1:8402/v1/proceedings/{one}",
    } | more  # fmt: skip


async def test_a_proceeding_calls_whoever_must_act_next(house: House) -> None:
    """D-N3: the other side reads that a transfer waits for it; its step calls the first side; lateness goes up."""
    one, now = new_id(), clock.now()
    await house.tell(
        ProceedingOpened(
            **proceeding(one), state="sent", facts={}, clocks=(), awaits_agency="police", awaits_unit="economic_crime",
            opened_at=now,
        )
    )  # fmt: skip
    missed = verification().model_copy(update={"kind": "proceeding", "unit": "economic_crime", "deadline_id": new_id()})
    await house.tell(ProceedingDeadlineMissed(**proceeding(one), state="sent", deadline=missed, missed_at=now))
    assert await kept(house) == [
        ("police", "economic_crime", "proceeding.awaits", "waiting"),
        ("police", "economic_crime", "proceeding.missed", "waiting"),
        ("commerce", "office", "proceeding.missed.office", "waiting"),
    ]
    police = house.bearer(agency="police", unit="economic_crime", posts=("investigator",)) | {"accept": "text/html"}
    page = await house.client.get("/", headers=police)
    assert f"http://127.0.0.1:8402/proceedings/{one}" in page.text and "大涌传移〔2026〕0001号" in page.text
    await house.tell(
        ProceedingStepped(
            **proceeding(one), step="sign", from_state="sent", state="signed", final=False, outcome=None,
            by_agency="police", by_unit="economic_crime", by_system=False, facts={}, clocks=(),
            awaits_agency="commerce", awaits_unit="enforcement", stepped_at=now + timedelta(minutes=1),
        )
    )  # fmt: skip
    states = {(row[0], row[2]): row[3] for row in await kept(house)}
    assert states["police", "proceeding.awaits"] == states["police", "proceeding.missed"] == "done"
    assert states["commerce", "proceeding.awaits"] == "waiting"


async def test_a_raid_calls_police_at_once_and_the_office_when_its_time_passes(house: House) -> None:
    """D-B4: the request rings at the police, the office reads of a raid nobody answered, and orders end the call."""
    one, now = new_id(), clock.now()
    raid = proceeding(
        one, number="大涌清查〔2026〕0001号", kind="venue_raid", group="requests", urgent=True, to_unit="public_order",
        dataref=f"http://127.0.0.1:8402/v1/proceedings/{one}",
    )  # fmt: skip
    answer = verification().model_copy(
        update={
            "kind": "proceeding", "deadline_id": new_id(), "rule": "plan.venue_raid_accept", "start": now,
            "due": now + timedelta(minutes=30),
        }
    )  # fmt: skip
    await house.tell(
        ProceedingOpened(
            **raid, state="asked", facts={"people": 60}, clocks=(ClockFact(change="started", state="running", deadline=answer),),
            awaits_agency="police", awaits_unit="public_order", opened_at=now,
        )
    )  # fmt: skip
    [asked] = await house.rows("SELECT agency, unit, template, urgent, rule, due FROM notices")
    assert (asked.agency, asked.unit, asked.template) == ("police", "public_order", "proceeding.awaits")
    assert asked.urgent and asked.rule == "plan.venue_raid_accept" and asked.due == now + timedelta(minutes=30)

    await house.tell(ProceedingDeadlineMissed(**raid, state="asked", deadline=answer, missed_at=now + timedelta(minutes=31)))
    assert ("commerce", "office", "proceeding.missed.office", "waiting") in await kept(house)
    office = house.bearer(agency="commerce", unit="office", posts=("office-director",)) | {"accept": "text/html"}
    assert "大涌清查〔2026〕0001号" in (await house.client.get("/", headers=office)).text

    step = {"final": False, "outcome": None, "by_system": False, "facts": {}, "clocks": ()}
    await house.tell(
        ProceedingStepped(
            **raid, **step, step="accept", from_state="asked", state="accepted", by_agency="police",
            by_unit="public_order", awaits_agency="police", awaits_unit="public_order", stepped_at=now + timedelta(minutes=32),
        )
    )  # fmt: skip
    assert {row[3] for row in await kept(house) if row[0] == "police"} == {"done"}
