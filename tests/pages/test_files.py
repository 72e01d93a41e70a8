"""Files on pages in a real browser: sent by a citizen with and without scripts, looked at by an officer; work and wait."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from services.intake.domain.work import zero_bits
from shared.kit.access import SESSION_COOKIE
from tests.instances import Stack
from tests.pages.conftest import DESKTOP, PHONE, Screens
from tests.unit.intake.evidence.samples import mp3, photo, wav

STORY = "安堂社区兴华里5栋301有人搞传销，每天几十人听课拉人头，发展下线，每人交3900元"


@pytest.fixture
def receipt(stack: Stack) -> str:
    answer = httpx.post(f"{stack.url('intake')}/v1/public/tips", json={"plan": "dayong", "text": STORY})
    return answer.json()["receipt"]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    made = {
        "客厅.jpg": photo(size=(800, 600)),
        "上课录音.wav": wav(),
        "画.svg": b"<svg><script>alert(1)</script></svg>",
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    return [str(tmp_path / name) for name in made]


def test_files_are_sent_one_by_one_with_their_progress(
    screens: Screens, stack: Stack, receipt: str, files: list[str]
) -> None:
    """D-B6: what a citizen brings along, by telephone."""
    page = screens.open(PHONE)
    page.goto(f"{stack.url('intake')}/report/files")
    screens.check(page)
    screens.keep(page, "report-files-390")
    page.get_by_label("回执号").press_sequentially(receipt)
    page.get_by_label("照片、录音、文档").set_input_files(files)
    page.get_by_role("button", name="上传文件").click()
    told = page.locator("[data-files-told] li")
    expect(told).to_have_count(3)
    expect(told.nth(0)).to_contain_text("已收到")
    expect(told.nth(1)).to_contain_text("已收到")
    expect(told.nth(2)).to_contain_text("请改用截图")
    screens.keep(page, "report-files-sent-390")
    screens.check(page)
    listed = httpx.post(f"{stack.url('intake')}/v1/public/files/list", json={"receipt": receipt}).json()
    assert [one["kind"] for one in listed["items"]] == ["image", "audio"] and listed["left"] == 8
    assert page.context.cookies() == []


def test_files_are_sent_without_scripts_too(screens: Screens, stack: Stack, receipt: str, files: list[str]) -> None:
    page = screens.open(PHONE, scripts=False)
    page.goto(f"{stack.url('intake')}/receipt")
    page.get_by_label("回执号").fill(receipt)
    page.get_by_role("button", name="查询").click()
    page.get_by_label("照片、录音、文档").set_input_files(files)
    page.get_by_role("button", name="上传文件").click()
    told = page.locator(".dc-files-told li")
    expect(told).to_have_count(3)
    expect(told.nth(0)).to_contain_text("照片")
    expect(told.nth(2)).to_contain_text("请改用截图")
    screens.keep(page, "report-files-result-390")


def test_an_officer_looks_at_copies_and_is_warned_before_an_original(
    screens: Screens, stack: Stack, receipt: str
) -> None:
    url = stack.url("intake")
    for data in (photo(size=(800, 600)), mp3(), b"\0\0\0\x18ftypheic" + bytes(300)):
        answer = httpx.post(f"{url}/v1/public/files", data={"receipt": receipt}, files={"file": ("x", data)})
        assert answer.status_code == 201, answer.text
    office = stack.bearer(agency="commerce", unit="office", posts=("office-staff",), principal_id="office")
    tips = httpx.get(f"{url}/v1/tips", headers=stack.bearer(agency="police", posts=("head", "desk"))).json()["items"]
    tips += httpx.get(f"{url}/v1/tips", headers=office).json()["items"]
    tips += httpx.get(f"{url}/v1/tips", headers=stack.bearer(agency="commerce", posts=("head", "desk"))).json()["items"]
    tip = next(one for one in sorted(tips, key=lambda one: one["received_at"], reverse=True))
    token = stack.bearer(
        agency=tip["agency"], unit=tip["unit"], posts=("head", "desk", "investigator"), principal_id="looker"
    )["Authorization"].removeprefix("Bearer ")
    page = screens.open(DESKTOP)
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": url}])
    page.goto(f"{url}/tips/{tip['tip_id']}")
    expect(page.locator(".dc-files-list li")).to_have_count(3)
    page.get_by_text("查看", exact=True).click()
    picture = page.locator(".dc-files-list img")
    expect(picture).to_be_visible()
    page.wait_for_function("document.querySelector('.dc-files-list img').naturalWidth > 0")
    screens.check(page)
    screens.keep(page, "tip-files-1280")
    page.get_by_text("原件……").last.click()
    expect(page.locator("main")).to_contain_text("可能暴露举报人")
    screens.check(page)
    screens.keep(page, "tip-file-original-1280")
    page.get_by_label("没有清理后的副本").check()
    page.get_by_label("我了解风险，并保护举报人").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="下载原件").click()
    assert re.fullmatch(r"3-original\.heic", download.value.suggested_filename)


def test_the_browser_works_and_sends_the_same_form(screens: Screens, stack: Stack) -> None:
    """The page's own scripts, on a page like the wait page, within the service's origin."""
    url = stack.url("intake")
    sent: list[dict[str, list[str]]] = []
    challenge = "1.1790000000.12.abcdef.00112233445566778899aabbccddeeff"

    def wait(route: Route) -> None:
        route.fulfill(
            content_type="text/html",
            body=f'<form method="post" action="/done-here" data-work="{challenge}" data-bits="12" data-worker="/static/work-worker.js">'
            f'<input type="hidden" name="text" value="一"><input type="hidden" name="work" value="{challenge}">'
            "<p data-work-told hidden></p><progress data-work-shown hidden max=100></progress><div data-work-else><button>x</button></div></form>"
            '<script src="/static/work.js"></script>',
        )

    def done(route: Route) -> None:
        sent.append(parse_qs(route.request.post_data or ""))
        route.fulfill(content_type="text/html", body="<h1>done</h1>")

    page: Page = screens.open(PHONE)
    page.route("**/wait-here", wait)
    page.route("**/done-here", done)
    page.goto(f"{url}/wait-here")
    expect(page.get_by_role("heading")).to_have_text("done")
    proof = sent[0]["work"][0]
    assert sent[0]["text"] == ["一"] and proof.startswith(f"{challenge}:")
    assert zero_bits(hashlib.sha256(proof.encode()).digest()) >= 12
