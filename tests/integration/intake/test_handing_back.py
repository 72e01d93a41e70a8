"""What a line distributed and is not ours goes back to it, by one act or by the plan's rule; facts added later meet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.intake.commands import handovers as commands
from shared.events.handovers import HandoverAccepted, HandoverProposed
from shared.events.intake import LeadOpened
from shared.events.leads import LeadJoined
from shared.kit import clock, db
from tests.integration.intake.conftest import Desk

LAMP = "楼下路灯坏了一个月，晚上很黑，请尽快维修"
DEN = "安堂社区兴华里5栋301是传销窝点，天天拉人头发展下线，每人交3900元"
MORE = "补充：就是安堂社区兴华里5栋301，里面在搞传销拉人头，天天上课发展下线"


@pytest.fixture
def office(desk: Desk) -> dict[str, str]:
    return desk.bearer("commerce", ("office-staff",), unit="office", principal_id="office-1")


async def sent(desk: Desk, said: str = LAMP, channel: str = "12345", **more: Any) -> dict[str, Any]:
    return await desk.tip(said, channel=channel, **({"external_ref": "GD-2026-7"} | more))


async def by_rule(desk: Desk, after: timedelta) -> int:
    async with db.begin(desk.service.engine) as conn:
        return await commands.hand_back_by_rule(conn, desk.app.state.handover_rules, clock.now() + after)


async def receipt(desk: Desk, number: str) -> dict[str, Any]:
    answer = await desk.client.post("/v1/receipts", json={"receipt": number})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_it_goes_back_by_itself_after_the_plans_time(desk: Desk) -> None:
    """Points 1 and 7, D-N4: what 12345 sent and is not ours is 12345's again, once, under its number, with both clocks kept."""
    tip = await sent(desk)
    assert (await receipt(desk, tip["receipt"]))["outcome"] == "referred"
    assert await by_rule(desk, timedelta(hours=23)) == 0, "an officer has the plan's time to read it otherwise"
    assert await by_rule(desk, timedelta(hours=25)) == 1
    assert await by_rule(desk, timedelta(hours=26)) == 0
    [row] = await desk.rows("SELECT * FROM handovers")
    assert row.state == "accepted" and row.distributor == "12345" and row.their_number == "GD-2026-7"
    assert row.from_agency == "commerce" and row.answered_at <= row.due
    [(_, proposed)], [(_, accepted)] = await desk.events(HandoverProposed.TYPE), await desk.events(HandoverAccepted.TYPE)
    assert proposed.distributor == accepted.distributor == "12345" and accepted.in_time and str(accepted.tip_id) == tip["tip_id"]
    told = await receipt(desk, tip["receipt"])
    assert told["outcome"] == "handed_back" and "退回" in told["words"]["zh"] and told["may_contest"]
    assert told["steps"][-2]["code"] == "handed_back"


async def test_nothing_urgent_ours_or_from_a_citizen_goes_back_by_itself(desk: Desk) -> None:
    """Point 2, D-A5: somebody in danger, a lead, a citizen's own report, and a line whose items an officer returns."""
    await sent(desk, DEN)
    await sent(desk, channel="petition")
    await desk.report(LAMP)
    held = await sent(desk, "救命，我被关在屋里不让出门，门反锁了，手机要被收走")
    assert held["urgent"]
    assert await by_rule(desk, timedelta(days=9)) == 0


async def test_one_act_of_an_officer_hands_it_back(desk: Desk, office: dict[str, str]) -> None:
    """Point 7: one button on the tip's page; the same request twice does it once; nobody else may."""
    tip = await sent(desk, channel="petition")
    at = f"/v1/tips/{tip['tip_id']}/hand-back"
    assert (await desk.post(at, desk.bearer("food_drug", ("desk",)), version=1)).status_code in (403, 404)
    assert (await desk.post(at, office, version=9)).status_code == 412
    page = await desk.client.get(f"/tips/{tip['tip_id']}", headers=office | {"accept": "text/html"})
    assert f"/tips/{tip['tip_id']}/hand-back" in page.text
    for _ in range(2):
        made = await desk.post(at, office, version=1, key="hand-back-once")
        assert made.status_code == 201 and made.json()["state"] == "accepted", made.text
    again = await desk.post(at, office, version=2)
    assert again.status_code == 409 and again.json()["type"].endswith("handed-back")
    page = await desk.client.get(f"/tips/{tip['tip_id']}", headers=office | {"accept": "text/html"})
    assert f"/tips/{tip['tip_id']}/hand-back" not in page.text
    assert await by_rule(desk, timedelta(days=9)) == 0


