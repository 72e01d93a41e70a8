"""Reporting in a real browser: the form on a phone, the editor beside its preview, release by another, the PDF."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from shared.kit.access import SESSION_COOKIE
from tests.instances import Stack
from tests.pages.conftest import DESKTOP, PHONE, Screens


def officer(screens: Screens, stack: Stack, name: str, agency: str, post: str, size: dict[str, int] = DESKTOP) -> Page:
    page = screens.open(size)
    token = stack.token(agency=agency, posts=(post,), principal_id=name)
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": stack.url("notify")}])
    return page


def test_a_report_on_a_phone_becomes_an_issued_bulletin(screens: Screens, stack: Stack) -> None:
    """D-R, D-N2: asked by the office, reported on a phone, compiled and edited, released by a second person."""
    notify = stack.url("notify")
    staff = officer(screens, stack, "staff-n3", "commerce", "office-staff")
    staff.goto(f"{notify}/reports/new")
    staff.get_by_label("人力资源").check()
    screens.keep(staff, "report-ask-1280")
    screens.check(staff)
    staff.get_by_role("button", name="发出").click()
    expect(staff.get_by_text("定期报送").first).to_be_visible()
    screens.keep(staff, "reporting-desk-1280")
    screens.check(staff)

    phone = officer(screens, stack, "reporter-n3", "labour", "reporter", PHONE)
    phone.goto(f"{notify}/reporting")
    screens.keep(phone, "reporting-mine-390")
    screens.check(phone)
    phone.locator("[data-row] a").first.click()
    phone.get_by_label("具体做法").fill("在人才市场设宣传栏两处，每周检查一次")
    phone.get_by_label("取得成果").fill("发放资料三百份，劝返求职人员两人")
    phone.get_by_label("意见建议").fill("请增拨宣传资料")
    screens.keep(phone, "report-form-390")
    screens.check(phone)
    phone.get_by_role("button", name="报送", exact=True).click()
    expect(phone.locator("article.dc-sheet")).to_contain_text("劝返求职人员两人")
    screens.keep(phone, "report-sent-390")

    staff.goto(f"{notify}/bulletins/new")
    staff.get_by_label("时段止").fill(staff.evaluate("new Date(Date.now() + 4 * 864e5).toISOString().slice(0, 10)"))
    screens.keep(staff, "bulletin-new-1280")
    screens.check(staff)
    staff.get_by_role("button", name="形成草稿").click()
    expect(staff.locator("article.dc-official")).to_contain_text("请增拨宣传资料")
    staff.locator("#body-1").fill("本期工作平稳。\n各单位按时报送。")
    staff.get_by_role("button", name="保存并预览").click()
    expect(staff.locator("article.dc-official")).to_contain_text("各单位按时报送。")
    screens.keep(staff, "bulletin-editor-1280")
    screens.check(staff)
    staff.get_by_role("button", name="保存并送审").click()
    expect(staff.get_by_text("等待另一人签发")).to_be_visible()

    director = officer(screens, stack, "director-n3", "commerce", "office-director")
    director.goto(staff.url.partition("?")[0])
    director.on("dialog", lambda dialog: dialog.accept())
    screens.keep(director, "bulletin-release-1280")
    director.get_by_role("button", name="签发", exact=True).click()
    expect(director.locator(".dc-official-number")).to_have_text(re.compile(r"\d{4}年第\d+期"))
    with director.expect_download() as got:
        director.get_by_role("link", name="PDF").click()
    assert got.value.suggested_filename.endswith(".pdf")
    got.value.save_as(screens.folder / "bulletin.pdf")

    phone.goto(director.url.partition("?")[0])
    expect(phone.locator("article.dc-official")).to_contain_text("本期工作平稳")
    screens.keep(phone, "bulletin-390")
    screens.check(phone)
    phone.goto(f"{notify}/bulletins")
    screens.check(phone)
    reporters = officer(screens, stack, "head-n3", "labour", "head", PHONE)
    reporters.goto(f"{notify}/reporters")
    screens.keep(reporters, "reporters-390")
    screens.check(reporters)
    assert screens.complaints == []
