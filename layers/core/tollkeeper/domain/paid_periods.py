"""What a subscription has paid for: its last periods, and what each of them brought already."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from tollkeeper.domain.catalog import Catalog, Rollover
from tollkeeper.domain.periods import GRACE

PERIODS_KEPT = 3
"""How many periods of a subscription an account remembers, where what is left can roll over."""

SUBSCRIPTIONS_KEPT = 4
"""Of how many subscriptions an account remembers what they paid for."""

KEPT_FOR = timedelta(days=90)
"""How long that is remembered after the time that was paid for, once nothing drives by it."""

Place = tuple[datetime, datetime]
"""The order of all lines: when what one pays for begins, and when its invoice was made."""


@dataclass(frozen=True, slots=True)
class Paid:
    """A line as a subscription remembers it. Units: micro-credits that its plan allots."""

    subscription: str
    plan: str
    allocation_microcredits: int
    place: Place
    end_at: datetime


@dataclass(frozen=True, slots=True)
class PaidPeriod:
    """A period, known by its end, and the plans that were paid for in it with what they allot.

    `begin_at` is where the first of its known lines begins, and `spent_microcredits` what of its
    credits was gone when it was over. Units: micro-credits.
    """

    begin_at: datetime
    end_at: datetime
    plans: tuple[tuple[str, int], ...]
    spent_microcredits: int = 0

    @property
    def allocated_microcredits(self) -> int:
        """The largest allocation of its plans, which is what it brings."""
        return max(amount for _, amount in self.plans)

    def with_line(self, paid: Paid) -> PaidPeriod:
        """The same with this line, too; in whatever order lines come, the same is known."""
        plans = dict(self.plans)
        plans[paid.plan] = max(paid.allocation_microcredits, plans.get(paid.plan, 0))
        begin_at = min(self.begin_at, paid.place[0])
        return replace(self, begin_at=begin_at, plans=tuple(sorted(plans.items())))

    def follows(self, before: PaidPeriod) -> bool:
        """No period that could be told later is missing between the two.

        Why: what a period in between keeps is not known before it is told, so nothing passes it.
        """
        return self.begin_at <= before.end_at + GRACE

    def left_of(self, came_in_microcredits: int) -> int:
        """What is left of its credits and of what came in before."""
        there = came_in_microcredits + self.allocated_microcredits
        return max(0, there - self.spent_microcredits)

    def kept_of(self, rest_microcredits: int, came_in_microcredits: int, catalog: Catalog) -> int:
        """How much of an unused rest goes into the next period.

        Each plan lets as much roll over as its rule says, of no more than it allots and what came
        in before; that of the most generous one goes. Why: so it does not matter which of the
        plans was told last, and a larger one that keeps nothing is not kept by a smaller one.
        """
        return max(
            catalog.plan(plan).rolled_over(min(rest_microcredits, came_in_microcredits + amount))
            for plan, amount in self.plans
        )


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What is known of a subscription: its newest line's plan and place, and its last periods.

    `carried_microcredits` is what went into the oldest of them. `grants` hold the credits of the
    newest. Units: micro-credits.
    """

    id: str
    plan: str
    line_at: Place
    periods: tuple[PaidPeriod, ...]
    carried_microcredits: int = 0
    grants: tuple[str, ...] = ()

    @property
    def newest(self) -> PaidPeriod:
        """The period that the newest line pays for."""
        return self.periods[-1]

    @property
    def size(self) -> tuple[int, str]:
        """What says which of several drives: what its plan allots; of equal ones, the id."""
        return dict(self.newest.plans).get(self.plan, 0), self.id

    def has(self, end_at: datetime) -> bool:
        """The period with that end is known."""
        return any(period.end_at == end_at for period in self.periods)

    def is_live(self, at: datetime) -> bool:
        """What was paid for is not over, or only for days of grace."""
        return at < self.newest.end_at + GRACE

    def came_in_microcredits(self, catalog: Catalog) -> int:
        """What went into the newest period from those before."""
        came_in = self.carried_microcredits
        for before, after in pairwise(self.periods):
            rest = before.left_of(came_in)
            came_in = before.kept_of(rest, came_in, catalog) if after.follows(before) else 0
        return came_in

    def with_rest(self, rest_microcredits: int, catalog: Catalog) -> Subscribed:
        """The same once its newest period is over, with so much left of it."""
        came_in = self.came_in_microcredits(catalog)
        there = came_in + self.newest.allocated_microcredits
        spent = max(0, there - rest_microcredits)
        return replace(
            self, periods=(*self.periods[:-1], replace(self.newest, spent_microcredits=spent))
        )

    def with_less(self, rest_microcredits: int, catalog: Catalog) -> Subscribed:
        """The same where no more than this rest is there of what the newest period keeps.

        Why: of what rolled over into the calendar's period some is spent before the next invoice.
        """
        came_in, newest = self.came_in_microcredits(catalog), self.newest
        kept = newest.kept_of(newest.left_of(came_in), came_in, catalog)
        spent = newest.spent_microcredits + max(0, kept - rest_microcredits)
        return replace(
            self, periods=(*self.periods[:-1], replace(newest, spent_microcredits=spent))
        )

    def brought_microcredits(self, catalog: Catalog) -> int:
        """What the newest period has in all, if nothing of this was spent.

        Why: this is the same in whatever order the lines come and never falls with one more, so
        one that comes late brings exactly what it makes of a difference here.
        """
        return self.came_in_microcredits(catalog) + self.newest.allocated_microcredits

    def kept_of(self, rest_microcredits: int, *, catalog: Catalog) -> int:
        """How much of such a rest goes into what follows its newest period."""
        return self.newest.kept_of(rest_microcredits, self.came_in_microcredits(catalog), catalog)


