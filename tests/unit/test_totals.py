"""A day's totals: exact sums, bounded in number, and voids that undo."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tollkeeper.domain.entries import Run
from tollkeeper.domain.totals import (
    MOST_TOTALS_PER_DAY,
    NO_TOKENS,
    NOTHING,
    OTHER,
    Total,
    TotalKey,
    Totals,
    count,
    key_of,
    relabel,
    tokens_of,
    total_of_charge,
)
from tollkeeper.domain.usage.pools import POOL_NAMES, TokenPools
from tollkeeper.store.rows import totals_from_rows, totals_to_rows

KEY = TotalKey("chat", "gpt-4", "story")
RUN = Run(
    "chat", "gpt-4", "story", feature_count=1, pools=TokenPools(input=20, output=5), cost_picousd=7
)


def counted(*keys: TotalKey, before: Totals | None = None) -> Totals:
    """The totals after one call for each key."""
    totals: Totals = before or {}
    for key in keys:
        totals = count(totals, key, Total(calls=1, credits_microcredits=3))
    return totals


def many(number: int) -> list[TotalKey]:
    """So many different keys."""
    return [TotalKey("op", "", f"label {n}") for n in range(number)]


def test_a_charge_counts_its_call_credits_cost_and_tokens() -> None:
    total = total_of_charge(RUN, 1_500_000)

    assert (total.calls, total.failed) == (1, 0)
    assert (total.credits_microcredits, total.cost_picousd) == (1_500_000, 7)
    assert dict(zip(POOL_NAMES, total.tokens, strict=True))["output"] == 5
    assert key_of(RUN) == KEY


def test_a_later_part_of_a_long_run_counts_its_credits_and_no_call() -> None:
    part = total_of_charge(replace(RUN, feature_count=0), 9)

    assert (part.calls, part.credits_microcredits) == (0, 9)


def test_a_run_without_tokens_or_cost_counts_none() -> None:
    total = total_of_charge(Run("call"), 1)

    assert (total.tokens, total.cost_picousd) == (NO_TOKENS, 0)
    assert tokens_of(None) == (0,) * len(POOL_NAMES)


def test_totals_add_up_member_by_member() -> None:
    one = Total(1, 2, 3, 4, 5, tokens_of(TokenPools(1, output=2)))
    other = Total(10, 20, 30, 40, 50, tokens_of(TokenPools(0, 3, output=4)))

    assert one.plus(other) == Total(11, 22, 33, 44, 55, tokens_of(TokenPools(1, 3, output=6)))


def test_a_total_and_its_opposite_are_nothing() -> None:
    total = Total(1, 2, 3, 4, 5, tuple(range(1, len(POOL_NAMES) + 1)))

    assert total.plus(total.minus()) == NOTHING
    assert total_of_charge(RUN, 9).plus(total_of_charge(RUN, 9).minus()) == NOTHING


def test_a_key_that_is_back_at_nothing_leaves_the_day() -> None:
    charge = total_of_charge(RUN, 9)

    assert count(count({}, KEY, charge), KEY, charge.minus()) == {}


def test_counting_leaves_the_totals_before_as_they_were() -> None:
    before = counted(KEY)

    count(before, KEY, Total(calls=1))

    assert before == {KEY: Total(calls=1, credits_microcredits=3)}


def test_keys_beyond_the_bound_fold_into_other() -> None:
    keys = many(MOST_TOTALS_PER_DAY)
    full = counted(*keys)
    more = counted(TotalKey("new"), TotalKey("newer", "m", "x"), keys[0], before=full)

    assert len(full) == MOST_TOTALS_PER_DAY
    assert more[TotalKey(OTHER)].calls == 2
    assert more[keys[0]].calls == 2
    assert len(more) == MOST_TOTALS_PER_DAY + 1


def test_sums_are_exact_however_many_keys_there_are() -> None:
    totals = counted(*many(200), *many(200))

    assert len(totals) == MOST_TOTALS_PER_DAY + 1
    assert sum(t.calls for t in totals.values()) == 400
    assert sum(t.credits_microcredits for t in totals.values()) == 1200


def test_a_group_keeps_only_the_member_it_is_grouped_by() -> None:
    shown = [relabel(KEY, by) for by in ("operation", "model", "feature", None)]

    assert shown == [
        TotalKey("chat"),
        TotalKey("", "gpt-4"),
        TotalKey("", "", "story"),
        TotalKey(""),
    ]


def test_totals_of_different_pools_are_never_added_up_in_silence() -> None:
    """Why: a new pool between two others would count tokens as something that they are not."""
    with pytest.raises(ValueError, match="shorter"):
        Total().plus(Total(tokens=(1, 2)))


def test_counting_nothing_for_a_key_that_is_not_there_leaves_nothing() -> None:
    assert count({}, TotalKey("call"), Total()) == {}


def test_a_stored_row_from_before_the_pools_of_images_is_read_with_none_of_those() -> None:
    """Why: such a row has eight counts of tokens, and no count where the last of them are 0."""
    eight = ["chat", "gpt-4", "story", 1, 0, 5, 0, 0, *range(1, 9)]
    none = ["call", "", "", 1, 0, 5, 0, 0]

    totals = totals_from_rows([eight, none])

    assert totals[KEY].tokens == tokens_of(TokenPools(*range(1, 9)))
    assert totals[TotalKey("call")].tokens == NO_TOKENS
    assert totals_to_rows(totals) == [none, eight]
