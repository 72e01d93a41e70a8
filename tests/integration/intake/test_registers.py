"""Prevention registers through the API: entered, imported, searched, sealed, counted."""

from __future__ import annotations

import io
from typing import Any

import httpx
import pytest
import xlsxwriter

from services.intake.adapters.sheets import read_sheet
from tests.integration.intake.conftest import Desk

ID_NUMBER = "11010519491231002X"
AREA = "dayong-antang"


def office(desk: Desk, **more: Any) -> dict[str, str]:
    """The rental office (流管办)."""
    return desk.bearer(agency="rental_mgmt", posts=("desk",), **{"principal_id": "rental-office", **more})


def unit(room: str = "301", **more: Any) -> dict[str, Any]:
    return {"area": "安堂社区", "estate": "锦绣花园", "building": "12栋", "room": room, **more}


async def enter(desk: Desk, *units: dict[str, Any]) -> list[str]:
    made = []
    for one in units:
        answer = await desk.post("/v1/rentals", office(desk), one)
        assert answer.status_code in (200, 201), answer.text
        made.append(answer.json()["id"])
    return made


def sheet(*rows: tuple[object, ...]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    page = book.add_worksheet()
    for at, row in enumerate(rows):
        page.write_row(at, 0, row)
    book.close()
    return out.getvalue()


async def bring(
    desk: Desk, who: dict[str, str], content: bytes, register: str = "rentals", *, dry_run: bool = False
) -> httpx.Response:
    return await desk.client.post(
        f"/v1/registers/{register}/import?dry_run={str(dry_run).lower()}", content=content, headers=who
    )


ROWS = (
    ("编号", "社区", "小区", "楼栋", "房号", "分层", "备案", "居住人数", "房东姓名", "房东电话", "房东身份证"),
    ("A-1", "安堂社区", "锦绣花园", "12栋", "301", "重点户", "已备案", 4, "张某甲", "13800138000", ID_NUMBER),
    ("A-2", "安堂社区", "锦绣花园", "12栋", "302", "", "", "", "张某甲", "13800138000", ""),
    ("A-3", "南文社区", "金桥公寓", "1栋", "1203", "放心户", "未备案", 2, "", "", ""),
    ("A-4", "没有的社区", "", "", "101", "", "", "", "", "", ""),
    ("A-5", "安堂社区", "锦绣花园", "12幢", "３０１室", "", "", "", "", "", ""),
    ("A-6", "安堂社区", "锦绣花园", "12栋", "303", "甲等", "", "", "", "", "110105194912310021"),
)


async def test_a_sheet_is_tried_then_kept_and_the_same_sheet_again_changes_nothing(desk: Desk) -> None:
    """D-E3, X-D3: the register comes in from a real XLSX; wrong rows are told by field and reason."""
    who, content = office(desk), sheet(*ROWS)
    tried = await bring(desk, who, content, dry_run=True)
    assert tried.status_code == 200, tried.text
    assert (await desk.rows("SELECT count(*) AS n FROM rental_units"))[0].n == 0, "a trial keeps nothing"
    kept = (await bring(desk, who, content)).json()
    assert {**tried.json(), "dry_run": False} == kept
    assert (kept["rows"], kept["created"], kept["rejected"]) == (6, 3, 3)
    reasons = {row["row"]: {error["field"]: error["code"] for error in row["errors"]} for row in kept["rejects"]}
    assert reasons == {
        5: {"area": "unknown_area"}, 6: {"room": "double"}, 7: {"landlord_id_number": "bad_id_number"},
    }  # fmt: skip
    again = (await bring(desk, who, content)).json()
    assert (again["created"], again["changed"], again["same"], again["rejected"]) == (0, 0, 3, 3)
    estates = await desk.rows("SELECT area, name FROM estates ORDER BY name")
    assert [(row.area, row.name) for row in estates] == [("dayong-nanwen", "金桥公寓"), (AREA, "锦绣花园")]


async def test_a_known_row_is_brought_up_to_date_and_an_empty_cell_leaves_what_is_there(desk: Desk) -> None:
    """D-E3: keyed by the register's own number, else by the address."""
    who = office(desk)
    await bring(desk, who, sheet(*ROWS[:2]))
    changed = (await bring(desk, who, sheet(ROWS[0], ("A-1", "安堂社区", "锦绣花园", "12栋", "301", "", "", 6)))).json()
    assert (changed["created"], changed["changed"]) == (0, 1)
    by_address = sheet(("社区", "小区", "楼栋", "房号", "居住人数"), ("安堂社区", "锦绣花园", "12幢", "301室", 7))
    assert (await bring(desk, who, by_address)).json()["changed"] == 1
    [row] = (await desk.get("/v1/rentals", who, q="301")).json()["items"]
    assert (row["number"], row["occupants"], row["registration"], row["tier"]) == ("A-1", 7, "registered", "key")
    landlord = (await desk.get(f"/v1/rentals/{row['id']}/landlord", who)).json()
    assert landlord == {"name": "张某甲", "phone": "+8613800138000", "id_number": ID_NUMBER}
    taken = sheet(ROWS[0][:5], ("B-9", "安堂社区", "锦绣花园", "12栋", "305"), ("A-1", "安堂社区", "锦绣花园", "12栋", "305"))
    await bring(desk, who, sheet(ROWS[0][:5], ("B-9", "安堂社区", "锦绣花园", "12栋", "305")))
    told = (await bring(desk, who, taken)).json()
    assert told["rejects"][0]["errors"][0]["code"] in ("double", "address_taken")


async def test_a_landlord_stands_nowhere_in_the_clear_and_is_found_by_a_token(desk: Desk) -> None:
    """D-B3, X-D7c: landlords that come back are found; nobody reads their names in the database."""
    who = office(desk)
    await bring(desk, who, sheet(*ROWS[:4]))
    dump = str(await desk.rows("SELECT row_to_json(u)::text AS t, encode(landlord, 'escape') AS e FROM rental_units u"))
    dump += str(await desk.rows("SELECT row_to_json(a)::text AS t FROM audit a"))
    dump += str(await desk.rows("SELECT convert_from(data, 'UTF8') AS t FROM outbox"))
    for secret in ("张某甲", "13800138000", ID_NUMBER):
        assert secret not in dump
    for asked in ({"name": "张某甲"}, {"phone": "138 0013 8000"}):
        found = await desk.post("/v1/rentals/landlord-search", who, asked)
        assert {row["room"] for row in found.json()["items"]} == {"301", "302"}
        assert "张某甲" not in found.text
    assert (await desk.post("/v1/rentals/landlord-search", who, {"name": "张某乙"})).json()["items"] == []
    both = await desk.post("/v1/rentals/landlord-search", who, {"name": "张某甲", "phone": "13800138000"})
    assert both.status_code == 422
    actions = {row.action for row in await desk.rows("SELECT action FROM audit")}
    assert "rental.person.search" in actions
    patroller = desk.bearer(agency="rental_mgmt", posts=("patroller",), areas=(AREA,))
    assert (await desk.post("/v1/rentals/landlord-search", patroller, {"name": "张某甲"})).status_code == 403
    assert (await desk.get(f"/v1/rentals/{found.json()['items'][0]['id']}/landlord", patroller)).status_code == 403


async def test_the_rental_picture_is_the_polices_too_and_ends_at_the_community(desk: Desk) -> None:
    """D-B3, D-E3, D-M3: 底数清、情况明: police and rental office share it; a community sees its own."""
    await bring(desk, office(desk), sheet(*ROWS[:4]))
    station = desk.bearer(agency="police", unit="station", posts=("desk",))
    for who in (office(desk), station):
        areas = {row["area"]: row for row in (await desk.get("/v1/rentals/picture", who)).json()["areas"]}
        antang = areas[AREA]
        assert (antang["units"], antang["registered"], antang["rate"]) == (2, 1, 0.5)
        assert antang["tiers"] == {"key": 1, "ordinary": 1}
        listed = (await desk.get("/v1/rentals", who, area=AREA, registration="unregistered")).json()["items"]
        assert len(listed) == antang["unregistered"] == 1, "a figure opens the list it counts"
    community = desk.bearer(agency="c-nanwen", posts=("community-worker",), areas=("dayong-nanwen",))
    assert [row["area"] for row in (await desk.get("/v1/rentals/picture", community)).json()["areas"]] == [
        "dayong-nanwen"
    ]
    [own] = (await desk.get("/v1/rentals", community)).json()["items"]
    assert own["area"] == "dayong-nanwen"
    [other] = (await desk.get("/v1/rentals", station, q="302")).json()["items"]
    assert (await desk.get(f"/v1/rentals/{other['id']}", community)).status_code == 404
    assert (await desk.get("/v1/rentals/picture", desk.bearer(agency="education"))).status_code == 403
    elsewhere = desk.stack.bearer(plan="xiyuan", agency="police", posts=("desk",))
    assert (await desk.get("/v1/rentals", elsewhere)).json()["items"] == []


async def test_figures_follow_every_change(desk: Desk) -> None:
    """D-E3: the rate is right after entering, changing, ending and moving."""
    ids = await enter(desk, unit("301", registration="已备案"), unit("302"), unit("303"))
    who = office(desk)

    async def figures() -> dict[str, tuple[int, int]]:
        areas = (await desk.get("/v1/rentals/picture", who)).json()["areas"]
        return {row["area"]: (row["units"], row["registered"]) for row in areas}

    assert await figures() == {AREA: (3, 1)}
    headers = who | desk.key() | {"if-match": '"1"'}
    answer = await desk.client.patch(f"/v1/rentals/{ids[1]}", json={"registration": "registered"}, headers=headers)
    assert answer.status_code == 204, answer.text
    assert await figures() == {AREA: (3, 2)}
    headers = who | desk.key() | {"if-match": '"1"'}
    assert (
        await desk.client.patch(f"/v1/rentals/{ids[2]}", json={"state": "停租"}, headers=headers)
    ).status_code == 204
    assert await figures() == {AREA: (2, 2)}


async def test_a_change_needs_the_version_it_was_made_from(desk: Desk) -> None:
    [made] = await enter(desk, unit())
    who = office(desk)
    assert (await desk.get(f"/v1/rentals/{made}", who)).headers["etag"] == '"1"'
    path, body = f"/v1/rentals/{made}", {"occupants": 5}
    assert (await desk.client.patch(path, json=body, headers=who | desk.key())).status_code == 428
    assert (await desk.client.patch(path, json=body, headers=who | {"if-match": '"1"'})).status_code == 400
    once = who | desk.key() | {"if-match": '"1"'}
    assert (await desk.client.patch(path, json=body, headers=once)).status_code == 204
    assert (await desk.client.patch(path, json=body, headers=once)).status_code == 204, "sent again: done once"
    stale = who | desk.key() | {"if-match": '"1"'}
    assert (await desk.client.patch(path, json=body, headers=stale)).status_code == 412
    assert (await desk.get(path, who)).json()["version"] == 2
    wrong = await desk.client.patch(path, json={"tier": "甲等"}, headers=who | desk.key() | {"if-match": '"2"'})
    assert wrong.status_code == 422 and wrong.json()["errors"][0]["field"] == "tier"


@pytest.mark.parametrize("words", ["锦绣", "绣花", "203", "金桥", "锦绣 301", "％", "_", "不存"])
async def test_two_characters_are_enough_to_search(desk: Desk, words: str) -> None:
    await bring(desk, office(desk), sheet(*ROWS[:4]))
    found = (await desk.get("/v1/rentals", office(desk), q=words)).json()["items"]
    expected = {"锦绣": 2, "绣花": 2, "203": 1, "金桥": 1, "锦绣 301": 1}.get(words, 0)
    assert len(found) == expected


async def test_pages_of_a_list_hold_every_unit_once(desk: Desk) -> None:
    ids = await enter(desk, *(unit(str(room)) for room in range(301, 308)))
    seen, cursor = [], None
    while True:
        page = (await desk.get("/v1/rentals", office(desk), limit=3, **({"cursor": cursor} if cursor else {}))).json()
        seen += [row["id"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(ids) and len(set(seen)) == 7


async def test_an_export_can_be_imported_again_and_holds_no_landlord(desk: Desk) -> None:
    who = office(desk)
    await bring(desk, who, sheet(*ROWS[:4]))
    for form in ("xlsx", "csv"):
        answer = await desk.get("/v1/rentals/export", who, format=form)
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
        lines = read_sheet("rentals", answer.content)
        assert len(lines) == 3 and not any("landlord" in field for line in lines for field in line.cells)
        back = (await bring(desk, who, answer.content)).json()
        assert (back["same"], back["rejected"]) == (3, 0)
    assert (await desk.get("/v1/rentals/export", who, template=True)).status_code == 200
    exported = await desk.rows("SELECT facts FROM audit WHERE action = 'rental.export'")
    assert [row.facts["rows"] for row in exported] == [3, 3]


async def test_nobody_writes_for_another_community(desk: Desk) -> None:
    """D-M3: a community enters its own units; another's row is rejected with the reason."""
    worker = desk.bearer(agency="c-antang", posts=("community-worker",), areas=(AREA,))
    assert (await desk.post("/v1/rentals", worker, unit())).status_code == 201
    other = await desk.post("/v1/rentals", worker, {**unit(), "area": "南文社区"})
    assert other.status_code == 422 and other.json()["errors"][0]["code"] == "other_area"
    told = (await bring(desk, worker, sheet(*ROWS[:4]))).json()
    assert told["rejects"][0]["errors"][0]["code"] == "other_area"
    station = desk.bearer(agency="police", unit="station", posts=("desk",))
    assert (await desk.post("/v1/rentals", station, unit("309"))).status_code == 403
    assert (await bring(desk, station, sheet(*ROWS[:2]))).status_code == 403
    commerce = desk.bearer(agency="commerce", posts=("desk",))
    assert (await bring(desk, commerce, sheet(*ROWS[:2]))).status_code == 403


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 422), (b"PK\x03\x04nonsense", 415), ("甲,乙\r\n1,2".encode(), 422), (b"\xff\xfe\x00", 415)],
)
async def test_a_file_that_cannot_be_read_is_refused_and_keeps_nothing(desk: Desk, content: bytes, status: int) -> None:
    answer = await bring(desk, office(desk), content)
    assert answer.status_code == status, answer.text
    assert (await desk.rows("SELECT count(*) AS n FROM rental_units"))[0].n == 0


async def test_estates_and_their_managers_come_in_and_are_found(desk: Desk) -> None:
    """X-D3: the register of property managers."""
    who = office(desk)
    content = "社区,小区名称,物业公司,联系人,联系电话\r\n安堂社区,锦绣花园,安和物业,李某,0760-88880000\r\n".encode()
    assert (await bring(desk, who, content, "estates")).json()["created"] == 1
    assert (await bring(desk, who, content, "estates")).json()["same"] == 1
    [estate] = (await desk.get("/v1/estates", who, q="锦绣")).json()["items"]
    assert estate["manager"] == "安和物业" and estate["contact_known"] and "李某" not in str(estate)
    told = (await desk.get(f"/v1/estates/{estate['id']}/contact", who)).json()
    assert told == {"name": "李某", "phone": "+8676088880000"}
    await enter(desk, unit())
    [row] = (await desk.get("/v1/rentals", who, estate=estate["id"])).json()["items"]
    assert row["room"] == "301"
