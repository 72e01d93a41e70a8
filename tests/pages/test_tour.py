"""One tip through the pages of all four services, as the officers of two agencies meet it."""

import time
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from shared.kit.access import SESSION_COOKIE
from tests.instances import Stack
from tests.pages.conftest import DESKTOP, PHONE, Screens
from tests.patience import PATIENCE_S

SIZES = [pytest.param(PHONE, id="phone"), pytest.param(DESKTOP, id="desktop")]


def sign_in(page: Page, stack: Stack, **who: object) -> None:
    """One cookie for one host: every service's pages take it."""
    token = stack.token(**{"posts": ("desk", "head"), **who})  # type: ignore[arg-type]
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": stack.url("notify")}])


def wait_for(page: Page, address: str, there: Callable[[], bool]) -> None:
    """Open a page until events have brought what it should show."""
    until = time.monotonic() + PATIENCE_S
    while True:
        page.goto(address)
        if there():
            return
        assert time.monotonic() < until, f"{address} did not show it within {PATIENCE_S} s"
        time.sleep(0.5)


def hand_in(stack: Stack) -> str:
    """A tip about a gathering, which the police lead and commerce assists; its id."""
    answer = httpx.post(
        f"{stack.url('intake')}/v1/tips",
        headers=stack.bearer(kind="system", agency="commerce", scopes=("tip.submit",), principal_id="tour"),
        json={
            "plan": "dayong", "channel": "12345", "area": "dayong-shijing",
            "text": "酒店会场周末聚集上百人，台上喊口号，发展下线按层级分钱。",
        },
        timeout=30,
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    return answer.json()["tip_id"]


@pytest.mark.parametrize("size", SIZES)
def test_a_tip_goes_from_the_desk_to_the_case_to_the_score(
    screens: Screens, stack: Stack, size: dict[str, int]
) -> None:
    tip, width = hand_in(stack), size["width"]
    page = screens.open(size)
    sign_in(page, stack, agency="police")

    # the inbox has the notice of the case, the tip links to it
    page.goto(f"{stack.url('intake')}/tips/{tip}")
    to_case = page.locator("main").get_by_role("link", name="联合案件").get_attribute("href")
    assert to_case and to_case.startswith(stack.url("casework"))
    wait_for(page, to_case, lambda: "/of-lead/" not in page.url)
    number = page.get_by_role("heading", level=1).inner_text()
    case = page.url
    screens.complaints.clear()  # the case may not have been there yet

    wait_for(page, f"{stack.url('notify')}/", lambda: page.get_by_text(number).count() > 0)
    screens.keep(page, f"inbox-{width}")
    screens.check(page)

    page.goto(f"{stack.url('casework')}/cases")
    expect(page.get_by_role("link", name=number)).to_be_visible()
    screens.keep(page, f"cases-{width}")
    screens.check(page)

    page.goto(case)
    screens.keep(page, f"case-{width}")
    screens.check(page)
    page.get_by_role("button", name="受理案件").click()
    expect(page.get_by_role("status")).to_contain_text("已受理")
    expect(page.get_by_role("button", name="受理案件")).to_have_count(0)
    screens.keep(page, f"case-accepted-{width}")
    screens.check(page)

    # the score opens to the very entry
    office = screens.open(size)
    sign_in(office, stack, agency="commerce", unit="office", posts=("office-director",))
    unit = f"{stack.url('scoring')}/scores/police?plan=dayong&unit=public_order"
    wait_for(office, unit, lambda: office.get_by_role("link", name=number).count() > 0)
    screens.keep(office, f"unit-{width}")
    screens.check(office)
    office.get_by_role("link", name="考核", exact=True).first.click()
    expect(office.get_by_role("heading", level=1)).to_have_text("考核")
    screens.keep(office, f"scores-{width}")
    screens.check(office)
    assert [line for line in screens.complaints if "404" not in line] == []


@pytest.mark.parametrize("size", SIZES)
def test_sign_in_refuses_kindly_and_sign_out_asks_first(screens: Screens, stack: Stack, size: dict[str, int]) -> None:
    page = screens.open(size)
    page.goto(f"{stack.url('casework')}/cases")
    expect(page.get_by_role("heading", level=1)).to_have_text("登录")
    screens.keep(page, f"sign-in-{size['width']}")
    screens.check(page)
    page.get_by_label("登录名").fill("nobody-of-this-name")
    page.get_by_label("密码").first.fill("not the password at all")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_contain_text("不正确")
    screens.check(page)


def test_no_page_of_any_service_is_open_without_a_sign_in(screens: Screens, stack: Stack) -> None:
    page = screens.open(DESKTOP)
    for service, path in (
        ("notify", "/"), ("notify", "/accounts"), ("intake", "/desk"), ("intake", "/plans/dayong"),
        ("casework", "/cases"), ("scoring", "/scores"),
    ):  # fmt: skip
        page.goto(f"{stack.url(service)}{path}")
        assert page.url.startswith(f"{stack.url('notify')}/sign-in?next="), path
