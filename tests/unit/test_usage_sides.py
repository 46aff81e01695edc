"""Members as exact numbers, and sides in parts that add up: what every dialect is read with."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tollkeeper.domain.usage import TokenPools
from tollkeeper.domain.usage.sheet import MOST_TOKENS, Notes, Sheet, token_count
from tollkeeper.domain.usage.sides import (
    add_sides,
    complete_sides,
    join_sides,
    split_input,
    split_output,
)

Raw = dict[str, Any]
Case = tuple[Raw, dict[str, int], tuple[str, ...]]


class TestSheets:
    @pytest.mark.parametrize(
        ("value", "tokens"),
        [
            (0, 0),
            (7.0, 7),
            (Decimal("7"), 7),
            (MOST_TOKENS, MOST_TOKENS),
            (float(MOST_TOKENS), MOST_TOKENS),
            (MOST_TOKENS + 1, None),
            (-1, None),
            (7.5, None),
            (True, None),
            ("7", None),
            (None, None),
            (float("nan"), None),
            (Decimal("1e999999999"), None),
        ],
        ids=str,
    )
    def test_a_count_is_whole_and_within_its_bounds(
        self, value: object, tokens: int | None
    ) -> None:
        sheet = Sheet({"n": value}, Notes())

        assert token_count(value) == tokens
        assert (sheet.count("n"), sheet.tokens("n")) == (tokens, tokens or 0)
        assert sheet.counts({"n": "k"}) == ({} if tokens is None else {"k": tokens})
        is_wrong = tokens is None and value is not None
        assert sheet.notes.warnings == (["impossible_number"] if is_wrong else [])
        assert sheet.notes.understood is (tokens is not None)

    def test_the_largest_of_several_names_stands(self) -> None:
        kinds = {"a": "k", "b": "k", "c": "k", "d": "other"}

        assert Sheet({"a": 5, "b": 7, "c": 6, "z": 9}, Notes()).counts(kinds) == {"k": 7}
        assert Sheet({"b": None, "a": 0, "d": 0}, Notes()).counts(kinds) == {"k": 0, "other": 0}
        assert Sheet({"a": "x", "c": 6}, Notes()).counts(kinds) == {"k": 6}

    def test_a_part_is_the_first_that_is_there(self) -> None:
        sheet = Sheet({"a": None, "b": {"n": 1}, "c": {"n": 2}, "e": {}, "s": "x"}, Notes())

        part = sheet.part("a", "b", "c")
        assert part is not None and part.count("n") == 1 and part.notes is sheet.notes
        assert sheet.part("e", "b") is None
        assert sheet.notes.warnings == []
        later = sheet.part("s", "c")
        assert later is not None and later.count("n") == 2
        assert sheet.part("s") is None
        assert sheet.notes.warnings == ["impossible_details"]

    def test_rows_are_the_first_list_that_is_there(self) -> None:
        sheet = Sheet({"a": None, "b": [{"n": 1}, {"n": 2}], "c": [5], "s": "x"}, Notes())

        assert [row.count("n") for row in sheet.rows("a", "b", "c")] == [1, 2]
        assert sheet.rows("a") == []
        assert sheet.notes.warnings == []
        assert [row.count("n") for row in sheet.rows("s", "b")] == [1, 2]
        assert sheet.rows("c") == []
        assert sheet.notes.warnings == ["impossible_details"]

    def test_a_text_is_one_with_something_in_it(self) -> None:
        sheet = Sheet({"a": "x", "b": "", "c": 5}, Notes())

        assert [sheet.text(name) for name in "abcd"] == ["x", None, None, None]
        assert [sheet.has(name) for name in "abcd"] == [True, True, True, False]

    def test_an_amount_of_too_many_digits_is_none(self) -> None:
        def seconds(text: str) -> int | None:
            return Sheet({"s": Decimal(text)}, Notes()).seconds_micro("s")

        assert seconds("1." + "1" * 39) == 1_111_112
        assert seconds("1." + "1" * 40) is None
        assert seconds("1e-40") == seconds("1e-41") == seconds("1e-999999") == 1
        assert seconds("0e-999") == 0


def sides(**more: Any) -> tuple[tuple[int, ...], list[str]]:
    """An input side of that split, and what was noticed."""
    sheet = Sheet({}, Notes())
    return split_input(sheet, **more), sheet.notes.warnings


class TestSides:
    @pytest.mark.parametrize(
        ("given", "side", "warnings"),
        [
            ({"whole": 10}, (10, 0, 0, 0, 0, 0, 0, 0, 0), []),
            ({"whole": None}, (0, 0, 0, 0, 0, 0, 0, 0, 0), []),
            (
                {"whole": 10, "cached": 3, "written": 4, "written_1h": 1},
                (3, 3, 3, 1, 0, 0, 0, 0, 0),
                [],
            ),
            ({"whole": 10, "cached": 6, "written": 4}, (0, 6, 4, 0, 0, 0, 0, 0, 0), []),
            (
                {"whole": 10, "cached": 7, "written": 4, "written_1h": 4},
                (0, 7, 0, 3, 0, 0, 0, 0, 0),
                ["cache_write_above_input"],
            ),
            (
                {"whole": 10, "cached": 11, "written": 1},
                (0, 10, 0, 0, 0, 0, 0, 0, 0),
                ["cached_above_input", "cache_write_above_input"],
            ),
            ({"whole": None, "cached": 3, "written": 4}, (0, 3, 4, 0, 0, 0, 0, 0, 0), []),
            (
                {
                    "whole": None,
                    "cached": 5,
                    "kinds": {
                        "audio": 4,
                        "cached_audio": 1,
                        "image": 3,
                        "cached_image": 4,
                        "video": 2,
                        "cached_video": 1,
                    },
                },
                (0, 0, 0, 0, 3, 1, 0, 4, 1),
                [],
            ),
            (
                {"whole": 10, "kinds": {"audio": 2, "image": 3, "video": 4}},
                (1, 0, 0, 0, 2, 0, 3, 0, 4),
                [],
            ),
            (
                {"whole": 10, "kinds": {"audio": 5, "image": 4, "video": 3}},
                (0, 0, 0, 0, 5, 0, 4, 0, 1),
                ["video_above_input"],
            ),
            (
                {"whole": 10, "cached": 5, "kinds": {"audio": 6, "cached_audio": 4, "image": 7}},
                (0, 1, 0, 0, 2, 4, 3, 0, 0),
                ["image_above_input"],
            ),
            (
                {"whole": 10, "kinds": {"audio": 11, "image": 1}},
                (0, 0, 0, 0, 10, 0, 0, 0, 0),
                ["audio_above_input", "image_above_input"],
            ),
            (
                {"whole": 10, "cached": 6, "kinds": {"audio": 3, "image": 3}},
                (0, 6, 0, 0, 3, 0, 1, 0, 0),
                [],
            ),
            (
                {
                    "whole": 10,
                    "cached": 3,
                    "kinds": {"audio": 5, "cached_audio": 2, "cached_image": 5},
                },
                (4, 0, 0, 0, 3, 2, 0, 1, 0),
                [],
            ),
            (
                {"whole": 10, "cached": 3, "kinds": {"cached_audio": 5, "cached_image": 5}},
                (7, 0, 0, 0, 0, 3, 0, 0, 0),
                [],
            ),
        ],
        ids=str,
    )
    def test_what_was_read_is_split_and_adds_up(
        self, given: dict[str, Any], side: tuple[int, ...], warnings: list[str]
    ) -> None:
        assert sides(**given) == (side, warnings)

    @pytest.mark.parametrize(
        ("given", "side", "warnings"),
        [
            ({"whole": 10}, (10, 0, 0, 0, 0), []),
            ({"whole": 10, "reasoning": 10}, (0, 10, 0, 0, 0), []),
            ({"whole": 10, "reasoning": 11}, (0, 10, 0, 0, 0), ["reasoning_above_output"]),
            (
                {"whole": 10, "reasoning": 1, "audio": 2, "image": 3, "video": 4},
                (0, 1, 2, 3, 4),
                [],
            ),
            (
                {"whole": 10, "reasoning": 1, "audio": 2, "image": 3, "video": 5},
                (0, 1, 2, 3, 4),
                ["video_above_output"],
            ),
            ({"whole": 10, "video": 5}, (5, 0, 0, 0, 5), []),
            (
                {"whole": 10, "audio": 7, "image": 5, "video": 1},
                (0, 0, 7, 3, 0),
                ["image_above_output", "video_above_output"],
            ),
            ({"whole": 10, "image": 11}, (0, 0, 0, 10, 0), ["image_above_output"]),
            (
                {"whole": 10, "audio": 11, "image": 1},
                (0, 0, 10, 0, 0),
                ["audio_above_output", "image_above_output"],
            ),
        ],
        ids=str,
    )
    def test_what_was_said_is_split_and_adds_up(
        self, given: dict[str, Any], side: tuple[int, ...], warnings: list[str]
    ) -> None:
        sheet = Sheet({}, Notes())

        assert (split_output(sheet, **given), sheet.notes.warnings) == (side, warnings)

    @pytest.mark.parametrize(
        ("given", "expected", "warnings"),
        [
            ((5, 3, None), (5, 3, 0), []),
            ((None, 3, None), (None, 3, 0), []),
            ((5, None, None), (5, None, 0), []),
            ((5, 3, 8), (5, 3, 0), []),
            ((5, 3, 9), (5, 3, 1), []),
            ((5, 3, 7), (5, 3, 0), ["total_mismatch"]),
            ((None, 3, 9), (6, 3, 0), []),
            ((5, None, 9), (5, 4, 0), []),
            ((None, None, 9), (9, 0, 0), ["total_only"]),
            ((None, None, -2), (0, 0, 0), ["total_only", "total_mismatch"]),
            ((None, 3, 2), (0, 3, 0), ["total_mismatch"]),
            ((5, None, 2), (5, 0, 0), ["total_mismatch"]),
        ],
        ids=str,
    )
    def test_a_side_that_is_not_said_is_what_the_total_leaves(
        self,
        given: tuple[int | None, int | None, int | None],
        expected: tuple[int | None, int | None, int],
        warnings: list[str],
    ) -> None:
        sheet = Sheet({}, Notes())
        read, said, total = given

        found = complete_sides(sheet, input_side=read, output_side=said, total=total)

        assert (found, sheet.notes.warnings) == (expected, warnings)

    def test_both_sides_are_pools_each_in_its_own_place(self) -> None:
        read, said = (1, 2, 3, 4, 5, 6, 7, 8, 9), (10, 11, 12, 13, 14)

        assert join_sides(read, said) == TokenPools(
            input=1,
            cached_input=2,
            cache_write_5m=3,
            cache_write_1h=4,
            audio_input=5,
            cached_audio_input=6,
            image_input=7,
            cached_image_input=8,
            video_input=9,
            output=10,
            reasoning=11,
            audio_output=12,
            image_output=13,
            video_output=14,
        )
        assert add_sides(read, (10, 20, 30, 40, 50, 60, 70, 80, 90)) == (
            (11, 22, 33, 44, 55, 66, 77, 88, 99)
        )
