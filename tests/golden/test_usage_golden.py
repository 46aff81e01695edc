"""Recorded provider bodies are read as a person reads them, and none of them counts twice.

The bodies are read from where they lie beside the repository; without them nothing is shown here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from tollkeeper.domain.usage import Usage, normalise_usage

Body = dict[str, Any]

HERE = Path(__file__).parent
RECORDED = HERE.parents[1].parent / "shared" / "data" / "usage"
PRICES = RECORDED.parent / "price_cases.json"
FILES = {
    "openai_chat_compatible.jsonl": 156,
    "openai_responses.jsonl": 114,
    "anthropic_messages.jsonl": 107,
    "google_gemini.jsonl": 218,
    "bedrock_converse.jsonl": 78,
    "cohere_v2.jsonl": 5,
    "other.jsonl": 1,
}

pytestmark = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="the recorded bodies are not beside this repository"
)


def parsed(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def lines_of(file: str) -> list[Body]:
    lines = (RECORDED / file).read_text().splitlines()
    return [cast("Body", parsed(line)["body"]) for line in lines]


def recorded(file: str) -> Body:
    return parsed((RECORDED / file).read_text())


def golden_cases() -> list[Body]:
    return parsed((HERE / "usage_golden.json").read_text())["cases"]


@pytest.mark.parametrize("case", golden_cases(), ids=lambda case: f"{case['file']}:{case['line']}")
def test_a_recorded_body_falls_into_the_pools_worked_out_by_hand(case: Body) -> None:
    line: int = case["line"]
    usage = normalise_usage(lines_of(case["file"])[line - 1])

    assert usage.pools.nonzero() == case["pools"], case["why"]
    assert usage.warnings == tuple(case.get("warnings", ()))
    if "cost_picousd" in case:
        assert usage.cost_picousd == case["cost_picousd"]


def test_the_golden_sample_takes_ten_different_bodies_of_each_file() -> None:
    places = {(case["file"], case["line"]) for case in golden_cases()}

    assert len(places) == len(golden_cases())
    assert {file: sum(1 for at, _ in places if at == file) for file in FILES} == {
        file: min(10, lines) for file, lines in FILES.items()
    }


def part(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", usage.get(name) or {})


def whole_input(read: Usage) -> int:
    """All that went in: whatever it was, and from a cache, into one, or neither."""
    pools = read.pools.nonzero()
    return sum(
        tokens for name, tokens in pools.items() if "input" in name or name.startswith("cache")
    )


def check_openai(usage: Body, read: Usage, names: tuple[str, str]) -> None:
    prompt = usage[names[0]]
    details = part(usage, f"{names[0]}_details")
    vendor = ("num_cached_tokens", "cached_tokens", "prompt_cache_hit_tokens")
    cached = max(details.get("cached_tokens", 0), *(usage.get(name, 0) for name in vendor))
    pools = read.pools

    assert pools.total() == usage["total_tokens"]
    assert pools.cached_input == cached
    assert pools.cache_write_5m == details.get("cache_write_tokens", 0)
    assert pools.audio_input == details.get("audio_tokens", 0)
    assert pools.video_input == details.get("video_tokens", 0)
    assert whole_input(read) == prompt


def check_anthropic(usage: Body, read: Usage) -> None:
    rows: list[Body] = usage.get("iterations") or [usage]
    pools = read.pools

    assert pools.input == sum(row["input_tokens"] for row in rows)
    assert pools.cached_input == sum(row["cache_read_input_tokens"] for row in rows)
    assert pools.cache_write_5m + pools.cache_write_1h == sum(
        row["cache_creation_input_tokens"] for row in rows
    )
    assert pools.output + pools.reasoning == sum(row["output_tokens"] for row in rows)
    assert pools.reasoning == part(usage, "output_tokens_details").get("thinking_tokens", 0)
    assert pools.audio_input == pools.audio_output == 0


def check_gemini(usage: Body, read: Usage) -> None:
    prompt = usage["promptTokenCount"] + usage.get("toolUsePromptTokenCount", 0)
    pools = read.pools

    assert pools.total() == usage.get("totalTokenCount", prompt)
    assert pools.cached_input + pools.cached_audio_input + pools.cached_image_input == usage.get(
        "cachedContentTokenCount", 0
    )
    assert pools.reasoning == usage.get("thoughtsTokenCount", 0)
    assert whole_input(read) == prompt
    assert read.provider == "google"


def check_bedrock(usage: Body, read: Usage) -> None:
    pools = read.pools

    assert pools.total() == usage["totalTokens"]
    assert pools.input == usage["inputTokens"]
    assert pools.output == usage["outputTokens"]
    assert pools.cached_input == usage.get("cacheReadInputTokens", 0)
    assert pools.cache_write_5m + pools.cache_write_1h == usage.get("cacheWriteInputTokens", 0)


def check_cohere(usage: Body, read: Usage) -> None:
    billed: Body = usage["billed_units"]

    assert read.pools.nonzero() == {
        name.removesuffix("_tokens"): tokens for name, tokens in billed.items() if tokens
    }
    assert read.provider == "cohere"


def check(file: str, body: Body) -> None:
    """The body's own figures hold for what was read from it, and for its usage object alone."""
    read = normalise_usage(body)
    usage: Body = body.get("usageMetadata") or body.get("usage") or body["meta"]

    assert read.pools.least() >= 0
    assert normalise_usage(usage).pools == read.pools
    assert read.model == body.get("model", body.get("modelVersion"))
    if file == "openai_chat_compatible.jsonl":
        check_openai(usage, read, ("prompt_tokens", "completion_tokens"))
    elif file == "openai_responses.jsonl":
        check_openai(usage, read, ("input_tokens", "output_tokens"))
    elif file == "anthropic_messages.jsonl":
        check_anthropic(usage, read)
    elif file == "google_gemini.jsonl":
        check_gemini(usage, read)
    elif file == "bedrock_converse.jsonl":
        check_bedrock(usage, read)
    else:
        check_cohere(usage, read)


