"""One sign-in opens the pages of every service, and its end closes all of them."""

import json
import re
import secrets
import subprocess
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from deploy.local.state import REPOSITORY
from tests.instances import Stack, service_specs
from tests.pages.conftest import DESKTOP, PHONE, Screens


@dataclass(frozen=True)
class Account:
    login: str
    password: str


@pytest.fixture(scope="module")
def account(stack: Stack) -> Account:
    """An officer of the commerce branch, made as `up` makes the demonstration's."""
    made = Account(f"pages-{secrets.token_hex(3)}", secrets.token_urlsafe(18))
    notify = next(spec for spec in service_specs(stack.cluster) if spec.name == "notify")
    officer = {
        "login": made.login, "password": made.password, "plan": "dayong", "agency": "commerce", "unit": "office",
        "posts": ["office-director"], "display": "样例",
    }  # fmt: skip
    done = subprocess.run(
        [*notify.command, "seed-demo"],
        input=json.dumps({"accounts": [officer]}), env=dict(notify.env), cwd=REPOSITORY, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return made


def test_signed_in_once_everywhere_and_signed_out_everywhere(screens: Screens, stack: Stack, account: Account) -> None:
    page = screens.open(DESKTOP)
    page.goto(f"{stack.url('casework')}/cases")
    page.get_by_label("登录名").fill(account.login)
    page.get_by_label("密码").first.fill(account.password)
    page.get_by_role("button", name="登录").click()
    expect(page).to_have_url(f"{stack.url('casework')}/cases")  # back to where the sign-in was asked for

    bar = page.get_by_role("navigation", name="主导航")
    for group, entry in (("待办", "待办"), ("举报受理", "举报线索"), ("概况", "考核"), ("办案", "联合案件")):
        bar.locator(".dc-nav-groups").get_by_role("link", name=group, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(entry)
        expect(bar.locator("[aria-current=page]")).to_have_text(entry)
    bar.get_by_role("link", name="概况", exact=True).click()
    bar.get_by_role("link", name="方案").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("大涌镇")

    page.locator(".dc-menu summary").click()
    page.get_by_role("link", name="我的账号").click()
    expect(page.locator("main")).to_contain_text("办公室主任")
    screens.keep(page, "account-1280")
    screens.check(page)

    page.locator(".dc-menu summary").click()
    page.get_by_role("link", name="退出登录").click()
    screens.check(page)
    page.get_by_role("button", name="退出登录").click()
    for service, path in (("casework", "/cases"), ("intake", "/desk"), ("scoring", "/scores"), ("notify", "/")):
        page.goto(f"{stack.url(service)}{path}")
        expect(page).to_have_url(re.compile("/sign-in"))


def test_a_wrong_password_is_refused_without_saying_which_part_was_wrong(
    screens: Screens, stack: Stack, account: Account
) -> None:
    said = []
    for login in (account.login, "nobody-of-this-name"):
        page = screens.open(PHONE)
        page.goto(f"{stack.url('notify')}/sign-in")
        page.get_by_label("登录名").fill(login)
        page.get_by_label("密码").first.fill("quite the wrong password")
        page.get_by_role("button", name="登录").click()
        said.append(page.get_by_role("alert").inner_text())
        assert account.password not in page.content() and "quite the wrong password" not in page.content()
    assert said[0] == said[1]
