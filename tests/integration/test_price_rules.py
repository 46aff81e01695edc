"""The rules of prices over the API: every answer says what it costs, and what is pinned stays."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.support.deploying import deploy
from tests.support.driving import Answered, Driver, FakeClock, verify_ledger
from tests.support.keys import issue

D = Decimal
GPT_5 = {
    "model": "gpt-5",
    "usage": {
        "prompt_tokens": 1200,
        "completion_tokens": 100,
        "prompt_tokens_details": {"cached_tokens": 200},
    },
}
COST = "0.002275"
DATED = {
    "id": "gpt-dated",
    "rates": {"input": "1", "output": "4"},
    "dated": [{"effective_from": "2026-11-21", "rates": {"input": "2", "output": "8"}}],
}


@pytest.fixture
def stack(driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Driver:
    """A stack with every rule; user_1 has 115 credits on the free plan, vip 1100 on the pro one."""
    deploy(monkeypatch, tmp_path, DATED)
    driver.grant("user_1", 100)
    driver.call("PUT /v1/accounts/{id}/plan", {"plan": "pro"}, path={"id": "vip"}, key="p")
    driver.grant("vip", 1000)
    return driver


def estimate(driver: Driver, operation: str, **members: object) -> Answered:
    body = {"account": "user_1", "operation": operation, **members}
    answer = driver.call("POST /v1/estimate", body)
    assert answer.status == 200, answer.text
    return answer


def shown(answer: Answered) -> tuple[float, object]:
    """What is charged, or would be, and what it costs."""
    assert answer.status in (200, 201), answer.text
    named = ("charged", "required", "typical")
    amount = next(answer.body[name] for name in named if name in answer.body)
    return float(amount), answer["cost_usd"]


class TestTheShippedCatalog:
    def test_any_model_of_the_book_is_priced_over_the_api(self, driver: Driver) -> None:
        charged = driver.deduct("user_1", "llm", "m1", usage=GPT_5)
        claude = driver.deduct(
            "user_1", "llm", "m2", model="claude-sonnet-4-5", usage={"input": 1000, "output": 100}
        )

        assert shown(charged) == (0.034125, COST)
        assert shown(claude) == (0.0675, "0.0045")
        assert [line["item"] for line in charged["breakdown"]] == [
            "gpt-5 input",
            "gpt-5 cached input",
            "gpt-5 output",
        ]

    def test_a_system_of_several_models_costs_what_each_of_them_costs(self, driver: Driver) -> None:
        driver.grant("user_1", 100)
        llama = {"prompt_tokens": 226, "completion_tokens": 16, "total_tokens": 242}
        gpt = {"prompt_tokens": 903, "completion_tokens": 873, "total_tokens": 1776}
        models = [
            {"model": "llama-3.3-70b-versatile", "usage": llama},
            {"model": "openai/gpt-oss-120b", "usage": gpt},
        ]
        body = {
            "model": "groq/compound",
            "usage": {"prompt_tokens": 1129, "completion_tokens": 889, "total_tokens": 2018},
            "usage_breakdown": {"models": models},
        }

        charged = driver.deduct("user_1", "llm", "c1", usage=body)

        assert charged.status == 200, charged.text
        # At Groq: 0.59 and 0.79 USD per million tokens of the one, 0.15 and 0.60 of the other.
        assert D(charged["cost_usd"]) == (
            226 * D("0.59") + 16 * D("0.79") + 903 * D("0.15") + 873 * D("0.6")
        ) / D(10**6)
        verify_ledger(driver, "user_1")

    def test_an_operation_by_family_keeps_its_price_and_shows_its_cost(
        self, driver: Driver
    ) -> None:
        charged = driver.deduct(
            "user_1", "ai_tokens", "m1", model="gpt-4", usage={"input": 20, "output": 5}
        )

        assert shown(charged) == (1.5, "0.0009")

    def test_an_unknown_model_is_refused_and_nothing_is_written(self, driver: Driver) -> None:
        refused = driver.deduct("user_1", "llm", "m1", model="gpt-99", usage={"input": 5})

        assert (refused.status, refused["code"]) == (422, "unknown_model")
        assert refused["models"]
        assert driver.account("user_1")["available"] == 15
        again = driver.deduct("user_1", "llm", "m1", model="gpt-5", usage={"input": 5})
        assert again.status == 200


class TestEveryAnswer:
    def test_check_estimate_hold_settle_and_deduct_agree(self, stack: Driver) -> None:
        price = (0.34125, COST)

        assert shown(stack.check("user_1", "llm", usage=GPT_5)) == price
        assert shown(estimate(stack, "llm", usage=GPT_5)) == price
        assert shown(stack.hold("user_1", "llm", "h1", usage=GPT_5)) == price
        assert shown(stack.settle("user_1", "h1", usage=GPT_5)) == price
        assert shown(stack.deduct("user_1", "llm", "m1", usage=GPT_5)) == price
        versions = {
            answer["price_version"]
            for answer in (
                stack.check("user_1", "llm", usage=GPT_5),
                estimate(stack, "llm", usage=GPT_5),
                stack.hold("user_1", "llm", "h2", usage=GPT_5),
            )
        }
        assert len(versions) == 1
        verify_ledger(stack, "user_1")

    def test_a_replay_says_the_same(self, stack: Driver) -> None:
        first = stack.deduct("user_1", "bulk", "m1", usage=GPT_5)
        again = stack.deduct("user_1", "bulk", "m1", usage=GPT_5)

        assert again.body == first.body
        assert again.headers["idempotency-replayed"] == "true"

    def test_members_that_change_the_price_are_a_part_of_the_request(self, stack: Driver) -> None:
        stack.deduct("user_1", "llm", "m1", usage=GPT_5)

        for members in ({"service_tier": "batch"}, {"provider": "openai"}):
            other = stack.deduct("user_1", "llm", "m1", usage=GPT_5, **members)
            assert (other.status, other["code"]) == (422, "idempotency_mismatch")

    def test_a_service_tier_and_a_provider_choose_the_rates(self, stack: Driver) -> None:
        batch = stack.deduct(
            "user_1", "llm", "m1", model="gpt-5", usage={"output": 1000}, service_tier="batch"
        )
        standard = stack.deduct(
            "user_1", "llm", "m2", model="gpt-5", usage={"output": 1000}, service_tier="default"
        )
        stranger = stack.deduct(
            "user_1", "llm", "m3", model="gpt-5", usage={"output": 1000}, provider="anthropic"
        )

        assert [shown(each)[1] for each in (batch, standard)] == ["0.005", "0.01"]
        assert stranger["warnings"][0]["code"] == "unknown_model_quarantined"

    @pytest.mark.parametrize(
        ("members", "member"),
        [
            ({"service_tier": "express"}, "service_tier"),
            ({"provider": ""}, "provider"),
            ({"provider": "Open AI"}, "provider"),
            ({"resource": {"cpu_ms": 1}}, "resource"),
            ({"resource": {"cpu_ms": -1}}, "resource.cpu_ms"),
            ({"resource": {"gpu_ms": 1}}, "resource.gpu_ms"),
            ({"resource": {"cpu_ms": "1"}}, "resource.cpu_ms"),
        ],
    )
    def test_what_cannot_be_used_is_named(
        self, stack: Driver, members: dict[str, object], member: str
    ) -> None:
        refused = stack.deduct("user_1", "llm", "m1", usage=GPT_5, **members)

        assert (refused.status, refused["code"]) == (422, "invalid")
        assert refused["errors"][0]["member"] == member


class TestResource:
    USED: ClassVar[dict[str, int]] = {"cpu_ms": 1500, "mem_mb": 512, "duration_ms": 2000}

    def test_a_run_is_charged_for_what_it_took(self, stack: Driver) -> None:
        charged = stack.deduct("user_1", "render", "r1", resource=self.USED)
        stack.hold("user_1", "render", "h1", estimate=1)
        settled = stack.settle("user_1", "h1", resource=self.USED)

        assert shown(charged) == shown(settled) == (0.019048, None)
        assert float(settled["released"]) == 0.980952

    def test_what_has_a_price_must_be_said(self, stack: Driver) -> None:
        refused = stack.deduct("user_1", "render", "r1", resource={"cpu_ms": 1500})
        unsaid = stack.check("user_1", "render")

        assert refused["errors"][0]["member"] == "resource.mem_mb"
        assert unsaid["errors"][0]["member"] == "resource"


class TestAllowances:
    def test_an_account_sees_what_is_free_and_what_is_used(self, stack: Driver) -> None:
        stack.deduct("user_1", "bulk", "m1", model="gpt-5", usage={"input": 600})
        stack.deduct("user_1", "call", "c1", quantity=3)

        assert stack.account("user_1")["allowances"] == [
            {"feature": "bulk", "used": 600, "free": 1000, "unit": "token"},
            {"feature": "call", "used": 3, "free": 2, "unit": "call"},
        ]
        assert stack.account("nobody")["allowances"][0]["used"] == 0
        verify_ledger(stack, "user_1")

    def test_check_and_estimate_know_what_is_left(self, stack: Driver) -> None:
        def prices() -> list[object]:
            return [
                shown(stack.check("user_1", "call"))[0],
                shown(estimate(stack, "call"))[0],
            ]

        assert prices() == [0, 0]
        stack.deduct("user_1", "call", "c1", quantity=2)
        assert prices() == [0.5, 0.5]
        assert shown(stack.deduct("user_1", "call", "c2"))[0] == 0.5

    def test_a_void_and_a_new_period_give_it_back(self, stack: Driver, clock: FakeClock) -> None:
        stack.deduct("user_1", "call", "c1", quantity=2)
        stack.void("user_1", "c1", "v1")
        assert shown(stack.deduct("user_1", "call", "c2", quantity=2))[0] == 0
        assert shown(stack.deduct("user_1", "call", "c3"))[0] == 0.5

        clock.forward(days=11)
        assert shown(stack.deduct("user_1", "call", "c4"))[0] == 0
        verify_ledger(stack, "user_1")

    def test_a_hold_is_priced_when_it_opens_and_again_when_it_is_settled(
        self, stack: Driver
    ) -> None:
        opened = stack.hold("user_1", "call", "h1")
        stack.deduct("user_1", "call", "c1", quantity=2)
        settled = stack.settle("user_1", "h1", quantity=1)

        assert (shown(opened)[0], shown(settled)[0]) == (0, 0.5)
        assert settled["warnings"][0]["code"] == "above_hold"

    def test_a_refusal_says_what_the_run_needs_here(self, stack: Driver) -> None:
        free = stack.check("poor", "call", quantity=2)
        dear = stack.check("poor", "call", quantity=42)

        assert shown(free)[0] == 0
        assert (dear.status, dear["required"]) == (402, 20)


class TestPlans:
    def test_an_account_has_the_prices_of_its_plan(self, stack: Driver) -> None:
        on_free = stack.deduct("user_1", "llm", "m1", usage=GPT_5)
        on_pro = stack.deduct("vip", "llm", "m1", usage=GPT_5)

        assert (shown(on_free)[0], shown(on_pro)[0]) == (0.34125, 0.273)
        assert shown(stack.check("new", "llm", usage=GPT_5))[0] == 0.34125
        assert shown(stack.check("new", "llm", usage=GPT_5, plan="pro"))[0] == 0.273
        assert shown(estimate(stack, "llm", usage=GPT_5, account="vip"))[0] == 0.273
        assert shown(estimate(stack, "llm", usage=GPT_5, account="new", plan="pro"))[0] == 0.273

    def test_a_settle_has_the_plan_of_its_own_moment(self, stack: Driver) -> None:
        stack.hold("user_1", "llm", "h1", usage=GPT_5)
        route = "PUT /v1/accounts/{id}/plan"
        stack.call(route, {"plan": "pro"}, path={"id": "user_1"}, key="p1")

        assert shown(stack.settle("user_1", "h1", usage=GPT_5))[0] == 0.273

    def test_a_budget_has_the_prices_of_its_plan_and_an_allowance_of_its_own(
        self, stack: Driver
    ) -> None:
        body = {"budget": "team", "amount": 10}
        route = "POST /v1/accounts/{id}/budgets"
        assert stack.call(route, body, path={"id": "vip"}, key="b1").status in (200, 201)
        stack.deduct("vip", "call", "c1", quantity=2)

        assert shown(stack.deduct("team", "llm", "m1", usage=GPT_5))[0] == 0.273
        assert shown(stack.deduct("team", "call", "c1", quantity=2))[0] == 0


class TestDates:
    USED: ClassVar[dict[str, Any]] = {"model": "gpt-dated", "usage": {"input": 1000}}

    def test_rates_are_of_the_moment_or_of_when_it_ran(
        self, stack: Driver, clock: FakeClock
    ) -> None:
        before = stack.deduct("user_1", "llm", "m1", **self.USED)
        clock.forward(days=1)
        after = stack.deduct("user_1", "llm", "m2", **self.USED)
        late = stack.deduct("user_1", "llm", "m3", **self.USED, occurred_at="2026-11-20T23:59:59Z")

        assert [shown(each)[1] for each in (before, after, late)] == ["0.001", "0.002", "0.001"]

    def test_a_hold_keeps_the_rates_of_its_opening(self, stack: Driver, clock: FakeClock) -> None:
        clock.forward(hours=11, minutes=55)
        stack.hold("user_1", "llm", "h1", **self.USED)
        stack.hold("user_1", "llm", "h2", **self.USED, expires_in_s=60)
        clock.forward(minutes=10)
        settled = stack.settle("user_1", "h1", usage={"input": 1000})
        late = stack.settle("user_1", "h2", usage={"input": 1000})

        assert shown(settled)[1] == shown(late)[1] == "0.001"
        assert late["late"] is True
        assert shown(stack.deduct("user_1", "llm", "m1", **self.USED))[1] == "0.002"

    def test_a_quote_keeps_them_from_the_estimate_to_the_settle(
        self, stack: Driver, clock: FakeClock
    ) -> None:
        clock.forward(hours=11, minutes=55)
        quote = estimate(stack, "llm", **self.USED)["quote_id"]
        clock.forward(minutes=10)
        charged = stack.deduct("user_1", "llm", "m1", **self.USED, quote_id=quote)
        opened = stack.hold("user_1", "llm", "h1", **self.USED, quote_id=quote)
        settled = stack.settle("user_1", "h1", usage={"input": 1000})
        stack.hold("user_1", "llm", "h2", **self.USED, quote_id=quote, expires_in_s=60)
        clock.forward(minutes=5)
        late = stack.settle("user_1", "h2", usage={"input": 1000})

        costs = [shown(each)[1] for each in (charged, opened, settled, late)]
        assert costs == ["0.001"] * 4


class TestHolds:
    def test_what_the_opening_said_of_model_provider_and_tier_holds_for_the_settle(
        self, stack: Driver
    ) -> None:
        stack.hold("user_1", "llm", "h1", model="gpt-5", service_tier="batch", estimate=5)
        stack.hold("user_1", "llm", "h2", model="gpt-5", service_tier="batch", estimate=5)
        kept = stack.settle("user_1", "h1", usage={"output": 1000})
        other = stack.settle(
            "user_1", "h2", usage={"output": 1000}, model="claude-5", service_tier="standard"
        )

        assert [shown(each)[1] for each in (kept, other)] == ["0.005", "0.015"]

    def test_a_minimum_is_charged_once_for_a_run_in_parts(self, stack: Driver) -> None:
        tiny = {"model": "gpt-5", "usage": {"input": 1}}
        stack.hold("user_1", "llm", "h1", estimate=5, model="gpt-5")
        parts = [
            stack.settle("user_1", "h1", key="p1", usage=tiny["usage"]),
            stack.settle("user_1", "h1", key="p2", usage=tiny["usage"]),
            stack.settle("user_1", "h1", usage=tiny["usage"]),
        ]

        assert [shown(each)[0] for each in parts] == [0.001, 0.000188, 0.000188]
        verify_ledger(stack, "user_1")


def test_s3_09_the_cost_table_says_what_else_goes_into_a_price(stack: Driver) -> None:
    answer = stack.call(
        "GET /v1/catalog", headers={"authorization": f"Bearer {issue(stack, 'read')}"}
    )

    operations = {each["id"]: each for each in answer["operations"]}
    plans = {each["id"]: each for each in answer["plans"]}
    terms = [each for each in operations.values() if "free_allowance" in each or "tiers" in each]
    assert terms, operations
    assert all(tier["percent"] > 0 for each in terms for tier in each.get("tiers", []))
    assert any("minimum" in each for each in operations.values())
    dear = plans["pro"]["prices"]
    assert {each["id"] for each in dear} <= operations.keys()
    assert "prices" not in plans["free"]


def test_a_plan_that_refuses_the_model_is_no_help_and_no_other_refusal(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    catalog = tmp_path / "catalog.toml"
    shipped = Path(__file__).parents[2] / "layers" / "catalog"
    text = (shipped / "catalog.toml").read_text(encoding="utf-8")
    text = text.replace('unknown_model = "reject"', 'unknown_model = "ceiling"')
    strict = '[plans.pro.prices.llm]\nunknown_model = "reject"\n\n[plans.pro.features]'
    catalog.write_text(text.replace("[plans.pro.features]", strict), encoding="utf-8")
    (tmp_path / "prices.json").symlink_to(shipped / "prices.json")
    monkeypatch.setenv("CATALOG_PATH", str(catalog))

    answer = driver.check("user_1", "llm", model="gpt-unheard-of", usage={"output": 10**5})

    assert (answer.status, answer["code"]) == (402, "insufficient_credits"), answer.text
    assert "pro" not in [each["plan"] for each in answer.body.get("plans", [])]
