"""What a body says around its usage is part of the report: model, tier, kind of event."""

from __future__ import annotations

import pytest

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.usage import TokenPools, Usage, normalise_usage
from tollkeeper.domain.usage.finding import DEEPEST, Report, find_report, last_report, says_counts

Raw = dict[str, object]

CHAT: Raw = {"prompt_tokens": 7, "completion_tokens": 3}
START: Raw = {
    "input_tokens": 43,
    "cache_read_input_tokens": 5,
    "cache_creation_input_tokens": 70,
    "cache_creation": {"ephemeral_5m_input_tokens": 50, "ephemeral_1h_input_tokens": 20},
    "output_tokens": 1,
}
COUNTS = frozenset({"prompt_tokens", "input_tokens", "output_tokens"})


def read(*events: object) -> Usage:
    """The usage of a stream of these events."""
    return normalise_usage({"events": list(events)})


def started(**usage: object) -> Raw:
    """The first event of an Anthropic stream."""
    return {"type": "message_start", "message": {"model": "claude-x", "usage": usage}}


class TestFindReport:
    @pytest.mark.parametrize(
        "name",
        [
            "usage",
            "usageMetadata",
            "usage_metadata",
            "tokenUsage",
            "token_usage",
            "totalUsage",
            "amazon-bedrock-invocationMetrics",
        ],
    )
    def test_a_body_says_its_model_its_tier_and_its_kind(self, name: str) -> None:
        body: Raw = {"type": "k", "model": "m", "service_tier": "flex", name: CHAT}

        assert find_report(body) == Report(CHAT, "m", "flex", "k")

    @pytest.mark.parametrize(
        ("outer", "expected"),
        [
            ({"model": "m"}, ("m", None)),
            ({"modelVersion": "m"}, ("m", None)),
            ({"model_version": "m"}, ("m", None)),
            ({"model": 5}, (None, None)),
            ({"model": "", "modelVersion": "v", "model_version": "w"}, ("v", None)),
            ({"service_tier": "flex", "serviceTier": "batch"}, (None, "flex")),
            ({"serviceTier": {"type": "flex"}}, (None, {"type": "flex"})),
        ],
        ids=str,
    )
    def test_a_model_and_a_tier_go_by_several_names(
        self, outer: Raw, expected: tuple[str | None, object]
    ) -> None:
        beside = find_report({**outer, "usage": CHAT})
        around = find_report({**outer, "response": {"usage": CHAT}})

        assert beside == around == Report(CHAT, *expected, None)

    @pytest.mark.parametrize(
        "name",
        [
            "response",
            "message",
            "metadata",
            "x_groq",
            "meta",
            "delta",
            "result",
            "body",
            "response_metadata",
        ],
    )
    def test_the_inner_body_is_believed_before_the_outer_one(self, name: str) -> None:
        inner: Raw = {"type": "in", "model": "i", "service_tier": "batch", "usage": CHAT}
        outer: Raw = {"type": "out", "model": "o", "service_tier": "flex"}

        assert find_report({**outer, name: inner}) == Report(CHAT, "i", "batch", "in")
        assert find_report({**outer, name: {"usage": CHAT}}) == Report(CHAT, "o", "flex", "out")

    def test_a_message_inside_an_event_is_of_the_events_kind(self) -> None:
        inner: Raw = {"type": "message", "usage": CHAT}

        found = find_report({"type": "message_start", "message": inner})

        assert found == Report(CHAT, None, None, "message_start")
        assert find_report(inner) == Report(CHAT, None, None, "message")

    @pytest.mark.parametrize("said", [None, "default", "standard", "auto", ""])
    def test_a_line_of_a_batch_is_of_its_tier_where_it_says_none(self, said: str | None) -> None:
        body: Raw = {"model": "m", "service_tier": said, "usage": CHAT}

        found = find_report({"custom_id": "a", "response": {"body": body}})

        assert found == Report(CHAT, "m", "batch", None)

    @pytest.mark.parametrize("said", ["flex", "priority", "unheard-of"])
    def test_a_line_of_a_batch_that_says_its_tier_is_believed(self, said: str) -> None:
        body: Raw = {"service_tier": said, "usage": CHAT}

        found = find_report({"custom_id": "a", "response": {"body": body}})

        assert found == Report(CHAT, None, said, None)

    def test_as_many_bodies_are_looked_into_as_the_bound_says_and_not_one_more(self) -> None:
        body: Raw = {"usage": CHAT}
        for _ in range(DEEPEST):
            body = {"result": body}

        assert find_report(body) == Report(CHAT, None, None, None)
        assert find_report({"result": body}) is None

    def test_what_comes_first_in_the_order_of_looking_is_taken(self) -> None:
        other: Raw = {"prompt_tokens": 1}

        assert find_report({"usage": CHAT, "usageMetadata": other}) == Report(CHAT, None, None)
        assert find_report({"message": {"usage": other}, "response": {"usage": CHAT}}) == Report(
            CHAT, None, None
        )
        assert find_report({"response": {"text": "hi"}, "message": {"usage": CHAT}}) == Report(
            CHAT, None, None
        )
        assert find_report({"usage": "none", "usageMetadata": CHAT}) == Report(CHAT, None, None)
        assert find_report({"response": "none", "message": {"usage": CHAT}}) == Report(
            CHAT, None, None
        )

    def test_billed_units_are_a_usage_only_inside_of_something(self) -> None:
        meta: Raw = {"billed_units": {"input_tokens": 5}, "model": "c", "service_tier": "flex"}

        assert find_report(meta) is None
        assert find_report({"meta": meta, "type": "t"}) == Report(meta, "c", "flex", "t")


