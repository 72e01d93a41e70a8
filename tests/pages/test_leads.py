"""The triage desk by keyboard alone, and the lead page with its same-target panel, in a real Chromium."""

from __future__ import annotations

import uuid

import httpx
import pytest

from shared.kit.access import SESSION_COOKIE
from tests.instances import Stack
from tests.pages.conftest import DESKTOP, PHONE, Screens

ROOM = "安堂社区兴华里{n}栋301是“宏图伟业”商贸公司的传销窝点，宏图伟业天天拉人头，发展下线"


def handed_in(stack: Stack, words: str) -> dict:
    who = stack.bearer(kind="system", principal_id="board", posts=("desk",), scopes=("tip.submit",))
    answer = httpx.post(
        f"{stack.url('intake')}/v1/tips",
        json={"plan": "dayong", "channel": "message-board", "text": words},
        headers=who | {"idempotency-key": uuid.uuid4().hex},
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


def sign_in(page, stack: Stack, **who: object) -> None:  # type: ignore[no-untyped-def]
    token = stack.token(**who)  # type: ignore[arg-type]
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": stack.url("intake")}])


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_reading_is_found_opened_and_confirmed_by_keyboard_alone(
    stack: Stack, screens: Screens, size: dict[str, int]
) -> None:
    """D-B2, D-M6: j, Enter, e, c: the queue, the tip, its correction form, confirmed, and back at the queue."""
    number = uuid.uuid4().int % 800 + 100
    first = handed_in(stack, ROOM.format(n=number))
    second = handed_in(stack, ROOM.format(n=number) + "，进出的都是外地人")
    assert first["lead_id"] == second["lead_id"]
    page = screens.open(size)
    sign_in(page, stack, agency="police", unit=None, posts=("head", "desk"), principal_id="t-1")
    intake = stack.url("intake")
    page.goto(f"{intake}/triage")
    screens.check(page)
    screens.keep(page, f"triage-{'phone' if size is PHONE else 'desktop'}")
    for _ in range(60):
        page.keyboard.press("j")
        if page.evaluate("document.activeElement.getAttribute('href') || ''").endswith(f"/tips/{first['tip_id']}"):
            break
    else:
        pytest.fail("the tip is not in the queue")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/tips/{first['tip_id']}")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("e")
    assert page.evaluate("document.querySelector('[data-key=e]').closest('details').open")
    screens.check(page)
    screens.keep(page, f"review-{'phone' if size is PHONE else 'desktop'}")
    with page.expect_navigation(url="**/triage?done=confirmed"):
        page.keyboard.press("c")
    assert f"/tips/{first['tip_id']}" not in page.content()
    page.goto(f"{intake}/leads/{first['lead_id']}")
    screens.check(page)
    screens.keep(page, f"lead-{'phone' if size is PHONE else 'desktop'}")
    assert page.get_by_text(f"兴华里{number}栋301").first.is_visible()
    page.goto(f"{intake}/leads?q=宏图")
    screens.check(page)
    assert page.locator(f"a[href$='/leads/{first['lead_id']}']").count() == 1
    assert not screens.complaints
