"""Pages run under a policy that lets nothing in, and nothing of theirs runs into it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.gallery import gallery, wait_for_gallery
from tests.browser.system import System
from tests.browser.watching import Watch

PAGES = ("/", "/operator")


def policy_of(system: System, path: str) -> dict[str, set[str]]:
    """The directives of a page's policy, each with its sources."""
    text = system.ask("GET", path).headers["content-security-policy"]
    parts = [part.split() for part in text.split(";") if part.strip()]
    return {name: set(sources) for name, *sources in parts}


@pytest.mark.parametrize("path", PAGES)
def test_the_policy_admits_the_pages_own_files_and_no_inline_code(
    system: System, path: str
) -> None:
    policy = policy_of(system, path)

    assert policy["default-src"] == {"'none'"}
    assert policy["script-src"] == {"'self'"}
    assert policy["style-src"] == {"'self'"}
    assert policy["img-src"] == {"'self'", "data:"}
    assert policy["connect-src"] <= {"'self'", system.url.replace("http", "ws")}
    for closed in ("base-uri", "form-action", "frame-ancestors"):
        assert policy[closed] == {"'none'"}
    assert "unsafe" not in str(policy)
    assert policy["require-trusted-types-for"] == {"'script'"}


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_not_framed_not_sniffed_and_tell_nobody_where_they_are(
    system: System, path: str
) -> None:
    headers = system.ask("GET", path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_the_account_page_and_all_that_can_be_done_there_violates_nothing(
    page: Page, system: System, account: str, watch: Watch
) -> None:
    system.grant(account, 50)
    system.charge(account, "sms", quantity=2)
    page.goto(f"{system.url}/#token={system.token_for(account)}")
    expect(page.locator("credit-packs article").first).to_be_visible()

    page.locator("credit-usage").get_by_role("combobox").select_option("model")
    page.locator("credit-history").get_by_role("button", expanded=False).first.click()
    page.get_by_label("Per day").fill("40")
    page.get_by_role("button", name="Save limits").click()
    expect(page.locator("credit-limits")).to_contain_text("Saved")
    page.get_by_role("button", name="Buy Starter").click()
    expect(page).to_have_url(re.compile("/_local/checkout/"))

    assert watch.unexpected() == []


def test_every_element_works_on_an_apps_page_that_admits_no_style_of_theirs(
    page: Page, system: System, account: str, html_page: Callable[..., str], watch: Watch
) -> None:
    page.goto(html_page(gallery(system.url, token=system.token_for(account))))
    wait_for_gallery(page)

    assert watch.unexpected() == []
    assert page.locator("style").count() == 0


@pytest.mark.parametrize("path", PAGES)
def test_code_that_gets_into_a_page_does_not_run(
    page: Page, system: System, path: str, watch: Watch
) -> None:
    page.goto(system.url + path)
    watch.allow("csp violation|Content Security Policy|Trusted")

    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.append("globalThis.ran = 1");
          document.body.append(script);
          const image = document.createElement("img");
          document.body.append(image);
          const tries = [
            () => image.setAttribute("onerror", "globalThis.ran = 2"),
            () => (image.src = "data:,"),
            () => (document.body.innerHTML = "<img src=x onerror=ran=3>"),
            () => setTimeout("globalThis.ran = 4"),
          ];
          for (const attempt of tries) try { attempt(); } catch {}
        }"""
    )

    assert page.evaluate("globalThis.ran") is None
    assert [line for line in watch.lines if "Trusted" in line]
