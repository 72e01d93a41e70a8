"""Pages of reporting and bulletins, as an officer walks them: desk, form, editor with preview, release, print."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx

from shared.kit import clock
from shared.kit.access import SESSION_COOKIE
from shared.kit.ids import new_id
from shared.rules.calendar import local_day
from tests.integration.notify.conftest import House, told
from tests.integration.notify.test_reports import SAYS, at, bulletin, case, follow, office, tick


class Walk:
    """One officer in a browser without scripts."""

    def __init__(self, house: House, agency: str, *posts: str, **more: Any) -> None:
        self.house = house
        more.setdefault("principal_id", str(new_id()))
        self.cookies = {SESSION_COOKIE: house.stack.token(agency=agency, posts=posts, **more)}

    async def open(self, path: str, status: int = 200) -> str:
        headers = {"accept": "text/html", "cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        answer = await self.house.client.get(path, headers=headers)
        assert answer.status_code == status, (path, answer.status_code, told(answer.text)[:400])
        assert "<script>" not in answer.text and " onclick=" not in answer.text
        return answer.text

    async def post(self, path: str, page: str, **fields: Any) -> httpx.Response:
        """Post a form of a page, with its version."""
        version = re.search(rf'action="[^"]*{re.escape(path)}".*?name="version" value="(\d+)"', page, re.S)
        form = {"idempotency_key": str(new_id()), **fields}
        if version:
            form["version"] = version[1]
        headers = {
            "accept": "text/html", "sec-fetch-site": "same-origin",
            "cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()),
        }  # fmt: skip
        return await self.house.client.post(path, data=form, headers=headers)


async def test_from_the_request_to_the_issued_bulletin(house: House) -> None:
    """D-N2, D-R: asked, reported on a form, compiled, edited beside its preview, released by another, printed."""
    staff, director = Walk(house, "commerce", "office-staff"), Walk(house, "commerce", "office-director")
    labour = Walk(house, "labour", "reporter")
    assert "还没有报送日" in await staff.open("/reporting")
    asked = await staff.open("/reports/new")
    today = local_day(clock.now())
    past = {"day": str(today - timedelta(days=1)), "first_day": str(today - timedelta(days=9)), "agencies": ["labour"]}
    refused = await staff.post("/reports/new", asked, **past)
    assert refused.status_code == 422 and "请写今天起一年内的日期" in refused.text
    sent = await staff.post("/reports/new", asked, **past | {"day": str(today), "agencies": ["labour", "education"]})
    assert sent.status_code == 303, sent.text
    days = told(await staff.open("/reporting"))
    assert "应报" in days and "未报" in days and "定期报送" in days and "缺席" not in days

    await house.tell(*case(1, clock.now()))
    mine = await labour.open("/reporting")
    assert "待填写" in mine
    [path] = re.findall(r'href="[^"]*(/reports/[0-9a-f-]{36})"', mine)
    form = await labour.open(path)
    bare = await labour.post(path, form, step="submit", results="只写了成果")
    assert bare.status_code == 422 and "只写了成果" in bare.text and "请填写" in bare.text
    assert (await labour.post(path, form, step="save", **SAYS)).status_code == 303
    kept = await labour.open(path)
    assert SAYS["problems"] in kept and "已起草" in kept
    assert (await labour.post(path, form, step="save", **SAYS)).status_code == 412
    assert (await labour.post(path, kept, step="submit", **SAYS)).status_code == 303
    assert "<textarea" not in await labour.open(path)
    inbox = told(await labour.open("/"))
    assert "前须报送工作情况" not in inbox

    read = await staff.open(path)
    assert SAYS["done"] in read and "请补充" in read
    new = await staff.open(f"/bulletins/new?first_day={today - timedelta(days=9)}&last_day={today}")
    made = await staff.post("/bulletins/new", new, kind="bulletin", first_day=str(today - timedelta(days=9)), last_day=str(today))
    assert made.status_code == 303, made.text
    where = made.headers["location"].partition("?")[0].removeprefix("http://127.0.0.1:8400")
    editor = await staff.open(where)
    assert SAYS["suggestions"] in editor and "预览" in editor and "未报" in editor and "新立联合案件" in editor
    say = {"title": "大涌镇创无工作简讯", "heading": ["总体情况", "", "意见"], "body": ["改过的总体情况\r\n第二段", "", "加印资料"]}
    wrong = await staff.post(where, editor, step="save", **say | {"title": ""})
    assert wrong.status_code == 422 and "改过的总体情况" in wrong.text
    assert (await staff.post(where, editor, step="propose", **say)).status_code == 303
    waiting = await staff.open(where)
    assert "等待另一人签发" in waiting and "改过的总体情况" in waiting and 'name="heading"' not in waiting
    assert "有简报等待另一人签发" in told(await director.open("/"))
    assert where in await director.open("/bulletins?state=proposed")
    before = await director.open(where)
    assert (await director.post(f"{where}/release", before)).status_code == 303
    issued = told(await director.open(where))
    assert f"{today.year}年第1期" in issued and "撤回" in issued
    reader = await Walk(house, "education", "head").open(where)
    assert "加印资料" in reader and "/recall" not in reader
    assert "印发了一期通报简讯" in told(await Walk(house, "education", "head").open("/"))
    printed = await labour.open(f"{where}/print")
    assert "大涌镇创无工作简讯" in printed and "dc-official" in printed
    listed = await labour.open("/bulletins")
    assert "大涌镇创无工作简讯" in listed and "汇编简报" not in listed


async def test_who_wrote_it_is_told_that_another_releases(house: House) -> None:
    """D-N2: the page of one's own proposal offers no release; sent back, it says why."""
    director = Walk(house, "commerce", "office-director")
    row = await bulletin(house, who={"authorization": f"Bearer {director.cookies[SESSION_COOKIE]}"})
    path = f"/bulletins/{row['bulletin_id']}"
    page = await director.open(path)
    assert (await director.post(path, page, step="propose", title="一", heading=["甲"], body=["乙"])).status_code == 303
    own = await director.open(path)
    assert "须由另一人签发" in own and f"{path}/release" not in own
    other = Walk(house, "commerce", "office-director")
    back = await other.open(path)
    assert (await other.post(f"{path}/return", back, reason="补充数据")).status_code == 303
    draft = await director.open(path)
    assert "补充数据" in draft
    assert (await director.post(f"{path}/figures", draft)).status_code == 303
    again = await director.open(path)
    assert (await director.post(f"{path}/discard", again)).status_code == 303
    await Walk(house, "labour", "head").open(path, 404)