SubscribedAll = tuple[Subscribed, ...]


def with_line(before: Subscribed | None, paid: Paid, catalog: Catalog) -> Subscribed | None:
    """What is known with this line, too; None where its period is older than all that is kept.

    Why: of a period that is forgotten nobody can say what it brought already.
    """
    fresh = PaidPeriod(paid.place[0], paid.end_at, ((paid.plan, paid.allocation_microcredits),))
    if before is None:
        return Subscribed(paid.subscription, paid.plan, paid.place, (fresh,))
    most = PERIODS_KEPT if can_roll_over(catalog) else 1
    by_end = {period.end_at: period for period in before.periods}
    known = by_end.get(paid.end_at)
    is_older = paid.place[0] < before.periods[0].begin_at
    if known is None and is_older and len(by_end) >= most:
        return None
    by_end[paid.end_at] = fresh if known is None else known.with_line(paid)
    periods = sorted(by_end.values(), key=lambda each: (each.begin_at, each.end_at))
    carried = before.carried_microcredits
    while len(periods) > most:
        oldest = periods.pop(0)
        kept = oldest.kept_of(oldest.left_of(carried), carried, catalog)
        carried = kept if periods[0].follows(oldest) else 0
    is_newest = paid.place >= before.line_at
    begins = periods[-1].end_at != before.newest.end_at
    return replace(
        before,
        plan=paid.plan if is_newest else before.plan,
        line_at=max(paid.place, before.line_at),
        periods=tuple(periods),
        carried_microcredits=carried,
        grants=() if begins else before.grants,
    )


def can_roll_over(catalog: Catalog) -> bool:
    """What older periods brought matters only where something of it can be left."""
    plans = catalog.plans.values()
    return any(each.sale is not None and each.rollover is not Rollover.NONE for each in plans)


def find_subscribed(known: SubscribedAll, subscription: str) -> Subscribed | None:
    """What is known of the subscription, or None."""
    return next((each for each in known if each.id == subscription), None)


def keep_subscribed(known: SubscribedAll, after: Subscribed, *, driver: str = "") -> SubscribedAll:
    """All with what is known now of this one; of too many, those that are over longest go.

    Neither this one nor the driver goes.
    """
    others = [each for each in known if each.id != after.id]
    while len(others) >= SUBSCRIPTIONS_KEPT:
        gone = min((o for o in others if o.id != driver), key=lambda each: each.newest.end_at)
        others.remove(gone)
    return tuple(sorted((*others, after), key=lambda each: each.id))


def drop_subscribed(known: SubscribedAll, subscription: str) -> SubscribedAll:
    """All but this one."""
    return tuple(each for each in known if each.id != subscription)


def drop_forgotten(known: SubscribedAll, at: datetime) -> SubscribedAll:
    """Those that were paid for not too long ago."""
    return tuple(each for each in known if at < each.newest.end_at + KEPT_FOR)


def largest_live(known: SubscribedAll, at: datetime) -> Subscribed | None:
    """Which of those that are paid for drives the plan: the one whose plan allots the most."""
    live = [each for each in known if each.is_live(at)]
    return max(live, key=lambda each: each.size, default=None)
