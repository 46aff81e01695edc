"""Each rule and each term of a period as the exact shares that they come to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.building import CATALOG as PLAIN
from tests.unit.building import GPT_3, GPT_4, ONE
from tests.unit.priced import catalog_of, usage_of
from tollkeeper.domain.catalog import Flat, Operation, PerUnit
from tollkeeper.domain.entries import Line, Resource
from tollkeeper.domain.pricing import Consumption
from tollkeeper.domain.pricing.apply import (
    apply_flat,
    apply_per_1k_tokens,
    apply_per_unit,
    apply_resource,
    find_family,
)
from tollkeeper.domain.pricing.tally import Share, Tally
from tollkeeper.domain.pricing.terms import (
    Volume,
    apply_volume,
    is_all_free,
    least_of,
    raise_to,
)
from tollkeeper.domain.pricing.worth import Worth, find_worth
from tollkeeper.domain.rules import (
    PerResource,
    Tier,
    VolumeTerms,
)


class TestRules:
    def test_a_rule_makes_shares_with_their_volume(self) -> None:
        call, image = PLAIN.operation("call"), PLAIN.operation("image")
        minute, sms = PLAIN.operation("minute"), PLAIN.operation("sms")
        assert isinstance(minute.rule, PerUnit) and isinstance(sms.rule, PerUnit)

        assert apply_flat(call, Flat(2 * ONE), None, 3) == Tally(
            (Share("call", "3", "2", 6 * ONE, 3 * ONE),)
        )
        assert apply_flat(image, Flat(None, (GPT_4,)), GPT_4, 3) == Tally(
            (Share("image with gpt-4", "3", "60", 180 * ONE, 3 * ONE),)
        )
        assert apply_per_unit(minute, minute.rule, 1_500_000) == Tally(
            (Share("minute", "1.5", "0.333333/minute", 1_500_000 * 333_333, 1_500_000),), ONE
        )
        assert apply_per_unit(sms, sms.rule, 2 * ONE).denominator == ONE
        assert apply_per_1k_tokens(GPT_4, usage_of(input=5, output=2), "m") == Tally(
            (Share("m tokens", "7", "60/1000", 420 * ONE, 7 * ONE),), 1000
        )
        assert apply_per_1k_tokens(GPT_3, usage_of(), "m").shares[0].numerator == 0
        assert apply_per_1k_tokens(GPT_3, usage_of(input=1, seconds_micro=5), "m").numerator > 0

    def test_only_what_has_a_price_of_a_machine_is_a_share(self) -> None:
        operation = Operation("render", "Render", PerResource(), "render")
        used = Resource(cpu_ms=7, mem_mb=11, duration_ms=13)

        assert apply_resource(operation, PerResource(2, 3, 5), used) == Tally(
            (
                Share("render cpu seconds", "0.007", "0.000002", 14_000),
                Share("render GB-seconds", "0.000143", "0.000003", 429),
                Share("render seconds", "0.013", "0.000005", 65_000),
            ),
            ONE,
        )
        assert apply_resource(operation, PerResource(per_cpu_second=2), Resource(7)) == Tally(
            (Share("render cpu seconds", "0.007", "0.000002", 14_000),), ONE
        )
        assert apply_resource(operation, PerResource(per_second=5), Resource(None, None, 13)) == (
            Tally((Share("render seconds", "0.013", "0.000005", 65_000),), ONE)
        )

    def test_what_a_machine_did_not_take_costs_nothing(self) -> None:
        operation = Operation("render", "Render", PerResource(), "render")

        def numerators(used: Resource) -> list[int]:
            shares = apply_resource(operation, PerResource(2, 3, 5), used).shares
            return [share.numerator for share in shares]

        assert numerators(Resource(0, 0, 13)) == [0, 0, 65_000]
        assert numerators(Resource(7, 11, 0)) == [14_000, 0, 0]

    def test_a_family_is_looked_for_where_there_are_families(self) -> None:
        image = PLAIN.operation("image")

        assert find_family(image, (), "gpt-9") is None
        assert find_family(image, (GPT_4, GPT_3), "gpt-3.5-x") is GPT_3

    def test_a_run_is_worth_its_tally_its_volume_and_its_cost(self) -> None:
        def worth(operation: str, model: str = "", **more: Any) -> Worth:
            consumption = Consumption(operation, model, **more)
            return find_worth(PLAIN.operation(operation), consumption, PLAIN)

        used = usage_of(input=5, output=2, cached_input=1, reasoning=3)
        call, image = Share("call", "3", "1", 3 * ONE, 3 * ONE), Share
        assert worth("call", quantity_micro=3 * ONE) == Worth(Tally((call,)), 3 * ONE, picousd=21)
        assert worth("image", "gpt-4", usage=used) == Worth(
            Tally((image("image with gpt-4", "1", "60", 60 * ONE, ONE),)),
            ONE,
            picousd=6 * 30 + 5 * 60,
        )
        assert worth("image", "gpt-3.5").picousd is None
        assert worth("minute", quantity_micro=1_500_001).picousd == 8
        assert worth("minute").volume_micro == ONE
        assert worth("sms", quantity_micro=2 * ONE) == Worth(
            Tally((Share("sms", "2", "1/message", 2 * ONE * ONE, 2 * ONE),), ONE), 2 * ONE
        )
        assert worth("chat", "gpt-4", usage=used) == Worth(
            Tally((Share("gpt-4 tokens", "11", "60/1000", 660 * ONE, 11 * ONE),), 1000),
            11 * ONE,
            picousd=6 * 30 + 5 * 60,
        )
        assert worth("chat", "gpt-4", usage=usage_of()).uses_something is False
        assert worth("chat", "gpt-4", usage=usage_of(web_searches=1)).uses_something is True
        assert worth("chat", "gpt-4", usage=usage_of(cost=1)).uses_something is True
        assert worth("chat", "gpt-4", usage=usage_of(audio_input=1)).picousd is None
        assert worth("own", "any", usage=used) == Worth(
            Tally((Share("Local mode, 0 credits", "1", "0", 0),)), is_free=True
        )
        assert worth("call", usage=usage_of(cost=9)).picousd == 9
        assert worth("call", usage=usage_of(cost=0)).picousd == 7
        assert worth("video", usage=usage_of(cost=0)).picousd == 0
        assert worth("video", usage=usage_of()).picousd is None

    def test_a_flat_price_of_nothing_is_free_because_somebody_said_so(self) -> None:
        catalog = catalog_of('[operations.gift]\nrule = "flat"\ncredits = 0\n')
        gift = catalog.operation("gift")

        assert find_worth(gift, Consumption("gift"), catalog).is_free
        assert not find_worth(PLAIN.operation("call"), Consumption("call"), PLAIN).is_free
        image = PLAIN.operation("image")
        assert not find_worth(image, Consumption("image", "gpt-4"), PLAIN).is_free


SHARE = Share("a", "10", "2", 20, 10 * ONE)


class TestTerms:
    @pytest.mark.parametrize(
        ("terms", "volume"),
        [
            (VolumeTerms(), Volume(0, 10 * ONE)),
            (VolumeTerms(free_micro=5), Volume(0, 0)),
            (VolumeTerms(free_micro=5), Volume(5, 10 * ONE)),
            (VolumeTerms(tiers=(Tier(10 * ONE, 5),)), Volume(0, 10 * ONE)),
            (VolumeTerms(tiers=(Tier(0, 100 * ONE),)), Volume(0, 10 * ONE)),
        ],
    )
    def test_a_price_that_no_term_touches_is_as_it_was(
        self, terms: VolumeTerms, volume: Volume
    ) -> None:
        tally = Tally((SHARE,))

        assert apply_volume(tally, terms, volume) is tally

    def test_each_stretch_of_the_period_has_a_piece(self) -> None:
        terms = VolumeTerms(
            free_micro=2 * ONE,
            tiers=(Tier(4 * ONE, 50 * ONE), Tier(6 * ONE, 100 * ONE), Tier(8 * ONE, 25 * ONE)),
        )

        found = apply_volume(Tally((SHARE,)), terms, Volume(ONE, 10 * ONE))

        scale = 10 * ONE * 100 * ONE
        assert found == Tally(
            (
                Share("a", "10", "2", 20 * scale, 10 * ONE),
                Share("free allowance", "1", "0%", -2 * scale),
                Share("above 4 in the period", "2", "50%", -2 * scale),
                Share("above 8 in the period", "3", "25%", -9 * scale // 2),
            ),
            scale,
        )
        assert found.rounded() == (
            12,
            (
                Line("a", "10", "2", 20),
                Line("free allowance", "1", "0%", -2),
                Line("above 4 in the period", "2", "50%", -2),
                Line("above 8 in the period", "3", "25%", -4),
            ),
        )

    def test_a_tier_that_begins_inside_the_allowance_begins_behind_it(self) -> None:
        terms = VolumeTerms(free_micro=5 * ONE, tiers=(Tier(3 * ONE, 50 * ONE),))

        found = apply_volume(Tally((SHARE,)), terms, Volume(0, 10 * ONE))

        scale = 10 * ONE * 100 * ONE
        assert found.shares[1:] == (
            Share("free allowance", "5", "0%", -10 * scale),
            Share("above 3 in the period", "5", "50%", -5 * scale),
        )

    def test_the_dearest_of_several_is_free_first(self) -> None:
        cheap, dear = Share("c", "3", "1", 3, 3 * ONE), Share("d", "2", "9", 18, 2 * ONE)
        fee = Share("f", "1", "5", 5)
        terms = VolumeTerms(free_micro=3 * ONE)

        found = apply_volume(Tally((cheap, fee, dear)), terms, Volume(0, 5 * ONE))

        assert found.rounded()[0] == 3 + 5 + 18 - 18 - 1
        assert [share.item for share in found.shares] == ["c", "f", "d", "free allowance"]

    def test_a_millionth_of_a_unit_that_is_free_is_taken_off(self) -> None:
        found = apply_volume(Tally((SHARE,)), VolumeTerms(free_micro=1), Volume(0, 10 * ONE))

        assert found.shares[1] == Share("free allowance", "0.000001", "0%", -20 * 100 * ONE)

    def test_what_has_no_volume_of_its_own_is_one_stretch(self) -> None:
        parts = (Share("a", "1", "2", 20), Share("b", "1", "3", 30))
        terms = VolumeTerms(tiers=(Tier(0, 50 * ONE),))

        found = apply_volume(Tally(parts), terms, Volume(7 * ONE, ONE))

        assert found.rounded() == (
            25,
            (
                Line("a", "1", "2", 20),
                Line("b", "1", "3", 30),
                Line("above 0 in the period", "1", "50%", -25),
            ),
        )

    @pytest.mark.parametrize(
        ("free", "before", "used", "uses", "expected"),
        [
            (5, 0, 5, True, True),
            (5, 0, 6, True, False),
            (5, 4, 1, True, True),
            (5, 5, 1, True, False),
            (5, 5, 0, False, False),
            (5, 4, 0, False, True),
            (5, 4, 0, True, False),
            (5, 0, 1, False, True),
            (0, 0, 0, False, False),
        ],
    )
    def test_an_allowance_covers_a_run_that_is_within_it(
        self, free: int, before: int, used: int, uses: bool, expected: bool
    ) -> None:
        terms, volume = VolumeTerms(free_micro=free), Volume(before, used)

        assert is_all_free(terms, volume, uses_something=uses) is expected

    def test_the_least_is_the_minimum_and_never_nothing_for_something(self) -> None:
        terms = VolumeTerms(minimum_microcredits=9)

        assert least_of(terms, is_first=True, uses_something=True) == 9
        assert least_of(terms, is_first=True, uses_something=False) == 9
        assert least_of(terms, is_first=False, uses_something=True) == 1
        assert least_of(terms, is_first=False, uses_something=False) == 0
        assert least_of(VolumeTerms(), is_first=True, uses_something=True) == 1

    def test_a_charge_is_raised_by_a_line_of_its_own(self) -> None:
        lines = (Line("a", "1", "5", 5),)

        assert raise_to(5, lines, 5, "minimum") == (5, lines)
        assert raise_to(5, lines, 4, "minimum") == (5, lines)
        assert raise_to(5, lines, 6, "minimum") == (
            6,
            (*lines, Line("minimum", "1", "0.000006", 1)),
        )