async def test_late_reports_come_first_and_the_missing_are_listed(house: House) -> None:
    """D-R: what is late and counts stands first on the unit's desk; the office sees who is missing; X-R3: who reports."""
    await follow(house, "dayong", at(2015, 10, 20, 1))
    await tick(house, at(2015, 10, 29, 16, 1))
    desk = await Walk(house, "labour", "head").open("/reporting")
    rows = re.findall(r"<li data-row.*?</li>", desk, re.S)
    assert "2015-10-29" in rows[0] and "迟" in told(rows[0]) and "2015-10-15" in rows[-1] and "不计迟报" in told(rows[-1])
    shown = told(await Walk(house, "commerce", "office-staff").open("/reporting?show=days"))
    assert "22" in shown and "不计迟报" in shown
    everything = await Walk(house, "commerce", "office-staff").open("/reporting?show=all")
    assert "cursor=" in everything
    english = await house.client.get(
        "/reporting?show=days&lang=en", headers=office(house) | {"accept": "text/html", "accept-language": "en"}
    )
    assert english.status_code == 200


async def test_naming_who_reports(house: House) -> None:
    """X-R3: the head names a person on a page; another of the unit is told to ask."""
    named = await house.officer("chen", plan="xiyuan", agency="justice", unit=None, posts=("reporter",))
    head = Walk(house, "justice", "head", plan="xiyuan")
    page = await head.open("/reporters")
    assert "尚未指定" in page and "定人报告" in page
    done = await head.post("/reporters", page, agency="justice", account_id=str(named), version="0")
    assert done.status_code == 303 and "测试甲" in await head.open("/reporters")
    stale = await head.post("/reporters", page, agency="justice", account_id=str(named), version="0")
    assert stale.status_code == 412
    await follow(house, "xiyuan", at(2015, 5, 12, 1))
    desk = Walk(house, "justice", "desk", plan="xiyuan")
    path = re.findall(r'href="[^"]*(/reports/[0-9a-f-]{36})"', await desk.open("/reporting"))[0]
    other = await desk.open(path)
    assert "指定的报送人不是您" in other and "<textarea" not in other
    mine = await Walk(house, "justice", "desk", plan="xiyuan", principal_id=str(named)).open(path)
    assert "<textarea" in mine
