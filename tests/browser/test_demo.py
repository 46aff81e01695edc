"""The demo's whole story in a browser: asked, charged, short, bought, asked again."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import findings
from tests.browser.conftest import NewPage
from tests.browser.demo_app import Demo, running_demo
from tests.browser.watching import Watch


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, browser: object) -> Generator[Demo]:
    """One demo for the tests of this file; each signs in as a person of its own."""
    with running_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running


def say(page: Page, text: str) -> None:
    """The message is typed and sent."""
    page.get_by_label("Message to").fill(text)
    page.get_by_role("button", name="Send").click()


def sign_in_as_jonas(page: Page) -> None:
    """The page is Jonas's, who has 200 credits more and a history; choosing him loads it anew."""
    page.get_by_label("Signed in as").select_option("Jonas")
    expect(page.get_by_label("Account").get_by_role("status")).to_contain_text("195.06")


def test_s0_21_check_call_charge_update_and_stats_in_one_flow_and_the_way_back_from_a_shortage(
    page: Page, demo: Demo, shoot: Callable[..., Path]
) -> None:
    """Its screenshots are those of docs/tour.md: `make tour`."""
    balance = page.get_by_label("Account").get_by_role("status")
    log = page.get_by_role("log")
    page.goto(demo.url)
    expect(balance).to_contain_text("15 credits")
    expect(page.locator("#estimate")).to_contain_text("About 7.2 credits")

    # Checked, asked, charged for the tokens that were used; balance and stats follow by themselves.
    say(page, "Where do I begin?")
    expect(log).to_contain_text("8.4 credits")
    expect(balance).to_contain_text("6.6 credits")
    expect(page.locator("credit-usage")).to_contain_text("8.4")
    charge = demo.app.tollkeeper.entries("mina", limit=1).entries[0]
    assert (charge.kind, charge.charged, charge.model) == ("settle", Decimal("8.4"), "gpt-4")
    shoot(page, "tour-charged")

    # The next one cannot be paid: nothing is asked, the exact cost is shown, the text stays.
    say(page, "What follows from it?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Not enough credits for Ada")
    expect(dialog.get_by_role("row", name="This costs")).to_contain_text("7.2")
    expect(dialog.get_by_role("row", name="Missing")).to_contain_text("0.6")
    assert findings(page) == []
    shoot(page, "tour-shortage")
    expect(log.get_by_role("listitem")).to_have_count(2)

    # Bought at Stripe and back: the question is still there and goes on.
    dialog.get_by_role("button", name="Buy 100 credits").click()
    pay = page.get_by_role("button", name="Pay").first
    expect(pay).to_be_visible()
    shoot(page, "tour-checkout")
    pay.click()
    expect(dialog).to_contain_text("You have enough credits now")
    expect(balance).to_contain_text("106.6 credits")
    shoot(page, "tour-bought")
    dialog.get_by_role("button", name="Continue").click()
    expect(log.get_by_role("listitem")).to_have_count(4)
    expect(log).to_contain_text("What follows from it?")
    expect(page.get_by_label("Message to")).to_have_value("")
    expect(balance).not_to_contain_text("106.6")
    expect(page.locator("credit-balance[detailed]")).not_to_contain_text("106.6")
    expect(page.locator("#send")).to_be_enabled()
    shoot(page, "tour-answered")
    assert findings(page) == []


def test_the_links_of_the_tour_lead_to_the_account_page_and_the_operators(
    page: Page, demo: Demo, shoot: Callable[..., Path]
) -> None:
    page.goto(demo.url)
    sign_in_as_jonas(page)
    page.get_by_role("link", name="Everything about your account").click()

    expect(page.locator("credit-history")).to_contain_text("Message to a character")
    page.locator("credit-usage").get_by_role("combobox").select_option("model")
    expect(page.locator("credit-usage")).to_contain_text("claude-sonnet-4-5")
    assert "token" not in page.url
    shoot(page, "tour-account")

    page.goto(f"{demo.app.api}/operator#/account/jonas")
    page.get_by_label("Service key").fill(demo.app.key)
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("jonas")
    shoot(page, "tour-operator")


def test_the_tour_shows_pictures_that_are_there_and_small() -> None:
    tour = Path("docs/tour.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"\]\(images/([a-z-]+\.png)\)", tour))

    pictures = {path.name: path.stat().st_size for path in Path("docs/images").glob("tour-*.png")}

    assert shown == set(pictures)
    assert max(pictures.values()) < 100_000


def test_a_provider_that_fails_costs_nothing_and_the_text_stays(
    page: Page, demo: Demo, watch: Watch
) -> None:
    page.goto(demo.url)
    sign_in_as_jonas(page)
    balance = page.get_by_label("Account").get_by_role("status")
    page.get_by_text("Basil").check(force=True)

    page.get_by_label("Let the provider fail").check()
    say(page, "What can I cook with leeks?")

    expect(page.get_by_role("log")).to_contain_text("Nothing was charged.")
    expect(page.get_by_label("Message to")).to_have_value("What can I cook with leeks?")
    expect(balance).to_contain_text("195.06 credits")
    kinds = [entry.kind for entry in demo.app.tollkeeper.entries("jonas", limit=2).entries]
    assert kinds == ["release", "hold"]


def test_the_cheap_character_and_the_one_on_the_readers_own_machine(
    page: Page, demo: Demo, watch: Watch
) -> None:
    page.goto(demo.url)
    sign_in_as_jonas(page)
    page.get_by_text("Notebook").check(force=True)
    expect(page.locator("#estimate")).to_contain_text("Local mode, 0 credits")
    before = demo.app.tollkeeper.account("jonas").available

    say(page, "Buy leeks")

    expect(page.get_by_role("log")).to_contain_text("It stays on this machine.")
    assert demo.app.tollkeeper.account("jonas").available == before
    assert watch.count("POST .*/v1/check") == 0


def test_a_page_has_a_token_of_its_own_user_and_never_the_service_key(
    page: Page, demo: Demo, watch: Watch
) -> None:
    page.goto(demo.url)
    expect(page.locator("credit-usage")).to_contain_text("Usage")

    told = page.evaluate(
        """async () => {
          const options = { method: "POST", headers: { "content-type": "application/json" } };
          const answer = await fetch("/api/token", { ...options, body: '{"account": "jonas"}' });
          return JSON.stringify([(await answer.json()).token, document.documentElement.outerHTML]);
        }"""
    )

    assert demo.app.key not in told
    assert "tkc_dev_" in told
    assert demo.app.mint("mina")["token"] != demo.app.key


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/account"), ("POST", "/api/token")]
)
def test_the_demo_answers_no_page_of_the_web_that_names_this_machine(
    demo: Demo, method: str, path: str
) -> None:
    asked = httpx.request(method, demo.url + path, headers={"Host": "evil.example:80"}, json={})

    assert asked.status_code == 403
    assert "tkc_" not in asked.text


def test_the_demo_fits_a_small_telephone(mobile_page: Page, demo: Demo) -> None:
    mobile_page.goto(demo.url)
    expect(mobile_page.locator("credit-packs article").first).to_be_visible()

    assert mobile_page.evaluate("document.documentElement.scrollWidth") == 360
    assert findings(mobile_page) == []


def test_dark_is_as_readable_as_light(new_page: NewPage, demo: Demo) -> None:
    page = new_page(color_scheme="dark")
    page.goto(demo.url)
    expect(page.locator("credit-packs article").first).to_be_visible()

    assert findings(page) == []
