"""What vendors put beside a side, in a total alone or in details of another name counts once."""

from __future__ import annotations

from typing import Any

import pytest

from tollkeeper.domain.usage import normalise_usage

Raw = dict[str, Any]


def pools_of(raw: Raw) -> dict[str, int]:
    """The pools of a usage that nothing is odd about."""
    usage = normalise_usage(raw)
    assert usage.warnings == ()
    return usage.pools.nonzero()


class TestConnectors:
    def test_what_mistrals_tools_brought_is_input_and_no_thought(self) -> None:
        usage = normalise_usage(
            {
                "prompt_tokens": 188,
                "completion_tokens": 55,
                "total_tokens": 7355,
                "connector_tokens": 7112,
                "connectors": {"web_search": 1, "web_search_premium": 2, "code_interpreter": 9},
            }
        )

        assert usage.pools.nonzero() == {"input": 188 + 7112, "output": 55}
        assert (usage.web_searches, usage.warnings) == (3, ())

    @pytest.mark.parametrize(
        ("total", "expected"),
        [
            (None, {"input": 14, "output": 8}),
            (22, {"input": 14, "output": 8}),
            (20, {"input": 12, "output": 8}),
            (18, {"input": 10, "output": 8}),
        ],
    )
    def test_a_total_says_how_much_of_it_is_beside_the_prompt(
        self, total: int | None, expected: dict[str, int]
    ) -> None:
        raw = {
            "prompt_tokens": 10,
            "completion_tokens": 8,
            "connector_tokens": 4,
            "total_tokens": total,
        }

        assert pools_of(raw) == expected

    def test_a_prompt_that_is_not_said_is_what_the_total_leaves(self) -> None:
        raw = {"completion_tokens": 8, "connector_tokens": 4, "total_tokens": 30}

        assert pools_of(raw) == {"input": 22, "output": 8}

    def test_none_are_none(self) -> None:
        raw = {"prompt_tokens": 9, "completion_tokens": 2, "connector_tokens": None}

        assert pools_of({**raw, "connectors": None}) == {"input": 9, "output": 2}


class TestQwen:
    @pytest.mark.parametrize(
        "split",
        [
            {
                "cache_creation_input_tokens": 48,
                "cache_creation": {"ephemeral_5m_input_tokens": 48},
            },
            {"cache_creation": {"ephemeral_5m_input_tokens": 48}},
            {"cache_creation": {"cache_creation_input_tokens": 48, "cache_type": "ephemeral"}},
            {"cache_creation_input_tokens": 48, "cache_creation": {}},
        ],
        ids=str,
    )
    def test_what_went_into_a_cache_may_be_an_object_in_the_details(self, split: Raw) -> None:
        raw = {
            "prompt_tokens": 59,
            "completion_tokens": 21,
            "total_tokens": 80,
            "prompt_tokens_details": {"cached_tokens": 8, "cache_type": "ephemeral", **split},
        }

        assert pools_of(raw) == {
            "input": 3,
            "cached_input": 8,
            "cache_write_5m": 48,
            "output": 21,
        }

    def test_its_own_api_names_the_cache_as_a_chat_does(self) -> None:
        raw = {
            "input_tokens": 3019,
            "output_tokens": 17,
            "total_tokens": 3036,
            "prompt_tokens_details": {"cached_tokens": 2048},
        }

        assert pools_of(raw) == {"input": 971, "cached_input": 2048, "output": 17}

    def test_kinds_and_cache_are_told_in_two_objects(self) -> None:
        raw = {
            "input_tokens": 1264,
            "input_tokens_details": {"text_tokens": 34, "image_tokens": 1230},
            "prompt_tokens_details": {"cached_tokens": 30, "image_tokens": 5},
            "output_tokens": 82,
            "output_tokens_details": {"text_tokens": 82},
        }

        assert pools_of(raw) == {
            "input": 4,
            "cached_input": 30,
            "output": 82,
            "image_input": 1230,
        }

    def test_its_responses_tell_what_went_into_a_cache_turn_by_turn(self) -> None:
        turn = {"prompt_tokens_details": {"cache_creation_input_tokens": 213}}
        raw = {
            "input_tokens": 1524,
            "input_tokens_details": {"cached_tokens": 1305},
            "output_tokens": 34,
            "total_tokens": 1558,
            "x_details": [turn, {"total_tokens": 5}],
        }

        assert pools_of(raw) == {
            "input": 6,
            "cached_input": 1305,
            "cache_write_5m": 213,
            "output": 34,
        }
        assert pools_of({**raw, "x_details": []})["input"] == 219

    @pytest.mark.parametrize(
        ("total", "expected"),
        [
            (None, {"input": 33, "output": 10, "audio_input": 85}),
            (128, {"input": 33, "output": 10, "audio_input": 85}),
        ],
    )
    def test_sound_stands_beside_the_text(
        self, total: int | None, expected: dict[str, int]
    ) -> None:
        raw = {"audio_tokens": 85, "output_tokens": 10, "input_tokens": 33, "total_tokens": total}

        assert pools_of(raw) == expected

    def test_sound_that_the_total_has_inside_is_inside(self) -> None:
        raw = {"audio_tokens": 30, "output_tokens": 10, "input_tokens": 33, "total_tokens": 43}

        assert pools_of(raw) == {"input": 3, "output": 10, "audio_input": 30}

    def test_a_transcription_is_billed_by_its_length(self) -> None:
        usage = normalise_usage(
            {
                "seconds": 4,
                "input_tokens_details": {"text_tokens": 0},
                "output_tokens_details": {"text_tokens": 6},
                "output_tokens": 6,
            }
        )

        assert (usage.seconds_micro, usage.pools.nonzero()) == (4_000_000, {"output": 6})


def test_a_total_that_has_perplexitys_thoughts_in_it_counts_them_once() -> None:
    raw = {
        "prompt_tokens": 33,
        "completion_tokens": 7163,
        "citation_tokens": 20016,
        "reasoning_tokens": 73997,
        "num_search_queries": 18,
    }
    pools = {"input": 33 + 20016, "output": 7163, "reasoning": 73997}

    assert pools_of(raw) == pools
    assert pools_of({**raw, "total_tokens": 7196}) == pools
    assert pools_of({**raw, "total_tokens": 33 + 7163 + 20016 + 73997}) == pools


def test_thoughts_are_inside_the_output_of_xais_responses_even_without_a_total() -> None:
    raw = {
        "input_tokens": 32,
        "output_tokens": 151,
        "output_tokens_details": {"reasoning_tokens": 143},
    }

    usage = normalise_usage({"model": "grok-4", "usage": raw})

    assert usage.pools.nonzero() == {"input": 32, "output": 8, "reasoning": 143}


@pytest.mark.parametrize(
    "raw",
    [
        {"server_tool_use_details": {"web_search_requests": 2, "tool_calls_executed": 3}},
        {"prompt_tokens_details": {"web_search_requests": 2, "cached_tokens": None}},
        {"connectors": {"web_search": 2}},
    ],
    ids=str,
)
def test_searches_are_counted_wherever_a_gateway_tells_them(raw: Raw) -> None:
    usage = normalise_usage({"prompt_tokens": 5, "completion_tokens": 1, **raw})

    assert (usage.web_searches, usage.warnings) == (2, ())
