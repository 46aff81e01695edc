"""What every rule may have besides: a minimum, a free part of the period, tiers by volume."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.unit.building import ONE
from tests.unit.priced import SMS, catalog_of, llm, price, priced_with, usage_of
from tollkeeper.domain.entries import Resource
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.pricing import NOBODY, Standing

RENDER = """
[operations.render]
rule = "resource"
"""


def used(feature: str, count: int, plan: str = "") -> Standing:
    """A period that used so many whole units of the feature before."""
    return Standing(plan, {feature: count * ONE})


class TestMinimum:
    def test_a_run_that_is_worth_less_costs_the_minimum_and_a_line_says_so(self) -> None:
        priced = llm(priced_with('minimum = "0.001"'), input=1)

        assert priced.charged_microcredits == 1000
        assert [(x.item, x.credits_microcredits) for x in priced.run.lines] == [
            ("gpt-5 input", 188),
            ("minimum", 812),
        ]

    def test_a_run_that_is_worth_as_much_or_more_is_as_it_was(self) -> None:
        without, with_one = priced_with(""), priced_with('minimum = "0.001"')

        for tokens in (6, 1000):
            assert llm(with_one, input=tokens).run.lines == llm(without, input=tokens).run.lines

    def test_a_later_part_of_a_run_has_no_minimum_of_its_own(self) -> None:
        catalog = priced_with('minimum = "0.001"')
        usage = usage_of(input=1)

        part = price(catalog, model="gpt-5", usage=usage, standing=Standing(is_first=False))
        assert part.charged_microcredits == 188

    @pytest.mark.parametrize("quantity", [ONE, 3 * ONE])
    def test_it_is_of_the_run_and_not_of_each_unit(self, quantity: int) -> None:
        catalog = catalog_of(SMS + "minimum = 5")

        charged = price(catalog, "sms", quantity_micro=quantity).charged_microcredits
        assert charged == max(5 * ONE, 2 * quantity)

    def test_a_price_that_the_caller_names_is_the_price(self) -> None:
        catalog = catalog_of(SMS + "minimum = 5")

        assert price(catalog, "sms", amount_microcredits=1).charged_microcredits == 1


class TestAllowance:
    CATALOG = catalog_of(SMS + "free_allowance = 10\nminimum = 3")

    @pytest.mark.parametrize(
        ("before", "count", "charged"),
        [
            (0, 1, 0),
            (0, 10, 0),
            (9, 1, 0),
            (9, 2, 3),
            (8, 4, 4),
            (0, 12, 4),
            (10, 1, 3),
            (99, 5, 10),
        ],
    )
    def test_what_is_within_it_costs_nothing_and_what_is_above_its_part(
        self, before: int, count: int, charged: int
    ) -> None:
        priced = price(
            self.CATALOG, "sms", quantity_micro=count * ONE, standing=used("sms", before)
        )

        assert priced.charged_microcredits == charged * ONE
        assert sum(x.credits_microcredits for x in priced.run.lines) == charged * ONE

    def test_the_lines_say_what_was_free(self) -> None:
        priced = price(self.CATALOG, "sms", quantity_micro=5 * ONE, standing=used("sms", 8))

        assert [(x.item, x.quantity, x.rate, x.credits_microcredits) for x in priced.run.lines] == [
            ("sms", "5", "2/message", 10 * ONE),
            ("free allowance", "2", "0%", -4 * ONE),
        ]

    def test_the_row_says_what_counted_before_and_what_it_counts(self) -> None:
        run = price(self.CATALOG, "sms", quantity_micro=5 * ONE, standing=used("sms", 8, "pro")).run

        assert (run.volume_before_micro, run.volume_micro, run.plan) == (8 * ONE, 5 * ONE, "pro")

    def test_of_tokens_the_dearest_are_free_first(self) -> None:
        catalog = priced_with("free_allowance = 1000")
        whole = llm(catalog, input=900, output=300).charged_microcredits

        priced = price(
            catalog,
            model="gpt-5",
            usage=usage_of(input=900, output=300),
            standing=used("llm", 900),
        )
        per_token = Fraction(150 * 10**6, 10**8)
        assert whole == -(-(200 * 125) * per_token // 1)
        assert priced.charged_microcredits == -(-(900 * 125 + 200 * 1000) * per_token // 1)

    def test_calls_count_where_nothing_else_does(self) -> None:
        catalog = catalog_of(RENDER + "per_second = 1\nfree_allowance = 2")

        charges = [
            price(
                catalog,
                "render",
                resource=Resource(duration_ms=1000),
                standing=used("render", before),
            ).charged_microcredits
            for before in (0, 1, 2)
        ]
        assert charges == [0, 0, ONE]

    def test_operations_of_one_feature_share_it(self) -> None:
        catalog = catalog_of(
            SMS
            + 'free_allowance = 10\nfeature = "messages"\n'
            + SMS.replace("operations.sms", "operations.mms")
            + 'free_allowance = 10\nfeature = "messages"'
        )

        for operation in ("sms", "mms"):
            priced = price(catalog, operation, standing=used("messages", 10))
            assert priced.charged_microcredits == 2 * ONE

    def test_one_that_has_none_counts_nothing(self) -> None:
        run = price(catalog_of(SMS), "sms", standing=used("sms", 5, "pro")).run

        assert (run.volume_micro, run.volume_before_micro, run.plan) == (0, 0, "")

    def test_a_run_by_tokens_that_has_none_is_never_free_by_it(self) -> None:
        catalog = priced_with("free_allowance = 1000")

        assert llm(catalog, "whisper-1", seconds_micro=10**6).charged_microcredits > 0
        assert llm(catalog, input=0).run.warnings == ("no_usage",)

    def test_a_run_that_it_covers_has_used_something(self) -> None:
        covered = llm(priced_with("free_allowance = 1000"), input=7)

        assert (covered.charged_microcredits, covered.run.warnings) == (0, ())


class TestTiers:
    CATALOG = catalog_of(
        SMS + 'tiers = [{ above = 10, percent = 80 }, { above = 20, percent = "12.5" }]'
    )

    @pytest.mark.parametrize(
        ("before", "count", "charged"),
        [
            (0, 10, "20"),
            (0, 11, "21.6"),
            (5, 10, "18"),
            (10, 10, "16"),
            (10, 11, "16.25"),
            (0, 30, "38.5"),
            (500, 4, "1"),
        ],
    )
    def test_each_part_of_the_volume_costs_what_its_tier_says(
        self, before: int, count: int, charged: str
    ) -> None:
        priced = price(
            self.CATALOG, "sms", quantity_micro=count * ONE, standing=used("sms", before)
        )

        assert priced.charged_microcredits == Fraction(charged) * ONE
        assert sum(x.credits_microcredits for x in priced.run.lines) == priced.charged_microcredits

    def test_the_lines_say_what_each_tier_takes_off(self) -> None:
        priced = price(self.CATALOG, "sms", quantity_micro=30 * ONE)

        assert [(x.item, x.quantity, x.rate, x.credits_microcredits) for x in priced.run.lines] == [
            ("sms", "30", "2/message", 60 * ONE),
            ("above 10 in the period", "10", "80%", -4 * ONE),
            ("above 20 in the period", "10", "12.5%", -17_500_000),
        ]

    def test_a_dearer_tier_adds_a_line(self) -> None:
        catalog = catalog_of(SMS + "tiers = [{ above = 0, percent = 150 }]")

        priced = price(catalog, "sms")
        assert priced.charged_microcredits == 3 * ONE
        assert priced.run.lines[-1].credits_microcredits == ONE

    def test_they_begin_after_the_allowance(self) -> None:
        catalog = catalog_of(SMS + "free_allowance = 5\ntiers = [{ above = 5, percent = 50 }]")

        assert price(catalog, "sms", quantity_micro=7 * ONE).charged_microcredits == 2 * ONE


class TestPlans:
    CATALOG = priced_with(
        """
