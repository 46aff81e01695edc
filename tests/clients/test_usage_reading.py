"""The usage report is found in whatever a provider's SDK returns, and sent on as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.clients.answers_of_providers import (
    Dictish,
    GeminiAnswer,
    GeminiDetails,
    GeminiUsage,
    Loose,
    Modality,
    Slotted,
    anthropic_events,
    openai_chat,
    openai_chunks,
)
from tollkeeper.domain.usage import normalise_usage
from tollkeeper_client import UsageUnreadableError
from tollkeeper_client.usage import CallUsage, RunUsage, find_report, read_usage

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "usage"
needs_recordings = pytest.mark.skipif(
    not RECORDED.exists(), reason="the recorded bodies of providers are not on this machine"
)


def wire(item: object) -> dict[str, object]:
    """What is sent of the item."""
    report = find_report(item)
    assert report is not None
    return report.to_wire()


def last(items: Iterator[Any] | list[Any]) -> dict[str, object]:
    """What is sent of a stream."""
    call = CallUsage()
    for item in items:
        report = find_report(item)
        if report is not None:
            call.see(report)
    assert call.report is not None
    return call.report.to_wire()


def pools(sent: Mapping[str, object]) -> dict[str, int]:
    """What the server makes of it."""
    return normalise_usage(sent).pools.nonzero()


# ---- One answer


def test_an_answer_of_openai_is_read_as_object_or_as_mapping() -> None:
    answer = openai_chat(20, 5)
    sent = {
        "model": "gpt-4-0613",
        "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25},
    }

    assert wire(answer) == sent
    assert wire(answer.model_dump()) == sent
    assert wire(json.loads(answer.model_dump_json())) == sent


def test_an_answer_of_geminis_sdk_is_sent_in_the_words_of_its_json() -> None:
    usage = GeminiUsage(
        prompt_token_count=7,
        candidates_token_count=32,
        total_token_count=39,
        prompt_tokens_details=[GeminiDetails(modality=Modality.AUDIO, token_count=4)],
    )
    answer = GeminiAnswer(model_version="gemini-2.5-flash", usage_metadata=usage)
    sent = {
        "modelVersion": "gemini-2.5-flash",
        "usageMetadata": {
            "promptTokenCount": 7,
            "candidatesTokenCount": 32,
            "totalTokenCount": 39,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 4}],
        },
    }

    assert wire(answer) == sent
    assert wire(answer.model_dump()) == sent
    assert wire(Dictish(**answer.model_dump())) == sent
    assert pools(sent) == {"input": 3, "audio_input": 4, "output": 32}


def test_objects_that_say_nothing_about_themselves_are_read_by_name() -> None:
    answer = SimpleNamespace(
        model="claude-sonnet-4-5", usage=Slotted(10, 3), content=[SimpleNamespace(text="hi")]
    )

    assert wire(answer) == {
        "model": "claude-sonnet-4-5",
        "usage": {"input_tokens": 10, "output_tokens": 3},
    }


def test_nothing_but_model_and_usage_is_sent() -> None:
    answer = {"id": "x", "model": "m", "usage": {"input_tokens": 1}, "content": "secret" * 50_000}

    assert wire(answer) == {"model": "m", "usage": {"input_tokens": 1}}


@pytest.mark.parametrize(
    "item",
    [
        None,
        7,
        {"text": "hello"},
        {"usage": None},
        {"usage": {}},
        {"usage": {"prompt_tokens": None}},
        {"usage": "much"},
        {"type": "content_block_delta", "delta": {"text": "a"}},
        openai_chunks(None)[0],
        [1, 2],
        object(),
    ],
)
def test_most_of_what_is_seen_has_no_usage(item: object) -> None:
    assert find_report(item) is None


@pytest.mark.parametrize(
    "text", ['{"usage": {"total_tokens": 1}}', 'data: {"usage": {"input": 1}}']
)
def test_a_text_is_never_believed_since_models_write_texts(text: str) -> None:
    assert find_report(text) is None
    assert find_report(text.encode()) is None
    assert find_report({"usage": text}) is None


def test_an_sdk_that_fails_is_read_in_another_way() -> None:
    class Broken:
        input_tokens = 4
        output_tokens = 2

        def model_dump(self, **_: object) -> dict[str, object]:
            raise RuntimeError("of another version")

    assert wire({"model": "m", "usage": Broken()}) == {
        "model": "m",
        "usage": {"input_tokens": 4, "output_tokens": 2},
    }


def test_a_model_that_the_ledger_cannot_have_is_left_out() -> None:
    for name in ("my deployment", "m" * 129, "modèle"):
        assert wire({"model": name, "usage": {"input_tokens": 1}}) == {"usage": {"input_tokens": 1}}


def test_billed_costs_stay_exact() -> None:
    usage = {"prompt_tokens": 1, "cost": Decimal("0.000102"), "nested": {"a": float("nan")}}

    assert wire({"usage": usage}) == {
        "usage": {"prompt_tokens": 1, "cost": Decimal("0.000102"), "nested": {"a": None}}
    }


# ---- What callers give


def test_callers_give_counts_a_usage_object_or_an_answer() -> None:
    assert read_usage({"input": 20, "output": 5}).to_wire() == {"input": 20, "output": 5}
    assert read_usage(Slotted(2, 1)).to_wire() == {"input_tokens": 2, "output_tokens": 1}
    assert read_usage(GeminiUsage(prompt_token_count=3)).to_wire() == {"promptTokenCount": 3}
    assert read_usage(openai_chat(2, 1)).to_wire()["model"] == "gpt-4-0613"


@pytest.mark.parametrize("given", [None, "25", 25, {}, {"usage": None}, object()])
def test_what_is_no_usage_is_refused_before_anything_is_sent(given: object) -> None:
    with pytest.raises(UsageUnreadableError):
        read_usage(given)


# ---- Streams: the last usage wins


def test_of_a_stream_the_last_usage_wins() -> None:
    running = [
        {"prompt_tokens": 20, "completion_tokens": n, "total_tokens": 20 + n} for n in (1, 5)
    ]
    chunks = openai_chunks(None, *running, None)

    assert pools(last(chunks)) == {"input": 20, "output": 5}


def test_the_events_of_openais_responses_carry_it_inside() -> None:
    usage = {"input_tokens": 23, "output_tokens": 11, "total_tokens": 34}
    events = [
        {"type": "response.created", "response": {"id": "r", "model": "gpt-5", "usage": None}},
        {"type": "response.output_text.delta", "delta": "hello"},
        {"type": "response.completed", "response": {"id": "r", "model": "gpt-5", "usage": usage}},
    ]

    assert last(events) == {"model": "gpt-5", "usage": usage}
    assert last([Loose.model_validate(event) for event in events]) == last(events)


def test_an_anthropic_stream_is_its_start_with_what_changed_since() -> None:
    start = {"input_tokens": 43, "cache_read_input_tokens": 7, "output_tokens": 1}
    events = list(anthropic_events(start, {"output_tokens": 120}, {"output_tokens": 282}))
    sent = {
        "model": "claude-sonnet-4-5",
        "usage": {"input_tokens": 43, "cache_read_input_tokens": 7, "output_tokens": 282},
    }

    assert last(events) == sent
    assert last([Loose.model_validate(event) for event in events]) == sent
    assert pools(sent) == {"input": 43, "cached_input": 7, "output": 282}


def test_an_anthropic_stream_that_dies_is_what_was_seen() -> None:
    events = list(anthropic_events({"input_tokens": 43, "output_tokens": 1}))

    assert pools(last(events[:2])) == {"input": 43, "output": 1}


def test_a_null_in_a_delta_changes_nothing() -> None:
    start = {"input_tokens": 43, "cache_read_input_tokens": 7, "output_tokens": 1}
    delta = {"output_tokens": 9, "input_tokens": None, "cache_read_input_tokens": None}

    assert pools(last(anthropic_events(start, delta))) == {
        "input": 43,
        "cached_input": 7,
        "output": 9,
    }


def test_a_gemini_stream_repeats_the_whole_report() -> None:
    chunks = [
        GeminiAnswer(usage_metadata=GeminiUsage(prompt_token_count=8, total_token_count=8)),
        GeminiAnswer(
            model_version="gemini-2.5-pro",
            usage_metadata=GeminiUsage(
                prompt_token_count=8,
                candidates_token_count=53,
                thoughts_token_count=725,
                total_token_count=786,
            ),
        ),
        GeminiAnswer(),
    ]

    assert pools(last(chunks)) == {"input": 8, "output": 53, "reasoning": 725}


# ---- Runs of several calls


def test_two_answers_are_two_calls_and_one_answer_twice_is_one() -> None:
    run = RunUsage()
    for answer in (openai_chat(1, 1), openai_chat(2, 2, answer_id="b"), openai_chat(3, 3)):
        run.note(read_usage(answer))

    assert [pools(each.to_wire()) for each in run.reports()] == [
        {"input": 3, "output": 3},
        {"input": 2, "output": 2},
    ]


def test_answers_without_a_name_replace_each_other() -> None:
    run = RunUsage()
    run.note(read_usage({"input": 1}))
    run.note(read_usage({"input": 2}))

    assert [each.to_wire() for each in run.reports()] == [{"input": 2}]


def test_a_stream_and_its_final_answer_are_one_call() -> None:
    run = RunUsage()
    call = run.begin_call()
    for event in anthropic_events({"input_tokens": 4, "output_tokens": 1}, {"output_tokens": 8}):
        report = find_report(event)
        if report is not None:
            call.see(report)
    final = {"id": "msg_1", "model": "claude", "usage": {"input_tokens": 4, "output_tokens": 8}}
    run.note(read_usage(final))

    assert [pools(each.to_wire()) for each in run.reports()] == [{"input": 4, "output": 8}]


def test_what_a_run_names_itself_goes_before_what_it_returns() -> None:
    run = RunUsage()
    returned = find_report(openai_chat(9, 9))
    assert returned is not None
    run.imply(returned)
    assert len(run.reports()) == 1

    run.note(read_usage({"input": 1}))
    assert [each.to_wire() for each in run.reports()] == [{"input": 1}]


# ---- Recorded by providers


def recorded(name: str) -> list[dict[str, Any]]:
    """The bodies of one file of recordings."""
    lines = (RECORDED / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line, parse_float=Decimal)["body"] for line in lines]


def as_objects(value: Any) -> Any:
    """The JSON as objects with attributes."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value).items()
        return SimpleNamespace(**{name: as_objects(each) for name, each in members})
    if isinstance(value, list):
        return [as_objects(each) for each in cast("list[Any]", value)]
    return value


