"""The steps that a price is made of, and what is refused instead of priced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.building import CATALOG as PLAIN
from tests.unit.building import ONE
from tests.unit.priced import (
    CATALOG,
    LLM,
    NOW,
    PRICES,
    RENDER,
    SMS,
    catalog_of,
    price,
    priced_with,
    usage_of,
)
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import Resource
from tollkeeper.domain.errors import InvalidError, UnknownModelError
from tollkeeper.domain.pricing import (
    Consumption,
    Standing,
    price_run,
)
from tollkeeper.domain.pricing.tally import Share, Tally
from tollkeeper.domain.pricing.terms import Volume
from tollkeeper.domain.pricing.trace import Trace, trace_run
from tollkeeper.domain.pricing.worth import Worth


class TestTraces:
    def test_a_named_price_has_one_step(self) -> None:
        consumption = Consumption("llm", "gpt-5", amount_microcredits=7)

        assert trace_run(consumption, CATALOG) == Trace(
            CATALOG.operation("llm"),
            None,
            Volume(),
            Tally((Share("llm", "1", "", 7),)),
            (),
            rounded=7,
            least=0,
            charged=7,
        )

    def test_the_terms_of_the_account_are_pieces(self) -> None:
        catalog = catalog_of(SMS + "minimum = 9\nfree_allowance = 3")
        consumption = Consumption("sms", quantity_micro=5 * ONE)
        volume = Volume(ONE, 5 * ONE)
        share = Share("sms", "5", "2/message", 5 * ONE * 2 * ONE, 5 * ONE)
        factor = 5 * ONE * 100 * ONE
        piece = Share("free allowance", "2", "0%", -2 * ONE * share.numerator * 100 * ONE)

        assert trace_run(consumption, catalog, Standing("", {"sms": ONE})) == Trace(
            operation=catalog.operation("sms"),
            worth=Worth(Tally((share,), ONE), 5 * ONE),
            volume=volume,
            whole=Tally((replace(share, numerator=share.numerator * factor), piece), ONE * factor),
            pieces=(piece,),
            rounded=6 * ONE,
            least=9 * ONE,
            charged=9 * ONE,
        )

    @pytest.mark.parametrize(
        ("standing", "least"),
        [
            (Standing("", {"sms": 3 * ONE}), 9 * ONE),
            (Standing("", {"sms": 3 * ONE}, is_first=False), 1),
            (Standing("", {"sms": 0}), 0),
        ],
    )
    def test_the_least_is_of_the_first_part_and_of_what_is_not_all_free(
        self, standing: Standing, least: int
    ) -> None:
        catalog = catalog_of(SMS + "minimum = 9\nfree_allowance = 3")

        trace = trace_run(Consumption("sms", quantity_micro=ONE), catalog, standing)

        assert trace.least == least
        assert (
            trace.charged
            == price_run(
                Consumption("sms", quantity_micro=ONE), catalog, standing
            ).charged_microcredits
        )

    def test_a_price_by_tokens_says_what_a_credit_is_worth(self) -> None:
        used = Consumption("llm", "gpt-5", usage=usage_of(input=1), priced_at=NOW)

        assert trace_run(used, CATALOG).usd_per_credit_micro == 10_000
        assert trace_run(Consumption("own"), PLAIN).usd_per_credit_micro is None
        assert trace_run(Consumption("own", amount_microcredits=5), PLAIN).charged == 0
        assert trace_run(used, CATALOG).charged == price_run(used, CATALOG).charged_microcredits

    def test_time_is_never_all_free_where_tokens_are(self) -> None:
        catalog = priced_with("free_allowance = 10\nminimum = 9")

        def least(model: str, **used: Any) -> int:
            consumption = Consumption("llm", model, usage=usage_of(**used), priced_at=NOW)
            trace = trace_run(consumption, catalog)
            assert trace.charged == price_run(consumption, catalog).charged_microcredits
            return trace.least

        assert least("whisper-1", seconds_micro=ONE) == 9 * ONE
        assert least("gpt-5", input=10) == 0
        assert least("gpt-5") == 0
        assert least("gpt-5", input=11) == 9 * ONE

    def test_the_prices_of_a_plan_are_traced_as_such(self) -> None:
        catalog = catalog_of(SMS + "[plans.pro.prices.sms]\ncredits = 5")

        trace = trace_run(Consumption("sms"), catalog, Standing("pro"))

        assert (trace.operation, trace.charged) == (catalog.operation_on("sms", "pro"), 5 * ONE)


def refused(consumption: Consumption, catalog: Catalog) -> tuple[tuple[str, str], ...]:
    """Which member cannot be used, and why."""
    with pytest.raises(InvalidError) as error:
        price_run(consumption, catalog)
    return error.value.problems


class TestRefusals:
    def test_each_names_its_member_and_why(self) -> None:
        chat = Consumption("chat", "gpt-4")
        usage = usage_of(input=5)
        machine = catalog_of(RENDER)
        render = Consumption("render")
        enough = Resource(1, 2, 3)

        assert refused(replace(chat, resource=enough), PLAIN) == (
            ("resource", "cannot be used: chat is not priced by resource"),
        )
        assert refused(chat, PLAIN) == (("usage", "is needed: chat is priced by tokens"),)
        assert refused(replace(chat, usage=usage, quantity_micro=1), PLAIN) == (
            ("quantity", "cannot be used: chat is priced by tokens"),
        )
        assert refused(replace(chat, usage=usage_of(seconds_micro=5)), PLAIN) == (
            ("usage", "counts seconds, not tokens; send them as a quantity"),
        )
        assert refused(Consumption("sms", quantity_micro=1_500_000), PLAIN) == (
            ("quantity", "must be a whole number for sms"),
        )
        assert refused(Consumption("call", quantity_micro=1), PLAIN) == (
            ("quantity", "must be a whole number for call"),
        )
        assert refused(render, machine) == (
            ("resource", "is needed: render is priced by resource"),
        )
        assert refused(replace(render, resource=enough, quantity_micro=1), machine) == (
            ("quantity", "cannot be used: render is priced by resource"),
        )
        assert refused(replace(render, resource=Resource(None, 2, 3)), machine) == (
            ("resource.cpu_ms", "is needed: render is priced by cpu seconds"),
        )
        assert refused(replace(render, resource=Resource(1, None, 3)), machine) == (
            ("resource.mem_mb", "is needed: render is priced by GB-seconds"),
        )
        assert refused(replace(render, resource=Resource(1, 2, None)), machine) == (
            ("resource.duration_ms", "is needed: render is priced by GB-seconds"),
        )

    def test_what_no_account_could_hold_is_refused_by_what_is_too_much(self) -> None:
        too_much = "costs more than one account can hold"
        usage = usage_of(input=10**12, output=10**12)
        call = Consumption("call", quantity_micro=10**15 * ONE)

        assert refused(call, PLAIN) == (("quantity", too_much),)
        assert refused(
            Consumption("llm", "gpt-5", usage=usage, priced_at=NOW),
            priced_with('markup = "1000"'),
        ) == (("usage", too_much),)

    def test_a_price_that_is_named_needs_a_model_with_a_price(self) -> None:
        named: dict[str, Any] = {"amount_microcredits": 5}

        def known(operation: str, model: str, catalog: Catalog, **more: Any) -> tuple[str, ...]:
            consumption = Consumption(operation, model, **(named | more))
            with pytest.raises(UnknownModelError) as error:
                price_run(consumption, catalog)
            assert (error.value.operation, error.value.model) == (operation, model)
            return error.value.known

        assert known("chat", "gpt-9", PLAIN) == ("gpt-4", "gpt-3.5")
        assert known("image", "gpt-9", PLAIN) == ("gpt-4", "gpt-3.5")
        assert known("llm", "claude-x", CATALOG, provider="anthropic") == (
            "claude-opus",
            "claude-sonnet",
        )
        assert known("llm", "gpt-5", CATALOG, provider="anthropic") == (
            "claude-opus",
            "claude-sonnet",
        )
        unnamed: dict[str, Any] = {"amount_microcredits": None, "priced_at": NOW}
        hinting = usage_of(input=1, provider="anthropic")
        for said in (
            {"usage": hinting},
            {"usage": usage_of(input=1), "provider": "anthropic"},
        ):
            assert known("llm", "claude-x", CATALOG, **said, **unnamed) == (
                "claude-opus",
                "claude-sonnet",
            )
        assert known("llm", "gpt-9", CATALOG)[:3] == ("gpt-5", "gpt-5-mini", "gpt-dated")
        for accepted in (
            Consumption("chat", **named),
            Consumption("chat", "gpt-4-x", **named),
            Consumption("call", "gpt-9", **named),
            Consumption("video", **named),
        ):
            assert price_run(accepted, PLAIN).charged_microcredits == 5
        hinted = usage_of(input=1, provider="anthropic")
        for catalog, consumption in (
            (CATALOG, Consumption("llm", "gpt-5", usage=hinted, **named)),
            (CATALOG, Consumption("llm", **named)),
            (priced_with('unknown_model = "ceiling"'), Consumption("llm", "gpt-9", **named)),
            (priced_with('unknown_model = "quarantine"'), Consumption("llm", "gpt-9", **named)),
        ):
            assert price_run(consumption, catalog).charged_microcredits == 5
        assert price_run(Consumption("own", "any", **named), PLAIN).charged_microcredits == 0

    def test_as_many_known_models_are_named_as_help(self) -> None:
        own = "".join(
            f'[[prices.overrides]]\npatterns = ["own-{n:02}"]\nusd_per_million = {{ input = 1 }}\n'
            for n in range(25)
        )
        catalog = catalog_of(PRICES + own + LLM)

        for amount in (None, 5):
            with pytest.raises(UnknownModelError) as error:
                price(catalog, model="Own-1x", usage=usage_of(input=1), amount_microcredits=amount)

            known = error.value.known
            assert known[:10] == tuple(f"own-1{n}" for n in range(10))
            assert known[10:] == tuple(f"own-0{n}" for n in range(10))