class TestStreams:
    def test_what_counts_something_is_told_from_what_only_names_something(self) -> None:
        assert says_counts({"prompt_tokens": 0}, COUNTS)
        assert says_counts({"other": 1, "prompt_tokens": 1.5}, COUNTS)
        assert not says_counts({"prompt_tokens": "7", "other": 1}, COUNTS)
        assert not says_counts({}, COUNTS)

    def test_an_event_that_is_a_usage_itself_says_its_model_tier_and_kind(self) -> None:
        event: Raw = {"type": "k", "model": "m", "service_tier": "flex", "prompt_tokens": 7}

        assert last_report([event, "x", {"choices": []}], COUNTS) == Report(event, "m", "flex", "k")

    @pytest.mark.parametrize(
        ("earlier", "later", "expected"),
        [
            ("flex", None, "flex"),
            (None, "flex", "flex"),
            ("flex", "priority", "priority"),
            (None, None, None),
        ],
    )
    def test_a_tier_stays_until_a_later_event_says_another(
        self, earlier: str | None, later: str | None, expected: str | None
    ) -> None:
        first: Raw = {"type": "a", "service_tier": earlier, "usage": {"prompt_tokens": 1}}
        last: Raw = {"type": "b", "service_tier": later, "usage": CHAT}

        assert last_report([first, last], COUNTS) == Report(CHAT, None, expected, "b")

    def test_a_model_stays_until_a_later_event_names_another(self) -> None:
        first: Raw = {"model": "a", "usage": {"prompt_tokens": 1}}

        assert last_report([first, {"usage": CHAT}], COUNTS) == Report(CHAT, "a", None)
        assert last_report([first, {"model": "b", "usage": CHAT}], COUNTS) == Report(
            CHAT, "b", None
        )

    def test_what_a_delta_leaves_out_is_as_the_message_began(self) -> None:
        usage = read(started(**START), {"type": "message_delta", "usage": {"output_tokens": 282}})

        pools = TokenPools(43, 5, 50, 20, 282)
        assert usage == Usage(pools, "claude-x", None, (), provider="anthropic")

    def test_a_second_delta_replaces_the_first_and_keeps_the_beginning(self) -> None:
        delta: Raw = {"type": "message_delta", "usage": {"output_tokens": 9, "input_tokens": None}}
        usage = read(started(**START), delta, {**delta, "usage": {"output_tokens": 11}})

        assert usage.pools == TokenPools(43, 5, 50, 20, 11)

    def test_a_message_that_begins_anew_owes_nothing_to_the_one_before(self) -> None:
        usage = read(started(**START), started(input_tokens=7, output_tokens=3))

        assert usage.pools == TokenPools(input=7, output=3)

    def test_objects_without_a_kind_add_to_a_beginning_that_named_a_cache(self) -> None:
        first: Raw = {"input_tokens": 43, "cache_read_input_tokens": 5, "output_tokens": 1}

        assert read(first, {"output_tokens": 9}).pools == TokenPools(43, 5, output=9)
        assert read(first, {"input_tokens": 9}).pools == TokenPools(9)
        assert read(CHAT, {"output_tokens": 9}).pools == TokenPools(output=9)

    def test_a_split_of_the_cache_lasts_as_long_as_its_count(self) -> None:
        same = read(
            started(**START),
            {"type": "message_delta", "usage": {"cache_creation_input_tokens": 70}},
        )
        other = read(
            started(**START),
            {"type": "message_delta", "usage": {"cache_creation_input_tokens": 71}},
        )
        split: Raw = {"ephemeral_1h_input_tokens": 71}
        both = read(
            started(**START),
            {
                "type": "message_delta",
                "usage": {"cache_creation_input_tokens": 71, "cache_creation": split},
            },
        )

        assert same.pools == TokenPools(43, 5, 50, 20, 1)
        assert other.pools == TokenPools(43, 5, 71, 0, 1)
        assert both.pools == TokenPools(43, 5, 0, 71, 1)
        assert same.warnings == other.warnings == both.warnings == ()

    def test_a_count_that_was_never_split_may_change(self) -> None:
        usage = read(
            started(input_tokens=1, cache_creation_input_tokens=70, output_tokens=1),
            {"type": "message_delta", "usage": {"cache_creation_input_tokens": 90}},
        )

        assert usage.pools == TokenPools(1, 0, 90, 0, 1)

    def test_a_stream_of_a_tier_is_of_that_tier(self) -> None:
        usage = read(
            {"model": "m", "service_tier": "flex", "usage": {"prompt_tokens": 1}},
            {"usage": CHAT},
        )

        assert usage == Usage(TokenPools(7, output=3), "m", None, (), service_tier="flex")


