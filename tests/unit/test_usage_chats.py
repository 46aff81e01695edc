"""What stands beside the tokens of a chat: searches, sound, images, and what it cost."""

from __future__ import annotations

from typing import Any

import pytest

from tollkeeper.domain.usage import TokenPools, Usage, normalise_usage

Raw = dict[str, Any]
Case = tuple[Raw, dict[str, int], tuple[str, ...]]


def usage_of(
    pools: dict[str, int], warnings: tuple[str, ...] = (), *, model: str | None = None, **more: Any
) -> Usage:
    """A usage of these pools."""
    return Usage(TokenPools(**pools), model, more.pop("cost_picousd", None), warnings, **more)


CHATS_PLAIN: Raw = {"prompt_tokens": 5, "completion_tokens": 2}


class TestChats:
    @pytest.mark.parametrize(
        "said",
        [
            {"num_sources_used": 0},
            {"cost_in_usd_ticks": 0},
            {"model": "grok-4"},
        ],
        ids=str,
    )
    def test_thinking_is_beside_the_completion_at_xai_alone(self, said: Raw) -> None:
        usage: Raw = {
            "prompt_tokens": 5,
            "completion_tokens": 12,
            "completion_tokens_details": {"reasoning_tokens": 4},
            **{name: value for name, value in said.items() if name != "model"},
        }
        model = str(said.get("model", "m"))

        read = normalise_usage({"model": model, "usage": usage})

        cost = 0 if "cost_in_usd_ticks" in said else None
        pools = {"input": 5, "output": 12, "reasoning": 4}
        assert read == usage_of(pools, model=model, cost_picousd=cost)

    def test_perplexity_bills_citations_as_input_and_thoughts_besides(self) -> None:
        raw: Raw = {
            "prompt_tokens": 5,
            "completion_tokens": 12,
            "total_tokens": 17,
            "reasoning_tokens": 90,
            "citation_tokens": 40,
            "num_search_queries": 3,
            "cost": {"total_cost": 0.5},
        }

        assert normalise_usage(raw) == usage_of(
            {"input": 45, "output": 12, "reasoning": 90},
            cost_picousd=5 * 10**11,
            web_searches=3,
        )

    @pytest.mark.parametrize(
        "said", [{"citation_tokens": 0}, {"num_search_queries": 0}, {"search_context_size": "low"}]
    )
    def test_any_word_of_perplexity_puts_thoughts_beside_the_completion(self, said: Raw) -> None:
        raw: Raw = {"prompt_tokens": 5, "completion_tokens": 12, "reasoning_tokens": 4, **said}

        assert normalise_usage(raw) == usage_of({"input": 5, "output": 12, "reasoning": 4})
        assert normalise_usage({**raw, **dict.fromkeys(said)}) == usage_of(
            {"input": 5, "output": 8, "reasoning": 4}
        )

    def test_the_details_of_perplexitys_prompt_and_completion_are_read_too(self) -> None:
        raw: Raw = {
            "prompt_tokens": 5,
            "completion_tokens": 12,
            "citation_tokens": 1,
            "prompt_tokens_details": {"cached_tokens": 2},
            "completion_tokens_details": {"audio_tokens": 3},
        }

        assert normalise_usage(raw) == usage_of(
            {"input": 4, "cached_input": 2, "output": 9, "audio_output": 3}
        )

    @pytest.mark.parametrize(
        ("tools", "count"),
        [
            ({"server_tool_use": {"web_search_requests": 4}}, 4),
            ({"server_tool_use": {"other": 4}}, 0),
            ({"server_tool_use": {}}, 0),
            ({"server_side_tool_usage_details": {"web_search_calls": 4}}, 4),
            ({"server_side_tool_usage_details": {}}, 0),
            ({"tool_calls_details": {"search_web": {"invocation": 4}}}, 4),
            ({"tool_calls_details": {"search_web": {}}}, 0),
            ({"tool_calls_details": {"other": {}}}, 0),
            ({"tool_calls_details": {}}, 0),
        ],
        ids=str,
    )
    def test_searches_are_counted_in_chats_and_in_responses(self, tools: Raw, count: int) -> None:
        chat: Raw = {"prompt_tokens": 5, "completion_tokens": 2, **tools}
        response: Raw = {"input_tokens": 5, "output_tokens": 2, "input_tokens_details": {}, **tools}

        expected = usage_of({"input": 5, "output": 2}, web_searches=count)
        assert normalise_usage(chat) == normalise_usage(response) == expected

    def test_mistrals_sound_stands_in_the_total_alone(self) -> None:
        raw: Raw = {
            "prompt_tokens": 4,
            "completion_tokens": 20,
            "total_tokens": 399,
            "prompt_audio_seconds": 30,
        }

        expected = {"input": 4, "output": 20, "audio_input": 375}
        assert normalise_usage(raw) == usage_of(expected, seconds_micro=30_000_000)
        details: Raw = {"prompt_tokens_details": {"audio_tokens": 2, "cached_tokens": 1}}
        assert normalise_usage(raw | details) == usage_of(
            {"input": 3, "cached_input": 1, "output": 20, "audio_input": 375},
            seconds_micro=30_000_000,
        )

    def test_the_larger_of_two_sounds_is_read(self) -> None:
        raw: Raw = {
            "prompt_tokens": 4,
            "completion_tokens": 20,
            "total_tokens": 34,
            "prompt_audio_seconds": 30,
            "prompt_tokens_details": {"audio_tokens": 12},
        }

        assert normalise_usage(raw) == usage_of(
            {"input": 2, "output": 20, "audio_input": 12}, seconds_micro=30_000_000
        )
        assert normalise_usage({**raw, "prompt_tokens": None, "total_tokens": 20}) == usage_of(
            {"output": 20}, ("audio_above_input",), seconds_micro=30_000_000
        )

    def test_all_that_an_older_image_endpoint_says_is_image(self) -> None:
        raw: Raw = {
            "input_tokens": 50,
            "output_tokens": 30,
            "total_tokens": 80,
            "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
        }

        expected = {"input": 10, "image_input": 40, "image_output": 30}
        assert normalise_usage(raw) == usage_of(expected)
        for missing in ("text_tokens", "image_tokens"):
            details = {**raw["input_tokens_details"]}
            image = 0 if missing == "image_tokens" else 40
            del details[missing]
            pools = {"input": 50 - image, "image_input": image, "output": 30}
            assert normalise_usage(raw | {"input_tokens_details": details}) == usage_of(pools)
        cached = {**raw["input_tokens_details"], "cached_tokens": 0}
        pools = {"input": 10, "image_input": 40, "output": 30}
        assert normalise_usage(raw | {"input_tokens_details": cached}) == usage_of(pools)

    @pytest.mark.parametrize("plural", ["tokens", "token"])
    def test_a_response_splits_both_sides(self, plural: str) -> None:
        raw: Raw = {
            "input_tokens": 100,
            "output_tokens": 50,
            "total_tokens": 150,
            f"input_{plural}_details": {"cached_tokens": 30, "audio_tokens": 20},
            f"output_{plural}_details": {"reasoning_tokens": 15, "audio_tokens": 5},
        }

        assert normalise_usage(raw) == usage_of(
            {
                "input": 50,
                "cached_input": 30,
                "output": 30,
                "reasoning": 15,
                "audio_input": 20,
                "audio_output": 5,
            }
        )

    @pytest.mark.parametrize(
        ("read", "cached"),
        [("cache_read", 9), ("flex_cache_read", 9), ("priority_cache_read", 9)],
    )
    def test_langchain_names_its_tier_before_a_cache(self, read: str, cached: int) -> None:
        raw: Raw = {
            "input_tokens": 20,
            "output_tokens": 10,
            "total_tokens": 30,
            "input_token_details": {read: cached, "audio": 2, "image": 3, "video": 4},
            "output_token_details": {"reasoning": 1, "audio": 2, "image": 3, "video": 4},
        }

        assert normalise_usage(raw) == usage_of(
            {
                "input": 2,
                "cached_input": 9,
                "reasoning": 1,
                "audio_input": 2,
                "audio_output": 2,
                "image_input": 3,
                "image_output": 3,
                "video_input": 4,
                "video_output": 4,
            }
        )

    def test_openrouter_says_what_it_billed_and_so_who_it_is(self) -> None:
        raw: Raw = {
            "prompt_tokens": 5,
            "completion_tokens": 2,
            "cost": 0.25,
            "is_byok": True,
            "cost_details": {"upstream_inference_cost": 0.5},
        }
        pools = {"input": 5, "output": 2}

        whole = usage_of(pools, cost_picousd=75 * 10**10, provider="openrouter")
        own = usage_of(pools, cost_picousd=25 * 10**10, provider="openrouter")
        nobody = usage_of(pools, cost_picousd=25 * 10**10)
        assert normalise_usage(raw) == whole
        assert normalise_usage({**raw, "is_byok": False}) == own
        assert normalise_usage({**raw, "is_byok": 1}) == own
        assert normalise_usage({**CHATS_PLAIN, "cost": 0.25, "is_byok": False}) == own
        assert normalise_usage({**CHATS_PLAIN, "cost": 0.25, "cost_details": {}}) == own
        assert normalise_usage({**raw, "cost_details": None}) == own
        assert normalise_usage({k: v for k, v in raw.items() if k != "is_byok"}) == own
        assert normalise_usage({**CHATS_PLAIN, "cost": 0.25}) == nobody
        assert normalise_usage({**CHATS_PLAIN, "is_byok": True}) == usage_of(pools)
        upstream = {"upstream_inference_cost": "x"}
        assert normalise_usage({**raw, "cost_details": upstream}) == usage_of(
            pools, ("impossible_cost",), cost_picousd=25 * 10**10, provider="openrouter"
        )

    @pytest.mark.parametrize(
        ("cost", "picousd"),
        [
            (0, 0),
            (1000, 10**15),
            (1e-12, 1),
            (1e-13, 1),
            (1e-60, 1),
            ({"total_cost": 2}, 2 * 10**12),
        ],
    )
    def test_a_cost_is_in_whole_picousd_rounded_up(self, cost: object, picousd: int) -> None:
        pools = {"input": 5, "output": 2}

        assert normalise_usage({**CHATS_PLAIN, "cost": cost}) == usage_of(
            pools, cost_picousd=picousd
        )

    @pytest.mark.parametrize("cost", [1001, -1, "1", True, {"other": 1}, float("inf")])
    def test_a_cost_that_cannot_be_is_not_read(self, cost: object) -> None:
        pools = {"input": 5, "output": 2}

        assert normalise_usage({**CHATS_PLAIN, "cost": cost}) == usage_of(
            pools, ("impossible_cost",)
        )

    def test_a_tick_is_a_ten_thousand_millionth_of_a_dollar(self) -> None:
        raw = {**CHATS_PLAIN, "cost_in_usd_ticks": 37}

        assert normalise_usage(raw) == usage_of({"input": 5, "output": 2}, cost_picousd=3700)
        most = {**CHATS_PLAIN, "cost_in_usd_ticks": 10**13}
        assert normalise_usage(most).cost_picousd == 10**15
        assert normalise_usage({**most, "cost_in_usd_ticks": 10**13 + 1}).cost_picousd is None
