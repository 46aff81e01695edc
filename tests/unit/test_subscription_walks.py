"""Random lives of subscribers: whatever happens in whatever order, the ledger explains it all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest

from tests.unit.building import NOON, ONE, a_key, a_run
from tests.unit.holding import costing
from tests.unit.subscribers import A_DAY, SOLD, STORE, Subscriber, change, month, of_other
from tollkeeper.domain.charges import Charge, decide_charge
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import hold_key
from tollkeeper.domain.errors import TollkeeperError
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.holds import OpenHold, Settle, decide_hold, decide_settle
from tollkeeper.domain.invoices import InvoicePaid
from tollkeeper.domain.operating import (
    ChangePlan,
    ChangeProfile,
    GiveGrant,
    decide_grant,
    decide_plan_change,
    decide_profile_change,
)
from tollkeeper.domain.roll import begin

STEPS = 25


class Walk:
    """One subscriber's life, driven by a seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.who = Subscriber.open()
        self.now = NOON
        self.number = 0
        self.holds: list[str] = []

    def key(self) -> str:
        """A fresh name."""
        self.number += 1
        return f"n{self.number}"

    def step(self) -> None:
        """Something happens; what is refused changes nothing."""
        self.now += timedelta(seconds=self.random.choice([0, 1, 3600, 86400, 5 * 86400]))
        often = [self.pay, self.spend, self.hold]
        rest = [self.upgrade, self.give, self.change, self.zone, self.end, self.wait, self.settle]
        deed = self.random.choice([*often, *often, *rest])
        try:
            deed()
        except TollkeeperError:
            self.wait()

    def pay(self) -> None:
        """A month is paid, one of the first ones."""
        plan = self.random.choice(sorted(SOLD))
        self._pay(month(self.key(), plan, self.random.randrange(4)))

    def upgrade(self) -> None:
        """A change within a month is paid."""
        plan = self.random.choice(sorted(SOLD))
        days = self.random.randrange(1, 25)
        self._pay(change(self.key(), plan, self.random.randrange(4), days=days))

    def _pay(self, invoice: InvoicePaid) -> None:
        subscription = self.random.choice(["sub_1", "sub_1", "sub_2"])
        self.who.ended.clear()
        self.who.pay(of_other(invoice, subscription), at=self.now)

    def spend(self) -> None:
        """A charge."""
        priced = a_run("call", quantity=self.random.randrange(1, 120) * ONE)
        self._decide(lambda d: decide_charge(d, Charge(a_key(self.key()), "h", priced), STORE))

    def hold(self) -> None:
        """Credits are set aside for a while."""
        stays = self.random.choice([timedelta(minutes=5), A_DAY])
        name, credits = self.key(), self.random.randrange(1, 40)
        self.holds.append(name)
        command = OpenHold(name, "h", costing(credits), stays)
        self._decide(lambda d: decide_hold(d, command, STORE))

    def settle(self) -> None:
        """One of the holds is charged what it used, more or less than it holds."""
        name = self.random.choice(self.holds or ["none"])
        credits = self.random.randrange(1, 60)
        command = Settle(name, hold_key(name, "settle"), "h", costing(credits))
        self._decide(lambda d: decide_settle(d, command, STORE))

    def give(self) -> None:
        """A pack."""
        command = GiveGrant(
            a_key(self.key()), "h", "", amount_microcredits=30 * ONE, kind=GrantKind.PACK
        )
        self._decide(lambda d: decide_grant(d, command))

    def change(self) -> None:
        """An operator's other plan."""
        plan = self.random.choice(["free", "pro", "month", "basic"])
        later = self.random.random() < 0.5
        command = ChangePlan(a_key(self.key()), "h", "", plan=plan, at_period_end=later)
        self._decide(lambda d: decide_plan_change(d, command, STORE))

    def zone(self) -> None:
        """Another zone."""
        zone = self.random.choice(["UTC", "Asia/Tokyo", "America/New_York"])
        command = ChangeProfile(a_key(self.key()), "h", "", zone=zone)
        self._decide(lambda d: decide_profile_change(d, command))

    def end(self) -> None:
        """The subscription ends."""
        self.who.end(self.random.choice(["sub_1", "sub_2"]), at=self.now)

    def wait(self) -> None:
        """Only time passes."""
        self.who.wait(self.now)

    def _decide(self, decide: Callable[[Draft], Decision]) -> None:
        draft, is_rolled = begin(self.who.account, self.who.account.id, now=self.now, catalog=STORE)
        assert is_rolled
        decision = decide(draft)
        self.who.account = decision.account
        self.who.entries += decision.entries
        self.who.days += decision.days
        assert not self.who.audit(), self.who.audit()


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_to_a_subscriber_the_ledger_explains_it(seed: int) -> None:
    walk = Walk(seed)

    for _ in range(STEPS):
        walk.step()

    assert walk.who.audit() == []
    assert not walk.who.account.plan.subscription or walk.who.account.plan.id in SOLD
