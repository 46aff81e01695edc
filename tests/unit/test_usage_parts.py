"""Parts of a usage report that do not fit are cut and told, and the model is never lost."""

from __future__ import annotations

import pytest

from tollkeeper.domain.usage import normalise_usage
from tollkeeper.domain.usage.pools import TokenPools
from tollkeeper.domain.usage.sheet import Notes, Sheet
from tollkeeper.domain.usage.sides import complete_sides, join_sides, split_input, split_output


def read(raw: dict[str, object]) -> tuple[dict[str, int], tuple[str, ...]]:
    """The pools that hold anything, and the warnings."""
    usage = normalise_usage(raw)
    return usage.pools.nonzero(), usage.warnings


@pytest.mark.parametrize(
    "usage", [{"total": 5}, {"total_tokens": 5}, {"input": 5}, {"prompt_tokens": 5}]
)
def test_a_body_that_names_its_model_is_read_with_it(usage: dict[str, object]) -> None:
    assert normalise_usage({"model": "m-1", "usage": usage}).model == "m-1"


def test_thinking_above_the_answer_is_cut_and_told() -> None:
    row: dict[str, object] = {
        "input_tokens": 3,
        "cache_read_input_tokens": 0,
        "output_tokens": 10,
        "output_tokens_details": {"thinking_tokens": 12},
    }

    assert read(row) == ({"input": 3, "reasoning": 10}, ("reasoning_above_output",))


def test_thinking_above_what_all_iterations_answered_is_cut_and_told() -> None:
    raw: dict[str, object] = {
        "input_tokens": 1,
        "output_tokens": 1,
        "output_tokens_details": {"thinking_tokens": 1},
        "iterations": [
            {"input_tokens": 1, "output_tokens": 0},
            {"input_tokens": 2, "output_tokens": 0},
        ],
    }

    assert read(raw) == ({"input": 3}, ("reasoning_above_output",))


def test_a_cache_above_geminis_prompt_and_audio_above_its_answer_are_cut_and_told() -> None:
    raw: dict[str, object] = {
        "promptTokenCount": 5,
        "cachedContentTokenCount": 9,
        "candidatesTokenCount": 4,
        "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 6}],
    }

    assert read(raw) == (
        {"cached_input": 5, "audio_output": 4},
        ("cached_above_input", "audio_above_output"),
    )


def test_geminis_older_name_of_the_prompts_details_is_read_too() -> None:
    raw: dict[str, object] = {
        "promptTokenCount": 10,
        "promptTokenDetails": [{"modality": "AUDIO", "tokenCount": 8}],
        "candidatesTokenCount": 1,
    }

    assert read(raw)[0] == {"input": 2, "output": 1, "audio_input": 8}


def test_a_side_that_the_total_leaves_nothing_for_is_empty() -> None:
    sheet = Sheet({}, Notes())

    assert complete_sides(sheet, input_side=None, output_side=7, total=7) == (0, 7, 0)
    assert complete_sides(sheet, input_side=7, output_side=None, total=7) == (7, 0, 0)
    assert complete_sides(sheet, input_side=None, output_side=7, total=3) == (0, 7, 0)


def test_a_side_without_parts_is_all_of_one_kind() -> None:
    sheet = Sheet({}, Notes())

    read, said = split_input(sheet, whole=5), split_output(sheet, whole=7)
    assert join_sides(read, said) == TokenPools(input=5, output=7)
    assert sheet.notes.warnings == []


def test_a_count_that_is_too_long_to_be_written_out_is_impossible_and_no_crash() -> None:
    """Why: Python refuses to write a whole number of more than 4300 digits as text."""
    usage = normalise_usage({"prompt_tokens": 10**5000, "completion_tokens": 3})

    assert usage.pools.nonzero() == {"output": 3}
    assert usage.warnings == ("impossible_number",)