async def test_what_no_line_sent_or_is_a_lead_is_refused_clearly(desk: Desk, office: dict[str, str]) -> None:
    """Point 7: a clear answer, and nothing is changed."""
    own = await desk.tip(LAMP)
    answer = await desk.post(f"/v1/tips/{own['tip_id']}/hand-back", office, version=1)
    assert answer.status_code == 409 and answer.json()["type"].endswith("no-distributor")
    lead = await sent(desk, DEN)
    police = desk.bearer("police", ("desk",))
    answer = await desk.post(f"/v1/tips/{lead['tip_id']}/hand-back", police, version=1)
    assert answer.status_code == 409 and answer.json()["type"].endswith("not-to-hand-back")
    assert await desk.rows("SELECT id FROM handovers") == []


async def test_facts_added_later_join_the_lead_about_the_target(desk: Desk) -> None:
    """D-M6, point 3: an addition that makes a tip a lead joins the lead that stands, with no case of its own."""
    there = await desk.tip(DEN)
    vague = await desk.report("我们小区楼道灯坏了，请尽快维修")
    added = await desk.client.post("/v1/receipts/messages", json={"receipt": vague["receipt"], "text": MORE})
    assert added.status_code == 201, added.text
    [row] = await desk.rows("SELECT lead_id, tips FROM tips JOIN leads ON leads.id = lead_id WHERE channel = 'web'")
    assert (str(row.lead_id), row.tips) == (there["lead_id"], 2)
    assert len(await desk.events(LeadOpened.TYPE)) == 1 and len(await desk.events(LeadJoined.TYPE)) == 1


async def test_a_lead_that_learns_its_target_later_has_the_other_suggested(desk: Desk) -> None:
    """D-M6, point 3: two leads with cases do not join by themselves; an officer is asked."""
    there = await desk.tip(DEN)
    vague = await desk.report("有人搞传销拉人头发展下线，每人交三千九百元，请查处")
    assert await desk.rows("SELECT id FROM lead_suggestions") == []
    added = await desk.client.post("/v1/receipts/messages", json={"receipt": vague["receipt"], "text": MORE})
    assert added.status_code == 201, added.text
    [one] = await desk.rows("SELECT * FROM lead_suggestions")
    assert one.state == "open" and one.kind == "same" and there["lead_id"] in (str(one.lead_id), str(one.other_id))
    again = await desk.client.post("/v1/receipts/messages", json={"receipt": vague["receipt"], "text": MORE})
    assert again.status_code == 201 and len(await desk.rows("SELECT id FROM lead_suggestions")) == 1


async def test_an_officer_who_corrects_to_urgent_rings_at_once(desk: Desk) -> None:
    """Point 2, D-B2: a calm reading corrected to urgent opens a lead on the fast lane that takes the calm one in."""
    tip = await desk.tip(DEN)
    police = desk.bearer("police", ("desk",))
    answer = await desk.post(
        f"/v1/tips/{tip['tip_id']}/reviews", police, {"urgent": True, "kinds": ["confinement"]}, version=1
    )
    assert answer.status_code == 200 and answer.json()["effect"] == "raise", answer.text
    opened = [event for _, event in await desk.events(LeadOpened.TYPE)]
    assert [event.urgent for event in opened] == [False, True]
    assert answer.json()["lead_id"] == str(opened[1].lead_id)


async def test_a_lead_joined_with_another_is_not_handed_over_but_its_offer_is_answered(
    desk: Desk, office: dict[str, str]
) -> None:
    """Points 1 and 3: a clear answer names the lead that lives on; what was offered before keeps its clock and its answer."""
    police, commerce = desk.bearer("police", ("desk",)), desk.bearer("commerce", ("desk",), principal_id="c-1")
    one = await desk.tip(DEN)
    two = await desk.tip("青岗社区有人搞传销拉人头发展下线，每人交2900元，在青岗村委会旁边")
    body = {"to_agency": "commerce", "to_unit": "enforcement", "reason": "not_our_duty"}
    offered = (await desk.post(f"/v1/leads/{one['lead_id']}/handovers", police, body)).json()
    version = (await desk.rows("SELECT version FROM leads WHERE id = :id", id=two["lead_id"]))[0].version
    joined = await desk.post(f"/v1/leads/{two['lead_id']}/merges", office, {"lead_id": one["lead_id"]}, version=version)
    assert joined.status_code == 200, joined.text
    refused = await desk.post(f"/v1/leads/{one['lead_id']}/handovers", office, body | {"from_agency": "police"})
    assert refused.status_code == 409 and refused.json()["type"].endswith("lead-merged"), refused.text
    assert refused.json()["lead_id"] == two["lead_id"]
    page = await desk.client.get(f"/leads/{one['lead_id']}", headers=police | {"accept": "text/html"})
    assert page.status_code == 200 and f'/leads/{one["lead_id"]}/handovers"' not in page.text
    done = await desk.post(f"/v1/handovers/{offered['handover_id']}/accept", commerce, {"number": "大市监〔2026〕1号"}, version=1)
    assert done.status_code == 200 and done.json()["state"] == "accepted", done.text
    rows = await desk.rows("SELECT id, agency FROM leads ORDER BY received_at")
    assert {str(row.id): row.agency for row in rows} == {one["lead_id"]: "commerce", two["lead_id"]: "police"}
