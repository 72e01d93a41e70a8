"""What follows a report, in a real browser: short steps, the shortest way for the held, two ways by receipt, two persons."""

import re

import httpx
from playwright.sync_api import Page, expect

from shared.kit.access import SESSION_COOKIE
from tests.instances import Stack
from tests.pages.conftest import DESKTOP, PHONE, Screens

STORY = "安堂社区兴华里5栋301有人搞传销，每天几十人听课拉人头，发展下线，每人交3900元"
POTHOLE = "南文社区门口的路坑坑洼洼，下雨天积水，希望修一修"
WHERE = "在哪个社区（村）？"


def signed_in(page: Page, stack: Stack, **who: object) -> Page:
    token = stack.token(**who)  # type: ignore[arg-type]
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": stack.url("intake")}])
    return page


def digits(page: Page) -> str:
    return page.locator("#receipt").inner_text().replace(" ", "")


def reported(page: Page, stack: Stack, text: str, where: str = "dayong/dayong-antang") -> str:
    page.goto(f"{stack.url('intake')}/report")
    page.get_by_label("是什么情况？").fill(text)
    page.get_by_label(WHERE).select_option(where)
    page.get_by_role("button", name="提交举报").click()
    return digits(page)


def open_newest_tip(page: Page, stack: Stack, **who: object) -> None:
    """The page of the newest tip that is not urgent, in somebody's reach."""
    url = f"{stack.url('intake')}/v1/tips"
    listed = httpx.get(url, params={"limit": 1, "urgent": False}, headers=stack.bearer(**who))
    page.goto(f"{stack.url('intake')}/tips/{listed.json()['items'][0]['tip_id']}")


def by_receipt(page: Page, stack: Stack, receipt: str) -> None:
    page.goto(f"{stack.url('intake')}/receipt")
    page.get_by_label("回执号").fill(receipt)
    page.get_by_role("button", name="查询").click()


def test_one_short_step_after_another_with_and_without_scripts(screens: Screens, stack: Stack) -> None:
    """Questions that help: place by place, kind by kind, each can be skipped; what was told is still there at the end."""
    for scripts in (True, False):
        page = screens.open(PHONE, scripts=scripts)
        page.goto(f"{stack.url('intake')}/report")
        page.get_by_label("是什么情况？").fill(STORY)
        page.get_by_label("要先交钱或买产品才能加入").check()
        page.get_by_role("button", name="先答几个小问题").click()
        page.get_by_label("安堂社区").check()
        if scripts:
            screens.keep(page, "steps-where-390")
            screens.check(page)
        page.get_by_role("button", name="下一步").click()
        page.get_by_label("楼栋、楼层、房号，或附近的标志").fill("兴华里5栋301")
        if scripts:
            screens.keep(page, "steps-place-390")
            screens.check(page)
        page.get_by_role("button", name="下一步").click()
        page.get_by_label("加入要交多少钱？").fill("三千九百元")
        page.get_by_role("button", name="下一步").click()
        page.get_by_label("手机转账").check()
        if scripts:
            screens.keep(page, "steps-question-390")
            screens.check(page)
        page.get_by_role("button", name="上一步").click()
        expect(page.get_by_label("加入要交多少钱？")).to_have_value("三千九百元")
        page.get_by_role("button", name="下一步").click()
        expect(page.get_by_label("手机转账")).to_be_checked()
        while page.get_by_role("button", name="跳过").count():
            with page.expect_navigation():
                page.get_by_role("button", name="跳过").click()
        if scripts:
            screens.keep(page, "steps-contact-390")
            screens.check(page)
        page.get_by_label("怎么称呼您？").fill("陈小满")
        page.get_by_role("button", name="提交举报").click()
        expect(page.locator("#receipt")).to_have_text(re.compile(r"(\d{4} ){3}\d{4}"))
        expect(page.locator("main")).to_contain_text("您的联系方式已单独加密保存")
        assert page.context.cookies() == []
    assert screens.complaints == []


def test_a_phone_that_loses_its_network_loses_nothing(screens: Screens, stack: Stack) -> None:
    page = screens.open(PHONE)
    page.goto(f"{stack.url('intake')}/report")
    page.get_by_label("是什么情况？").fill(STORY)
    page.get_by_label(WHERE).select_option("dayong/dayong-antang")
    page.context.set_offline(True)
    page.get_by_role("button", name="提交举报").click()
    expect(page.get_by_text("现在没有网络，内容没有丢失")).to_be_visible()
    screens.keep(page, "report-offline-390")
    expect(page.get_by_label("是什么情况？")).to_have_value(STORY)
    page.context.set_offline(False)
    page.get_by_role("button", name="提交举报").click()
    expect(page.locator("#receipt")).to_have_text(re.compile(r"(\d{4} ){3}\d{4}"))


