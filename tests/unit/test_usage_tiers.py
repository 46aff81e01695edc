"""The service tier of a call, in one set of words for all providers."""

from __future__ import annotations

import pytest

from tollkeeper.domain.usage import normalise_usage

Raw = dict[str, object]
CHAT: Raw = {"prompt_tokens": 1}
CLAUDE: Raw = {"input_tokens": 1, "cache_read_input_tokens": 0}
GEMINI: Raw = {"promptTokenCount": 1}


@pytest.mark.parametrize(
    ("body", "tier"),
    [
        ({"usage": CHAT}, ""),
        ({"service_tier": None, "usage": CHAT}, ""),
        ({"service_tier": "default", "usage": CHAT}, ""),
        ({"service_tier": "auto", "usage": CHAT}, ""),
        ({"service_tier": "scale", "usage": CHAT}, ""),
        ({"service_tier": "on_demand", "usage": CHAT}, ""),
        ({"service_tier": "flex", "usage": CHAT}, "flex"),
        ({"service_tier": "priority", "usage": CHAT}, "priority"),
        ({"service_tier": "batch", "usage": CHAT}, "batch"),
        ({"usage": {**CLAUDE, "service_tier": "standard"}}, ""),
        ({"usage": {**CLAUDE, "service_tier": "batch"}}, "batch"),
        ({"usage": {**CLAUDE, "service_tier": "priority"}}, ""),
        ({"usage": {**CLAUDE, "service_tier": "standard", "speed": "fast"}}, "fast"),
        ({"usage": {**CLAUDE, "speed": "standard"}}, ""),
        ({"usage": {**CLAUDE, "service_tier": "batch", "speed": "fast"}}, "batch"),
        ({"usageMetadata": {**GEMINI, "serviceTier": "standard"}}, ""),
        ({"usageMetadata": {**GEMINI, "serviceTier": "FLEX"}}, "flex"),
        ({"usageMetadata": {**GEMINI, "trafficType": "ON_DEMAND"}}, ""),
        ({"usageMetadata": {**GEMINI, "trafficType": "ON_DEMAND_PRIORITY"}}, "priority"),
        ({"usageMetadata": {**GEMINI, "trafficType": "PROVISIONED_THROUGHPUT"}}, ""),
        ({"usage_metadata": {**GEMINI, "traffic_type": "TrafficType.ON_DEMAND_FLEX"}}, "flex"),
        ({"serviceTier": {"type": "flex"}, "usage": {"inputTokens": 1}}, "flex"),
        ({"serviceTier": {"type": "reserved"}, "usage": {"inputTokens": 1}}, ""),
    ],
    ids=str,
)
def test_a_tier_is_read_where_the_body_says_it(body: Raw, tier: str) -> None:
    usage = normalise_usage(body)

    assert (usage.service_tier, usage.warnings) == (tier, ())


@pytest.mark.parametrize("word", ["express", 5, ["flex"], {"type": 7}], ids=str)
def test_an_unknown_word_is_the_standard_tier_and_said(word: object) -> None:
    usage = normalise_usage({"service_tier": word, "usage": CHAT})

    assert (usage.service_tier, usage.warnings) == ("", ("unknown_service_tier",))
