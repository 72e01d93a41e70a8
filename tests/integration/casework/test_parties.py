"""What intake tells of handovers, declined leads and supplements, over a real database: parties, clocks, late and early news."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.casework import commands, consumers
from shared.events import Event
from shared.events.common import PartyFact
from shared.events.handovers import (
    HandoverAccepted,
    HandoverDecided,
    LeadDeclined,
    LeadReopened,
    SupplementReceived,
    SupplementRequested,
)
from shared.kit import clock, db
from shared.kit.ids import new_id
from tests.integration.casework.conftest import Desk, lead

LED_BY_COMMERCE = (
    PartyFact(agency="commerce", unit="enforcement", role="lead"),
    PartyFact(agency="police", unit="economic_crime", role="co"),
)


def of(lead_id: UUID) -> dict[str, Any]:
    return {"lead_id": lead_id, "tip_id": None, "plan": "dayong", "area": "dayong-antang", "urgent": False}


def handed(lead_id: UUID, to: str, *, at: datetime, source: str = "commerce", unit: str | None = None, **more: Any) -> Any:
    """A handover that its receiver accepted."""
    kind = HandoverDecided if more else HandoverAccepted
    own = {"escalated_at": at, "decided_at": at} if more else {"proposed_at": at, "accepted_at": at}
    return kind(
        **of(lead_id), **own, **more, handover_id=new_id(), number="大涌传交〔2026〕0001号", from_agency=source,
        from_unit=None, to_agency=to, to_unit=unit, distributor=None, attempt=1, bounces=0, dataref="x", in_time=True,
    )  # fmt: skip


async def tell(desk: Desk, *news: Any) -> None:
    """Apply news as the consumer does, one transaction each."""
    told = consumers.handlers(desk.basis)
    for one in news:
        async with db.begin(desk.service.engine) as conn:
            now = clock.now()
            await told[one.TYPE](conn, [Event(new_id(), one.TYPE, "/dachuan/intake", one.key, now, now, None, one)], now)


async def parties(desk: Desk) -> dict[str, str]:
    return {row.agency: row.state for row in await desk.rows("SELECT agency, state FROM case_parties")}


async def names(desk: Desk) -> list[str]:
    return [type(data).__name__ for _, data in await desk.events()]


async def test_the_new_party_has_its_own_clock_and_the_former_ones_ends_only_now(desk: Desk) -> None:
    """D-A5, points 1 and 7: replaced by a handover that was accepted, with its acceptance deadline from that time."""
    one = lead(parties=LED_BY_COMMERCE)
    [case] = await desk.open(one)
    at = clock.now() + timedelta(hours=1)
    news = handed(one.lead_id, "food_drug", at=at)
    await tell(desk, news, news)
    assert await parties(desk) == {"commerce": "handed_over", "police": "pending", "food_drug": "pending"}
    rows = {(r.agency, r.state): r for r in await desk.rows("SELECT * FROM deadlines")}
    assert rows["food_drug", "running"].start == at and rows["food_drug", "running"].rule == "complaint.accept"
    assert ("commerce", "cancelled") in rows and ("police", "running") in rows
    assert (await names(desk))[1:] == ["PartyJoined", "PartyLeft"]
    told = [data for _, data in await desk.events()]
    assert told[1].role == "lead" and told[1].deadline.due == rows["food_drug", "running"].due
    # the new party accepts, the former one cannot any more
    food, shop = desk.bearer("food_drug"), desk.bearer("commerce")
    version = (await desk.get(f"/v1/cases/{case}", food)).json()["version"]
    late = await desk.accept(case, shop, version=version)
    assert late.status_code == 409 and late.json()["type"].endswith("part-ended")
    done = await desk.accept(case, food, version=version)
    assert done.status_code == 200, done.text
    assert {p["agency"]: p["state"] for p in done.json()["parties"]}["food_drug"] == "accepted"
    page = await desk.client.get(f"/cases/{case}", headers=shop | {"accept": "text/html", "accept-language": "en"})
    assert page.status_code == 200 and "移交他人承办" in page.text


async def test_a_missed_clock_stays_on_record_when_its_party_hands_over(desk: Desk) -> None:
    """Points 1 and 8, D-Q1.3: lateness is told by the owner of the clock and not undone by passing the lead on."""
    one = lead(parties=LED_BY_COMMERCE, received_at=clock.now() - timedelta(days=40))
    [case] = await desk.open(one)
    assert await desk.miss(clock.now()) == 2
    await tell(desk, handed(one.lead_id, "food_drug", at=clock.now()))
    [row] = await desk.rows("SELECT * FROM deadlines WHERE agency = 'commerce'")
    assert row.state == "cancelled" and row.missed_at is not None
    [counts] = await desk.rows("SELECT missed FROM cases WHERE id = :id", id=case)
    assert counts.missed == 1, "the police's is still open"
    waiting = (await desk.get("/v1/cases", desk.bearer("commerce"), mine=True)).json()["items"]
    assert waiting == []


async def test_the_offices_decision_binds_and_a_party_of_before_comes_back(desk: Desk) -> None:
    """Point 1: the arbiter assigns; who had handed it over and gets it again has a new clock."""
    one = lead(parties=LED_BY_COMMERCE)
    await desk.open(one)
    at = clock.now() + timedelta(hours=1)
    await tell(
        desk,
        handed(one.lead_id, "food_drug", at=at),
        handed(
            one.lead_id, "labour", at=at + timedelta(hours=2), source="food_drug", assigned_agency="commerce",
            assigned_unit="market",
        ),
    )  # fmt: skip
    assert await parties(desk) == {"commerce": "pending", "police": "pending", "food_drug": "handed_over"}
    states = sorted(r.state for r in await desk.rows("SELECT state FROM deadlines WHERE agency = 'commerce'"))
    assert states == ["cancelled", "running"]
    [row] = await desk.rows("SELECT unit, role FROM case_parties WHERE agency = 'commerce'")
    assert (row.unit, row.role) == ("market", "lead")


async def test_news_of_a_lead_may_come_before_its_case(desk: Desk) -> None:
    """Late, early and repeated events: a decision not to accept comes first, over another topic."""
    one = lead(parties=LED_BY_COMMERCE)
    now = clock.now()
    declined = LeadDeclined(
        **of(one.lead_id), agency="commerce", unit="enforcement", reason="not_pyramid", ends=True, belongs_to="consumer",
        to_agency=None, distributor=None, handover_id=None, declined_at=now,
    )  # fmt: skip
    await tell(desk, declined)
    assert len(await desk.rows("SELECT 1 FROM early_facts")) == 1
    await desk.open(one)
    assert await parties(desk) == {"commerce": "declined", "police": "pending"}
    assert await desk.rows("SELECT 1 FROM early_facts") == []
    [row] = await desk.rows("SELECT state FROM deadlines WHERE agency = 'commerce'")
    assert row.state == "met", "declining with a reason is a decision in time (D-A5)"


async def test_not_accepted_ends_the_obligation_and_new_facts_start_it_anew(desk: Desk) -> None:
    """D-A5, D-B6: the last decline closes the case; a repeat with new facts restarts the clock (令121 art. 35)."""
    one = lead(parties=LED_BY_COMMERCE)
    [case] = await desk.open(one)
    now = clock.now()
    for agency in ("commerce", "police"):
        await tell(
            desk,
            LeadDeclined(
                **of(one.lead_id), agency=agency, unit=None, reason="not_pyramid", ends=True, belongs_to=None,
                to_agency=None, distributor=None, handover_id=None, declined_at=now,
            ),
        )  # fmt: skip
    [row] = await desk.rows("SELECT state FROM cases WHERE id = :id", id=case)
    assert row.state == "closed"
    again = LeadReopened(**of(one.lead_id), agency="commerce", unit=None, reopened_at=now + timedelta(days=2))
    await tell(desk, again, again)
    [row] = await desk.rows("SELECT state FROM cases WHERE id = :id", id=case)
    assert row.state == "opened" and (await parties(desk))["commerce"] == "pending"
    fresh = await desk.rows("SELECT start FROM deadlines WHERE agency = 'commerce' AND state = 'running'")
    assert [r.start for r in fresh] == [now + timedelta(days=2)]


async def test_a_supplement_stops_the_clock_that_its_rule_names(desk: Desk) -> None:
    """D-A5, point 8: suspended and resumed, with history; the police's clock runs on."""
    one = lead(parties=LED_BY_COMMERCE)
    await desk.open(one)
    now = clock.now()
    asked = SupplementRequested(
        **of(one.lead_id), supplement_id=new_id(), agency="commerce", unit=None, suspends=("complaint.accept",),
        rule="plan.supplement_answer", due=now + timedelta(days=7), requested_at=now + timedelta(hours=1),
    )  # fmt: skip
    await tell(desk, asked, asked)
    [before] = await desk.rows("SELECT due, state FROM deadlines WHERE agency = 'commerce'")
    assert before.state == "suspended"
    assert await desk.miss(now + timedelta(days=60)) == 1, "what stands still is not missed; the police's is"
    answer = SupplementReceived(
        **of(one.lead_id), supplement_id=asked.supplement_id, agency="commerce", unit=None, outcome="received",
        requested_at=asked.requested_at, received_at=now + timedelta(days=5),
    )  # fmt: skip
    await tell(desk, answer, answer)
    [after] = await desk.rows("SELECT * FROM deadlines WHERE agency = 'commerce'")
    assert after.state == "running" and after.due > before.due and after.suspensions[0]["reason"] == "supplement"
    assert (await names(desk)).count("DeadlineMoved") == 2


async def test_a_batch_of_news_is_one_transaction_and_touches_nothing_unknown(desk: Desk) -> None:
    one = lead(parties=LED_BY_COMMERCE)
    await desk.open(one)
    stranger = handed(new_id(), "food_drug", at=clock.now())
    async with db.begin(desk.service.engine) as conn:
        await commands.apply_news(
            conn, desk.basis, [stranger, handed(one.lead_id, "food_drug", at=clock.now())], clock.now()
        )
    assert (await parties(desk))["food_drug"] == "pending"
    assert [row.lead_id for row in await desk.rows("SELECT lead_id FROM early_facts")] == [stranger.lead_id]
