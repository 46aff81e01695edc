"""Which story, in which order, shows a bug: the first one that does not end as it must."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial

from simulation.planted.bug import Bug, planted
from tests.stripe_orders.making import SHAPES
from tests.stripe_orders.playing import play
from tests.stripe_orders.playing_subscriptions import play_subscription
from tests.stripe_orders.stack import Stack, stacked
from tests.stripe_orders.stories import STORIES, Story
from tests.stripe_orders.subscriptions import SUB_STORIES, SubStory

TAX = 501


@dataclass(frozen=True)
class Caught:
    """The story and its shape, and what was seen there."""

    story: str
    shape: str
    what: str


Tell = Callable[[Stack], str]


def _page(stack: Stack, *, story: Story, shape: str, most: int, tax: int) -> str:
    told = play(stack, story, shape=shape, tax=tax, most=most)
    return next((wrong.what for wrong in told), "")


def _subscription(stack: Stack, *, story: SubStory, shape: str, most: int) -> str:
    told = play_subscription(stack, story, shape=shape, most=most)
    return next((wrong.what for wrong in told), "")


def attempts(*, most: int) -> Iterator[tuple[str, str, Tell]]:
    """Every story in every shape: its name, and what is wrong with it in a stack."""
    for shape in SHAPES:
        for name, story in STORIES.items():
            for tax, with_tax in ((0, ""), (TAX, " with tax")):
                tell = partial(_page, story=story, shape=shape, most=most, tax=tax)
                yield name + with_tax, shape, tell
        for name, subscription in SUB_STORIES.items():
            yield name, shape, partial(_subscription, story=subscription, shape=shape, most=most)


def hunt(bug: Bug, *, most: int, stories: Collection[str] = ()) -> Caught | None:
    """The first of these stories (or of all) that shows the bug; None where none does.

    `most`: so many orders of a long story.
    """
    for name, shape, tell in attempts(most=most):
        if stories and name not in stories:
            continue
        with stacked() as stack, planted(bug):
            try:
                what = tell(stack)
            except AssertionError as error:
                what = f"an assertion fails: {error}"
        if what:
            return Caught(name, shape, what)
    return None
