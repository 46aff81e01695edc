"""Whatever stands in a usage object: pools are never negative, and nothing crashes."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.usage import TokenPools, Usage, normalise_usage
from tollkeeper.domain.usage.bedrock import CONVERSE, INVOKED
from tollkeeper.domain.usage.finding import REPORTS
from tollkeeper.domain.usage.libraries import AI_SDK, PYDANTIC
from tollkeeper.domain.usage.models import MOST_PARTS
from tollkeeper.domain.usage.normalise import MEMBERS
from tollkeeper.domain.usage.openai import CHAT, RESPONSES
from tollkeeper.domain.usage.plain import PLAIN

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


KNOWN = sorted(
    {
        *MEMBERS,
        *PLAIN,
        *REPORTS,
        *CHAT,
        *RESPONSES,
        *CONVERSE,
        *INVOKED,
        *AI_SDK,
        *PYDANTIC,
        *("events", "model", "modelVersion", "response", "message", "metadata", "meta", "delta"),
        *("cost", "is_byok", "cost_details", "cost_in_usd_ticks", "service_tier", "serviceTier"),
        *("prompt_tokens_details", "completion_tokens_details", "output_tokens_details", "details"),
        *("output_token_details", "cached_tokens_details", "cached_tokens", "audio_tokens"),
        *("image_tokens", "video_tokens", "reasoning_tokens", "cache_write_tokens", "cache_read"),
        *("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "thinking_tokens", "tokens"),
        *("promptTokensDetails", "cacheTokensDetails", "candidatesTokensDetails", "tokenCount"),
        *("toolUsePromptTokensDetails", "modality", "ttl", "inputTokens", "web_search_requests"),
        *("input_tokens", "output_tokens", "search_units", "upstream_inference_cost", "results"),
        *("num_sources_used", "prompt_audio_seconds", "cacheReadTokens", "cacheWriteTokens"),
        *("type", "custom_id", "total_cost", "trafficType", "usage_breakdown", "x_groq", "models"),
        *("speechTokens", "textTokens", "total", "input", "output", "event", "tool_usage", "tools"),
    }
)
NAMES = st.sampled_from(KNOWN)
LEAVES: st.SearchStrategy[object] = st.one_of(
    st.integers(0, 100),
    st.integers(),
    st.none(),
    st.booleans(),
    st.floats(),
    st.decimals(),
    st.sampled_from(["AUDIO", "TEXT", "1h", "message_start", "message_delta", "flex", "5", ""]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=12,
)


def check_sound(usage: Usage) -> None:
    """Nothing is negative, nothing is a fraction, and the parts are the whole."""
    assert all(type(tokens) is int and tokens > 0 for tokens in usage.pools.nonzero().values())
    assert usage.cost_picousd is None or usage.cost_picousd >= 0
    assert usage.seconds_micro is None or usage.seconds_micro >= 0
    assert usage.web_searches >= 0 < usage.requests
    assert usage.service_tier in ("", "batch", "flex", "priority", "fast")
    assert len(set(usage.warnings)) == len(usage.warnings)
    if usage.parts:
        summed = TokenPools()
        for part in usage.parts:
            summed = summed.plus(part.pools)
        assert summed == usage.pools
        assert sum(part.web_searches for part in usage.parts) == usage.web_searches
        assert len({part.model for part in usage.parts}) == len(usage.parts) <= MOST_PARTS


@settings(max_examples=800, deadline=None, derandomize=True, database=None)
@given(st.dictionaries(NAMES, VALUES, max_size=8))
def test_any_object_is_read_without_a_negative_pool_or_refused(raw: dict[str, object]) -> None:
    try:
        usage = normalise_usage(raw)
    except InvalidError as refused:
        assert refused.problems[0][0].startswith("usage")
        return

    check_sound(usage)


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


SMALL = st.integers(0, 60)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"modality": st.sampled_from(["TEXT", "AUDIO", "IMAGE", "VIDEO"]), "tokenCount": SMALL}
    ),
    max_size=4,
)
TTLS = st.lists(
    st.fixed_dictionaries({"ttl": st.sampled_from(["5m", "1h"]), "inputTokens": SMALL}), max_size=3
)


def counted(*names: str) -> st.SearchStrategy[dict[str, int]]:
    """An object with any of these counts."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, SMALL))


