"""The watch over the tests' pages: what goes wrong on a page does not pass unnoticed."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import NewPage
from tests.browser.system import System
from tests.browser.watching import Watch


def test_a_page_of_an_app_may_call_the_api_and_nothing_is_noted(
    page: Page, system: System, account: str, html_page: Callable[..., str], watch: Watch
) -> None:
    token = system.token_for(account)
    page.goto(
        html_page(f"""<p id="told">...</p><script type="module">
          const answer = await fetch("{system.url}/v1/accounts/{account}",
            {{headers: {{authorization: "Bearer {token}"}}}});
          document.querySelector("#told").textContent = (await answer.json()).available;
        </script>""")
    )

    expect(page.locator("#told")).to_have_text("15")
    assert watch.unexpected() == []
    assert watch.count(f"GET .*/v1/accounts/{account}") == 1


def test_errors_refused_content_and_failed_requests_are_noted(
    new_page: NewPage, system: System, html_page: Callable[..., str], watch: Watch
) -> None:
    watch.allow(".")  # this test looks at the lines itself
    page = new_page()
    page.goto(
        html_page("""<p style="color: red">x</p><p id="done"></p><script type="module">
          console.error("told by the page");
          await fetch("/missing");
          await fetch("http://127.0.0.1:1/nowhere").catch(() => 0);
          document.querySelector("#done").textContent = "done";
          throw new Error("thrown by the page");
        </script>""")
    )
    expect(page.locator("#done")).to_have_text("done")

    noted = "\n".join(watch.lines)
    assert "console error: told by the page" in noted
    assert "csp violation: style-src-attr" in noted
    assert "csp violation: connect-src" in noted
    assert "response 404 GET" in noted
    assert "page error" in noted
    assert "thrown by the page" in noted


def test_a_small_page_is_360_wide(mobile_page: Page, html_page: Callable[..., str]) -> None:
    mobile_page.goto(html_page("<p>small</p>"))

    assert mobile_page.evaluate("innerWidth") == 360


def test_contexts_are_apart(browser: Browser, new_page: NewPage) -> None:
    first, second = new_page(), new_page()

    assert first.context != second.context
    assert len(browser.contexts) >= 2
