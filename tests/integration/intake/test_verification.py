"""Major leads are verified in their time, or that they were not is told (D-Q1.4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.intake import consumers
from services.intake.commands import verification
from shared.events import Event
from shared.events.casework import CaseOpened
from shared.events.common import DeadlineFact, PartyFact
from shared.events.followups import LeadMarkedMajor, LeadVerificationMissed, LeadVerified
from shared.events.proceedings import ClockFact, ProceedingStepped
from shared.kit import clock, db
from shared.rules.calendar import SHANGHAI
from tests.integration.intake.conftest import HEADCOUNT, Desk

HELD = "我弟弟被关在安堂社区兴华里5栋301，手机被收走，不让出门，快救人，是传销窝点"
POLICE = {"agency": "police", "posts": ("desk",)}


async def watch(desk: Desk, now: Any = None) -> tuple[int, int]:
    """What the job does, at a moment."""
    rules, now = desk.app.state.handover_rules, now or clock.now()
    plan = desk.service.plans["dayong"]
    async with db.begin(desk.service.engine) as conn:
        marked = await verification.mark_major(conn, rules, plan, now)
    async with db.begin(desk.service.engine) as conn:
        return marked, await verification.mark_missed(conn, rules, plan, now)


async def read(desk: Desk, lead: UUID, **who: Any) -> dict[str, Any]:
    answer = await desk.get(f"/v1/leads/{lead}/verification", desk.bearer(**(who or POLICE)))
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == f'"{answer.json()["version"]}"'
    return answer.json()


async def test_a_major_lead_past_its_time_is_told_and_stays_late(desk: Desk) -> None:
    """D-Q1.4: 重大线索不核查: the clock of the law runs from receipt, its end is an event, and the act is late after."""
    tip = await desk.tip(HELD)
    lead = await desk.lead_of(tip["tip_id"])
    assert await watch(desk) == (1, 0)
    assert await watch(desk) == (0, 0), "marked once"
    told = await read(desk, lead)
    assert told["major"] and told["state"] == "waiting" and told["causes"] == ["urgent"] and not told["late"]
    assert told["rule"] == "penalty.verify" and told["article"].endswith("第十八条")
    [(_, marked)] = await desk.events(LeadMarkedMajor.TYPE)
    assert marked.lead_id == lead and marked.agency == "police" and marked.deadline.kind == "verification"
    working = (marked.deadline.due.astimezone(SHANGHAI).date() - marked.deadline.start.astimezone(SHANGHAI).date()).days
    assert working >= 15, "fifteen working days"
    [item] = (await desk.get("/v1/verifications", desk.bearer(**POLICE))).json()["items"]
    assert item["lead_id"] == str(lead)

    late = marked.deadline.due + timedelta(seconds=1)
    assert await watch(desk, late) == (0, 1)
    assert await watch(desk, late) == (0, 0), "told once"
    [(_, missed)] = await desk.events(LeadVerificationMissed.TYPE)
    assert missed.lead_id == lead and missed.deadline.due == marked.deadline.due and missed.causes == ("urgent",)
    assert (await read(desk, lead))["state"] == "missed"
    [item] = (await desk.get("/v1/verifications", desk.bearer(**POLICE), state="missed")).json()["items"]
    assert item["late"]

    told = await read(desk, lead)
    done = await desk.post(
        f"/v1/leads/{lead}/verification", desk.bearer(**POLICE), {"outcome": "founded"}, version=told["version"]
    )
    assert done.status_code == 200 and done.json()["in_time"] is False and done.json()["late"]
    [(_, verified)] = await desk.events(LeadVerified.TYPE)
    assert verified.in_time is False and verified.outcome == "founded"


async def test_a_lead_verified_in_time_is_not_told_as_missed(desk: Desk) -> None:
    """D-Q1.4: the act ends the clock; the same request again does nothing twice, another one is refused."""
    lead = await desk.lead_of((await desk.tip(HELD))["tip_id"])
    await watch(desk)
    who, version = desk.bearer(**POLICE), (await read(desk, lead))["version"]
    body = {"outcome": "unfounded", "note": "上门核实，未见异常"}
    for _ in range(2):
        answer = await desk.post(f"/v1/leads/{lead}/verification", who, body, version=version, key="verify-once-01")
        assert answer.status_code == 200 and answer.json()["in_time"] is True, answer.text
    again = await desk.post(f"/v1/leads/{lead}/verification", who, body, version=version + 1)
    assert again.status_code == 409 and again.json()["type"].endswith("already-verified")
    stale = await desk.post(f"/v1/leads/{lead}/verification", who, body, version=version)
    assert stale.status_code == 412
    assert await watch(desk, clock.now() + timedelta(days=90)) == (0, 0)
    assert len(await desk.events(LeadVerified.TYPE)) == 1
    kept = await desk.rows("SELECT note FROM lead_verifications")
    assert "上门".encode() not in bytes(kept[0].note), "the note is sealed"


def heard(data: Any) -> Event[Any]:
    return Event(uuid4(), data.TYPE, "/dachuan/casework", data.key, clock.now(), clock.now(), None, data)


def stepped(case: UUID, change: str, due: datetime, at: datetime, **more: Any) -> ProceedingStepped:
    clock_ = DeadlineFact(
        deadline_id=uuid4(), kind="verify", agency="commerce", rule="penalty.verify", calendar="c", start=at, due=due
    )
    return ProceedingStepped(
        **{
            "proceeding_id": uuid4(), "number": "大涌市监立〔2026〕0003号", "kind": "administrative_case", "group": "track",
            "procedure_version": "2021", "plan": "dayong", "area": None, "urgent": False, "case_id": case,
            "case_number": "大涌传联〔2026〕0003号", "parent_id": None, "agency": "commerce", "unit": None, "to_agency": None,
            "to_unit": None, "dataref": "x", "step": "approve_filing", "from_state": "filing_asked", "state": "investigating",
            "final": False, "outcome": None, "by_agency": "commerce", "by_unit": None, "by_system": False, "facts": {},
            "clocks": (ClockFact(change=change, state=change, deadline=clock_),), "awaits_agency": None,
            "awaits_unit": None, "stepped_at": at, **more,
        }
    )  # fmt: skip


async def test_a_case_filed_on_it_verifies_a_lead_and_its_extension_counts(desk: Desk) -> None:
    """D-Q1.4: 核查 ends with the decision whether to file (规定 art. 18); its extension is one act, heard of here."""
    lead, case = await desk.lead_of((await desk.tip(HELD))["tip_id"]), uuid4()
    await watch(desk)
    [(_, marked)] = await desk.events(LeadMarkedMajor.TYPE)
    due, now = marked.deadline.due, clock.now()
    opened = CaseOpened(
        case_id=case, plan="dayong", area=None, urgent=True, number="大涌传联〔2026〕0003号", lead_id=lead, kinds=("confinement",),
        parties=(PartyFact(agency="commerce", role="co"),), deadlines=(), received_at=now, opened_at=now, dataref="x",
    )  # fmt: skip

    async def tell(*events: Any) -> None:
        handlers = consumers.handlers(desk.service)
        async with db.begin(desk.service.engine) as conn:
            for event in events:
                await handlers[event.TYPE](conn, [heard(event)], now)

    later = due + timedelta(days=21)
    await tell(opened, stepped(case, "extended", later, now, step="extend_verification", state="verifying"))
    assert await watch(desk, due + timedelta(seconds=1)) == (0, 0), "extended"
    filed = stepped(case, "met", later, due + timedelta(days=2))
    await tell(filed, filed, stepped(uuid4(), "met", later, now))
    told = await read(desk, lead)
    assert (told["state"], told["outcome"], told["in_time"], told["verified_agency"]) == ("verified", "founded", True, "commerce")
    assert len(await desk.events(LeadVerified.TYPE)) == 1
    assert await watch(desk, later + timedelta(days=30)) == (0, 0)


async def test_a_refused_filing_verifies_too_and_before_a_lead_is_major(desk: Desk) -> None:
    """D-Q1.4: verified before five neighbours made it major, it owes nothing then."""
    lead, case = await desk.lead_of((await desk.tip())["tip_id"]), uuid4()
    now = clock.now()
    await desk.as_owner(
        "INSERT INTO lead_parties (case_id, agency, lead_id, number, plan, urgent, state, seen_at) "
        "VALUES ($1, 'commerce', $2, 'n', 'dayong', false, 'accepted', now())", case, lead,
    )  # fmt: skip
    handler = consumers.handlers(desk.service)[ProceedingStepped.TYPE]
    refused = stepped(case, "met", now, now, step="refuse_filing", state="not_filed", final=True, outcome="not_filed")
    async with db.begin(desk.service.engine) as conn:
        await handler(conn, [heard(refused)], now)
    await desk.as_owner("UPDATE leads SET tips = 5 WHERE id = $1", lead)
    assert await watch(desk) == (1, 0) and await desk.events(LeadMarkedMajor.TYPE) == []
    [row] = await desk.rows("SELECT state, outcome, in_time FROM lead_verifications")
    assert row == ("verified", "unfounded", None)


async def test_many_tips_make_a_lead_major_a_plain_one_is_not(desk: Desk) -> None:
    """D-Q1.4: the plan's number of tips; the clock begins when the last one of them made it major."""
    first = await desk.lead_of((await desk.tip())["tip_id"])
    assert await watch(desk) == (0, 0)
    assert (await read(desk, first, agency="commerce", unit="office", posts=("office-director",)))["state"] == "none"
    await desk.as_owner("UPDATE leads SET tips = 5, received_at = received_at - interval '300 days' WHERE id = $1", first)
    assert await watch(desk) == (1, 0), "its clock does not begin before it was major"
    [(_, marked)] = await desk.events(LeadMarkedMajor.TYPE)
    assert marked.causes == ("tips",) and marked.deadline.start == marked.marked_at


