"""Cohere: billed units are billed, tokens are not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tollkeeper.domain.usage import normalise_usage

Raw = dict[str, object]


def pools_of(raw: Raw) -> dict[str, int]:
    return normalise_usage(raw).pools.nonzero()


def test_billed_units_are_billed_and_tokens_are_not() -> None:
    """Why: the tokens hold the provider's own prompt of some hundreds, which is free."""
    body: Raw = {
        "usage": {
            "billed_units": {"input_tokens": 13, "output_tokens": 61},
            "tokens": {"input_tokens": 542, "output_tokens": 63},
        }
    }

    usage = normalise_usage(body)

    assert usage.pools.nonzero() == {"input": 13, "output": 61}
    assert (usage.provider, usage.warnings) == ("cohere", ())


def test_cached_tokens_are_counted_among_the_tokens_and_take_nothing_off_the_bill() -> None:
    raw: Raw = {
        "billed_units": {"input_tokens": 2406, "output_tokens": 2},
        "cached_tokens": 2928,
        "tokens": {"input_tokens": 2935, "output_tokens": 4},
    }

    assert pools_of(raw) == {"input": 2406, "output": 2}
    assert normalise_usage(raw).warnings == ()


@pytest.mark.parametrize("billed", [{}, {"input_tokens": None}], ids=str)
def test_without_billed_units_the_tokens_are_all_there_is(billed: object) -> None:
    raw: Raw = {
        "billed_units": billed,
        "tokens": {"input_tokens": 100, "output_tokens": 4},
        "cached_tokens": 40,
    }

    assert pools_of(raw) == {"input": 60, "cached_input": 40, "output": 4}


def test_an_embedding_is_billed_for_its_texts_and_its_images() -> None:
    body: Raw = {"meta": {"billed_units": {"input_tokens": 4, "image_tokens": 3}}}

    assert pools_of(body) == {"input": 4, "image_input": 3}


def test_a_rerank_is_billed_by_the_search() -> None:
    usage = normalise_usage({"results": [], "meta": {"billed_units": {"search_units": 3}}})

    assert (usage.pools.total(), usage.requests) == (0, 3)


def test_its_sdk_writes_whole_counts_as_fractions() -> None:
    raw: Raw = {"billed_units": {"input_tokens": 13.0, "output_tokens": Decimal("61.0")}}

    assert pools_of(raw) == {"input": 13, "output": 61}


@pytest.mark.parametrize(
    "event",
    [
        {
            "type": "message-end",
            "delta": {"finish_reason": "COMPLETE", "usage": {"billed_units": {"input_tokens": 5}}},
        },
        {
            "event_type": "stream-end",
            "response": {"meta": {"billed_units": {"input_tokens": 5}}},
        },
    ],
    ids=["v2", "v1"],
)
def test_the_last_event_of_a_stream_says_what_is_billed(event: Raw) -> None:
    assert pools_of(event) == {"input": 5}
