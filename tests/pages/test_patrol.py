"""A patrol on a phone: real Chromium, the real service, a net that comes and goes."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import httpx
import pytest
from playwright.sync_api import Page, expect

from deploy.local.databases import plain
from shared.kit.access import SESSION_COOKIE
from tests.instances import Stack
from tests.pages.conftest import DESKTOP, PHONE, Screens

AREA = "dayong-quanlu"
ROOMS = ("101", "102", "201", "202")


def office(stack: Stack) -> dict[str, str]:
    return stack.bearer(agency="rental_mgmt", posts=("desk",), principal_id="pages-rental")


def ask(stack: Stack, path: str) -> dict:
    answer = httpx.get(f"{stack.url('intake')}{path}", headers=office(stack), timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def tasks(stack: Stack) -> list[dict]:
    return ask(stack, f"/v1/patrols/tasks?area={AREA}")["items"]


@pytest.fixture(scope="module")
def units(stack: Stack) -> list[dict]:
    """Four units in one estate, entered long ago, and their tasks as the service's own job makes them."""
    lines = ["社区,小区,楼栋,房号,分层,备案,房东姓名,房东电话"]
    lines += [f"全禄社区,演示苑,3栋,{room},重点户,已备案,赵某,13800138000" for room in ROOMS]
    lines.append("全禄社区,演示苑,3栋,999,甲等,,,")
    answer = httpx.post(
        f"{stack.url('intake')}/v1/registers/rentals/import?dry_run=false",
        content="\r\n".join(lines).encode(),
        headers=office(stack),
        timeout=30,
    )
    assert answer.status_code == 200 and answer.json()["created"] == 4, answer.text

    async def long_ago() -> None:
        login = stack.cluster.secrets.logins["intake"]
        conn = await asyncpg.connect(plain(login.owner_url(stack.cluster.postgres_address)))
        await conn.execute("UPDATE rental_units SET due_from = '2020-01-01' WHERE area = $1", AREA)
        await conn.close()

    with ThreadPoolExecutor(1) as apart:  # the browser's own loop runs in this thread
        apart.submit(lambda: asyncio.run(long_ago())).result()
    for _ in range(120):
        found = tasks(stack)
        if len(found) == 4:
            return found
        time.sleep(0.5)
    raise AssertionError("the job made no tasks within a minute")


def sign_in(page: Page, stack: Stack, **who: object) -> None:
    token = stack.token(**{"agency": "rental_mgmt", "posts": ("patroller",), "areas": (AREA,), **who})  # type: ignore[arg-type]
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": stack.url("intake")}])


def choose(page: Page, room: str, result: str, sign: str | None = None) -> None:
    page.locator(f"[data-task][data-place='3栋 {room}'] [data-open]").click()
    page.get_by_label(result, exact=True).check()
    if sign:
        page.get_by_label(sign).check()
    page.locator("#check-in").get_by_role("button", name="登记").click()


def test_check_ins_made_without_a_net_are_kept_and_sent_once(screens: Screens, stack: Stack, units: list[dict]) -> None:
    """D-E2: 手机巡查: kept while offline, over a reload too, sent later, nothing doubled, no person in the browser."""
    page = screens.open(PHONE)
    sign_in(page, stack, principal_id="pages-warden")
    page.goto(f"{stack.url('intake')}/patrol")
    expect(page.get_by_role("link", name="演示苑")).to_be_visible()
    screens.keep(page, "patrol-390")
    screens.check(page)
    page.get_by_role("link", name="演示苑").click()
    expect(page.locator("[data-task]")).to_have_count(4)
    screens.check(page)
    page.context.set_offline(True)
    choose(page, "101", "正常")
    choose(page, "102", "发现可疑", "多人睡地铺")
    unsent = page.locator("#unsent")
    expect(unsent).to_be_visible()
    expect(unsent.locator("[data-unsent]")).to_have_text("2")
    expect(page.locator("[data-task][data-place='3栋 101'] [data-told]")).to_have_text("待发送")
    screens.keep(page, "patrol-offline-390")
    kept = page.evaluate("JSON.stringify(Object.entries(localStorage))")
    assert "赵某" not in kept and "13800138000" not in kept and "演示苑" not in kept
    assert len(tasks(stack)) == 4, "nothing has arrived yet"
    assert all("ERR_INTERNET_DISCONNECTED" in one for one in screens.complaints), screens.complaints
    unsent.get_by_role("button", name="立即发送").click()
    expect(unsent.locator("[data-unsent]")).to_have_text("2")
    page.context.set_offline(False)
    page.reload()
    expect(page.locator("#unsent")).to_be_hidden()
    page.reload()
    expect(page.locator("[data-task]")).to_have_count(2)
    left = {task["place"] for task in tasks(stack)}
    assert left == {"3栋 201", "3栋 202"}
    for task in units:
        room = task["place"].split()[-1]
        past = ask(stack, f"/v1/rentals/{task['unit_id']}")["check_ins"]
        assert len(past) == (1 if room in ("101", "102") else 0), room
    page.goto(f"{stack.url('intake')}/patrol/findings")
    expect(page.locator(".dc-list li")).to_have_count(1)
    expect(page.locator(".dc-list li")).to_contain_text("派出所")
    screens.check(page)


