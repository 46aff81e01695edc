"""Whatever the order, and everything twice: a purchase ends as the facts say (I12, I13, I14)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stripe_orders.making import SHAPES
from tests.stripe_orders.playing import play
from tests.stripe_orders.playing_subscriptions import play_subscription
from tests.stripe_orders.stack import Stack, stacked
from tests.stripe_orders.stories import STORIES
from tests.stripe_orders.subscriptions import SUB_STORIES


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A stack with an empty table."""
    with stacked() as made:
        yield made


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", STORIES)
def test_every_order_of_a_story_ends_as_its_facts_say(stack: Stack, name: str, shape: str) -> None:
    wrong = next(play(stack, STORIES[name], shape=shape), None)

    assert wrong is None, wrong


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", SUB_STORIES)
def test_every_order_of_a_subscription_ends_on_the_same_plan(
    stack: Stack, name: str, shape: str
) -> None:
    wrong = next(play_subscription(stack, SUB_STORIES[name], shape=shape), None)

    assert wrong is None, wrong


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["subscribe", "renew", "upgrade"])
def test_an_invoice_that_names_no_account_waits_until_its_subscription_is_known(
    stack: Stack, name: str, shape: str
) -> None:
    story = SUB_STORIES[name]

    wrong = next(play_subscription(stack, story, shape=shape, is_named=False), None)

    assert wrong is None, wrong
