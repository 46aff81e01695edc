"""What a charge counts beside credits: features, and the sizes that estimates are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.unit.building import CATALOG, ONE, a_run, an_account
from tollkeeper.domain.catalog import Sizes
from tollkeeper.domain.entries import Run
from tollkeeper.domain.seen import MOST_SEEN, Seen, SeenSizes, see, sharpen
from tollkeeper.domain.spending import MOST_VOLUMES, count_feature, count_volume, see_size
from tollkeeper.domain.usage import TokenPools


@pytest.mark.parametrize(("used", "more", "after"), [(1, 1, 2), (2, -1, 1), (1, -1, 0), (1, -2, 0)])
def test_a_counter_goes_up_and_down_and_never_below_zero(used: int, more: int, after: int) -> None:
    account = replace(an_account(), features={"call": used, "video": 5})

    counted = count_feature(account, "call", more, CATALOG)

    assert counted.features == {"call": after, "video": 5}


def test_nothing_is_counted_where_there_is_nothing_to_count_or_the_plan_does_not() -> None:
    account = an_account()

    assert count_feature(account, "call", 0, CATALOG) == account
    assert count_feature(account, "video", 1, CATALOG) == account


def test_what_a_run_used_adds_to_its_features_volume() -> None:
    account = replace(an_account(), volumes={"minute": 5, "sms": 7})

    counted = count_volume(account, Run("minute", feature="minute", volume_micro=3), CATALOG)

    assert counted.volumes == {"minute": 8, "sms": 7}
    assert count_volume(account, Run("minute", feature="minute"), CATALOG) is account
    first = count_volume(an_account(), Run("minute", feature="minute", volume_micro=3), CATALOG)
    assert first.volumes == {"minute": 3}


def test_a_volume_too_many_drops_those_that_the_catalog_counts_no_more() -> None:
    sms = replace(CATALOG.operation("sms"), counts_volume=True)
    catalog = replace(CATALOG, operations={**CATALOG.operations, "sms": sms})
    old = {f"old_{n}": 1 for n in range(MOST_VOLUMES - 1)}
    run = Run("minute", feature="minute", volume_micro=3)

    def after(volumes: dict[str, int]) -> Mapping[str, int]:
        return count_volume(replace(an_account(), volumes=volumes), run, catalog).volumes

    assert after({**old, "sms": 7}) == {"sms": 7, "minute": 3}
    assert after({**old, "minute": 7}) == {**old, "minute": 10}, "its own is there already"
    del old["old_0"]
    assert after({**old, "sms": 7}) == {**old, "sms": 7, "minute": 3}, "there is room"


def test_a_run_is_seen_where_its_operations_estimates_use_sizes() -> None:
    account = replace(an_account(), seen={"other": Seen(1, 5, 5, 5)})

    after_chat = see_size(account, Run("chat", pools=TokenPools(input=3, output=4)), CATALOG)
    after_minute = see_size(account, a_run("minute", quantity=2 * ONE).run, CATALOG)

    assert after_chat.seen == {"other": Seen(1, 5, 5, 5), "chat": Seen(1, 7, 7, 7)}
    assert after_minute.seen["minute"] == Seen(1, 2 * ONE, 2 * ONE, 2 * ONE)


@pytest.mark.parametrize(
    "run",
    [
        Run("sms", quantity_micro=ONE),
        Run("gone from the catalog", quantity_micro=ONE),
        Run("minute"),
        Run("minute", quantity_micro=0),
        Run("chat", quantity_micro=ONE),
        Run("chat", pools=TokenPools()),
    ],
    ids=["no sizes", "no operation", "no quantity", "nothing", "no tokens", "no token"],
)
def test_any_other_run_leaves_what_was_seen_as_it_was(run: Run) -> None:
    account = an_account()

    assert see_size(account, run, CATALOG) == account


def test_the_mean_and_both_ends_move_by_whole_steps_rounded_down() -> None:
    """Why: what is stored is whole, and the same on every machine."""
    seen = Seen(1, 100, 100, 100).with_one(205)
    assert seen == Seen(2, 152, 100, 205)

    seen = seen.with_one(150)
    assert seen == Seen(3, 151, 103, 202)

    assert Seen(8, 1000, 10, 9005).with_one(1021) == Seen(8, 1002, 71, 8505)
    assert all(type(n) is int for n in (seen.calls, seen.mean, seen.low, seen.high))


def test_the_operation_with_the_fewest_calls_is_forgotten_whatever_its_name() -> None:
    known: SeenSizes = {f"tool_{n}": Seen(3, 5, 5, 5) for n in range(MOST_SEEN)}
    known = {**known, "tool_5": Seen(2, 5, 5, 5)}

    assert set(see(known, "new", 5)) == {*known, "new"} - {"tool_5"}


def test_of_operations_with_equally_few_calls_the_first_by_name_is_forgotten() -> None:
    known: SeenSizes = {f"tool_{n}": Seen(3, 5, 5, 5) for n in reversed(range(MOST_SEEN))}

    assert set(see(known, "new", 5)) == {*known, "new"} - {"tool_0"}


def test_an_estimate_is_of_one_at_least() -> None:
    declared = Sizes(100, 1000, 8000)

    assert sharpen(declared, Seen(8, 1, 1, 1)) == Sizes(1, 1, 1)
    assert sharpen(declared, Seen(8, 0, 0, 0)) == Sizes(1, 1, 1)
