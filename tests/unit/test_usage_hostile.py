"""Whatever stands in a usage object: pools are never negative, and nothing crashes."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.usage import normalise_usage

IMPOSSIBLE: list[object] = [
    -1,
    True,
    "12",
    [],
    [[[5]]],
    {"tokens": 5},
    0.5,
    math.nan,
    math.inf,
    10**12 + 1,
    10**400,
    Decimal("-0.5"),
    Decimal("sNaN"),
    Decimal("1e999999"),
    Decimal("1e-999999"),
]

COUNTS = [
    ("prompt_tokens", "completion_tokens"),
    ("completion_tokens", "prompt_tokens"),
    ("input_tokens", "output_tokens"),
    ("cache_read_input_tokens", "output_tokens"),
    ("cache_creation_input_tokens", "input_tokens"),
    ("promptTokenCount", "candidatesTokenCount"),
    ("thoughtsTokenCount", "promptTokenCount"),
    ("cachedContentTokenCount", "promptTokenCount"),
    ("toolUsePromptTokenCount", "promptTokenCount"),
]


@pytest.mark.parametrize("impossible", IMPOSSIBLE, ids=str)
@pytest.mark.parametrize(("name", "good"), COUNTS)
def test_an_impossible_count_is_nothing_and_said(name: str, good: str, impossible: object) -> None:
    usage = normalise_usage({good: 5, name: impossible})

    assert usage.pools.total() == 5
    assert usage.warnings == ("impossible_number",)


@pytest.mark.parametrize("impossible", IMPOSSIBLE, ids=str)
def test_an_impossible_detail_is_nothing_and_said(impossible: object) -> None:
    usage = normalise_usage(
        {
            "prompt_tokens": 5,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": impossible, "audio_tokens": impossible},
            "completion_tokens_details": {"reasoning_tokens": impossible},
        }
    )

    assert usage.pools.nonzero() == {"input": 5, "output": 5}
    assert usage.warnings == ("impossible_number",)


def test_an_impossible_count_is_what_the_total_leaves_for_it() -> None:
    usage = normalise_usage({"prompt_tokens": -5, "completion_tokens": 5, "total_tokens": 25})

    assert usage.pools.nonzero() == {"input": 20, "output": 5}
    assert usage.warnings == ("impossible_number",)


@pytest.mark.parametrize(
    "raw",
    [
        {"prompt_tokens": 5, "prompt_tokens_details": [1]},
        {"input_tokens": 5, "input_tokens_details": "x"},
        {"input_tokens": 5, "cache_creation": 7},
        {"input_tokens": 5, "iterations": {"input_tokens": 9}},
        {"input_tokens": 5, "iterations": [None, 5, "x", [[1]]]},
        {"promptTokenCount": 5, "promptTokensDetails": {"modality": "AUDIO", "tokenCount": 5}},
        {"promptTokenCount": 5, "promptTokensDetails": [["AUDIO", 5]]},
    ],
    ids=str,
)
def test_details_of_another_kind_are_left_out_and_said(raw: dict[str, object]) -> None:
    usage = normalise_usage(raw)

    assert usage.pools.nonzero() == {"input": 5}
    assert "impossible_details" in usage.warnings


@pytest.mark.parametrize(
    ("details", "code"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 99}}, "cached_above_input"),
        ({"prompt_tokens_details": {"cache_write_tokens": 99}}, "cache_write_above_input"),
        ({"prompt_tokens_details": {"audio_tokens": 99}}, "audio_above_input"),
        ({"completion_tokens_details": {"reasoning_tokens": 99}}, "reasoning_above_output"),
        ({"completion_tokens_details": {"audio_tokens": 99}}, "audio_above_output"),
    ],
    ids=str,
)
def test_a_part_above_its_whole_never_raises_the_total(
    details: dict[str, object], code: str
) -> None:
    usage = normalise_usage(
        {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10, **details}
    )

    assert usage.pools.total() == 10
    assert usage.warnings == (code,)


NAMES = st.sampled_from(
    [
        "usage",
        "usageMetadata",
        "model",
        "modelVersion",
        "cost",
        "total",
        "input",
        "cached_input",
        "output",
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "cached_tokens",
        "num_cached_tokens",
        "prompt_tokens_details",
        "completion_tokens_details",
        "audio_tokens",
        "reasoning_tokens",
        "cache_write_tokens",
        "input_tokens",
        "output_tokens",
        "input_tokens_details",
        "output_tokens_details",
        "cache_creation",
        "iterations",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "ephemeral_1h_input_tokens",
        "thinking_tokens",
        "promptTokenCount",
        "candidatesTokenCount",
        "thoughtsTokenCount",
        "totalTokenCount",
        "cachedContentTokenCount",
        "toolUsePromptTokenCount",
        "promptTokensDetails",
        "cacheTokensDetails",
        "candidatesTokensDetails",
        "tokenCount",
        "modality",
        "seconds",
    ]
)
LEAVES: st.SearchStrategy[object] = st.one_of(
    st.integers(0, 100),
    st.integers(),
    st.none(),
    st.booleans(),
    st.floats(),
    st.decimals(),
    st.sampled_from(["AUDIO", "TEXT", "5", ""]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(st.dictionaries(NAMES, VALUES, max_size=8))
def test_any_object_is_read_without_a_negative_pool_or_refused(raw: dict[str, object]) -> None:
    try:
        usage = normalise_usage(raw)
    except InvalidError as refused:
        assert refused.problems[0][0].startswith("usage")
        return

    assert all(type(tokens) is int and tokens > 0 for tokens in usage.pools.nonzero().values())
    assert usage.cost_picousd is None or usage.cost_picousd >= 0


SEVEN = st.lists(st.integers(0, 60), min_size=7, max_size=7)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(SEVEN)
def test_pools_add_up_to_the_larger_of_total_and_sides_whatever_the_parts_claim(
    counts: list[int],
) -> None:
    prompt, completion, total, cached, written, audio, reasoning = counts

    usage = normalise_usage(
        {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": total,
            "prompt_tokens_details": {
                "cached_tokens": cached,
                "cache_write_tokens": written,
                "audio_tokens": audio,
            },
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }
    )

    assert usage.pools.total() == max(total, prompt + completion)
    assert usage.pools.cached_input == min(cached, prompt)


def test_a_refusal_repeats_little_of_a_member_that_the_caller_made_up() -> None:
    with pytest.raises(InvalidError) as refused:
        normalise_usage({"x" * 60_000: 1, "input": 2})

    assert "is no token pool" in refused.value.detail
    assert len(refused.value.detail) < 500
