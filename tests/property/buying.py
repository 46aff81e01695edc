"""What the state machine buys, and how its money goes back and comes again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tollkeeper.domain.catalog import Pack
from tollkeeper.domain.clawback import Back, post_back
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import EntryKey, EntryKind
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.operating import GiveGrant, decide_grant
from tollkeeper.domain.purchases import PurchaseStatus, moved, offer, purchase_entry_key

from .drawing import AMOUNTS, LASTING
from .driver import Driver
from .model import from_moment
from .world import ACCOUNT


@dataclass
class Bought:
    """A purchase that was paid: where its credits were, for both, and when they end."""

    id: str
    grant: str
    number: int
    expires: datetime | None


class Buying(Driver):
    """Packs are bought, and Stripe says again and again how much of their money is back."""

    def __init__(self) -> None:
        super().__init__()
        self.bought: list[Bought] = []

    @rule(amount=AMOUNTS, lasts=st.one_of(st.none(), LASTING))
    @precondition(lambda self: len(self.account().grants) < 30)
    def buy(self, amount: int, lasts: timedelta | None) -> None:
        """A pack is paid for."""
        id_ = f"pur_{len(self.bought):032x}"
        expires = None if lasts is None else self.now() + lasts
        pack = Pack("pack", "Pack", amount, 1000, "usd")
        purchase = offer(pack, purchase_id=id_, account=ACCOUNT, request_hash="", now=self.now())
        command = GiveGrant(
            purchase_entry_key(id_),
            "",
            "pack",
            amount_microcredits=amount,
            kind=GrantKind.PACK,
            expires_at=expires,
            details=(("purchase", id_),),
        )
        entry = self.submit(
            command.key,
            lambda draft: decide_grant(draft, command),
            "grant",
            kind="pack",
            amount=amount,
            expires=None if expires is None else from_moment(expires),
        )
        assert entry is not None and entry.grant is not None
        self.ledger.purchases[id_] = moved(purchase, PurchaseStatus.PAID, paid_at=entry.at)
        number = len(self.state().buckets) - 1
        self.bought.append(Bought(id_, entry.grant.id, number, expires))

    @rule(nth=st.integers(0, 3), part=st.sampled_from([0, 1, 2, 3, 3, 4, 4]))
    @precondition(lambda self: self.bought)
    def money_moves(self, nth: int, part: int) -> None:
        """So many quarters of a purchase's money are back with the customer now."""
        bought = self.bought[max(0, len(self.bought) - 1 - nth)]
        purchase = self.ledger.purchases[bought.id]
        credits = purchase.credits_microcredits * part // 4
        more = credits - purchase.clawed_back_microcredits
        known = purchase.uncollected_microcredits
        amount = more if more > 0 else min(0, more + known)
        uncollected = max(0, known + min(0, more))
        if amount:
            uncollected += self.take_or_give(bought, amount)
        self.ledger.purchases[bought.id] = replace(
            purchase, clawed_back_microcredits=credits, uncollected_microcredits=uncollected
        )

    @rule(below=st.one_of(st.none(), AMOUNTS))
    def want_top_up(self, below: int | None) -> None:
        """Rows that leave less ask for a top-up from now on, or none does."""
        key = self.key()

        def decide(draft: Draft) -> Decision:
            account = replace(draft.account, top_up_below_microcredits=below)
            return draft.decide(draft.post(account, key=key, kind=EntryKind.TOP_UP, delta=0))

        self.submit(key, decide, "set_top_up", below=below)

    def take_or_give(self, bought: Bought, amount: int) -> int:
        """The credits follow the money; returns what nobody had."""
        self.keys += 1
        key = EntryKey(f"s#refund:pi:{self.keys}")
        back = Back(key, bought.id, bought.grant, amount, bought.expires)

        def decide(draft: Draft) -> Decision | None:
            if key in self.ledger.entries:
                return None
            entry, _ = post_back(draft, back)
            return draft.decide(entry)

        told = key.replace("#", "~")
        if amount > 0:
            facts = {"amount": amount, "own": bought.number, "row": told}
            entry = self.submit(key, decide, "claw_back", **facts)
        else:
            end = None if bought.expires is None else from_moment(bought.expires)
            facts = {"amount": -amount, "expires": end, "row": told}
            entry = self.submit(key, decide, "reinstate", **facts)
        assert entry is not None
        return entry.uncollected_microcredits
