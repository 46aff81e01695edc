"""The rule by tokens: what the provider bills, times a markup, over what a credit is worth."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.unit.building import CATALOG as PLAIN
from tests.unit.priced import (
    CATALOG,
    LLM,
    NOW,
    PRICES,
    catalog_of,
    llm,
    price,
    priced_with,
    usage_of,
)
from tests.unit.pricing_books import book_text
from tollkeeper.domain.errors import InvalidError, UnknownModelError
from tollkeeper.domain.pricing import Consumption, consumption_of, price_run, standing_of
from tollkeeper.domain.usage import TokenPools, UsagePart, normalise_usage

CEILING = priced_with('unknown_model = "ceiling"')
QUARANTINE = priced_with('unknown_model = "quarantine"')


def usd(picousd: int | None) -> Fraction:
    assert picousd is not None
    return Fraction(picousd, 10**12)


def test_a_run_costs_its_usd_times_the_markup_over_what_a_credit_is_worth() -> None:
    priced = llm(CATALOG, input=1000, output=100)

    assert usd(priced.run.cost_picousd) == Fraction("0.00225")
    assert priced.charged_microcredits == Fraction("0.00225") * Fraction("1.5") * 100 * 10**6


def test_each_kind_of_token_has_its_own_line_and_they_add_up() -> None:
    priced = llm(CATALOG, input=1000, cached_input=7, output=100, reasoning=3)

    lines = [(x.item, x.quantity, x.rate) for x in priced.run.lines]
    assert lines == [
        ("gpt-5 input", "1000", "1.25 USD/1M x 1.5"),
        ("gpt-5 cached input", "7", "0.125 USD/1M x 1.5"),
        ("gpt-5 output", "100", "10 USD/1M x 1.5"),
        ("gpt-5 reasoning", "3", "10 USD/1M x 1.5"),
    ]
    assert sum(x.credits_microcredits for x in priced.run.lines) == priced.charged_microcredits


def test_the_price_is_rounded_up_once_however_many_lines_it_has() -> None:
    catalog = catalog_of(PRICES.replace('"0.01"', "7") + LLM)

    priced = llm(catalog, input=1, cached_input=1, output=1)

    exact = Fraction("11.375") * Fraction("1.5") / 7
    assert priced.charged_microcredits == -(-exact.numerator // exact.denominator) == 3
    assert [x.credits_microcredits for x in priced.run.lines] == [1, 0, 2]


def test_the_row_says_the_prices_and_the_moment_that_they_are_of() -> None:
    run = llm(CATALOG, input=1).run

    assert (run.price_version, run.priced_at, run.provider) == (CATALOG.version, NOW, "openai")
    assert (run.stands_for, run.pending, run.plan) == ("", "", "")


def test_what_a_row_recorded_prices_the_same_again() -> None:
    usage = usage_of(input=9, output=3, seconds_micro=None, web_searches=2, provider="anthropic")
    first = price(CEILING, model="claude-sonnet", usage=usage)
    guessed = price(CEILING, model="claude-next", usage=usage, service_tier="batch")

    for priced in (first, guessed):
        again = price_run(consumption_of(priced.run, NOW), CEILING, standing_of(priced.run))
        assert again.charged_microcredits == priced.charged_microcredits
        assert again.run.lines == priced.run.lines


def test_the_model_may_be_named_by_the_request_or_by_the_usage() -> None:
    by_usage = price(CATALOG, usage=usage_of(model="gpt-5", input=8))
    by_both = price(CATALOG, model="gpt-5-mini", usage=usage_of(model="gpt-5", input=8))

    assert by_usage.run.model == "gpt-5"
    assert by_both.run.model == "gpt-5-mini"
    assert by_usage.charged_microcredits == 5 * by_both.charged_microcredits


@pytest.mark.parametrize(
    ("operation", "reason"),
    [({"usage": None}, "is needed"), ({"quantity_micro": 1}, "cannot be used")],
)
def test_it_needs_a_usage_and_no_quantity(operation: dict[str, Any], reason: str) -> None:
    asked: dict[str, Any] = {"usage": usage_of(input=1), **operation}
    with pytest.raises(InvalidError, match=reason):
        price(CATALOG, model="gpt-5", **asked)


class TestMarkups:
    @pytest.mark.parametrize(
        ("markups", "factor"),
        [
            ("", "1.5"),
            ('openai = "1.2"', "1.2"),
            ('OpenAI = "1.2"', "1.2"),
            ('anthropic = "1.2"', "1.5"),
            ('openai = "1.2"\n"gpt-5" = 2', "2"),
            ('openai = "1.2"\n"gpt-*" = 2', "2"),
            ('openai = "1.2"\n"openai:gpt-5*" = 2', "2"),
            ('openai = "1.2"\n"azure:gpt-5*" = 2', "1.2"),
            ('"gpt-*" = 3\n"gpt-5*" = 2', "2"),
            ('"gpt-5-*" = 3\n"gpt-5" = 2\n"*" = 4', "2"),
        ],
    )
    def test_a_model_s_wins_over_its_provider_s_and_that_over_the_default(
        self, markups: str, factor: str
    ) -> None:
        catalog = catalog_of(f"{PRICES}[prices.markups]\n{markups}\n{LLM}")

        charged = llm(catalog, input=10**6).charged_microcredits
        assert charged == Fraction("1.25") * Fraction(factor) * 100 * 10**6

    def test_an_operation_s_own_win_over_all_of_them(self) -> None:
        catalog = catalog_of(
            f'{PRICES}[prices.markups]\n"gpt-5" = 2\n{LLM}markup = 3\n[operations.llm.markups]\n'
            "anthropic = 4\n"
        )

        assert llm(catalog, input=10**6).charged_microcredits == 125 * 3 * 10**6
        assert llm(catalog, "claude-opus", input=10**6).charged_microcredits == 500 * 4 * 10**6

    def test_they_change_what_is_charged_and_not_what_it_costs(self) -> None:
        dear = catalog_of(PRICES.replace("1.5", "15") + LLM)

        assert llm(dear, input=100).run.cost_picousd == llm(CATALOG, input=100).run.cost_picousd
        assert llm(dear, input=100).charged_microcredits == 187_500


class TestOverrides:
    OWN = """
