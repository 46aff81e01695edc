"""<credit-gate>: before an action, whether it can be paid for; nothing typed is ever lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import findings
from tests.browser.element_pages import GATED_FORM, NOTE_SUBMITS, Elements, dialog, pay, write
from tests.browser.system import System
from tests.browser.watching import Watch

ADA = 'operation="ai_tokens" model="gpt-4" label="Ada" pricing-href="#pricing"'
FORM = "<credit-balance></credit-balance>" + GATED_FORM.format(attributes=ADA)
BUTTON = """<credit-gate operation="voice_call" quantity="3" {attributes}>
<button>Call</button></credit-gate>"""


@pytest.fixture
def elements(system: System, html_page: Callable[..., str]) -> Elements:
    return Elements(system, html_page)


def test_s0_07_s0_08_s0_18_the_dialog_says_to_the_credit_what_it_costs_and_what_is_missing(
    page: Page, elements: Elements, account: str
) -> None:
    elements.show(page, account, FORM, script=NOTE_SUBMITS)
    write(page, "Hello Ada")

    # S0.8: the character and the model have their names.
    expect(dialog(page)).to_have_accessible_name("Not enough credits for Ada")
    expect(dialog(page)).to_contain_text(
        "gpt-4 for 1,000 tokens needs 60 credits; 15 are available."
    )
    rows = dialog(page).get_by_role("row")
    expect(rows).to_have_text(
        ["gpt-4 tokens: 1,000 at 60/100060", "This costs60", "You have15", "Missing45"]
    )
    expect(dialog(page).get_by_role("button", name="Buy 100 credits")).to_contain_text("$10.00")
    # S0.18, S2.16: the upgrade stands beside it.
    expect(dialog(page).get_by_role("link")).to_have_attribute("href", "#pricing")
    assert page.evaluate("sent") == []
    assert findings(page) == []


def test_s0_07_cancel_keeps_the_message_and_gives_the_focus_back(
    page: Page, elements: Elements, account: str
) -> None:
    elements.show(page, account, FORM, script=NOTE_SUBMITS)
    write(page, "Hello Ada")
    expect(dialog(page)).to_be_visible()

    page.keyboard.press("Escape")

    expect(dialog(page)).to_have_count(0)
    expect(page.get_by_label("Message")).to_have_value("Hello Ada")
    expect(page.get_by_role("button", name="Send")).to_be_focused()
    assert page.evaluate("[sent.length, sessionStorage.length]") == [0, 0]


def test_s0_19_with_less_than_ten_credits_an_expensive_model_opens_the_dialog(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    system.spend_down_to(account, 8)
    elements.show(page, account, FORM, script=NOTE_SUBMITS)

    write(page, "Hello Ada")

    expect(dialog(page)).to_contain_text("You have8")
    expect(dialog(page)).to_contain_text("You could use gpt-3.5")


def test_what_can_be_paid_goes_through_once_with_a_key_of_its_own(
    page: Page, elements: Elements, system: System, account: str, watch: Watch
) -> None:
    system.grant(account, 100)
    elements.show(page, account, FORM, script=NOTE_SUBMITS)

    write(page, "Hello Ada")
    expect(page.get_by_label("Message")).to_have_value("")
    write(page, "And again")
    expect(page.get_by_label("Message")).to_have_value("")

    first, second = page.evaluate("sent")
    assert (first["text"], second["text"]) == ("Hello Ada", "And again")
    assert first["key"] != second["key"]
    assert watch.count("POST .*/v1/check") == 2


def test_s1_13_pressed_twice_it_is_sent_once(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    system.grant(account, 100)
    elements.show(page, account, FORM, script=NOTE_SUBMITS)
    page.get_by_label("Message").fill("Hello Ada")

    page.evaluate("""() => {
      const form = document.querySelector("form");
      form.requestSubmit(); form.requestSubmit(); form.requestSubmit();
    }""")
    expect(page.get_by_label("Message")).to_have_value("")

    assert len(page.evaluate("sent")) == 1


def test_s0_09_s0_16_a_top_up_made_elsewhere_sends_the_message_by_itself(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    elements.show(page, account, FORM, script=NOTE_SUBMITS)
    write(page, "Hello Ada")
    expect(dialog(page)).to_be_visible()

    system.grant(account, 50)
    page.evaluate("session.refresh({ now: true })")

    expect(dialog(page)).to_have_count(0)
    expect(page.get_by_label("Message")).to_have_value("")
    assert [it["text"] for it in page.evaluate("sent")] == ["Hello Ada"]


def test_retry_by_a_button_waits_for_the_customer(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    form = GATED_FORM.format(attributes=f'{ADA} retry="button"')
    elements.show(page, account, form, script=NOTE_SUBMITS)
    write(page, "Hello Ada")
    expect(dialog(page)).to_be_visible()
    system.grant(account, 50)
    page.evaluate("session.refresh({ now: true })")

    expect(dialog(page)).to_have_accessible_name("You have enough credits now")
    dialog(page).get_by_role("button", name="Continue").click()

    expect(page.get_by_label("Message")).to_have_value("")
    assert len(page.evaluate("sent")) == 1


def test_s0_09_s4_09_the_message_survives_the_payment_page_and_is_sent_afterwards(
    page: Page, elements: Elements, account: str
) -> None:
    elements.show(page, account, FORM, script=NOTE_SUBMITS)
    write(page, "Hello Ada, this took a while to write")
    dialog(page).get_by_role("button", name="Buy 100 credits").click()
    pay(page)
    page.wait_for_url("**/page/*")

    expect(page.get_by_label("Message")).to_have_value("Hello Ada, this took a while to write")
    expect(dialog(page)).to_have_accessible_name("You have enough credits now")
    expect(dialog(page)).to_contain_text("Paid. 100 credits were added.")
    assert "credit-purchase" not in page.url
    assert findings(page) == []
    dialog(page).get_by_role("button", name="Continue").click()

    expect(page.get_by_label("Message")).to_have_value("")
    (sent,) = page.evaluate("sent")
    assert sent["text"] == "Hello Ada, this took a while to write"
    assert page.evaluate("sessionStorage.length") == 0


def test_an_action_of_the_apps_own_goes_on_after_the_payment_page(
    page: Page, elements: Elements, account: str
) -> None:
    script = """
      window.sent = [];
      document.querySelector("credit-gate").action = async ({ key, target }) => {
        sent.push({ key, text: target.message.value });
        target.reset();
      };"""
    elements.show(page, account, FORM, script=script)
    write(page, "Hello Ada")
    dialog(page).get_by_role("button", name="Buy 100 credits").click()
    pay(page)
    page.wait_for_url("**/page/*")

    dialog(page).get_by_role("button", name="Continue").click()

    expect(page.get_by_label("Message")).to_have_value("")
    assert [it["text"] for it in page.evaluate("sent")] == ["Hello Ada"]


LOST = """
window.sent = [];
window.fails = [];
document.querySelector("credit-gate").action = async ({ key, target }) => {
  document.body.dataset.sent = sent.push({ key, text: target.message.value });
  target.reset();
  const failure = fails.shift();
  if (failure) throw Object.assign(new Error("lost"), { status: failure });
};
"""


@pytest.mark.parametrize("outcome", [0, 500, 503])
def test_an_action_whose_outcome_nobody_knows_goes_on_with_its_key(
    page: Page, elements: Elements, system: System, account: str, outcome: int
) -> None:
    system.grant(account, 100)
    html = FORM.replace("<credit-balance></credit-balance>", "")
    url = elements.show(page, account, html, script=LOST)
    failure = outcome or "'none'"
    page.evaluate(f"fails = [{failure}, {failure}]")
    write(page, "Hello Ada")
    expect(page.get_by_role("alert")).to_be_visible()
    # The app emptied its field at once; what stood there is back.
    expect(page.get_by_label("Message")).to_have_value("Hello Ada")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("body")).to_have_attribute("data-sent", "2")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Message")).to_have_value("Hello Ada")
    (first, second) = page.evaluate("sent")
    assert first == second

    page.goto(url)
    expect(page.get_by_label("Message")).to_have_value("Hello Ada")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_label("Message")).to_have_value("")
    assert page.evaluate("sent") == [first]

    write(page, "Hello Ada")
    expect(page.get_by_label("Message")).to_have_value("")
    assert page.evaluate("sent[1].key") != first["key"]


def test_another_text_and_a_refusal_begin_a_new_action(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    system.grant(account, 100)
    elements.show(page, account, FORM, script=LOST)
    page.evaluate("fails = [500, 422]")
    write(page, "Hello")
    expect(page.get_by_role("alert")).to_be_visible()
    write(page, "Hello Ada")
    expect(page.locator("body")).to_have_attribute("data-sent", "2")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Message")).to_have_value("Hello Ada")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_label("Message")).to_have_value("")

    keys = [it["key"] for it in page.evaluate("sent")]
    assert len(set(keys)) == 3


def test_a_page_of_one_account_taken_over_by_another_closes_the_dialog(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    elements.show(page, account, FORM, script="window.configure = configure;")
    write(page, "Hello Ada")
    expect(dialog(page)).to_be_visible()

    page.evaluate(
        "([api, token]) => configure({ api, token, live: false })",
        [system.url, system.token_for(system.new_account())],
    )

    expect(dialog(page)).to_have_count(0)


def test_left_unpaid_the_dialog_is_there_again_with_the_way_back_to_the_payment(
    page: Page, elements: Elements, account: str
) -> None:
    elements.show(page, account, FORM, script=NOTE_SUBMITS)
    write(page, "Hello Ada")
    dialog(page).get_by_role("button", name="Buy 100 credits").click()
    pay(page, "Cancel")
    page.wait_for_url("**/page/*")

    expect(dialog(page)).to_contain_text("The payment was not finished.")
    expect(dialog(page).get_by_role("link", name="Finish payment")).to_be_visible()
    expect(page.get_by_label("Message")).to_have_value("Hello Ada")


def test_the_words_of_one_customer_are_never_shown_to_another(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    path = f"/page/{account}"
    elements.show(page, account, FORM, script=NOTE_SUBMITS, path=path)
    write(page, "Between Ada and me")
    expect(dialog(page)).to_be_visible()

    elements.show(page, system.new_account(), FORM, script=NOTE_SUBMITS, path=path)
    expect(page.locator("credit-balance")).to_contain_text("15 credits")
    expect(page.get_by_label("Message")).to_have_value("")

    assert page.evaluate("sessionStorage.length") == 0


def test_s0_15_a_lost_connection_keeps_the_message_and_the_way_to_try_again(
    page: Page, elements: Elements, system: System, account: str, watch: Watch
) -> None:
    watch.allow("failed POST .*check")
    system.grant(account, 100)
    elements.show(page, account, FORM, script=NOTE_SUBMITS)
    page.route("**/v1/check", lambda route: route.abort("connectionfailed"))
    write(page, "Hello Ada")
    expect(page.get_by_role("alert")).to_contain_text("Nothing is lost")
    expect(page.get_by_label("Message")).to_have_value("Hello Ada")
    assert page.evaluate("sent") == []

    page.unroute("**/v1/check")
    page.get_by_role("button", name="Try again").click()

    expect(page.get_by_label("Message")).to_have_value("")
    assert len(page.evaluate("sent")) == 1


def test_s3_05_an_action_is_confirmed_with_its_type_its_price_and_what_is_left(
    page: Page, elements: Elements, account: str
) -> None:
    script = (
        "window.calls = 0; document.querySelector('credit-gate button')"
        ".addEventListener('click', () => calls++);"
    )
    html = BUTTON.format(attributes='confirm label="a voice call"')
    elements.show(page, account, html, script=script)

    page.get_by_role("button", name="Call").click()
    expect(dialog(page)).to_have_accessible_name("Use 3 credits for a voice call?")
    expect(dialog(page)).to_contain_text("Left afterwards12")
    expect(dialog(page)).to_contain_text("voice_call: 3 at 1/minute")
    dialog(page).get_by_role("button", name="Cancel").click()
    assert page.evaluate("calls") == 0

    page.get_by_role("button", name="Call").click()
    dialog(page).get_by_role("button", name="Continue").click()
    expect(dialog(page)).to_have_count(0)
    assert page.evaluate("calls") == 1


def test_s4_12_a_local_operation_asks_nothing(
    page: Page, elements: Elements, account: str, watch: Watch
) -> None:
    html = """<credit-gate operation="resize_image" local><button>Resize</button></credit-gate>
    <credit-estimate operation="resize_image" local></credit-estimate>"""
    script = (
        "window.runs = 0; document.querySelector('credit-gate button')"
        ".addEventListener('click', () => runs++);"
    )
    elements.show(page, account, html, script=script)

    page.get_by_role("button", name="Resize").click()

    expect(page.locator("credit-estimate")).to_have_text("Local mode, 0 credits")
    assert page.evaluate("runs") == 1
    assert watch.count("/v1/(check|estimate|catalog)") == 0


def test_a_limit_is_told_as_a_limit_and_nothing_is_offered_for_sale(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    system.do("PUT", f"/v1/accounts/{account}/limits", {"daily": 2})
    html = BUTTON.format(attributes="")
    elements.show(page, account, html)

    page.get_by_role("button", name="Call").click()

    expect(dialog(page)).to_have_accessible_name("The daily limit would be passed")
    expect(dialog(page)).to_contain_text("Limit2")
    expect(dialog(page)).to_contain_text("It starts anew")
    expect(dialog(page).get_by_role("button", name="Buy")).to_have_count(0)
    expect(dialog(page).get_by_role("button", name="Try again")).to_be_visible()
