"""A reward from the receipt to the counter, as its reporter, the office, two leaders and the cashier meet it."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from shared.kit.access import SESSION_COOKIE
from tests.instances import Stack
from tests.pages.conftest import DESKTOP, PHONE, Screens

CODE = re.compile(r"^([2-9A-Z]{4} ){2}[2-9A-Z]{4}$")


@pytest.fixture(scope="module")
def receipt(stack: Stack) -> str:
    answer = httpx.post(
        f"{stack.url('intake')}/v1/public/tips",
        json={"plan": "dayong", "text": "青岗社区工业路8号有人搞传销，每天上课，拉人头发展下线，交3800元入会"},
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["receipt"]


def officer(screens: Screens, stack: Stack, name: str, agency: str, post: str, size: dict[str, int] = DESKTOP) -> Page:
    page = screens.open(size)
    token = stack.token(agency=agency, posts=(post,), principal_id=name)
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": stack.url("intake")}])
    return page


def by_receipt(page: Page, stack: Stack, receipt: str) -> None:
    page.goto(f"{stack.url('intake')}/reward")
    page.get_by_label("回执号").fill(receipt)
    page.get_by_role("button", name="查询").click()


def test_from_the_receipt_to_the_counter(screens: Screens, stack: Stack, receipt: str) -> None:
    """D-L, point 6: no name, no script and no address line on the reporter's side; four eyes on the other."""
    intake = stack.url("intake")
    reporter = screens.open(PHONE, scripts=False)
    asked: list[str] = []
    reporter.on("request", lambda request: asked.append(request.url))
    reporter.goto(f"{intake}/reward")
    screens.keep(reporter, "reward-ask-390")
    by_receipt(reporter, stack, receipt)
    reporter.get_by_role("button", name="申领奖励并取得领奖密码").click()
    code = reporter.locator("#reward-code").inner_text()
    assert CODE.match(code)
    screens.keep(reporter, "reward-code-390")

    keeper = officer(screens, stack, "cashier", "finance", "desk")
    keeper.goto(f"{intake}/funds")
    keeper.get_by_label("金额（元）").fill("10,000")
    keeper.get_by_label("文号").fill("大财预〔2026〕3号")
    keeper.get_by_role("button", name="登记").click()
    expect(keeper.locator(".dc-figure").first).to_contain_text("10,000.00")

    office = officer(screens, stack, "director", "commerce", "office-director")
    office.goto(f"{intake}/rewards")
    expect(office.get_by_role("heading", name="尚未提出建议的申领")).to_be_visible()
    screens.keep(office, "rewards-desk-1280")
    screens.check(office)
    office.locator("[data-row] a").first.click()
    office.get_by_role("link", name="提出奖励建议").click()
    office.get_by_label("奖励办法").select_option("fines")
    office.get_by_label("等级").select_option("2")
    office.get_by_label("罚款（元）").fill("200,000")
    office.get_by_label("没收（元）").fill("100000")
    office.get_by_label("上述数额所在文书的文号").fill("中市监罚〔2026〕18号")
    office.get_by_role("button", name="计算").click()
    expect(office.locator("#reckoned")).to_contain_text("9,000.00")
    screens.keep(office, "reward-reckoned-1280")
    screens.check(office)
    office.get_by_role("button", name="按此提出").click()
    expect(office).to_have_url(re.compile(r"/rewards/[0-9a-f-]{36}"))
    expect(office.get_by_role("button", name="同意", exact=True)).to_have_count(0)
    address = office.url.partition("?")[0]

    keeper.goto(f"{intake}/funds")
    expect(keeper.locator("#short")).to_be_visible()
    screens.keep(keeper, "fund-short-1280")
    screens.check(keeper)
    keeper.get_by_role("link", name=re.compile("已承诺")).click()
    expect(keeper.locator("tbody tr")).to_have_count(1)

    for name, post in (("first", "leader"), ("second", "deputy-leader")):
        leader = officer(screens, stack, name, "police", post)
        leader.goto(f"{intake}/rewards")
        expect(leader.get_by_role("heading", name="等您审批")).to_be_visible()
        expect(leader.locator("#short")).to_contain_text("经费将不足")
        leader.goto(address)
        leader.get_by_role("button", name="同意", exact=True).click()
        expect(leader.get_by_role("button", name="同意", exact=True)).to_have_count(0)
    screens.keep(leader, "reward-approved-1280")
    screens.check(leader)

    by_receipt(reporter, stack, receipt)
    expect(reporter.locator("#reward-standing")).to_contain_text("9000.00")
    screens.keep(reporter, "reward-ready-390")
    reporter.get_by_label("领奖密码").fill("2222 2222 2222")
    reporter.get_by_role("button", name="换取领奖码").click()
    expect(reporter.locator("#reward-problem")).to_contain_text("不符")
    reporter.get_by_label("领奖密码").fill(code.lower())
    reporter.get_by_role("button", name="换取领奖码").click()
    token = reporter.locator("#payout-token").inner_text()
    assert CODE.match(token)
    screens.keep(reporter, "reward-token-390")
    secrets = (receipt, code.replace(" ", ""), token.replace(" ", ""))
    assert not [url for url in asked for secret in secrets if secret in url.replace("%20", "").replace("+", "")]
    assert reporter.context.cookies() == []

    keeper.goto(f"{intake}/rewards/counter")
    keeper.get_by_label("领奖码").fill(token)
    keeper.get_by_label("付款凭证号").fill("V-1")
    keeper.get_by_role("button", name="发放").click()
    expect(keeper.locator("#paid")).to_contain_text("9,000.00")
    screens.keep(keeper, "reward-counter-1280")
    screens.check(keeper)
    keeper.goto(f"{intake}/rewards/counter")
    keeper.get_by_label("领奖码").fill(token)
    keeper.get_by_label("付款凭证号").fill("V-2")
    keeper.get_by_role("button", name="发放").click()
    expect(keeper.locator("main")).to_contain_text("不能重复领取")
    by_receipt(reporter, stack, receipt)
    expect(reporter.locator("#reward-standing")).to_contain_text("已经发放")


@pytest.mark.parametrize("size", [pytest.param(PHONE, id="phone"), pytest.param(DESKTOP, id="desktop")])
def test_the_reporter_s_page_is_for_everybody(
    screens: Screens, stack: Stack, receipt: str, size: dict[str, int]
) -> None:
    page = screens.open(size)
    page.goto(f"{stack.url('intake')}/reward")
    screens.check(page)
    page.get_by_label("回执号").fill("1234")
    page.get_by_role("button", name="查询").click()
    expect(page.locator("#reward-problem")).to_contain_text("16位数字")
    by_receipt(page, stack, receipt)
    screens.check(page)
    page.goto(f"{stack.url('intake')}/reward?lang=en")
    expect(page.get_by_role("heading", level=1)).to_have_text("Reward for your report")


def test_the_desk_fits_a_phone(screens: Screens, stack: Stack) -> None:
    page = officer(screens, stack, "director", "commerce", "office-director", PHONE)
    for path in ("/rewards", "/rewards?state=paid", "/rewards/new", "/funds"):
        page.goto(f"{stack.url('intake')}{path}")
        screens.check(page)
    screens.keep(page, "fund-390")
