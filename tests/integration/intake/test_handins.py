"""Hand-offs of other systems through the API: whole or not at all, the same receipt again, and what became of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.intake.adapters.channels import FORMATS
from tests.integration.intake.conftest import Desk

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "handins"


def system(desk: Desk, agency: str = "commerce", plan: str = "dayong", name: str = "line") -> dict[str, str]:
    return desk.stack.bearer(kind="system", principal_id=name, agency=agency, plan=plan, scopes=("tip.submit",))


async def hand_in(desk: Desk, form: str, body: bytes | None = None, **more: Any) -> httpx.Response:
    if body is None:
        [path] = EXAMPLES.glob(f"{form}.*")
        body = path.read_bytes()
    headers = more.pop("headers", None) or system(desk)
    return await desk.client.post(f"/v1/handins/{form}", content=body, headers=headers, params=more)


@pytest.mark.parametrize("form", sorted(FORMATS))
async def test_every_format_becomes_tips_and_again_the_same_ones(desk: Desk, form: str) -> None:
    """D-A5, D-N4, point 12: each item its receipt, its number kept; a replay gives the same receipts and no new tips."""
    first = (await hand_in(desk, form)).json()
    assert first["created"] == len(first["rows"]) and first["rejected"] == 0, first
    again = (await hand_in(desk, form)).json()
    assert again["replayed"] == first["created"] and again["created"] == 0
    assert [row["tip"]["receipt"] for row in again["rows"]] == [row["tip"]["receipt"] for row in first["rows"]]
    assert again["body_sha256"] == first["body_sha256"] and again["exchange_id"] != first["exchange_id"]
    rows = await desk.rows("SELECT channel, external_ref, source_agency FROM tips")
    assert len(rows) == first["created"] and {row.channel for row in rows} == {FORMATS[form].channel}
    assert {row.external_ref for row in rows} == {row["external_ref"] for row in first["rows"]}
    assert all(row["tip"]["state"] == "lead" for row in first["rows"])


async def test_a_held_person_in_a_110_record_goes_to_the_police_by_the_fast_lane(desk: Desk) -> None:
    """D-B2, point 2: 指挥中心 hands over; confinement rings at once."""
    told = (await hand_in(desk, "110", headers=system(desk, "police"))).json()
    held = told["rows"][0]["tip"]
    assert held["urgent"] and held["agency"] == "police" and held["unit"] == "criminal_investigation"
    urgent = [row for row, _ in await desk.events("dachuan.lead.opened.v1") if row.lane == "urgent"]
    assert len(urgent) == 1


async def test_net_patrol_leads_are_internet_leads(desk: Desk) -> None:
    """D-A3, D-M5: site, app and account of a net patrol are read and routed as such."""
    told = (await hand_in(desk, "net-patrol", headers=system(desk, "police"))).json()
    assert all("internet" in row["tip"]["kinds"] for row in told["rows"])


async def test_a_bad_item_is_refused_with_its_field_and_nothing_of_it_is_kept(desk: Desk) -> None:
    body = """[{"jjdbh": "J-1", "bjnr": "兴华里5栋301有人搞传销，拉人头发展下线"},
               {"jjdbh": "J-2", "bjsj": "昨天", "bjnr": "有人搞传销，拉人头"},
               {"jjdbh": "J-1", "bjnr": "同一编号的另一内容，有人搞传销，拉人头"}]"""
    told = (await hand_in(desk, "110", body.encode())).json()
    assert (told["created"], told["rejected"]) == (1, 2)
    wrong, reused = told["rows"][1]["problem"], told["rows"][2]["problem"]
    assert wrong["errors"] == [{"field": "bjsj", "code": "time", "message": "write times as 2026-11-20 09:30:00"}]
    assert "未保存" in wrong["detail"] and told["rows"][1]["external_ref"] == "J-2"
    assert reused["type"] == "urn:dachuan:problem:idempotency-key-reused"
    assert len(await desk.rows("SELECT 1 FROM tips")) == len(await desk.rows("SELECT 1 FROM handins")) == 1
    [exchange] = (await desk.get("/v1/handins/exchanges", system(desk))).json()["items"]
    assert (exchange["items"], exchange["created"], exchange["rejected"]) == (3, 1, 2)


async def test_what_cannot_be_read_or_is_too_much_is_refused_whole(desk: Desk) -> None:
    for form, body, status, code in (
        ("110", b"{", 400, "unreadable-format"),
        ("12345", b'<!DOCTYPE a [<!ENTITY b "c">]><WorkOrder>&b;</WorkOrder>', 400, "unreadable-format"),
        ("110", b'[{"jjdbh": "1", "bjnr": "x"}' + b', {"jjdbh": "1", "bjnr": "x"}' * 500 + b"]", 413, "too-large"),
        ("fax", b"{}", 404, "unknown-format"),
    ):
        answer = await hand_in(desk, form, body)
        assert (answer.status_code, answer.json()["type"]) == (status, f"urn:dachuan:problem:{code}")
    nobody = await desk.client.post("/v1/handins/110", content=b"{}")
    assert nobody.status_code == 401
    reader = desk.stack.bearer(kind="system", principal_id="reader", scopes=("tip.read",))
    assert (await hand_in(desk, "110", headers=reader)).status_code == 403
    tried = (await hand_in(desk, "12315", dry_run="true")).json()
    assert tried["created"] == 1 and tried["exchange_id"] is None and tried["rows"][0]["tip"]["receipt"] is None
    for table in ("tips", "handins", "handin_exchanges"):
        assert await desk.rows(f"SELECT 1 FROM {table}") == []


async def test_the_distributor_follows_its_items_from_a_cursor(desk: Desk) -> None:
    """Point 12: receipts of every exchange, replay from a cursor; what changes shows by a new version."""
    for number in range(5):
        body = f'{{"jjdbh": "J-{number}", "bjnr": "安堂社区{number + 1}号楼有人搞传销，拉人头发展下线", "zldh": "Z-{number}"}}'
        await hand_in(desk, "110", body.encode())
    await hand_in(desk, "12315")
    seen: list[dict[str, Any]] = []
    cursor, pages = None, []
    while True:
        told = await desk.get("/v1/handins/feedback", system(desk), limit=2, **({"cursor": cursor} if cursor else {}))
        page = told.json()
        pages.append((cursor, page))
        seen += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert [item["external_ref"] for item in seen] == [*(f"J-{n}" for n in range(5)), "1442000002026112000317"]
    assert seen[0]["dispatch_no"] == "Z-0" and seen[5]["dispatched_by"] == "中山市市场监督管理局12315指挥中心"
    assert all(item["words"]["zh"] and item["state"] and not item["closed"] for item in seen)
    for cursor, page in pages:
        again = await desk.get("/v1/handins/feedback", system(desk), limit=2, **({"cursor": cursor} if cursor else {}))
        assert again.json() == page
    only = (await desk.get("/v1/handins/feedback", system(desk), format="12315")).json()["items"]
    assert only == [seen[5]]
    lead = await desk.lead_of(seen[0]["tip_id"])
    await desk.as_owner(
        "INSERT INTO lead_parties (case_id, agency, lead_id, number, plan, urgent, state, accepted_at, in_time, seen_at) "
        "VALUES (gen_random_uuid(), 'police', $1, '打传〔2026〕1号', 'dayong', false, 'accepted', now(), true, now())",
        lead,
    )
    now = (await desk.get("/v1/handins/feedback", system(desk))).json()["items"]
    assert now[0]["version"] != seen[0]["version"] and now[0]["state"] == "accepted"
    assert [item["version"] for item in now[1:]] == [item["version"] for item in seen[1:]]


async def test_an_agency_sees_its_own_items_alone(desk: Desk) -> None:
    """Point 11: another agency's, and another plan's, exchanges and items are not there."""
    await hand_in(desk, "110", headers=system(desk, "police"))
    for other in (system(desk, "commerce"), system(desk, "police", "xiyuan")):
        for path in ("/v1/handins/feedback", "/v1/handins/exchanges"):
            assert (await desk.get(path, other)).json()["items"] == []
    assert len((await desk.get("/v1/handins/feedback", system(desk, "police"))).json()["items"]) == 2


async def test_the_same_file_sent_five_times_at_once_is_taken_once(desk: Desk) -> None:
    answers = await asyncio.gather(*(hand_in(desk, "net-patrol") for _ in range(5)))
    told = [answer.json() for answer in answers]
    assert sorted(one["created"] for one in told) == [0, 0, 0, 0, 2]
    assert len({one["rows"][0]["tip"]["receipt"] for one in told}) == 1
    assert len(await desk.rows("SELECT 1 FROM tips")) == 2
