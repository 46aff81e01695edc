"""Which model a name means: the source's clauses in its order, and nothing by likeness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.pricing_books import book_of
from tollkeeper.domain.book import PriceBook
from tollkeeper.domain.book_names import write_dates
from tollkeeper.edge.book_file import read_book

SHIPPED = Path(__file__).resolve().parents[2] / "layers/catalog/prices.json"


def one(id: str, rate: str = "1", **aliases: Any) -> dict[str, Any]:
    """A model on a provider's list."""
    return {"id": id, "rates": {"input": rate}} | ({"aliases": aliases} if aliases else {})


def found(book: PriceBook, name: str, provider: str = "") -> str | None:
    """Provider and model, or None."""
    model = book.find(name, provider)
    return f"{model.provider} {model.id}" if model else None


def test_a_name_is_found_in_any_case() -> None:
    book = book_of({"a": [one("Big/Model")]})

    assert found(book, "big/MODEL", " A ") == "a Big/Model"


@pytest.mark.parametrize(
    ("aliases", "yes", "no"),
    [
        ({"is": ["x", "y"]}, ["x", "y"], ["xy", "m", "x "]),
        ({"starts": ["ab"]}, ["ab", "abc"], ["a", "cab"]),
        ({"ends": ["ab"]}, ["ab", "cab"], ["abc"]),
        ({"has": ["ab"]}, ["ab", "cabc"], ["acb"]),
        ({"re": [r"^m-\d{3}$"]}, ["m-123"], ["m-12", "m-1234"]),
        ({"all": [[{"starts": ["m"]}, {"re": ["^(?!.*tts)"]}]]}, ["m1"], ["m-tts", "n"]),
        ({"is": ["x"], "starts": ["q"]}, ["x", "quiet"], ["xq"]),
    ],
)
def test_a_clause_finds_what_it_says(
    aliases: dict[str, Any], yes: list[str], no: list[str]
) -> None:
    book = book_of({"a": [one("m", **aliases)]})

    assert [found(book, name, "a") for name in yes] == ["a m"] * len(yes)
    assert [found(book, name, "a") for name in no] == [None] * len(no)


def test_the_first_model_in_the_order_of_the_source_wins() -> None:
    book = book_of({"a": [one("wide", starts=["g-5"]), one("g-5-mini"), one("last", has=["g"])]})

    assert found(book, "g-5-mini", "a") == "a wide"
    assert found(book, "g", "a") == "a last"


def test_a_whole_name_wins_over_the_clauses_after_it() -> None:
    book = book_of({"a": [one("g-5-mini"), one("wide", starts=["g-5"])]})

    assert found(book, "g-5-mini", "a") == "a g-5-mini"
    assert found(book, "g-5-nano", "a") == "a wide"


def test_of_two_models_with_one_name_the_first_has_it() -> None:
    names = {"m1": ["x"], "m2": ["x", "y"]}
    models = [{**one(id), "aliases": {"is": exact}} for id, exact in names.items()]
    book = book_of({"a": models})

    assert [found(book, name, "a") for name in ("x", "y")] == ["a m1", "a m2"]


def test_a_known_model_that_is_not_in_the_book_hides_those_behind_it() -> None:
    free = {"id": "g-free", "aliases": {"is": ["g-free"]}}
    book = book_of({"a": [free, one("wide", starts=["g"])], "b": [one("g-free")]})

    assert found(book, "g-free", "a") is None
    assert found(book, "g-paid", "a") == "a wide"
    assert [model.id for model in book.models("a")] == ["wide"]


def test_a_compact_date_is_tried_written_out_only_where_nothing_else_is_found() -> None:
    book = book_of({"a": [one("m-2025-12-11", "1"), one("n-20251211", "2"), one("n-2025-12-11")]})

    assert found(book, "m-20251211", "a") == "a m-2025-12-11"
    assert found(book, "n-20251211", "a") == "a n-20251211"
    assert found(book, "m-20251311", "a") is None
    assert found(book, "m-20250230", "a") is None


def test_a_provider_is_found_by_what_it_is_called() -> None:
    book = book_of({"google": [one("g")]}, google={"called": {"has": ["vertex"]}})

    assert found(book, "g", "google-vertex") == "google g"
    assert found(book, "g", "somebody") is None


def test_without_a_provider_the_first_that_the_name_is_proof_of_is_asked() -> None:
    book = book_of(
        {"a": [one("gpt-x")], "b": [one("gpt-x", "2"), one("claude-1")]},
        a={"meant": {"starts": ["gpt-"]}},
        b={"meant": {"has": ["claude"]}},
    )

    assert found(book, "gpt-x") == "a gpt-x"
    assert found(book, "claude-1") == "b claude-1"
    assert book.provider_of("gpt-unheard-of") == "a"
    assert found(book, "gpt-unheard-of") is None
    assert book.provider_of("llama") == ""


def test_litellm_is_no_provider() -> None:
    book = book_of({"a": [one("gpt-x")]}, a={"meant": {"starts": ["gpt-"]}})

    assert found(book, "gpt-x", "litellm") == "a gpt-x"
    assert found(book, "a/gpt-x", "LiteLLM") == "a gpt-x"


def test_a_reseller_has_the_makers_models_one_step_away() -> None:
    book = book_of(
        {"maker": [one("m", "7")], "azure": [one("own", "2")], "third": [one("t")]},
        azure={"sells": ["maker", "nobody"]},
        maker={"sells": ["third"]},
    )

    assert found(book, "own", "azure") == "azure own"
    assert found(book, "m", "azure") == "azure m"
    assert found(book, "t", "azure") is None
    resold = book.find("m", "azure")
    assert resold is not None and resold.rates_of == "maker"


