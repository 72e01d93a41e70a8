"""Pages of operations and supervision, as forms send them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.integration.casework import test_supervision as office
from tests.integration.casework.conftest import Desk
from tests.integration.casework.test_operations import COMMERCE, OFFICE, PLANNER, approved, change, step

SITE = {"sec-fetch-site": "same-origin"}


async def sent(desk: Desk, path: str, who: dict[str, Any], expect: int = 303, **fields: Any) -> str:
    form = {"idempotency_key": str(uuid4())} | fields
    answer = await desk.client.post(path, headers=desk.bearer(**who) | SITE, data=form)
    assert answer.status_code == expect, answer.text[:2000]
    return answer.text


async def test_the_phone_page_takes_the_roll_call_and_results(desk: Desk) -> None:
    """X-D1b, X-D7a: presence, a den with place and force, persons by role; each figure leads to its entries."""
    made = await approved(desk)
    path = f"/operations/{made['proceeding_id']}"
    api = f"/v1{path}"
    police, commerce = (await desk.get(api, desk.bearer(**COMMERCE))).json()["forces"]
    text = (await desk.get(path, desk.bearer(**COMMERCE))).text
    assert "查账封存" in text and "6</span>" in text and "我们到了" in text
    await sent(desk, f"{path}/presence", COMMERCE, force_id=commerce["force_id"], people=5)
    await sent(desk, f"{path}/presence", COMMERCE, 403, force_id=police["force_id"], people=5)
    assert (await desk.get(api, desk.bearer(**COMMERCE))).json()["present"] == 5
    early = await sent(desk, f"{path}/entries", COMMERCE, 409, kind="place")
    assert "行动未开始" in early
    await step(desk, made, "start", PLANNER)
    twice = {"kind": "den", "place": "安堂某楼 301", "force_id": police["force_id"], "idempotency_key": str(uuid4())}
    await sent(desk, f"{path}/entries", PLANNER, **twice)
    await sent(desk, f"{path}/entries", PLANNER, **twice)
    refused = await sent(desk, f"{path}/entries", PLANNER, 409, kind="den", place="安堂某楼 302")
    assert "安堂某楼 302" in refused, "what was typed stays"
    await sent(desk, f"{path}/entries", PLANNER, kind="persons", c_organiser="1", c_participant="8")
    await sent(desk, f"{path}/entries", PLANNER, 422, kind="persons", c_organiser="viele")
    await sent(desk, f"{path}/entries", PLANNER, 422, kind="persons", c_organiser="1", other="x")
    page = (await desk.get(path, desk.bearer(**COMMERCE), figure="dens")).text
    assert "安堂某楼 301" in page
    shown = (await desk.get(api, desk.bearer(**COMMERCE))).json()
    assert shown["figures"]["dens"] == 1 and shown["figures"]["persons"] == 9
    wrong = next(one["entry_id"] for one in shown["entries"] if one["kind"] == "persons")
    await sent(desk, f"{path}/entries/{wrong}/withdrawal", PLANNER)
    assert (await desk.get(api, desk.bearer(**COMMERCE))).json()["figures"]["persons"] == 0


async def test_the_planner_arranges_forces_and_names_on_the_page(desk: Desk) -> None:
    """X-D1b: who is let in sees it in the list; who is taken out no longer."""
    made = await approved(desk)
    path = f"/operations/{made['proceeding_id']}"
    assert made["number"] not in (await desk.get("/operations", desk.bearer(**OFFICE))).text
    await sent(desk, f"{path}/members", PLANNER, where="commerce/office")
    listed = (await desk.get("/operations", desk.bearer(**OFFICE))).text
    assert made["number"] in listed and "知情" in listed
    members = (await desk.get(f"/v1{path}", desk.bearer(**PLANNER))).json()["members"]
    line = next(one["member_id"] for one in members if one["unit"] == "office")
    await sent(desk, f"{path}/members/{line}/strike", PLANNER)
    assert (await desk.get(path, desk.bearer(**OFFICE))).status_code == 404
    await sent(desk, f"{path}/forces", PLANNER, whose="c-antang", people=3, task="带路", meeting_point="村委会")
    assert "村委会" in (await desk.get(path, desk.bearer(**PLANNER))).text
    await sent(desk, f"{path}/forces", PLANNER, 422, whose="nobody", people=3)
    await sent(desk, f"{path}/members", PLANNER, 422)
    own = (await desk.get(f"/proceedings/{made['proceeding_id']}", desk.bearer(**PLANNER))).text
    assert f"{path}" in own
    await change(desk, made, "members", PLANNER, {"post": "head"})


async def test_the_office_sees_who_owes_an_answer(desk: Desk) -> None:
    """D-N4: orders by kind, open, late and ended; nobody else opens the page."""
    made = await office.opened(desk, "supervision", office.OFFICE, office.ORDER, "labour")
    await office.step(desk, made, "issue_office", office.OFFICE)
    bearer = desk.bearer(**office.OFFICE)
    assert made["number"] in (await desk.get("/supervision", bearer)).text
    assert made["number"] not in (await desk.get("/supervision", bearer, show="late")).text
    assert await office.late(desk, 20 * office.DAY) == 1
    assert made["number"] in (await desk.get("/supervision", bearer, show="late")).text
    assert made["number"] not in (await desk.get("/supervision", bearer, kind="incident")).text
    assert (await desk.get("/supervision", desk.bearer(**office.LABOUR))).status_code == 403
    kinds = (await desk.get("/proceedings-new", desk.bearer(**office.LABOUR))).text
    assert "kind=incident" in kinds and "kind=supervision" not in kinds
