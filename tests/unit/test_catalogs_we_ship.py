"""The shipped catalog and the examples: what the five products cost, give, limit and sell."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from local.check_catalog import main as check_catalog
from tollkeeper.domain.catalog import Catalog, Flat, Local, Per1kTokens, find_model
from tollkeeper.domain.errors import UnknownModelError
from tollkeeper.domain.money import parse_micro, show_micro, show_price, show_usd
from tollkeeper.domain.pricing import Consumption, estimate_run, price_run
from tollkeeper.domain.rules import PerResource, Tokens
from tollkeeper.domain.usage import normalise_usage
from tollkeeper.edge.catalog_file import read_catalog

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHIPPED = ROOT / "layers" / "catalog" / "catalog.toml"
EXAMPLES = {path.stem: path for path in (ROOT / "examples" / "catalogs").glob("*.toml")}
ALL = [SHIPPED, *sorted(EXAMPLES.values())]

S1_LIMITS = {
    "free": {"script_generation": 3, "voice_creation": 1, "video_processing": 2},
    "pro": {"script_generation": 100, "voice_creation": 20, "video_processing": 50},
}
S1_COSTS = {
    "script_generation": "1",
    "voice_creation": "5",
    "video_processing": "2",
    "chat_refinement": "1",
}
S3_COSTS = {
    "voice_call": "1",
    "sms": "1",
    "whatsapp": "1",
    "ai_response": "2",
    "document_upload": "5",
    "bundle_creation": "50",
    "phone_number": "100",
}
S3_PACKS = [
    ("starter", "Starter", "100", "10.00"),
    ("pro", "Pro", "500", "50.00"),
    ("enterprise", "Enterprise", "1000", "100.00"),
]
S4_PACKS = ["starter", "standard", "professional"]


def catalog_of(name: str) -> Catalog:
    return read_catalog(SHIPPED if name == "shipped" else EXAMPLES[name])


def price_of(
    catalog: Catalog, operation: str, *, model: str | None = None, total: int | None = None
) -> str:
    usage = None if total is None else normalise_usage({"total": total})
    consumption = Consumption(operation=operation, model=model, usage=usage, priced_at=NOW)
    return show_micro(price_run(consumption, catalog).charged_microcredits)


def price_of_quantity(catalog: Catalog, operation: str, quantity: str) -> str:
    consumption = Consumption(operation=operation, quantity_micro=parse_micro(quantity, "quantity"))
    return show_micro(price_run(consumption, catalog).charged_microcredits)


def allocation_of(catalog: Catalog, plan: str) -> str:
    return show_micro(catalog.plans[plan].allocation_microcredits)


def price_per_credit(catalog: Catalog, pack: str) -> Fraction:
    found = catalog.packs[pack]
    return Fraction(found.price_minor, found.credits_microcredits)


class TestEveryCatalog:
    def test_the_five_products_have_one_each(self) -> None:
        assert sorted(EXAMPLES) == ["chat", "models", "scripts", "studio", "voice"]

    def test_the_check_at_build_accepts_them(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert check_catalog([str(path) for path in ALL]) == 0

        assert len(capsys.readouterr().out.splitlines()) == len(ALL)

    @pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
    def test_a_family_is_named_after_a_model_that_it_prices(self, path: Path) -> None:
        for operation in read_catalog(path).operations.values():
            if isinstance(operation.rule, Flat | Per1kTokens):
                for family in operation.rule.models:
                    assert find_model(operation, operation.rule.models, family.name) is family

    @pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
    def test_every_estimate_can_be_priced_and_is_in_order(self, path: Path) -> None:
        catalog = read_catalog(path)
        for operation in catalog.operations.values():
            families = getattr(operation.rule, "models", ())
            names = [family.name for family in families]
            if isinstance(operation.rule, PerResource):
                continue
            if isinstance(operation.rule, Tokens):
                names = ["gpt-5", "claude-opus-4-5"]
            for model in names or [None]:
                estimate = estimate_run(Consumption(operation.id, model, priced_at=NOW), catalog)

                assert (
                    estimate.smallest_microcredits
                    <= estimate.typical_microcredits
                    <= estimate.largest_microcredits
                )


class TestScriptsVoicesAndVideos:
    @pytest.mark.parametrize("name", ["shipped", "scripts"])
    def test_s1_06_levels_come_from_roles(self, name: str) -> None:
        catalog = catalog_of(name)

        assert catalog.plan_for_role("super_admin") == "pro"
        assert catalog.plan_for_role("coach") == "pro"
        assert catalog.plan_for_role("member") == "free"
        assert catalog.plan_for_role("Coach") == "free"
        assert catalog.default_plan == "free"

    @pytest.mark.parametrize("name", ["shipped", "scripts"])
    @pytest.mark.parametrize(("operation", "credits"), S1_COSTS.items())
    def test_s1_09_operations_have_flat_costs(
        self, name: str, operation: str, credits: str
    ) -> None:
        assert price_of(catalog_of(name), operation) == credits

    @pytest.mark.parametrize("name", ["shipped", "scripts"])
    @pytest.mark.parametrize("plan", ["free", "pro"])
    def test_s1_15_features_are_limited_per_level(self, name: str, plan: str) -> None:
        assert catalog_of(name).plans[plan].features == S1_LIMITS[plan]

    @pytest.mark.parametrize("name", ["shipped", "scripts"])
    def test_s1_15_an_operation_counts_against_the_feature_of_its_name(self, name: str) -> None:
        catalog = catalog_of(name)

        for operation in S1_COSTS:
            assert catalog.operations[operation].feature == operation

    @pytest.mark.parametrize("plan", ["free", "pro"])
    def test_s1_15_the_allocation_of_a_level_reaches_its_limits(self, plan: str) -> None:
        catalog = catalog_of("scripts")
        needed = sum(count * int(S1_COSTS[name]) for name, count in S1_LIMITS[plan].items())

        assert needed <= int(allocation_of(catalog, plan))

    @pytest.mark.parametrize("name", ["shipped", "scripts", "voice", "studio", "chat"])
    def test_s1_17_packs_have_an_id_a_name_credits_a_price_and_features(self, name: str) -> None:
        packs = catalog_of(name).packs

        assert packs
        for key, pack in packs.items():
            assert pack.id == key
            assert pack.name
            assert pack.credits_microcredits > 0
            assert pack.price_minor > 0
            assert pack.features


class TestPlansAndModels:
    def test_s2_01_plans_allocate_25_and_50_per_period(self) -> None:
        catalog = catalog_of("models")

        assert allocation_of(catalog, "starter_user") == "25"
        assert allocation_of(catalog, "pro_user") == "50"
        assert catalog.low_balance_microcredits == 5_000_000

    def test_s2_01_the_shipped_plans_allocate_15_25_and_50(self) -> None:
        catalog = catalog_of("shipped")

        assert {plan: allocation_of(catalog, plan) for plan in catalog.plans} == {
            "free": "15",
            "starter": "25",
            "pro": "50",
        }

    def test_s2_03_each_model_has_a_flat_cost(self) -> None:
        catalog = catalog_of("models")

        assert price_of(catalog, "ai_generation", model="gpt-4o-mini-2024-07-18") == "1"
        assert price_of(catalog, "ai_generation", model="gpt-4o-2024-08-06") == "3"
        assert price_of(catalog, "ai_generation", model="models/gemini-2.5-pro") == "3"
        assert price_of(catalog, "ai_generation", model="claude-sonnet-4-5-20250929") == "4"
        assert price_of(catalog, "ai_generation", model="claude-opus-4-5-20251101") == "10"

    def test_s2_03_tokens_do_not_change_a_flat_cost(self) -> None:
        catalog = catalog_of("models")

        assert price_of(catalog, "ai_generation", model="gpt-4o", total=90_000) == "3"

    @pytest.mark.parametrize("model", ["gpt-4o-audio-preview", "gpt-5", "o3", None])
    def test_s2_03_a_model_without_a_price_is_refused(self, model: str | None) -> None:
        with pytest.raises(UnknownModelError):
            price_of(catalog_of("models"), "ai_generation", model=model)


class TestVoiceAndMessages:
    @pytest.mark.parametrize("name", ["shipped", "voice"])
    @pytest.mark.parametrize(("pack", "title", "credits", "price"), S3_PACKS)
    def test_s3_03_packs_cost_ten_cents_per_credit(
        self, name: str, pack: str, title: str, credits: str, price: str
    ) -> None:
        catalog = catalog_of(name)
        found = catalog.packs[pack]

        assert (found.name, show_micro(found.credits_microcredits)) == (title, credits)
        assert (show_price(found.price_minor, found.currency), found.currency) == (price, "usd")
        assert price_per_credit(catalog, pack) * 1_000_000 == 10
        assert found.expires_after_days is None

    @pytest.mark.parametrize("name", ["shipped", "voice"])
    @pytest.mark.parametrize(("operation", "credits"), S3_COSTS.items())
    def test_s3_04_services_have_their_costs(self, name: str, operation: str, credits: str) -> None:
        assert price_of(catalog_of(name), operation) == credits

    @pytest.mark.parametrize("name", ["shipped", "voice"])
    def test_s3_04_minutes_messages_and_documents_are_counted(self, name: str) -> None:
        catalog = catalog_of(name)

        assert price_of_quantity(catalog, "voice_call", "12") == "12"
        assert price_of_quantity(catalog, "sms", "3") == "3"
        assert price_of_quantity(catalog, "whatsapp", "7") == "7"
        assert price_of_quantity(catalog, "document_upload", "2") == "10"

    @pytest.mark.parametrize("name", ["shipped", "voice"])
    @pytest.mark.parametrize(
        ("model", "credits_per_1k"),
        [("gpt-4", "60"), ("gpt-3.5", "2"), ("gemini-pro", "1"), ("claude", "2")],
    )
    def test_s3_04_tokens_have_a_cost_per_thousand(
        self, name: str, model: str, credits_per_1k: str
    ) -> None:
        assert price_of(catalog_of(name), "ai_tokens", model=model, total=1000) == credits_per_1k

    def test_s3_04_tokens_are_charged_in_proportion(self) -> None:
        catalog = catalog_of("shipped")

        assert price_of(catalog, "ai_tokens", model="gpt-4", total=25) == "1.5"
        assert price_of(catalog, "ai_tokens", model="gemini-pro", total=1) == "0.001"

    @pytest.mark.parametrize(
        ("family", "models"),
        [
            (
                "gpt-4",
                "gpt-4 GPT-4 gpt-4-0314 gpt-4-0613 gpt-4-32k gpt-4-32k-0613 gpt-4-turbo "
                "gpt-4-turbo-2024-04-09 gpt-4-turbo-preview gpt-4-1106-preview gpt-4-0125-preview "
                "gpt-4-vision-preview openai/gpt-4 openai/gpt-4-turbo",
            ),
            (
                "gpt-3.5",
                "gpt-3.5 gpt-3.5-turbo gpt-3.5-turbo-0125 gpt-3.5-turbo-1106 gpt-3.5-turbo-16k "
                "gpt-3.5-turbo-instruct gpt-35-turbo gpt-35-turbo-16k openai/gpt-3.5-turbo",
            ),
            (
                "gemini-pro",
                "gemini-pro gemini-pro-vision gemini-1.0-pro gemini-1.0-pro-001 gemini-1.5-pro "
                "gemini-1.5-pro-002 gemini-1.5-pro-latest gemini-2.0-pro-exp-02-05 gemini-2.5-pro "
                "gemini-2.5-pro-preview-05-06 gemini-3-pro-preview models/gemini-pro "
                "models/gemini-2.5-pro google/gemini-2.5-pro",
            ),
            (
                "claude",
                "claude claude-2.1 claude-instant-1.2 claude-3-5-sonnet-20241022 claude-3-7-sonnet "
                "claude-sonnet-4-5-20250929 claude-opus-5 claude-haiku-4-5-20251001 "
                "anthropic/claude-4.5-sonnet-20250929 anthropic.claude-3-haiku-20240307-v1:0 "
                "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            ),
        ],
        ids=["gpt-4", "gpt-3.5", "gemini-pro", "claude"],
    )
    def test_s3_04_every_name_of_a_family_has_its_price(self, family: str, models: str) -> None:
        operation = catalog_of("shipped").operations["ai_tokens"]
        assert isinstance(operation.rule, Per1kTokens)

        for model in models.split():
            assert find_model(operation, operation.rule.models, model).name == family, model

    @pytest.mark.parametrize(
        "models",
        [
            "gpt-4o gpt-4o-mini gpt-4o-2024-08-06 chatgpt-4o-latest gpt-40 openai/gpt-4o",
            "gpt-4.1 gpt-4.1-mini-2025-04-14 gpt-4.5-preview-2025-02-27 gpt-5 gpt-5.2-2025-12-11",
            "gpt-3 gpt-35 o3 openai/gpt-oss-120b ft:gpt-3.5-turbo-0125:acme::7p4lURel",
            "gemini gemini-2.5-flash gemini-3-flash-preview gemini-2.5-flash-image",
            "models/gemini-1.5-flash google/gemini-2.5-flash gemini-2.5-product",
            "claudette my-claude-3 mistral-large-latest llama-3.3-70b text-embedding-3-small",
        ],
    )
    def test_s3_04_every_other_model_is_refused(self, models: str) -> None:
        catalog = catalog_of("shipped")

        for model in models.split():
            with pytest.raises(UnknownModelError):
                price_of(catalog, "ai_tokens", model=model, total=1000)

    def test_s3_04_exactly_four_families_are_priced(self) -> None:
        rule = catalog_of("shipped").operations["ai_tokens"].rule
        assert isinstance(rule, Per1kTokens)

        prices = {family.name: show_micro(family.credits_microcredits) for family in rule.models}
        assert prices == {"gpt-4": "60", "gpt-3.5": "2", "gemini-pro": "1", "claude": "2"}

    def test_s3_04_the_shipped_operations_are_these(self) -> None:
        assert set(catalog_of("shipped").operations) == {*S1_COSTS, *S3_COSTS, "ai_tokens", "llm"}


class TestStudio:
    def test_s4_02_packs_have_growing_savings(self) -> None:
        for name in ("studio", "shipped"):
            catalog = catalog_of(name)
            prices = [price_per_credit(catalog, pack) for pack in S4_PACKS]

            assert prices == sorted(set(prices), reverse=True)
            assert [catalog.packs[pack].name for pack in S4_PACKS] == [
                "Starter",
                "Standard",
                "Professional",
            ]

    @pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
    def test_s4_02_savings_that_a_pack_states_are_its_savings(self, path: Path) -> None:
        catalog = read_catalog(path)
        prices = [price_per_credit(catalog, pack) for pack in catalog.packs]
        for pack in catalog.packs.values():
            saved = 1 - price_per_credit(catalog, pack.id) / max(prices)
            stated = [line for line in pack.features if "less per credit" in line]

            words = {Fraction(1, 6): "One sixth"}.get(saved, f"{saved * 100} %")
            assert stated == ([f"{words} less per credit"] if saved else [])

    def test_s4_05_local_tools_are_estimated_at_nothing(self) -> None:
        catalog = catalog_of("studio")

        estimate = estimate_run(Consumption("qr_code"), catalog)

        assert estimate.largest_microcredits == 0
        assert estimate.explanation == "Local mode, 0 credits"

    def test_s4_05_a_tool_charged_by_the_minute_has_a_range(self) -> None:
        estimate = estimate_run(Consumption("transcription"), catalog_of("studio"))

        assert estimate.smallest_microcredits == 250_000
        assert estimate.typical_microcredits == 5_000_000
        assert estimate.largest_microcredits == 60_000_000

    def test_s4_08_there_are_24_tools_of_which_8_are_local(self) -> None:
        operations = catalog_of("studio").operations.values()

        assert len(operations) == 24
        assert sum(isinstance(operation.rule, Local) for operation in operations) == 8


class TestChat:
    @pytest.mark.parametrize(
        ("model", "usage", "credits", "usd"),
        [
            ("gpt-4o", {"input": 1200, "output": 350}, "7.75", "0.0065"),
            ("gpt-4o-mini-2024-07-18", {"input": 19, "output": 10}, "0.0145", "0.00000885"),
            (
                "gpt-5",
                {"input": 86, "cached_input": 1920, "output": 172, "reasoning": 128},
                "11.53",
                "0.0033475",
            ),
            ("claude-sonnet-4-5", {"input": 100, "output": 10}, "0.88", "0.00045"),
            ("gemini-2.5-flash", {"input": 100, "audio_input": 100}, "0.1", "0.00013"),
        ],
    )
    def test_s0_06_models_of_all_three_providers_show_credits_and_cost(
        self, model: str, usage: dict[str, object], credits: str, usd: str
    ) -> None:
        used = normalise_usage(usage)
        consumption = Consumption("ai_message", model, usage=used, priced_at=NOW)

        priced = price_run(consumption, catalog_of("chat"))

        assert show_micro(priced.charged_microcredits) == credits
        assert priced.run.cost_picousd is not None
        assert show_usd(priced.run.cost_picousd) == usd

    def test_s0_19_a_typical_message_to_the_expensive_model_costs_more_than_ten(self) -> None:
        consumption = Consumption("ai_message", "claude-opus-4-5", priced_at=NOW)
        estimate = estimate_run(consumption, catalog_of("chat"))

        assert estimate.typical_microcredits > 10_000_000
