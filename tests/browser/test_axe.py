"""Everybody can use it: axe has no grave finding in any state of an element.

The pages with their data are looked at where they are tested: test_page, test_operator, test_demo.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.accessibility import findings
from tests.browser.conftest import NewPage
from tests.browser.gallery import gallery, wait_for_gallery
from tests.browser.system import System
from tests.browser.watching import Watch

Serve = Callable[..., str]
Shoot = Callable[..., Path]


def use(system: System, account: str) -> None:
    """The account has a history with several kinds of rows."""
    system.grant(account, 100)
    system.charge(account, "sms", quantity=2)
    given = {"prompt_tokens": 200, "completion_tokens": 300, "total_tokens": 500}
    system.charge(account, "ai_tokens", model="claude-sonnet-4-5", usage=given, feature="chat")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_element_with_data_has_no_grave_finding(
    new_page: NewPage, system: System, account: str, *, html_page: Serve, shoot: Shoot, scheme: str
) -> None:
    use(system, account)
    page = new_page(color_scheme=scheme)

    page.goto(html_page(gallery(system.url, token=system.token_for(account))))
    wait_for_gallery(page)
    shoot(page, f"gallery_{scheme}", full_page=True)

    assert findings(page) == []


def test_every_element_of_an_account_that_has_used_everything_up_has_none(
    page: Page, system: System, account: str, html_page: Serve, shoot: Shoot
) -> None:
    limits = {"daily": 10, "monthly": 10}
    system.spend_down_to(account, 0)
    system.do("PUT", f"/v1/accounts/{account}/limits", limits, key="limits")

    page.goto(html_page(gallery(system.url, token=system.token_for(account))))
    wait_for_gallery(page)
    shoot(page, "gallery_used_up", full_page=True)

    assert findings(page) == []


def test_the_dialog_of_a_shortage_has_none_and_takes_the_focus(
    page: Page, system: System, account: str, html_page: Serve, shoot: Shoot
) -> None:
    page.goto(html_page(gallery(system.url, token=system.token_for(account))))
    wait_for_gallery(page)

    page.get_by_label("Message").fill("Hello")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("dialog")).to_contain_text("Not enough credits")
    shoot(page, "gallery_dialog")

    assert findings(page) == []
    inside = "document.activeElement.shadowRoot.activeElement.closest('dialog') !== null"
    assert page.evaluate(inside)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).not_to_be_visible()
    expect(page.get_by_label("Message")).to_have_value("Hello")


def test_every_element_that_waits_has_none(
    page: Page, system: System, account: str, html_page: Serve, shoot: Shoot
) -> None:
    def leave(_: Route) -> None:
        """It is never answered."""

    page.route(f"{system.url}/v1/**", leave)

    page.goto(html_page(gallery(system.url, token=system.token_for(account))))
    expect(page.locator("credit-usage:defined")).to_be_attached()
    expect(page.locator("credit-packs [aria-busy=true]").first).to_be_visible()
    shoot(page, "gallery_waiting", full_page=True)

    assert findings(page) == []


def test_every_element_without_an_api_has_none(
    page: Page, system: System, account: str, *, html_page: Serve, shoot: Shoot, watch: Watch
) -> None:
    watch.allow(r"response 500|console error: .*50\d")
    body = '{"code": "internal", "title": "Something went wrong", "detail": "Try again."}'
    page.route(
        f"{system.url}/v1/**",
        lambda route: route.fulfill(
            status=500,
            body=body,
            headers={
                "access-control-allow-origin": system.origin.url,
                "content-type": "application/problem+json",
            },
        ),
    )

    page.goto(html_page(gallery(system.url, token=system.token_for(account))))
    expect(page.locator("credit-packs").get_by_role("alert")).to_be_visible()
    shoot(page, "gallery_failed", full_page=True)

    assert findings(page) == []


def test_the_account_page_of_nobody_has_none(page: Page, system: System, shoot: Shoot) -> None:
    page.goto(system.url)
    expect(page.get_by_role("main")).to_be_visible()
    shoot(page, "account_nobody")

    assert findings(page) == []
