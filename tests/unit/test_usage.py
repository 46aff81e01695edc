"""The usage of a call is read once per token, whoever reports it and however."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.usage import TokenPools, normalise_usage

WRONG: list[object] = [
    *(-1, True, False, None, "5", "", [], [5], {}, 10**12 + 1, 10**400),
    *(0.5, math.nan, -math.inf, Decimal("0.5"), Decimal("-0.1"), Decimal("NaN")),
    *(Decimal("sNaN"), Decimal("Infinity"), Decimal("1e400"), Decimal("1e-999999")),
]
LONG = Decimal("0." + "1" * 50)


def pools_of(raw: dict[str, object]) -> dict[str, int]:
    return normalise_usage(raw).pools.nonzero()


class TestPools:
    def test_the_total_is_the_sum_of_every_pool(self) -> None:
        assert TokenPools(*range(1, 15)).total() == 105

    def test_the_least_pool_is_the_smallest_of_all(self) -> None:
        assert TokenPools(*range(5, 19)).least() == 5
        assert TokenPools(video_output=-1).least() == -1

    def test_nonzero_names_only_what_holds_something_in_the_order_of_the_fields(self) -> None:
        pools = TokenPools(audio_output=1, reasoning=2, input=3)

        assert list(pools.nonzero().items()) == [
            ("input", 3),
            ("reasoning", 2),
            ("audio_output", 1),
        ]

    def test_pools_add_up_pool_by_pool(self) -> None:
        assert TokenPools(1, 2).plus(TokenPools(input=10, output=5)) == TokenPools(11, 2, output=5)


class TestPlainCounts:
    def test_plain_counts_go_to_the_pools_of_their_names(self) -> None:
        raw: dict[str, object] = {
            "input": 1,
            "cached_input": 2,
            "cache_write_5m": 3,
            "cache_write_1h": 4,
            "output": 5,
            "reasoning": 6,
            "audio_input": 7,
            "audio_output": 8,
            "cached_audio_input": 9,
            "image_input": 10,
            "cached_image_input": 11,
            "image_output": 12,
            "video_input": 13,
            "video_output": 14,
        }

        usage = normalise_usage(raw)

        assert usage.pools == TokenPools(*range(1, 15))
        assert (usage.model, usage.cost_picousd, usage.warnings) == (None, None, ())

    def test_a_total_alone_is_input_and_says_so(self) -> None:
        usage = normalise_usage({"total": 25})

        assert usage.pools == TokenPools(input=25)
        assert usage.warnings == ("total_only",)

    def test_a_total_that_is_the_sum_is_accepted_beside_the_pools(self) -> None:
        assert pools_of({"input": 20, "output": 5, "total": 25}) == {"input": 20, "output": 5}

    def test_a_total_that_is_not_the_sum_is_refused(self) -> None:
        with pytest.raises(InvalidError, match=r"usage\.total must be the sum of the pools, 25"):
            normalise_usage({"input": 20, "output": 5, "total": 26})

    def test_a_whole_decimal_is_a_count(self) -> None:
        assert pools_of({"input": Decimal("5.0"), "output": Decimal("1E+1")}) == {
            "input": 5,
            "output": 10,
        }

    def test_a_million_millions_is_the_most_a_count_can_be(self) -> None:
        assert pools_of({"input": 10**12}) == {"input": 10**12}

    def test_all_zero_is_a_call_that_used_nothing(self) -> None:
        assert pools_of({"input": 0}) == {}

    @pytest.mark.parametrize(
        "wrong",
        WRONG,
        ids=str,
    )
    def test_a_wrong_plain_count_is_refused_by_name(self, wrong: object) -> None:
        with pytest.raises(InvalidError) as caught:
            normalise_usage({"input": 1, "cached_input": wrong})

        assert caught.value.problems[0][0] == "usage.cached_input"

    def test_an_unknown_plain_member_is_refused_by_name(self) -> None:
        with pytest.raises(InvalidError, match=r"usage\.inputs is no token pool"):
            normalise_usage({"output": 1, "inputs": 5})

    def test_a_provider_count_among_plain_ones_is_refused(self) -> None:
        with pytest.raises(InvalidError, match=r"usage\.total_tokens is no token pool"):
            normalise_usage({"input": 1, "total_tokens": 5})


class TestWhatIsNoUsage:
    @pytest.mark.parametrize(
        "raw",
        [{}, {"tokens": 5}, {"input_token": 5}, {"model": "gpt-4"}, {"choices": [{"index": 0}]}],
        ids=str,
    )
    def test_an_unknown_shape_is_refused_with_what_would_do(self, raw: dict[str, object]) -> None:
        with pytest.raises(
            InvalidError, match="is not recognised; send token counts such as input"
        ):
            normalise_usage(raw)

    def test_a_refusal_names_all_who_are_understood(self) -> None:
        with pytest.raises(InvalidError) as refused:
            normalise_usage({"tokens": 5})

        for name in ("OpenAI", "Anthropic", "Gemini", "Bedrock", "Cohere", "Ollama", "LangChain"):
            assert name in refused.value.detail

    @pytest.mark.parametrize(
        "raw", [{"pages_processed": 3}, {"model": "ocr", "usage_info": {"pages_processed": 3}}]
    )
    def test_pages_are_refused_with_the_way_to_send_them(self, raw: dict[str, object]) -> None:
        with pytest.raises(InvalidError, match="counts pages, not tokens; send them as a quantity"):
            normalise_usage(raw)

    def test_a_body_whose_usage_is_null_is_refused_as_not_reported(self) -> None:
        with pytest.raises(
            InvalidError, match=r"usage\.usage is empty: the provider has not reported"
        ):
            normalise_usage({"model": "gpt-4", "usage": None, "output": []})

    def test_a_body_that_names_a_tier_and_no_usage_is_refused_as_not_reported(self) -> None:
        with pytest.raises(InvalidError, match=r"usage\.usage is empty"):
            normalise_usage({"model": "gpt-4", "service_tier": "default", "usage": None})

    def test_counts_beside_a_usage_that_is_null_are_the_usage(self) -> None:
        body: dict[str, object] = {"usage": None, "prompt_eval_count": 5, "eval_count": 2}

        assert pools_of(body) == {"input": 5, "output": 2}

    @pytest.mark.parametrize("usage", [5, "x", True, [{"prompt_tokens": 5}]], ids=str)
    def test_a_body_whose_usage_is_no_object_is_refused(self, usage: object) -> None:
        with pytest.raises(InvalidError, match=r"usage\.usage must be the provider's usage object"):
            normalise_usage({"usage": usage})

    @pytest.mark.parametrize(
        "raw",
        [
            {"prompt_tokens": None, "completion_tokens": None},
            {"prompt_tokens": "12", "completion_tokens": True},
            {"input_tokens": -1},
            {"promptTokenCount": [5]},
            {"cache_creation": {}},
            {"billed_units": {"input": 1}},
            {"inputTokens": "5"},
            {"seconds": "27"},
        ],
        ids=str,
    )
    def test_a_known_shape_without_one_possible_count_is_refused(
        self, raw: dict[str, object]
    ) -> None:
        with pytest.raises(InvalidError, match="holds no possible token count"):
            normalise_usage(raw)


class TestWholeBodies:
    @pytest.mark.parametrize(
        "usage",
        [
            {"prompt_tokens": 7, "completion_tokens": 3},
            {"input_tokens": 7, "output_tokens": 3},
            {"input": 7, "output": 3},
        ],
        ids=str,
    )
    def test_a_body_reads_like_its_usage_and_names_the_model(
        self, usage: dict[str, object]
    ) -> None:
        whole = normalise_usage({"id": "x", "model": "m-1", "output": [], "usage": usage})

        assert whole.pools == normalise_usage(usage).pools == TokenPools(input=7, output=3)
        assert (whole.model, normalise_usage(usage).model) == ("m-1", None)

    def test_a_gemini_body_names_its_model_version(self) -> None:
        body: dict[str, object] = {
            "candidates": [],
            "modelVersion": "gemini-x",
            "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3},
        }

        assert normalise_usage(body).model == "gemini-x"
        assert pools_of(body) == {"input": 7, "output": 3}

    @pytest.mark.parametrize("model", [None, 5, "", True, ["m"]], ids=str)
    def test_a_model_that_is_no_text_is_no_model(self, model: object) -> None:
        assert normalise_usage({"model": model, "usage": {"prompt_tokens": 1}}).model is None


class TestCost:
    @pytest.mark.parametrize(
        ("cost", "picousd"),
        [
            (0, 0),
            (1, 10**12),
            (Decimal("0.00341475"), 3_414_750_000),
            (8.6e-05, 86_000_000),
            (1000, 10**15),
            (Decimal("0.0000000000001"), 1),
            (Decimal("0." + "1" * 40), 111_111_111_112),
            (Decimal("1e-999999"), 1),
            (Decimal("0.0000000000011"), 2),
        ],
        ids=str,
    )
    def test_the_billed_cost_is_exact_and_rounded_up_where_it_is_finer(
        self, cost: object, picousd: int
    ) -> None:
        assert normalise_usage({"prompt_tokens": 1, "cost": cost}).cost_picousd == picousd

    @pytest.mark.parametrize(
        "cost",
        [-1, True, "0.1", {"cost": 1}, {}, Decimal("NaN"), Decimal("1e400"), 1001, LONG],
        ids=str,
    )
    def test_an_impossible_cost_is_no_cost_and_said(self, cost: object) -> None:
        usage = normalise_usage({"prompt_tokens": 1, "cost": cost})

        assert usage.cost_picousd is None
        assert usage.warnings == ("impossible_cost",)

    def test_perplexity_states_the_whole_cost_among_its_parts(self) -> None:
        cost = {"input_tokens_cost": Decimal("0.001"), "total_cost": Decimal("0.006")}

        usage = normalise_usage({"prompt_tokens": 1, "cost": cost})

        assert (usage.cost_picousd, usage.provider) == (6 * 10**9, "")

    def test_xai_states_it_in_ticks_of_a_ten_thousand_millionth_dollar(self) -> None:
        raw: dict[str, object] = {"prompt_tokens": 1, "cost_in_usd_ticks": 37_756_000}

        assert normalise_usage(raw).cost_picousd == 3_775_600_000

    @pytest.mark.parametrize("ticks", [-1, "5", True, 1000 * 10**10 + 1])
    def test_impossible_ticks_are_no_cost_and_said(self, ticks: object) -> None:
        usage = normalise_usage({"prompt_tokens": 1, "cost_in_usd_ticks": ticks})

        assert (usage.cost_picousd, usage.warnings) == (None, ("impossible_cost",))

    @pytest.mark.parametrize(
        ("is_byok", "details", "picousd"),
        [
            (True, {"upstream_inference_cost": Decimal("0.02")}, 21 * 10**9),
            (True, {"upstream_inference_cost": None}, 10**9),
            (True, None, 10**9),
            (False, {"upstream_inference_cost": Decimal("0.02")}, 10**9),
            (None, {"upstream_inference_cost": Decimal("0.02")}, 10**9),
        ],
    )
    def test_with_your_own_key_the_provider_behind_openrouter_bills_besides(
        self, is_byok: object, details: object, picousd: int
    ) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 1,
            "cost": Decimal("0.001"),
            "is_byok": is_byok,
            "cost_details": details,
        }

        usage = normalise_usage(raw)

        assert (usage.cost_picousd, usage.provider) == (picousd, "openrouter")

    def test_an_estimate_by_somebody_else_is_no_cost(self) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 1,
            "pydantic_ai_gateway": {"cost_estimate": Decimal("0.5")},
            "cost_details": {"upstream_inference_cost": Decimal("0.5")},
        }

        assert normalise_usage(raw).cost_picousd is None
