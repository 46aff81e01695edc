"""A system of several models tells what each used: each is a part, billed at its own price."""

from __future__ import annotations

from typing import Any

import pytest

from tollkeeper.domain.usage import TokenPools, UsagePart, normalise_usage
from tollkeeper.domain.usage.models import MOST_PARTS

Raw = dict[str, Any]

LLAMA, GPT = "llama-3.3-70b-versatile", "openai/gpt-oss-120b"


def used(prompt: int, completion: int, **more: object) -> Raw:
    """A usage as Groq states it."""
    total = prompt + completion
    usage: Raw = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total}
    return {"queue_time": 0.02, **usage, **more}


def row(model: object, usage: object) -> Raw:
    """A model of the breakdown."""
    return {"model": model, "usage": usage}


def compound(*rows: object, usage: Raw | None = None, **more: object) -> Raw:
    """An answer of Groq's compound system."""
    body = {"object": "chat.completion", "model": "groq/compound", "usage": usage or used(300, 60)}
    return {**body, "usage_breakdown": {"models": [*rows]}, **more}


def test_each_model_of_a_compound_system_is_a_part_of_its_own() -> None:
    thinking = {"completion_tokens_details": {"reasoning_tokens": 30}}
    cached = {"prompt_tokens_details": {"cached_tokens": 40}}

    usage = normalise_usage(
        compound(row(LLAMA, used(100, 10, **cached)), row(GPT, used(200, 50, **thinking)))
    )

    small = TokenPools(input=60, cached_input=40, output=10)
    large = TokenPools(input=200, output=20, reasoning=30)
    assert usage.parts == (UsagePart(LLAMA, small), UsagePart(GPT, large))
    assert usage.pools == small.plus(large)
    assert (usage.provider, usage.model) == ("groq", "groq/compound")
    assert usage.warnings == ()


def test_a_model_that_was_asked_twice_is_one_part() -> None:
    usage = normalise_usage(compound(row(LLAMA, used(100, 10)), row(LLAMA, used(200, 50))))

    assert usage.parts == (UsagePart(LLAMA, TokenPools(input=300, output=60)),)


def test_the_answers_own_model_is_no_other() -> None:
    body = compound(row(GPT, used(200, 50)), row(LLAMA, used(100, 10)), model=GPT)

    usage = normalise_usage(body)

    assert usage.parts == (
        UsagePart(None, TokenPools(input=200, output=50)),
        UsagePart(LLAMA, TokenPools(input=100, output=10)),
    )
    assert normalise_usage(compound(row(GPT, used(300, 60)), model=GPT)).parts == ()


def test_a_breakdown_that_knows_more_than_the_sum_beside_it_is_believed() -> None:
    usage = normalise_usage(compound(row(GPT, used(900, 80))))

    assert usage.pools == TokenPools(input=900, output=80)
    assert usage.warnings == ()


@pytest.mark.parametrize(
    ("rows", "warnings"),
    [
        ([row(LLAMA, used(100, 10))], ("total_mismatch",)),
        ([], ("total_mismatch",)),
        (["x", None], ("impossible_details", "total_mismatch")),
        ([row(LLAMA, None)], ("total_mismatch",)),
        ([row(LLAMA, "x")], ("impossible_details", "total_mismatch")),
        ([row(LLAMA, used(-5, 10))], ("impossible_number", "total_mismatch")),
    ],
    ids=str,
)
def test_a_breakdown_of_less_than_was_used_leaves_the_sum(
    rows: list[object], warnings: tuple[str, ...]
) -> None:
    usage = normalise_usage(compound(*rows))

    assert (usage.pools, usage.parts) == (TokenPools(input=300, output=60), ())
    assert sorted(usage.warnings) == sorted(warnings)
    assert usage.provider == ""


@pytest.mark.parametrize("breakdown", [None, "x", [], {}], ids=str)
def test_a_usage_without_a_breakdown_is_the_models_own(breakdown: object) -> None:
    usage = normalise_usage({**compound(), "usage_breakdown": breakdown})

    assert (usage.pools, usage.parts) == (TokenPools(input=300, output=60), ())
    assert usage.warnings == ()


def test_searches_are_those_of_the_system() -> None:
    searched = used(100, 10, server_tool_use={"web_search_requests": 2})

    usage = normalise_usage(compound(row(LLAMA, used(100, 10)), usage=searched))

    assert usage.parts == (
        UsagePart(None, TokenPools(), 2),
        UsagePart(LLAMA, TokenPools(input=100, output=10)),
    )


def test_models_above_the_most_are_charged_as_the_system() -> None:
    others = [f"m{number}" for number in range(MOST_PARTS - 1)]
    rows = [row(model, used(10, 1)) for model in (*others, "one more", "m0", "and one")]

    usage = normalise_usage(compound(*rows, usage=used(100, 10)))

    assert [part.model for part in usage.parts] == [None, *others]
    assert usage.parts[0].pools == TokenPools(input=20, output=2)
    assert usage.pools == TokenPools(input=100, output=10)
    assert usage.warnings == ("too_many_models",)


@pytest.mark.parametrize("is_twice", [True, False])
def test_the_last_chunk_of_a_stream_tells_the_models_in_groqs_own_part(is_twice: bool) -> None:
    usage = used(300, 60)
    told = {"models": [row(LLAMA, used(100, 10)), row(GPT, used(200, 50))]}
    last: Raw = {"model": "groq/compound", "choices": []}
    last["x_groq"] = {"id": "req_1", "usage": usage, "usage_breakdown": told}
    if is_twice:
        last["usage"] = usage
    first: Raw = {"model": "groq/compound", "x_groq": {"id": "req_1"}, "choices": []}

    read = normalise_usage({"events": [first, last]})

    assert [part.model for part in read.parts] == [LLAMA, GPT]
    assert read.pools == TokenPools(input=300, output=60)
    assert read.model == "groq/compound"
