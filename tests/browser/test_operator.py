"""The operator's page: search, one account with what can be done, reports, quarantine, verify."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.accessibility import findings
from tests.browser.conftest import NewPage
from tests.browser.past import live_weeks
from tests.browser.system import System
from tests.browser.watching import Watch

SEEDED = ["seeded_ann", "seeded_bob", "seeded_cyd"]
VIEWS = ("customers", "usage", "quarantine", "verify", "keys")


@pytest.fixture(scope="module")
def weeks(system: System) -> System:
    """The system, in which three accounts lived for twelve days, each busier than the last."""
    live_weeks(system, SEEDED)
    return system


def open_page(page: Page, system: System, where: str = "customers") -> None:
    """The operator's page at that view, with the key typed in."""
    page.goto(f"{system.url}/operator#/{where}")
    page.get_by_label("Service key").fill(system.key)
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("navigation", name="Views")).to_be_visible()


def fill_form(page: Page, **members: str) -> None:
    """The open form's fields, by their names."""
    for name, text in members.items():
        page.locator(f".action [name={name}]").fill(text)


def rows(page: Page, name: str) -> list[list[str]]:
    """The cells of the table of that name."""
    body = page.get_by_role("region", name=name).locator("tbody tr")
    return [row.locator("td").all_inner_texts() for row in body.all()]


def test_the_key_is_kept_by_the_tab_until_it_is_forgotten(
    system: System, page: Page, new_page: NewPage
) -> None:
    open_page(page, system)
    page.reload()
    expect(page.get_by_role("heading", name="Accounts", exact=True)).to_be_visible()
    other = new_page(context=page.context)
    other.goto(f"{system.url}/operator")
    expect(other.get_by_label("Service key")).to_be_visible()

    page.get_by_role("button", name="Forget key").click()
    page.reload()

    expect(page.get_by_label("Service key")).to_be_visible()
    assert system.key not in page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")


def test_a_key_that_may_not_is_told_so_and_not_kept(
    system: System, page: Page, watch: Watch
) -> None:
    watch.allow(r"40[13]")
    page.goto(f"{system.url}/operator")
    page.get_by_label("Service key").fill(f"{system.key[:-6]}000000")
    page.get_by_role("button", name="Open").click()

    expect(page.get_by_role("alert")).to_contain_text("needs the scope admin")
    assert page.evaluate("sessionStorage.length") == 0


def test_s0_22_accounts_are_searched_by_how_their_ids_begin(weeks: System, page: Page) -> None:
    open_page(page, weeks)
    page.keyboard.press("/")
    page.keyboard.type("seeded_")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(r"#/customers\?prefix=seeded_$"))
    accounts = page.get_by_role("region", name="Accounts")
    expect(accounts.locator("tbody tr")).to_have_count(3)
    page.get_by_role("link", name="seeded_bob").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("seeded_bob")
    available = weeks.account("seeded_bob")["available"]
    expect(page.locator(".balance strong")).to_have_text(f"{available:,}")


def test_s3_15_high_usage_customers_of_7_and_30_days_are_named(weeks: System, page: Page) -> None:
    open_page(page, weeks)
    region = page.get_by_role("region", name="High usage")

    expect(region.locator("tbody tr").first).to_contain_text("seeded_cyd")
    week = [row[3] for row in rows(page, "High usage") if row[0] == "seeded_cyd"]
    page.get_by_role("button", name="30 days").click()
    cyd = region.locator("tbody tr", has_text="seeded_cyd")
    expect(cyd.locator("td").nth(3)).not_to_have_text(week[0])
    named = [row[0] for row in rows(page, "High usage") if row[0] in SEEDED]
    assert named == ["seeded_cyd", "seeded_bob", "seeded_ann"]


