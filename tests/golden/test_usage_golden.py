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

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.usage import Usage, normalise_usage

Body = dict[str, Any]

HERE = Path(__file__).parent
RECORDED = HERE.parents[1].parent / "shared" / "data" / "usage"
FILES = {
    "openai_chat_compatible.jsonl": 156,
    "openai_responses.jsonl": 114,
    "anthropic_messages.jsonl": 107,
    "google_gemini.jsonl": 218,
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

    assert {file: sum(1 for at, _ in places if at == file) for file in FILES} == dict.fromkeys(
        FILES, 10
    )


def part(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", usage.get(name) or {})


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
    assert pools.input + pools.cached_input + pools.cache_write_5m + pools.audio_input == prompt


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
    assert pools.cached_input == usage.get("cachedContentTokenCount", 0)
    assert pools.reasoning == usage.get("thoughtsTokenCount", 0)
    assert pools.input + pools.cached_input + pools.audio_input == prompt


def check(file: str, body: Body) -> None:
    """The body's own figures hold for what was read from it, and for its usage object alone."""
    read = normalise_usage(body)
    usage = body["usageMetadata"] if "usageMetadata" in body else body["usage"]

    assert normalise_usage(usage).pools == read.pools
    assert read.model == body.get("model", body.get("modelVersion"))
    if file == "openai_chat_compatible.jsonl":
        check_openai(usage, read, ("prompt_tokens", "completion_tokens"))
    elif file == "openai_responses.jsonl":
        check_openai(usage, read, ("input_tokens", "output_tokens"))
    elif file == "anthropic_messages.jsonl":
        check_anthropic(usage, read)
    else:
        check_gemini(usage, read)


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


def test_iterations_are_billed_by_their_sum_and_another_model_is_said() -> None:
    said: list[tuple[str, ...]] = []
    for case in recorded("anthropic_iterations.json")["cases"]:
        check("anthropic_messages.jsonl", case["body"])
        said.append(normalise_usage(case["body"]).warnings)

    assert said == [(), ("iterations_other_model",), ("iterations_other_model",)]


def test_the_last_object_of_a_stream_is_the_whole_of_it() -> None:
    read: list[dict[str, int]] = []
    for stream in recorded("streaming.json")["streams"]:
        last = stream["usage_in_stream_order"][-1]
        check_anthropic(last, normalise_usage(last))
        read.append(normalise_usage(last).pools.nonzero())

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
    for file in FILES:
        for body in lines_of(file):
            stated = part(body, "usage").get("cost")
            assert (normalise_usage(body).cost_picousd is None) == (stated is None)


def test_documented_examples_are_read_but_for_those_in_seconds() -> None:
    for example in recorded("openai_spec_examples.json")["examples"]:
        usage: Body = example["usage"]
        if "seconds" in usage:
            with pytest.raises(InvalidError, match="counts seconds"):
                normalise_usage(usage)
            continue

        read = normalise_usage(usage)

        assert read.pools.total() == usage["total_tokens"]
        assert read.pools.audio_input == part(usage, "input_token_details").get("audio_tokens", 0)
