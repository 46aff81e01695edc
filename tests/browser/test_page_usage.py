"""<credit-usage> in a real browser: stats as a chart, with the keyboard and as a table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accessibility import findings
from tests.browser.past import live_weeks
from tests.browser.system import System
from tests.browser.watching import Watch

HtmlPage = Callable[..., str]
GPT = {"model": "gpt-4", "usage": {"input": 20, "output": 5}}


def element(
    page: Page, system: System, html_page: HtmlPage, *, account: str, attributes: str = ""
) -> Locator:
    """The element on an app's page."""
    page.goto(
        html_page(
            f"""<credit-usage {attributes}>Usage is in your account.</credit-usage>
            <script type="module">
            import {{ configure }} from "{system.url}/web/elements.bundle.js";
            configure({{ api: "{system.url}", token: "{system.token_for(account)}" }});
            </script>"""
        )
    )
    return page.locator("credit-usage")


def test_s0_11_messages_credits_and_cost_are_shown_and_equal_the_api(
    page: Page, system: System, account: str, html_page: HtmlPage
) -> None:
    system.charge(account, "ai_tokens", **GPT)
    system.charge(account, "ai_tokens", **GPT)
    totals = system.do("GET", f"/v1/accounts/{account}/stats")["totals"]
    assert (totals["calls"], totals["credits"]) == (2, 3)

    usage = element(page, system, html_page, account=account)

    tiles = usage.get_by_role("group", name="Totals")
    expect(tiles.get_by_role("button", name="Credits")).to_have_text("Credits3")
    expect(tiles.get_by_role("button", name="Runs")).to_have_text("Runs2")
    cost = tiles.get_by_role("button", name="Cost")
    expect(cost).to_have_text(f"Cost${float(totals['cost_usd']):.3g}")


def test_s0_12_tokens_are_counted_and_drawn(
    page: Page, system: System, account: str, html_page: HtmlPage
) -> None:
    system.charge(account, "ai_tokens", **GPT)
    system.charge(account, "ai_tokens", model="gpt-3.5", usage={"total": 100})
    usage = element(page, system, html_page, account=account, attributes='group-by="model"')

    usage.get_by_role("button", name="Tokens").click()

    expect(usage.get_by_role("button", name="Tokens")).to_have_text("Tokens125")
    expect(usage.locator(".legend li")).to_have_text(["gpt-3.5100", "gpt-425"])
    expect(usage.locator("svg rect")).to_have_count(2)


def test_it_is_grouped_by_operation_model_or_feature_and_by_range(
    page: Page, system: System, account: str, html_page: HtmlPage
) -> None:
    live_weeks(system, [account])
    usage = element(page, system, html_page, account=account)

    legend = usage.locator(".legend li .name")
    expect(legend.first).to_be_visible()
    expect(usage.locator("svg rect").nth(9)).to_be_visible()
    usage.get_by_label("Group").select_option("model")
    expect(legend.filter(has_text="gpt-4")).to_be_visible()
    usage.get_by_label("Group").select_option("feature")
    expect(legend.filter(has_text="Support")).to_be_visible()
    month = usage.get_by_role("button", name="Credits").inner_text()
    usage.get_by_role("button", name="7 days").click()
    expect(usage.get_by_role("button", name="Credits")).not_to_have_text(month.replace("\n", ""))
    expect(usage.get_by_role("slider")).to_have_attribute("aria-valuemax", "7")
    usage.get_by_role("button", name="90 days").click()
    expect(usage.get_by_role("slider")).to_have_attribute("aria-valuemax", re.compile("1[34]"))
    expect(usage.get_by_role("slider", name="Week")).to_be_visible()


def test_the_keyboard_goes_from_day_to_day_and_each_is_said(
    page: Page, system: System, account: str, html_page: HtmlPage
) -> None:
    system.charge(account, "sms", quantity=3)
    system.charge(account, "voice_call", quantity=2)
    usage = element(page, system, html_page, account=account)
    chart = usage.get_by_role("slider", name="Day")

    chart.focus()
    page.keyboard.press("End")

    said = re.compile(r"^\w{3}, \w{3} \d+: 5 credits, SMS 3, Voice call 2$")
    expect(chart).to_have_attribute("aria-valuetext", said)
    page.keyboard.press("ArrowLeft")
    expect(chart).to_have_attribute("aria-valuenow", "29")
    expect(chart).to_have_attribute("aria-valuetext", re.compile(": 0 credits$"))
    page.keyboard.press("Home")
    expect(chart).to_have_attribute("aria-valuenow", "1")
    page.keyboard.press("ArrowLeft")
    expect(chart).to_have_attribute("aria-valuenow", "1")


def test_a_pointer_over_a_day_shows_what_it_was(
    page: Page, system: System, account: str, html_page: HtmlPage
) -> None:
    system.charge(account, "sms", quantity=3)
    usage = element(page, system, html_page, account=account)
    chart = usage.get_by_role("slider")
    expect(usage.locator("svg rect")).to_have_count(1)
    box = chart.bounding_box()
    assert box is not None

    page.mouse.move(box["x"] + 5, box["y"] + 50)
    expect(usage.locator(".legend b")).to_have_text("0")
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + 50)
    expect(usage.locator(".legend b")).to_have_text("3")
    page.mouse.move(0, 0)
    expect(usage).to_contain_text("Last 30 days")


def test_the_same_stands_in_a_table(
    page: Page, system: System, account: str, html_page: HtmlPage
) -> None:
    system.charge(account, "sms", quantity=3)
    usage = element(page, system, html_page, account=account)

    usage.get_by_text("As a table").click()

    row = usage.get_by_role("row").nth(1)
    expect(usage.get_by_role("row").first).to_have_text("DaySMSAll")
    expect(row.get_by_role("cell")).to_have_text(["3", "3"])
    assert findings(page) == []