def test_s3_15_the_usage_report_shows_days_operations_and_models(
    weeks: System, page: Page, shoot: Callable[..., Path]
) -> None:
    open_page(page, weeks, "usage")
    chart = page.get_by_role("img", name=re.compile("Credits by day"))

    expect(chart.locator("rect.value")).to_have_count(30)
    heights = [float(bar.get_attribute("height") or 0) for bar in chart.locator(".value").all()]
    assert sum(height > 0 for height in heights) >= 11
    assert "ai_tokens" in {row[0] for row in rows(page, "By operation")}
    shoot(page, "operator-usage")
    page.locator("select[name=by]").select_option("model")
    expect(page.get_by_role("region", name="By model")).to_contain_text("gpt-4")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").last.click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.startswith("bucket,model,calls,failed,credits")


def test_s0_22_a_grant_is_looked_at_once_more_and_given_once(
    system: System, page: Page, account: str
) -> None:
    system.grant(account, 10)
    open_page(page, system, f"account/{account}")
    page.get_by_role("button", name="Grant…").click()
    fill_form(page, amount="25.5", reason="a <b>gift</b>")
    page.get_by_role("button", name="Review").click()
    expect(page.locator(".sentence")).to_contain_text(f"Grant 25.5 credits (promo) to {account}")
    assert system.account(account)["available"] == 25

    page.get_by_role("button", name="Grant", exact=True).dblclick()

    expect(page.get_by_role("status").filter(has_text="Done.")).to_be_visible()
    expect(page.locator(".balance strong")).to_have_text("50.5")
    assert system.account(account)["available"] == 50.5
    page.get_by_role("link", name=re.compile("^Entry")).click()
    expect(page.get_by_text("a <b>gift</b>")).to_be_visible()


def test_what_got_no_answer_is_sent_again_under_the_same_key_and_happens_once(
    system: System, page: Page, account: str, watch: Watch
) -> None:
    watch.allow(r"grants|ERR_FAILED")
    system.grant(account, 10)
    keys: list[str] = []

    def lose_the_answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        route.fetch()
        route.abort()

    page.route("**/grants", lose_the_answer)
    open_page(page, system, f"account/{account}")
    page.get_by_role("button", name="Grant…").click()
    fill_form(page, amount="5", reason="r")
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Grant", exact=True).click()
    page.keyboard.press("Escape")
    expect(page.get_by_text("it may have happened")).to_be_visible()
    page.unroute("**/grants")
    page.reload()
    page.get_by_role("button", name="Grant…").click()
    expect(page.get_by_text("it may have happened")).to_be_visible()
    with page.expect_request("**/grants") as again:
        page.get_by_role("button", name="Grant again").click()

    expect(page.get_by_role("status").filter(has_text="Done.")).to_be_visible()
    assert {*keys, again.value.headers["idempotency-key"]} == {keys[0]}
    assert system.account(account)["available"] == 30
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Grant…").click()
    expect(page.locator(".action [name=amount]")).to_have_value("")


def test_s3_19_an_operator_adjusts_freezes_and_changes_the_plan(
    system: System, page: Page, account: str
) -> None:
    system.grant(account, 10)
    open_page(page, system, f"account/{account}")

    page.get_by_role("button", name="Adjust…").click()
    fill_form(page, amount="-2.5", reason="counted twice")
    page.get_by_role("button", name="Review").click()
    expect(page.locator(".sentence")).to_have_text(f"Take 2.5 credits from {account}.")
    page.get_by_role("button", name="Adjust", exact=True).click()
    expect(page.locator(".balance strong")).to_have_text("22.5")

    page.get_by_role("button", name="Freeze…").click()
    fill_form(page, reason="looked at")
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Freeze", exact=True).click()
    expect(page.locator(".balance .pill")).to_have_text("frozen")
    page.get_by_role("button", name="Unfreeze…").click()
    fill_form(page, reason="fine")
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Unfreeze", exact=True).click()
    expect(page.locator(".balance .pill")).to_have_text("active")

    page.get_by_role("button", name="Change plan…").click()
    page.get_by_label("Plan", exact=True).select_option("pro")
    page.get_by_label("When", exact=True).select_option("now")
    fill_form(page, reason="upgraded by phone")
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_text("Pro (pro)")).to_be_visible()
    assert system.account(account)["plan"]["id"] == "pro"


