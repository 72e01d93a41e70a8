"""Public warnings and exposed cases: drafted, checked, approved by the head, released by two, read by anybody, recalled."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from shared.kit.ids import new_id
from tests.integration.notify.conftest import House, told

DRAFTER = {"agency": "commerce", "unit": "office", "posts": ("office-staff",), "principal_id": "drafter"}
DIRECTOR = {"agency": "commerce", "unit": "office", "posts": ("office-director",), "principal_id": "director"}
CHECKER = {"agency": "politics_law", "posts": ("desk",), "principal_id": "checker"}
HEAD = {"agency": "commerce", "posts": ("head",), "principal_id": "the-head"}
NEWSROOM = {"agency": "propaganda", "posts": ("desk",), "principal_id": "newsroom"}
CHECKS = ["facts_true", "lawful", "no_person_named", "no_case_harmed"]
ATOM = "{http://www.w3.org/2005/Atom}"
WORDS: dict[str, Any] = {
    "title": "警惕以“1040 工程”为名的传销",
    "body": "近日有人以“资本运作”为名拉人头。\n请不要缴纳入门费，举报拨打 12315、110。",
    "areas": ["dayong-antang"],
}


class Desk:
    """Callers who take steps with the version they last read."""

    def __init__(self, house: House) -> None:
        self.house = house

    async def send(self, method: str, path: str, who: dict[str, Any], body: Any, **more: str) -> httpx.Response:
        headers = self.house.bearer(**who) | {"idempotency-key": str(new_id())} | more
        return await self.house.client.request(method, path, headers=headers, json=body)

    async def version(self, warning_id: str) -> int:
        rows = await self.house.rows("SELECT version FROM warnings WHERE id = :id", id=warning_id)
        return int(rows[0].version)

    async def draft(self, who: dict[str, Any] = DRAFTER, **words: Any) -> str:
        made = await self.send("POST", "/v1/warnings", who, {"kind": "warning", **WORDS, **words})
        assert made.status_code == 201, made.text
        return str(made.json()["warning_id"])

    async def step(self, warning_id: str, step: str, who: dict[str, Any], **body: Any) -> httpx.Response:
        version = await self.version(warning_id)
        return await self.send("POST", f"/v1/warnings/{warning_id}/steps/{step}", who, body, **{"if-match": f'"{version}"'})

    async def publish(self, warning_id: str) -> None:
        for step, who, body in (
            ("submit", DRAFTER, {}), ("check", CHECKER, {"checks": CHECKS}), ("approve", HEAD, {}),
            ("release", DIRECTOR, {}), ("release", NEWSROOM, {}),
        ):  # fmt: skip
            done = await self.step(warning_id, step, who, **body)
            assert done.status_code == 200, (step, done.text)

    async def recall(self, warning_id: str, who: dict[str, Any] = DIRECTOR, **body: Any) -> httpx.Response:
        asked = {"reason": "mistaken", "statement": "其中地点有误，请以新发布的为准。"} | body
        version = await self.version(warning_id)
        return await self.send("POST", f"/v1/warnings/{warning_id}/recall", who, asked, **{"if-match": f'"{version}"'})

    async def events(self, kind: str) -> list[Any]:
        rows = await self.house.rows(
            "SELECT data FROM outbox WHERE type = :kind ORDER BY seq", kind=f"dachuan.publicity.warning-{kind}.v1"
        )
        return [json.loads(bytes(row.data)) for row in rows]


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


async def test_a_warning_is_public_after_check_approval_and_two_persons_and_not_before(desk: Desk) -> None:
    """D-M4: legal check, the head's approval (条例 23), two persons; until then nobody outside sees a word."""
    house = desk.house
    warning = await desk.draft()
    assert (await desk.step(warning, "approve", HEAD)).status_code == 409
    assert (await desk.step(warning, "submit", DRAFTER)).status_code == 200
    some = await desk.step(warning, "check", CHECKER, checks=CHECKS[:3])
    assert some.status_code == 422 and some.json()["errors"][0]["field"] == "checks.no_case_harmed"
    assert (await desk.step(warning, "check", DRAFTER, checks=CHECKS)).status_code == 403
    assert (await desk.step(warning, "check", CHECKER, checks=CHECKS)).status_code == 200
    assert (await desk.step(warning, "approve", DIRECTOR)).status_code == 403, "the director is not the head"
    assert (await desk.step(warning, "release", DIRECTOR)).status_code == 409
    assert (await desk.step(warning, "approve", HEAD)).status_code == 200
    assert (await desk.step(warning, "release", DIRECTOR)).json()["state"] == "releasing"
    again = await desk.step(warning, "release", DIRECTOR)
    assert again.status_code == 403 and again.json()["type"].endswith("second-person")
    assert (await house.client.get(f"/v1/public/warnings/{warning}")).status_code == 404
    assert (await house.client.get("/v1/public/warnings")).json()["items"] == []
    done = (await desk.step(warning, "release", NEWSROOM)).json()
    assert (done["state"], done["public_state"], done["current"]) == ("settled", "published", 1)
    assert [one["action"] for one in done["steps"]] == ["save", "submit", "check", "approve", "release", "release"]
    public = (await house.client.get(f"/v1/public/warnings/{warning}")).json()
    assert public["versions"][0]["body"] == WORDS["body"] and public["number"].startswith("大涌打传警示〔")
    assert "newsroom" not in json.dumps(public) and "the-head" not in json.dumps(public)
    [event] = await desk.events("published")
    assert event["number"] == public["number"] and event["areas"] == ["dayong-antang"] and event["clause"] == "D-M4"


