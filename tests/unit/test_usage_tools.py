"""What the tools of a response used is billed besides: searches, and images at their own model."""

from __future__ import annotations

from typing import Any

import pytest

from tollkeeper.domain.usage import TokenPools, UsagePart, normalise_usage

Raw = dict[str, Any]

DRAWN: Raw = {
    "input_tokens": 300,
    "input_tokens_details": {"image_tokens": 200, "text_tokens": 100},
    "output_tokens": 1056,
    "output_tokens_details": {"image_tokens": 1056, "text_tokens": 0},
    "total_tokens": 1356,
}
OWN = TokenPools(input=36, output=87)
OF_THE_IMAGE = TokenPools(input=100, image_input=200, image_output=1056)


def response(used: object, **more: object) -> Raw:
    """A response that read 36 tokens and said 87."""
    usage: Raw = {"input_tokens": 36, "output_tokens": 87, "total_tokens": 123}
    return {"model": "gpt-5.4", "tool_usage": used, "usage": usage, **more}


def test_searches_stand_beside_the_usage() -> None:
    body = response({"web_search": {"num_requests": 3}})

    usage = normalise_usage(body)

    assert (usage.web_searches, usage.pools, usage.parts) == (3, OWN, ())


def test_searches_of_a_stream_are_those_of_its_last_response() -> None:
    events: list[Raw] = [
        {"type": "response.created", "response": {"tool_usage": None, "usage": None}},
        {"type": "response.completed", "response": response({"web_search": {"num_requests": 2}})},
    ]

    assert normalise_usage({"events": events}).web_searches == 2


def test_what_was_drawn_is_priced_at_the_model_that_drew() -> None:
    tools = [{"type": "web_search"}, {"type": "image_generation", "model": "gpt-image-1"}]
    body = response({"image_gen": DRAWN, "web_search": {"num_requests": 1}}, tools=tools)

    usage = normalise_usage(body)

    assert usage.parts == (
        UsagePart(None, OWN, 1),
        UsagePart("gpt-image-1", OF_THE_IMAGE),
    )
    assert (usage.pools, usage.web_searches) == (OWN.plus(OF_THE_IMAGE), 1)
    assert usage.warnings == ()


@pytest.mark.parametrize(
    "tools", [None, "x", [], ["x"], [{"type": "image_generation"}], [{"model": "m"}]], ids=str
)
def test_what_nobody_is_named_for_is_the_responses_own(tools: object) -> None:
    usage = normalise_usage(response({"image_gen": DRAWN}, tools=tools))

    assert (usage.pools, usage.parts) == (OWN.plus(OF_THE_IMAGE), ())


def test_what_an_image_tool_put_out_is_image_where_it_is_not_split() -> None:
    usage = normalise_usage(response({"image_gen": {"input_tokens": 8, "output_tokens": 4160}}))

    assert usage.pools == OWN.plus(TokenPools(input=8, image_output=4160))


def test_tools_that_used_nothing_make_no_parts() -> None:
    unused = {"image_gen": {"input_tokens": 0, "output_tokens": 0}, "web_search": {}}
    tools = [{"type": "image_generation", "model": "gpt-image-1"}]

    usage = normalise_usage(response(unused, tools=tools))

    assert (usage.pools, usage.parts, usage.warnings) == (OWN, (), ())


def test_impossible_tools_are_nothing_and_said() -> None:
    junk = {"image_gen": "x", "web_search": {"num_requests": -1}}

    usage = normalise_usage(response(junk))

    assert (usage.pools, usage.web_searches) == (OWN, 0)
    assert usage.warnings == ("impossible_number", "impossible_details")
    assert normalise_usage(response({})).pools == OWN
