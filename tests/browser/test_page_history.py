"""<credit-history> in a real browser: every change of the balance, explained, as a file too."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.accessibility import findings
from tests.browser.system import System
from tests.browser.watching import Watch

GPT = {"model": "gpt-4", "usage": {"input": 20, "output": 5}}


def history(page: Page, system: System, account: str) -> Locator:
    """The element on the account page."""
    page.goto(f"{system.url}/#token={system.token_for(account)}")
    found = page.locator("credit-history")
    expect(found.locator(".entry, p.muted").first).to_be_visible()
    return found


def test_s3_11_every_change_stands_there_signed_with_the_balance_after_it(
    page: Page, system: System, account: str
) -> None:
    system.charge(account, "sms", quantity=3, key="call_1")
    system.do("POST", f"/v1/accounts/{account}/entries/call_1/void", {"reason": "it failed"})
    system.grant(account, 100)
    system.do("POST", "/v1/holds", {"account": account, "operation": "sms", "estimate": 2})

    rows = history(page, system, account).locator(".entry b:first-child")

    expect(rows).to_have_text(
        ["Set aside for SMS", "Credits added", "SMS undone", "SMS", "Plan credits renewed"]
    )
    amounts = page.locator("credit-history .entry b:nth-child(2)")
    expect(amounts).to_have_text(["-2", "+100", "+3", "-3", "+15"])
    after = page.locator("credit-history .entry > span:last-child")
    expect(after).to_have_text([f"balance {n}" for n in ("113", "115", "15", "12", "15")])


def test_s0_08_a_row_names_its_model_and_opened_its_character(
    page: Page, system: System, account: str
) -> None:
    said = {"character": "Ada Lovelace", "chapter": 3, "mood": {"calm": True}}
    system.charge(account, "ai_tokens", feature="story_chat", metadata=said, **GPT)

    entry = history(page, system, account).locator(".entry").first
    expect(entry).to_contain_text("gpt-4 · Story chat")
    entry.click()

    more = page.locator("credit-history .more")
    expect(entry).to_have_attribute("aria-expanded", "true")
    expect(more.locator("dl")).to_contain_text("CharacterAda Lovelace")
    expect(more.locator("dl")).to_contain_text('Mood{"calm":true}')


def test_a_row_is_explained_by_breakdown_rate_grant_prices_and_steps(
    page: Page, system: System, account: str
) -> None:
    system.charge(account, "ai_tokens", key="msg_812", **GPT)
    explained = system.do("GET", f"/v1/accounts/{account}/entries/msg_812")

    history(page, system, account).locator(".entry").first.click()

    more = page.locator("credit-history .more")
    expect(more.get_by_role("row").nth(1).locator("td")).to_have_text(
        ["gpt-4 tokens", "25", "60/1000", "1.5"]
    )
    facts = more.locator("dl")
    expect(facts).to_contain_text("Paid from1.5 plan (g1)")
    expect(facts).to_contain_text("Tokens20 input, 5 output")
    expect(facts).to_contain_text(f"Prices{explained['price_version']}")
    expect(facts).to_contain_text("msg_812")
    more.get_by_text("How this was computed").click()
    steps = [step["text"] for step in explained["computation"]["steps"]]
    expect(more.locator("ol li")).to_have_text(steps)
    assert findings(page) == []
    page.locator("credit-history .entry").first.click()
    expect(more).to_have_count(0)


def test_more_rows_come_page_by_page_until_the_first(
    page: Page, system: System, account: str
) -> None:
    system.grant(account, 100)
    for number in range(33):
        system.charge(account, "sms", key=f"sms_{number}")

    found = history(page, system, account)
    rows = found.locator(".entry")
    expect(rows).to_have_count(15)
    found.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(30)
    found.get_by_role("button", name="Show more").click()

    expect(rows).to_have_count(35)
    expect(found.get_by_role("button", name="Show more")).to_have_count(0)
    balances = [
        float(text.removeprefix("balance ").replace(",", ""))
        for text in found.locator(".entry > span:last-child").all_text_contents()
    ]
    assert balances[:33] == sorted(balances[:33])
    assert (balances[0], balances[-1]) == (82, 15)


def test_news_come_on_top_and_leave_what_is_open_open(
    page: Page, system: System, account: str
) -> None:
    system.charge(account, "sms", key="first")
    found = history(page, system, account)
    found.locator(".entry").first.click()
    expect(found.locator(".more dl")).to_contain_text("first")

    system.charge(account, "voice_call", quantity=2)

    expect(found.locator(".entry").first).to_contain_text("Voice call")
    expect(found.locator(".more dl")).to_contain_text("first")
    expect(found.locator(".entry")).to_have_count(3)


def test_s3_17_all_rows_come_as_a_file(
    page: Page, system: System, account: str, watch: Watch
) -> None:
    for number in range(3):
        system.charge(account, "sms", key=f"sms_{number}")
    found = history(page, system, account)

    with page.expect_download() as waiting:
        found.get_by_role("button", name="Download CSV").click()

    download = waiting.value
    assert download.suggested_filename == f"credits-{account}.csv"
    text = Path(download.path()).read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["key"] for row in rows[:3]] == ["sms_2", "sms_1", "sms_0"]
    assert rows[0]["available_after"] == "12"
    assert watch.count("GET .*limit=5000") == 1


def test_a_file_of_several_pages_has_one_heading(page: Page, system: System, account: str) -> None:
    for number in range(4):
        system.charge(account, "sms", key=f"sms_{number}")
    found = history(page, system, account)

    def shorten(route: Route) -> None:
        route.continue_(url=route.request.url.replace("limit=5000", "limit=2"))

    page.route(re.compile("limit=5000"), shorten)
    with page.expect_download() as waiting:
        found.get_by_role("button", name="Download CSV").click()

    text = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert [row["seq"] for row in csv.DictReader(io.StringIO(text))] == ["5", "4", "3", "2", "1"]


def test_an_account_where_nothing_happened_says_so(
    page: Page, system: System, account: str
) -> None:
    found = history(page, system, account)

    expect(found).to_contain_text("Nothing has happened yet.")
    expect(found.get_by_role("button", name="Download CSV")).to_be_disabled()


def test_a_row_that_cannot_be_read_can_be_tried_again(
    page: Page, system: System, account: str, watch: Watch
) -> None:
    watch.allow("response 404 ")
    system.charge(account, "sms", key="lost")
    found = history(page, system, account)

    def lose(route: Route) -> None:
        problem = {"status": 404, "code": "not_found", "detail": "Not there."}
        route.fulfill(status=404, json=problem)

    page.route(re.compile("/entries/lost"), lose)
    found.locator(".entry").first.click()
    expect(found.locator(".more [role=alert]")).to_contain_text("Not there.")
    page.unroute_all()
    found.get_by_role("button", name="Try again").click()

    expect(found.locator(".more dl")).to_contain_text("lost")


def test_with_costs_left_out_nothing_tells_what_a_provider_bills(
    page: Page, system: System, account: str
) -> None:
    system.charge(account, "ai_tokens", **GPT)
    found = history(page, system, account)
    found.locator(".entry").first.click()
    more = found.locator(".more")
    expect(more).to_contain_text("How this was computed")
    expect(more).to_contain_text("USD")

    found.evaluate("(element) => element.setAttribute('no-cost', '')")

    expect(more).not_to_contain_text("How this was computed")
    expect(more).not_to_contain_text("USD")
    expect(more).to_contain_text("gpt-4 tokens")


def test_what_cannot_be_read_at_first_is_said_and_can_be_tried_again(
    page: Page, system: System, account: str, watch: Watch
) -> None:
    watch.allow("response 500 ")
    system.charge(account, "sms")
    problem = {"status": 500, "code": "internal", "detail": "Something broke on our side."}
    page.route(
        re.compile(r"/v1/accounts/me"), lambda route: route.fulfill(status=500, json=problem)
    )
    page.goto(f"{system.url}/#token={system.token_for(account)}")
    for name in ("credit-history", "credit-usage"):
        expect(page.locator(name).get_by_role("alert")).to_contain_text("broke on our side")

    page.unroute_all()
    page.locator("credit-history").get_by_role("button", name="Try again").click()

    expect(page.locator("credit-history .entry").first).to_be_visible()
    expect(page.locator("credit-usage").get_by_role("alert")).to_have_count(0)