[[prices.overrides]]
patterns = ["gpt-5", "own-*", "openai:gpt-5-mini"]
usd_per_million = { input = "0.5", output = 2 }
"""

    @pytest.mark.parametrize("model", ["gpt-5", "own-model", "GPT-5", "gpt-5-mini"])
    def test_an_operator_s_rates_win_over_the_book(self, model: str) -> None:
        priced = llm(catalog_of(PRICES + self.OWN + LLM), model, input=100, output=10)

        assert usd(priced.run.cost_picousd) == Fraction("0.00007")
        assert priced.run.priced_at is None

    def test_a_pattern_with_a_provider_means_that_provider_alone(self) -> None:
        own = self.OWN.replace("openai:", "azure:")
        priced = llm(catalog_of(PRICES + own + LLM), "gpt-5-mini", input=100, output=10)

        assert usd(priced.run.cost_picousd) == Fraction("0.000045")

    def test_kinds_of_tokens_that_have_no_rate_cost_what_the_next_general_kind_does(self) -> None:
        catalog = catalog_of(PRICES + self.OWN + LLM)

        assert llm(catalog, cached_input=5, reasoning=3).run.cost_picousd == 8_500_000

    def test_time_searches_and_requests_have_rates_too(self) -> None:
        own = (
            '[[prices.overrides]]\npatterns = ["own"]\nusd_per_audio_hour = "0.36"\n'
            "usd_per_1k_searches = 10\nusd_per_1k_requests = 1\n"
        )
        priced = llm(
            catalog_of(PRICES + own + LLM), "own", seconds_micro=10 * 10**6, web_searches=3
        )

        assert usd(priced.run.cost_picousd) == Fraction("0.001") + Fraction("0.03") + Fraction(
            "0.001"
        )


class TestProviderCost:
    def test_a_cost_that_the_provider_reports_is_the_cost(self) -> None:
        priced = llm(CATALOG, input=1000, cost=123)

        assert priced.run.cost_picousd == priced.run.reported_picousd == 123
        assert priced.charged_microcredits == 1
        assert [x.item for x in priced.run.lines] == ["gpt-5 as reported"]
        assert priced.run.priced_at is None

    def test_it_is_believed_of_a_model_that_nobody_knows(self) -> None:
        catalog = catalog_of(f"{PRICES}[prices.markups]\nanthropic = 3\n{LLM}")
        usage = usage_of(input=1, cost=10**10)

        unknown = price(catalog, model="new", usage=usage)
        hinted = price(catalog, model="new", usage=replace(usage, provider="anthropic"))
        assert unknown.charged_microcredits == Fraction("0.01") * Fraction("1.5") * 10**8
        assert hinted.charged_microcredits == 2 * unknown.charged_microcredits

    def test_a_reported_cost_of_nothing_never_makes_a_run_free(self) -> None:
        priced = llm(CATALOG, input=1000, cost=0)

        assert priced.charged_microcredits == llm(CATALOG, input=1000).charged_microcredits
        assert priced.run.warnings == ("zero_provider_cost",)
        with pytest.raises(UnknownModelError):
            llm(CATALOG, "new", input=1000, cost=0)

    def test_it_is_not_used_where_the_catalog_says_so(self) -> None:
        catalog = catalog_of(f"{PRICES}use_provider_cost = false\n{LLM}")

        for cost in (0, 123):
            priced = llm(catalog, input=1000, cost=cost)
            assert usd(priced.run.cost_picousd) == Fraction("0.00125")
            assert priced.run.warnings == ()

    def test_alone_it_is_charged_where_it_counts_and_refused_where_tokens_do(self) -> None:
        alone = normalise_usage({"cost": Decimal("0.01"), "is_byok": False})
        by_tokens = catalog_of(f"{PRICES}use_provider_cost = false\n{LLM}")

        charged = price(CATALOG, model="gpt-5", usage=alone).charged_microcredits

        assert charged == Fraction("0.01") * Fraction("1.5") * 10**8
        for catalog, usage in (
            (by_tokens, alone),
            (CATALOG, normalise_usage({"cost": 0, "is_byok": False})),
        ):
            with pytest.raises(InvalidError, match="what was billed and not what was used"):
                price(catalog, model="gpt-5", usage=usage)

    def test_alone_it_is_refused_by_a_price_per_1000_tokens(self) -> None:
        alone = normalise_usage({"cost_in_usd_ticks": 5})

        with pytest.raises(InvalidError, match=r"^usage says .*; chat is priced by tokens"):
            price_run(Consumption("chat", model="gpt-4", usage=alone, priced_at=NOW), PLAIN)


class TestUnknownModels:
    def test_one_is_refused_and_the_likest_known_are_named(self) -> None:
        with pytest.raises(UnknownModelError) as refusal:
            llm(CATALOG, "gpt-5-nano", input=1)

        assert refusal.value.known[:2] == ("gpt-5-mini", "gpt-5")
        with pytest.raises(UnknownModelError, match="name the model"):
            llm(CATALOG, None, input=1)

    def test_one_of_an_explicit_provider_is_not_priced_as_another_s(self) -> None:
        with pytest.raises(UnknownModelError):
            price(CATALOG, model="gpt-5", usage=usage_of(input=1), provider="anthropic")

        hinted = price(CATALOG, model="gpt-5", usage=usage_of(input=1, provider="anthropic"))
        assert hinted.run.provider == "openai"

    @pytest.mark.parametrize(
        ("model", "provider", "stands_for"),
        [
            ("gpt-6", "", "gpt-5"),
            ("gpt-6", "anthropic", "claude-opus"),
            ("gpt-6", "nobody", "claude-opus"),
            ("claude-next", "", "claude-opus"),
            ("strange", "", "claude-opus"),
            ("strange", "openai", "gpt-5"),
        ],
    )
    def test_a_ceiling_is_the_dearest_model_of_the_provider_for_this_usage(
        self, model: str, provider: str, stands_for: str
    ) -> None:
        usage = usage_of(input=1000, output=1000)
        priced = price(CEILING, model=model, usage=usage, provider=provider)

        known = llm(CEILING, stands_for, input=1000, output=1000)
        assert priced.charged_microcredits == known.charged_microcredits
        assert (priced.run.stands_for, priced.run.pending) == (stands_for, "")
        assert priced.run.warnings == ("unknown_model_ceiling",)
        assert priced.run.lines[0].item == f"{model} input"

    def test_a_usage_s_own_provider_is_believed_before_the_name_s(self) -> None:
        usage = usage_of(input=1000, provider="anthropic")

        assert price(CEILING, model="gpt-6", usage=usage).run.stands_for == "claude-opus"

    def test_rates_of_the_operator_s_own_are_among_what_may_be_dearest(self) -> None:
        own = (
            '[[prices.overrides]]\npatterns = ["openai:secret"]\n'
            "usd_per_million = { input = 99, output = 99 }\n"
        )
        catalog = catalog_of(PRICES + own + LLM + 'unknown_model = "ceiling"')

        assert llm(catalog, "gpt-6", input=1).run.stands_for == "openai:secret"
        assert llm(catalog, "claude-next", input=1).run.stands_for == "claude-opus"

    def test_a_quarantined_one_is_charged_as_the_ceiling_and_waits(self) -> None:
        priced = llm(QUARANTINE, "gpt-6", input=1000)

        assert priced.charged_microcredits == llm(CEILING, "gpt-6", input=1000).charged_microcredits
        assert (priced.run.stands_for, priced.run.pending) == ("gpt-5", "unknown_model")
        assert priced.run.warnings == ("unknown_model_quarantined",)
        assert llm(QUARANTINE, "gpt-5", input=1000).run.pending == ""

    def test_a_name_of_no_model_is_a_ceiling_too(self) -> None:
        priced = price(CEILING, usage=usage_of(input=1000))

        assert (priced.run.model, priced.run.stands_for) == ("", "claude-opus")
        assert priced.run.lines[0].item == "claude-opus input"

    def test_a_usage_that_its_model_has_no_rate_for_is_as_unknown_as_a_model(self) -> None:
        with pytest.raises(UnknownModelError):
            llm(CATALOG, "whisper-1", input=1000)
        assert llm(CEILING, "whisper-1", input=1000).charged_microcredits > 0

        part = llm(CATALOG, "claude-opus", input=1000, web_searches=3)
        assert part.run.warnings == ("pool_not_priced",)
        assert (
            part.charged_microcredits
            == llm(CATALOG, "claude-opus", input=1000).charged_microcredits
        )

    def test_a_fee_alone_is_no_price_for_what_was_used(self) -> None:
        own = """
