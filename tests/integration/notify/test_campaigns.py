"""Campaigns through the API: the schedule, what is missing, proofs with their files, materials, the log, exposures."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from PIL import Image

from services.notify.commands.publicity import scheduling, telling
from services.notify.commands.publicity.parts import PublicityRoom
from shared.kit import clock, db
from shared.kit.ids import new_id
from tests.integration.notify.conftest import House

OFFICE = {"agency": "commerce", "unit": "office", "posts": ("office-director",), "principal_id": "office"}


def head(agency: str, **more: Any) -> dict[str, Any]:
    return {"agency": agency, "posts": ("head",), "principal_id": f"head-{agency}", **more}


def community(agency: str, area: str) -> dict[str, Any]:
    return {"agency": agency, "posts": ("community-worker",), "areas": (area,), "principal_id": agency}


class Town:
    """The house with a clock, and the daily round of its schedule."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.room = PublicityRoom(house.service)

    async def on(self, day: str, plan: str = "dayong") -> None:
        """Noon of a day; the jobs run."""
        wanted = datetime.fromisoformat(f"{day}T12:00:00+08:00")
        clock.set_offset(0)
        clock.set_offset((wanted - clock.now()).total_seconds())
        async with db.begin(self.house.service.engine) as conn:
            await scheduling.make(conn, self.house.service.plans[plan], clock.now())
            await scheduling.miss_due(conn, self.room, clock.now())
            while await scheduling.miss_due(conn, self.room, clock.now()):
                pass

    async def get(self, path: str, who: dict[str, Any], **query: Any) -> Any:
        answer = await self.house.client.get(path, headers=self.house.bearer(**who), params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def send(
        self, method: str, path: str, who: dict[str, Any], body: Any = None, *, version: int | None = None, key: str = ""
    ) -> httpx.Response:
        headers = self.house.bearer(**who) | {"idempotency-key": key or str(new_id())}
        if version is not None:
            headers["if-match"] = f'"{version}"'
        return await self.house.client.request(method, path, headers=headers, json=body)

    async def items(self, who: dict[str, Any], campaign: str, show: str = "all", **query: Any) -> list[Any]:
        return (await self.get("/v1/campaign-items", who, show=show, campaign=campaign, limit=200, **query))["items"]

    async def photo(self, who: dict[str, Any], item_id: str, colour: str = "red") -> httpx.Response:
        return await self.house.client.post(
            f"/v1/campaign-items/{item_id}/files",
            headers=self.house.bearer(**who) | {"content-type": "image/jpeg"},
            content=picture(colour),
        )

    async def events(self, kind: str) -> list[Any]:
        rows = await self.house.rows(
            "SELECT data FROM outbox WHERE type = :kind ORDER BY seq", kind=f"dachuan.publicity.{kind}.v1"
        )
        return [json.loads(bytes(row.data)) for row in rows]


def picture(colour: str) -> bytes:
    """A photo that tells where it was taken."""
    made = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAMERA"
    Image.new("RGB", (64, 48), colour).save(made, "JPEG", exif=exif)
    return made.getvalue()


@pytest.fixture
async def town(house: House) -> AsyncIterator[Town]:
    yield Town(house)
    clock.set_offset(0)


async def test_monthly_messages_are_proved_with_delivery_figures_and_the_carrier_that_sent_none_is_missed(town: Town) -> None:
    """D-K2b: one message a month by each of the three operators, with delivery figures; what is missing is told once."""
    who = head("propaganda")
    await town.on("2015-10-05")
    october = {one["target"]: one for one in await town.items(who, "sms") if one["period"] == "2015-10"}
    assert set(october) == {"telecom", "mobile", "unicom"} and october["mobile"]["target_words"] == "中国移动"
    for operator in ("telecom", "mobile"):
        item = october[operator]
        address = f"/v1/campaign-items/{item['item_id']}/proof"
        body = {"figures": {"sent": 12000, "delivered": 12001}}
        refused = await town.send("POST", address, who, body, version=1)
        assert refused.status_code == 422
        assert {e["field"] for e in refused.json()["errors"]} == {"document", "figures.delivered"}
        assert (await town.photo(who, item["item_id"])).status_code == 201
        body["figures"]["delivered"] = 11890
        proved = await town.send("POST", address, who, body, version=1)
        assert proved.status_code == 200, proved.text
        assert (proved.json()["state"], proved.json()["late"]) == ("done", False)
    await town.on("2015-11-02")
    await town.on("2015-11-03")
    missing = [one for one in await town.items(who, "sms", "missing")]
    assert [(one["target"], one["period"]) for one in missing] == [("unicom", "2015-10")]
    [told] = [event for event in await town.events("campaign-missed") if event["campaign"] == "sms"]
    assert told["clause"] == "D-K2b" and told["agency"] == "propaganda" and told["target"] == "unicom"
    figures = await town.get("/v1/campaigns/figures", who, campaign="sms")
    assert figures == [
        {"campaign": "sms", "area": "dayong", "times": 2, "reached": 0, "figures": {"sent": 24000, "delivered": 23780}}
    ]
    await town.photo(who, missing[0]["item_id"], "blue")
    late = await town.send(
        "POST", f"/v1/campaign-items/{missing[0]['item_id']}/proof", who, {"figures": {"sent": 1, "delivered": 1}},
        version=missing[0]["version"],
    )  # fmt: skip
    assert late.json()["late"] is True and (await town.events("campaign-done"))[-1]["late"] is True


async def test_the_daily_tv_notice_is_proved_for_a_week_by_one_proof_of_broadcast(town: Town) -> None:
    """D-K1: the schedule asks for each day; one proof covers several days; a day left out is missing."""
    who = head("propaganda")
    await town.on("2015-10-05")
    await town.on("2015-10-12")
    days = [one for one in await town.items(who, "tv", "open") if "2015-10-05" <= one["period"] <= "2015-10-11"]
    assert len(days) == 7
    week = [{"item_id": one["item_id"], "version": one["version"]} for one in days if one["period"] != "2015-10-08"]
    body = {"items": week, "link": "https://tv.example/log/41", "figures": {"times": 1}}
    nobody = await town.send("POST", "/v1/campaign-items/proofs", who, body | {"link": ""})
    assert nobody.status_code == 422, "a proof of broadcast is needed"
    key = str(new_id())
    for _ in range(2):
        done = await town.send("POST", "/v1/campaign-items/proofs", who, body, key=key)
        assert done.status_code == 200, done.text
    assert len(await town.items(who, "tv", "done")) == 6
    other = await town.send("POST", "/v1/campaign-items/proofs", who, body | {"note": "other"}, key=key)
    assert other.status_code == 409
    await town.on("2015-10-16")
    assert [one["period"] for one in await town.items(who, "tv", "missing")] == ["2015-10-08"]
    board = await town.get("/v1/campaigns/board", OFFICE)
    assert board["by_campaign"]["tv"]["missing"] == 1 and board["by_agency"]["propaganda"]["done"] == 6


async def test_job_places_need_photos_whose_hidden_data_is_not_kept_and_special_groups_their_figures(town: Town) -> None:
    """D-H: boards at the talent and labour markets with photos and checks; special groups with training figures."""
    who = head("labour")
    await town.on("2015-10-20")
    boards = {one["target"]: one for one in await town.items(who, "job-boards") if one["period"] == "2015-10"}
    assert set(boards) == {"talent-market", "labour-market", "job-agencies"}
    item = boards["talent-market"]
    address = f"/v1/campaign-items/{item['item_id']}"
    assert (await town.send("POST", f"{address}/proof", who, {}, version=1)).json()["errors"][0]["field"] == "photo"
    program = await town.house.client.post(
        f"{address}/files", headers=town.house.bearer(**who) | {"content-type": "image/png"}, content=b"\x7fELF" + b"0" * 400
    )
    assert program.status_code == 415
    first, again = await town.photo(who, item["item_id"]), await town.photo(who, item["item_id"])
    assert first.status_code == again.status_code == 201 and first.json() == again.json()
    copy = await town.house.client.get(
        f"{address}/files/{first.json()[0]['file_id']}", headers=town.house.bearer(**OFFICE)
    )
    assert copy.status_code == 200 and b"SECRETCAMERA" not in copy.content
    assert Image.open(io.BytesIO(copy.content)).size == (64, 48)
    assert (await town.send("POST", f"{address}/proof", who, {"done_on": "2015-10-20"}, version=1)).status_code == 200
    groups = (await town.items(who, "job-groups"))[0]
    body = {"reached": 90, "figures": {"trained": 60, "placed": 12}, "groups": ["migrant_workers", "laid_off"]}
    done = await town.send("POST", f"/v1/campaign-items/{groups['item_id']}/proof", who, body, version=1)
    assert done.status_code == 200 and done.json()["records"][0]["figures"] == {"trained": 60, "placed": 12}


@pytest.mark.parametrize(
    ("agency", "campaign", "clause", "other"),
    [
        ("rental_mgmt", "rental-publicity", "D-E1", "education"),
        ("education", "schools", "D-I", "transport"),
        ("transport", "stations", "D-J", "labour"),
        ("food_drug", "health-law", "D-F", "education"),
    ],
)
async def test_each_agency_has_its_own_campaigns_and_no_other_can_prove_them(
    town: Town, agency: str, campaign: str, clause: str, other: str
) -> None:
    """D-E1, D-I, D-J, D-F: the duty stands with its agency; another one neither sees nor proves it."""
    await town.on("2015-10-20")
    mine = await town.items(head(agency), campaign)
    assert mine and {one["clause"] for one in mine} == {clause} and {one["agency"] for one in mine} == {agency}
    assert await town.items(head(other), campaign) == []
    address = f"/v1/campaign-items/{mine[0]['item_id']}"
    assert (await town.send("POST", f"{address}/proof", head(other), {}, version=1)).status_code == 404
    assert (await town.photo(head(other), mine[0]["item_id"])).status_code == 404
    assert (await town.photo(head(agency), mine[0]["item_id"])).status_code == 201
    body = {"reached": 30, "groups": ["students"], "figures": {"pieces": 30}}
    body = body if campaign not in ("stations", "rental-publicity", "schools", "health-law") else {
        "stations": {}, "schools": {"reached": 30, "groups": ["students"]},
        "rental-publicity": {"reached": 30, "figures": {"pieces": 30}},
        "health-law": {"reached": 30, "groups": ["elderly"]},
    }[campaign]  # fmt: skip
    done = await town.send("POST", f"{address}/proof", head(agency), body, version=1)
    assert done.status_code == 200, done.text
    outdated = await town.send("POST", f"{address}/return", OFFICE, {"reason": "照片看不清"}, version=1)
    assert outdated.status_code == 412


async def test_guidance_shows_the_progress_of_each_community(town: Town) -> None:
    """D-G: the social affairs bureau sees how far each community is; a community sees what lies in it and proves its own."""
    await town.on("2015-10-20")
    antang, guide = community("c-antang", "dayong-antang"), head("social_affairs")
    seen = await town.get("/v1/campaign-items", antang, show="all", limit=200)
    assert {one["area"] for one in seen["items"]} == {"dayong-antang"}
    assert {one["campaign"] for one in seen["items"]} == {"rental-publicity", "community-guidance", "into-communities"}
    own = next(one for one in seen["items"] if one["campaign"] == "into-communities" and one["period"] == "2015-10")
    foreign = next(one for one in seen["items"] if one["campaign"] == "community-guidance")
    assert (await town.send("POST", f"/v1/campaign-items/{foreign['item_id']}/proof", antang, {}, version=1)).status_code == 404
    await town.photo(antang, own["item_id"])
    body = {"reached": 210, "groups": ["residents"]}
    assert (await town.send("POST", f"/v1/campaign-items/{own['item_id']}/proof", antang, body, version=1)).status_code == 200
    board = await town.get("/v1/campaigns/board", guide)
    assert board["by_area"]["dayong-antang"]["reached"] == 210 and board["by_area"]["dayong-antang"]["done"] == 1
    assert board["by_area"]["dayong-nanwen"]["done"] == 0


async def test_a_returned_proof_counts_no_more_and_a_waived_thing_is_not_missed(town: Town) -> None:
    who = head("education")
    await town.on("2015-10-20")
    item = next(one for one in await town.items(who, "schools") if one["period"] == "2015-10")
    address = f"/v1/campaign-items/{item['item_id']}"
    await town.photo(who, item["item_id"])
    body = {"reached": 30, "groups": ["students"]}
    done = (await town.send("POST", f"{address}/proof", who, body, version=1)).json()
    assert (await town.send("POST", f"{address}/proof", who, body, version=done["version"])).status_code == 409
    assert (await town.send("POST", f"{address}/return", who, {"reason": "x"}, version=2)).status_code == 403
    back = await town.send("POST", f"{address}/return", OFFICE, {"reason": "照片看不清"}, version=done["version"])
    assert back.json()["state"] == "open" and back.json()["records"][0]["state"] == "returned"
    again = await town.send("POST", f"{address}/proof", who, body, version=back.json()["version"])
    assert again.json()["errors"][0]["field"] == "photo", "the returned photo proves nothing"
    await town.photo(who, item["item_id"], "green")
    again = await town.send("POST", f"{address}/proof", who, body, version=back.json()["version"])
    assert again.status_code == 200
    november = next(one for one in await town.items(who, "schools") if one["period"] == "2015-11")
    waived = await town.send(
        "POST", f"/v1/campaign-items/{november['item_id']}/waive", OFFICE, {"reason": "放假"}, version=november["version"]
    )
    assert waived.json()["state"] == "waived"
    await town.on("2015-12-10")
    assert november["item_id"] not in {event["item_id"] for event in await town.events("campaign-missed")}
    assert [e["campaign"] for e in await town.events("campaign-returned")] == ["schools"]
    assert [e["period"] for e in await town.events("campaign-waived")] == ["2015-11"]


async def test_a_school_is_registered_and_asked_from_then_on(town: Town) -> None:
    """D-I: places are registered by the office; nothing is asked of them for the time before."""
    await town.on("2015-10-05")
    await town.on("2015-11-10")
    body = {"kind": "school", "title": "大涌测试小学", "area": "dayong-nanwen"}
    assert (await town.send("POST", "/v1/publicity/places", head("education"), body)).status_code == 403
    made = await town.send("POST", "/v1/publicity/places", OFFICE, body)
    assert made.status_code == 201, made.text
    assert (await town.send("POST", "/v1/publicity/places", OFFICE, body)).status_code == 409
    mine = await town.items(head("education"), "schools", target=made.json()["place_id"])
    assert {one["period"] for one in mine} >= {"2015-11", "2015-12"} and "2015-10" not in {one["period"] for one in mine}
    assert mine[0]["target_words"] == "大涌测试小学" and mine[0]["area"] == "dayong-nanwen"
    off = await town.send(
        "PATCH", f"/v1/publicity/places/{made.json()['place_id']}", OFFICE, {"active": False}, version=1
    )
    assert off.status_code == 200 and await town.items(
        head("education"), "schools", "open", target=made.json()["place_id"]
    ) == []


async def test_the_letter_is_versioned_and_its_reach_is_told_by_area(town: Town) -> None:
    """X-D8a, X-G3: slogans and a letter to residents, version by version, with whom each reached in each community."""
    station = head("commerce", plan="xiyuan")
    await town.on("2015-05-20", "xiyuan")
    draft = {"kind": "letter", "title": "致居民群众的一封信", "body": "各位居民：\n请警惕传销。举报请拨打 12315、110。"}
    refused = await town.send("POST", "/v1/publicity/materials", station, draft | {"body": draft["body"] + "\n联系人 13800138000"})
    assert refused.status_code == 422 and refused.json()["errors"][0]["code"] == "personal-data"
    assert "第 3 行" in refused.json()["errors"][0]["message"] and "13800138000" not in refused.text
    made = (await town.send("POST", "/v1/publicity/materials", station, draft)).json()
    address = f"/v1/publicity/materials/{made['material_id']}"
    letters = {one["target"]: one for one in await town.items(station, "letter")}
    assert len(letters) == 6

    async def hand_out(area: str, reached: int) -> httpx.Response:
        item = letters[area]
        await town.photo(station, item["item_id"], "red" if reached == 800 else "blue")
        body = {"reached": reached, "figures": {"pieces": reached}, "material_id": made["material_id"]}
        return await town.send("POST", f"/v1/campaign-items/{item['item_id']}/proof", station, body, version=1)

    assert (await hand_out("xiyuan-guangming", 800)).json()["errors"][0]["code"] == "no-material"
    assert (await town.send("POST", f"{address}/issue", station, version=1)).json()["current"] == 1
    assert (await hand_out("xiyuan-guangming", 800)).status_code == 200
    words = {"title": draft["title"], "body": "第二版：请警惕“1040 工程”。"}
    revised = await town.send("PUT", address, station, words, version=2)
    assert revised.json()["state"] == "revising" and revised.json()["current"] == 1
    assert (await town.send("POST", f"{address}/issue", station, version=3)).json()["current"] == 2
    assert (await hand_out("xiyuan-meihong", 500)).status_code == 200
    shown = await town.get(address, community("c-meihong", "xiyuan-meihong") | {"plan": "xiyuan"})
    assert [one["number"] for one in shown["versions"]] == [2, 1] and "12315" in shown["versions"][1]["body"]
    assert shown["spread"] == [
        {"number": 2, "area": "xiyuan-meihong", "times": 1, "reached": 500},
        {"number": 1, "area": "xiyuan-guangming", "times": 1, "reached": 800},
    ]
    board = await town.get("/v1/campaigns/board", {"plan": "xiyuan", "agency": "office", "posts": ("office-director",)})
    assert board["all"]["reached"] == 1300, "X-G3: reach by area, and of all"
    assert (await town.send("POST", f"{address}/withdraw", station, version=4)).json()["state"] == "withdrawn"
    assert (await town.send("PUT", address, station, words, version=5)).status_code == 409


async def test_law_education_of_the_justice_station(town: Town) -> None:
    """X-D5: law education in every community, with its groups and a photo or paper."""
    who = head("justice", plan="xiyuan")
    await town.on("2015-05-20", "xiyuan")
    mine = [one for one in await town.items(who, "law") if one["period"] == "2015-05"]
    assert len(mine) == 6 and {one["clause"] for one in mine} == {"X-D5"}
    address = f"/v1/campaign-items/{mine[0]['item_id']}/proof"
    body = {"reached": 60, "groups": ["residents"]}
    assert (await town.send("POST", address, who, body, version=1)).status_code == 422
    await town.photo(who, mine[0]["item_id"])
    assert (await town.send("POST", address, who, body, version=1)).status_code == 200


async def test_the_publicity_log_is_kept_corrected_and_never_silently_emptied(town: Town) -> None:
    """X-D2: the party and government office keeps the log of reports about the work."""
    keeper = head("party_office", plan="xiyuan")
    body = {
        "agency": "party_office", "area": "xiyuan", "kind": "report", "medium": "newspaper", "outlet": "某区报",
        "title": "西园街道集中打传见成效", "published_on": "2015-06-12", "reached": 5000,
    }  # fmt: skip
    assert (await town.send("POST", "/v1/publicity/log", head("police", plan="xiyuan"), body)).status_code == 403
    made = await town.send("POST", "/v1/publicity/log", keeper, body)
    assert made.status_code == 201, made.text
    address = f"/v1/publicity/log/{made.json()['entry_id']}"
    assert (await town.send("PUT", address, keeper, body)).status_code == 428
    fixed = await town.send("PUT", address, keeper, body | {"title": "更正后的标题"}, version=1)
    assert fixed.json()["title"] == "更正后的标题" and fixed.json()["version"] == 2
    gone = await town.send("POST", f"{address}/withdraw", keeper, {"reason": "重复登记"}, version=2)
    assert gone.json()["state"] == "withdrawn"
    seen = (await town.get("/v1/publicity/log", keeper, month="2015-06"))["items"]
    assert [(one["state"], one["reason"]) for one in seen] == [("withdrawn", "重复登记")]
    assert (await town.get("/v1/publicity/log", keeper, month="2015-07"))["items"] == []


async def test_an_exposure_says_who_where_and_whether_it_was_found_here_before(town: Town) -> None:
    """D-Q1.3: exposed by media; own discovery is told apart; corrections and withdrawals reach those who score."""
    happened = datetime.fromisoformat("2015-11-01T19:30:00+08:00")
    await town.on("2015-11-02")
    body = {
        "agency": "commerce", "area": "dayong-antang", "source": "media", "medium": "television", "level": "city",
        "outlet": "市电视台", "summary": "报道某小区有人聚集听课", "grounds": ["activity", "activity"],
        "happened_at": happened.isoformat(), "case_id": str(new_id()),
    }  # fmt: skip
    assert (await town.send("POST", "/v1/exposures", head("labour"), body)).status_code == 403
    wrong = await town.send("POST", "/v1/exposures", OFFICE, body | {"found_before": True})
    assert wrong.json()["errors"][0]["field"] == "own_found_at"
    made = await town.send("POST", "/v1/exposures", OFFICE, body)
    assert made.status_code == 201, made.text
    [told] = await town.events("exposure-recorded")
    assert (told["source"], told["medium"], told["level"], told["area"]) == ("media", "television", "city", "dayong-antang")
    assert told["grounds"] == ["activity"] and told["found_before"] is False and told["clause"] == "D-Q1.3"
    assert "聚集" not in json.dumps(told, ensure_ascii=False)
    own = (happened - timedelta(days=3)).isoformat()
    fixed = await town.send(
        "PUT", f"/v1/exposures/{made.json()['exposure_id']}", OFFICE, body | {"found_before": True, "own_found_at": own},
        version=1,
    )  # fmt: skip
    assert fixed.status_code == 200 and (await town.events("exposure-recorded"))[-1]["found_before"] is True
    gone = await town.send(
        "POST", f"/v1/exposures/{made.json()['exposure_id']}/withdraw", OFFICE, {"reason": "duplicate"}, version=2
    )
    assert gone.json()["state"] == "withdrawn"
    assert [(e["version"], e["reason"]) for e in await town.events("exposure-withdrawn")] == [(3, "duplicate")]
    [row] = await town.house.rows("SELECT summary FROM exposures WHERE id = :id", id=UUID(made.json()["exposure_id"]))
    assert "聚集".encode() not in bytes(row.summary), "words that may name people are sealed"


async def test_files_without_a_row_are_swept_and_those_with_one_stay(town: Town) -> None:
    from services.notify.commands import files
    from shared.kit.files.vault import new_data_key

    who = head("education")
    await town.on("2015-10-20")
    item = (await town.items(who, "schools"))[0]
    kept = (await town.photo(who, item["item_id"])).json()[0]

    async def some() -> AsyncIterator[bytes]:
        yield b"half of a photo"

    lost = new_id()
    await town.room.vault.write(lost, "original", new_data_key(), some())
    clock.set_offset(0)
    await files.sweep(town.room, clock.now() + timedelta(hours=3))
    assert await town.room.vault.objects.under(f"files/{lost}") == []
    assert await town.room.vault.objects.under(f"files/{kept['file_id']}/copy") != []
    assert await town.room.vault.objects.under(f"files/{kept['file_id']}/original") == [], "hidden data is not kept"


async def test_one_notice_reminds_of_a_round_one_tells_that_it_was_missed_and_both_end_with_the_proofs(town: Town) -> None:
    """D-J: three places are one notice; the office hears of what was missed; the proofs end them."""
    who = head("transport")
    await town.on("2015-10-20")

    async def notices() -> list[tuple[str, str, int, str]]:
        rows = await town.house.rows(
            "SELECT template, agency, items, state FROM notices WHERE matter = 'campaign' AND agency IN ('transport', 'commerce')"
            " AND dataref LIKE '%stations%' ORDER BY template"
        )
        return [(row.template, row.agency, row.items, row.state) for row in rows]

    await town.on("2015-11-01")
    for _ in range(2):
        async with db.begin(town.house.service.engine) as conn:
            await telling.soon(conn, town.room, clock.now())
    assert await notices() == [("campaign.soon", "transport", 3, "waiting")]
    await town.on("2015-11-05")
    expected = [
        ("campaign.missed", "transport", 3, "waiting"), ("campaign.missed.office", "commerce", 3, "waiting"),
        ("campaign.soon", "transport", 3, "done"),
    ]  # fmt: skip
    assert await notices() == expected
    inbox = await town.house.client.get("/?show=all", headers=town.house.bearer(**who) | {"accept": "text/html"})
    assert "3 项宣传" in inbox.text and "/campaign-items?campaign=stations" in inbox.text
    for number, one in enumerate(await town.items(who, "stations", "missing")):
        await town.photo(who, one["item_id"], ("red", "green", "blue")[number])
        done = await town.send("POST", f"/v1/campaign-items/{one['item_id']}/proof", who, {}, version=one["version"])
        assert done.status_code == 200, done.text
    assert {state for *_, state in await notices()} == {"done"}


async def test_the_board_shows_what_is_missing_first_with_a_sketch_and_a_phone_can_prove_it(town: Town) -> None:
    """X-G3, D-I: the pages: the board, a thing with its forms, what is refused told on the page with what was typed."""
    who = head("education")
    await town.on("2015-10-20")
    await town.on("2015-11-05")
    board = await town.house.client.get("/campaigns", headers=town.house.bearer(**OFFICE) | {"accept": "text/html"})
    assert board.status_code == 200 and "<svg" in board.text and "学校宣传" in board.text
    assert board.text.index("缺证明") < board.text.index("示意图") and "<script>" not in board.text
    item = (await town.items(who, "schools", "missing"))[0]
    page = f"/campaigns/items/{item['item_id']}"
    headers = town.house.bearer(**who) | {"accept": "text/html", "sec-fetch-site": "same-origin"}
    assert (await town.house.client.get(page, headers=headers)).status_code == 200
    form = {"idempotency_key": str(new_id()), "version": str(item["version"]), "reached": "45", "note": "请留下这句话"}
    refused = await town.house.client.post(f"{page}/proof", data=form, headers=headers)
    assert refused.status_code == 422 and "照片" in refused.text and "请留下这句话" in refused.text
    sent = await town.house.client.post(
        f"{page}/files", files={"file": ("a.jpg", picture("red"), "image/jpeg")}, headers=headers
    )
    assert sent.status_code == 303
    done = await town.house.client.post(f"{page}/proof", data=form | {"groups": "students"}, headers=headers)
    assert done.status_code == 303, done.text
    shown = await town.house.client.get(page, headers=headers)
    assert "覆盖 45 人" in shown.text and "请留下这句话" in shown.text
    english = await town.house.client.get("/campaigns?lang=en&show=done", headers=headers)
    assert "Publicity in schools" in english.text
