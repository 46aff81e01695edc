"""<credit-packs> and the way to the payment page and back; <credit-limits>."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accessibility import findings
from tests.browser.element_pages import Elements, pay
from tests.browser.system import System
from tests.browser.watching import Watch

PACKS = "<credit-balance></credit-balance><credit-packs>Packs</credit-packs>"
LIMITS = "<credit-limits></credit-limits>"


@pytest.fixture
def elements(system: System, html_page: Callable[..., str]) -> Elements:
    return Elements(system, html_page)


def field(page: Page, name: str) -> Locator:
    """The text field of that label."""
    return page.get_by_role("textbox", name=name)


def test_s4_02_packs_show_their_price_the_price_of_a_credit_and_what_they_save(
    page: Page, elements: Elements, account: str
) -> None:
    elements.show(page, account, PACKS)

    pro = page.get_by_role("article", name="Pro", exact=True)
    expect(pro).to_contain_text("500 credits")
    expect(pro).to_contain_text("$50.00")
    expect(pro).to_contain_text("$0.10 per credit")
    best = page.get_by_role("article", name="Professional")
    expect(best).to_contain_text("Save 20 %")
    expect(best).to_have_class(re.compile("best"))
    expect(page.get_by_role("article")).to_have_count(5)
    assert findings(page) == []


def test_s4_09_a_pack_is_bought_and_the_page_says_that_the_credits_came(
    page: Page, elements: Elements, account: str
) -> None:
    elements.show(page, account, PACKS)
    page.get_by_role("button", name="Buy Starter").click()
    pay(page)
    page.wait_for_url("**/page/*")

    expect(page.get_by_role("status").filter(has_text="100 credits were added")).to_be_visible()
    expect(page.locator("credit-balance")).to_contain_text("115 credits")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("were added")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("button", name="Buy Starter")).to_be_enabled()
    expect(page.get_by_text("were added")).to_have_count(0)


def test_a_declined_card_and_a_page_that_was_left_are_told_as_such(
    page: Page, elements: Elements, account: str
) -> None:
    elements.show(page, account, PACKS)
    page.get_by_role("button", name="Buy Starter").click()
    pay(page, "Cancel")
    page.wait_for_url("**/page/*")

    expect(page.get_by_text("The payment was not finished.")).to_be_visible()
    page.get_by_role("link", name="Finish payment").click()
    pay(page)
    page.wait_for_url("**/page/*")
    expect(page.get_by_text("100 credits were added")).to_be_visible()


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("pending", "The bank confirms the payment."),
        ("failed", "The payment failed. Nothing was bought."),
        ("expired", "The payment page has expired."),
        ("quarantined", "a person looks at it"),
    ],
)
def test_what_became_of_the_payment_is_told(
    page: Page, elements: Elements, account: str, status: str, says: str
) -> None:
    elements.show(page, account, PACKS)
    page.get_by_role("button", name="Buy Starter").click()
    page.wait_for_url("**/_local/checkout/**")
    page.route("**/v1/purchases/*", lambda route: route.fulfill(json={"status": status}))
    page.go_back()

    expect(page.get_by_role("status").filter(has_text=says)).to_be_visible()
    expect(page.locator("credit-balance")).to_contain_text("15 credits")


def test_s1_13_pressed_twice_one_purchase_is_begun(
    page: Page, elements: Elements, account: str, watch: Watch
) -> None:
    stay = 'document.addEventListener("credit-checkout", (event) => event.preventDefault());'
    elements.show(page, account, PACKS, script=stay)

    page.get_by_role("button", name="Buy Starter").evaluate("(it) => { it.click(); it.click(); }")
    expect(page.get_by_text("Waiting for the payment")).to_be_visible()

    assert watch.count("POST .*/v1/checkout") == 1


def test_a_purchase_that_did_not_get_through_is_the_same_one_when_pressed_again(
    page: Page, elements: Elements, account: str, watch: Watch
) -> None:
    watch.allow("failed POST .*checkout")
    keys: list[str] = []
    page.on(
        "request",
        lambda it: keys.append(it.headers["idempotency-key"]) if "checkout" in it.url else None,
    )
    stay = 'document.addEventListener("credit-checkout", (event) => event.preventDefault());'
    elements.show(page, account, PACKS, script=stay)
    page.route("**/v1/checkout", lambda route: route.abort("connectionfailed"))
    page.get_by_role("button", name="Buy Starter").click()
    expect(page.get_by_role("alert")).to_contain_text("The network did not answer")
    expect(page.get_by_role("button", name="Buy Starter")).to_be_enabled()
    page.unroute("**/v1/checkout")

    page.get_by_role("button", name="Buy Starter").click()

    expect(page.get_by_text("Waiting for the payment")).to_be_visible()
    assert len(set(keys)) == 1


def test_s4_10_a_customer_sets_limits_and_they_bind(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    elements.show(page, account, LIMITS)
    field(page, "Per day").fill("10")
    field(page, "For one run").fill("2.5")
    page.get_by_role("checkbox", name="50 %").uncheck()
    page.get_by_role("button", name="Save limits").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert findings(page) == []

    limits = system.account(account)["limits"]
    assert (limits["user"]["daily"], limits["user"]["per_run_max"]) == (10, 2.5)
    assert limits["alert_thresholds"] == [80, 100]
    refused = system.ask(
        "POST", "/v1/check", {"account": account, "operation": "sms", "quantity": 3}
    )
    assert refused.json["blocking"] == "per_run_max"

    field(page, "Per day").fill("")
    page.get_by_role("button", name="Save limits").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert system.account(account)["limits"]["user"]["daily"] is None


def test_s4_10_a_limit_can_only_be_tightened_and_a_wrong_one_says_what_is_wrong(
    page: Page, elements: Elements, system: System, account: str, watch: Watch
) -> None:
    system.do("PUT", f"/v1/accounts/{account}/limits", {"daily": 20})
    elements.show(page, account, LIMITS)
    field(page, "Per day").fill("30")
    field(page, "Per month").fill("1,000")
    page.get_by_role("button", name="Save limits").click()

    daily = field(page, "Per day")
    expect(daily).to_have_attribute("aria-invalid", "true")
    expect(daily).to_have_accessible_description("At most 20, which is set for you.")
    expect(daily).to_be_focused()
    expect(field(page, "Per month")).to_have_accessible_description(re.compile("A number such as"))
    assert findings(page) == []
    assert watch.count("PUT ") == 0

    daily.fill("15")
    field(page, "Per month").fill("")
    page.get_by_role("button", name="Save limits").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert system.account(account)["limits"]["daily"] == 15


def test_what_was_typed_into_limits_stays_while_the_balance_changes(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    elements.show(page, account, LIMITS)
    field(page, "Per day").fill("12")
    field(page, "Per month").press_sequentially("3")

    system.charge(account, "sms")
    page.evaluate("session.refresh({ now: true })")
    page.keyboard.press("4")

    expect(field(page, "Per day")).to_have_value("12")
    expect(field(page, "Per month")).to_have_value("34")
    expect(field(page, "Per month")).to_be_focused()


def test_limits_show_how_much_of_them_is_used(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    system.do("PUT", f"/v1/accounts/{account}/limits", {"daily": 10})
    system.charge(account, "sms", quantity=8)
    elements.show(page, account, LIMITS)

    expect(page.get_by_text("8 of 10 used")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Per day: 80 % used")).to_have_class("bar warn")
