"""What a citizen meets: the form, the receipt, the state of the tip; by the real service in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.instances import Stack
from tests.pages.conftest import DESKTOP, PHONE, Screens

SIZES = [pytest.param(PHONE, id="phone"), pytest.param(DESKTOP, id="desktop")]
STORY = "出租屋里每天有三十多人上课，要交三千九百元才能加入，拉一个人提成五百。"


def fill_in(page: Page, address: str) -> None:
    page.goto(f"{address}/report")
    page.get_by_label("是什么情况？").fill(STORY)
    page.get_by_label("在哪个社区（村）？").select_option("dayong/dayong-nanwen")
    page.get_by_label("具体在哪里？").fill("市场后面红砖楼三楼")


@pytest.mark.parametrize("size", SIZES)
def test_a_report_gives_a_receipt_that_shows_how_it_stands(
    screens: Screens, stack: Stack, size: dict[str, int]
) -> None:
    page = screens.open(size)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    fill_in(page, stack.url("intake"))
    screens.keep(page, f"report-{size['width']}")
    screens.check(page)
    page.get_by_role("button", name="提交举报").click()
    digits = page.locator("#receipt").inner_text()
    assert re.fullmatch(r"(\d{4} ){3}\d{4}", digits)
    screens.keep(page, f"report-done-{size['width']}")
    screens.check(page)
    page.goto(f"{stack.url('intake')}/receipt")
    page.get_by_label("回执号").press_sequentially(digits.replace(" ", ""))
    expect(page.get_by_label("回执号")).to_have_value(digits)
    page.get_by_role("button", name="查询").click()
    expect(page.locator(".dc-step-ahead")).to_contain_text("公安和市场监管部门共同办理")
    screens.keep(page, f"receipt-{size['width']}")
    screens.check(page)
    # nothing that could lead to the reporter: no cookie, no other host, no digits in an address
    assert page.context.cookies() == []
    assert all(url.startswith((stack.url("intake"), "data:")) for url in asked), asked
    assert not [url for url in asked if digits.replace(" ", "") in url or digits[:4] in url.partition("?")[2]]
    assert screens.complaints == []


def test_it_works_without_scripts_and_in_english(screens: Screens, stack: Stack) -> None:
    page = screens.open(PHONE, scripts=False)
    fill_in(page, stack.url("intake"))
    page.get_by_role("button", name="提交举报").click()
    expect(page.locator("#receipt")).to_have_text(re.compile(r"(\d{4} ){3}\d{4}"))
    expect(page.get_by_role("button", name="复制回执号")).to_be_hidden()
    page.get_by_role("button", name="查看办理情况").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("我的举报办得怎么样了？")
    page.goto(f"{stack.url('intake')}/report?lang=en")
    page.get_by_label("What happened?").fill(STORY)
    page.get_by_label("Which community?").select_option("dayong/")
    page.get_by_role("button", name="Send the report").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. Your report has arrived.")


def test_somebody_held_is_told_to_call_110_and_the_tick_makes_it_urgent(screens: Screens, stack: Stack) -> None:
    page = screens.open(PHONE)
    fill_in(page, stack.url("intake"))
    expect(page.get_by_role("link", name="拨打 110")).to_have_attribute("href", "tel:110")
    page.get_by_label("有人被限制自由、不让离开").check()
    page.get_by_role("button", name="提交举报").click()
    expect(page.locator("main")).to_contain_text("已立即转给公安")
    expect(page.get_by_role("link", name="拨打 110")).to_be_visible()
    screens.keep(page, "report-done-urgent-390")


def test_what_was_typed_stays_when_the_form_is_wrong(screens: Screens, stack: Stack) -> None:
    page = screens.open(PHONE)
    fill_in(page, stack.url("intake"))
    page.get_by_label("卖保健品、化妆品").check()
    page.locator("#place").evaluate("field => { field.removeAttribute('maxlength'); field.value = '长'.repeat(201) }")
    page.get_by_role("button", name="提交举报").click()
    expect(page.get_by_text("还没有提交。")).to_be_visible()
    expect(page.get_by_text("最多 200 字。")).to_be_visible()
    expect(page.get_by_label("是什么情况？")).to_have_value(STORY)
    expect(page.get_by_label("卖保健品、化妆品")).to_be_checked()
    screens.keep(page, "report-wrong-390")
    screens.check(page)
    page.get_by_label("具体在哪里？").fill("三楼")
    page.get_by_role("button", name="提交举报").click()
    expect(page.locator("#receipt")).to_be_visible()


def test_sending_the_same_page_again_makes_no_second_tip(screens: Screens, stack: Stack) -> None:
    page = screens.open(PHONE)
    fill_in(page, stack.url("intake"))
    page.get_by_role("button", name="提交举报").click()
    first = page.locator("#receipt").inner_text()
    page.reload()
    expect(page.locator("#receipt")).to_have_text(first)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("1234 5678 1234 5678", "请核对是否抄错"),
        ("0000 0000 0000 0000", "没有找到这个回执号"),
        ("12", "请核对是否抄错"),
    ],
    ids=["slip", "unknown", "short"],
)
def test_a_wrong_receipt_is_said_kindly(screens: Screens, stack: Stack, typed: str, words: str) -> None:
    page = screens.open(PHONE)
    page.goto(f"{stack.url('intake')}/receipt")
    page.get_by_label("回执号").fill(typed)
    page.get_by_role("button", name="查询").click()
    expect(page.locator("#receipt-error")).to_contain_text(words)
    screens.check(page)
