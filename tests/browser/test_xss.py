"""What customers, providers and catalogs write stays text, on every page and in every element."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, cast
from urllib.parse import quote

import pytest
from playwright.sync_api import Error, Page, Route, expect

from tests.browser.gallery import gallery
from tests.browser.payloads import ALL_TEXT, FIND_MADE, PAYLOADS
from tests.browser.system import System
from tests.browser.watching import Watch

# What a program reads and no person wrote: a page that cannot read these shows nothing at all.
KEPT = ("key", "currency", "next_cursor", "url", "host", "channel", "protocol", "zone")
MANY = 45
EXACT = re.compile(r"-?[0-9.]+|[0-9]{4}-[0-9]{2}-[0-9]{2}.*")


def poisoned(value: Any, texts: Iterator[str], name: str = "") -> Any:
    """The answer with a payload in place of each text that is no number, date or address."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {key: poisoned(each, texts, key) for key, each in members.items()}
    if isinstance(value, list):
        return [poisoned(each, texts, name) for each in cast("list[Any]", value)]
    if not isinstance(value, str) or name in KEPT or EXACT.fullmatch(value):
        return value
    return next(texts)


def poison(page: Page, api: str) -> None:
    """Every answer that the page gets from the API says nothing but payloads."""
    texts = itertools.cycle(PAYLOADS)

    def answer(route: Route) -> None:
        # A page that is closed by now wants no answer any more.
        with contextlib.suppress(Error):
            reply = route.fetch()
            if "json" in reply.headers.get("content-type", ""):
                body = json.dumps(poisoned(reply.json(), texts))
                route.fulfill(response=reply, body=body)
            else:
                route.fulfill(response=reply)

    page.route(f"{api}/v1/**", answer)


def assert_inert(page: Page) -> None:
    """No payload ran, none made an element, and no element's address or listener came of one."""
    assert page.evaluate(FIND_MADE) == {"made": [], "ran": None}


@pytest.fixture(scope="module")
def hostile_account(system: System) -> str:
    """An account whose every free text is a payload, as the API itself took it."""
    account = "xss|@:.-_" + system.new_account()
    system.grant(account, 500, reason=PAYLOADS[0])
    for number, payload in enumerate(PAYLOADS):
        label = plain(PAYLOADS[-1 - number])[:64]
        metadata = {"character": payload, plain(payload)[:40]: payload}
        system.charge(account, "sms", quantity=1, feature=label, metadata=metadata)
    return account


def plain(payload: str) -> str:
    """The payload without the control characters that no label may have."""
    return re.sub(r"[\x00-\x1f]", "", payload)


def open_rows(page: Page, how_many: int) -> None:
    """So many rows of the history have said, one after the other, where their credits went."""
    rows = page.locator("credit-history").get_by_role("button", expanded=False)
    expect(rows.nth(how_many)).to_be_visible()
    for number in range(how_many):
        with page.expect_response(re.compile(r"/entries/[^?]")):
            rows.nth(number).click()
        assert_inert(page)


def test_50_payloads_that_the_api_took_stay_text_in_every_element(
    page: Page, system: System, hostile_account: str, html_page: Callable[..., str]
) -> None:
    assert len(PAYLOADS) >= 50
    token = system.token_for(hostile_account)

    page.goto(html_page(gallery(system.url, token=token)))
    open_rows(page, 8)
    page.locator("credit-usage").get_by_role("combobox").select_option("feature")
    expect(page.locator("credit-usage")).to_contain_text("onerror")

    assert_inert(page)


def test_50_payloads_that_the_api_took_stay_text_on_the_account_page(
    page: Page, system: System, hostile_account: str
) -> None:
    page.goto(f"{system.url}/#token={system.token_for(hostile_account)}")
    open_rows(page, 8)

    assert_inert(page)
    shown = page.evaluate(ALL_TEXT)
    assert len([each for each in PAYLOADS if plain(each)[:40] in shown]) >= 10


def test_answers_of_nothing_but_payloads_stay_text_in_every_element(
    page: Page, system: System, hostile_account: str, html_page: Callable[..., str]
) -> None:
    poison(page, system.url)

    page.goto(html_page(gallery(system.url, token=system.token_for(hostile_account))))
    expect(page.locator("credit-packs article").first).to_be_visible()
    open_rows(page, 4)

    # The elements ask for more as they show what they have.
    for _ in range(100):
        shown = page.evaluate(ALL_TEXT)
        if len([each for each in PAYLOADS if each in shown]) >= MANY:
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail("too few payloads are shown for this to say much")
    assert_inert(page)


def test_answers_of_nothing_but_payloads_stay_text_on_the_account_page(
    page: Page, system: System, hostile_account: str
) -> None:
    poison(page, system.url)

    page.goto(f"{system.url}/#token={system.token_for(hostile_account)}")
    expect(page.locator("credit-packs article").first).to_be_visible()
    open_rows(page, 4)

    assert_inert(page)


def test_a_refusal_of_nothing_but_payloads_stays_text_in_the_dialog(
    page: Page, system: System, account: str, html_page: Callable[..., str]
) -> None:
    poison(page, system.url)

    page.goto(html_page(gallery(system.url, token=system.token_for(account))))
    expect(page.locator("credit-packs article").first).to_be_visible()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("dialog")).to_be_visible()

    assert_inert(page)


@pytest.mark.parametrize("place", ["#token={}", "?credit-purchase={}", "#{}"])
def test_what_stands_in_the_address_of_the_account_page_stays_text(
    page: Page, system: System, place: str, watch: Watch
) -> None:
    watch.allow("response 40[0-4]|console error: .*Content-Length")
    for payload in PAYLOADS[::12]:
        page.goto("about:blank")
        page.goto(f"{system.url}/{place.format(quote(payload))}")
        expect(page.get_by_role("main")).to_be_visible()

        assert_inert(page)


@pytest.mark.parametrize("view", ["customers", "usage", "quarantine", "verify", "account"])
def test_answers_of_nothing_but_payloads_stay_text_on_the_operators_page(
    page: Page, system: System, hostile_account: str, view: str
) -> None:
    where = f"account/{quote(hostile_account, safe='')}" if view == "account" else view
    page.goto(f"{system.url}/operator#/{where}")
    page.get_by_label("Service key").fill(system.key)
    poison(page, system.url)
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("navigation", name="Views")).to_be_visible()
    expect(page.get_by_text("Loading")).to_have_count(0)

    assert_inert(page)
    # The others show what is wrong or over, and here nothing is.
    assert view not in ("customers", "account") or "xss=1" in page.evaluate(ALL_TEXT)
