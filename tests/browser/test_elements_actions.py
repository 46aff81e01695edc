"""<credit-gate> around an app's own actions, and as an overlay; <credit-estimate>."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import findings
from tests.browser.element_pages import GATED_FORM, Elements, dialog
from tests.browser.system import System
from tests.browser.watching import Watch

GATE = "<credit-balance></credit-balance><credit-gate {attributes}></credit-gate>"
# The app's own backend refuses with the API's problem inside of its own error, until it is paid.
BACKEND = """
window.keys = [];
window.isPaid = false;
const problem = { code: "insufficient_credits", title: "Not enough credits", status: 402,
  detail: "The backend needs 40 credits; 15 are available.", required: 40, available: 15,
  spendable: 15, held: 0, shortfall: 25, blocking: "balance", resets_at: null, offers: [],
  plans: [], affordable: {} };
window.backend = async (key) => {
  keys.push(key);
  if (isPaid) return new Response('{"text": "Hi"}');
  return new Response(JSON.stringify({ detail: problem }), { status: 402 });
};
window.gate = () => document.querySelector("credit-gate");
"""
OVERLAY = GATED_FORM.format(
    attributes='mode="overlay" operation="voice_creation" pricing-href="/pricing"'
)


@pytest.fixture
def elements(system: System, html_page: Callable[..., str]) -> Elements:
    return Elements(system, html_page)


def test_s2_16_a_402_of_the_apps_own_backend_opens_the_dialog_and_is_tried_again_with_its_key(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    elements.show(page, account, GATE.format(attributes=""), script=BACKEND)
    expect(page.locator("credit-balance")).to_contain_text("15 credits")
    page.evaluate("""() => { window.answer = gate().run(async ({ key }) => backend(key))
      .then((it) => it.json()); }""")
    expect(dialog(page)).to_contain_text("The backend needs 40 credits")
    expect(dialog(page)).to_contain_text("Missing25")

    page.evaluate("isPaid = true")
    system.grant(account, 30)
    page.evaluate("session.refresh({ now: true })")

    assert page.evaluate("answer") == {"text": "Hi"}
    first, second = page.evaluate("keys")
    assert first == second


def test_s0_03_cancelled_the_app_gets_the_refusal_to_act_on(
    page: Page, elements: Elements, account: str
) -> None:
    elements.show(page, account, GATE.format(attributes='id="g"'), script=BACKEND)
    expect(page.locator("credit-balance")).to_contain_text("15 credits")
    page.evaluate("""() => {
      window.events = [];
      for (const name of ["credit-shortage", "credit-cancel", "credit-proceed"])
        document.addEventListener(name, (event) => events.push(event.type));
      window.answer = gate().run(async ({ key }) => backend(key))
        .catch((error) => [error.name, error.shortfall]);
    }""")

    dialog(page).get_by_role("button", name="Cancel").click()

    assert page.evaluate("answer") == ["InsufficientCreditsError", 25]
    assert page.evaluate("events") == ["credit-proceed", "credit-shortage", "credit-cancel"]


def test_s1_13_two_calls_at_once_are_one_action(
    page: Page, elements: Elements, account: str, watch: Watch
) -> None:
    html = GATE.format(attributes='operation="sms"')
    elements.show(page, account, html, script=f"{BACKEND} window.isPaid = true;")
    expect(page.locator("credit-balance")).to_contain_text("15 credits")

    answers = page.evaluate("""() => Promise.all([1, 2, 3].map(() =>
      gate().run(async ({ key }) => { await backend(key); return key; })))""")

    assert len(set(answers)) == 1
    assert page.evaluate("keys.length") == 1
    assert watch.count("POST .*/v1/check") == 1


def test_calls_with_keys_of_their_own_are_actions_of_their_own_one_after_another(
    page: Page, elements: Elements, account: str
) -> None:
    html = GATE.format(attributes='operation="sms"')
    elements.show(page, account, html, script=f"{BACKEND} window.isPaid = true;")
    expect(page.locator("credit-balance")).to_contain_text("15 credits")

    page.evaluate("""() => Promise.all(["a", "b", "c"].map((key) =>
      gate().run(({ key }) => backend(key), { key })))""")

    assert page.evaluate("keys") == ["a", "b", "c"]


def test_without_a_store_in_the_tab_everything_else_works(
    page: Page, elements: Elements, account: str
) -> None:
    page.add_init_script(
        """Object.defineProperty(window, "sessionStorage", { get() { throw new Error("no") } })"""
    )
    elements.show(page, account, GATE.format(attributes=""), script=BACKEND)
    expect(page.locator("credit-balance")).to_contain_text("15 credits")
    page.evaluate("() => void gate().run(({ key }) => backend(key)).catch(() => 0)")

    expect(dialog(page)).to_contain_text("Missing25")


def test_an_error_of_the_action_is_the_apps(page: Page, elements: Elements, account: str) -> None:
    elements.show(page, account, GATE.format(attributes='operation="sms"'), script=BACKEND)
    expect(page.locator("credit-balance")).to_contain_text("15 credits")

    thrown = page.evaluate("""() => gate().run(async () => { throw new Error("the model is down") })
      .catch((error) => error.message)""")

    assert thrown == "the model is down"
    expect(dialog(page)).to_have_count(0)


def test_the_client_itself_is_a_gates_action(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    script = f"""{BACKEND}
    window.client = new TollkeeperClient({{ api: "{system.url}", token: "t",
      fetch: (url, init) => backend(init.headers.get("Idempotency-Key")) }});"""
    elements.show(page, account, GATE.format(attributes=""), script=script)
    expect(page.locator("credit-balance")).to_contain_text("15 credits")
    page.evaluate("""() => { gate().run(({ key }) => client.fetch("/chat", { method: "POST", key }))
      .catch(() => 0); }""")

    expect(dialog(page)).to_contain_text("The backend needs 40 credits")


def test_s2_12_the_overlay_disables_the_inputs_and_says_why_until_there_is_enough(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    system.spend_down_to(account, 4)
    elements.show(page, account, OVERLAY)

    field, send = page.get_by_label("Message"), page.get_by_role("button", name="Send")
    expect(field).to_be_disabled()
    expect(send).to_be_disabled()
    expect(field).to_have_attribute("placeholder", "This needs 5 credits; you have 4.")
    gate = page.locator("credit-gate")
    expect(gate.get_by_role("status")).to_contain_text("This needs 5 credits; you have 4.")
    expect(gate.get_by_role("link", name="Upgrade")).to_have_attribute("href", "/pricing")
    assert findings(page) == []

    system.grant(account, 1)
    page.evaluate("session.refresh({ now: true })")

    expect(field).to_be_enabled()
    expect(send).to_be_enabled()
    expect(field).to_have_attribute("placeholder", "")
    expect(gate.get_by_role("link", name="Upgrade")).to_have_count(0)


def test_s4_05_the_estimate_says_least_typical_most_and_why(
    page: Page, elements: Elements, account: str
) -> None:
    html = """<credit-estimate operation="ai_tokens" model="gpt-4"></credit-estimate>
    <p><credit-estimate compact operation="sms" quantity="2"></credit-estimate></p>"""
    elements.show(page, account, html)

    whole = page.locator("credit-estimate").first
    expect(whole.locator("dd")).to_have_text(["6 credits", "60 credits", "480 credits"])
    expect(whole).to_contain_text("gpt-4 tokens: 1000 at 60/1000 credits")
    expect(whole).to_contain_text("You have 15 credits.")
    expect(page.locator("credit-estimate[compact]")).to_contain_text("2 credits")
    assert findings(page) == []


def test_an_estimate_follows_what_is_chosen_and_asks_once_when_the_typing_ends(
    page: Page, elements: Elements, account: str, watch: Watch
) -> None:
    elements.show(page, account, '<credit-estimate operation="sms"></credit-estimate>')
    shown = page.locator("credit-estimate")
    expect(shown.locator(".mid dd")).to_have_text("1 credits")
    before = watch.count("POST .*/v1/estimate")

    shown.evaluate("(it) => [2, 3, 4, 5, 6, 7, 8].forEach((n) => it.setAttribute('quantity', n))")

    expect(shown.locator(".mid dd")).to_have_text("8 credits")
    assert watch.count("POST .*/v1/estimate") == before + 1


def test_an_estimate_of_what_has_no_price_says_so(
    page: Page, elements: Elements, account: str, watch: Watch
) -> None:
    watch.allow("response 422 POST .*estimate")
    elements.show(page, account, '<credit-estimate operation="no_such_thing"></credit-estimate>')

    expect(page.locator("credit-estimate").get_by_role("alert")).to_contain_text("no_such_thing")