[[prices.overrides]]
patterns = ["own"]
usd_per_million = { input = 1, output = 1 }
usd_per_1k_requests = 5
"""
        catalog = catalog_of(PRICES + own + LLM + 'unknown_model = "quarantine"')

        priced = llm(catalog, "own", seconds_micro=10 * 10**6)

        assert (priced.run.stands_for, priced.run.pending) == ("whisper-1", "unknown_model")
        assert [line.item for line in priced.run.lines] == ["own audio seconds"]

    def test_a_price_that_the_caller_names_needs_a_model_with_a_price_all_the_same(self) -> None:
        with pytest.raises(UnknownModelError):
            price(CATALOG, model="gpt-6", amount_microcredits=5)

        for catalog, model in ((CATALOG, "gpt-5"), (CEILING, "gpt-6")):
            priced = price(catalog, model=model, amount_microcredits=5)
            assert priced.charged_microcredits == priced.run.named_microcredits == 5


class TestWhatWasUsed:
    def test_rates_are_of_the_moment_that_is_pinned_or_of_when_it_ran(self) -> None:
        later = datetime(2026, 12, 2, tzinfo=UTC)
        usage = usage_of(input=10**6)

        def cost(**asked: Any) -> Fraction:
            run = price(CATALOG, model="gpt-dated", usage=usage, **asked).run
            assert run.priced_at == (asked.get("priced_at") or asked.get("occurred_at") or NOW)
            return usd(run.cost_picousd)

        assert [cost(), cost(priced_at=later)] == [1, 2]
        assert cost(priced_at=None, occurred_at=later) == 2
        assert cost(priced_at=NOW, occurred_at=later) == 1

    @pytest.mark.parametrize(
        ("asked", "said", "rate"),
        [
            (None, "", "1.25"),
            (None, "batch", "0.625"),
            ("batch", "", "0.625"),
            ("", "batch", "1.25"),
        ],
    )
    def test_the_service_tier_of_the_request_wins_over_the_usage_s(
        self, asked: str | None, said: str, rate: str
    ) -> None:
        usage = usage_of(input=10**6, service_tier=said)
        priced = price(CATALOG, model="gpt-5", usage=usage, service_tier=asked)

        assert usd(priced.run.cost_picousd) == Fraction(rate)
        assert priced.run.service_tier == ("batch" if rate == "0.625" else "")

    def test_a_service_tier_without_rates_is_billed_as_the_standard_one_and_said(self) -> None:
        priced = price(CATALOG, model="gpt-5", usage=usage_of(input=100), service_tier="flex")

        assert priced.run.warnings == ("tier_not_priced",)
        assert priced.charged_microcredits == llm(CATALOG, input=100).charged_microcredits

    def test_seconds_and_searches_are_charged(self) -> None:
        spoken = llm(CATALOG, "whisper-1", seconds_micro=10 * 10**6)
        searched = llm(CATALOG, "claude-sonnet", input=100, web_searches=2)

        assert usd(spoken.run.cost_picousd) == Fraction("0.001")
        assert [x.item for x in spoken.run.lines] == ["whisper-1 audio seconds"]
        assert usd(searched.run.cost_picousd) == Fraction("0.0003") + Fraction("0.02")

    def test_each_part_of_a_run_is_priced_at_its_own_model_and_markup(self) -> None:
        catalog = catalog_of(f"{PRICES}[prices.markups]\nopenai = 2\nanthropic = 3\n{LLM}")
        parts = (
            UsagePart(None, TokenPools(input=1000)),
            UsagePart("claude-opus", TokenPools(output=100)),
        )
        priced = price(catalog, model="gpt-5", usage=usage_of(input=1000, output=100, parts=parts))

        assert [x.item for x in priced.run.lines] == ["gpt-5 input", "claude-opus output"]
        assert usd(priced.run.cost_picousd) == Fraction("0.00125") + Fraction("0.0025")
        assert priced.charged_microcredits == 100 * (1250 * 2 + 2500 * 3)

    def test_searches_that_no_part_claims_are_the_first_part_s(self) -> None:
        parts = (
            UsagePart(None, TokenPools(input=10)),
            UsagePart(None, TokenPools(output=10), web_searches=1),
        )
        whole = usage_of(input=10, output=10, web_searches=3)
        priced = price(CATALOG, model="claude-sonnet", usage=replace(whole, parts=parts))

        assert (
            priced.run.cost_picousd
            == price(CATALOG, model="claude-sonnet", usage=whole).run.cost_picousd
        )

    def test_a_part_of_an_unknown_model_goes_by_the_policy(self) -> None:
        parts = (
            UsagePart(None, TokenPools(input=1000)),
            UsagePart("gpt-6", TokenPools(output=100)),
        )
        usage = usage_of(input=1000, output=100, parts=parts)

        with pytest.raises(UnknownModelError) as refusal:
            price(CATALOG, model="gpt-5", usage=usage)
        assert refusal.value.model == "gpt-6"
        priced = price(QUARANTINE, model="gpt-5", usage=usage)
        assert (priced.run.stands_for, priced.run.pending) == ("gpt-5", "unknown_model")

    def test_a_use_of_nothing_costs_nothing_and_says_so(self) -> None:
        priced = llm(CATALOG, input=0)

        assert (priced.charged_microcredits, priced.run.warnings) == (0, ("no_usage",))
        least = priced_with('minimum = "0.5"')
        assert llm(least, input=0).charged_microcredits == 500_000

    def test_a_use_that_the_provider_gives_away_still_costs_the_smallest_amount(self) -> None:
        priced = llm(CATALOG, "gifted", input=1000)

        assert (priced.charged_microcredits, priced.run.cost_picousd) == (1, 0)
        assert priced.run.lines[-1].item == "minimum"


class TestOtherRules:
    OTHERS = """