@pytest.mark.parametrize(
    ("field", "text", "kind"),
    [
        ("body", "嫌疑人身份证 11010519491231002X", "identity"),
        ("body", "第一行\n请加微信：abc_98765", "account"),
        ("title", "13800138000 是传销电话", "mobile"),
    ],
)
async def test_personal_data_is_refused_with_its_place_and_nothing_is_kept(desk: Desk, field: str, text: str, kind: str) -> None:
    """D-M4: no identity numbers or telephone numbers in a public text; the refusal does not repeat them."""
    refused = await desk.send("POST", "/v1/warnings", DRAFTER, {"kind": "exposed_case", **WORDS, field: text})
    assert refused.status_code == 422
    [error] = refused.json()["errors"]
    assert (error["field"], error["code"]) == (field, "personal-data")
    assert text.split()[-1] not in refused.text
    assert await desk.house.rows("SELECT 1 FROM warnings") == []
    warning = await desk.draft()
    changed = await desk.send("PUT", f"/v1/warnings/{warning}", DRAFTER, WORDS | {field: text}, **{"if-match": '"1"'})
    assert changed.status_code == 422
    await desk.publish(warning)
    assert (await desk.recall(warning, statement="请联系 13800138000")).status_code == 422


async def test_what_was_checked_is_released_as_it_is(desk: Desk) -> None:
    """Nothing can be changed between the check and the release; taking it back loses check and approval."""
    warning = await desk.draft()
    for step, who, body in (("submit", DRAFTER, {}), ("check", CHECKER, {"checks": CHECKS}), ("approve", HEAD, {})):
        await desk.step(warning, step, who, **body)
    version = await desk.version(warning)
    changed = await desk.send("PUT", f"/v1/warnings/{warning}", DRAFTER, WORDS, **{"if-match": f'"{version}"'})
    assert changed.status_code == 409
    assert (await desk.step(warning, "take_back", DRAFTER)).json()["checks"] == []
    assert (await desk.step(warning, "release", DIRECTOR)).status_code == 409


async def test_a_refusal_needs_its_reason_and_goes_back_to_the_drafter(desk: Desk) -> None:
    warning = await desk.draft()
    await desk.step(warning, "submit", DRAFTER)
    assert (await desk.step(warning, "refuse", CHECKER)).status_code == 422
    back = await desk.step(warning, "refuse", CHECKER, note="案件尚未查实")
    assert back.json()["state"] == "draft" and back.json()["refusal"] == "案件尚未查实"