def test_nothing_used_is_said_and_not_drawn(
    page: Page, system: System, account: str, html_page: HtmlPage
) -> None:
    usage = element(page, system, html_page, account=account)

    expect(usage).to_contain_text("Nothing was used in this time.")
    expect(usage.locator("svg rect")).to_have_count(0)


def test_costs_are_left_out_where_the_app_says_so(
    page: Page, system: System, account: str, html_page: HtmlPage
) -> None:
    usage = element(page, system, html_page, account=account, attributes="no-cost heading='Spent'")

    expect(usage.get_by_role("heading")).to_have_text("Spent")
    expect(usage.get_by_role("group", name="Totals").get_by_role("button")).to_have_count(3)


def test_nobody_signed_in_reads_the_fallback(
    page: Page, system: System, html_page: HtmlPage, watch: Watch
) -> None:
    watch.allow("response 401 GET .*/v1/catalog")
    page.goto(
        html_page(
            f"""<credit-usage>Sign in.</credit-usage><script type="module">
            import {{ configure }} from "{system.url}/web/elements.bundle.js";
            configure({{ api: "{system.url}", getToken: () => null }});</script>"""
        )
    )

    expect(page.get_by_text("Sign in.")).to_be_visible()


# ---- The series, as pure functions


def call(page: Page, system: System, name: str, *arguments: object) -> Any:
    """What a function of series.js answers."""
    page.goto(f"{system.url}/web/icon.svg")
    script = f"""async ([url, args]) => (await import(url)).{name}(...args.map((each) =>
      each?.date ? new Date(each.date) : each))"""
    return page.evaluate(script, [f"{system.url}/web/series.js", list(arguments)])


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ((1, "UTC", "2026-11-20T12:00:00Z"), "2026-11-20", "2026-11-20"),
        ((30, "UTC", "2026-11-20T12:00:00Z"), "2026-10-22", "2026-11-20"),
        ((7, "Pacific/Auckland", "2026-11-20T12:00:00Z"), "2026-11-15", "2026-11-21"),
        ((7, "America/Los_Angeles", "2026-11-20T07:00:00Z"), "2026-11-13", "2026-11-19"),
        ((90, "Europe/Berlin", "2026-03-29T00:30:00Z"), "2025-12-30", "2026-03-29"),
        ((2, "UTC", "2028-03-01T00:00:00Z"), "2028-02-29", "2028-03-01"),
    ],
)
def test_a_range_ends_today_in_the_accounts_zone(
    page: Page, system: System, asked: tuple[int, str, str], first: str, last: str
) -> None:
    days, zone, now = asked

    found = call(page, system, "rangeOf", days, zone, {"date": now})

    assert found == {"from": first, "to": last}


def test_every_bucket_has_a_place_whether_something_ran_or_not(page: Page, system: System) -> None:
    days = call(page, system, "bucketsOf", "2026-02-27", "2026-03-02", "day")
    weeks = call(page, system, "bucketsOf", "2026-11-04", "2026-11-16", "week")

    assert days == ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]
    assert weeks == ["2026-11-02", "2026-11-09", "2026-11-16"]


def test_the_largest_groups_are_shown_and_the_rest_is_one(page: Page, system: System) -> None:
    rows = [
        {"bucket": "2026-11-20", "operation": f"op{number}", "credits": number}
        for number in range(1, 9)
    ]
    stats = {"from": "2026-11-19", "to": "2026-11-20", "rows": rows}
    how = {"bucket": "day", "groupBy": "operation", "measure": "credits", "most": 5}

    found = call(page, system, "seriesOf", stats, how)

    assert [group["id"] for group in found["groups"]] == ["op8", "op7", "op6", "op5", "op4", ""]
    assert found["groups"][-1]["values"] == [0, 6]
    assert (found["sums"], found["max"]) == ([0, 36], 36)
    six = call(page, system, "seriesOf", {**stats, "rows": rows[:6]}, how)
    assert [group["id"] for group in six["groups"]][-1] == "op1", "one left over stands for itself"


def test_what_was_given_back_on_a_later_day_is_below_zero_and_not_drawn(
    page: Page, system: System
) -> None:
    rows = [{"bucket": "2026-11-20", "operation": "a", "credits": -3}]
    stats = {"from": "2026-11-20", "to": "2026-11-20", "rows": rows}
    how = {"bucket": "day", "groupBy": "operation", "measure": "credits"}

    found = call(page, system, "seriesOf", stats, how)

    assert (found["sums"], found["max"]) == ([-3], 0)


@pytest.mark.parametrize(
    ("most", "top"),
    [(0, 1), (1, 1), (1.2, 2), (3, 4), (5.5, 6), (7, 8), (9.99, 10), (85, 100), (0.003, 0.004)],
)
def test_the_axis_ends_at_a_round_number(
    page: Page, system: System, most: float, top: float
) -> None:
    assert json.dumps(round(call(page, system, "topOf", most), 9)) == json.dumps(round(top, 9))


def test_s3_07_a_subtype_of_a_service_shows_in_the_chart(
    page: Page, system: System, account: str, html_page: HtmlPage
) -> None:
    system.grant(account, 100)
    system.charge(account, "document_upload", subtype="pdf")
    system.charge(account, "bundle_creation", feature="filing", subtype="regulatory")

    usage = element(page, system, html_page, account=account, attributes="group-by='feature'")

    legend = usage.locator(".legend")
    expect(legend).to_contain_text("Pdf")
    expect(legend).to_contain_text(re.compile("filing/regulatory", re.IGNORECASE))