@pytest.mark.parametrize("file", FILES)
def test_every_recorded_body_adds_up_to_its_own_figures(file: str) -> None:
    bodies = lines_of(file)

    assert len(bodies) == FILES[file]
    for body in bodies:
        check(file, body)


def test_only_the_body_with_hidden_thoughts_is_doubted() -> None:
    doubted = {
        (file, at): normalise_usage(body).warnings
        for file in FILES
        for at, body in enumerate(lines_of(file), 1)
        if normalise_usage(body).warnings
    }

    assert doubted == {("openai_chat_compatible.jsonl", 66): ("hidden_reasoning",)}


def test_iterations_are_billed_by_their_sum_each_at_its_own_model() -> None:
    """Why: worked out by hand; 55 and 71 of the messages' own output were thinking."""
    parts: list[dict[str | None, dict[str, int]]] = []
    for case in recorded("anthropic_iterations.json")["cases"]:
        check("anthropic_messages.jsonl", case["body"])
        read = normalise_usage(case["body"])
        assert (read.warnings, read.provider, read.service_tier) == ((), "anthropic", "")
        parts.append({part.model: part.pools.nonzero() for part in read.parts})

    assert parts == [
        {},
        {
            None: {"input": 1128 + 1289, "output": 121 + 12 - 55, "reasoning": 55},
            "claude-opus-4-8": {"input": 2529, "output": 38},
        },
        {
            None: {"input": 1128 + 1354, "output": 155 + 11 - 71, "reasoning": 71},
            "claude-fable-5": {"input": 2564, "output": 99},
        },
    ]


