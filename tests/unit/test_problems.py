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
    InsufficientCreditsError,
    InvalidError,
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
        "feature_limit",
    }
    assert all(400 <= kind.status <= 503 for kind in PROBLEMS.values())


def test_the_page_has_the_same_table() -> None:
    rows = {code: int(status) for code, status, _ in ROW.findall(PAGE)}

    assert rows == {code: kind.status for code, kind in PROBLEMS.items()}


def test_the_page_names_the_members_that_a_code_adds() -> None:
    said = {code: set(re.findall(r"`(\w+)`", adds)) for code, _, adds in ROW.findall(PAGE)}
    plain = set(describe(TollkeeperError("x"), "r")[1])

    for error in (an_insufficient_one(), an_invalid_one(), an_unknown_model()):
        added = set(describe(error, "r")[1]) - plain
        assert said[error.code] - {"member", "reason"} == added, error.code
    limited = set(describe(a_limited_one(), "r")[1]) - plain
    paid = set(describe(an_insufficient_one(), "r")[1]) - plain
    assert said["feature_limit"] == limited - paid


def an_insufficient_one() -> InsufficientCreditsError:
    """A refusal with all that would help."""
    catalog = read_catalog(ROOT / "layers" / "catalog" / "catalog.toml")
    offers = (catalog.packs["starter"],)
    return InsufficientCreditsError(
        "It needs 10 credits.",
        required_microcredits=10_000_000,
        available_microcredits=-500_000,
        spendable_microcredits=0,
        resets_at=datetime(2026, 12, 1, tzinfo=UTC),
        help_=Help(offers, {"tokens_total": 0, "models": ("a",)}),
    )


def a_limited_one() -> FeatureLimitError:
    """A feature that is used up."""
    return FeatureLimitError(
        "3 are used.",
        feature="voice",
        used=3,
        limit=3,
        required_microcredits=1,
        available_microcredits=2,
        spendable_microcredits=2,
        resets_at=None,
    )


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
        '{"required":10,"available":-0.5,"spendable":0,"held":0,"shortfall":10,'
        '"blocking":"balance","resets_at":"2026-12-01T00:00:00+00:00",'
        '"offers":[{"pack":"starter","credits":100,"price":"10.00","currency":"usd"}],'
        '"affordable":{"tokens_total":0,"models":["a"]}}'
    )


def test_a_used_up_feature_says_which_and_how_often() -> None:
    status, problem = describe(a_limited_one(), "r")

    assert status == 402
    assert (problem["feature"], problem["used"], problem["limit"]) == ("voice", 3, 3)
    assert (problem["blocking"], problem["resets_at"]) == ("feature_limit", None)
    assert (problem["offers"], problem["affordable"]) == ([], {})


def test_an_unknown_model_names_those_that_have_a_price() -> None:
    status, problem = describe(an_unknown_model(), "r")

    assert (status, problem["model"], problem["models"]) == (422, "gpt-9", ["gpt-4"])


@pytest.mark.parametrize(
    "error",
    [an_insufficient_one(), a_limited_one(), an_invalid_one(), an_unknown_model()],
    ids=lambda error: error.code,
)
def test_a_problem_can_be_written(error: TollkeeperError) -> None:
    assert write_json(describe(error, "r")[1]).startswith('{"type":"/problems/')