def test_somebody_held_finds_110_first_and_the_shortest_form(screens: Screens, stack: Stack) -> None:
    """Point 2 and D-B2: minutes, not forms; a place alone is enough, and it goes to the police at once."""
    page = screens.open(PHONE)
    page.goto(f"{stack.url('intake')}/report")
    page.get_by_role("link", name="不方便打电话：填最短的表").click()
    call = page.get_by_role("link", name="拨打 110")
    expect(call).to_have_attribute("href", "tel:110")
    assert (call.bounding_box() or {}).get("height", 0) >= 70
    screens.keep(page, "report-held-390")
    screens.check(page)
    page.get_by_label("人在哪里？").fill("兴华里5栋301，门口有红灯笼")
    page.get_by_label(WHERE).select_option("dayong/dayong-antang")
    page.get_by_role("button", name="提交给公安").click()
    expect(page.locator("main")).to_contain_text("已立即转给公安")
    expect(page.locator("#receipt")).to_be_visible()


def test_asked_by_an_officer_answered_by_receipt(screens: Screens, stack: Stack) -> None:
    """Beyond both plans, 5 and 6: both sides talk, neither is known; new words are marked until they are read."""
    citizen, officer = screens.open(PHONE), screens.open(DESKTOP)
    receipt = reported(citizen, stack, STORY)
    who = {"agency": "police", "unit": "economic_crime", "posts": ("head", "desk"), "principal_id": "asker"}
    open_newest_tip(signed_in(officer, stack, **who), stack, **who)
    officer.get_by_role("link", name="举报人", exact=True).click()
    officer.get_by_label("向举报人提问或告知").fill("请问几点人最多？")
    officer.get_by_role("button", name="提问").click()
    expect(officer.locator(".dc-said-officer")).to_contain_text("请问几点人最多？")

    by_receipt(citizen, stack, receipt)
    expect(citizen.locator(".dc-said-officer")).to_contain_text("新")
    expect(citizen.locator("[aria-current=step]")).to_have_text("等您补充情况")
    screens.keep(citizen, "receipt-asked-390")
    screens.check(citizen)
    citizen.get_by_label("回答提问，或补充您知道的情况").fill("晚上八点以后")
    citizen.get_by_role("button", name="发送").click()
    expect(citizen.get_by_role("status")).to_contain_text("您写的内容已保存")
    expect(citizen.locator(".dc-said-reporter")).to_contain_text("晚上八点以后")
    screens.keep(citizen, "receipt-answered-390")
    screens.check(citizen)
    officer.goto(f"{stack.url('intake')}/answers")
    expect(officer.locator("[data-row]").first).to_contain_text("1 条新")
    screens.keep(officer, "answers-1280")
    screens.check(officer)
    officer.locator("[data-row] a").first.click()
    expect(officer.locator(".dc-said-reporter")).to_contain_text("晚上八点以后")
    screens.keep(officer, "conversation-1280")
    screens.check(officer)
    assert receipt not in citizen.url and citizen.context.cookies() == []
    assert screens.complaints == []


def test_contested_by_receipt_and_looked_at_by_another_person(screens: Screens, stack: Stack) -> None:
    """Beyond both plans, 5: closed is not solved; the reporter objects and rates in plain words."""
    citizen, officer = screens.open(PHONE), screens.open(DESKTOP)
    receipt = reported(citizen, stack, POTHOLE, "dayong/dayong-nanwen")
    by_receipt(citizen, stack, receipt)
    expect(citizen.locator("#outcome")).to_contain_text("看起来不属于传销")
    citizen.get_by_label("2 · 不太满意").check()
    screens.keep(citizen, "receipt-outcome-390")
    screens.check(citizen)
    citizen.get_by_role("button", name="提交评价").click()
    expect(citizen.get_by_role("status")).to_contain_text("谢谢您的评价")
    citizen.get_by_text("我不同意这个结果").click()
    citizen.get_by_label("遗漏了什么？").fill("楼上就是传销窝点，我没说清楚")
    citizen.get_by_role("button", name="申请复查").click()
    expect(citizen.get_by_role("status")).to_contain_text("将由另一位工作人员复查")
    signed_in(officer, stack, agency="commerce", unit="office", posts=("office-staff",), principal_id="office-1")
    officer.goto(f"{stack.url('intake')}/contests")
    screens.keep(officer, "contests-1280")
    screens.check(officer)
    officer.locator("[data-row] a").last.click()
    expect(officer.locator("main")).to_contain_text("楼上就是传销窝点，我没说清楚")
    officer.get_by_label("举报人看到的内容").fill("您说得对，已交公安核查。")
    screens.keep(officer, "contest-1280")
    screens.check(officer)
    officer.get_by_role("button", name="举报人说得对，重新办理").click()
    by_receipt(citizen, stack, receipt)
    expect(citizen.locator("main")).to_contain_text("复查认为您说得对")
    expect(citizen.locator("main")).to_contain_text("已交公安核查")
    assert screens.complaints == []


