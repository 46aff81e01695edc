"""What a visit costs: bytes, requests and waiting, counted by the browser itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.browser.gallery import gallery, wait_for_gallery
from tests.browser.system import System

PAGE_BYTES = 60_000
ELEMENTS_BYTES = 25_000
PAGE_REQUESTS = 14


class Traffic:
    """What came over the wire for a page, headers and all."""

    def __init__(self, page: Page) -> None:
        self.urls: dict[str, str] = {}
        self.bytes: dict[str, float] = {}
        session: Any = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.responseReceived", self._on_response)
        session.on("Network.loadingFinished", self._on_end)

    def _on_response(self, event: dict[str, Any]) -> None:
        self.urls[event["requestId"]] = event["response"]["url"]

    def _on_end(self, event: dict[str, Any]) -> None:
        self.bytes[event["requestId"]] = event["encodedDataLength"]

    def of(self, part: str = "") -> dict[str, float]:
        """The bytes of every request whose address has the part."""
        sizes = {url: self.bytes.get(id_, 0) for id_, url in self.urls.items()}
        return {url: size for url, size in sizes.items() if part in url}


def test_the_account_page_comes_in_60_kb_and_few_requests(
    page: Page, system: System, account: str
) -> None:
    system.grant(account, 100)
    for number in range(40):
        system.charge(account, "sms", quantity=1, metadata={"number": number})
    traffic = Traffic(page)

    page.goto(f"{system.url}/#token={system.token_for(account)}")
    expect(page.locator("credit-packs article").first).to_be_visible()
    expect(page.locator("credit-history")).to_contain_text("SMS")
    page.wait_for_load_state("networkidle")

    everything = traffic.of()
    assert sum(everything.values()) <= PAGE_BYTES, everything
    assert len(everything) <= PAGE_REQUESTS, everything


def test_a_second_visit_asks_for_no_file_again(page: Page, system: System, account: str) -> None:
    url = f"{system.url}/#token={system.token_for(account)}"
    # The last file of the first visit, and the one that is asked for late.
    with page.expect_response("**/live.js") as last:
        page.goto(url)
    last.value.finished()
    expect(page.locator("credit-packs article").first).to_be_visible()
    traffic = Traffic(page)

    page.goto("about:blank")
    page.goto(url)
    expect(page.locator("credit-packs article").first).to_be_visible()

    files = traffic.of("/web/")
    assert sum(files.values()) == 0, files


def test_all_elements_come_in_25_kb(
    page: Page, system: System, account: str, html_page: Callable[..., str]
) -> None:
    html = gallery(system.url, token=system.token_for(account))
    traffic = Traffic(page)

    page.goto(html_page(html.replace("/web/elements.js", "/web/elements.bundle.js")))
    wait_for_gallery(page)

    modules = traffic.of("/web/")
    assert len(modules) == 1
    # The response's own headers are on top of the 25,000.
    assert sum(modules.values()) <= ELEMENTS_BYTES + 1_000, modules


def test_the_account_page_can_be_used_before_the_api_has_answered(
    page: Page, system: System, account: str
) -> None:
    def leave(_: Route) -> None:
        """It is never answered."""

    page.route(f"{system.url}/v1/**", leave)

    page.goto(f"{system.url}/#token={system.token_for(account)}")

    expect(page.get_by_role("heading", name="Usage").first).to_be_visible()
    expect(page.get_by_role("heading", name="How credits work")).to_be_visible()
    page.get_by_role("button", name="90 days").click()
    expect(page.get_by_role("button", name="90 days")).to_have_attribute("aria-pressed", "true")
