"""The downline's page in a real browser: a list brought in, the threshold first, the tree drawn, on a phone as on a desk."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.instances import Stack
from tests.pages.conftest import DESKTOP, PHONE, Screens
from tests.pages.test_officers import hand_in, sign_in
from tests.patience import until

POLICE = {"agency": "police", "posts": ("head",)}


@pytest.fixture(scope="module")
def case(stack: Stack) -> str:
    """The case of a lead about pay for heads."""
    [tip] = hand_in(
        stack,
        [{"text": "拉人头发展下线，每人交3800元，住在安堂社区的出租屋", "area": "dayong-antang", "external_ref": "DL-1"}],
    )

    def opened() -> Any:
        at = f"{stack.url('casework')}/cases/of-lead/{tip['lead_id']}"
        got = httpx.get(at, headers=stack.bearer(**POLICE), timeout=30)
        return got.headers.get("location") if got.status_code == 303 else None

    return str(until("the lead's case", opened)).rpartition("/")[2]


def test_an_officer_brings_a_list_in_and_reads_the_threshold__d_b1(
    screens: Screens, stack: Stack, case: str, tmp_path: Path
) -> None:
    """D-B1: tried, kept, and the page says by article that the filing standard is reached; the tree leads to a member."""
    rows = ["A0,A1,某一,口供,2025-06-01,3800", "A1,A2,某二,付款,2025-06-02,3800"]
    rows += [f"A{at % 3},A{at},某{at},口供,2025-06-03,3800" for at in range(3, 40)]
    file = tmp_path / "list.csv"
    file.write_text("\n".join(["上线编号,下线编号,下线姓名,证据种类,日期,金额", *rows]), encoding="gb18030")
    page = screens.open(DESKTOP)
    sign_in(page, stack, **POLICE)
    page.goto(f"{stack.url('casework')}/cases/{case}")
    page.get_by_role("link", name="查看上下线").click()
    expect(page.get_by_text("尚未登记发展关系").first).to_be_visible()
    for button in ("试导入", "保存"):
        form = page.locator("form").filter(has=page.get_by_label("文件", exact=True))
        form.get_by_label("文件", exact=True).set_input_files(file)
        form.get_by_role("button", name=button).click()
        expect(page.locator("section[aria-live=polite]")).to_be_visible()
    expect(page.get_by_text("现有事实达到立案追诉标准。")).to_be_visible()
    expect(page.get_by_text(re.compile("第七十条")).first).to_be_visible()
    expect(page.locator("[data-tree] svg").first).to_be_visible()
    screens.check(page)
    screens.keep(page, "downline-desktop")
    page.goto(f"{stack.url('casework')}/cases/{case}/downline/members/1")
    expect(page.get_by_role("button", name="保存")).to_be_visible()
    screens.check(page)
    screens.keep(page, "downline-member-desktop")
    assert not screens.complaints


def test_it_fits_a_phone_and_works_without_scripts(screens: Screens, stack: Stack, case: str) -> None:
    """Nothing is wider than the screen; the list holds what the picture shows."""
    for scripts in (True, False):
        page = screens.open(PHONE, scripts=scripts)
        sign_in(page, stack, **POLICE)
        page.goto(f"{stack.url('casework')}/cases/{case}/downline")
        expect(page.get_by_text("现有事实达到立案追诉标准。")).to_be_visible()
        if scripts:
            screens.check(page)
            screens.keep(page, "downline-phone")
        else:
            page.get_by_text("以列表显示").click()
            expect(page.get_by_role("link", name="A0").last).to_be_visible()