@pytest.mark.parametrize("ended", ["merged_into = (SELECT id FROM leads ORDER BY id LIMIT 1)", "closed_at = now()"])
async def test_what_was_joined_or_ended_owes_nothing_by_itself(desk: Desk, ended: str) -> None:
    """D-Q1.4: no lateness is told of a lead that lives on in another one, or whose case ended."""
    await desk.tip("青岗社区有人搞传销拉人头发展下线，每人交2900元")
    lead = await desk.lead_of((await desk.tip(HELD))["tip_id"])
    await watch(desk)
    await desk.as_owner(f"UPDATE leads SET {ended} WHERE id = $1", lead)
    assert await watch(desk, clock.now() + timedelta(days=90)) == (0, 0)


async def test_only_those_who_have_it_verify(desk: Desk) -> None:
    """D-Q1.4, D-B2: another agency neither sees nor verifies it; a liaison person may not at all."""
    lead = await desk.lead_of((await desk.tip(HEADCOUNT))["tip_id"])
    other = await desk.post(
        f"/v1/leads/{lead}/verification", desk.bearer(agency="food_drug", posts=("desk", "head")), {"outcome": "founded"}, version=0
    )
    assert other.status_code == 404
    liaison = await desk.post(
        f"/v1/leads/{lead}/verification", desk.bearer(agency="rental_mgmt", posts=("liaison",)), {"outcome": "founded"}, version=0
    )
    assert liaison.status_code == 403
    mine = await desk.post(f"/v1/leads/{lead}/verification", desk.bearer(**POLICE), {"outcome": "inconclusive"}, version=0)
    assert mine.status_code == 200 and mine.json()["in_time"] is None and not mine.json()["major"], mine.text
    page = await desk.client.get(f"/leads/{lead}", headers=desk.bearer(**POLICE) | {"accept": "text/html"})
    assert page.status_code == 200
