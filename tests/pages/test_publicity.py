"""Publicity in a browser: a community proves a campaign by phone; a warning goes from the draft to the public and back."""

import io
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from PIL import Image
from playwright.sync_api import Page, expect

from shared.kit.access import SESSION_COOKIE
from tests.instances import Stack
from tests.pages.conftest import DESKTOP, PHONE, Screens, serve
from tests.patience import until

OFFICE = {"agency": "commerce", "unit": "office", "posts": ("office-director", "office-staff"), "principal_id": "pub-o"}
CHECKER = {"agency": "politics_law", "posts": ("desk",), "principal_id": "pub-l"}
HEAD = {"agency": "commerce", "posts": ("head",), "principal_id": "pub-h"}
NEWSROOM = {"agency": "propaganda", "posts": ("desk",), "principal_id": "pub-p"}
ANTANG = {"agency": "c-antang", "posts": ("community-worker",), "areas": ("dayong-antang",), "principal_id": "pub-a"}


@pytest.fixture
def notify(stack: Stack) -> Iterator[str]:
    """Notify's address, once its schedule is made."""
    address, who = f"{stack.url('notify')}/v1/campaign-items?show=all", stack.bearer(**OFFICE)
    until("the schedule", lambda: httpx.get(address, headers=who, timeout=30).json()["items"])
    yield stack.url("notify")


def as_who(page: Page, stack: Stack, **who: object) -> None:
    page.context.clear_cookies()
    token = stack.token(**who)  # type: ignore[arg-type]
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": stack.url("notify")}])


def photo() -> dict[str, object]:
    made = io.BytesIO()
    Image.new("RGB", (320, 240), (120, 30, 30)).save(made, "JPEG")
    return {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": made.getvalue()}


def test_a_community_proves_its_campaign_by_phone_and_the_board_shows_it(
    screens: Screens, stack: Stack, notify: str
) -> None:
    """X-G3, D-M4: into the communities, with a photo, whom it reached, and the board of the office."""
    page = screens.open(PHONE)
    as_who(page, stack, **ANTANG)
    page.goto(f"{notify}/campaigns")
    screens.check(page)
    page.get_by_role("link", name="拒绝传销进社区").first.click()
    screens.check(page)
    page.set_input_files("#files", photo())  # type: ignore[arg-type]
    page.get_by_role("button", name="上传文件").click()
    expect(page.get_by_role("link", name="照片 1")).to_be_visible()
    page.get_by_label("覆盖人数").fill("230")
    page.get_by_label("居民").check()
    page.get_by_role("button", name="保存上报").click()
    expect(page.get_by_text("覆盖 230 人").first).to_be_visible()
    screens.keep(page, "campaign-item-390")
    screens.check(page)
    board = screens.open(DESKTOP)
    as_who(board, stack, **OFFICE)
    board.goto(f"{notify}/campaigns?show=done")
    expect(board.get_by_role("group", name="各社区进展")).to_be_visible()
    expect(board.get_by_text("覆盖 230 人").first).to_be_visible()
    screens.keep(board, "campaigns-1280")
    screens.check(board)
    assert screens.complaints == []


def test_a_warning_goes_from_the_draft_to_the_public_and_is_recalled(screens: Screens, stack: Stack, notify: str) -> None:
    """D-M4: every step by who may take it; the public page has no cookie and no script is needed."""
    page = screens.open(DESKTOP)
    as_who(page, stack, **OFFICE)
    page.goto(f"{notify}/warnings")
    screens.check(page)
    page.get_by_label("标题").fill("浏览器里的警示")
    page.get_by_label("正文").fill("请拨打 13800138000")
    page.get_by_role("button", name="保存草稿").click()
    expect(page.get_by_role("alert")).to_contain_text("第 1 行")
    page.get_by_label("正文").fill("请警惕以“连锁经营”为名的传销，举报拨打 12315。")
    page.get_by_role("button", name="保存草稿").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("浏览器里的警示")
    address = page.url.partition("?")[0]
    screens.complaints.clear()  # the refused form
    page.get_by_role("button", name="送合法性审核").click()

    as_who(page, stack, **CHECKER)
    page.goto(address)
    for tick in page.locator("input[name=checks]").all():
        tick.check()
    page.get_by_role("button", name="审核通过").click()
    as_who(page, stack, **HEAD)
    page.goto(address)
    page.get_by_role("button", name="主要负责人批准").click()
    as_who(page, stack, **OFFICE)
    page.goto(address)
    page.get_by_role("button", name="第一人确认").click()
    expect(page.get_by_text("须由另一人作第二次确认")).to_be_visible()
    as_who(page, stack, **NEWSROOM)
    page.goto(address)
    page.get_by_role("button", name="第二人确认").click()
    screens.keep(page, "warning-1280")
    screens.check(page)

    public = screens.open(PHONE, scripts=False)
    public.goto(f"{stack.url('intake')}/report")
    public.get_by_role("link", name="打击传销警示").click()
    expect(public.get_by_role("heading", level=1)).to_have_text("打击传销警示")
    public.goto(f"{notify}/public/warnings?plan=dayong")
    expect(public.get_by_role("link", name="浏览器里的警示")).to_be_visible()
    assert public.context.cookies() == []
    screens.keep(public, "public-warnings-390")
    public.get_by_role("link", name="浏览器里的警示").click()
    expect(public.get_by_text("连锁经营")).to_be_visible()
    seen = screens.open(PHONE)
    seen.goto(f"{notify}/public/warnings?plan=dayong")
    screens.check(seen)

    as_who(page, stack, **HEAD)
    page.goto(address)
    page.get_by_label("给群众看的说明").fill("已由新的警示代替。")
    page.once("dialog", lambda asked: asked.accept())
    page.get_by_role("button", name="立即撤回").click()
    expect(page.get_by_text("已撤回").first).to_be_visible()
    public.reload()
    expect(public.get_by_text("已由新的警示代替。").first).to_be_visible()
    assert public.get_by_text("连锁经营").count() == 0
    assert screens.complaints == []


def test_another_site_may_frame_the_embedded_list_and_nothing_else(screens: Screens, notify: str) -> None:
    """A page of another origin shows the list in a frame; the public page itself refuses to be framed."""
    other = FastAPI()

    @other.get("/")
    def framing(path: str) -> HTMLResponse:
        return HTMLResponse(f'<!doctype html><html lang="zh"><title>x</title><iframe title="f" src="{notify}{path}"></iframe>')

    address, stop = serve(other)
    try:
        page = screens.open(DESKTOP)
        page.goto(f"{address}/?path=/embed/warnings")
        expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_be_visible()
        screens.keep(page, "framed-warnings-1280")
        assert [line for line in screens.complaints if "404" not in line] == [], "the other site has no icon, nothing else"
        page.goto(f"{address}/?path=/public/warnings")
        expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_have_count(0)
        assert any("frame-ancestors" in line or "X-Frame-Options" in line for line in screens.complaints)
    finally:
        stop()
