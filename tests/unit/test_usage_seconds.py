"""Transcriptions: seconds where they are billed by length, tokens where by tokens."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.usage import normalise_usage

Raw = dict[str, object]


@pytest.mark.parametrize(
    ("raw", "micro"),
    [
        ({"type": "duration", "seconds": 27}, 27_000_000),
        ({"text": "hi", "usage": {"type": "duration", "seconds": 9}}, 9_000_000),
        ({"task": "transcribe", "duration": 8.47, "text": "hi", "x_groq": {"id": "r"}}, 8_470_000),
        ({"duration": Decimal("8.4700002670"), "text": "hi"}, 8_470_001),
        ({"audio_duration": 281, "text": "hi"}, 281_000_000),
        ({"model": "voxtral", "usage": {"prompt_audio_seconds": 2}}, 2_000_000),
        ({"seconds": 0}, 0),
    ],
    ids=str,
)
def test_seconds_are_exact_and_rounded_up_where_they_are_finer(raw: Raw, micro: int) -> None:
    usage = normalise_usage(raw)

    assert (usage.seconds_micro, usage.pools.total(), usage.warnings) == (micro, 0, ())


def test_billed_seconds_stand_before_the_length_of_the_sound() -> None:
    body: Raw = {"duration": 8.47, "text": "hi", "usage": {"type": "duration", "seconds": 9}}

    assert normalise_usage(body).seconds_micro == 9_000_000


@pytest.mark.parametrize("seconds", [-1, "27", True, [27], 10**9, Decimal("NaN")], ids=str)
def test_impossible_seconds_are_no_usage(seconds: object) -> None:
    with pytest.raises(InvalidError, match="holds no possible token count"):
        normalise_usage({"seconds": seconds})


def test_impossible_seconds_beside_tokens_are_said() -> None:
    usage = normalise_usage({"prompt_tokens": 4, "prompt_audio_seconds": -3})

    assert (usage.seconds_micro, usage.warnings) == (None, ("impossible_seconds",))


def test_seconds_beside_tokens_are_read_as_well() -> None:
    """Why: Mistral counts the sound in the total alone; it is what the model heard."""
    usage = normalise_usage(
        {
            "prompt_audio_seconds": 203,
            "prompt_tokens": 4,
            "total_tokens": 3264,
            "completion_tokens": 635,
        }
    )

    assert usage.pools.nonzero() == {"input": 4, "audio_input": 2625, "output": 635}
    assert (usage.seconds_micro, usage.warnings) == (203_000_000, ())


def test_sound_that_is_in_no_detail_joins_that_of_the_details() -> None:
    raw: Raw = {
        "prompt_audio_seconds": 3,
        "prompt_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens": 5,
        "total_tokens": 40,
    }

    assert normalise_usage(raw).pools.nonzero() == {"input": 4, "audio_input": 31, "output": 5}


def test_a_total_of_tokens_beside_seconds_is_not_lost() -> None:
    usage = normalise_usage({"seconds": 5, "total_tokens": 9})

    assert (usage.seconds_micro, usage.pools.nonzero()) == (5_000_000, {"input": 9})
    assert usage.warnings == ("total_only",)


def test_plain_counts_have_no_seconds_beside_them() -> None:
    with pytest.raises(InvalidError, match=r"usage\.seconds is no token pool"):
        normalise_usage({"input": 5, "seconds": 5})


def test_a_call_without_sound_has_no_seconds() -> None:
    assert normalise_usage({"input": 5}).seconds_micro is None