class TestTiers:
    @pytest.mark.parametrize(
        ("usage", "tier", "warnings"),
        [
            ({"service_tier": "Flex"}, "flex", ()),
            ({"serviceTier": "priority"}, "priority", ()),
            ({"service_tier": {"type": "batch"}}, "batch", ()),
            ({"service_tier": {"kind": "batch"}}, "", ()),
            ({"trafficType": "ON_DEMAND_FLEX"}, "flex", ()),
            ({"traffic_type": "TrafficType.ON_DEMAND_PRIORITY"}, "priority", ()),
            ({"trafficType": "PROVISIONED_THROUGHPUT"}, "", ()),
            ({"service_tier": "flex", "trafficType": "ON_DEMAND_PRIORITY"}, "flex", ()),
            ({"service_tier": "slow"}, "", ("unknown_service_tier",)),
            ({"service_tier": 5}, "", ("unknown_service_tier",)),
            ({"speed": "fast"}, "fast", ()),
            ({"speed": "standard"}, "", ()),
            ({"speed": "fast", "service_tier": "batch"}, "batch", ()),
            ({"speed": "fast", "service_tier": "standard"}, "fast", ()),
            ({"service_tier": "standard", "speed": None}, "", ()),
        ]
        + [
            ({"service_tier": word}, "", ())
            for word in (
                "standard",
                "default",
                "auto",
                "on_demand",
                "standard_only",
                "scale",
                "reserved",
                "provisioned_throughput",
                "traffic_type_unspecified",
                "unspecified",
            )
        ],
        ids=str,
    )
    def test_a_usage_says_its_tier_in_many_words(
        self, usage: Raw, tier: str, warnings: tuple[str, ...]
    ) -> None:
        read = normalise_usage({"model": "gpt-x", "usage": {**CHAT, **usage}})

        pools = TokenPools(7, output=3)
        assert read == Usage(pools, "gpt-x", None, warnings, service_tier=tier)

    @pytest.mark.parametrize("word", ["priority", "standard"])
    def test_capacity_that_was_paid_in_advance_at_anthropic_has_no_price_of_its_own(
        self, word: str
    ) -> None:
        raw: Raw = {"input_tokens": 7, "output_tokens": 3, "service_tier": word}
        pools = TokenPools(7, output=3)

        assert normalise_usage(raw) == Usage(pools, None, None, (), provider="anthropic")
        assert normalise_usage({**raw, "speed": "fast"}).service_tier == "fast"
        assert normalise_usage({"model": "gpt-x", "usage": {**CHAT, "service_tier": word}}) == (
            Usage(pools, "gpt-x", None, (), service_tier="" if word == "standard" else word)
        )


class TestRefusals:
    @pytest.mark.parametrize(
        ("raw", "member", "reason"),
        [
            (
                {"usage": None},
                "usage.usage",
                "is empty: the provider has not reported what the call used",
            ),
            (
                {"usageMetadata": None, "token_usage": None},
                "usage.usageMetadata",
                "is empty: the provider has not reported what the call used",
            ),
            ({"usage": "7"}, "usage.usage", "must be the provider's usage object"),
            (
                {"usage": None, "usageMetadata": 7},
                "usage.usage",
                "must be the provider's usage object",
            ),
            ({"usage": {"prompt_tokens": "7"}}, "usage", "holds no possible token count"),
            ({"prompt_tokens": None}, "usage", "holds no possible token count"),
            (
                {"usage": {"pages_processed": 5}},
                "usage",
                "counts pages, not tokens; send them as a quantity",
            ),
            (
                {"usage": {"usage_info": {}}},
                "usage",
                "counts pages, not tokens; send them as a quantity",
            ),
            (
                {"events": [{"usage": None}]},
                "usage.events",
                "carry no usage; ask the provider to stream it "
                "(OpenAI: stream_options.include_usage)",
            ),
            (
                {"what": 1},
                "usage",
                "is not recognised; send token counts such as input and output, or the usage "
                "object of OpenAI (and whoever answers like it), Anthropic, Gemini, Bedrock, "
                "Cohere, Ollama, the AI SDK, LangChain or pydantic-ai",
            ),
        ],
        ids=str,
    )
    def test_what_is_no_usage_is_refused_in_words_that_help(
        self, raw: Raw, member: str, reason: str
    ) -> None:
        with pytest.raises(InvalidError) as refused:
            normalise_usage(raw)

        assert refused.value.problems == ((member, reason),)

    def test_a_usage_that_is_null_hides_no_counts_beside_it(self) -> None:
        usage = normalise_usage({"usage": None, **CHAT})

        assert usage == Usage(TokenPools(7, output=3), None, None, ())
