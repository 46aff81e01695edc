"""The elements inside of frameworks: what React, Vue and others do to one.

No framework is here; each test does what theirs do, in the order in which they do it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.gallery import ELEMENTS, gallery, wait_for_gallery
from tests.browser.system import System
from tests.browser.watching import Watch

START = """<div id="root"></div><div id="other"></div><p id="told"></p>
<script type="module">
  {before}
  const {{ configure }} = await import("{api}/web/elements.js");
  globalThis.session = configure({{ api: "{api}", getToken: () => "{token}", live: false }});
  {after}
</script>"""
Open = Callable[..., None]


@pytest.fixture
def open_app(page: Page, system: System, account: str, html_page: Callable[..., str]) -> Open:
    """Opens an app's page that runs one script before the elements are loaded and one after."""

    def go(*, before: str = "", after: str = "") -> None:
        token = system.token_for(account)
        html = START.format(api=system.url, token=token, before=before, after=after)
        page.goto(html_page(html))

    return go


def test_a_property_that_was_set_before_the_element_was_loaded_counts(
    page: Page, open_app: Open
) -> None:
    # React and Vue render first; a module that comes later makes the elements what they are.
    open_app(
        before="""
        const element = document.createElement("credit-estimate");
        element.request = { operation: "ai_tokens", model: "claude", usage: { total: 3000 } };
        document.querySelector("#root").append(element);"""
    )

    expect(page.locator("credit-estimate")).to_contain_text("6")
    expect(page.locator("credit-estimate")).to_contain_text("claude")


def test_an_action_that_was_set_before_the_gate_was_loaded_is_what_it_does(
    page: Page, open_app: Open
) -> None:
    open_app(
        before="""
        const gate = document.createElement("credit-gate");
        const button = document.createElement("button");
        button.append("Call");
        gate.append(button);
        gate.action = async ({ key }) => {
          document.querySelector("#told").textContent = `called with ${typeof key}`;
        };
        gate.setAttribute("operation", "sms");
        document.querySelector("#root").append(gate);""",
        after='document.querySelector("#told").textContent = "loaded";',
    )
    expect(page.locator("#told")).to_have_text("loaded")

    page.get_by_role("button", name="Call").click()

    expect(page.locator("#told")).to_have_text("called with string")


def test_attributes_that_change_as_texts_are_followed(page: Page, open_app: Open) -> None:
    # React 18 sets whatever it is given as a text; a number becomes "3", true becomes "true".
    open_app(
        after="""
        const element = document.createElement("credit-estimate");
        element.setAttribute("compact", "true");
        element.setAttribute("operation", "sms");
        document.querySelector("#root").append(element);
        element.setAttribute("quantity", "3");"""
    )
    estimate = page.locator("credit-estimate")
    expect(estimate).to_contain_text("3 credits")

    estimate.evaluate("(node) => node.setAttribute('quantity', '7')")
    expect(estimate).to_contain_text("7 credits")
    estimate.evaluate("(node) => node.removeAttribute('quantity')")
    expect(estimate).to_contain_text("1 credit")


def test_an_element_that_is_moved_keeps_what_it_shows_and_hears_each_change_once(
    page: Page, system: System, account: str, open_app: Open
) -> None:
    open_app(
        after="""
        globalThis.heard = [];
        addEventListener("credit-change", (event) => heard.push(event.detail.available));
        document.querySelector("#root").append(document.createElement("credit-balance"));"""
    )
    balance = page.locator("credit-balance")
    expect(balance).to_contain_text("15")

    for _ in range(3):
        balance.evaluate("(node) => document.querySelector('#other').append(node)")
        balance.evaluate("(node) => document.querySelector('#root').append(node)")
    expect(balance).to_contain_text("15")
    system.charge(account, "sms", quantity=2)
    page.evaluate("session.refresh({ now: true })")

    expect(balance).to_contain_text("13")
    assert page.evaluate("heard") == [15, 13]


@pytest.mark.parametrize("name", ELEMENTS)
def test_an_element_that_goes_while_it_asks_leaves_no_error_and_comes_back(
    page: Page, open_app: Open, name: str
) -> None:

    def hold(_: Route) -> None:
        """It is answered when nobody holds it any more."""

    page.route("**/v1/**", hold)
    open_app(
        after=f"""
        const element = document.createElement("{name}");
        element.setAttribute("operation", "sms");
        document.querySelector("#root").append(element);
        document.querySelector("#told").textContent = "made";"""
    )
    expect(page.locator("#told")).to_have_text("made")
    element = page.locator(name).element_handle()

    element.evaluate("(node) => node.remove()")
    page.unroute("**/v1/**", hold)
    page.evaluate("session.refresh({ now: true })")
    element.evaluate("(node) => document.querySelector('#other').append(node)")

    expect(page.locator(f"#other {name}")).to_be_attached()
    expect(page.locator(name).locator("[aria-busy=true]")).to_have_count(0)
    expect(page.locator(name).get_by_role("alert")).to_have_count(0)


def test_a_list_that_is_made_anew_many_times_leaves_nothing_behind(
    page: Page, open_app: Open, watch: Watch
) -> None:
    open_app(
        after="""
        const root = document.querySelector("#root");
        for (let time = 0; time < 50; time++) {
          root.replaceChildren(document.createElement("credit-balance"));
          await Promise.resolve();
        }
        document.querySelector("#told").textContent = "made";"""
    )

    expect(page.locator("#told")).to_have_text("made")
    expect(page.locator("credit-balance")).to_contain_text("15")
    assert watch.count("GET .*/v1/accounts/me$") <= 2


def test_events_of_an_element_are_heard_where_a_framework_listens(
    page: Page, open_app: Open
) -> None:
    # Vue and React 19 listen on the element; React 18 apps by a ref; others on the root.
    open_app(
        after="""
        globalThis.heard = [];
        const element = document.createElement("credit-balance");
        const listen = (name, target) => target.addEventListener(
          "credit-change", ({ detail }) => heard.push([name, detail.available]));
        listen("element", element);
        listen("root", document.body);
        document.querySelector("#root").append(element);"""
    )

    expect(page.locator("credit-balance")).to_contain_text("15")
    assert page.evaluate("heard") == [["element", 15], ["root", 15]]


def test_an_apps_own_texts_stand_there_until_the_elements_come_and_when_they_never_do(
    page: Page, system: System, account: str, html_page: Callable[..., str], watch: Watch
) -> None:
    watch.allow(r"failed GET .*/web/elements\.js|console error")
    page.route("**/web/elements.js", lambda route: route.abort())

    page.goto(html_page(gallery(system.url, token=system.token_for(account))))

    expect(page.get_by_label("Account")).to_contain_text("Credits")
    page.get_by_label("Message").fill("Hello")
    expect(page.get_by_role("button", name="Send")).to_be_enabled()


def test_two_copies_of_the_modules_on_one_page_do_not_meet(
    page: Page, system: System, account: str, html_page: Callable[..., str]
) -> None:
    # An app that bundles the package, on a page that loads the stack's own, too.
    html = gallery(system.url, token=system.token_for(account))
    again = f'<script type="module">import "{system.url}/web/elements.bundle.js";</script>'

    page.goto(html_page(html + again))

    wait_for_gallery(page)
