"""What officers see of tips and of the plan; by the real service in a real browser."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from shared.kit.access import SESSION_COOKIE
from tests.instances import Stack
from tests.pages.conftest import DESKTOP, PHONE, Screens

SIZES = [pytest.param(PHONE, id="phone"), pytest.param(DESKTOP, id="desktop")]
TIPS = [
    {
        "text": "表弟被骗到出租屋，手机被收走，不让离开，已经五天，求救！",
        "area": "dayong-dayong",
        "external_ref": "PG-1",
    },
    {"text": "每天几十人<b>上课</b>，拉一个人提成五百，要交入门费。", "area": "dayong-nanwen", "external_ref": "PG-2"},
    {"text": "公交车经常晚点半小时。", "area": "dayong-antang", "external_ref": "PG-3"},
]


def hand_in(stack: Stack, tips: list[dict[str, str]]) -> list[dict[str, str]]:
    """Tips handed in by the commerce branch's system."""
    answer = httpx.post(
        f"{stack.url('intake')}/v1/tips/batch",
        headers=stack.bearer(kind="system", agency="commerce", scopes=("tip.submit",), principal_id="pages"),
        json={"plan": "dayong", "channel": "message-board", "tips": tips},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return [row["tip"] for row in answer.json()["rows"]]


@pytest.fixture(scope="module")
def tips(stack: Stack) -> list[dict[str, str]]:
    return hand_in(stack, TIPS)


def sign_in(page: Page, stack: Stack, **who: object) -> None:
    token = stack.token(**{"agency": "commerce", "posts": ("desk", "head"), **who})  # type: ignore[arg-type]
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": stack.url("intake")}])


@pytest.mark.parametrize("size", SIZES)
def test_the_desk_puts_what_is_urgent_on_top(
    screens: Screens, stack: Stack, tips: list[dict[str, str]], size: dict[str, int]
) -> None:
    page = screens.open(size)
    sign_in(page, stack)
    page.goto(f"{stack.url('intake')}/desk")
    expect(page.get_by_role("heading", name="近一天的紧急举报")).to_be_visible()
    expect(page.locator("[data-row]").first).to_contain_text("非法拘禁")
    screens.keep(page, f"desk-{size['width']}")
    screens.check(page)
    page.get_by_role("link", name="已告知去处").click()
    expect(page.locator("[data-row]").first).to_contain_text("交通")
    expect(page.locator("[data-rows]")).not_to_contain_text("非法拘禁")
    page.get_by_label("来源").select_option("media")
    expect(page.get_by_text("没有符合条件的举报")).to_be_visible()
    screens.check(page)
    assert screens.complaints == []


def test_a_new_tip_appears_by_itself_and_the_keyboard_keeps_its_place(
    screens: Screens, stack: Stack, tips: list[dict[str, str]]
) -> None:
    page = screens.open(DESKTOP)
    sign_in(page, stack)
    page.goto(f"{stack.url('intake')}/desk?state=lead")
    link = page.locator(f"a[href$='{tips[1]['tip_id']}']")
    link.focus()
    hand_in(
        stack,
        [
            {
                "text": "写字楼里每天上课，发展下线拉人头，要交入门费。",
                "area": "dayong-quanlu",
                "external_ref": "PG-LIVE",
            }
        ],
    )
    expect(page.get_by_text("PG-LIVE")).to_be_visible()
    expect(link).to_be_focused()
    assert screens.complaints == []


def test_the_desk_can_be_worked_by_keys_alone(screens: Screens, stack: Stack, tips: list[dict[str, str]]) -> None:
    page = screens.open(DESKTOP)
    sign_in(page, stack)
    page.goto(f"{stack.url('intake')}/desk")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/tips/"))


@pytest.mark.parametrize("size", SIZES)
def test_a_tip_shows_its_words_what_they_meant_and_the_rules_tried(
    screens: Screens, stack: Stack, tips: list[dict[str, str]], size: dict[str, int]
) -> None:
    page = screens.open(size)
    sign_in(page, stack)
    page.goto(f"{stack.url('intake')}/tips/{tips[1]['tip_id']}")
    expect(page.locator(".dc-narrative")).to_have_text(TIPS[1]["text"])
    expect(page.locator(".dc-narrative mark").first).to_be_visible()
    assert page.locator(".dc-narrative b").count() == 0
    expect(page.locator(".dc-rule-matched")).to_contain_text("据此分办")
    expect(page.locator(".dc-rule-skipped").first).to_contain_text("内容与传销有关")
    screens.keep(page, f"tip-{size['width']}")
    screens.check(page)
    assert screens.complaints == []


def test_an_irrelevant_tip_says_where_it_belongs(screens: Screens, stack: Stack, tips: list[dict[str, str]]) -> None:
    page = screens.open(DESKTOP)
    sign_in(page, stack)
    page.goto(f"{stack.url('intake')}/tips/{tips[2]['tip_id']}")
    expect(page.locator(".dc-note")).to_contain_text("交通运输部门")
    expect(page.locator("main").get_by_role("link", name="联合案件")).to_have_count(0)
    screens.keep(page, "tip-referred-1280")


def test_the_words_of_a_tip_are_closed_to_those_without_the_right(
    screens: Screens, stack: Stack, tips: list[dict[str, str]]
) -> None:
    page = screens.open(DESKTOP)
    sign_in(page, stack, agency="education")
    for path, words in ((f"/tips/{tips[1]['tip_id']}", "没有"), ("/desk", "没有")):
        answer = page.goto(f"{stack.url('intake')}{path}")
        assert answer is not None and answer.status in (403, 404)
        expect(page.get_by_role("heading", level=1)).to_contain_text(words)
        expect(page.locator("main")).not_to_contain_text("提成")
    screens.keep(page, "forbidden-1280")
    screens.check(page)


@pytest.mark.parametrize("size", SIZES)
def test_the_plan_says_who_does_what_and_within_which_time(
    screens: Screens, stack: Stack, size: dict[str, int]
) -> None:
    page = screens.open(size)
    sign_in(page, stack, agency="police", posts=())
    page.goto(f"{stack.url('intake')}/plans")
    expect(page).to_have_url(re.compile("/plans/dayong$"))
    own = page.locator("details[open]")
    expect(own).to_contain_text("公安分局")
    expect(own).to_contain_text("刑侦部门")
    row = page.get_by_role("row").filter(has_text="非法拘禁线索由公安签收")
    expect(row).to_contain_text("10分钟")
    expect(page.locator("#assumed")).to_contain_text("社区名单与代码")
    screens.keep(page, f"plan-{size['width']}")
    screens.check(page)
    assert page.goto(f"{stack.url('intake')}/plans/xiyuan").status == 404  # type: ignore[union-attr]
