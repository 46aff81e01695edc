"""A real browser on a real system: one of each per process, a fresh context per page.

Every page fails its test when something unexpected happened on it: see `Watch`.
Screenshots go to a temporary folder, or to TOLLKEEPER_SHOTS where that names one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from local.engine import free_port
from tests.browser.origin import Origin
from tests.browser.system import System
from tests.browser.watching import REPORT_VIOLATIONS, Watch
from tests.e2e.running_gateway import RunningGateway, new_dev_key

# The shell without windows takes half the time of the whole browser.
CHROMIUM = (
    os.environ.get("CHROMIUM")
    or shutil.which("chromium-headless-shell")
    or shutil.which("chromium")
    or "/usr/bin/chromium"
)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TIMEOUT_MS = 15_000
DESKTOP = {"width": 1280, "height": 800}
MOBILE = {"width": 360, "height": 740}

expect.set_options(timeout=TIMEOUT_MS)


class NewPage(Protocol):
    """Makes a page: in a context of its own, or a tab beside another in `context`."""

    def __call__(self, *, context: BrowserContext | None = None, **options: Any) -> Page:
        """The new page, watched."""
        ...


@pytest.fixture(scope="session")
def browser() -> Generator[Browser]:
    """One chromium for all tests of this process."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser: {CHROMIUM} is not there (apt-get install chromium)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield running
        running.close()


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Generator[System]:
    """One system for all tests; they use accounts of their own.

    Why it wants the browser: without one nothing has to be started.
    """
    origin, demo_port = Origin(), free_port()
    gateway = RunningGateway(
        data=tmp_path_factory.mktemp("browser"), key=new_dev_key(), port=free_port()
    )
    apps = f"{origin.url},http://127.0.0.1:{demo_port}"
    gateway.environment = {"CORS_ORIGINS": apps, "RETURN_URLS": f"{apps},{gateway.url}"}
    try:
        origin.start()
        gateway.start()
        yield System(gateway=gateway, origin=origin, demo_port=demo_port)
    finally:
        gateway.stop()
        origin.stop()


@pytest.fixture
def token_for(system: System) -> Callable[..., str]:
    """Mints a customer token: `token_for(account)`."""
    return system.token_for


@pytest.fixture
def account(system: System) -> str:
    """An account of this test's own; it opens with the 15 credits of the plan Free."""
    return system.new_account()


@pytest.fixture
def watch() -> Generator[Watch]:
    """What the test's pages did; at the end, nothing that was not allowed."""
    watching = Watch()
    yield watching
    unexpected = watching.unexpected()
    assert not unexpected, "\n".join(["on the pages of this test:", *unexpected])


@pytest.fixture
def new_page(browser: Browser, watch: Watch) -> Generator[NewPage]:
    """Makes pages; `new_page(color_scheme="dark")` takes what a browser context takes."""
    contexts: list[BrowserContext] = []

    def make(*, context: BrowserContext | None = None, **options: Any) -> Page:
        if context is None:
            given: dict[str, Any] = {"viewport": DESKTOP, "locale": "en-US", "timezone_id": "UTC"}
            given |= {"reduced_motion": "reduce", "color_scheme": "light"} | options
            context = browser.new_context(**given)
            context.set_default_timeout(TIMEOUT_MS)
            context.add_init_script(REPORT_VIOLATIONS)
            contexts.append(context)
        page = context.new_page()
        watch.follow(page)
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A fresh page of 1280 x 800."""
    return new_page()


@pytest.fixture
def mobile_page(new_page: NewPage) -> Page:
    """A fresh page of a small telephone, 360 x 740, that is touched."""
    return new_page(viewport=MOBILE, is_mobile=True, has_touch=True, device_scale_factor=2)


@pytest.fixture
def html_page(system: System) -> Callable[..., str]:
    """Serves a test's html as a page of an app: `url = html_page("<credit-balance>...")`."""

    def serve(html: str, *, path: str | None = None) -> str:
        return system.origin.put_page(html, api=system.url, path=path)

    return serve


@pytest.fixture
def shoot(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Path]:
    """Takes a screenshot: `shoot(page, "name")`; the answer is the file."""
    folder = Path(os.environ.get("TOLLKEEPER_SHOTS") or tmp_path)

    def take(page: Page, name: str, **options: Any) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        page.screenshot(path=path, **options)
        return path

    return take
