"""Ledgers as items, made by the real commands: two stories in which everything happens once."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from tests.unit.building import ACCOUNT, CATALOG, NOON, ONE, a_key, a_run
from tollkeeper.domain.account import Account
from tollkeeper.domain.charges import (
    Charge,
    GiveBack,
    decide_charge,
    decide_give_back,
    decide_run_failed,
)
from tollkeeper.domain.clawback import Back, post_back
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import EntryKey, EntryKind
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.holds import OpenHold, Release, decide_hold, decide_release
from tollkeeper.domain.operating import (
    Adjust,
    ChangePlan,
    ChangeProfile,
    GiveGrant,
    decide_adjustment,
    decide_grant,
    decide_plan_change,
    decide_profile_change,
)
from tollkeeper.domain.pricing import Priced
from tollkeeper.domain.purchases import (
    EventSeen,
    PurchaseMoved,
    decide_purchase,
    moved,
    offer,
    purchase_id_of,
)
from tollkeeper.domain.roll import begin
from tollkeeper.store.items import account_from_item, entry_from_item
from tollkeeper.store.payments import purchase_from_item
from tollkeeper.store.rows import Item
from tollkeeper.store.writes import decision_to_writes

PURCHASE = purchase_id_of(ACCOUNT, a_key("buy"))
PURCHASE_ROW = f"E#s#purchase:{PURCHASE}"


@dataclass
class Book:
    """One account's partition by sort key, and a clock. Commands are given in one line each."""

    items: dict[str, Item] = field(default_factory=dict[str, Item])
    now: datetime = NOON

    @property
    def account(self) -> Account | None:
        """The account as it is stored."""
        return account_from_item(self.items["A"]) if "A" in self.items else None

    def wait(self, **span: float) -> None:
        """Nobody touches the account for a while."""
        self.now += timedelta(**span)

    def do(self, decide: Callable[[Draft], Decision], plan: str | None = None) -> None:
        """The command is written, with the time that passed before it."""
        is_rolled = False
        while not is_rolled:
            draft, is_rolled = begin(
                self.account, ACCOUNT, now=self.now, catalog=CATALOG, plan_id=plan
            )
            self._write(decide(draft) if is_rolled else draft.decide(None))

    def _write(self, decision: Decision) -> None:
        for write in decision_to_writes(decision):
            item = write.put["Item"]
            if item["pk"]["S"] == f"A#{ACCOUNT}":
                self.items[item["sk"]["S"]] = item

    def charge(self, key: str, run: Priced) -> None:
        """A run."""
        self.do(lambda draft: decide_charge(draft, Charge(a_key(key), "h", run), CATALOG))

    def fail(self, key: str) -> None:
        """A run that failed."""
        self.do(lambda draft: decide_run_failed(draft, Charge(a_key(key), "h", a_run())))

    def give_back(self, charge: str, key: str, micro: int | None = None) -> None:
        """A void, or a refund of so many micro-credits."""
        kind = EntryKind.VOID if micro is None else EntryKind.REFUND
        entry = entry_from_item(self.items[f"E#c#{charge}"])
        command = GiveBack(a_key(key), "h", entry, kind, micro)
        self.do(lambda draft: decide_give_back(draft, command))

    def grant(self, key: str, credits: int, *, later: float = 0, hours: float = 0) -> None:
        """Promo credits, from so many hours on and for so long."""
        starts_at = self.now + timedelta(hours=later)
        command = GiveGrant(
            a_key(key),
            "h",
            "test",
            amount_microcredits=credits * ONE,
            kind=GrantKind.PROMO,
            effective_at=starts_at,
            expires_at=starts_at + timedelta(hours=hours) if hours else None,
        )
        self.do(lambda draft: decide_grant(draft, command))

    def adjust(self, key: str, credits: int) -> None:
        """A correction."""
        command = Adjust(a_key(key), "h", "test", delta_microcredits=credits * ONE)
        self.do(lambda draft: decide_adjustment(draft, command))

    def plan(self, key: str, plan: str, *, at_end: bool = False) -> None:
        """Another plan."""
        command = ChangePlan(a_key(key), "h", "", plan=plan, at_period_end=at_end)
        self.do(lambda draft: decide_plan_change(draft, command, CATALOG), plan)

    def move(self, key: str, zone: str) -> None:
        """Another zone."""
        command = ChangeProfile(a_key(key), "h", "", zone=zone)
        self.do(lambda draft: decide_profile_change(draft, command))

    def buy(self, key: str = "buy") -> None:
        """The small pack, paid."""
        purchase = offer(
            CATALOG.packs["small"],
            purchase_id=purchase_id_of(ACCOUNT, a_key(key)),
            account=ACCOUNT,
            request_hash="h",
            now=self.now,
        )
        seen = EventSeen(f"evt_{key}", "checkout.session.completed", "granted", self.now)
        self.do(lambda draft: decide_purchase(draft, purchase, payment_intent="pi_1", event=seen))

    def money_back(self, key: str, credits: int, buy: str = "buy") -> None:
        """So many credits of the pack went with its money; below 0 they are back."""
        id_ = purchase_id_of(ACCOUNT, a_key(buy))
        purchase = purchase_from_item(self.items[f"P#{id_}"])
        back = Back(EntryKey(f"s#refund:{key}"), id_, purchase.grant, credits * ONE)
        gone = purchase.clawed_back_microcredits + credits * ONE
        after = moved(purchase, purchase.status, clawed_back_microcredits=gone)
        self.do(lambda draft: draft.decide(post_back(draft, back)[0], PurchaseMoved(after)))

    def change(self, sort_key: str, **attributes: Any) -> None:
        """An item with some attributes as no command would write them; None takes one away."""
        item = self.items[sort_key]
        for name, value in attributes.items():
            if value is None:
                del item[name]
            elif isinstance(value, int):
                item[name] = {"N": str(value)}
            else:
                item[name] = {"S": value if isinstance(value, str) else json.dumps(value)}

    def read(self, sort_key: str, name: str) -> Any:
        """An attribute, its JSON read."""
        (text,) = self.items[sort_key][name].values()
        return json.loads(text)