def test_s3_16_a_charge_is_explained_and_given_back(
    system: System, page: Page, account: str
) -> None:
    system.charge(account, "sms", key=f"c-{account}", quantity=3)
    open_page(page, system, f"account/{account}/entry/c-{account}")

    expect(page.locator(".steps li").first).to_be_visible()
    page.get_by_role("button", name="Give back…").click()
    fill_form(page, reason="slow answer")
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Give back", exact=True).click()

    expect(page.get_by_role("term").filter(has_text="Given back by")).to_be_visible()
    assert system.account(account)["available"] == 15


def test_a_refusal_is_shown_where_it_happened_and_the_form_stays(
    system: System, page: Page, account: str
) -> None:
    system.charge(account, "sms")
    open_page(page, system, f"account/{account}")
    page.get_by_role("button", name="Adjust…").click()
    fill_form(page, amount="-500", reason="too much")
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Adjust", exact=True).click()

    expect(page.locator(".action").get_by_role("alert")).to_contain_text("500")
    page.get_by_role("button", name="Back").click()
    fill_form(page, amount="-1")
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Adjust", exact=True).click()
    expect(page.locator(".balance strong")).to_have_text("13")


def test_s3_19_a_ledger_is_verified_and_explains_every_credit(weeks: System, page: Page) -> None:
    open_page(page, weeks, "account/seeded_ann")
    page.get_by_role("button", name="Verify ledger").click()
    expect(page.locator("dd", has_text="explained").first).to_have_text("explained")

    page.goto(f"{weeks.url}/operator#/verify")
    page.get_by_label("Account ids that begin with").fill("seeded_")
    page.locator("form").get_by_role("button", name="Verify").click()

    expect(page.get_by_text("finished")).to_be_visible()
    shown = dict(
        zip(page.locator("dt").all_inner_texts(), page.locator("dd").all_inner_texts(), strict=True)
    )
    assert (shown["Accounts"], shown["Unexplained credits"]) == ("3", "0")


def test_a_payment_that_needs_a_person_is_decided_by_a_form(
    system: System, page: Page, account: str
) -> None:
    case = {
        "case": "case_" + "1" * 32,
        "at": "2026-11-20T12:00:00+00:00",
        "reason": "amount_differs",
        "account": account,
        "purchase_id": None,
        "payment": "pi_1",
        "amount": "50.00",
        "currency": "usd",
        "event": "evt_1",
        "type": "checkout.session.completed",
        "resolution": None,
        "resolved_at": None,
        "granted": None,
        "note": None,
    }
    sent: list[object] = []

    def release(route: Route) -> None:
        sent.append(route.request.post_data_json)
        route.fulfill(json=case | {"resolution": "granted"})

    page.route(
        "**/v1/quarantine/payments?*",
        lambda route: route.fulfill(json={"cases": [] if sent else [case], "next_cursor": None}),
    )
    page.route("**/release", release)
    open_page(page, system, "quarantine")
    page.get_by_role("button", name="Give credits…").click()
    fill_form(page, credits="500", reason="paid twice; wanted both")
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Give credits", exact=True).click()

    expect(page.get_by_text("Case granted.")).to_be_visible()
    expect(page.get_by_text("No payment needs a person.")).to_be_visible()
    assert sent == [{"action": "grant", "credits": "500", "reason": "paid twice; wanted both"}]


