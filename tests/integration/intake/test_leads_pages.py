"""Pages of leads and the triage desk, without a browser: what they show and do is what the API shows and does."""

from __future__ import annotations

import re
import uuid

from tests.integration.intake.conftest import Desk

ONE = "安堂社区兴华里5栋301是“宏图伟业”商贸公司的传销窝点，宏图伟业天天拉人头"
TWO = "安堂社区金桥公寓2栋502是“宏图伟业”商贸公司的传销窝点，宏图伟业拉人头发展下线"


async def send(desk: Desk, who: dict[str, str], path: str, version: int, **fields: object):  # type: ignore[no-untyped-def]
    return await desk.client.post(
        path, headers=who, data={"idempotency_key": str(uuid.uuid4()), "version": version, **fields}
    )


async def test_the_triage_desk_leads_through_confirming_joining_and_undoing(desk: Desk) -> None:
    """D-M6, D-B2, point 3: the queue, the lead page with its reasons and rules, all within the caller's reach."""
    office = desk.bearer("commerce", ("office-staff",), unit="office", principal_id="office")
    police = desk.bearer("police", ("desk", "head"), unit="economic_crime", principal_id="p1")
    one, two = await desk.tip(ONE), await desk.tip(TWO)
    queue = (await desk.client.get("/triage", headers=police)).text
    assert f"/tips/{one['tip_id']}" in queue and f"/tips/{two['tip_id']}" in queue and "宏图伟业" in queue
    tip = (await desk.client.get(f"/tips/{one['tip_id']}", headers=police)).text
    assert 'data-key="c"' in tip and 'data-key="e"' in tip
    done = await send(desk, police, f"/tips/{one['tip_id']}/reviews", 1, act="confirm")
    assert done.status_code == 303 and done.headers["location"].endswith("/triage?done=confirmed"), done.text
    queue = (await desk.client.get("/triage", headers=police)).text
    assert f"/tips/{one['tip_id']}" not in queue
    fixed = await send(
        desk, police, f"/tips/{two['tip_id']}/reviews", 1, act="correct", relevant="yes", urgent="no",
        kinds=["headcount", "entry_fee"], area="dayong-antang", places="金桥公寓3栋502",
    )  # fmt: skip
    assert fixed.status_code == 303, fixed.text
    listed = (await desk.client.get("/leads", headers=office, params={"q": "金桥"})).text
    assert f"/leads/{two['lead_id']}" in listed and f"/leads/{one['lead_id']}" not in listed
    assert (await desk.client.get("/leads", headers=office, params={"q": "金"})).status_code == 200
    page = (await desk.client.get(f"/leads/{two['lead_id']}", headers=office)).text
    assert "金桥公寓3栋502" in page and "宏图伟业" in page and "<svg" in page
    found = re.search(r"/suggestions/([0-9a-f-]{36})", page)
    assert found
    joined = await send(
        desk, office, f"/suggestions/{found[1]}", 1, decision="accept", back=two["lead_id"]
    )
    assert joined.status_code == 303, joined.text
    home = joined.headers["location"].split("/leads/")[1].split("?")[0]
    page = (await desk.client.get(f"/leads/{home}", headers=office)).text
    undo = re.search(r'name="undoes" value="([0-9a-f-]{36})"', page)
    version = re.search(r'name="version" value="(\d+)"', page)
    assert undo and version
    stale = await send(desk, office, f"/leads/{home}/splits", 1, undoes=undo[1])
    assert stale.status_code == 412
    back = await send(desk, office, f"/leads/{home}/splits", int(version[1]), undoes=undo[1])
    assert back.status_code == 303, back.text
    both = await desk.rows("SELECT count(*) AS n FROM leads WHERE merged_into IS NULL AND tips = 1")
    assert both[0].n == 2


async def test_the_desk_of_another_agency_shows_nothing_of_it(desk: Desk) -> None:
    """Point 11: lists, counts and pages agree."""
    one = await desk.tip(ONE)
    other = desk.bearer("food_drug", ("desk", "head"), principal_id="fd")
    assert f"/tips/{one['tip_id']}" not in (await desk.client.get("/triage", headers=other)).text
    assert one["lead_id"] not in (await desk.client.get("/leads", headers=other)).text
    assert (await desk.client.get(f"/leads/{one['lead_id']}", headers=other)).status_code == 404


async def numbered(desk: Desk, lead_id: str, number: str) -> None:
    await desk.as_owner(
        "INSERT INTO lead_parties (case_id, agency, lead_id, number, plan, urgent, state, seen_at) "
        "VALUES (gen_random_uuid(), 'police', $1, $2, 'dayong', false, 'pending', now())",
        uuid.UUID(lead_id), number,
    )  # fmt: skip


async def test_people_name_a_lead_by_the_number_they_see(desk: Desk) -> None:
    """Points 3 and 11: joining and rewards take a case's number, however its brackets are typed, within reach only."""
    office = desk.bearer("commerce", ("office-director",), unit="office", principal_id="office")
    one, two = await desk.tip(ONE), await desk.tip(TWO)
    await numbered(desk, one["lead_id"], "大涌传〔2026〕0007号")
    await numbered(desk, two["lead_id"], "大涌传〔2026〕0008号")
    form = await desk.client.get("/rewards/new", headers=office, params={"lead": one["lead_id"]})
    assert 'value="大涌传〔2026〕0007号"' in form.text
    reckoned = await desk.client.post(
        "/rewards/new", headers=office,
        data={
            "act": "reckon", "lead_id": "大涌传[2026] ０００7号", "scheme": "fines", "level": "2", "fine": "100000",
            "document_no": "A-1", "idempotency_key": str(uuid.uuid4()),
        },
    )  # fmt: skip
    assert reckoned.status_code == 200 and 'id="reckoned"' in reckoned.text, reckoned.text
    wrong = await send(desk, office, f"/leads/{one['lead_id']}/merges", 1, lead_id="大涌传〔2026〕0099号")
    assert wrong.status_code == 422 and "案号" in wrong.text
    joined = await send(desk, office, f"/leads/{one['lead_id']}/merges", 1, lead_id="大涌传【2026】0008号")
    assert joined.status_code == 303, joined.text
    assert (await desk.rows("SELECT merged_into FROM leads WHERE id = :id", id=two["lead_id"]))[0].merged_into
