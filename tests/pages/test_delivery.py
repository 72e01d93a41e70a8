"""The delivery console in a browser: a head adds a target by phone, an operator sends again what was given up."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from shared.kit.access import SESSION_COOKIE
from tests.instances import Stack
from tests.pages.conftest import DESKTOP, PHONE, Screens

HEAD = {"agency": "police", "posts": ("head",), "principal_id": "del-h"}
OPERATOR = {"agency": "commerce", "posts": ("operator",), "principal_id": "del-o"}


class System(ThreadingHTTPServer):
    """An agency's system that answers as told."""

    status = 422


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def system() -> Iterator[System]:
    server = System(("127.0.0.1", 0), _Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def as_who(page: Page, stack: Stack, **who: object) -> None:
    token = stack.token(**who)  # type: ignore[arg-type]
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": stack.url("notify")}])


def test_a_target_is_added_by_phone_and_what_it_refused_is_sent_again(
    screens: Screens, stack: Stack, system: System
) -> None:
    """Point 12: the agency's own target and its secret; the operator sees why a message was given up and sends it again."""
    page = screens.open(PHONE)
    as_who(page, stack, **HEAD)
    page.goto(f"{stack.url('notify')}/webhooks")
    screens.check(page)
    page.get_by_label("地址").fill(f"http://127.0.0.1:{system.server_port}/dachuan")
    page.get_by_label("您怎么称呼它").fill("派出所案件系统")
    page.get_by_role("button", name="添加").click()
    expect(page.get_by_text("whsec_")).to_be_visible()
    screens.check(page)
    page.get_by_role("button", name="发测试消息").click()
    expect(page.get_by_text("已开始发送。")).to_be_visible()
    address = page.url.partition("?")[0]
    for _ in range(40):
        page.goto(address)
        if page.get_by_text("HTTP 422").first.is_visible():
            break
        page.wait_for_timeout(250)
    screens.keep(page, "webhook-390")
    screens.check(page)

    desk = screens.open(DESKTOP)
    as_who(desk, stack, **OPERATOR)
    desk.goto(f"{stack.url('notify')}/webhooks")
    expect(desk.get_by_role("link", name="派出所案件系统").first).to_be_visible()
    screens.keep(desk, "webhooks-1280")
    screens.check(desk)
    system.status = 204
    desk.get_by_role("button", name="重发").first.click()
    expect(desk.get_by_text("已开始发送。")).to_be_visible()
    for _ in range(40):
        desk.goto(f"{address}?state=delivered")
        if desk.get_by_text("HTTP 204").first.is_visible():
            break
        desk.wait_for_timeout(250)
    screens.check(desk)
    screens.keep(desk, "webhook-1280")
    page.goto(f"{stack.url('notify')}/webhooks")
    screens.keep(page, "webhooks-390")
    screens.check(page)
    assert screens.complaints == []
