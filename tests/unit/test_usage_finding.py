"""A usage is found wherever a body, an event or a stream carries it, and counted once."""

from __future__ import annotations

import pytest

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.usage import TokenPools, normalise_usage

Raw = dict[str, object]

CHAT: Raw = {"prompt_tokens": 7, "completion_tokens": 3}
RESPONSE: Raw = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
GEMINI: Raw = {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10}


@pytest.mark.parametrize(
    ("body", "model"),
    [
        ({"model": "m", "usage": CHAT}, "m"),
        ({"type": "response.completed", "response": {"model": "m", "usage": RESPONSE}}, "m"),
        ({"type": "response.done", "response": {"usage": RESPONSE}}, None),
        ({"type": "message_start", "message": {"model": "m", "usage": RESPONSE}}, "m"),
        ({"type": "message_delta", "delta": {"stop_reason": "x"}, "usage": RESPONSE}, None),
        ({"model": "m", "usage": None, "x_groq": {"id": "r", "usage": CHAT}}, "m"),
        ({"modelVersion": "m", "usageMetadata": GEMINI}, "m"),
        ({"model_version": "m", "usage_metadata": GEMINI}, "m"),
        ({"response": {"modelVersion": "m", "usageMetadata": GEMINI}, "status": ""}, "m"),
        ({"result": {"model": "m", "usage": CHAT}, "success": True}, "m"),
        ({"model": "m", "response_metadata": {"token_usage": CHAT}}, "m"),
        ({"text": "hi", "totalUsage": {"inputTokens": 7, "outputTokens": 3}}, None),
    ],
    ids=str,
)
def test_a_usage_is_found_wherever_it_stands(body: Raw, model: str | None) -> None:
    usage = normalise_usage(body)

    assert usage.pools == TokenPools(input=7, output=3)
    assert (usage.model, usage.warnings) == (model, ())


def test_what_stands_too_deep_is_not_looked_for() -> None:
    body: Raw = {"usage": CHAT}
    for _ in range(5):
        body = {"response": body}

    with pytest.raises(InvalidError, match="is not recognised"):
        normalise_usage(body)


@pytest.mark.parametrize("name", ["metadata", "message", "meta", "delta"])
def test_what_stands_around_a_usage_may_be_anything_else(name: str) -> None:
    body: Raw = {"model": "m", name: {"character": "Ada"}, "prompt_eval_count": 5}

    assert normalise_usage(body).pools == TokenPools(input=5)


def test_a_null_of_another_dialect_is_no_word_of_it() -> None:
    raw: Raw = {"prompt_tokens": None, "completion_tokens": None, **RESPONSE}

    assert normalise_usage(raw).pools == TokenPools(input=7, output=3)


def test_zeros_of_another_dialect_do_not_hide_the_counts() -> None:
    raw: Raw = {"prompt_tokens": 0, "completion_tokens": 0, **RESPONSE}

    assert normalise_usage(raw).pools == TokenPools(input=7, output=3)


class TestBatches:
    @pytest.mark.parametrize(
        "line",
        [
            {
                "custom_id": "a",
                "response": {"status_code": 200, "body": {"model": "m", "usage": CHAT}},
            },
            {
                "custom_id": "a",
                "response": {"body": {"model": "m", "service_tier": "default", "usage": CHAT}},
            },
            {
                "custom_id": "a",
                "result": {
                    "type": "succeeded",
                    "message": {"model": "m", "usage": {**RESPONSE, "service_tier": "batch"}},
                },
            },
        ],
        ids=["openai", "openai default", "anthropic"],
    )
    def test_a_line_of_a_batch_is_of_the_batch_tier(self, line: Raw) -> None:
        usage = normalise_usage(line)

        assert (usage.model, usage.service_tier) == ("m", "batch")
        assert usage.pools == TokenPools(input=7, output=3)