def test_a_charge_without_a_price_is_priced_anew_by_a_form(
    system: System, page: Page, account: str
) -> None:
    charge = {
        "account": account,
        "key": "msg_1",
        "at": "2026-11-20T12:00:00+00:00",
        "operation": "llm",
        "model": "gpt-9",
        "charged": 12.5,
    }
    moved = {"before": 12.5, "price": 10, "returned": 2.5, "taken": 0}
    sent: list[str] = []

    def rerate(route: Route) -> None:
        sent.append(route.request.headers["idempotency-key"])
        route.fulfill(json=moved | {"key": "r", "seq": 3, "available": 5})

    page.route(
        "**/v1/quarantine?*",
        lambda route: route.fulfill(
            json={"charges": [] if sent else [charge], "next_cursor": None}
        ),
    )
    page.route(f"**/v1/accounts/{account}/entries/msg_1/rerate", rerate)
    open_page(page, system, "quarantine")
    page.get_by_role("button", name="Price anew…").click()
    fill_form(page, reason="gpt-9 has a price")
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Price anew", exact=True).click()

    expect(page.get_by_text("It was 12.5 and is 10 credits: 2.5 went back")).to_be_visible()
    expect(page.get_by_text("Every charge has its price.")).to_be_visible()
    assert len(sent) == 1


def test_s0_22_a_purchase_is_refunded_by_a_form(system: System, page: Page, account: str) -> None:
    purchase = {
        "purchase_id": "pur_" + "1" * 32,
        "kind": "pack",
        "pack": "pro",
        "plan": None,
        "credits": 500,
        "price": "50.00",
        "currency": "usd",
        "status": "paid",
        "created_at": "2026-11-20T12:00:00+00:00",
        "refunded": "0.00",
    }
    sent: list[object] = []

    def refund(route: Route) -> None:
        sent.append(route.request.post_data_json)
        route.fulfill(status=201, json=purchase | {"refund": "re_1", "status": "refunded"})

    system.grant(account, 1)
    page.route(
        f"**/v1/accounts/{account}/purchases?*",
        lambda route: route.fulfill(json={"purchases": [purchase], "next_cursor": None}),
    )
    page.route("**/v1/purchases/*/refund", refund)
    open_page(page, system, f"account/{account}")
    page.get_by_role("button", name="Refund…").click()
    fill_form(page, reason="did not want it")
    page.get_by_role("button", name="Review").click()
    expect(page.locator(".sentence")).to_contain_text("Give back all that is left by Stripe")
    page.get_by_role("button", name="Refund", exact=True).click()

    expect(page.get_by_text("Stripe has refund re_1; the purchase is refunded.")).to_be_visible()
    assert sent == [{"reason": "did not want it"}]


def test_a_key_is_issued_shown_once_and_revoked(system: System, page: Page, account: str) -> None:
    open_page(page, system, "keys")
    page.get_by_role("button", name="Issue…").click()
    fill_form(page, name=account)
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Issue", exact=True).click()
    text = page.locator(".done code").inner_text()
    assert text.startswith("tk_")
    row = page.get_by_role("region", name="Service keys").locator("tr", has_text=account)
    expect(row.locator(".pill")).to_have_text("valid")

    row.get_by_role("button", name="Revoke…").click()
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Revoke", exact=True).click()

    expect(row.locator(".pill")).to_have_text("revoked")
    expect(page.locator(".done code")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible_and_fits_a_telephone(
    weeks: System, new_page: NewPage, shoot: Callable[..., Path], scheme: str
) -> None:
    page = new_page(color_scheme=scheme)
    open_page(page, weeks)
    for view in (*VIEWS, "account/seeded_cyd"):
        page.goto(f"{weeks.url}/operator#/{view}")
        expect(page.locator(".waiting")).to_have_count(0)
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        assert findings(page) == [], view
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, view
        page.set_viewport_size({"width": 1280, "height": 800})
        shoot(page, f"operator-{view.replace('/', '-')}-{scheme}", full_page=True)


def test_what_a_ledger_holds_is_only_ever_text(system: System, page: Page, account: str) -> None:
    evil = '<img src=x onerror="window.hacked = true">'
    system.charge(account, "sms", key=f"x-{account}", feature=evil, metadata={evil: evil})
    open_page(page, system, f"account/{account}/entry/x-{account}")

    expect(page.locator("pre")).to_have_text(json.dumps({evil: evil}, indent=2))
    expect(page.get_by_text(evil, exact=True).first).to_be_visible()
    assert page.evaluate("window.hacked === undefined")
    assert page.locator("#app img").count() == 0
