"""Pages of an app that uses the elements, for the tests of the elements."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page

from tests.browser.system import System

GATED_FORM = """
<credit-gate {attributes}><form><label>Message <textarea name="message"></textarea></label>
<button>Send</button></form></credit-gate>
"""
# What the app's own handler was given, and with which key; the app empties the field.
NOTE_SUBMITS = """
window.sent = [];
document.querySelector("credit-gate form").addEventListener("submit", (event) => {
  event.preventDefault();
  const { message } = event.target;
  sent.push({ text: message.value, key: document.querySelector("credit-gate").key });
  message.value = "";
});
"""


class Elements:
    """Opens pages with elements of the account; `session` of the page is `window.session`."""

    def __init__(self, system: System, html_page: Callable[..., str]) -> None:
        self._system = system
        self._html_page = html_page

    def url(self, account: str, html: str, **given: str) -> str:
        """The page's URL; `script` runs first, `options` are more members of `configure`."""
        script, options = given.get("script", ""), given.get("options", "")
        token = self._system.token_for(account)
        html = f"""<meta name="color-scheme" content="light dark">{html}
        <script type="module">
          import {{ TollkeeperClient, configure, session }}
            from "{self._system.url}/web/elements.bundle.js";
          {script}
          const api = "{self._system.url}";
          window.session = configure({{ api, token: "{token}", live: false, {options} }});
        </script>"""
        return self._html_page(html, path=given.get("path"))

    def show(self, page: Page, account: str, html: str, **given: str) -> str:
        """The page shows it; the answer is its URL."""
        url = self.url(account, html, **given)
        page.goto(url)
        return url


def dialog(page: Page) -> Locator:
    """The dialog of the page's gate."""
    return page.get_by_role("dialog")


def write(page: Page, text: str) -> None:
    """The message is typed and sent."""
    page.get_by_label("Message").fill(text)
    page.get_by_role("button", name="Send").click()


def pay(page: Page, how: str = "Pay ") -> None:
    """The simulated payment page is there, and its button was pressed."""
    page.wait_for_url("**/_local/checkout/**")
    page.get_by_role("button", name=how).first.click()
