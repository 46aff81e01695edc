"""<credit-balance> and what all elements share: one state, kept fresh without polling storms."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import findings
from tests.browser.conftest import NewPage
from tests.browser.element_pages import Elements
from tests.browser.system import System
from tests.browser.watching import Watch

BOTH = """<nav><credit-balance href="#buy">Credits</credit-balance></nav>
<credit-balance detailed buy-href="#buy">Your balance</credit-balance>"""


@pytest.fixture
def elements(system: System, html_page: Callable[..., str]) -> Elements:
    return Elements(system, html_page)


def test_s0_20_s3_06_the_navigation_bar_shows_the_balance_and_a_mark_when_it_is_low(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    elements.show(page, account, BOTH)
    compact = page.locator("nav credit-balance")
    expect(compact).to_contain_text("15 credits")
    expect(compact.locator(".mark")).to_have_count(0)

    system.spend_down_to(account, 4)
    page.evaluate("session.refresh({ now: true })")

    expect(compact).to_contain_text("4 credits")
    expect(compact.locator(".mark")).to_be_visible()
    expect(compact).to_contain_text("running low")


@pytest.mark.parametrize(
    "case", [(6, ""), (5, "running low"), (1, "running low"), (0, "used up")], ids=str
)
def test_s0_17_s2_18_p7_s3_10_the_warning_comes_at_five_credits_and_less(
    page: Page, elements: Elements, system: System, account: str, case: tuple[int, str]
) -> None:
    left, says = case
    system.spend_down_to(account, left)
    elements.show(page, account, BOTH)

    note = page.locator("credit-balance[detailed] .note")
    expect(page.locator("credit-balance[detailed] .big")).to_have_text(str(left))
    expect(note).to_have_count(1 if says else 0)
    if says:
        expect(note).to_contain_text(says)
        expect(note.get_by_role("link", name="Buy credits")).to_be_visible()


def test_s2_10_s4_04_bars_show_what_is_used_of_the_plan_and_of_the_limits(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    system.do("PUT", f"/v1/accounts/{account}/limits", {"daily": 10, "monthly": 100})
    system.charge(account, "sms", quantity=9)
    elements.show(page, account, BOTH)

    card = page.locator("credit-balance[detailed]")
    expect(card).to_contain_text("9 of 10")
    expect(card).to_contain_text("9 of 100")
    expect(card).to_contain_text("9 of 15")
    daily = card.get_by_role("progressbar", name="Today: 90 %")
    expect(daily).to_have_attribute("aria-valuenow", "90")
    expect(daily).to_have_class("bar warn")
    expect(card.get_by_role("progressbar", name="This month: 9 %")).to_have_class("bar ")
    assert findings(page) == []


def test_credits_of_the_plan_that_nobody_used_are_not_said_to_be_used_up(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    system.grant(account, 100)
    system.charge(account, "sms", quantity=40)
    elements.show(page, account, BOTH)

    card = page.locator("credit-balance[detailed]")
    expect(card).to_contain_text("0 of 15")
    expect(card.get_by_role("progressbar", name="Plan credits used: 0 %")).to_have_class("bar ")


def test_a_plan_that_is_used_up_is_no_alarm_where_other_credits_are_there(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    system.grant(account, 100, priority=60)
    system.charge(account, "sms", quantity=20)
    elements.show(page, account, BOTH)

    card = page.locator("credit-balance[detailed]")
    expect(card).to_contain_text("15 of 15")
    expect(card.get_by_role("progressbar", name="Plan credits used: 100 %")).to_have_class("bar ")


def test_s1_01_s0_16_a_change_told_by_an_answer_shows_in_every_element_and_asks_once(
    page: Page, elements: Elements, system: System, account: str, watch: Watch
) -> None:
    elements.show(page, account, BOTH)
    expect(page.locator("nav credit-balance")).to_contain_text("15 credits")
    answer = system.charge(account, "sms", quantity=2)
    before = watch.count("GET .*/v1/accounts/me$")

    # The app's backend hands on the header; ten times at once is one question.
    page.evaluate(
        "(seq) => { for (let i = 0; i < 10; i++) session.saw({ available: 13, seq }) }",
        answer["seq"],
    )

    expect(page.locator("nav credit-balance")).to_contain_text("13 credits")
    expect(page.locator("credit-balance[detailed] .big")).to_have_text("13")
    expect(page.locator("credit-balance[detailed]")).to_contain_text("2 of 15")
    assert watch.count("GET .*/v1/accounts/me$") == before + 1


def test_s1_13_storms_of_changes_ask_at_most_once_a_second(
    page: Page, elements: Elements, account: str, watch: Watch
) -> None:
    page.clock.install()
    elements.show(page, account, BOTH)
    expect(page.locator("nav credit-balance")).to_contain_text("15 credits")
    page.clock.run_for(2000)
    before = watch.count("GET .*/v1/accounts/me$")

    for _ in range(20):
        page.evaluate("session.refresh()")
        page.clock.run_for(150)
    page.clock.run_for(1500)

    assert 1 <= watch.count("GET .*/v1/accounts/me$") - before <= 5


def test_news_that_are_older_than_what_is_shown_change_nothing(
    page: Page, elements: Elements, account: str
) -> None:
    elements.show(page, account, BOTH)
    expect(page.locator("nav credit-balance")).to_contain_text("15 credits")

    page.evaluate("session.saw({ available: 99, seq: session.state.seq - 1 })")
    page.evaluate("session.saw({ available: 99, seq: session.state.seq })")

    assert page.evaluate("session.state.available") == 15


def test_another_tab_shows_the_change_at_once_and_another_account_does_not(
    page: Page, new_page: NewPage, elements: Elements, system: System, account: str
) -> None:
    other = system.new_account()
    second = new_page(context=page.context)
    stranger = new_page(context=page.context)
    for tab, whose in ((page, account), (second, account), (stranger, other)):
        elements.show(tab, whose, BOTH, options="refreshSeconds: 3600")
        expect(tab.locator("nav credit-balance")).to_contain_text("15 credits")
    answer = system.charge(account, "sms", quantity=3)

    page.evaluate("(seq) => session.saw({ available: 12, seq })", answer["seq"])

    expect(second.locator("nav credit-balance")).to_contain_text("12 credits")
    expect(stranger.locator("nav credit-balance")).to_contain_text("15 credits")


def test_s4_04_it_asks_every_30_seconds_only_while_somebody_looks(
    page: Page, elements: Elements, system: System, account: str, watch: Watch
) -> None:
    page.clock.install()
    elements.show(page, account, BOTH)
    expect(page.locator("nav credit-balance")).to_contain_text("15 credits")
    system.charge(account, "sms")
    before = watch.count("GET .*/v1/accounts/me$")

    page.clock.run_for(31_000)
    expect(page.locator("nav credit-balance")).to_contain_text("14 credits")
    assert watch.count("GET .*/v1/accounts/me$") == before + 1

    page.evaluate("""() => Object.defineProperty(document, "visibilityState",
        { value: "hidden", configurable: true })""")
    page.clock.run_for(120_000)
    assert watch.count("GET .*/v1/accounts/me$") == before + 1


def test_what_did_not_change_is_not_sent_again(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    system.charge(account, "sms")
    elements.show(page, account, BOTH)
    expect(page.locator("nav credit-balance")).to_contain_text("14 credits")

    with page.expect_response("**/v1/accounts/me") as again:
        page.evaluate("session.refresh({ now: true })")

    assert again.value.status == 304
    expect(page.locator("nav credit-balance")).to_contain_text("14 credits")


def test_s4_04_s2_17_signed_out_shows_the_pages_own_words(
    page: Page, system: System, html_page: Callable[..., str]
) -> None:
    page.goto(
        html_page(f"""{BOTH}<script type="module">
          import {{ configure }} from "{system.url}/web/elements.bundle.js";
          configure({{ api: "{system.url}", getToken: () => null }});
        </script>""")
    )

    expect(page.locator("nav credit-balance")).to_have_text("Credits")
    expect(page.get_by_text("Your balance")).to_be_visible()
    expect(page.locator("credit-balance .big")).to_have_count(0)


def test_before_its_script_comes_an_element_is_its_own_text(
    page: Page, html_page: Callable[..., str]
) -> None:
    page.goto(html_page(BOTH))

    expect(page.get_by_text("Your balance")).to_be_visible()


def test_s2_17_s4_01_while_the_service_is_down_it_says_so_and_tries_again(
    page: Page, elements: Elements, account: str, watch: Watch
) -> None:
    watch.allow("response 500|failed GET")
    page.route("**/v1/accounts/me", lambda route: route.fulfill(status=500, json={}))
    elements.show(page, account, BOTH)
    card = page.locator("credit-balance[detailed]")
    expect(card.get_by_role("alert")).to_contain_text("The service does not answer")
    expect(page.locator("nav").get_by_role("button", name="Credits: try again")).to_be_visible()
    assert findings(page) == []

    page.unroute("**/v1/accounts/me")
    card.get_by_role("button", name="Try again").click()

    expect(card.locator(".big")).to_have_text("15")
    expect(page.locator("nav credit-balance")).to_contain_text("15 credits")


def test_loading_shows_the_shape_of_what_comes(
    page: Page, elements: Elements, account: str
) -> None:
    page.route("**/v1/accounts/me", lambda _: None)
    elements.show(page, account, BOTH)

    expect(page.locator("credit-balance[detailed] [aria-busy=true]")).to_have_count(1)
    page.unroute_all(behavior="ignoreErrors")


def test_a_token_that_expired_is_renewed_by_the_pages_hook(
    page: Page, system: System, account: str, html_page: Callable[..., str], watch: Watch
) -> None:
    watch.allow("response 40[13] GET .*/v1/accounts/me")
    page.goto(
        html_page(f"""{BOTH}<script type="module">
          import {{ configure }} from "{system.url}/web/elements.bundle.js";
          window.asked = [];
          const getToken = ({{ refresh }}) => {{
            asked.push(refresh);
            return refresh ? "{system.token_for(account)}" : "tkc_dev_x.y";
          }};
          configure({{ api: "{system.url}", getToken, live: false }});
        </script>""")
    )

    expect(page.locator("nav credit-balance")).to_contain_text("15 credits")
    assert page.evaluate("asked") == [False, True]


def test_another_user_who_signs_in_sees_their_own_balance_alone(
    page: Page, elements: Elements, system: System, account: str
) -> None:
    other = system.new_account()
    system.grant(other, 85)
    elements.show(page, account, BOTH, script="window.configure = configure;")
    expect(page.locator("nav credit-balance")).to_contain_text("15 credits")

    page.evaluate(
        "([api, token]) => configure({ api, token })", [system.url, system.token_for(other)]
    )

    expect(page.locator("nav credit-balance")).to_contain_text("100 credits")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_theme_of_the_apps_own_colours_the_elements(
    page: Page, elements: Elements, account: str, theme: str
) -> None:
    page.emulate_media(color_scheme="dark" if theme == "light" else "light")
    html = f"""<style>:root {{ --tollkeeper-accent: rgb(1, 2, 3) }}</style>
    <credit-balance detailed theme="{theme}" buy-href="#"></credit-balance>"""
    elements.show(page, account, html)

    link = page.get_by_role("link", name="Buy credits")
    expect(link).to_have_css("background-color", "rgb(1, 2, 3)")
    white, night = "rgb(255, 255, 255)", "rgb(23, 26, 33)"
    expect(page.locator("credit-balance .card")).to_have_css(
        "background-color", white if theme == "light" else night
    )