class TestStreams:
    def test_the_last_usage_is_taken_and_never_the_sum(self) -> None:
        chunks: list[Raw] = [
            {"model": "m", "choices": [], "usage": None},
            {"model": "m", "usage": {"prompt_tokens": 7, "completion_tokens": 1}},
            {"model": "m", "usage": {"prompt_tokens": 7, "completion_tokens": 3}},
            {"model": "m", "choices": []},
        ]

        usage = normalise_usage({"events": chunks})

        assert usage.pools == TokenPools(input=7, output=3)
        assert usage.model == "m"

    def test_only_the_completed_response_counts(self) -> None:
        events: list[Raw] = [
            {"type": "response.created", "response": {"model": "m", "usage": None}},
            {"type": "response.output_text.delta", "delta": "hi"},
            {
                "type": "response.completed",
                "response": {"model": "m", "service_tier": "flex", "usage": RESPONSE},
            },
        ]

        usage = normalise_usage({"events": events})

        assert (usage.pools, usage.service_tier) == (TokenPools(input=7, output=3), "flex")

    def test_later_words_of_anthropic_replace_earlier_ones_and_what_they_leave_out_stays(
        self,
    ) -> None:
        start: Raw = {
            "input_tokens": 43,
            "cache_read_input_tokens": 5,
            "cache_creation_input_tokens": 70,
            "cache_creation": {"ephemeral_5m_input_tokens": 50, "ephemeral_1h_input_tokens": 20},
            "output_tokens": 1,
            "service_tier": "standard",
        }
        events: list[Raw] = [
            {"type": "message_start", "message": {"model": "claude-x", "usage": start}},
            {"type": "content_block_delta", "delta": {"text": "hi"}},
            {"type": "message_delta", "usage": {"output_tokens": 100, "input_tokens": None}},
            {"type": "message_delta", "usage": {"output_tokens": 282}},
            {"type": "message_stop"},
        ]

        usage = normalise_usage({"events": events})

        assert usage.model == "claude-x"
        assert usage.pools.nonzero() == {
            "input": 43,
            "cached_input": 5,
            "cache_write_5m": 50,
            "cache_write_1h": 20,
            "output": 282,
        }

    def test_a_list_of_anthropics_usage_objects_alone_is_read_the_same(self) -> None:
        objects: list[Raw] = [
            {"input_tokens": 43, "cache_read_input_tokens": 5, "output_tokens": 1},
            {"output_tokens": 282},
        ]

        assert normalise_usage({"events": objects}).pools.nonzero() == {
            "input": 43,
            "cached_input": 5,
            "output": 282,
        }

    def test_a_split_of_an_earlier_count_says_nothing_of_a_later_one(self) -> None:
        start: Raw = {
            "input_tokens": 1,
            "cache_creation_input_tokens": 70,
            "cache_creation": {"ephemeral_1h_input_tokens": 70},
            "output_tokens": 1,
        }
        events: list[Raw] = [
            {"type": "message_start", "message": {"usage": start}},
            {"type": "message_delta", "usage": {"cache_creation_input_tokens": 90}},
        ]

        usage = normalise_usage({"events": events})

        assert usage.pools.nonzero() == {"input": 1, "cache_write_5m": 90, "output": 1}
        assert usage.warnings == ()

    def test_what_follows_the_usage_in_a_stream_does_not_hide_it(self) -> None:
        chunks: list[Raw] = [
            {"model": "m", "service_tier": "flex", "choices": []},
            {"model": "m", "usage": CHAT},
            {"model": "m", "service_tier": "flex", "choices": [], "usage": None},
            {"type": "transcript.text.segment", "duration": 3.2},
        ]

        usage = normalise_usage({"events": chunks})

        assert (usage.pools, usage.model) == (TokenPools(input=7, output=3), "m")

    def test_another_message_is_not_added_to_the_one_before(self) -> None:
        events: list[Raw] = [
            {"type": "message_start", "message": {"usage": {"input_tokens": 500}}},
            {"type": "message_delta", "usage": {"output_tokens": 90}},
            {"type": "message_start", "message": {"usage": {"input_tokens": 7}}},
            {"type": "message_delta", "usage": {"output_tokens": 3}},
        ]

        assert normalise_usage({"events": events}).pools == TokenPools(input=7, output=3)

    def test_geminis_chunks_repeat_the_whole(self) -> None:
        chunks: list[Raw] = [
            {"usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7}},
            {"modelVersion": "g", "usageMetadata": GEMINI},
        ]

        usage = normalise_usage({"events": chunks})

        assert (usage.pools, usage.model) == (TokenPools(input=7, output=3), "g")

    def test_the_last_line_of_ollama_is_the_usage_itself(self) -> None:
        lines: list[object] = [
            {"model": "llama3", "message": {"content": "hi"}, "done": False},
            "not an event",
            {"model": "llama3", "done": True, "prompt_eval_count": 7, "eval_count": 3},
        ]

        usage = normalise_usage({"events": lines})

        assert (usage.pools, usage.model) == (TokenPools(input=7, output=3), "llama3")

    @pytest.mark.parametrize("events", [[], [None, 5, "x"], [{"usage": None}]], ids=str)
    def test_a_stream_without_a_usage_is_refused_with_how_to_get_one(
        self, events: list[object]
    ) -> None:
        with pytest.raises(InvalidError, match=r"usage\.events carry no usage; ask the provider"):
            normalise_usage({"events": events})