async def test_a_recalled_warning_leaves_its_trace_and_loses_its_words(desk: Desk) -> None:
    """D-M4: recall with trace: number, times, reason and statement stay; the words and, for privacy, the title go."""
    house = desk.house
    warning, private = await desk.draft(), await desk.draft(title="另一份警示的标题")
    await desk.publish(warning)
    await desk.publish(private)
    assert (await desk.recall(warning, DRAFTER)).status_code == 403
    assert (await desk.recall(warning)).status_code == 200
    assert (await desk.recall(warning)).status_code == 409
    assert (await desk.recall(private, HEAD, reason="privacy", statement="已撤回。")).status_code == 200
    shown = (await house.client.get(f"/v1/public/warnings/{warning}")).json()
    assert shown["recalled"] is True and shown["versions"][0]["body"] == "" and shown["versions"][0]["title"] == WORDS["title"]
    assert shown["versions"][0]["recall_statement"].startswith("其中地点有误")
    hidden = await house.client.get(f"/v1/public/warnings/{private}")
    assert "另一份警示的标题" not in hidden.text
    assert [event["reason"] for event in await desk.events("recalled")] == ["mistaken", "privacy"]
    for ending in ("atom", "rss", "json"):
        feed = await house.client.get(f"/public/warnings.{ending}")
        assert "另一份警示的标题" not in feed.text and "资本运作" not in feed.text and "已撤回" in feed.text


async def test_the_next_version_takes_the_same_way_and_the_history_is_public(desk: Desk) -> None:
    warning = await desk.draft()
    await desk.publish(warning)
    assert (await desk.step(warning, "revise", DRAFTER)).json()["public_state"] == "published"
    version = await desk.version(warning)
    words = WORDS | {"body": "第二版的内容。"}
    assert (await desk.send("PUT", f"/v1/warnings/{warning}", DRAFTER, words, **{"if-match": f'"{version}"'})).status_code == 200
    shown = (await desk.house.client.get(f"/v1/public/warnings/{warning}")).json()
    assert [one["number"] for one in shown["versions"]] == [1], "the draft of the next version is not public"
    await desk.publish(warning)
    shown = (await desk.house.client.get(f"/v1/public/warnings/{warning}")).json()
    assert [(one["number"], one["body"]) for one in shown["versions"]] == [(2, "第二版的内容。"), (1, WORDS["body"])]
    assert [event["version"] for event in await desk.events("published")] == [1, 2]
    assert len({event["number"] for event in await desk.events("published")}) == 1


async def test_two_releases_at_the_same_moment_publish_once(desk: Desk) -> None:
    warning = await desk.draft()
    for step, who, body in (
        ("submit", DRAFTER, {}), ("check", CHECKER, {"checks": CHECKS}), ("approve", HEAD, {}), ("release", DIRECTOR, {}),
    ):  # fmt: skip
        await desk.step(warning, step, who, **body)
    second = {**NEWSROOM, "principal_id": "newsroom-2"}
    answers = await asyncio.gather(desk.step(warning, "release", NEWSROOM), desk.step(warning, "release", second))
    assert sorted(one.status_code for one in answers) in ([200, 409], [200, 412])
    assert len(await desk.events("published")) == 1


async def test_only_those_entitled_see_drafts(desk: Desk) -> None:
    warning = await desk.draft()
    headers = desk.house.bearer(agency="labour", posts=("head",))
    assert (await desk.house.client.get(f"/v1/warnings/{warning}", headers=headers)).status_code == 403
    police = desk.house.bearer(agency="police", posts=("head",))
    assert (await desk.house.client.get(f"/v1/warnings/{warning}", headers=police)).status_code == 404
    xiyuan = desk.house.bearer(plan="xiyuan", agency="office", posts=("office-director",))
    assert (await desk.house.client.get(f"/v1/warnings/{warning}", headers=xiyuan)).status_code == 404
    assert (await desk.house.client.get("/v1/warnings")).status_code == 401


