"""One seed: a storm of clients and faults, then calm in which everything drains, then judgement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any

import greenlet

from local.template import read_template, table_definition
from simulation.asking import DAY_US, HOUR_US, Asked, Clients
from simulation.card_side import SimulatedCards
from simulation.deployment import ROOT, TABLE, Deployment, deployed
from simulation.faults import Faults
from simulation.gate_stories import GATE_STORIES
from simulation.hold_stories import HOLD_STORIES
from simulation.keys_story import use_key
from simulation.loop import SECOND_US, Loop
from simulation.money import KindestLimits, catalogs
from simulation.network import Network
from simulation.price_stories import PRICE_STORIES, reprice
from simulation.settled import Readers, judge_rest, key_of_purchase
from simulation.short import SHORT_STORIES, shard_of
from simulation.store import SimStore
from simulation.stories import STORIES, Cast, Story
from simulation.stripe_side import Bought, SimulatedStripe, buy
from simulation.subscription_side import Subscribed, subscribe
from simulation.top_up_side import TopUps, top_up_by_card
from simulation.verdicts import judge_asked, judge_forged, judge_purchases
from simulation.verdicts_again import judge_again
from simulation.verdicts_price import judge_waiting
from simulation.verdicts_subscriptions import judge_subscriptions
from simulation.verdicts_top_ups import billings_of, judge_schedule, judge_top_ups
from simulation.watch import Violation, Watch

ACCOUNTS = ("ada", "bob@example.org", "org:7|team")
# Beginnings that lie close before a month's end, a leap day, and both changes of the clocks.
STARTS = (
    datetime(2026, 11, 20, 12, tzinfo=UTC),
    datetime(2026, 11, 30, 23, 59, 59, 900_000, tzinfo=UTC),
    datetime(2028, 2, 28, 23, 59, 30, tzinfo=UTC),
    datetime(2027, 1, 31, 10, tzinfo=UTC),
    datetime(2027, 3, 28, 0, 59, 58, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 59, 58, tzinfo=UTC),
    datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC),
)
# Over how long the stories begin. Most storms are dense, some have weeks between two stories.
SPANS_US = (20_000, 200_000, 3 * SECOND_US, 60 * SECOND_US, 2 * HOUR_US, 3 * DAY_US, 50 * DAY_US)
# How much more than usual a storm likes a kind of story.
LIKINGS = (0.1, 0.5, 1, 6)
MOST_TURNS = 200_000
# How often somebody buys a pack or subscribes, beside the other stories.
BUYING = 40
SUBSCRIBING = 16
TOPPING_UP = 16
# Enough for a bank that takes days, and three failures in a row.
MOST_FIRES = 60


MOST_STORIES = 11


@dataclass(frozen=True, slots=True)
class Plot:
    """What a seed stands for: who does what, when. A part of it is a plot, too.

    `most_stories`: with fewer, the same time tries more beginnings.
    """

    seed: int
    stories: tuple[int, ...] | None = None
    most_stories: int = MOST_STORIES


@dataclass
class Told:
    """One line of a storm's history."""

    at_us: int
    who: str
    what: str


@dataclass
class Outcome:
    """What a storm came to. `history` is empty unless it was asked for."""

    plot: Plot
    violations: list[Violation]
    faults: Counter[str]
    calls: int
    requests: int
    transactions: int
    stories: tuple[int, ...]
    history: list[Told] = field(default_factory=list[Told])


@lru_cache(maxsize=1)
def table() -> dict[str, Any]:
    """The table as the template has it."""
    return dict(table_definition(read_template(ROOT / "template.yaml"), name=TABLE))