@needs_recordings
@pytest.mark.parametrize(
    "name",
    [
        "openai_chat_compatible.jsonl",
        "openai_responses.jsonl",
        "anthropic_messages.jsonl",
        "google_gemini.jsonl",
    ],
)
def test_of_every_recorded_answer_the_server_reads_the_same_as_of_the_whole(name: str) -> None:
    bodies = [body for body in recorded(name) if body.get("usage") or body.get("usageMetadata")]
    assert len(bodies) > 50

    for body in bodies:
        whole = normalise_usage(body)
        for given in (body, Loose.model_validate(body)):
            assert normalise_usage(wire(given)) == whole, body


@needs_recordings
def test_of_every_recorded_stream_the_last_usage_is_read() -> None:
    told = json.loads((RECORDED / "streaming.json").read_text(encoding="utf-8"))

    for stream in told["streams"]:
        start, *deltas = stream["usage_in_stream_order"]
        events = list(anthropic_events(start, *deltas))
        final = normalise_usage({"model": "claude-sonnet-4-5", "usage": {**start, **deltas[-1]}})

        assert normalise_usage(last(events)).pools == final.pools
        assert normalise_usage(last([as_objects(event) for event in events])).pools == final.pools


# ---- How a call was served


def test_the_service_tier_that_an_answer_names_is_sent_with_its_usage() -> None:
    answer = {
        "model": "gpt-5",
        "service_tier": "priority",
        "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25},
    }

    sent = wire(answer)

    assert sent["service_tier"] == "priority"
    assert normalise_usage(sent).service_tier == "priority"


def test_a_stream_keeps_the_service_tier_of_an_earlier_piece() -> None:
    usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
    pieces: list[Any] = [
        {
            "object": "chat.completion.chunk",
            "model": "gpt-5",
            "service_tier": "flex",
            "usage": usage,
        },
        {"object": "chat.completion.chunk", "model": "gpt-5", "usage": usage},
    ]

    assert last(pieces)["service_tier"] == "flex"


def test_the_usage_in_the_metadata_event_of_a_bedrock_stream_is_found() -> None:
    usage = {"inputTokens": 22, "outputTokens": 13, "totalTokens": 35}
    events: list[Any] = [
        {"contentBlockDelta": {"delta": {"text": "usage"}}},
        {"metadata": {"usage": usage, "metrics": {"latencyMs": 12}}},
    ]

    sent = last(events)

    assert pools(sent) == {"input": 22, "output": 13}
