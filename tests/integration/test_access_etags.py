"""What did not change is not sent again: strong ETags, If-None-Match and 304."""

from __future__ import annotations

import re

import pytest

from tests.support.driving import Answered, Driver, FakeClock
from tests.support.requests import ASKS
from tollkeeper.edge.routes import ROUTES

READ = "GET /v1/accounts/{id}"
MARKED = {key: route for key, route in ROUTES.items() if route.is_own and key.startswith("GET ")}
OF_ACCOUNT = [key for key in MARKED if "{id}" in key and key in ASKS]


def read(driver: Driver, route: str, known: str | None = None) -> Answered:
    headers = {} if known is None else {"if-none-match": known}
    path = {name: value for name, value in ASKS[route].path.items() if name in route}
    return driver.call(route, path=path, headers=headers)


@pytest.fixture
def charged(driver: Driver) -> Driver:
    """user_1 was charged for a run, under the key that the routes of the table ask for."""
    assert driver.deduct("user_1", "sms", "seed").status == 200
    return driver


@pytest.mark.parametrize("route", OF_ACCOUNT)
def test_an_answer_that_did_not_change_is_304_without_a_body(charged: Driver, route: str) -> None:
    first = read(charged, route)
    again = read(charged, route, first.headers["etag"])

    assert first.status == 200, first.text
    assert re.fullmatch(r'(W/)?"[A-Za-z0-9_-]{22}"', first.headers["etag"])
    assert first.headers["etag"].startswith("W/") == ("updated_at" in first.body)
    assert (again.status, again.text) == (304, "")
    assert again.headers["etag"] == first.headers["etag"]
    assert "content-type" not in again.headers
    assert again.headers["cache-control"] == first.headers["cache-control"]
    balance = first.headers.get("x-credits-available")
    assert again.headers.get("x-credits-available") == balance


def test_a_304_of_the_account_carries_the_balance(charged: Driver) -> None:
    etag = read(charged, READ).headers["etag"]

    assert read(charged, READ, etag).headers["x-credits-available"] == "14;seq=2"


def test_a_change_is_sent_under_another_etag(charged: Driver, clock: FakeClock) -> None:
    routes = [READ, "GET /v1/accounts/{id}/entries", "GET /v1/accounts/{id}/stats"]
    before = {route: read(charged, route).headers["etag"] for route in routes}
    clock.forward(seconds=1)
    assert charged.deduct("user_1", "sms", "d2").status == 200

    for route in routes:
        after = read(charged, route, before[route])
        assert after.status == 200, route
        assert after.headers["etag"] != before[route]


def test_time_alone_changes_no_etag_of_an_account_that_nothing_happened_to(
    charged: Driver, clock: FakeClock
) -> None:
    etag = read(charged, READ).headers["etag"]
    clock.forward(minutes=5)

    assert read(charged, READ, etag).status == 304


@pytest.mark.parametrize(
    ("known", "status"),
    [
        ("{}", 304),
        ("W/{}", 304),
        ('"x", {}', 304),
        ('"x",{} , "y"', 304),
        ("*", 304),
        ("", 200),
        ('""', 200),
        ('"x"', 200),
        ("x", 200),
        ('"*"', 200),
        ("w/{}", 200),
        ("{}x", 200),
        ("é", 200),
        (", " * 4000, 200),
        ('"x", ' * 19 + "{}", 304),
        ('"x", ' * 20 + "{}", 200),
    ],
)
def test_if_none_match_is_read_as_http_says(charged: Driver, known: str, status: int) -> None:
    etag = read(charged, READ).headers["etag"].removeprefix("W/")

    assert read(charged, READ, known.replace("{}", etag)).status == status


def test_the_tag_of_one_account_says_nothing_about_another(charged: Driver) -> None:
    etag = read(charged, READ).headers["etag"]
    other = charged.call(READ, path={"id": "user_2"}, headers={"if-none-match": etag})

    assert (other.status, other["account"]) == (200, "user_2")


def test_a_refusal_has_no_etag_and_is_never_304(charged: Driver) -> None:
    route = "GET /v1/accounts/{id}/entries/{key}"
    path = {"id": "user_1", "key": "nothing"}

    answer = charged.call(route, path=path, headers={"if-none-match": "*"})

    assert (answer.status, answer.headers.get("etag")) == (404, None)


def test_csv_and_answers_that_move_credits_have_no_etag(charged: Driver) -> None:
    route = "GET /v1/accounts/{id}/entries"
    csv = charged.call(
        route, path={"id": "user_1"}, headers={"accept": "text/csv", "if-none-match": "*"}
    )
    charge = charged.call(
        "POST /v1/deduct",
        {"account": "user_1", "operation": "sms"},
        key="d3",
        headers={"if-none-match": "*"},
    )

    assert (csv.status, csv.headers.get("etag")) == (200, None)
    assert (charge.status, charge.headers.get("etag")) == (200, None)


@pytest.mark.parametrize("route", ["GET /v1/packs", "GET /v1/catalog"])
def test_packs_and_the_cost_table_are_sent_once(driver: Driver, route: str) -> None:
    from tests.support.keys import issue

    headers = {"authorization": f"Bearer {issue(driver, 'read')}"}
    first = driver.call(route, headers=headers)
    again = driver.call(route, headers={**headers, "if-none-match": first.headers["etag"]})
    strange = driver.call(route, headers={"if-none-match": first.headers["etag"]})

    assert (first.status, again.status, strange.status) == (200, 304, 401)
