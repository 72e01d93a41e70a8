"""Posts, deputies, leave and contacts: kept by the office, sealed where they must be, and recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from shared.kit import clock
from shared.kit.ids import new_id
from shared.rules.calendar import local_day
from tests.integration.notify.conftest import House, told
from tests.integration.notify.test_ladder import grant_leave, seat

PHONE = "13900000001"


def office(house: House) -> dict[str, str]:
    return house.bearer(agency="commerce", unit="office", posts=("office-director",))


def fresh(version: int | None = None) -> dict[str, str]:
    key = {"idempotency-key": str(new_id())}
    return key if version is None else key | {"if-match": f'"{version}"'}


async def put_seat(house: House, who: dict[str, str], version: int, **body: Any) -> httpx.Response:
    wanted = {"agency": "police", "unit": "command_centre", "post": "desk"} | body
    return await house.client.put("/v1/seats", json=wanted, headers=who | fresh(version))


async def test_the_office_names_deputies_of_every_post(house: House) -> None:
    """D-O1: the list shows holders, deputies and leave; a change on an old page is refused; the same key again does nothing twice."""
    holder, deputy = await house.officer("holder"), await house.officer("deputy", posts=("investigator",))
    await seat(house, deputy)
    listed = (await house.client.get("/v1/seats", headers=office(house))).json()
    [mine] = [one for one in listed if one["post"] == "desk"]
    assert mine["deputy_id"] == str(deputy) and mine["holders"][0]["account_id"] == str(holder) and mine["manned"]
    stale = await put_seat(house, office(house), 0, deputy_id=None)
    assert stale.status_code == 412
    headers = office(house) | fresh(1)
    body = {"agency": "police", "unit": "command_centre", "post": "desk", "deputy_id": None}
    for _ in range(2):
        again = await house.client.put("/v1/seats", json=body, headers=headers)
        assert again.status_code == 200 and again.json()["version"] == 2
    [count] = await house.rows("SELECT count(*) AS n FROM audit WHERE action = 'seat.set'")
    assert count.n == 2, "set once and cleared once"


async def test_what_the_plan_does_not_know_is_refused(house: House) -> None:
    """D-O1: no post, unit or deputy from nowhere; nothing is kept."""
    wrong: list[dict[str, Any]] = [{"post": "king"}, {"unit": "moon"}, {"deputy_id": str(new_id())}]
    for body in wrong:
        assert (await put_seat(house, office(house), 0, **body)).status_code == 422
    assert await house.rows("SELECT id FROM seats") == []


async def test_heads_arrange_their_own_agency_and_nobody_else(house: House) -> None:
    """Point 11: the head of the police arranges the police's posts; a desk officer none at all."""
    here = await house.officer("here", posts=("investigator",))
    there = await house.officer("there", agency="commerce", unit="enforcement", posts=("desk",))
    head = house.bearer(agency="police", posts=("head",))
    assert (await put_seat(house, head, 0, deputy_id=str(here))).status_code == 200
    assert (await put_seat(house, head, 0, agency="commerce", unit="enforcement", deputy_id=str(here))).status_code == 403
    assert (await house.client.get(f"/v1/officers/{there}", headers=head)).status_code == 404
    assert {one["agency"] for one in (await house.client.get("/v1/seats", headers=head)).json()} == {"police"}
    desk = house.bearer(agency="police", unit="command_centre", posts=("desk",))
    for path in ("/v1/seats", "/posts", f"/v1/officers/{here}"):
        assert (await house.client.get(path, headers=desk)).status_code == 403


async def test_leave_has_days_in_order_and_nobody_stands_in_for_themselves(house: House) -> None:
    """D-O1: what makes no sense is refused; an ended leave cannot end twice."""
    who, other = await house.officer("who"), await house.officer("other")
    today = local_day(clock.now())
    path = {"account_id": str(who), "first_day": today.isoformat(), "last_day": today.isoformat()}
    for wrong in ({"last_day": (today - timedelta(days=1)).isoformat()}, {"deputy_id": str(who)}, {"last_day": (today + timedelta(days=400)).isoformat()}):
        answer = await house.client.post("/v1/leaves", json=path | wrong, headers=office(house) | fresh())
        assert answer.status_code == 422, answer.text
    leave = await grant_leave(house, who, other, today, today)
    ended = await house.client.post(f"/v1/leaves/{leave}/cancellation", headers=office(house) | fresh(1))
    assert ended.status_code == 200 and ended.json()["cancelled_at"]
    again = await house.client.post(f"/v1/leaves/{leave}/cancellation", headers=office(house) | fresh(2))
    assert again.status_code == 409


async def test_contacts_are_sealed_and_reading_them_is_recorded(house: House) -> None:
    """Point 11: no number stands in the database in plain; who read it stands in the log; a wrong one is refused."""
    who = await house.officer("who")
    path = f"/v1/officers/{who}/contacts/mobile"
    wrong = await house.client.put(path, json={"address": "12"}, headers=office(house) | fresh(0))
    assert wrong.status_code == 422
    kept = await house.client.put(path, json={"address": "139 0000 0001"}, headers=office(house) | fresh(0))
    assert kept.status_code == 200 and kept.json()["address"] == PHONE
    [row] = await house.rows("SELECT address FROM contacts")
    assert PHONE.encode() not in bytes(row.address)
    card = await house.client.get(f"/v1/officers/{who}", headers=office(house))
    assert [one["address"] for one in card.json()["contacts"]] == [PHONE] and card.headers["cache-control"] == "no-store"
    log = await house.rows("SELECT action, facts FROM audit WHERE action LIKE 'contact.%' ORDER BY seq")
    assert [one.action for one in log] == ["contact.set", "contact.read"] and PHONE not in str([one.facts for one in log])
    off = await house.client.put(path, json={"address": None}, headers=office(house) | fresh(1))
    assert off.status_code == 200
    assert [tuple(one) for one in await house.rows("SELECT address, version FROM contacts")] == [(None, 2)]


async def test_the_office_does_all_of_it_on_its_page(house: House) -> None:
    """D-O1: a deputy, a leave and a number by forms; a post nobody reads is marked."""
    who = await house.officer("who")
    other = await house.officer("other", unit="economic_crime", posts=("investigator",))
    headers = office(house) | {"accept": "text/html", "sec-fetch-site": "same-origin"}
    today = local_day(clock.now()).isoformat()

    async def post(path: str, **fields: str) -> httpx.Response:
        return await house.client.post(path, data={"idempotency_key": str(new_id()), **fields}, headers=headers)

    assert (await post(f"/posts/officers/{who}/leaves", first_day=today, last_day=today)).status_code == 303
    page = told((await house.client.get("/posts", headers=headers)).text)
    assert "无人阅办" in page and "指挥中心" in page
    refused = await post("/posts/seat", agency="police", unit="command_centre", post="desk", version="5", deputy=str(other))
    assert refused.status_code == 412 and "未保存" in refused.text
    done = await post("/posts/seat", agency="police", unit="command_centre", post="desk", version="0", deputy=str(other))
    assert done.status_code == 303
    page = told((await house.client.get("/posts", headers=headers)).text)
    assert "AB角" in page or "代理" in page
    assert (await post(f"/posts/officers/{who}/contacts", kind="mobile", address=PHONE, version="0")).status_code == 303
    card = await house.client.get(f"/posts/officers/{who}", headers=headers)
    assert PHONE in card.text
    seat_page = await house.client.get("/posts/seat?agency=police&unit=command_centre&post=desk", headers=headers)
    assert seat_page.status_code == 200 and str(other) in seat_page.text
