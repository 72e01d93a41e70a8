"""Leads that intake joined: no second case, and cases that go together keep both numbers."""

from __future__ import annotations

from services.casework.commands import count_signals, note_merged, note_split
from shared.events.leads import LeadJoined, LeadMerged, LeadSplit
from shared.kit import clock, db
from shared.kit.ids import new_id
from tests.integration.casework.conftest import Desk, lead


def about(one, **more):  # type: ignore[no-untyped-def]
    return {
        "lead_id": one.lead_id, "plan": one.plan, "area": one.area, "agency": one.agency, "unit": one.unit,
        "dataref": one.dataref, **more,
    }  # fmt: skip


async def apply(desk: Desk, *events) -> None:  # type: ignore[no-untyped-def]
    now = clock.now()
    for event in events:
        async with db.begin(desk.service.engine) as conn:
            if isinstance(event, LeadJoined):
                await count_signals(conn, [event])
            elif isinstance(event, LeadMerged):
                await note_merged(conn, [event], now)
            else:
                await note_split(conn, [event], now)


def meeting(into, other):  # type: ignore[no-untyped-def]
    now, join_id = clock.now(), new_id()
    merged = LeadMerged(
        **about(into, join_id=join_id, merged_lead_id=other.lead_id, automatic=False, urgent=False, tips=2,
                first_received_at=now, merged_at=now)
    )  # fmt: skip
    split = LeadSplit(
        **about(into, join_id=new_id(), undoes=join_id, split_lead_id=other.lead_id, tips_left=1, tips_moved=1,
                split_at=now)
    )  # fmt: skip
    return merged, split


async def test_merged_leads_cases_go_together_with_both_numbers_and_clocks(desk: Desk) -> None:
    """D-N3, point 3: joining ends no duty: each case keeps its number and its running clocks."""
    one, two = lead(), lead()
    a, b = await desk.open(one, two)
    before = [(await desk.get(f"/v1/cases/{case}", desk.bearer())).json() for case in (a, b)]
    merged, split = meeting(one, two)
    await apply(desk, merged, merged)
    first, second = [(await desk.get(f"/v1/cases/{case}", desk.bearer())).json() for case in (a, b)]
    assert [(t["number"], t["into"]) for t in first["together"]] == [(second["number"], False)]
    assert [(t["number"], t["into"]) for t in second["together"]] == [(first["number"], True)]
    assert first["signals"] == 2
    assert [c["deadlines"] for c in (first, second)] == [c["deadlines"] for c in before]
    page = await desk.client.get(f"/cases/{a}", headers=desk.bearer())
    assert second["number"] in page.text
    await apply(desk, split, merged)
    first = (await desk.get(f"/v1/cases/{a}", desk.bearer())).json()
    assert first["together"] == []


async def test_news_of_meetings_comes_in_any_order(desk: Desk) -> None:
    """Point 12: an undoing before its joining, and both before the cases: the last state is the same."""
    one, two = lead(), lead()
    merged, split = meeting(one, two)
    await apply(desk, split, merged)
    a, _ = await desk.open(one, two)
    assert (await desk.get(f"/v1/cases/{a}", desk.bearer())).json()["together"] == []


async def test_a_joined_tip_opens_no_second_case_and_is_counted_once(desk: Desk) -> None:
    """Point 3: many voices, one case; repeated news counts once."""
    one = lead()
    [case] = await desk.open(one)
    now = clock.now()
    joined = LeadJoined(
        **about(one, tip_id=new_id(), kinds=("headcount",), urgent=False, channel="web", score=95, automatic=True,
                tips=3, received_at=now, first_received_at=now)
    )  # fmt: skip
    await apply(desk, joined, joined)
    assert (await desk.get(f"/v1/cases/{case}", desk.bearer())).json()["signals"] == 3
    assert len(await desk.rows("SELECT 1 FROM cases")) == 1