def check_whole_stream(usages: list[Body], last: Usage) -> None:
    """The events that carried them, and they alone, say together what the last one says."""
    start, *deltas = usages
    events: list[Body] = [
        {"type": "message_start", "message": {"model": "claude-sonnet-4-5", "usage": start}},
        {"type": "ping"},
        *({"type": "message_delta", "delta": {}, "usage": delta} for delta in deltas),
        {"type": "message_stop"},
    ]

    streamed = normalise_usage({"events": events})

    assert streamed.model == "claude-sonnet-4-5"
    assert streamed.pools == normalise_usage({"events": usages}).pools == last.pools
    assert streamed.web_searches == last.web_searches


def test_the_last_object_of_a_stream_is_the_whole_of_it() -> None:
    read: list[dict[str, int]] = []
    for stream in recorded("streaming.json")["streams"]:
        last = stream["usage_in_stream_order"][-1]
        check_anthropic(last, normalise_usage(last))
        read.append(normalise_usage(last).pools.nonzero())
        check_whole_stream(stream["usage_in_stream_order"], normalise_usage(last))

    # The third was compacted: 100 + 181 read, 83 + 8 written.
    assert read == [
        {"input": 43, "output": 282},
        {"input": 22397, "output": 637},
        {"input": 281, "cached_input": 55096, "output": 91},
    ]


def test_the_cost_that_openrouter_billed_is_exact() -> None:
    for case in recorded("openrouter_billed_cost.json")["cases"]:
        read = normalise_usage(case["usage"])

        assert read.cost_picousd == Decimal(case["billed_usd"]) * 10**12
        assert read.warnings == ()
        check_openai(case["usage"], read, ("prompt_tokens", "completion_tokens"))


def test_a_cost_is_read_where_a_body_states_one_and_nowhere_else() -> None:
    """Why: with a key of one's own the provider behind OpenRouter sends its bill besides."""
    own_keys = 0
    for file in FILES:
        for body in lines_of(file):
            usage = part(body, "usage")
            stated = usage.get("cost")
            if stated is not None and usage.get("is_byok"):
                stated += part(usage, "cost_details")["upstream_inference_cost"]
                own_keys += 1
            expected = None if stated is None else Decimal(stated) * 10**12
            assert normalise_usage(body).cost_picousd == expected

    assert own_keys == 1


def test_documented_examples_are_read_in_tokens_or_in_seconds() -> None:
    heard: list[int] = []
    for example in recorded("openai_spec_examples.json")["examples"]:
        usage: Body = example["usage"]
        read = normalise_usage(usage)

        assert read.warnings == ()
        assert read.pools.total() == usage.get("total_tokens", 0)
        assert read.pools.audio_input == part(usage, "input_token_details").get("audio_tokens", 0)
        assert (read.seconds_micro is None) == ("seconds" not in usage)
        heard.append(read.seconds_micro or 0)

    assert [micro for micro in heard if micro] == [27_000_000, 9_000_000, 43_000_000]


def test_searches_of_the_web_are_counted_where_a_tool_made_them() -> None:
    for body in lines_of("anthropic_messages.jsonl"):
        tools = part(part(body, "usage"), "server_tool_use")

        assert normalise_usage(body).web_searches == tools.get("web_search_requests", 0)


@pytest.mark.skipif(not PRICES.is_file(), reason="the price cases are not beside this repository")
def test_usage_as_price_lists_take_it_falls_into_the_pools_that_have_its_rates() -> None:
    """Shape: a price case lists its tokens rate by rate; reasoning is priced with the output."""
    cases: list[Body] = parsed(PRICES.read_text())["cases"]
    assert len(cases) == 15
    for case in cases:
        read = normalise_usage(case["usage"])
        pools = read.pools.nonzero()
        pools["output"] = pools.pop("output", 0) + pools.pop("reasoning", 0)
        rated: list[int] = [row["tokens"] for row in case["rates_usd_per_million"]]

        assert sorted(filter(None, pools.values())) == sorted(filter(None, rated)), case["id"]
        assert whole_input(read) == case["usage"]["input_tokens"]
        assert read.warnings == ()