[operations.ai_tokens]
rule = "per_1k_tokens"
[[operations.ai_tokens.models]]
name = "gpt"
patterns = ["gpt-*"]
credits = 60
usd_per_million = { input = 9, output = 9 }
[operations.call]
rule = "flat"
credits = 1
usd_per_call = "0.02"
"""

    def test_they_show_what_the_book_knows_and_charge_what_they_did(self) -> None:
        catalog = priced_with(self.OTHERS)
        usage = usage_of(input=1000)

        tokens = price(catalog, "ai_tokens", model="gpt-5", usage=usage)
        call = price(catalog, "call", model="gpt-5", usage=usage)
        assert tokens.charged_microcredits == 60 * 10**6
        assert usd(tokens.run.cost_picousd) == usd(call.run.cost_picousd) == Fraction("0.00125")
        assert tokens.run.priced_at == NOW

    def test_they_show_their_own_cost_where_the_book_knows_none(self) -> None:
        catalog = priced_with(self.OTHERS)
        usage = usage_of(input=1000)

        tokens = price(catalog, "ai_tokens", model="gpt-next", usage=usage)
        call = price(catalog, "call", model="unknown", usage=usage)
        assert usd(tokens.run.cost_picousd) == Fraction("0.009")
        assert usd(call.run.cost_picousd) == usd(price(catalog, "call").run.cost_picousd)
        assert usd(call.run.cost_picousd) == Fraction("0.02")
        assert (tokens.run.warnings, tokens.run.stands_for) == ((), "")

    def test_a_reported_cost_shows_before_all_of_them(self) -> None:
        catalog = priced_with(self.OTHERS)
        usage = usage_of(input=1000, cost=77)

        assert price(catalog, "ai_tokens", model="gpt-5", usage=usage).run.cost_picousd == 77

    def test_searches_without_tokens_are_not_free(self) -> None:
        catalog = priced_with(self.OTHERS)
        usage = usage_of(web_searches=1)

        assert price(catalog, "ai_tokens", model="gpt-5", usage=usage).charged_microcredits == 1


def test_a_catalog_with_a_rule_by_tokens_needs_rates_with_a_moment() -> None:
    with pytest.raises(AssertionError, match="moment"):
        price_run(Consumption("llm", "gpt-5", usage=usage_of(input=1)), CATALOG)


def test_a_model_of_the_book_with_a_fee_per_request_has_it_once() -> None:
    book = book_text({"openai": [{"id": "asker", "rates": {"input": "1", "requests": "5"}}]})
    catalog = priced_with("", book=book)
    parts = (UsagePart(None, TokenPools(input=1)), UsagePart(None, TokenPools(input=1)))

    for usage in (usage_of(input=2), usage_of(input=2, parts=parts)):
        assert price(catalog, model="asker", usage=usage).run.cost_picousd == 2 * 10**6 + 5 * 10**9