@lru_cache(maxsize=1)
def _everything() -> Book:
    book = Book()
    book.charge("k1", a_run())
    book.charge("k2", a_run("video"))
    book.give_back("k1", "v1")
    book.grant("promo", 5, hours=48)
    book.grant("short", 4, hours=2)
    book.grant("later", 3, later=30)
    book.charge("k3", a_run("chat", model="gpt-4", tokens=20))
    book.give_back("k2", "r2", 2 * ONE)
    book.adjust("down", -1)
    book.adjust("up", 2)
    book.fail("f1")
    book.buy()
    book.wait(days=1)
    book.charge("k4", a_run("minute", quantity=2 * ONE))
    book.wait(days=2)
    book.charge("k5", a_run("sms", quantity=ONE))
    book.move("berlin", "Europe/Berlin")
    book.wait(days=15)
    book.charge("k6", a_run())
    book.give_back("k3", "v3")
    book.plan("keep", "keep")
    book.charge("k7", a_run("video"))
    book.wait(days=30)
    book.charge("k8", a_run())
    book.wait(hours=1)
    book.plan("free", "free")
    book.grant("open", 6, hours=900)
    book.grant("waits", 8, later=200)
    book.charge("k9", a_run())
    book.charge("k10", a_run())
    book.give_back("k9", "v9")
    book.charge("k11", a_run("video"))
    return book


@lru_cache(maxsize=1)
def _indebted() -> Book:
    book = Book()
    book.plan("deep", "deep")
    book.charge("k1", a_run("sms", quantity=3 * ONE))
    book.grant("one", 1)
    book.charge("k2", a_run("sms", quantity=ONE))
    return book


@lru_cache(maxsize=1)
def _owing() -> Book:
    book = Book()
    book.plan("deep", "deep")
    book.buy()
    book.charge("k1", a_run("sms", quantity=98 * ONE))
    book.money_back("r1", 50)
    book.grant("one", 10)
    book.money_back("w1", -30)
    book.grant("two", 9)
    sms = a_run("sms", quantity=ONE)
    opening = OpenHold("h1", "h", sms, timedelta(minutes=5))
    book.do(lambda draft: decide_hold(draft, opening, CATALOG))
    book.charge("k2", a_run("sms", quantity=4 * ONE))
    book.money_back("r2", 5)
    book.do(lambda draft: decide_release(draft, Release("h1", "h")))
    book.charge("k3", a_run("own"))
    return book


def owing() -> Book:
    """An account with a debt of eight, four of it for money that went back; one's own copy."""
    return copy.deepcopy(_owing())


def everything() -> Book:
    """An account with half a year of everything; the caller's own copy."""
    return copy.deepcopy(_everything())


def indebted() -> Book:
    """An account with three credits of debt; the caller's own copy."""
    return copy.deepcopy(_indebted())
