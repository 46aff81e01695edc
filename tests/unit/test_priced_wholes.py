"""A price as the whole row that it becomes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.building import ONE
from tests.unit.priced import (
    CATALOG,
    EARLIER,
    NOW,
    RENDER,
    SAID,
    SMS,
    TOLD,
    catalog_of,
    price,
    priced_with,
    usage_of,
)
from tollkeeper.domain.entries import Line, Resource, Run
from tollkeeper.domain.errors import UnknownOperationError
from tollkeeper.domain.pricing import (
    Consumption,
    Priced,
    Standing,
    consumption_of,
    describe_run,
    price_run,
    standing_of,
)
from tollkeeper.domain.usage import TokenPools, Usage, UsagePart


class TestRows:
    def test_a_run_by_tokens_is_told_with_all_that_its_price_was_made_of(self) -> None:
        usage = Usage(
            TokenPools(input=1000, output=100),
            "said-by-the-body",
            None,
            ("hidden_reasoning",),
            seconds_micro=5,
            web_searches=0,
            requests=2,
            provider="anthropic",
            service_tier="batch",
        )
        consumption = Consumption("llm", usage=usage, most_microcredits=7, **SAID)

        assert price_run(consumption, CATALOG) == Priced(
            Run(
                operation="llm",
                feature="llm",
                feature_count=1,
                pools=usage.pools,
                cost_picousd=1_125_000_000,
                lines=(
                    Line("gpt-5 input", "1000", "0.625 USD/1M x 1.5", 93_750),
                    Line("gpt-5 output", "100", "5 USD/1M x 1.5", 75_000),
                ),
                price_version=CATALOG.version,
                warnings=("hidden_reasoning", "pool_not_priced"),
                provider="openai",
                service_tier="batch",
                seconds_micro=5,
                requests=2,
                priced_at=EARLIER,
                **TOLD,
            ),
            168_750,
            7,
        )

    def test_a_reported_cost_is_told_as_the_providers(self) -> None:
        usage = usage_of(cost=10**9, input=1000, output=100, provider="openrouter")
        consumption = Consumption("llm", usage=usage, service_tier="flex", **SAID)

        assert price_run(consumption, CATALOG) == Priced(
            Run(
                operation="llm",
                feature="llm",
                feature_count=1,
                pools=usage.pools,
                cost_picousd=10**9,
                lines=(Line("gpt-5 as reported", "1", "0.001 USD x 1.5", 150_000),),
                price_version=CATALOG.version,
                provider="openai",
                service_tier="flex",
                reported_picousd=10**9,
                **TOLD,
            ),
            150_000,
        )

    def test_a_reported_cost_of_no_model_is_of_the_usage(self) -> None:
        priced = price(CATALOG, usage=usage_of(cost=10**9))

        assert priced.run.lines == (Line("usage as reported", "1", "0.001 USD x 1.5", 150_000),)
        assert (priced.run.provider, priced.run.priced_at) == ("", None)

    def test_a_named_price_is_told_as_named(self) -> None:
        usage = usage_of(input=5, seconds_micro=9, web_searches=3)
        consumption = Consumption(
            "llm",
            usage=usage,
            amount_microcredits=1_500_000,
            most_microcredits=2_000_000,
            provider="openai",
            **SAID,
        )

        assert price_run(consumption, CATALOG) == Priced(
            Run(
                operation="llm",
                feature="llm",
                feature_count=1,
                pools=usage.pools,
                lines=(Line("llm", "1", "1.5", 1_500_000),),
                price_version=CATALOG.version,
                provider="openai",
                provider_said=True,
                seconds_micro=9,
                web_searches=3,
                named_microcredits=1_500_000,
                **TOLD,
            ),
            1_500_000,
            2_000_000,
        )

    def test_a_run_of_units_is_told_with_its_place_in_the_period(self) -> None:
        catalog = catalog_of(SMS + "free_allowance = 3\n[plans.pro.prices.sms]\ncredits = 1")
        standing = Standing("pro", {"sms": ONE})

        priced = price_run(Consumption("sms", quantity_micro=5 * ONE), catalog, standing)

        assert priced == Priced(
            Run(
                operation="sms",
                feature="sms",
                feature_count=5,
                quantity_micro=5 * ONE,
                lines=(
                    Line("sms", "5", "1/message", 5 * ONE),
                    Line("free allowance", "2", "0%", -2 * ONE),
                ),
                price_version=catalog.version,
                plan="pro",
                volume_micro=5 * ONE,
                volume_before_micro=ONE,
            ),
            3 * ONE,
        )

    def test_a_run_of_a_machine_is_told_with_what_it_took(self) -> None:
        catalog = catalog_of(RENDER + "per_second = 1")
        used = Resource(cpu_ms=2_000, mem_mb=500, duration_ms=3_000)

        priced = price_run(Consumption("render", resource=used), catalog)

        assert priced == Priced(
            Run(
                operation="render",
                feature="render",
                feature_count=1,
                lines=(
                    Line("render cpu seconds", "2", "0.01", 20_000),
                    Line("render GB-seconds", "1.5", "0.002", 3_000),
                    Line("render seconds", "3", "1", 3_000_000),
                ),
                price_version=catalog.version,
                resource=used,
            ),
            3_023_000,
        )

    def test_an_unknown_model_is_told_with_what_stands_for_it(self) -> None:
        for policy, pending in (("ceiling", ""), ("quarantine", "unknown_model")):
            catalog = priced_with(f'unknown_model = "{policy}"')
            warning = "unknown_model_ceiling" if not pending else "unknown_model_quarantined"

            assert price(catalog, model="gpt-6", usage=usage_of(output=100)) == Priced(
                Run(
                    operation="llm",
                    model="gpt-6",
                    feature="llm",
                    feature_count=1,
                    pools=TokenPools(output=100),
                    cost_picousd=10**9,
                    lines=(Line("gpt-6 output", "100", "10 USD/1M x 1.5", 150_000),),
                    price_version=catalog.version,
                    warnings=(warning,),
                    provider="openai",
                    priced_at=NOW,
                    stands_for="gpt-5",
                    pending=pending,
                ),
                150_000,
            )

    def test_a_failed_run_is_told_without_a_price(self) -> None:
        usage = usage_of(model="m", cost=9, input=5, provider="anthropic", service_tier="flex")
        consumption = Consumption(
            "llm", usage=usage, label="essay", quantity_micro=2_500_000, priced_at=NOW
        )

        assert describe_run(consumption, CATALOG) == Run(
            operation="llm",
            model="m",
            label="essay",
            feature="llm",
            feature_count=3,
            quantity_micro=2_500_000,
            pools=usage.pools,
            price_version=CATALOG.version,
            provider="anthropic",
            service_tier="flex",
            reported_picousd=9,
        )
        with pytest.raises(UnknownOperationError):
            describe_run(replace(consumption, operation="none"), CATALOG)

    def test_parts_are_billed_each_at_its_own_model_and_told(self) -> None:
        parts = (
            UsagePart(None, TokenPools(input=1000), 1),
            UsagePart("gpt-5-mini", TokenPools(input=1000, output=500)),
        )
        usage = usage_of(input=2000, output=500, parts=parts, web_searches=3)

        priced = price(CATALOG, model="claude-sonnet", usage=usage)

        assert priced == Priced(
            Run(
                operation="llm",
                model="claude-sonnet",
                feature="llm",
                feature_count=1,
                pools=usage.pools,
                cost_picousd=3_000_000_000 + 30_000_000_000 + 250_000_000 + 1_000_000_000,
                lines=(
                    Line("claude-sonnet input", "1000", "3 USD/1M x 1.5", 450_000),
                    Line("claude-sonnet web searches", "3", "10 USD/1000 x 1.5", 4_500_000),
                    Line("gpt-5-mini input", "1000", "0.25 USD/1M x 1.5", 37_500),
                    Line("gpt-5-mini output", "500", "2 USD/1M x 1.5", 150_000),
                ),
                price_version=CATALOG.version,
                provider="anthropic",
                web_searches=3,
                parts=parts,
                priced_at=NOW,
            ),
            5_137_500,
        )

    def test_what_a_row_tells_is_what_was_used(self) -> None:
        parts = (UsagePart(None, TokenPools(3)), UsagePart("gpt-5-mini", TokenPools(4)))
        usage = usage_of(
            cost=7,
            input=7,
            seconds_micro=8,
            web_searches=9,
            requests=10,
            parts=parts,
            provider="google",
        )
        used = Consumption(
            "llm",
            "gpt-5",
            quantity_micro=11,
            usage=usage,
            label="essay",
            service="writer",
            response_time_ms=12,
            occurred_at=EARLIER,
            amount_microcredits=13,
            service_tier="flex",
            resource=Resource(1, 2, 3),
        )
        run = replace(describe_run(used, CATALOG), priced_at=NOW)

        assert consumption_of(run, EARLIER) == replace(used, priced_at=NOW)
        said = replace(run, provider_said=True)
        assert consumption_of(said, EARLIER) == replace(
            used, usage=replace(usage, provider=""), provider="google", priced_at=NOW
        )
        bare = replace(run, pools=None, model="")
        assert consumption_of(bare, EARLIER) == replace(used, model=None, usage=None, priced_at=NOW)
        undated = replace(run, priced_at=None)
        assert consumption_of(undated, EARLIER) == replace(used, priced_at=EARLIER)

    def test_what_a_row_tells_of_its_account_is_the_standing_it_had(self) -> None:
        run = Run("llm", feature="f", feature_count=1, plan="pro", volume_before_micro=5)

        assert standing_of(run) == Standing("pro", {"f": 5}, is_first=True)
        assert standing_of(replace(run, volume_before_micro=0)) == Standing("pro", {})
        assert standing_of(replace(run, feature_count=0)) == Standing(
            "pro", {"f": 5}, is_first=False
        )

    def test_what_a_request_says_wins_over_its_usage(self) -> None:
        usage = usage_of(input=1, service_tier="flex")

        assert Consumption("llm", usage=usage).tier == "flex"
        assert Consumption("llm", usage=usage, service_tier="").tier == ""
        assert Consumption("llm").tier == ""
        assert Consumption("llm", priced_at=NOW, occurred_at=EARLIER).moment == NOW
        assert Consumption("llm", occurred_at=EARLIER).moment == EARLIER
        assert not Consumption("llm", "gpt-5", label="essay").is_sized
        assert Consumption("llm", usage=usage).is_sized
        assert Consumption("llm", quantity_micro=0).is_sized
        assert Consumption("llm", amount_microcredits=0).is_sized
        assert Consumption("llm", resource=Resource()).is_sized
