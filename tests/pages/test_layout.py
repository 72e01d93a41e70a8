"""The shared layout in a browser, at a phone's and a desk's size."""

import re

import pytest
from playwright.sync_api import expect

from tests.pages.conftest import DESKTOP, PHONE, Screens, Shown

SIZES = [pytest.param(PHONE, id="phone"), pytest.param(DESKTOP, id="desktop")]


@pytest.mark.parametrize("size", SIZES)
def test_every_building_block_is_readable_and_accessible(screens: Screens, shown: Shown, size: dict[str, int]) -> None:
    page = screens.open(size)
    shown.sign_in(page)
    page.goto(f"{shown.address}/gallery")
    expect(page.get_by_role("heading", level=1)).to_have_text("版面样张")
    screens.keep(page, f"layout-{size['width']}")
    screens.check(page)
    assert screens.complaints == []


def test_what_a_post_may_not_open_is_not_in_its_navigation(screens: Screens, shown: Shown) -> None:
    page = screens.open(DESKTOP)
    shown.sign_in(page, agency="education", posts=())
    page.goto(f"{shown.address}/gallery")
    links = page.get_by_role("navigation", name="主导航").get_by_role("link")
    assert [text.strip() for text in links.all_inner_texts()] == ["待办", "方案"]


def test_the_language_is_kept_for_officers_but_never_for_citizens(screens: Screens, shown: Shown) -> None:
    page = screens.open(DESKTOP)
    page.goto(f"{shown.address}/citizen")
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert page.context.cookies() == []
    shown.sign_in(page)
    page.goto(f"{shown.address}/gallery")
    page.get_by_role("link", name="English").click()
    page.goto(f"{shown.address}/gallery")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Casework")).to_be_visible()


def test_keys_move_through_a_list_and_the_skip_link_comes_first(screens: Screens, shown: Shown) -> None:
    page = screens.open(DESKTOP)
    shown.sign_in(page)
    page.goto(f"{shown.address}/gallery")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("跳到正文")
    page.keyboard.press("j")
    expect(page.locator(":focus")).to_have_text("大涌社区 · 拉人头")
    page.keyboard.press("j")
    expect(page.locator(":focus")).to_contain_text("入门费")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#1$"))


def test_the_account_menu_tells_who_is_signed_in_and_closes_by_escape(screens: Screens, shown: Shown) -> None:
    page = screens.open(PHONE)
    shown.sign_in(page, agency="police", unit="economic_crime", posts=("investigator",))
    page.goto(f"{shown.address}/gallery")
    page.locator(".dc-menu summary").click()
    expect(page.get_by_text("公安分局 · 经侦部门").first).to_be_visible()
    expect(page.get_by_text("办案人员")).to_be_visible()
    screens.keep(page, "menu-390")
    page.keyboard.press("Escape")
    expect(page.get_by_text("办案人员")).to_be_hidden()


def test_a_form_with_an_old_version_says_what_happened_and_a_right_one_goes_on(screens: Screens, shown: Shown) -> None:
    page = screens.open(DESKTOP)
    shown.sign_in(page)
    page.goto(f"{shown.address}/gallery")
    page.get_by_label("说明").fill("已核查现场")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status")).to_have_text("已保存。")
    page.locator("input[name=version]").evaluate("field => field.value = 2")
    page.get_by_label("说明").fill("再次核查")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("与已有记录冲突")
    expect(page.get_by_text("版本已变，记录未改。")).to_be_visible()
    expect(page.get_by_role("button", name="返回上一页")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "words"), [("/nothing", "没有找到这个页面"), ("/broken", "系统出错了")], ids=["missing", "broken"]
)
def test_an_error_tells_what_happened_and_a_number_to_quote(
    screens: Screens, shown: Shown, path: str, words: str
) -> None:
    page = screens.open(PHONE)
    shown.sign_in(page)
    page.goto(f"{shown.address}{path}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(words)
    expect(page.locator("main code")).to_have_text(re.compile("^[0-9a-f]{32}$"))
    screens.keep(page, f"error{path.replace('/', '-')}-390")
    screens.check(page)
