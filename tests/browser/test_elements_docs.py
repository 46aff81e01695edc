"""The page of docs/web.md, as it stands there, in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.system import System

PAGE = Path(__file__).parents[2] / "docs" / "web.md"


def test_the_page_in_ten_lines_works_as_it_stands(
    page: Page, system: System, account: str, html_page: Callable[..., str]
) -> None:
    found = re.search(r"```html\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    html = found[1].replace("https://YOUR-API", system.url)
    answer = {"token": system.token_for(account)}
    page.route("**/api/credit-token", lambda route: route.fulfill(json=answer))

    page.goto(html_page(html.replace("configure({", "configure({ live: false,")))

    expect(page.locator("nav credit-balance")).to_contain_text("15 credits")
    expect(page.locator("credit-balance[detailed]")).to_contain_text("Free")
    expect(page.get_by_role("button", name="Buy Pro", exact=True)).to_be_visible()
