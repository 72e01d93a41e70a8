"""Pages of persons and places as a browser gets them: recorded by forms, seen before shown, revisits of a community."""

from __future__ import annotations

import re

from shared.kit import clock
from shared.kit.clock import CHINA
from tests.integration.casework.conftest import Desk, lead
from tests.integration.casework.people import ago, den, den_step, found, id_number, identified, record

HTML = {"accept": "text/html", "sec-fetch-site": "same-origin"}


def signed_in(desk: Desk, **caller: object) -> dict[str, str]:
    token = desk.stack.token(**({"agency": "police", "posts": ("head",)} | caller))  # type: ignore[arg-type]
    return HTML | {"cookie": f"dachuan_session={token}"}


def fields(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form with this action."""
    form = re.search(rf'<form method="post" action="[^"]*{re.escape(action)}".*?</form>', page, re.S)
    assert form, action
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', form[0]))


def local(**past: float) -> str:
    return ago(**past).astimezone(CHINA).strftime("%Y-%m-%dT%H:%M")


async def test_an_officer_records_a_person_and_sees_at_once_that_they_were_seen_before__x_g2(desk: Desk) -> None:
    """X-G2, point 4: 曾涉传 stands on the page that answers the form; then X-D7d, D-B5a by the forms of that page."""
    one, two = await desk.open(lead(), lead())
    first = await record(desk, one, identified(1, role="backbone", name="甲小明"))
    me = signed_in(desk)
    page = (await desk.client.get(f"/cases/{two}/persons/new", headers=me)).text
    action = f"/cases/{two}/persons"
    sent = fields(page, action) | {
        "name": "甲小明", "role": "organiser", "id_kind": "resident", "id_number": id_number(1),
        "phones": "13800138000，13900139000", "found_at": local(minutes=30),
    }  # fmt: skip
    done = await desk.client.post(action, headers=me, data=sent)
    assert done.status_code == 303, done.text
    again = await desk.client.post(action, headers=me, data=sent)
    assert again.headers["location"] == done.headers["location"], "sent twice, recorded once"
    part = (await desk.client.get(done.headers["location"], headers=me)).text
    assert "曾涉传" in part and f"/cases/{one}" in part and "骨干" in part
    part_id = done.headers["location"].split("/")[-1].split("?")[0]
    step = fields(part, f"/case-persons/{part_id}/steps") | {"what": "identity_check:taken_back", "at": local(minutes=5)}
    assert (await desk.client.post(f"/case-persons/{part_id}/steps", headers=me, data=step)).status_code == 303
    outdated = step | {"idempotency_key": "7a0c7a52-9b0e-4a2e-9e39-5f9f3a5a0001"}
    assert (await desk.client.post(f"/case-persons/{part_id}/steps", headers=me, data=outdated)).status_code == 412
    part = (await desk.client.get(f"/case-persons/{part_id}", headers=me)).text
    assert "无身份证明，带回审查" in part and "《人民警察法》第九条" in part
    entry = fields(part, f"/case-persons/{part_id}/entry") | {"number": "JZ2026-77", "entry_at": local(minutes=1)}
    assert (await desk.client.post(f"/case-persons/{part_id}/entry", headers=me, data=entry)).status_code == 303
    assert "JZ2026-77" in (await desk.client.get(f"/case-persons/{part_id}", headers=me)).text
    whole = (await desk.client.get(f"/persons/{first['person_id']}", headers=me)).text
    assert "曾涉传" in whole and id_number(1) in whole
    case = (await desk.client.get(f"/cases/{two}", headers=me)).text
    assert f"/case-persons/{part_id}" in case and "涉案人员" in case


async def test_a_wrong_field_is_told_with_what_to_do(desk: Desk) -> None:
    [case] = await desk.open(lead())
    me = signed_in(desk)
    action = f"/cases/{case}/persons"
    page = (await desk.client.get(f"{action}/new", headers=me)).text
    wrong = id_number(1)[:-1] + ("0" if id_number(1)[-1] != "0" else "1")
    sent = fields(page, action) | {"name": "乙某", "role": "participant", "id_kind": "resident", "id_number": wrong, "found_at": local(hours=1)}
    told = await desk.client.post(action, headers=me, data=sent)
    assert told.status_code == 422 and "校验位不符" in told.text and wrong not in told.text


async def test_lists_find_without_a_name_in_the_address(desk: Desk) -> None:
    [case] = await desk.open(lead())
    await record(desk, case, identified(1, name="欧阳小明"))
    me = signed_in(desk)
    page = (await desk.client.get("/persons", headers=me)).text
    assert "欧阳小明" in page and "未录入警综" in page
    for narrowed, seen in (("open=entry", True), ("open=follow_up", False), ("role=landlord", False)):
        assert ("欧阳小明" in (await desk.client.get(f"/persons?{narrowed}", headers=me)).text) is seen
    searched = await desk.client.post("/persons/search", headers=me, data=fields(page, "/persons/search") | {"name": "小明"})
    assert searched.status_code == 200 and "欧阳小明" in searched.text
    stranger = signed_in(desk, plan="xiyuan")
    beyond = await desk.client.post("/persons/search", headers=stranger, data=fields(page, "/persons/search") | {"id_number": id_number(1)})
    assert "此人在其他案件中登记过" in beyond.text and "欧阳小明" not in beyond.text
    assert (await desk.client.get("/persons", headers=signed_in(desk, agency="finance"))).status_code == 403


async def test_a_den_by_forms_to_its_revisit_by_the_community__x_d7a__x_d9(desk: Desk) -> None:
    """X-D7a, X-D9, X-G2: found and cleared by forms; the community worker finds people back; the office sees the trend."""
    [case] = await desk.open(lead())
    me = signed_in(desk)
    action = f"/cases/{case}/dens"
    page = (await desk.client.get(f"{action}/new", headers=me)).text
    sent = fields(page, action) | {"kind": "rental", "address": "青岗花园12栋301", "area": "dayong-antang", "found_at": local(hours=3), "officers": "6", "persons": "9"}
    done = await desk.client.post(action, headers=me, data=sent)
    assert done.status_code == 303, done.text
    den_id = done.headers["location"].split("/")[-1].split("?")[0]
    page = (await desk.client.get(f"/dens/{den_id}", headers=me)).text
    step = fields(page, f"/dens/{den_id}/steps") | {"step": "clear", "at": local(hours=2), "officers": "4"}
    assert (await desk.client.post(f"/dens/{den_id}/steps", headers=me, data=step)).status_code == 303
    assert "已捣毁" in (await desk.client.get(f"/dens/{den_id}", headers=me)).text
    worker = signed_in(desk, agency="c-antang", posts=("community-worker",), areas=("dayong-antang",))
    tasks = (await desk.client.get("/revisits", headers=worker)).text
    task = re.findall(r"/revisits/([0-9a-f-]{36})", tasks)[0]
    assert "青岗花园12栋301" in tasks
    page = (await desk.client.get(f"/revisits/{task}", headers=worker)).text
    outcome = fields(page, f"/revisits/{task}/outcome") | {"outcome": "people_back", "at": local()}
    assert (await desk.client.post(f"/revisits/{task}/outcome", headers=worker, data=outcome)).status_code == 303
    assert (await desk.client.get("/places", headers=worker)).status_code == 403
    listed = (await desk.client.get("/places?again=1", headers=me)).text
    assert "死灰复燃" in listed and "青岗花园12栋301" in listed
    place = re.findall(r"/places/([0-9a-f-]{36})", listed)[0]
    assert "捣毁后死灰复燃" in (await desk.client.get(f"/places/{place}", headers=me)).text
    office = signed_in(desk, agency="commerce", posts=("office-director",))
    assert "安堂社区" in (await desk.client.get("/recurrences", headers=office)).text


async def test_the_network_is_a_picture_and_a_table(desk: Desk) -> None:
    [case] = await desk.open(lead())
    place = await found(desk, case, den("青岗花园<12栋>'301\""))
    await den_step(desk, place, "clear", at=clock.now())
    await record(desk, case, identified(1, name="甲某", place_id=place["place_id"]))
    two = await record(desk, case, identified(2, name="乙某", role="landlord", place_id=place["place_id"]))
    for path in (f"/places/{place['place_id']}", f"/persons/{two['person_id']}"):
        page = (await desk.client.get(path, headers=signed_in(desk))).text
        assert "data-network" in page and "network.js" in page and "<12栋>" not in page
        assert "查获于" in page and "甲某" in page