def test_an_answer_that_was_lost_does_not_double(screens: Screens, stack: Stack, units: list[dict]) -> None:
    """D-E2: the request arrived, its answer did not: it is sent again with its key and counts once."""
    page = screens.open(PHONE)
    sign_in(page, stack, principal_id="pages-warden-2")
    page.goto(f"{stack.url('intake')}/patrol")
    page.get_by_role("link", name="演示苑").click()
    lost = []

    def lose(route) -> None:  # type: ignore[no-untyped-def]
        if not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route("**/check-ins", lose)
    choose(page, "201", "住户有变化")
    expect(page.locator("#unsent [data-unsent]")).to_have_text("1")
    for _ in range(100):
        if lost:
            break
        page.wait_for_timeout(100)
    assert lost == [201]
    page.locator("#unsent").get_by_role("button", name="立即发送").click()
    expect(page.locator("#unsent")).to_be_hidden()
    expect(page.locator("[data-task][data-place='3栋 201'] [data-told]")).to_have_text("已发送")
    unit = next(task["unit_id"] for task in units if task["place"].endswith("201"))
    assert len(ask(stack, f"/v1/rentals/{unit}")["check_ins"]) == 1


def test_what_is_refused_stays_with_its_reason(screens: Screens, stack: Stack, units: list[dict]) -> None:
    """D-E2: somebody else was there first: the patroller reads why, and removes it."""
    page = screens.open(PHONE)
    sign_in(page, stack, principal_id="pages-warden-3")
    page.goto(f"{stack.url('intake')}/patrol")
    page.get_by_role("link", name="演示苑").click()
    task = next(task for task in units if task["place"].endswith("202"))
    other = stack.bearer(agency="rental_mgmt", posts=("patroller",), areas=(AREA,), principal_id="pages-warden-4")
    answer = httpx.post(
        f"{stack.url('intake')}/v1/patrols/tasks/{task['id']}/check-ins",
        json={"result": "in_order"},
        headers=other | {"idempotency-key": "pages-202-first"},
    )
    assert answer.status_code == 201, answer.text
    choose(page, "202", "正常")
    expect(page.locator("#unsent")).to_contain_text("已有人完成")
    screens.keep(page, "patrol-refused-390")
    screens.check(page)
    page.locator("#unsent").get_by_role("button", name="删除").click()
    expect(page.locator("#unsent")).to_be_hidden()


@pytest.mark.parametrize("size", [pytest.param(PHONE, id="phone"), pytest.param(DESKTOP, id="desktop")])
def test_the_registers_look_as_they_should(
    screens: Screens, stack: Stack, units: list[dict], size: dict[str, int]
) -> None:
    """D-E3, D-B3, X-D1a"""
    page = screens.open(size)
    sign_in(page, stack, posts=("desk", "head"), areas=(), principal_id="pages-rental")
    base, width = stack.url("intake"), size["width"]
    paths = {
        "prevention": "/prevention", "rentals": "/rentals?q=演示", "rental": f"/rentals/{units[0]['unit_id']}",
        "import": "/registers/import", "overdue": "/patrol/overdue?state=open", "surveys": "/surveys",
        "community": f"/communities/{AREA}", "estates": "/estates", "rental-new": "/rentals/new",
    }  # fmt: skip
    for name, path in paths.items():
        page.goto(f"{base}{path}")
        expect(page.locator("h1")).to_be_visible()
        screens.keep(page, f"{name}-{width}")
        screens.check(page)
    page.goto(f"{base}/surveys")
    page.get_by_label("名称").fill(f"第一轮 {width}")
    page.get_by_label("截止").fill("2030-01-31")
    page.get_by_role("button", name="开展一轮排查").click()
    expect(page.locator("h1")).to_contain_text("第一轮")
    screens.keep(page, f"survey-{width}")
    screens.check(page)
    assert screens.complaints == []