async def test_the_feeds_are_well_formed_and_cut_to_an_area(desk: Desk) -> None:
    """Atom, RSS and JSON Feed hold the same warnings; an area's feed holds what is for it and for the whole town."""
    house = desk.house
    here, town = await desk.draft(title="安堂 <b>&</b> 的警示"), await desk.draft(title="全镇的警示", areas=[])
    there = await desk.draft(title="南文的警示", areas=["dayong-nanwen"])
    for one in (here, town, there):
        await desk.publish(one)
    atom = await house.client.get("/public/warnings.atom", params={"plan": "dayong", "area": "dayong-antang"})
    assert atom.headers["content-type"].startswith("application/atom+xml")
    titles = [one.findtext(f"{ATOM}title") for one in ET.fromstring(atom.content).iter(f"{ATOM}entry")]
    assert titles == ["全镇的警示", "安堂 <b>&</b> 的警示"]
    rss = await house.client.get("/public/warnings.rss", params={"plan": "dayong"})
    assert len(list(ET.fromstring(rss.content).iter("item"))) == 3
    feed = (await house.client.get("/public/warnings.json")).json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1" and len(feed["items"]) == 3
    assert feed["items"][0]["_dachuan"]["versions"][0]["number"] == 1
    again = await house.client.get("/public/warnings.json", headers={"if-none-match": (await house.client.get("/public/warnings.json")).headers["etag"]})  # fmt: skip
    assert again.status_code == 304
    assert (await house.client.get("/public/warnings.atom", params={"plan": "nowhere"})).status_code == 404
    assert (await house.client.get("/v1/public/warnings", params={"plan": "dayong", "limit": 2})).json()["next"]


async def test_the_public_page_knows_nobody_and_only_the_embedded_one_may_be_framed(desk: Desk) -> None:
    """D-M4: no login, no cookie; other sites may frame the embedded list and nothing else."""
    house = desk.house
    warning = await desk.draft()
    await desk.publish(warning)
    for path in ("/public/warnings", f"/public/warnings/{warning}", "/public/warnings?plan=dayong&area=dayong-antang"):
        shown = await house.client.get(path, headers=house.bearer(**HEAD) | {"accept": "text/html"})
        assert shown.status_code == 200 and WORDS["title"] in told(shown.text)
        assert "set-cookie" not in shown.headers and "frame-ancestors 'none'" in shown.headers["content-security-policy"]
        assert shown.headers["x-frame-options"] == "DENY"
    framed = await house.client.get("/embed/warnings?plan=dayong")
    assert framed.status_code == 200 and WORDS["title"] in framed.text and "<script" not in framed.text
    [policy] = framed.headers.get_list("content-security-policy")
    assert "frame-ancestors *" in policy and "default-src 'none'" in policy and "x-frame-options" not in framed.headers
    assert "set-cookie" not in framed.headers and framed.headers["x-content-type-options"] == "nosniff"
    page = told((await house.client.get(f"/public/warnings/{warning}", headers={"accept": "text/html"})).text)
    assert "资本运作" in page and "newsroom" not in page
    await desk.recall(warning)
    page = told((await house.client.get(f"/public/warnings/{warning}", headers={"accept": "text/html"})).text)
    assert "资本运作" not in page and "其中地点有误" in page
    assert (await house.client.get(f"/public/warnings/{new_id()}", headers={"accept": "text/html"})).status_code == 404


async def test_who_has_to_act_next_is_told_and_nobody_else(desk: Desk) -> None:
    """D-M4: the legal check, the head and those who release are told when it is their turn."""
    warning = await desk.draft()

    async def told_to(who: dict[str, Any]) -> bool:
        seen = await desk.house.client.get("/v1/notices", headers=desk.house.bearer(**who))
        return any(one["template"] == "warning.waits" and one["state"] == "waiting" for one in seen.json()["items"])

    assert not await told_to(CHECKER)
    await desk.step(warning, "submit", DRAFTER)
    assert await told_to(CHECKER) and not await told_to(HEAD) and not await told_to(NEWSROOM)
    await desk.step(warning, "check", CHECKER, checks=CHECKS)
    assert await told_to(HEAD) and not await told_to(CHECKER)
    await desk.step(warning, "approve", HEAD)
    assert await told_to(NEWSROOM) and not await told_to(HEAD)


