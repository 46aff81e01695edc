"""How many rows a page may have: what the contract says is what every list takes, and no more."""

from __future__ import annotations

import pytest

from tests.support.contract import follow, read_document
from tests.support.driving import Answered, Driver

HISTORY = "GET /v1/accounts/{id}/entries"
CSV = {"accept": "text/csv"}


def find_most() -> dict[str, int]:
    """The largest `limit` of every route that has one, as docs/openapi.json says it."""
    document = read_document()
    parameters = [
        (f"{method.upper()} {path}", follow(document, each))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for each in operation["parameters"]
    ]
    return {
        route: each["schema"]["maximum"] for route, each in parameters if each["name"] == "limit"
    }


MOST = find_most()


def ask(driver: Driver, route: str, limit: int, headers: dict[str, str] | None = None) -> Answered:
    """The first page of so many rows of an account that is there."""
    driver.grant("user_1", 5)
    path = {"id": "user_1"} if "{id}" in route else None
    return driver.call(route, path=path, query={"limit": str(limit)}, headers=headers)


def test_no_list_has_more_than_200_rows_but_a_file() -> None:
    assert len(MOST) >= 5
    assert {route: most for route, most in MOST.items() if most > 200} == {HISTORY: 5000}


@pytest.mark.parametrize("route", MOST)
def test_a_page_has_as_many_rows_as_the_contract_says_and_one_more_is_refused(
    driver: Driver, route: str
) -> None:
    most = min(MOST[route], 200)

    assert ask(driver, route, most).status == 200
    for limit in (0, most + 1, 5000, 99999):
        refused = ask(driver, route, limit)
        assert (refused.status, refused["code"]) == (422, "invalid"), limit
        assert "must be a whole number from 1 to" in refused.text


def test_a_file_of_5000_rows_is_answered_and_one_of_5001_is_refused(driver: Driver) -> None:
    assert ask(driver, HISTORY, 5000, CSV).status == 200
    assert ask(driver, HISTORY, 5001, CSV).status == 422
