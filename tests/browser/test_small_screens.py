"""On a telephone of 360 pixels everything is there, and nothing is wider than the screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.gallery import gallery, wait_for_gallery
from tests.browser.system import System

WIDTH = 360
# What reaches over the right edge and does not scroll inside of something that may.
TOO_WIDE = """
() => {
  const found = [];
  const scrolls = (node) => {
    for (let it = node; it; it = it.parentNode ?? it.host) {
      if (it.nodeType !== 1 || it === document.documentElement || it === document.body) continue;
      if (/auto|scroll|hidden|clip/.test(getComputedStyle(it).overflowX)) return true;
    }
    return false;
  };
  const walk = (root) => {
    for (const node of root.querySelectorAll("*")) {
      const box = node.getBoundingClientRect();
      if (box.width > 0 && box.right > 360.5 && !scrolls(node))
        found.push(`${node.localName} ${node.className} ${Math.round(box.right)}`);
      if (node.shadowRoot) walk(node.shadowRoot);
    }
  };
  walk(document);
  return found;
}
"""
# Fingers want 24 pixels at the least (WCAG 2.5.8).
TOO_SMALL = """
() => {
  const found = [];
  const walk = (root) => {
    for (const node of root.querySelectorAll("*")) {
      const box = node.getBoundingClientRect();
      if (node.matches("button, select, input:not([type=checkbox], [type=radio]), .button")
          && box.width > 0 && (box.height < 24 || box.width < 24))
        found.push(`${node.localName} ${node.textContent} ${box.width} x ${box.height}`);
      if (node.shadowRoot) walk(node.shadowRoot);
    }
  };
  walk(document);
  return found;
}
"""
Serve = Callable[..., str]
Shoot = Callable[..., Path]


def assert_fits(page: Page) -> None:
    """Nothing is wider than the screen, and what is pressed is large enough for a finger."""
    assert "\n".join(page.evaluate(TOO_WIDE)) == ""
    assert page.evaluate("document.documentElement.scrollWidth") == WIDTH
    assert page.evaluate("innerWidth") == WIDTH
    assert page.evaluate(TOO_SMALL) == []


def use(system: System, account: str) -> None:
    """The account has large numbers and long names, which need the most room."""
    system.grant(account, "987654321.123456", reason="a long reason " * 8)
    given = {"prompt_tokens": 123_456, "completion_tokens": 7, "total_tokens": 123_463}
    model = "claude-a-model-with-a-name-that-is-longer-than-any-screen-is-wide-20251101"
    system.charge(account, "ai_tokens", model=model, usage=given, feature="W" * 64)


def test_the_account_page_fits(
    mobile_page: Page, system: System, account: str, shoot: Shoot
) -> None:
    use(system, account)

    mobile_page.goto(f"{system.url}/#token={system.token_for(account)}")
    expect(mobile_page.locator("credit-packs article").first).to_be_visible()
    history = mobile_page.locator("credit-history").get_by_role("button", expanded=False)
    expect(history.nth(1)).to_be_visible()
    shoot(mobile_page, "account_small", full_page=True)

    assert_fits(mobile_page)


def test_every_element_fits(
    mobile_page: Page, system: System, account: str, *, html_page: Serve, shoot: Shoot
) -> None:
    use(system, account)

    mobile_page.goto(html_page(gallery(system.url, token=system.token_for(account))))
    wait_for_gallery(mobile_page)
    shoot(mobile_page, "gallery_small", full_page=True)

    assert_fits_but_for_the_tests_own(mobile_page)


def assert_fits_but_for_the_tests_own(page: Page) -> None:
    """The same for a page whose own form is the test's, which a browser makes as it likes."""
    page.evaluate("document.querySelector('credit-gate form').remove()")
    assert_fits(page)


def test_the_dialog_of_a_shortage_fits(
    mobile_page: Page, system: System, account: str, *, html_page: Serve, shoot: Shoot
) -> None:
    mobile_page.goto(html_page(gallery(system.url, token=system.token_for(account))))
    wait_for_gallery(mobile_page)
    mobile_page.get_by_role("button", name="Send").tap()
    dialog = mobile_page.get_by_role("dialog")
    expect(dialog).to_contain_text("Not enough credits")
    shoot(mobile_page, "dialog_small")

    box = dialog.bounding_box()

    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= WIDTH


def test_the_operators_page_fits(
    mobile_page: Page, system: System, account: str, shoot: Shoot
) -> None:
    use(system, account)

    mobile_page.goto(f"{system.url}/operator#/account/{account}")
    mobile_page.get_by_label("Service key").fill(system.key)
    mobile_page.get_by_role("button", name="Open").tap()
    expect(mobile_page.get_by_role("heading", level=1)).to_have_text(account)
    shoot(mobile_page, "operator_small", full_page=True)

    assert "\n".join(mobile_page.evaluate(TOO_WIDE)) == ""
    assert mobile_page.evaluate("document.documentElement.scrollWidth") == WIDTH