async def test_the_editor_shows_each_person_their_step_and_tells_what_may_not_be_public(desk: Desk) -> None:
    """D-M4: the pages: a refused draft keeps what was typed; the second person releases by one press."""
    house = desk.house

    async def post(path: str, who: dict[str, Any], **fields: Any) -> httpx.Response:
        headers = house.bearer(**who) | {"accept": "text/html", "sec-fetch-site": "same-origin"}
        return await house.client.post(path, data={"idempotency_key": str(new_id()), **fields}, headers=headers)

    async def page(path: str, who: dict[str, Any]) -> str:
        shown = await house.client.get(path, headers=house.bearer(**who) | {"accept": "text/html"})
        assert shown.status_code == 200, shown.text
        return told(shown.text)

    refused = await post("/warnings", DRAFTER, kind="warning", title="标题留着", body="第一行\n电话 13800138000")
    assert refused.status_code == 422 and "第 2 行" in refused.text and "标题留着" in refused.text
    made = await post("/warnings", DRAFTER, kind="warning", title="标题", body="正文")
    assert made.status_code == 303
    path = made.headers["location"].partition("?")[0]
    warning = path.rpartition("/")[2]
    assert "送合法性审核" in await page(path, DRAFTER) and "送合法性审核" not in await page(path, CHECKER)
    for step, who, body in (
        ("submit", DRAFTER, {}), ("check", CHECKER, {"checks": CHECKS}), ("approve", HEAD, {}), ("release", DIRECTOR, {}),
    ):  # fmt: skip
        assert (await post(f"{path}/steps/{step}", who, version=await desk.version(warning), **body)).status_code == 303
    assert "第二人确认，随即公开" not in await page(path, DIRECTOR) and "第二人确认，随即公开" in await page(path, NEWSROOM)
    await post(f"{path}/steps/release", NEWSROOM, version=await desk.version(warning))
    assert "已公开" in await page("/warnings", DRAFTER)
    recalled = await post(f"{path}/recall", HEAD, version=await desk.version(warning), reason="outdated", statement="已过时。")
    assert recalled.status_code == 303 and "情况已变化" in await page(path, DRAFTER)


async def test_xiyuans_warnings_are_approved_by_the_head_of_the_commerce_station(desk: Desk) -> None:
    """X-G3: the office drafts, the justice station checks, the head approves, office and party office release."""
    here = {"plan": "xiyuan"}
    drafter = {**here, "agency": "office", "posts": ("office-staff",), "principal_id": "xo"}
    made = await desk.send("POST", "/v1/warnings", drafter, {"kind": "reminder", "title": "提示", "body": "求职防骗。", "areas": []})
    assert made.status_code == 201, made.text
    warning = made.json()["warning_id"]
    head = {**here, "agency": "commerce", "posts": ("head",), "principal_id": "xh"}
    for step, who, body in (
        ("submit", drafter, {}),
        ("check", {**here, "agency": "justice", "posts": ("desk",), "principal_id": "xj"}, {"checks": CHECKS}),
        ("approve", head, {}),
        ("release", {**here, "agency": "office", "posts": ("office-director",), "principal_id": "xd"}, {}),
        ("release", {**here, "agency": "party_office", "posts": ("desk",), "principal_id": "xp"}, {}),
    ):
        done = await desk.step(warning, step, who, **body)
        assert done.status_code == 200, (step, done.text)
    shown = (await desk.house.client.get("/v1/public/warnings", params={"plan": "xiyuan", "area": "xiyuan-meihong"})).json()
    assert [one["number"][:6] for one in shown["items"]] == ["西园打传警示"]
    assert (await desk.house.client.get("/v1/public/warnings", params={"plan": "dayong"})).json()["items"] == []
