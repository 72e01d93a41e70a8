"""Pages in a real Chromium: the browser, sizes of screen, screenshots kept by the run, accessibility checks."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.conftest import missing
from tests.e2e.town import a_town
from tests.instances import Stack
from tests.pages import gallery

_ROOT = Path(__file__).resolve().parents[2]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
_SERIOUS = {"serious", "critical"}
# only against hanging: the machine may be busy with the other half of the tests
expect.set_options(timeout=60_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Services of the pages' own: what other tests hand in would push theirs off the first page."""
    with a_town() as town:
        yield town.stack


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's own Chromium, for one file: while it is open its event loop keeps other tests from theirs."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        missing("no Chromium on this machine: the pages are not tried in a browser")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@dataclass
class Screens:
    """Opens pages at a size, notes what the browser complains of, and keeps screenshots."""

    browser: Browser
    folder: Path
    contexts: list[BrowserContext]
    complaints: list[str]

    def open(self, size: dict[str, int], *, scripts: bool = True) -> Page:
        """A fresh browser context: no cookies of another test."""
        context = self.browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            java_script_enabled=scripts,
            has_touch=size is PHONE,
        )
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: self.complaints.append(str(e)))
        return page

    def keep(self, page: Page, name: str) -> Path:
        """A screenshot of the whole page, for people to look at."""
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder / f"{name}.png"
        page.screenshot(path=target, full_page=True)
        return target

    @staticmethod
    def check(page: Page) -> None:
        """No serious accessibility fault (axe), and nothing wider than the screen."""
        found = [
            f"{v['id']}: {v['help']} at {[n['target'] for n in v['nodes']][:3]}"
            for v in Axe().run(page).response["violations"]
            if v["impact"] in _SERIOUS
        ]
        assert not found, "\n".join(found)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"the page is {wide} px wider than the screen"


@pytest.fixture
def screens(browser: Browser) -> Iterator[Screens]:
    folder = Path(os.environ.get("DACHUAN_SCREENSHOTS") or _ROOT / ".dachuan" / "screenshots")
    made = Screens(browser, folder, [], [])
    yield made
    for context in made.contexts:
        context.close()


def serve(app: FastAPI) -> tuple[str, Callable[[], None]]:
    """Serve an app on a free port of this machine; its address, and how to stop it."""
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)

    def stop() -> None:
        server.should_exit = True
        thread.join(10)

    return f"http://127.0.0.1:{door.getsockname()[1]}", stop


@dataclass
class Shown:
    """The gallery, served."""

    address: str
    gallery: gallery.Gallery

    def sign_in(self, page: Page, **who: object) -> None:
        page.context.add_cookies(
            [{"name": gallery.COOKIE, "value": self.gallery.cookie(**who), "url": self.address}]  # type: ignore[arg-type]
        )


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    made = gallery.build(tmp_path_factory.mktemp("gallery"))
    address, stop = serve(made.app)
    yield Shown(address, made)
    stop()
