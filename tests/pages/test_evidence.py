"""The evidence room in a real browser, by telephone and at a desk: registered, photographed, handed over, received."""

from __future__ import annotations

import re
import time
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

from shared.kit.access import SESSION_COOKIE
from tests.instances import Stack
from tests.pages.conftest import DESKTOP, PHONE, Screens
from tests.pages.test_officers import hand_in
from tests.patience import until
from tests.unit.intake.evidence.samples import photo


def sign_in(page: Page, stack: Stack, **who: object) -> None:
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": stack.token(**who), "url": stack.url("casework")}])  # type: ignore[arg-type]


def case_of_a_fresh_lead(stack: Stack) -> str:
    """The case that the police and commerce have of a tip just handed in."""
    text = f"南文社区写字楼{time.time_ns() % 9973}室每天几十人上课，拉一个人提成五百，发展下线，每人交3900元入门费。"
    [tip] = hand_in(stack, [{"text": text, "area": "dayong-nanwen", "external_ref": f"EV-{time.time_ns()}"}])
    who = stack.bearer(agency="police", posts=("head",), principal_id="ev-reader")
    address = f"{stack.url('casework')}/cases/of-lead/{tip['lead_id']}"

    def place() -> str | None:
        return httpx.get(address, headers=who, follow_redirects=False, timeout=30).headers.get("location")

    return str(until("the lead's case", place)).rpartition("/")[2]


def test_evidence_by_telephone_from_the_photo_to_the_receiver(screens: Screens, stack: Stack, tmp_path: Path) -> None:
    """X-D7b: evidence with hash and custody, on a phone; D-A5: handed over to the police, who accept."""
    case_id = case_of_a_fresh_lead(stack)
    base = stack.url("casework")
    page = screens.open(PHONE)
    sign_in(page, stack, agency="commerce", posts=("investigator",), unit="enforcement", principal_id="ev-c")
    page.goto(f"{base}/cases/{case_id}/evidence")
    screens.check(page)
    screens.keep(page, "evidence-room-empty-390")
    for label, value in {
        "名称": "红色账本", "收集地点": "南文社区写字楼", "存放地点": "证物室一柜", "第一人证号": "A-1", "第一人姓名": "甲某某",
        "第二人证号": "A-2", "第二人姓名": "乙某某",
    }.items():  # fmt: skip
        page.get_by_label(label).fill(value)
    page.get_by_label("法律依据").select_option("prohibition_14")
    page.get_by_role("button", name="登记，然后添加照片和文件").click()
    expect(page.get_by_role("heading", name=re.compile("红色账本")).first).to_be_visible()
    picture = tmp_path / "现场.jpg"
    picture.write_bytes(photo(size=(900, 700)))
    page.get_by_label("照片、录音录像、文档、数据").set_input_files([str(picture)])
    page.get_by_role("button", name="上传文件").click()
    expect(page.get_by_text("已加密，完好")).to_be_visible()
    page.get_by_role("button", name="制作工作副本").click()
    expect(page.get_by_text(re.compile("DC-.{4}-.{4}-.{4}")).first).to_be_visible()
    screens.check(page)
    screens.keep(page, "evidence-item-390")
    with page.expect_download() as got:
        page.get_by_role("link", name=re.compile("DC-")).click()
    assert Path(got.value.path()).read_bytes()[:2] == b"\xff\xd8"

    page.goto(f"{base}/cases/{case_id}/evidence")
    page.get_by_text("选择证据和接收单位").click()
    page.get_by_role("checkbox", name=re.compile("红色账本")).check()
    page.get_by_label("接收单位").select_option("police/economic_crime")
    page.get_by_label("用途").select_option("transfer")
    screens.keep(page, "evidence-room-390")
    screens.check(page)
    page.get_by_role("button", name="提出移交").click()
    expect(page.get_by_role("button", name="撤回移交")).to_be_visible()
    screens.keep(page, "evidence-handover-390")

    desk = screens.open(DESKTOP)
    sign_in(desk, stack, agency="police", posts=("investigator", "head"), unit="economic_crime", principal_id="ev-p")
    desk.goto(f"{base}/evidence/handovers")
    desk.locator("[data-row] a").first.click()
    desk.get_by_label("回执编号").fill("大公收〔2026〕7号")
    desk.get_by_label("存放地点").fill("公安证物室")
    screens.check(desk)
    screens.keep(desk, "evidence-receive")
    desk.get_by_role("button", name="接收：已逐件核对").click()
    expect(desk.get_by_text("大公收〔2026〕7号")).to_be_visible()
    desk.get_by_role("link", name=re.compile("红色账本")).click()
    expect(desk.get_by_text("公安证物室").first).to_be_visible()
    screens.check(desk)
    screens.keep(desk, "evidence-item")
    desk.goto(f"{base}/cases/{case_id}/evidence")
    desk.get_by_role("button", name="签名并制作").click()
    expect(desk.get_by_role("link", name="下载")).to_be_visible()
    screens.check(desk)
    screens.keep(desk, "evidence-room")
    assert screens.complaints == []
