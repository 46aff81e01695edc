"""The five products that this was built for, each under its own catalog, through the handlers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.driving import Driver, verify_ledger
from tests.support.forgetting import forget
from tollkeeper.domain.catalog import PlanTerms
from tollkeeper.edge.catalog_file import read_catalog
from tollkeeper.edge.routes import ROUTES

CATALOGS = Path(__file__).parents[2] / "examples" / "catalogs"
D = Decimal

CHAT = {"operation": "ai_message", "model": "gpt-4o", "service": "openai"}
OPENAI_BODY = {
    "model": "gpt-4o-2024-08-06",
    "usage": {
        "prompt_tokens": 1200,
        "completion_tokens": 350,
        "total_tokens": 1550,
        "prompt_tokens_details": {"cached_tokens": 1000},
    },
}


@pytest.fixture
def under(monkeypatch: pytest.MonkeyPatch, driver: Driver) -> Callable[[str], Driver]:
    """The driver under one of the example catalogs."""

    def choose(name: str) -> Driver:
        monkeypatch.setenv("CATALOG_PATH", str(CATALOGS / f"{name}.toml"))
        return driver

    return choose


# ---- S0: AI chat with characters


def test_s0_01_a_check_before_a_message_decides_from_an_estimate(
    under: Callable[[str], Driver],
) -> None:
    driver = under("chat")
    estimate = driver.call("POST /v1/estimate", {"account": "ada", **CHAT})

    check = driver.check("ada", "ai_message", model="gpt-4o")

    assert estimate.status == 200
    assert estimate["min"] <= estimate["typical"] <= estimate["max"]
    assert check["allowed"] is True
    assert check["required"] == estimate["typical"]
    assert driver.entries("ada") == []


def test_s0_03_s0_05_a_shortage_is_an_error_that_the_client_can_act_on(
    under: Callable[[str], Driver],
) -> None:
    driver = under("chat")

    answer = driver.check("ada", "ai_message", model="gpt-4o", usage={"total": 20_000})

    assert (answer.status, answer["code"]) == (402, "insufficient_credits")
    assert answer["detail"] == "gpt-4o for 20,000 tokens needs 100 credits; 50 are available."
    assert (D(answer["required"]), D(answer["shortfall"])) == (100, 50)
    assert answer["offers"] == [
        {"pack": "small", "credits": 500, "price": "5.00", "currency": "usd"}
    ]
    assert answer["affordable"]["tokens_total"] == 10_000
    assert "gpt-4o-mini" in answer["affordable"]["models"]
    assert "gpt-4o" not in answer["affordable"]["models"]


def test_s0_04_each_answer_carries_the_balance_after_it(under: Callable[[str], Driver]) -> None:
    driver = under("chat")

    first = driver.deduct("ada", "ai_message", "m1", usage=OPENAI_BODY)
    second = driver.deduct("ada", "ai_message", "m2", usage=OPENAI_BODY)

    assert (D(first["available"]), D(second["available"])) == (D("42.25"), D("34.5"))
    assert second.headers["x-credits-available"] == "34.5;seq=3"
    assert D(driver.account("ada")["available"]) == D("34.5")


def test_s0_11_s0_12_s0_13_stats_count_messages_credits_tokens_and_cost(
    under: Callable[[str], Driver],
) -> None:
    driver = under("chat")
    driver.deduct("ada", "ai_message", "m1", usage=OPENAI_BODY)
    driver.deduct("ada", "ai_message", "m2", usage=OPENAI_BODY)

    totals = driver.stats("ada")["totals"]

    assert (totals["calls"], D(totals["credits"])) == (2, D("15.5"))
    assert totals["tokens"] == {"input": 400, "cached_input": 2000, "output": 700}
    # 200 x $2.50 + 1000 x $1.25 + 350 x $10 per million, twice.
    assert totals["cost_usd"] == "0.0105"


# ---- S1: scripts, voices and videos


def test_s1_02_stats_return_the_credits_used(under: Callable[[str], Driver]) -> None:
    driver = under("scripts")
    driver.deduct("uid", "voice_creation", "k1")

    assert D(driver.stats("uid")["totals"]["credits"]) == 5


def test_s1_03_can_perform_answers_allowed_or_a_reason_for_the_level(
    under: Callable[[str], Driver],
) -> None:
    driver = under("scripts")
    for number in range(3):
        driver.deduct("free_user", "script_generation", f"k{number}", plan="free")

    refused = driver.check("free_user", "script_generation")
    allowed = driver.check("pro_user", "script_generation", plan="pro", quantity=100)
    too_many = driver.check("pro_user", "script_generation", plan="pro", quantity=101)

    assert refused.status == 402
    assert "allows script_generation 3 times in a period" in refused["detail"]
    assert allowed["allowed"] is True
    assert (too_many.status, too_many["code"]) == (402, "feature_limit")


def test_s1_04_a_charge_keeps_service_tokens_time_success_and_metadata(
    under: Callable[[str], Driver],
) -> None:
    driver = under("scripts")
    metadata = {"input_length": 120, "output_length": 900, "voice": "Nova", "templates": 3}
    driver.deduct(
        "uid",
        "script_generation",
        "k1",
        service="gemini",
        usage={"input": 30, "output": 200},
        response_time_ms=812,
        occurred_at="2026-11-20T11:59:59Z",
        metadata=metadata,
    )

    entry = driver.call("GET /v1/accounts/{id}/entries/{key}", path={"id": "uid", "key": "k1"}).body

    assert (entry["service"], entry["tokens"]) == ("gemini", {"input": 30, "output": 200})
    assert (entry["response_time_ms"], entry["kind"]) == (812, "charge")
    assert entry["occurred_at"] == "2026-11-20T11:59:59+00:00"
    assert entry["at"] == "2026-11-20T12:00:00+00:00"
    assert entry["metadata"] == metadata


def test_s1_05_services_are_labels_and_anything_goes(under: Callable[[str], Driver]) -> None:
    driver = under("scripts")

    for service in ("gemini", "openai", "claude"):
        answer = driver.deduct("uid", "chat_refinement", service, service=service)
        assert answer.status == 200


def test_s1_06_roles_open_accounts_on_their_levels(under: Callable[[str], Driver]) -> None:
    driver = under("scripts")

    for role, plan in (("super_admin", "pro"), ("coach", "pro"), ("guest", "free")):
        driver.deduct(role, "chat_refinement", "k", role=role)
        assert driver.account(role)["plan"]["id"] == plan
    path = {"id": "guest"}
    driver.call("PUT /v1/accounts/{id}/plan", {"role": "coach"}, path=path)
    assert driver.account("guest")["plan"]["id"] == "pro"


def test_s1_07_a_refusal_is_402_with_a_reason_and_500_is_only_ours(
    under: Callable[[str], Driver], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = under("scripts")
    refused = driver.deduct("uid", "voice_creation", "k1", quantity=4)
    monkeypatch.setenv("CATALOG_PATH", "/nowhere.toml")
    forget()
    broken = driver.deduct("uid", "voice_creation", "k2")

    assert (refused.status, refused["code"]) == (402, "feature_limit")
    assert broken.status == 500


def test_s1_08_s1_11_a_check_and_its_deduct_ask_the_same_judgement(
    under: Callable[[str], Driver],
) -> None:
    driver = under("scripts")
    statuses: list[tuple[int, int]] = []
    for number in range(5):
        check = driver.check("uid", "video_processing")
        deduct = driver.deduct("uid", "video_processing", f"k{number}")
        statuses.append((check.status, deduct.status))

    assert statuses == [(200, 200), (200, 200), (402, 402), (402, 402), (402, 402)]


def test_s1_12_a_refusal_tells_no_new_balance(under: Callable[[str], Driver]) -> None:
    driver = under("scripts")

    answer = driver.deduct("uid", "script_generation", "k1", quantity=4)

    assert answer.status == 402
    assert "x-credits-available" not in answer.headers


def test_s1_19_check_available_and_deduct_leave_a_log_line(
    under: Callable[[str], Driver], caplog: pytest.LogCaptureFixture
) -> None:
    driver = under("scripts")
    driver.check("uid", "script_generation")
    driver.account("uid")
    driver.deduct("uid", "script_generation", "k1")

    lines = {record.getMessage(): vars(record) for record in caplog.records}

    assert {"checked", "available", "deducted"} <= lines.keys()
    assert (lines["deducted"]["account"], lines["deducted"]["moved"]) == ("uid", "1")


# ---- S2: plans and models


def test_s2_04_allocation_and_having_enough_are_pure_functions() -> None:
    catalog = read_catalog(CATALOGS / "models.toml")

    allocations = {p.id: p.allocation_microcredits // 10**6 for p in catalog.plans.values()}

    assert allocations == {"no_subscription": 0, "starter_user": 25, "pro_user": 50}
    assert isinstance(catalog.plan("starter_user"), PlanTerms)


def test_s2_05_s2_08_the_usage_record_says_what_remains(under: Callable[[str], Driver]) -> None:
    driver = under("models")
    driver.deduct("u", "ai_generation", "k1", model="gpt-4o", plan="starter_user")

    body = driver.account("u").body

    plan = body["plan"]
    assert (plan["allocation"], plan["used"]) == (25, 3)
    assert plan["period_start"] == "2026-11-20T12:00:00+00:00"
    assert body["updated_at"] == "2026-11-20T12:00:00+00:00"
    assert body["available"] == plan["allocation"] - plan["used"]


def test_s2_06_s2_07_a_service_reads_records_and_resets(under: Callable[[str], Driver]) -> None:
    driver = under("models")
    path = {"id": "u"}
    driver.call("PUT /v1/accounts/{id}/plan", {"plan": "pro_user"}, path=path)
    driver.deduct("u", "ai_generation", "job-1", model="claude-opus-4-5")
    before = D(driver.account("u")["available"])

    body = {"plan": "pro_user", "anchor": "2026-12-05", "reason": "new billing period"}
    reset = driver.call("PUT /v1/accounts/{id}/plan", body, path=path, key="period-2")

    assert before == 40
    assert reset.status == 200
    account = driver.account("u")
    assert D(account["available"]) == 50
    assert account["plan"]["period_end"] == "2026-12-05T00:00:00+00:00"
    verify_ledger(driver, "u")


def test_s2_13_s2_15_only_what_was_charged_is_recorded_with_model_and_account(
    under: Callable[[str], Driver],
) -> None:
    driver = under("models")
    driver.deduct("u", "ai_generation", "k1", model="gpt-4o", plan="starter_user")
    refused = driver.deduct("u", "ai_generation", "k2", model="claude-opus-4-5", quantity=3)

    charges = [e for e in driver.entries("u") if e["kind"] == "charge"]

    assert refused.status == 402
    assert [(e["key"], e["model"], D(e["charged"])) for e in charges] == [("k1", "gpt-4o", 3)]


@pytest.mark.parametrize(("plan", "allocation"), [("starter_user", 25), ("pro_user", 50)])
def test_s2_18_p1_a_plan_allocates_its_credits(
    under: Callable[[str], Driver], plan: str, allocation: int
) -> None:
    driver = under("models")

    driver.call("PUT /v1/accounts/{id}/plan", {"plan": plan}, path={"id": "u"})

    assert D(driver.account("u")["available"]) == allocation


def test_s2_18_p2_p3_p4_deductions_are_right_and_failures_change_nothing(
    under: Callable[[str], Driver],
) -> None:
    driver = under("models")
    driver.grant("u", 10)
    expected = D(10)
    for number, (model, cost) in enumerate(
        [("gpt-4o-mini", 1), ("nobody", 0), ("gpt-4o", 3), ("claude-opus-4-5", 10), ("gpt-4o", 3)]
    ):
        answer = driver.deduct("u", "ai_generation", f"k{number}", model=model)
        affordable = 0 < cost <= expected
        expected -= cost if affordable else 0
        assert (answer.status == 200) is affordable
        assert D(driver.account("u")["available"]) == expected


def test_s2_18_p5_only_the_server_decides(under: Callable[[str], Driver]) -> None:
    driver = under("models")
    driver.grant("u", 5)

    for forged in ({"cost": 0}, {"charged": 0}, {"price": "0"}, {"credits": 0}):
        answer = driver.deduct("u", "ai_generation", "k1", model="gpt-4o", **forged)
        assert (answer.status, answer["code"]) == (422, "invalid")
    assert D(driver.account("u")["available"]) == 5


def test_s2_18_p6_remaining_is_allocation_less_used(under: Callable[[str], Driver]) -> None:
    driver = under("models")
    driver.call("PUT /v1/accounts/{id}/plan", {"plan": "pro_user"}, path={"id": "u"})
    for number, model in enumerate(("gpt-4o-mini", "gpt-4o", "claude-sonnet-4-5")):
        driver.deduct("u", "ai_generation", f"k{number}", model=model)
        body = driver.account("u").body
        assert body["available"] == body["plan"]["allocation"] - body["plan"]["used"]


# ---- S3: voice, messages, documents and phone numbers


def test_s3_01_each_of_their_endpoints_has_one_of_ours() -> None:
    theirs = {
        "GET /api/credits/balance": "GET /v1/accounts/{id}",
        "POST /api/credits/checkout": "POST /v1/checkout",
        "POST /api/credits/use": "POST /v1/deduct",
        "GET /api/credits/packages": "GET /v1/packs",
        "GET /api/credits/transactions": "GET /v1/accounts/{id}/entries",
        "POST /api/credits/webhook": "POST /v1/webhooks/stripe",
    }
    reference = (CATALOGS.parents[1] / "docs" / "api.md").read_text(encoding="utf-8")

    for their, ours in theirs.items():
        assert ours in ROUTES
        assert their in reference, f"docs/api.md maps {their}"


def test_s3_04_each_service_charges_its_cost(under: Callable[[str], Driver]) -> None:
    driver = under("voice")
    driver.grant("u", 1000)
    costs: list[tuple[dict[str, Any], str]] = [
        ({"operation": "voice_call", "quantity": 3}, "3"),
        ({"operation": "sms"}, "1"),
        ({"operation": "whatsapp"}, "1"),
        ({"operation": "ai_response"}, "2"),
        ({"operation": "document_upload", "subtype": "pdf"}, "5"),
        ({"operation": "bundle_creation", "subtype": "regulatory"}, "50"),
        ({"operation": "phone_number"}, "100"),
        ({"operation": "ai_tokens", "model": "gpt-4", "usage": {"total": 1000}}, "60"),
    ]
    for number, (body, cost) in enumerate(costs):
        answer = driver.deduct("u", key=f"k{number}", **body)
        assert D(answer["charged"]) == D(cost), body
    verify_ledger(driver, "u")


def test_s3_11_history_is_a_complete_audit_trail(under: Callable[[str], Driver]) -> None:
    driver = under("voice")
    driver.grant("u", 100, kind="pack")
    driver.deduct("u", "sms", "k1")
    driver.void("u", "k1", "v1")
    path = {"id": "u"}
    body = {"amount": -9, "reason": "correction"}
    driver.call("POST /v1/accounts/{id}/adjustments", body, path=path, key="a1")
    driver.deduct("u", "sms", "k2")
    body = {"key": "k2", "amount": "0.5", "reason": "half"}
    driver.call("POST /v1/accounts/{id}/refunds", body, path=path, key="r1")

    kinds = [e["kind"] for e in driver.entries("u")]

    assert kinds == ["reset", "grant", "charge", "void", "adjustment", "charge", "refund"]
    assert D(driver.account("u")["available"]) == D("90.5")
    verify_ledger(driver, "u")


def test_s3_12_one_account_never_sees_or_moves_another(under: Callable[[str], Driver]) -> None:
    driver = under("voice")
    driver.grant("a", 10)
    driver.grant("b", 10)
    driver.deduct("a", "sms", "same-key")

    theirs = driver.call("GET /v1/accounts/{id}/entries/{key}", path={"id": "b", "key": "same-key"})
    void = driver.void("b", "same-key", "v1")
    own = driver.deduct("b", "sms", "same-key")

    assert (theirs.status, void.status, own.status) == (404, 404, 200)
    assert "idempotency-replayed" not in own.headers
    assert D(driver.account("b")["available"]) == 9


def test_s3_13_of_two_charges_that_meet_only_what_fits_is_charged(
    under: Callable[[str], Driver],
) -> None:
    driver = under("voice")
    driver.grant("u", 3)

    statuses = [driver.deduct("u", "voice_call", f"k{n}", quantity=3).status for n in range(10)]

    assert statuses == [200] + [402] * 9
    assert D(driver.account("u")["available"]) == 0


def test_s3_15_stats_by_service_and_subtype(under: Callable[[str], Driver]) -> None:
    driver = under("voice")
    driver.grant("u", 1000)
    driver.deduct("u", "document_upload", "k1", subtype="pdf")
    driver.deduct("u", "document_upload", "k2", subtype="pdf", quantity=2)
    driver.deduct("u", "bundle_creation", "k3", subtype="regulatory")

    by_operation = driver.stats("u", group_by="operation")["rows"]
    by_feature = driver.stats("u", group_by="feature")["rows"]

    assert [(r["operation"], r["calls"], D(r["credits"])) for r in by_operation] == [
        ("bundle_creation", 1, 50),
        ("document_upload", 2, 15),
    ]
    assert [(r["feature"], D(r["credits"])) for r in by_feature] == [
        ("pdf", 15),
        ("regulatory", 50),
    ]


# ---- S4: studio tools


def test_s4_07_a_tool_is_charged_from_its_cpu_memory_and_duration(
    under: Callable[[str], Driver],
) -> None:
    driver = under("studio")
    driver.grant("user_1", 100)
    used = {"cpu_ms": 92_500, "mem_mb": 2_048, "duration_ms": 31_000}

    first = driver.deduct("user_1", "video_render", "r1", resource=used)
    short = driver.deduct(
        "user_1", "video_render", "r2", resource={**used, "cpu_ms": 1, "mem_mb": 1}
    )
    unsaid = driver.deduct("user_1", "video_render", "r3", resource={"cpu_ms": 5})

    assert first["charged"] == D("92.5") * D("0.02") + D("2.048") * 31 * D("0.005")
    assert [(each["item"], each["quantity"]) for each in first["breakdown"]] == [
        ("video_render cpu seconds", D("92.5")),
        ("video_render GB-seconds", D("63.488")),
    ]
    assert short["charged"] == D("0.1"), "the minimum"
    assert (unsaid.status, unsaid["code"]) == (422, "invalid")
    verify_ledger(driver, "user_1")


def test_s4_05_s4_12_a_local_tool_costs_nothing_and_says_so(
    under: Callable[[str], Driver],
) -> None:
    driver = under("studio")

    estimate = driver.call("POST /v1/estimate", {"account": "u", "operation": "qr_code"})

    assert (estimate["min"], estimate["typical"], estimate["max"]) == (0, 0, 0)
    assert estimate["explanation"] == "Local mode, 0 credits"
    assert driver.check("u", "qr_code")["required"] == 0
