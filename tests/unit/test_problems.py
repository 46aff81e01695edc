"""One table from code to status: every error has a row, and docs/api.md says the same."""

from __future__ import annotations

import importlib
import pkgutil
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import tollkeeper
from tollkeeper.domain.errors import (
    FeatureLimitError,
    HoldClosedError,
    InsufficientCreditsError,
    InvalidError,
    LimitReachedError,
    Position,
    TollkeeperError,
    UnknownModelError,
)
from tollkeeper.domain.offers import Help
from tollkeeper.edge.catalog_file import read_catalog
from tollkeeper.edge.problems import PROBLEMS, describe
from tollkeeper.edge.wire import write_json

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| (\d{3}) \| [^|]+ \|(.*)\|$", re.MULTILINE)


def all_errors() -> list[type[TollkeeperError]]:
    """Every class of error there is, however deep, after every module was imported."""
    for module in pkgutil.walk_packages(tollkeeper.__path__, "tollkeeper."):
        importlib.import_module(module.name)
    found: list[type[TollkeeperError]] = [TollkeeperError]
    for error in found:
        found += [each for each in error.__subclasses__() if each not in found]
    return found


ERRORS = all_errors()


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_has_a_code_with_a_status(error: type[TollkeeperError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)
    assert error.code in PROBLEMS
    assert error.__name__.endswith("Error")
    assert error.__doc__


def test_every_row_of_the_table_is_some_errors_code() -> None:
    assert set(PROBLEMS) == {error.code for error in ERRORS}


def test_statuses_say_whose_turn_it_is() -> None:
    """Ours are 5xx; whoever can change the request, the balance or the key gets a 4xx."""
    ours = {code for code, kind in PROBLEMS.items() if kind.status >= 500}

    assert ours == {"internal", "ledger_corrupt", "catalog", "busy", "payments_unavailable"}
    assert {code for code, kind in PROBLEMS.items() if kind.status == 402} == {
        "insufficient_credits",
        "limit_reached",
        "feature_limit",
    }
    assert all(400 <= kind.status <= 503 for kind in PROBLEMS.values())


def test_the_page_has_the_same_table() -> None:
    rows = {code: int(status) for code, status, _ in ROW.findall(PAGE)}

    assert rows == {code: kind.status for code, kind in PROBLEMS.items()}


def test_the_page_names_the_members_that_a_code_adds() -> None:
    said = {code: set(re.findall(r"`(\w+)`", adds)) for code, _, adds in ROW.findall(PAGE)}
    plain = set(describe(TollkeeperError("x"), "r")[1])

    for error in (an_insufficient_one(), an_invalid_one(), an_unknown_model(), a_closed_hold()):
        added = set(describe(error, "r")[1]) - plain
        assert said[error.code] - {"member", "reason"} == added, error.code
    paid = set(describe(an_insufficient_one(), "r")[1]) - plain
    for error in (a_used_up_feature(), a_reached_limit()):
        limited = set(describe(error, "r")[1]) - plain
        assert said[error.code] == limited - paid, error.code


def an_insufficient_one() -> InsufficientCreditsError:
    """A refusal with all that would help."""
    catalog = read_catalog(ROOT / "layers" / "catalog" / "catalog.toml")
    return InsufficientCreditsError(
        "It needs 10 credits.",
        Position(10_000_000, -500_000, 0, 250_000, "budget"),
        resets_at=datetime(2026, 12, 1, tzinfo=UTC),
        help_=Help(
            (catalog.packs["starter"],),
            (catalog.plans["pro"],),
            {"tokens_total": 0, "tokens_output": 0, "models": ("a",)},
        ),
    )


def a_used_up_feature() -> FeatureLimitError:
    """A feature that is used up."""
    return FeatureLimitError(
        "3 are used.",
        Position(1, 2, 2),
        feature="voice",
        used=3,
        limit=3,
        resets_at=None,
    )


def a_reached_limit() -> LimitReachedError:
    """A day on which no more than 20 may be spent."""
    return LimitReachedError(
        "Of the daily limit of 20 18.5 are spent.",
        Position(2_000_000, 100_000_000, 100_000_000, 500_000),
        blocking="daily_limit",
        limit_microcredits=20_000_000,
        spent_microcredits=19_000_000,
        resets_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


def a_closed_hold() -> HoldClosedError:
    """A hold that was released."""
    return HoldClosedError("call_7", "released")


def an_invalid_one() -> InvalidError:
    """Two members that cannot be used."""
    return InvalidError.of_many((("a", "is missing"), ("b", "must be a text")))


def an_unknown_model() -> UnknownModelError:
    """A model without a price."""
    return UnknownModelError("ai_tokens", "gpt-9", ("gpt-4",))


def test_a_problem_has_the_members_of_rfc_9457_and_ours() -> None:
    status, problem = describe(an_invalid_one(), "request-1")

    assert status == 422
    assert problem == {
        "type": "/problems/invalid",
        "title": "A member cannot be used",
        "status": 422,
        "detail": "a is missing; b must be a text",
        "code": "invalid",
        "request_id": "request-1",
        "errors": [
            {"member": "a", "reason": "is missing"},
            {"member": "b", "reason": "must be a text"},
        ],
    }


def test_s0_03_a_shortage_says_what_is_missing_and_what_would_help() -> None:
    status, problem = describe(an_insufficient_one(), "r")

    assert status == 402
    assert write_json({name: problem[name] for name in list(problem)[6:]}) == (
        '{"required":10,"available":-0.5,"spendable":0,"held":0.25,"level":"budget","shortfall":10,'
        '"blocking":"balance","resets_at":"2026-12-01T00:00:00+00:00",'
        '"offers":[{"pack":"starter","credits":100,"price":"10.00","currency":"usd"}],'
        '"plans":[{"plan":"pro","name":"Pro","allocation":50}],'
        '"affordable":{"tokens_total":0,"tokens_output":0,"models":["a"]}}'
    )


def test_a_used_up_feature_says_which_and_how_often() -> None:
    status, problem = describe(a_used_up_feature(), "r")

    assert status == 402
    assert (problem["feature"], problem["used"], problem["limit"]) == ("voice", 3, 3)
    assert (problem["blocking"], problem["resets_at"]) == ("feature_limit", None)
    assert (problem["offers"], problem["plans"], problem["affordable"]) == ([], [], {})


def test_s4_10_a_reached_limit_says_which_what_is_spent_of_it_and_when_it_begins_anew() -> None:
    status, problem = describe(a_reached_limit(), "r")

    assert (status, problem["code"], problem["blocking"]) == (402, "limit_reached", "daily_limit")
    assert write_json(
        {name: problem[name] for name in ("limit", "spent", "held", "shortfall")}
    ) == ('{"limit":20,"spent":19,"held":0.5,"shortfall":1}')
    assert problem["resets_at"] == "2026-11-21T00:00:00+00:00"
    assert (problem["level"], problem["offers"], problem["plans"]) == ("account", [], [])


def test_a_closed_hold_says_what_it_is() -> None:
    status, problem = describe(a_closed_hold(), "r")

    assert (status, problem["hold_id"], problem["state"]) == (409, "call_7", "released")


def test_an_unknown_model_names_those_that_have_a_price() -> None:
    status, problem = describe(an_unknown_model(), "r")

    assert (status, problem["model"], problem["models"]) == (422, "gpt-9", ["gpt-4"])


@pytest.mark.parametrize(
    "error",
    [
        an_insufficient_one(),
        a_used_up_feature(),
        a_reached_limit(),
        a_closed_hold(),
        an_invalid_one(),
        an_unknown_model(),
    ],
    ids=lambda error: error.code,
)
def test_a_problem_can_be_written(error: TollkeeperError) -> None:
    assert write_json(describe(error, "r")[1]).startswith('{"type":"/problems/')
