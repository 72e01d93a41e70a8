"""Deadlines of all services: reminded of in time, with reason and number, and silent as soon as they are met."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from services.notify.commands import clocks, reminders
from services.notify.commands.reminders import Ticked
from shared.events import EventData
from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed, DeadlineMoved
from shared.events.common import DeadlineFact, PartyFact
from shared.events.documents import DocumentIssued, DocumentWithdrawn
from shared.events.followups import LeadMarkedMajor, LeadVerified
from shared.events.handovers import HandoverAccepted, HandoverProposed
from shared.events.proceedings import ClockFact, ProceedingOpened, ProceedingStepped
from shared.kit import db
from shared.kit.ids import new_id
from shared.rules.calendar import SHANGHAI
from tests.integration.notify.conftest import House

BASE = "http://127.0.0.1:8300/v1"
NUMBER = "涌督〔2026〕0007号"


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)


START = local(2026, 3, 10, 9)
"""A Tuesday."""
DUE = local(2026, 3, 17, 23, 59, 59)
"""The Tuesday after."""


class Order:
    """A supervision order (督办) whose reply the commerce enforcement owes by DUE."""

    def __init__(self, number: str = NUMBER, agency: str = "commerce", unit: str | None = "enforcement") -> None:
        self.id, self.clock, self.number, self.agency, self.unit = new_id(), new_id(), number, agency, unit

    def fact(self, due: datetime = DUE) -> DeadlineFact:
        return DeadlineFact(
            deadline_id=self.clock, kind="reply", agency=self.agency, unit=self.unit, rule="plan.supervision_reply",
            calendar="c", start=START, due=due,
        )  # fmt: skip

    def _base(self) -> dict[str, Any]:
        return {
            "proceeding_id": self.id, "number": self.number, "kind": "supervision", "group": "supervision",
            "procedure_version": "1", "plan": "dayong", "area": None, "urgent": False, "case_id": None, "case_number": None,
            "parent_id": None, "agency": "commerce", "unit": "office", "to_agency": self.agency, "to_unit": self.unit,
            "dataref": f"{BASE}/proceedings/{self.id}",
        }  # fmt: skip

    def opened(self) -> ProceedingOpened:
        clock = ClockFact(change="started", state="running", deadline=self.fact())
        return ProceedingOpened(
            **self._base(), state="sent", facts={}, clocks=(clock,), awaits_agency=None, awaits_unit=None, opened_at=START
        )

    def stepped(self, change: Any, state: str, at: datetime, due: datetime = DUE) -> ProceedingStepped:
        clock = ClockFact(change=change, state=state, deadline=self.fact(due))
        return ProceedingStepped(
            **self._base(), step="s", from_state="sent", state="x", final=state == "met", outcome=None,
            by_agency=self.agency, by_unit=self.unit, by_system=False, facts={}, clocks=(clock,), awaits_agency=None,
            awaits_unit=None, stepped_at=at,
        )  # fmt: skip


async def tick(house: House, at: datetime) -> Ticked:
    async with db.begin(house.service.engine) as conn:
        return await reminders.tick(conn, house.service, at)


async def reminded(house: House) -> list[tuple[Any, ...]]:
    rows = await house.rows(
        "SELECT template, number, agency, unit, rule, state FROM notices WHERE reminds IS NOT NULL ORDER BY seq"
    )
    return [tuple(row) for row in rows]


def line(stage: str, state: str = "waiting") -> tuple[Any, ...]:
    return (f"deadline.{stage}", NUMBER, "commerce", "enforcement", "plan.supervision_reply", state)


async def test_a_supervision_order_is_reminded_of_until_it_is_answered(house: House) -> None:
    """D-N4: 督办: the day before, on the day, and after it, each with the number and the rule; the answer ends them at once."""
    order = Order()
    await house.tell(order.opened())
    assert await tick(house, local(2026, 3, 16, 8, 29)) == Ticked(0, 0)
    assert await tick(house, local(2026, 3, 16, 8, 30)) == Ticked(1, 1)
    assert await tick(house, local(2026, 3, 16, 9)) == Ticked(0, 0), "once"
    assert await reminded(house) == [line("soon")]
    await tick(house, local(2026, 3, 17, 8, 30))
    assert await reminded(house) == [line("soon", "done"), line("due")], "the later takes the place of the earlier"
    await tick(house, local(2026, 3, 18, 8, 30))
    assert (await reminded(house))[-1] == line("overdue")
    desk = house.bearer(agency="commerce", unit="enforcement", posts=("investigator",))
    page = await house.client.get("/", headers=desk | {"accept": "text/html"})
    assert NUMBER in page.text and "督办事项答复" in page.text and f"/proceedings/{order.id}" in page.text
    await house.tell(order.stepped("met", "met_late", local(2026, 3, 18, 9)))
    assert {row[-1] for row in await reminded(house)} == {"done"}
    assert await tick(house, local(2026, 4, 30, 9)) == Ticked(0, 0)


async def test_a_clock_that_stands_still_moves_its_reminders(house: House) -> None:
    """Point 8: suspended: nothing is asked for meanwhile; it runs again and is reminded of by its new moment alone."""
    order = Order()
    await house.tell(order.opened())
    await tick(house, local(2026, 3, 16, 8, 30))
    await house.tell(order.stepped("suspended", "suspended", local(2026, 3, 16, 10)))
    assert await reminded(house) == [line("soon", "done")]
    assert await tick(house, local(2026, 3, 18, 12)) == Ticked(0, 0)
    later = local(2026, 3, 26, 23, 59, 59)
    await house.tell(order.stepped("resumed", "running", local(2026, 3, 20, 9), later))
    assert await tick(house, local(2026, 3, 24, 12)) == Ticked(0, 0)
    assert await tick(house, local(2026, 3, 25, 8, 30)) == Ticked(1, 1)
    assert await reminded(house) == [line("soon", "done"), line("soon")]


async def test_what_is_met_before_it_is_known_is_never_reminded_of(house: House) -> None:
    """Point 8: the end comes first, the beginning later and twice: no reminder at any time."""
    order = Order()
    await house.tell(order.stepped("met", "met", local(2026, 3, 12, 9)))
    await house.tell(order.opened())
    await house.tell(order.opened(), order.stepped("met", "met", local(2026, 3, 12, 9)))
    assert await tick(house, local(2026, 5, 1, 9)) == Ticked(0, 0)
    [row] = await house.rows("SELECT standing, next_at, matter FROM clocks")
    assert tuple(row) == ("met", None, "proceeding")


async def test_any_order_of_events_leaves_one_register(house: House) -> None:
    """Point 8: set, suspended, resumed, missed and met of forty orders, shuffled, repeated and in batches: one final state."""
    chance = random.Random(20260310)
    orders = [Order(number=str(n)) for n in range(40)]
    told: list[EventData] = []
    for order in orders:
        events: list[EventData] = [order.opened()]
        at, due = START, DUE
        for _ in range(chance.randrange(3)):
            at += timedelta(hours=chance.randrange(1, 20))
            events.append(order.stepped("suspended", "suspended", at, due))
            at, due = at + timedelta(hours=chance.randrange(1, 20)), due + timedelta(days=1)
            if chance.random() < 0.8:
                events.append(order.stepped("resumed", "running", at, due))
        if chance.random() < 0.5:
            events.append(order.stepped("met", "met", at + timedelta(hours=1), due))
        told += events
    seen = []
    for shuffled in (told, _mixed(told, chance), _mixed(told, chance)):
        await house.run("DELETE FROM clocks")
        for start in range(0, len(shuffled), 17):
            async with db.begin(house.service.engine) as conn:
                await clocks.note(conn, house.service, shuffled[start : start + 17])
        rows = await house.rows("SELECT id, standing, due, at, next_at, number, closed FROM clocks ORDER BY number, id")
        seen.append([tuple(row) for row in rows])
    assert seen[0] == seen[1] == seen[2] and len(seen[0]) == 40
    assert {row[1] for row in seen[0]} >= {"running", "suspended", "met"}


def _mixed(events: Sequence[EventData], chance: random.Random) -> list[EventData]:
    again = [*events, *chance.sample(list(events), len(events) // 3)]
    chance.shuffle(again)
    return again


def a_case() -> tuple[CaseOpened, DeadlineFact]:
    due = DeadlineFact(
        deadline_id=new_id(), kind="accept", agency="police", unit="command_centre", rule="plan.police_acceptance",
        calendar="c", start=START, due=START + timedelta(hours=24),
    )  # fmt: skip
    opened = CaseOpened(
        case_id=new_id(), plan="dayong", area="dayong-antang", urgent=False, number=NUMBER, lead_id=new_id(),
        kinds=("headcount",), parties=(PartyFact(agency="police", unit="command_centre", role="lead"),), deadlines=(due,),
        received_at=START, opened_at=START, dataref=f"{BASE}/cases/x",
    )  # fmt: skip
    return opened, due


async def test_short_clocks_and_owners_own_word(house: House) -> None:
    """D-B6: a day's clock is reminded of with a quarter left; missed, its owner's notice speaks, not a second one of ours."""
    opened, due = a_case()
    facts = {"case_id": opened.case_id, "plan": "dayong", "area": None, "urgent": False, "number": NUMBER}
    await house.tell(opened)
    assert await tick(house, START + timedelta(hours=18)) == Ticked(1, 1)
    await house.tell(
        DeadlineMissed(**facts, agency="police", unit="command_centre", deadline=due, missed_at=due.due + timedelta(seconds=2))
    )
    assert [row[0::5] for row in await reminded(house)] == [("deadline.soon", "done")]
    assert await tick(house, due.due + timedelta(days=3)) == Ticked(0, 0)
    [missed] = await house.rows("SELECT count(*) AS n FROM notices WHERE template = 'deadline.missed'")
    assert missed.n == 1
    await house.tell(
        CaseAccepted(**facts, agency="police", unit="command_centre", deadline=due, accepted_at=due.due + timedelta(hours=2), in_time=False)
    )
    assert [row.standing for row in await house.rows("SELECT standing FROM clocks")] == ["met_late"]


async def test_every_kind_of_clock_comes_into_the_register(house: House) -> None:
    """Point 8: acceptance, verification, handover, service of a document: told by their owners, ended by theirs."""
    opened, due = a_case()
    await house.tell(opened)
    case = {"case_id": opened.case_id, "plan": "dayong", "area": None, "urgent": False, "number": NUMBER, "lead_id": opened.lead_id}
    await house.tell(DeadlineMoved(**case, agency="police", unit="command_centre", change="suspended", deadline=due, moved_at=START + timedelta(hours=1)))
    lead = {
        "lead_id": new_id(), "plan": "dayong", "area": None, "agency": "police", "unit": None, "urgent": False,
        "causes": ("tips",), "dataref": f"{BASE}/leads/x",
    }  # fmt: skip
    clock = DeadlineFact(deadline_id=lead["lead_id"], kind="verification", agency="police", rule="penalty.verify", calendar="c", start=START, due=DUE)
    await house.tell(LeadMarkedMajor(**lead, deadline=clock, marked_at=START))
    handover = {
        "handover_id": new_id(), "lead_id": lead["lead_id"], "tip_id": None, "plan": "dayong", "area": None, "urgent": False,
        "number": "大涌传交〔2026〕0001号", "from_agency": "commerce", "from_unit": None, "to_agency": "police", "to_unit": None,
        "distributor": None, "attempt": 1, "bounces": 0, "dataref": f"{BASE}/handovers/x",
    }  # fmt: skip
    await house.tell(
        HandoverProposed(
            **handover, kinds=(), reason="not_our_duty", previous_id=None, rule="plan.handover_answer_police",
            due=START + timedelta(hours=24), provisional=False, proposed_at=START,
        )
    )  # fmt: skip
    document = {
        "document_id": new_id(), "case_id": opened.case_id, "proceeding_id": None, "plan": "dayong", "area": None,
        "kind": "decision", "number": "涌市监罚〔2026〕1号", "issuer": "commerce", "agency": "commerce", "unit": "enforcement",
        "confidential": "criminal", "dataref": f"{BASE}/documents/x",
    }  # fmt: skip
    service = DeadlineFact(deadline_id=new_id(), kind="serve", agency="commerce", unit="enforcement", rule="penalty.serve", calendar="c", start=START, due=DUE)
    await house.tell(DocumentIssued(**document, digest="0" * 64, deadline=service, issued_at=START))
    kept = await house.rows("SELECT matter, standing, number FROM clocks ORDER BY matter")
    assert [tuple(row) for row in kept] == [
        ("case", "suspended", NUMBER), ("document", "running", ""), ("handover", "running", handover["number"]),
        ("lead", "running", ""),
    ], "a confidential document's number is not for the office's list"  # fmt: skip
    await house.tell(HandoverAccepted(**handover, proposed_at=START, accepted_at=START + timedelta(hours=2), in_time=True))
    await house.tell(LeadVerified(**lead, outcome="founded", in_time=True, verified_at=START + timedelta(days=1)))
    await house.tell(DocumentWithdrawn(**document, was_served=False, withdrawn_at=START + timedelta(days=1)))
    ended = await house.rows("SELECT matter, standing FROM clocks WHERE closed ORDER BY matter")
    assert [tuple(row) for row in ended] == [("document", "cancelled"), ("handover", "met"), ("lead", "met")]
    assert await tick(house, local(2026, 6, 1, 9)) == Ticked(0, 0)


async def digest(house: House, at: datetime) -> int:
    async with db.begin(house.service.engine) as conn:
        return await reminders.digest(conn, house.service, "dayong", at)


async def test_the_rest_comes_in_one_digest_a_working_day(house: House) -> None:
    """D-N4: at the plan's hour, once, to each unit with something on its list; the next day's takes its place."""
    for number in range(3):
        await house.tell(Order(number=str(number)).opened())
    await house.tell(Order(number="9", agency="police", unit=None).opened())
    assert await digest(house, local(2026, 3, 16, 8, 29)) == 0
    assert await digest(house, local(2026, 3, 16, 8, 30)) == 2
    assert await digest(house, local(2026, 3, 16, 9)) == 0, "one a day"
    assert await digest(house, local(2026, 3, 15, 12)) == 0, "none on a Sunday"
    [one] = await house.rows("SELECT items, parts, number FROM notices WHERE template = 'deadline.digest' AND unit = 'enforcement'")
    assert tuple(one) == (3, {"overdue": 0, "today": 0, "soon": 3}, "2026-03-16")
    assert await digest(house, local(2026, 3, 18, 8, 30)) == 2
    rows = await house.rows("SELECT number, state, parts->>'overdue' AS late FROM notices WHERE template = 'deadline.digest' AND agency = 'police' ORDER BY seq")
    assert [tuple(row) for row in rows] == [("2026-03-16", "done", "0"), ("2026-03-18", "waiting", "1")]


async def test_deadlines_are_listed_for_those_whose_they_are(house: House) -> None:
    """Point 11, D-O1: a unit sees its own, the office sees all of the plan, the most overdue first."""
    await house.tell(Order(number="1").opened(), Order(number="2", agency="police", unit=None).opened())

    async def seen(**who: Any) -> list[str]:
        answer = await house.client.get("/v1/deadlines", headers=house.bearer(**who))
        assert answer.status_code == 200, answer.text
        return [one["number"] for one in answer.json()["items"]]

    assert await seen(agency="commerce", unit="enforcement", posts=("investigator",)) == ["1"]
    assert sorted(await seen(agency="commerce", unit="office", posts=("office-director",))) == ["1", "2"]
    assert await seen(agency="labour", posts=("desk",)) == []
    page = await house.client.get("/deadlines", headers=house.bearer(agency="police", posts=("desk",)) | {"accept": "text/html"})
    assert page.status_code == 200 and "督办事项答复" in page.text