def test_a_contact_is_opened_by_two_persons_and_its_reporter_reads_it(screens: Screens, stack: Stack) -> None:
    """Beyond both plans, 6; X-O1: asked by one, approved by another, told to the reporter."""
    citizen, asker, leader = screens.open(PHONE), screens.open(DESKTOP), screens.open(PHONE)
    receipt = reported(citizen, stack, "安堂社区金桥公寓2栋有人拉人头搞传销，发展下线，每人交2800元")
    by_receipt(citizen, stack, receipt)
    citizen.get_by_text("我愿意留联系方式").click()
    citizen.get_by_label("电话").fill("13800000000")
    citizen.get_by_role("button", name="加密保存").click()
    expect(citizen.get_by_role("status")).to_contain_text("已单独加密保存")
    who = {"agency": "police", "unit": "economic_crime", "posts": ("head", "desk"), "principal_id": "asker-2"}
    open_newest_tip(signed_in(asker, stack, **who), stack, **who)
    asker.get_by_role("link", name="举报人", exact=True).click()
    expect(asker.locator("main")).not_to_contain_text("13800000000")
    asker.get_by_label("用途").select_option("testimony")
    asker.get_by_label("为什么没有别的办法？").fill("案件需要证人")
    asker.get_by_role("button", name="申请查看").click()
    signed_in(leader, stack, agency="politics_law", posts=("leader",), principal_id="leader-1")
    leader.goto(f"{stack.url('intake')}/reveals")
    screens.keep(leader, "reveals-390")
    screens.check(leader)
    leader.locator("[data-row] a").first.click()
    screens.keep(leader, "reveal-390")
    screens.check(leader)
    leader.get_by_role("button", name="批准限时查看").click()
    asker.reload()
    asker.get_by_role("button", name="现在查看联系方式").click()
    expect(asker.locator("main")).to_contain_text("13800000000")
    screens.keep(asker, "reveal-seen-1280")
    by_receipt(citizen, stack, receipt)
    expect(citizen.locator("#revealed")).to_contain_text("向公安分局公开")
    screens.keep(citizen, "receipt-revealed-390")
    screens.check(citizen)
    assert screens.complaints == []


def test_an_operator_takes_down_a_call_by_keyboard_and_reads_the_receipt(screens: Screens, stack: Stack) -> None:
    """Operator's form (hotline, visit, letter); what was brought in comes back in plain words (D-E4)."""
    page = signed_in(
        screens.open(DESKTOP), stack, agency="commerce", unit="office", posts=("desk",), principal_id="operator-1"
    )
    page.goto(f"{stack.url('intake')}/operator")
    expect(page.get_by_label("用举报人的原话记录")).to_be_focused()
    page.keyboard.type(STORY)
    screens.keep(page, "operator-1280")
    screens.check(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="请慢慢念出回执号")).to_be_visible()
    assert re.fullmatch(r"(\d{2} \d{2}\s*){4}", page.locator("#receipt").inner_text())
    screens.keep(page, "operator-done-1280")
    screens.check(page)
    page.emulate_media(media="print")
    expect(page.locator(".dc-slip")).to_be_visible()
    expect(page.get_by_role("heading", name="请慢慢念出回执号")).to_be_hidden()
    screens.keep(page, "operator-slip")
    page.emulate_media(media="screen")
    page.goto(f"{stack.url('intake')}/brought")
    expect(page.locator(".dc-list > li")).to_have_count(1)
    expect(page.locator(".dc-list")).to_contain_text("来电" if page.get_by_text("来电").count() else "热线")
    phone = signed_in(
        screens.open(PHONE), stack, agency="rental_mgmt", posts=("liaison",), areas=("dayong-antang",), principal_id="li-1"
    )
    phone.goto(f"{stack.url('intake')}/brought")
    expect(phone.locator("main")).to_contain_text("您还没有报送过线索")
    phone.goto(f"{stack.url('intake')}/operator")
    phone.get_by_label("用举报人的原话记录").fill("安堂社区兴华里8栋天天有人上课拉人头，每人交3900元")
    screens.keep(phone, "operator-390")
    screens.check(phone)
    phone.get_by_role("button", name="登记", exact=True).click()
    phone.goto(f"{stack.url('intake')}/brought")
    expect(phone.locator(".dc-list")).to_contain_text("已交")
    screens.keep(phone, "brought-390")
    screens.check(phone)
    assert screens.complaints == []
