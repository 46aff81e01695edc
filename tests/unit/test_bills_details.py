"""What a provider bills, line by line: who it is, at which markup, what stands for the unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.building import ONE
from tests.unit.priced import LLM, NOW, PRICES, catalog_of, priced_with, usage_of
from tests.unit.pricing_books import book_text
from tollkeeper.domain.book import COST_DENOMINATOR, PriceBook
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.pricing import Consumption
from tollkeeper.domain.pricing.bills import Bill, Biller, UnpricedModelError, known_models
from tollkeeper.domain.pricing.tally import Share, Tally
from tollkeeper.domain.rules import (
    Markups,
    Prices,
    UnknownModel,
)
from tollkeeper.domain.usage import TokenPools, UsagePart

MARKED = """
[prices.markups]
anthropic = "1.3"
"openai:gpt-5*" = 2
"""
OWN = """
[[prices.overrides]]
patterns = ["gpt-5", "openai:secret"]
usd_per_million = { input = 4, output = 8 }
"""
PICO = 10**12 * COST_DENOMINATOR // 10**6
"""A dollar per million tokens, for one token."""


def prices_of(catalog: Catalog) -> Prices:
    """The prices of a catalog."""
    assert catalog.prices is not None
    return catalog.prices


PLAIN_PRICES = prices_of(priced_with(""))


def bill(biller: Biller, model: str = "gpt-5", *, provider: str = "", **used: Any) -> Bill:
    """The bill of that use at noon."""
    usage = usage_of(**used)
    consumption = Consumption("llm", model, usage=usage, provider=provider, priced_at=NOW)
    return biller.bill(consumption, usage)


class TestBills:
    def test_a_bill_has_a_share_for_each_thing_that_was_used(self) -> None:
        found = bill(Biller(PLAIN_PRICES), "claude-sonnet", input=7, cached_input=5, web_searches=3)

        assert found == Bill(
            (
                Share("claude-sonnet input", "7", "3 USD/1M", 21 * PICO, 7 * ONE),
                Share("claude-sonnet cached input", "5", "0.3 USD/1M", 15 * PICO // 10, 5 * ONE),
                Share("claude-sonnet web searches", "3", "10 USD/1000", 30_000 * PICO),
            ),
            (1_500_000,) * 3,
            provider="anthropic",
            by_book=True,
        )
        assert found.picousd == 21 * 10**6 + 15 * 10**5 + 3 * 10**10

    def test_a_reported_bill_is_one_share_of_all_tokens(self) -> None:
        assert bill(Biller(PLAIN_PRICES), input=7, output=2, cost=5) == Bill(
            (Share("gpt-5 as reported", "1", "0.000000000005 USD", 5 * COST_DENOMINATOR, 9 * ONE),),
            (1_500_000,),
            provider="openai",
        )

    def test_what_is_billed_is_rounded_up_to_a_picousd(self) -> None:
        one = Share("a", "1", "r", 1)

        assert Bill((one,), (ONE,)).picousd == 1
        assert Bill((one, Share("b", "1", "r", COST_DENOMINATOR)), (ONE, ONE)).picousd == 2
        assert Bill((), ()).picousd == 0

    def test_a_bill_in_credits_is_each_share_times_its_markup(self) -> None:
        shares = (Share("a", "1", "2 USD/1M", 10, 3), Share("b", "2", "4 USD/1M", 20))

        assert Bill(shares, (ONE, 1_500_000)).to_tally(10_000) == Tally(
            (
                Share("a", "1", "2 USD/1M", 10 * ONE, 3),
                Share("b", "2", "4 USD/1M x 1.5", 30 * ONE),
            ),
            ONE * COST_DENOMINATOR * 10_000,
        )

    def test_an_override_is_no_dated_rate_of_the_book(self) -> None:
        biller = Biller(prices_of(catalog_of(PRICES + OWN + LLM)))

        assert bill(biller, "GPT-5", input=7) == Bill(
            (Share("GPT-5 input", "7", "4 USD/1M", 28 * PICO, 7 * ONE),),
            (1_500_000,),
            provider="openai",
        )
        assert bill(biller, "secret", provider="openai", input=7).provider == "openai"
        with pytest.raises(UnpricedModelError, match=r"^secret$") as refused:
            bill(biller, "secret", input=7)
        assert refused.value.model == "secret"
        mixed = (UsagePart(None, TokenPools(1)), UsagePart("gpt-5-mini", TokenPools(1)))
        assert bill(biller, input=2, parts=mixed).by_book
        assert bill(
            biller,
            "gpt-5-mini",
            input=2,
            parts=(UsagePart("gpt-5-mini", TokenPools(1)), UsagePart("gpt-5", TokenPools(1))),
        ).by_book

    def test_markups_are_of_the_model_of_its_provider_or_of_all(self) -> None:
        biller = Biller(prices_of(catalog_of(PRICES + MARKED + LLM)))
        own = Biller(biller.prices, Markups(None, {"anthropic": 3 * ONE}, (("gpt-5", 4 * ONE),)))

        def factor(biller: Biller, model: str, provider: str = "") -> int:
            return biller.factor_of(biller.find(model, provider, is_said=False))

        assert factor(biller, "gpt-5") == 2 * ONE
        assert factor(biller, "gpt-5-mini") == 2 * ONE
        assert factor(biller, "claude-opus") == 1_300_000
        assert factor(biller, "claude-next") == 1_300_000
        assert factor(biller, "any", "anthropic") == 1_300_000
        assert factor(biller, "gpt-dated") == 1_500_000
        assert factor(own, "gpt-5") == 4 * ONE
        assert factor(own, "gpt-5-mini") == 2 * ONE
        assert factor(own, "claude-opus") == 3 * ONE
        bare = Biller(Prices(biller.prices.book, 10_000, Markups()))
        assert factor(bare, "gpt-5") == ONE

    def test_parts_that_no_search_is_left_for_have_none(self) -> None:
        parts = (
            UsagePart("claude-sonnet", TokenPools(1), 2),
            UsagePart("claude-opus", TokenPools(1), 0),
        )

        exact = bill(Biller(PLAIN_PRICES), "claude-sonnet", input=2, web_searches=2, parts=parts)
        less = bill(Biller(PLAIN_PRICES), "claude-sonnet", input=2, web_searches=1, parts=parts)

        assert exact == less
        assert [(share.item, share.quantity) for share in exact.shares] == [
            ("claude-sonnet input", "1"),
            ("claude-sonnet web searches", "2"),
            ("claude-opus input", "1"),
        ]

    def test_time_and_requests_are_billed_with_the_first_part(self) -> None:
        book = book_text(
            {
                "maker": [
                    {
                        "id": name,
                        "rates": {"input": "1", "audio_hours": "3.6", "requests": "5"},
                    }
                    for name in ("a", "b")
                ]
            }
        )
        prices = prices_of(catalog_of(PRICES + LLM, book=book))
        parts = (UsagePart("a", TokenPools(1)), UsagePart("b", TokenPools(1)))

        found = bill(Biller(prices), "a", input=2, seconds_micro=ONE, requests=4, parts=parts)

        assert [(share.item, share.quantity, share.volume_micro) for share in found.shares] == [
            ("a input", "1", ONE),
            ("a audio seconds", "1", 0),
            ("a request", "4", 0),
            ("b input", "1", ONE),
        ]
        assert found.factors == (1_500_000,) * 4
        whole = bill(Biller(prices), "a", input=2, requests=4)
        assert [(share.item, share.quantity) for share in whole.shares] == [
            ("a input", "2"),
            ("a request", "4"),
        ]

    def test_a_warning_of_several_parts_is_told_once(self) -> None:
        parts = (
            UsagePart("claude-opus", TokenPools(1), 1),
            UsagePart("claude-opus", TokenPools(1), 1),
        )
        usage: dict[str, Any] = {"input": 2, "web_searches": 2, "parts": parts}

        assert bill(Biller(PLAIN_PRICES), "claude-opus", **usage).warnings == ("pool_not_priced",)
        told = bill(Biller(PLAIN_PRICES), "claude-opus", cost=0, **usage)
        assert told == Bill(
            tuple(Share("claude-opus input", "1", "5 USD/1M", 5 * PICO, ONE) for _ in parts),
            (1_500_000,) * 2,
            ("pool_not_priced", "zero_provider_cost"),
            "anthropic",
            by_book=True,
        )

    def test_a_reported_cost_of_nothing_keeps_what_stands_for_the_model(self) -> None:
        biller = Biller(PLAIN_PRICES, None, UnknownModel.CEILING)

        found = bill(biller, "gpt-9", input=1, cost=0)

        assert (found.stands_for, found.provider, found.by_book) == ("gpt-5", "openai", True)
        assert found.warnings == ("unknown_model_ceiling", "zero_provider_cost")
        own = Biller(prices_of(catalog_of(PRICES + OWN + LLM)))
        assert bill(own, "gpt-5", input=1, cost=0).by_book is False

    @pytest.mark.parametrize(
        ("model", "provider", "is_said", "expected"),
        [
            ("GPT-5", "", False, ("GPT-5", "gpt-5", ("gpt-5", "openai:gpt-5"), "openai")),
            ("gpt-5", "anthropic", False, ("gpt-5", "gpt-5", ("gpt-5", "openai:gpt-5"), "openai")),
            (
                "gpt-5",
                "anthropic",
                True,
                ("gpt-5", None, ("gpt-5", "anthropic:gpt-5"), "anthropic"),
            ),
            ("gpt-9", "", False, ("gpt-9", None, ("gpt-9", "openai:gpt-9"), "openai")),
            ("strange", "", False, ("strange", None, ("strange",), "")),
            ("strange", "xai", False, ("strange", None, ("strange", "xai:strange"), "xai")),
            ("", "", False, ("", None, (), "")),
            ("", "openai", False, ("", None, (), "openai")),
        ],
    )
    def test_a_model_is_found_by_its_name_and_who_may_have_made_it(
        self,
        model: str,
        provider: str,
        is_said: bool,
        expected: tuple[str, str | None, tuple[str, ...], str],
    ) -> None:
        found = Biller(PLAIN_PRICES).find(model, provider, is_said=is_said)

        name = None if found.model is None else found.model.id
        assert (found.label, name, found.names, found.provider) == expected
        assert not found.is_override

    def test_a_ceiling_is_of_the_service_tier_that_was_used(self) -> None:
        biller = Biller(PLAIN_PRICES, None, UnknownModel.CEILING)
        own = replace(biller, prices=prices_of(catalog_of(PRICES + OWN + LLM)))

        cheap = bill(biller, "gpt-9", output=10, service_tier="batch")
        dear = bill(own, "gpt-9", output=10, service_tier="batch", provider="openai")

        assert cheap.shares == (Share("gpt-9 output", "10", "5 USD/1M", 50 * PICO, 10 * ONE),)
        assert cheap.stands_for == "gpt-5"
        assert dear.shares[0].rate == "8 USD/1M"
        assert dear.warnings == ("tier_not_priced", "unknown_model_ceiling")

    def test_a_ceiling_is_the_dearest_of_that_service_tier(self) -> None:
        def model(name: str, rate: str, batch: str) -> dict[str, Any]:
            variants = {"batch": [{"rates": {"input": batch}}]}
            return {"id": name, "rates": {"input": rate}, "variants": variants}

        book = book_text({"openai": [model("a", "9", "1"), model("b", "8", "2")]})
        prices = prices_of(catalog_of(PRICES + LLM, book=book))
        biller = Biller(prices, None, UnknownModel.CEILING)

        assert bill(biller, "c", input=1).stands_for == "a"
        assert bill(biller, "c", input=1, service_tier="batch").stands_for == "b"

    def test_a_model_goes_by_the_name_of_the_request_and_by_that_of_the_book(self) -> None:
        listed = {"id": "gpt-5", "rates": {"input": "1"}, "aliases": {"starts": ["gpt-5-"]}}
        book = book_text({"openai": [listed]}, openai={"meant": {"starts": ["gpt-"]}})
        prices = prices_of(catalog_of(PRICES + MARKED + LLM, book=book))

        found = Biller(prices).find("GPT-5-Turbo", "", is_said=False)

        names = ("gpt-5-turbo", "gpt-5", "openai:gpt-5-turbo", "openai:gpt-5")
        assert (found.label, found.names, found.provider) == ("GPT-5-Turbo", names, "openai")

    @pytest.mark.parametrize("policy", [None, UnknownModel.REJECT])
    def test_what_is_not_known_is_not_billed(self, policy: UnknownModel | None) -> None:
        for model in ("gpt-9", ""):
            with pytest.raises(UnpricedModelError) as refused:
                bill(Biller(PLAIN_PRICES, None, policy), model, input=1)
            assert refused.value.model == model

    def test_what_nothing_has_a_price_for_is_not_billed_by_a_ceiling_either(self) -> None:
        biller = Biller(PLAIN_PRICES, None, UnknownModel.CEILING)
        nobody = PriceBook(source="none", generated="2026-11-20", shelves=(), stocked=())
        empty = replace(biller, prices=replace(PLAIN_PRICES, book=nobody))
        overrides = prices_of(catalog_of(PRICES + OWN + LLM)).overrides
        own = replace(empty, prices=replace(empty.prices, overrides=overrides))
        hours = bill(biller, "gpt-9", seconds_micro=3600 * ONE)

        assert hours.stands_for == "whisper-1"
        assert bill(own, "gpt-9", input=1, provider="openai").stands_for == "gpt-5"
        with pytest.raises(UnpricedModelError, match=r"^gpt-9$"):
            bill(empty, "gpt-9", input=1)
        with pytest.raises(UnpricedModelError, match=r"^gpt-9$"):
            bill(own, "gpt-9", seconds_micro=5)
        nothing = bill(biller, "gpt-9")
        assert (nothing.shares, nothing.warnings) == ((), ("unknown_model_ceiling",))

    def test_a_rate_of_nothing_is_no_price_of_what_it_is_alone_for(self) -> None:
        biller = Biller(PLAIN_PRICES)

        assert bill(biller, "gifted", input=9).picousd == 0
        with pytest.raises(UnpricedModelError):
            bill(biller, "gifted", input=9, web_searches=1)
        assert bill(biller, "gifted", output=1, web_searches=1).warnings == ("pool_not_priced",)

    def test_the_likest_names_are_known_first(self) -> None:
        prices = prices_of(catalog_of(PRICES + OWN + LLM))

        assert known_models(prices, "GPT-5-x", "", 3) == ("gpt-5-mini", "gpt-5", "gpt-dated")
        assert known_models(prices, "claude-o", "anthropic", 9) == (
            "claude-opus",
            "claude-sonnet",
            "gpt-5",
        )
        assert known_models(prices, "", "anthropic", 9) == (
            "claude-opus",
            "claude-sonnet",
            "gpt-5",
        )
        assert "openai:secret" in known_models(prices, "o", "openai", 9)
        assert known_models(prices, "w", "openai", 1) == ("whisper-1",)
        assert known_models(prices, "w", "openai", 0) == ()

    def test_a_name_that_says_whose_it_is_is_answered_with_theirs(self) -> None:
        prices = prices_of(catalog_of(PRICES + LLM))

        assert known_models(prices, "anthropic/gpt-5", "", 9) == ("claude-opus", "claude-sonnet")
        assert known_models(prices, "anthropic/Claude-S", "", 1) == ("claude-sonnet",)
        assert known_models(prices, "nobody/gpt-5-x", "", 2) == ("gpt-5-mini", "gpt-5")
        assert known_models(prices, "Anthropic/claude-s/x", "", 1) == ("claude-sonnet",)
        assert known_models(prices, "nobody/anthropic/claude-s", "", 1) == ("claude-opus",)
        assert known_models(prices, "anthropic/x", "openai", 1) == ("embed",)
        assert known_models(prices, "anthropic/x", "nobody", 9) == ()

    def test_a_moment_decides_which_rates_are_billed(self) -> None:
        usage = usage_of(input=1)
        later = Consumption(
            "llm", "gpt-dated", usage=usage, priced_at=datetime(2026, 12, 1, tzinfo=UTC)
        )

        assert Biller(PLAIN_PRICES).bill(later, usage).picousd == 2_000_000
        assert bill(Biller(PLAIN_PRICES), "gpt-dated", input=1).picousd == 1_000_000