OF_INPUT = counted("cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens")
OF_OUTPUT = counted("reasoning_tokens", "audio_tokens", "image_tokens")
ANTHROPIC = {
    "input_tokens": SMALL,
    "output_tokens": SMALL,
    "cache_read_input_tokens": SMALL,
    "cache_creation_input_tokens": SMALL,
}
OF_A_PROVIDER: list[st.SearchStrategy[dict[str, object]]] = [
    st.fixed_dictionaries(
        {"prompt_tokens": SMALL, "completion_tokens": SMALL},
        optional={
            "total_tokens": SMALL,
            "prompt_tokens_details": OF_INPUT,
            "completion_tokens_details": OF_OUTPUT,
            "num_cached_tokens": SMALL,
            "prompt_cache_hit_tokens": SMALL,
            "citation_tokens": SMALL,
            "reasoning_tokens": SMALL,
            "connector_tokens": SMALL,
        },
    ),
    st.fixed_dictionaries(
        {"input_tokens": SMALL, "output_tokens": SMALL, "input_tokens_details": OF_INPUT},
        optional={
            "total_tokens": SMALL,
            "output_tokens_details": OF_OUTPUT,
            "prompt_tokens_details": OF_INPUT,
            "cached_input_tokens": SMALL,
            "audio_tokens": SMALL,
        },
    ),
    st.fixed_dictionaries(
        {"total_input_tokens": SMALL, "total_output_tokens": SMALL},
        optional={
            "total_tokens": SMALL,
            "total_thought_tokens": SMALL,
            "total_tool_use_tokens": SMALL,
            "total_cached_tokens": SMALL,
        },
    ),
    st.fixed_dictionaries(
        ANTHROPIC,
        optional={
            "iterations": st.lists(st.fixed_dictionaries(ANTHROPIC), max_size=3),
            "output_tokens_details": counted("thinking_tokens"),
        },
    ),
    st.fixed_dictionaries(
        {"promptTokenCount": SMALL, "candidatesTokenCount": SMALL},
        optional={
            "totalTokenCount": SMALL,
            "thoughtsTokenCount": SMALL,
            "toolUsePromptTokenCount": SMALL,
            "cachedContentTokenCount": SMALL,
            "promptTokensDetails": ROWS,
            "cacheTokensDetails": ROWS,
            "candidatesTokensDetails": ROWS,
        },
    ),
    st.fixed_dictionaries(
        {"inputTokens": SMALL, "outputTokens": SMALL, "cacheReadInputTokens": SMALL},
        optional={
            "cacheWriteInputTokens": SMALL,
            "cacheDetails": TTLS,
            "totalTokens": SMALL,
        },
    ),
    st.fixed_dictionaries(
        {"billed_units": st.fixed_dictionaries({"input_tokens": SMALL, "output_tokens": SMALL})},
        optional={"cached_tokens": SMALL, "tokens": counted("input_tokens", "output_tokens")},
    ),
    st.fixed_dictionaries(
        {"input_tokens": SMALL, "output_tokens": SMALL, "cache_read_tokens": SMALL},
        optional={
            "cache_write_tokens": SMALL,
            "cache_write_1h_tokens": SMALL,
            "input_audio_tokens": SMALL,
            "cache_audio_read_tokens": SMALL,
            "output_reasoning_tokens": SMALL,
            "total_tokens": SMALL,
        },
    ),
]
TOTALS = ("total_tokens", "totalTokenCount", "totalTokens")


@settings(max_examples=700, deadline=None, derandomize=True, database=None)
@given(st.one_of(OF_A_PROVIDER))
def test_pools_are_sound_and_never_less_than_what_the_provider_says_in_all(
    raw: dict[str, Any],
) -> None:
    usage = normalise_usage(raw)

    check_sound(usage)
    assert usage.pools.total() >= max(raw.get(name, 0) for name in TOTALS)


@settings(max_examples=700, deadline=None, derandomize=True, database=None)
@given(st.one_of(OF_A_PROVIDER), st.integers(1, 40), st.data())
def test_more_tokens_in_any_member_never_make_fewer_in_all(
    raw: dict[str, Any], more: int, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([name for name in raw if isinstance(raw[name], int)] or [""]))
    if not name:
        return

    larger = normalise_usage({**raw, name: raw[name] + more})

    assert larger.pools.total() >= normalise_usage(raw).pools.total()


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.one_of(OF_A_PROVIDER), st.lists(st.one_of(OF_A_PROVIDER), max_size=3))
def test_a_stream_is_never_more_than_its_last_usage(
    last: dict[str, Any], before: list[dict[str, Any]]
) -> None:
    """Why: a sum would count a call twice; only Anthropic's later events leave something out."""
    events = [*({"usage": usage} for usage in before), {"type": "final", "usage": last}]
    if any("cache_read_input_tokens" in usage for usage in before):
        return

    assert normalise_usage({"events": events}).pools == normalise_usage(last).pools