class Staleness:
    """How far behind a read that may be stale is."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def behind(self, what: str) -> int:
        """So many commits. Shape: `what` is "item" or "index"."""
        # Why: a read that lags is no failure, so it is as common where little else fails.
        if self._faults.strikes(f"stale_{what}", 0.25):
            return self._faults.random.randint(1, 4)
        return 0


class Storm:
    """Everything of one seed."""

    def __init__(self, plot: Plot, *, tells: bool = False) -> None:
        self.plot = plot
        self.random = Random(plot.seed)
        self.faults = Faults(self.random)
        self.loop = Loop(self.random.choice(STARTS))
        self.store = SimStore(
            table(),
            now=lambda: self.loop.now_us / SECOND_US,
            lag=Staleness(self.faults),
            cut=self._cut,
        )
        self.network = Network(self.loop, self.faults, self.store)
        self.stripe = SimulatedStripe(self.network)
        self.cards = SimulatedCards(self.network)
        self.versions = catalogs()
        self.newest = 0
        self.deployment = Deployment(
            self.network,
            self.stripe,
            self.cards,
            choose_catalog=lambda: self.versions[self.newest],
        )
        self.watch = Watch(lambda: self.loop.now_us, KindestLimits())
        self.clients = Clients(self.deployment, self.watch)
        self.store.on_commit = lambda commit: self.watch.see(commit, self.network.writer)
        self.bought: list[Bought] = []
        self.subscribed: list[Subscribed] = []
        self.history: list[Told] = []
        self.told_stories: list[int] = []
        # Why: the other shards are empty, and reading them is half of a short storm's calls.
        self.shards = {"shards": sorted({shard_of(account) for account in ACCOUNTS})}
        self.top_ups = TopUps(self.stripe, self.cards, self.bought, self.shards["shards"])
        if tells:
            self.network.tell = self._note

    def _cut(self) -> int | None:
        return 1 if self.faults.strikes("page_cut") else None

    def _note(self, what: str) -> None:
        invocation = getattr(greenlet.getcurrent(), "invocation", None)
        who = "" if invocation is None else f"#{invocation.number} {invocation.function}"
        self.history.append(Told(self.loop.now_us, who, what))

    def run(self) -> Outcome:
        """The storm, the calm after it, and what is wrong."""
        with deployed(self.deployment):
            self._begin()
            self.loop.run()
            self.faults.is_over = True
            self.deployment.restart()
            self._drain()
            judged = list(self._judge())
            violations = [*self.watch.violations, *judged]
        return Outcome(
            plot=self.plot,
            violations=violations,
            faults=self.faults.counts,
            calls=self.network.calls,
            requests=sum(len(each.attempts) for each in self.clients.asked),
            transactions=self.store.commits,
            stories=tuple(self.told_stories),
            history=self.history,
        )

    # ---- The storm

    def _begin(self) -> None:
        random = self.random
        accounts = ACCOUNTS[: random.choice((1, 1, 1, 2, 3))]
        span_us = random.choice(SPANS_US)
        moments = [random.randrange(span_us) for _ in range(random.choice((1, 2, 5)))]
        count = random.randint(3, self.plot.most_stories)
        stories, weights = zip(
            *STORIES,
            (self._buy, BUYING),
            (self._subscribe, SUBSCRIBING),
            (self._top_up, TOPPING_UP),
            (self._sweep, 4),
            (use_key, 3),
            *SHORT_STORIES,
            *HOLD_STORIES,
            *GATE_STORIES,
            *PRICE_STORIES,
            (self._reprice, 8),
            strict=True,
        )
        # A few kinds of stories fill most storms, because bugs hide between two of a kind.
        odds = [weight * random.choice(LIKINGS) for weight in weights]
        told: list[Story] = random.choices(stories, odds, k=count)
        for number, story in enumerate(told):
            at_us = random.choice(moments) + random.randrange(30_000)
            if self.plot.stories is None or number in self.plot.stories:
                self.told_stories.append(number)
                self._tell(story, Cast(self.clients, accounts, f"s{number}"), at_us)
        if self.faults.strikes("two_versions", 0.5):
            late_us = random.randrange(random.choice((20_000, SECOND_US, 60 * SECOND_US)))
            self.loop.after(random.choice(moments) + late_us, self._deploy)

    def _tell(self, story: Story, cast: Cast, at_us: int) -> None:
        self.loop.spawn(lambda: story(cast), after_us=at_us)

    def _deploy(self) -> None:
        """New environments start with the next version; those that are busy finish on theirs."""
        self.newest = 1
        if self.random.random() < 0.5:
            self.deployment.restart()

    def _buy(self, cast: Cast) -> None:
        buy(cast, self.stripe, self.bought)

    def _subscribe(self, cast: Cast) -> None:
        subscribe(cast, self.stripe, self.subscribed, self.shards["shards"])

    def _top_up(self, cast: Cast) -> None:
        top_up_by_card(cast, self.top_ups)

    def _reprice(self, cast: Cast) -> None:
        reprice(cast, self._deploy)

    def _sweep(self, _: Cast) -> None:
        """The schedule fires: once, twice at once, or not at all."""
        if self.faults.strikes("sweep_missed", 0.1):
            return
        self._fire()
        if self.faults.strikes("sweep_double", 0.4):
            self._fire()

    def _fire(self) -> None:
        self.deployment.invoke("period_reset", self.shards)

    # ---- The calm

    def _drain(self) -> None:
        """Every client comes back once more, and every due account is swept."""
        if self.random.random() < 0.3:
            self._forget_events()
        for asked in list(self.clients.asked):
            if not asked.is_settled() or self.random.random() < 0.3:
                self._run_task(lambda asked=asked: self._ask_again(asked))
        if self.random.random() < 0.5:
            # Every hold's time is over, however long it was extended to.
            self._run_task(lambda: self.loop.sleep(26 * HOUR_US))
        if self.top_ups.topped:
            self._run_task(self._end_top_ups)
        self._run_task(self._sweep_and_read)

    def _forget_events(self) -> None:
        """DynamoDB has removed every processed event, as it does some days after their time."""
        for item in list(self.store.items()):
            key = {name: item[name] for name in ("pk", "sk")}
            if item["pk"]["S"].startswith("S#"):
                self.faults.counts["event_forgotten"] += 1
                slot = {"Delete": {"TableName": TABLE, "Key": key}}
                self.store.transact_write_items(TransactItems=[slot])

    def _ask_again(self, asked: Asked) -> None:
        self.clients.ask(asked, tries=2)

    def _end_top_ups(self) -> None:
        """The schedule fires until nothing is under way any more."""
        for _ in range(MOST_FIRES):
            invocation = self.deployment.invoke("top_up", {})
            invocation.done.wait(HOUR_US)
            if not any(each.state.pending for each in billings_of(self.store)):
                return
            self.loop.sleep(7 * HOUR_US)

    def _sweep_and_read(self) -> None:
        self._sweep_all()
        Readers(self.clients, self.watch).read_all()

    def _sweep_all(self) -> None:
        self.loop.sleep(20 * SECOND_US)
        invocation = self.deployment.invoke("period_reset", self.shards)
        invocation.done.wait(HOUR_US)
        answer = invocation.answer
        if answer is None or not answer["is_finished"] or answer["broken"] or answer["busy"]:
            self.watch.blame("I22", "sweep", f"{answer} {invocation.death}")
        self.watch.blame_open(self.loop.now() - timedelta(seconds=20))

    def _run_task(self, body: Callable[[], None]) -> None:
        self.loop.spawn(body)
        self.loop.run()

    # ---- The judgement

    def _judge(self) -> Iterator[Violation]:
        yield from judge_asked(self.clients.asked, self.watch)
        yield from judge_again(self.clients.asked, self.watch)
        yield from judge_forged(self.clients.asked)
        yield from judge_purchases(self.bought, self._purchase, self.watch)
        yield from judge_subscriptions(self.subscribed, self._find_purchase, self.watch)
        yield from judge_top_ups(self.top_ups.topped, self.cards, self.store, self.watch)
        yield from judge_schedule(self.deployment.invocations)
        yield from judge_waiting(self.store, self.watch)
        yield from judge_rest(self.store, self.deployment.invocations)

    def _purchase(self, account: str, purchase: str) -> Any:
        item = self._find_purchase(account, purchase)
        assert item is not None, "what was answered is there"
        return item

    def _find_purchase(self, account: str, purchase: str) -> Any:
        key = key_of_purchase(account, purchase)
        return self.store.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")


def run_plot(plot: Plot, *, tells: bool = False) -> Outcome:
    """The storm of that plot, always the same one."""
    return Storm(plot, tells=tells).run()


def run_seed(seed: int, *, tells: bool = False) -> Outcome:
    """The storm of that seed, in its usual size."""
    return run_plot(Plot(seed), tells=tells)


def moment_of(at_us: int) -> str:
    """The moment as a history shows it."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)).isoformat()
