"""Handovers on the real services and a real browser: from a lead's page over Kafka to the receiver, the case and the board."""

import uuid
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.instances import Stack
from tests.pages.conftest import DESKTOP, PHONE, Screens
from tests.pages.test_officers import hand_in, sign_in
from tests.patience import until

POLICE = {"agency": "police", "posts": ("desk", "head")}
COMMERCE = {"agency": "commerce", "posts": ("desk", "head")}
OFFICE = {"agency": "commerce", "unit": "office", "posts": ("office-staff",)}


def post(stack: Stack, path: str, who: dict[str, Any], body: dict[str, Any], version: int | None = None) -> httpx.Response:
    headers = stack.bearer(**who) | {"idempotency-key": uuid.uuid4().hex}
    if version is not None:
        headers["if-match"] = f'"{version}"'
    return httpx.post(f"{stack.url('intake')}{path}", headers=headers, json=body, timeout=30)


@pytest.fixture(scope="module")
def lead(stack: Stack) -> str:
    """A lead at the police, its case opened and told back to intake."""
    [tip] = hand_in(
        stack,
        [{"text": "每天拉人头发展下线，交入会费3900元，住在旗南村", "area": "dayong-qinan", "external_ref": "HO-1"}],
    )
    assert tip["agency"] == "police"

    def told() -> bool:
        got = httpx.get(f"{stack.url('intake')}/v1/acceptances", headers=stack.bearer(**OFFICE), params={"limit": 200})
        return any(one["lead_id"] == tip["lead_id"] and one["agency"] == "police" for one in got.json()["items"])

    until("casework's news of the lead's case", told)
    return str(tip["lead_id"])


def test_a_handover_goes_from_page_to_page_and_changes_the_case(screens: Screens, stack: Stack, lead: str) -> None:
    """D-A5, points 1 and 7: offered on the lead's page, taken on the handover's; then, and only then, the case's party changes."""
    page = screens.open(DESKTOP)
    sign_in(page, stack, **POLICE)
    page.goto(f"{stack.url('intake')}/leads/{lead}")
    page.get_by_text("移交", exact=True).last.click()
    page.get_by_label("移交给").select_option("food_drug")
    page.locator("#hand-reason").select_option("not_our_duty")
    screens.keep(page, "handover-panel")
    screens.check(page)
    page.get_by_role("button", name="提交移交").click()
    expect(page.get_by_text("接收之前由公安分局")).to_be_visible()
    at = page.url.partition("?")[0]
    case = httpx.get(
        f"{stack.url('casework')}/cases/of-lead/{lead}", headers=stack.bearer(**POLICE), follow_redirects=False
    ).headers["location"]

    def parties() -> dict[str, str]:
        got = httpx.get(f"{stack.url('casework')}/v1{case}", headers=stack.bearer(**OFFICE))
        return {one["agency"]: one["part"] for one in got.json()["parties"]}

    assert parties()["police"] == "pending" and "food_drug" not in parties()

    def notices() -> list[str]:
        got = httpx.get(
            f"{stack.url('notify')}/v1/notices", headers=stack.bearer(agency="food_drug", posts=("head", "conference-member"))
        )
        return [one["template"] for one in got.json()["items"]]

    until("the receiver's notice", lambda: "handover.proposed" in notices())
    phone = screens.open(PHONE)
    sign_in(phone, stack, agency="food_drug", posts=("desk", "head"))
    phone.goto(at)
    phone.get_by_label("接收单位的编号").fill("大食药〔2026〕9号")
    screens.keep(phone, "handover-390")
    screens.check(phone)
    phone.get_by_role("button", name="接收").click()
    expect(phone.get_by_text("大食药〔2026〕9号")).to_be_visible()
    until("the new party of the case", lambda: parties().get("food_drug") == "pending")
    assert parties()["police"] == "handed_over"
    assert screens.complaints == []


def test_the_board_opens_every_number_to_its_list(screens: Screens, stack: Stack, lead: str) -> None:
    """D-Q1.3, point 1: waiting, late, bounced, and how often each agency bounces."""
    [tip] = hand_in(
        stack,
        [{"text": "拉人头交会费，发展三级下线，在叠石村大排档旁上课", "area": "dayong-dieshi", "external_ref": "HO-2"}],
    )
    for _ in range(2):
        made = post(
            stack, f"/v1/leads/{tip['lead_id']}/handovers", POLICE,
            {"to_agency": "commerce", "to_unit": "enforcement", "reason": "not_our_duty"},
        )  # fmt: skip
        assert made.status_code == 201, made.text
        refused = post(
            stack, f"/v1/handovers/{made.json()['handover_id']}/refuse", COMMERCE, {"reason": "not_our_duty"}, version=1
        )
        assert refused.status_code == 200, refused.text
    for size in (DESKTOP, PHONE):
        page = screens.open(size)
        sign_in(page, stack, **OFFICE)
        page.goto(f"{stack.url('intake')}/handovers")
        expect(page.get_by_role("heading", name="待办、逾期、推诿")).to_be_visible()
        page.get_by_role("link", name="不止一次").click()
        expect(page.locator("[data-row]").first).to_contain_text("被推诿 2 次")
        screens.keep(page, f"handovers-{size['width']}")
        screens.check(page)
        page.get_by_role("link", name="未答复的移交").click()
        expect(page.locator("[data-row]").first).to_contain_text("待办公室裁定")
    assert screens.complaints == []