minimum = "0.5"
[plans.pro.prices.llm]
markup = "1.2"
minimum = "0.25"
[plans.pro.prices.call]
free = true
[plans.free.prices.call]
credits = 7
[operations.call]
rule = "flat"
credits = 3
"""
    )

    def test_a_plan_s_keys_stand_in_the_place_of_the_operation_s(self) -> None:
        def charged(plan: str, tokens: int) -> int:
            usage = usage_of(input=tokens)
            standing = Standing(plan)
            return price(
                self.CATALOG, model="gpt-5", usage=usage, standing=standing
            ).charged_microcredits

        assert [charged(plan, 10**6) for plan in ("", "free", "pro")] == [
            187_500_000,
            187_500_000,
            150 * ONE,
        ]
        assert [charged(plan, 1) for plan in ("", "free", "pro")] == [500_000, 500_000, 250_000]

    def test_a_plan_may_make_an_operation_free_and_another_dearer(self) -> None:
        charges = [
            price(self.CATALOG, "call", standing=Standing(plan)).charged_microcredits
            for plan in ("", "free", "pro")
        ]

        assert charges == [3 * ONE, 7 * ONE, 0]

    def test_the_row_says_whose_prices_they_were(self) -> None:
        assert price(self.CATALOG, "call", standing=Standing("pro")).run.plan == "pro"
        assert price(self.CATALOG, "call").run.plan == ""

    def test_a_plan_that_was_removed_has_the_default_plan_s_prices(self) -> None:
        assert price(self.CATALOG, "call", standing=Standing("old")).charged_microcredits == 7 * ONE

    def test_an_allowance_of_one_plan_is_counted_on_all(self) -> None:
        catalog = catalog_of(SMS + "[plans.pro.prices.sms]\nfree_allowance = 2")

        on_free, on_pro = (price(catalog, "sms", standing=Standing(p)) for p in ("free", "pro"))
        assert [on_free.charged_microcredits, on_pro.charged_microcredits] == [2 * ONE, 0]
        assert on_free.run.volume_micro == on_pro.run.volume_micro == ONE


class TestResource:
    CATALOG = catalog_of(
        RENDER + 'per_cpu_second = "0.01"\nper_gb_second = "0.002"\nper_second = "0.001"'
    )

    def test_each_thing_that_has_a_price_is_charged(self) -> None:
        priced = price(self.CATALOG, "render", resource=Resource(1500, 512, 2000))

        assert [(x.item, x.quantity, x.credits_microcredits) for x in priced.run.lines] == [
            ("render cpu seconds", "1.5", 15_000),
            ("render GB-seconds", "1.024", 2048),
            ("render seconds", "2", 2000),
        ]
        assert priced.charged_microcredits == 19_048

    def test_less_than_a_millisecond_is_charged_as_a_run_all_the_same(self) -> None:
        priced = price(self.CATALOG, "render", resource=Resource(0, 512, 0))

        assert priced.charged_microcredits == 1
        assert sum(line.credits_microcredits for line in priced.run.lines) == 1

    def test_it_is_rounded_once(self) -> None:
        catalog = catalog_of(
            RENDER + 'per_cpu_second = "0.0001"\nper_gb_second = "0.0001"\nper_second = "0.0001"'
        )

        priced = price(catalog, "render", resource=Resource(1, 1, 1))
        assert priced.charged_microcredits == 1

    @pytest.mark.parametrize(
        ("resource", "member"),
        [
            (None, "resource"),
            (Resource(None, 512, 2000), "resource.cpu_ms"),
            (Resource(1500, None, 2000), "resource.mem_mb"),
            (Resource(1500, 512, None), "resource.duration_ms"),
        ],
    )
    def test_all_that_has_a_price_must_be_said(
        self, resource: Resource | None, member: str
    ) -> None:
        with pytest.raises(InvalidError) as refusal:
            price(self.CATALOG, "render", resource=resource)

        assert refusal.value.problems[0][0] == member

    def test_what_has_no_price_need_not_be_said(self) -> None:
        catalog = catalog_of(RENDER + "per_second = 1")

        assert (
            price(catalog, "render", resource=Resource(duration_ms=1)).charged_microcredits == 1000
        )

    def test_it_belongs_to_its_own_rule(self) -> None:
        with pytest.raises(InvalidError, match="not priced by resource"):
            price(catalog_of(SMS), "sms", resource=Resource(1, 1, 1))
        with pytest.raises(InvalidError, match="priced by resource"):
            price(self.CATALOG, "render", resource=Resource(1, 1, 1), quantity_micro=ONE)


def test_an_account_of_nobody_has_no_plan_and_used_nothing() -> None:
    assert (NOBODY.plan, NOBODY.volumes, NOBODY.is_first) == ("", {}, True)
