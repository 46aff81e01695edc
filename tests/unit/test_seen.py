"""What an account's own calls were like sharpens its estimates, in bounded state."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tollkeeper.domain.catalog import Local, Per1kTokens, PerUnit, Sizes
from tollkeeper.domain.entries import Run
from tollkeeper.domain.seen import ENOUGH, MOST_SEEN, Seen, SeenSizes, see, sharpen, size_of
from tollkeeper.domain.usage.pools import TokenPools
from tollkeeper.store.rows import seen_from_rows, seen_to_rows

DECLARED = Sizes(100, 1000, 8000)


def seen_after(*sizes: int) -> Seen:
    known: SeenSizes = {}
    for size in sizes:
        known = see(known, "chat", size)
    return known["chat"]


def test_the_first_call_is_all_that_is_known() -> None:
    assert seen_after(300) == Seen(1, 300, 300, 300)


def test_until_there_are_enough_calls_the_catalogs_sizes_stand() -> None:
    assert sharpen(DECLARED, None) == DECLARED
    assert sharpen(DECLARED, seen_after(*[300] * (ENOUGH - 1))) == DECLARED
    assert sharpen(DECLARED, seen_after(*[300] * ENOUGH)) == Sizes(300, 300, 300)


def test_a_range_is_of_what_was_seen() -> None:
    found = sharpen(DECLARED, seen_after(150, 250, 350, 450))

    assert (found.smallest, found.typical, found.largest) == (159, 300, 450)


def test_old_habits_fade() -> None:
    after = seen_after(*[10_000] * 20, *[100] * 60)

    assert after.mean < 200
    assert after.low == 100
    assert after.high < 1000


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=60))
def test_the_smallest_is_never_above_the_typical_nor_that_above_the_largest(
    sizes: list[int],
) -> None:
    after = seen_after(*sizes)
    found = sharpen(DECLARED, after)

    assert 0 < found.smallest <= found.typical <= found.largest
    assert min(sizes) <= after.mean <= max(sizes)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 999)), max_size=80))
def test_what_is_remembered_is_bounded_and_survives_storage(calls: list[tuple[int, int]]) -> None:
    known: SeenSizes = {}
    for operation, size in calls:
        known = see(known, f"tool_{operation}", size)

    assert len(known) <= MOST_SEEN
    assert seen_from_rows(seen_to_rows(known)) == known


def test_beyond_the_bound_the_operation_with_the_fewest_calls_is_forgotten() -> None:
    known: SeenSizes = {}
    for number in range(MOST_SEEN):
        for _ in range(2 if number else 1):
            known = see(known, f"tool_{number}", 5)

    known = see(known, "new", 5)

    assert len(known) == MOST_SEEN
    assert "tool_0" not in known
    assert "new" in known


def test_a_run_is_as_big_as_its_rule_counts() -> None:
    tokens, minutes = Per1kTokens(()), PerUnit(1, "minute")

    assert size_of(Run("chat", pools=TokenPools(input=3, output=4)), tokens) == 7
    assert size_of(Run("chat"), tokens) is None
    assert size_of(Run("call", quantity_micro=2_500_000), minutes) == 2_500_000
    assert size_of(Run("own"), Local()) is None