def test_a_reseller_has_the_models_of_each_maker_at_their_standard_rates_alone() -> None:
    batch = {"batch": [{"rates": {"input": "3"}}]}
    book = book_of(
        {"one": [one("m")], "two": [one("t", "7") | {"variants": batch}], "azure": [one("own")]},
        azure={"sells": ["nobody", "one", "two"]},
    )

    made, resold = book.find("t", "two"), book.find("t", "azure")

    assert made is not None and set(made.variants) == {"batch"}
    assert resold is not None and (resold.provider, resold.variants) == ("azure", {})


def test_who_is_meant_goes_before_the_router_of_the_same_name() -> None:
    book = book_of(
        {"openrouter": [one("x/gem", "9")], "a": [one("x/gem")]}, a={"meant": {"has": ["gem"]}}
    )

    assert found(book, "x/gem") == "a x/gem"


def test_a_name_that_one_provider_alone_lists_is_proof_of_it() -> None:
    assert book_of({"a": [one("solo")]}).provider_of("solo") == "a"


def test_what_only_looks_like_a_date_is_part_of_the_name() -> None:
    book = book_of({"a": [one("m-20250230"), one("m-2025-02-28")]})

    assert found(book, "m-20250230", "a") == "a m-20250230"
    assert found(book, "m-20250228", "a") == "a m-2025-02-28"
    assert write_dates("m-20250230") == "m-20250230"


def test_a_prefix_names_the_provider() -> None:
    book = book_of(
        {"google": [one("gem")], "aws": [one("nova")]},
        google={"called": {"has": ["vertex"]}},
        aws={"called": {"has": ["bedrock"]}},
    )

    assert found(book, "vertex_ai/gem") == "google gem"
    assert found(book, "bedrock/nova") == "aws nova"
    assert found(book, "models/gem", "google") == "google gem"
    assert found(book, "publishers/google/models/gem", "google") == "google gem"
    assert found(book, "google/gem", "google") == "google gem"
    assert found(book, "bedrock/gem", "google") is None
    assert found(book, "ollama/gem") is None
    assert found(book, "models/") is None


def test_a_name_with_a_slash_is_the_routers_before_its_prefix_is_the_providers() -> None:
    book = book_of({"openai": [one("gpt")], "openrouter": [one("openai/gpt", "2")]})

    assert found(book, "openai/gpt") == "openrouter openai/gpt"
    assert found(book, "openai/gpt", "openai") == "openai gpt"
    assert found(book, "openrouter/openai/gpt") == "openrouter openai/gpt"


def test_a_name_of_the_cloud_is_looked_up_there() -> None:
    book = book_of({"aws": [one("nova", has=["amazon.nova"]), one("plain", has=["plain"])]})

    assert found(book, "us.amazon.nova-v1:0") == "aws nova"
    assert found(book, "plain") is None
    assert found(book_of({"a": [one("m")]}), "us.amazon.nova-v1:0") is None


def test_a_name_that_one_provider_lists_is_found_and_one_at_two_prices_is_not() -> None:
    book = book_of(
        {
            "b": [one("same"), one("differs", "1")],
            "a": [one("same"), one("differs", "2"), one("only")],
        }
    )

    assert found(book, "only") == "a only"
    assert found(book, "same") == "b same", "the operator's first provider is asked first"
    assert found(book, "differs") is None


@pytest.mark.parametrize("name", ["", " ", "x" * 301, "a/" * 140, "\ud800", "models/" * 40])
def test_a_hostile_name_is_no_model(name: str) -> None:
    assert read_book(SHIPPED).find(name) is None


def test_a_name_longer_than_any_is_not_even_compared() -> None:
    book = book_of({"a": [one("m", has=["x"])]})

    assert found(book, "x" * 300, "a") == "a m"
    assert found(book, "x" * 301, "a") is None


def test_what_is_remembered_of_names_is_bounded() -> None:
    book = book_of({"a": [one("m")]})

    for at in range(5000):
        assert book.find(f"no-{at}") is None

    assert len(book._remembered) <= 2000  # pyright: ignore[reportPrivateUsage]
    assert found(book, "m", "a") == "a m"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpt-4o", "openai gpt-4o"),
        ("gpt-5.2-20251211", "openai gpt-5.2"),
        ("text-embedding-3-large", "openai text-embedding-3-large"),
        ("claude-sonnet-4-5@20250929", "anthropic claude-sonnet-4-5"),
        ("models/gemini-2.5-pro", "google gemini-2.5-pro"),
        ("vertex_ai/gemini-2.5-flash", "google gemini-2.5-flash"),
        (
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        ("azure/gpt-4o", "azure gpt-4o"),
        ("openai/gpt-4o", "openrouter openai/gpt-4o"),
        ("groq/llama-3.3-70b-versatile", "groq llama-3.3-70b-versatile"),
        ("mistral-large-2512", "mistral mistral-large-2512"),
        ("gpt-4o-super-new", None),
        ("gpt-7", None),
        ("o1-foo", None),
        ("claude", None),
        ("deepseek/deepseek-r1:free", None),
        ("ollama/llama3", None),
    ],
)
def test_the_shipped_book_knows_the_names_that_calls_come_with(
    name: str, expected: str | None
) -> None:
    assert found(read_book(SHIPPED), name) == expected
